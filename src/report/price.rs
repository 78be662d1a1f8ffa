//! Side effects of an option: figures beside its targets that are clearly worse than in the base, and what it switches off.

use crate::report::words::{list, number, staff_time};
use crate::study::figures::MEASURES;
use crate::study::results::{Results, SetupResult};

/// Differences below this share of the base's figure are not worth a sentence, however clear they are.
const WORTH_SAYING: f64 = 0.02;

/// What is clearly worse than in the base and worth saying, or switched off, in words; none where nothing is.
#[must_use]
pub fn of(results: &Results, setup: &SetupResult) -> Option<String> {
    let base = results.setups.iter().find(|setup| setup.name == "base")?;
    let worse = MEASURES.iter().zip(setup.measures.iter().zip(&base.measures)).filter_map(|(figure, (own, base))| {
        let by = own.change?.mean;
        let says = own.clear && by > WORTH_SAYING * base.value.mean;
        says.then(|| more(figure.name, by)).flatten()
    });
    let off = setup.switched_off.iter().map(|class| format!("no {class} while it is switched off"));
    let worse: Vec<String> = worse.chain(off).collect();
    (!worse.is_empty()).then(|| list(&worse))
}

/// An increase of a figure in words; none for a figure whose increase does no harm.
fn more(figure: &str, by: f64) -> Option<String> {
    let (hours, by) = (by, number(by));
    Some(match figure {
        "minutes_over" => format!("{by} more minutes over the limit"),
        "sites_affected" => format!("{by} more sites affected at the worst time"),
        "staff_hours_lost" => format!("{} more of staff time lost", staff_time(hours)),
        "given_up" => format!("{by} more actions given up or refused"),
        "waiting_at_close" => format!("{by} more jobs not finished by the end"),
        "sites_cut_off" => format!("{by} more sites cut off at the worst time"),
        "staff_hours_cut_off" => format!("{} more of staff time cut off", staff_time(hours)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault: a figure is added without words for its increase.
    #[test]
    fn every_figure_but_utilisation_has_words() {
        let silent: Vec<&str> =
            MEASURES.iter().map(|figure| figure.name).filter(|name| more(name, 1.0).is_none()).collect();
        assert_eq!(silent, ["peak_utilisation"]);
    }
}
