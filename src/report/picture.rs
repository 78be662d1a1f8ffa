//! Charts as PNG at twice their size, for documents that take no SVG.

use std::sync::{Arc, LazyLock};

use resvg::{tiny_skia, usvg};

/// `DejaVu Sans` (templates/fonts/LICENSE): letters are the same on every machine.
static FONT: &[u8] = include_bytes!("../../templates/fonts/DejaVuSans.ttf");

static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Pixels of the picture for one of the chart.
const SCALE: f32 = 2.0;

/// The picture of an SVG; none if it is not one that can be drawn, which charts are not.
#[must_use]
pub fn png(svg: &str) -> Option<Vec<u8>> {
    let options = usvg::Options { fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options).ok()?;
    let size = tree.size();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few thousand pixels
    let pixels = |length: f32| (length * SCALE).ceil() as u32;
    let mut picture = tiny_skia::Pixmap::new(pixels(size.width()), pixels(size.height()))?;
    picture.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    picture.encode_png().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters are drawn: a picture with text has ink where one without has none.
    #[test]
    fn text_is_drawn() {
        let svg = |text: &str| {
            format!(
                "<svg viewBox=\"0 0 100 20\" xmlns=\"http://www.w3.org/2000/svg\"><text x=\"2\" y=\"15\" font-family=\"sans-serif\" \
                 font-size=\"12\">{text}</text></svg>"
            )
        };
        let (with, without) = (png(&svg("clinical")).unwrap(), png(&svg("")).unwrap());
        assert!(with.len() > without.len() + 100, "{} against {}", with.len(), without.len());
        assert!(png("not a picture").is_none());
    }
}
