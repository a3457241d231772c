//! Type: DejaVu Sans, embedded, so that a picture needs no font of the machine that draws it.
//!
//! Widths come from the font's own advances, hence a layout never depends on the output format. An
//! SVG names DejaVu Sans first and Verdana next, whose letters are as wide; every other fallback is
//! narrower, so nothing overlaps.

use std::convert::Infallible;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, FontFamily, FontStyle};

/// `font-family` of every text of an SVG.
pub const FAMILY: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

/// plotters' SVG backend writes `font-size` as the size of a text style divided by this.
const SIZE_OF_EM: f64 = 1.24;

/// plotters' SVG backend puts the baseline of a top-anchored text so many ems below the anchor.
pub const BASELINE: f64 = 0.76;

static REGULAR: LazyLock<FontRef<'static>> =
    LazyLock::new(|| embedded(include_bytes!("../../assets/DejaVuSans.ttf")));
static BOLD: LazyLock<FontRef<'static>> =
    LazyLock::new(|| embedded(include_bytes!("../../assets/DejaVuSans-Bold.ttf")));

fn embedded(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the embedded font can be read")
}

fn face(bold: bool) -> &'static FontRef<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// ab_glyph measures a font by ascent minus descent, everybody else by the em.
fn scale(font: &FontRef<'static>, em: f64) -> PxScale {
    let units = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(em as f32 * font.height_unscaled() / units)
}

/// Each glyph of a line with its distance from the line's start, and the width of the line.
fn layout(text: &str, em: f64, bold: bool) -> (Vec<(GlyphId, f32)>, f32) {
    let font = face(bold).as_scaled(scale(face(bold), em));
    let mut x = 0.0;
    let mut glyphs: Vec<(GlyphId, f32)> = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let glyph = font.glyph_id(letter);
        if let Some((previous, _)) = glyphs.last() {
            x += font.kern(*previous, glyph);
        }
        glyphs.push((glyph, x));
        x += font.h_advance(glyph);
    }
    (glyphs, x)
}

/// How wide a line of text is, in the unit of `em`.
pub fn width(text: &str, em: f64, bold: bool) -> f64 {
    f64::from(layout(text, em, bold).1)
}

/// A line of text that is cut to `room`, with an ellipsis in place of what is missing.
pub fn shorten(text: &str, em: f64, bold: bool, room: f64) -> String {
    if width(text, em, bold) <= room {
        return text.to_owned();
    }
    let limit = room - width("…", em, bold);
    let (glyphs, _) = layout(text, em, bold);
    let fitting = glyphs
        .iter()
        .skip(1)
        .take_while(|(_, end)| f64::from(*end) <= limit)
        .count();
    let kept: String = text.chars().take(fitting).collect();
    format!("{}…", kept.trim_end())
}

/// Breaks a text into lines that fit in `room`, the last of which is not just a word or two.
pub fn wrap(text: &str, em: f64, bold: bool, room: f64) -> Vec<String> {
    let lines = broken(text, em, bold, room);
    let rest = lines.last().map_or(0.0, |line| width(line, em, bold));
    if lines.len() < 2 || rest > 0.3 * room {
        return lines;
    }
    let narrower =
        (1..10).map(|step| broken(text, em, bold, room * (1.0 - 0.05 * f64::from(step))));
    let as_many = narrower.take_while(|other| other.len() == lines.len());
    as_many.last().unwrap_or(lines)
}

fn broken(text: &str, em: f64, bold: bool, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), em, bold) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(shorten(word, em, bold, room)),
        }
    }
    lines
}

/// Calls `pixel` with place and coverage (0 to 1) for a line whose baseline starts at (`x`, `y`).
pub fn rasterize(
    text: &str,
    em: f64,
    bold: bool,
    (x, y): (f32, f32),
    mut pixel: impl FnMut(i32, i32, f32),
) {
    let font = face(bold);
    for (glyph, offset) in layout(text, em, bold).0 {
        let place = ab_glyph::point(x + offset, y);
        let glyph = glyph.with_scale_and_position(scale(font, em), place);
        let Some(outline) = font.outline_glyph(glyph) else {
            continue;
        };
        let corner = outline.px_bounds().min;
        outline.draw(|column, row, coverage| {
            pixel(
                corner.x as i32 + column as i32,
                corner.y as i32 + row as i32,
                coverage,
            );
        });
    }
}

/// Where a text stands relative to its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// It starts there.
    Left,
    /// It is centred there.
    Middle,
    /// It ends there.
    Right,
}

/// The style of a text, as plotters' backends want to be told.
#[derive(Clone, Copy)]
pub struct TextStyle {
    /// Height of the em in the backend's unit.
    pub em: f64,
    /// Bold or regular.
    pub bold: bool,
    /// Which colour.
    pub color: BackendColor,
    /// Horizontally; vertically the anchor is [`BASELINE`] above the baseline.
    pub align: Align,
}

impl BackendTextStyle for TextStyle {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        self.color
    }

    fn size(&self) -> f64 {
        self.em * SIZE_OF_EM
    }

    fn style(&self) -> FontStyle {
        if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        }
    }

    fn anchor(&self) -> Pos {
        let horizontal = match self.align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        Pos::new(horizontal, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILY)
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        let width = width(text, self.em, self.bold);
        Ok(((0, 0), (width as i32, self.em as i32)))
    }

    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        (x, y): BackendCoord,
        mut draw: F,
    ) -> Result<Result<(), E>, Infallible> {
        let baseline = y as f32 + (BASELINE * self.em) as f32;
        let mut result = Ok(());
        rasterize(
            text,
            self.em,
            self.bold,
            (x as f32, baseline),
            |x, y, coverage| {
                if result.is_ok() {
                    result = draw(x, y, self.color.mix(f64::from(coverage)));
                }
            },
        );
        Ok(result)
    }
}

/// The em that a backend text style stands for.
pub fn em_of<S: BackendTextStyle>(style: &S) -> f64 {
    style.size() / SIZE_OF_EM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_text_fits_and_says_that_something_is_missing() {
        let name = "a-consumer-with-a-name-that-nobody-would-want-to-read";
        let short = shorten(name, 20.0, false, 200.0);
        assert!(short.ends_with('…') && width(&short, 20.0, false) <= 200.0);
        assert!(name.starts_with(short.trim_end_matches('…')));
        assert_eq!(shorten("worker", 20.0, false, 200.0), "worker");
    }

    #[test]
    fn lines_break_between_words_and_fit() {
        let lines = wrap("one two three four five six seven", 20.0, false, 150.0);
        assert_eq!(lines.join(" "), "one two three four five six seven");
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width(line, 20.0, false) <= 150.0));
    }

    #[test]
    fn a_word_without_room_does_not_run_out_of_the_line() {
        let lines = wrap(&"x".repeat(100), 20.0, false, 150.0);
        assert_eq!(lines.len(), 1);
        assert!(width(&lines[0], 20.0, false) <= 150.0);
    }
}
