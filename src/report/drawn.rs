//! A chart as it was drawn, with the table behind it.

use crate::report::chart;

/// A table behind a chart: names of the columns, and rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartTable {
    /// Names of the columns, with units.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

/// A chart with its finding and its table.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Name of its file, without ending.
    pub name: &'static str,
    /// Its finding.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// The picture.
    pub svg: String,
    /// The numbers behind it.
    pub table: ChartTable,
}

impl Chart {
    /// The picture with its finding as its name, for readers who hear it.
    #[must_use]
    pub fn labelled(&self) -> String {
        let name = format!("<svg role=\"img\" aria-label=\"{}\" ", chart::escaped(&self.title));
        self.svg.replacen("<svg role=\"img\" ", &name, 1)
    }

    /// The picture with its finding above it, for use outside the page.
    #[must_use]
    pub fn standalone(&self) -> String {
        const LETTERS: usize = 100;
        const LINE: usize = 24;
        let mut lines = vec![String::new()];
        for word in self.title.split(' ') {
            let last = lines.len() - 1;
            if !lines[last].is_empty() && lines[last].chars().count() + word.chars().count() >= LETTERS {
                lines.push(word.to_owned());
            } else {
                let space = if lines[last].is_empty() { "" } else { " " };
                lines[last] = format!("{}{space}{word}", lines[last]);
            }
        }
        let head = lines.len() * LINE + 12;
        let mut title = format!(
            "<title>{}</title>\n<rect x=\"0\" y=\"-{head}\" width=\"100%\" height=\"{head}\" fill=\"#FFFFFF\"/>\n",
            chart::escaped(&self.title)
        );
        for (line, place) in lines.iter().zip(1..) {
            let from_top = head - place * LINE;
            title += &format!(
                "<text x=\"12\" y=\"-{from_top}\" font-family=\"sans-serif\" font-size=\"17\" font-weight=\"600\" fill=\"#282C34\">{}</text>\n",
                chart::escaped(line)
            );
        }
        let (open, rest) = self.svg.split_once(">\n").unwrap_or((&self.svg, ""));
        let height =
            open.split('"').nth(3).and_then(|view| view.rsplit(' ').next()?.parse::<usize>().ok()).unwrap_or(0);
        let open = open.replace(
            &format!("viewBox=\"0 0 {} {height}\"", chart::WIDTH),
            &format!("viewBox=\"0 -{head} {} {}\"", chart::WIDTH, height + head),
        );
        format!("{open}>\n{title}{rest}")
    }
}
