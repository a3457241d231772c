//! Colours: Okabe and Ito's set, which people with any kind of colour blindness can tell apart, and
//! a few greys. No meaning rests on colour alone: shape, place or a label says the same.

use plotters_backend::BackendColor;

/// A colour with an opacity.
pub type Color = BackendColor;

const fn rgb(hex: u32) -> Color {
    let rgb = ((hex >> 16) as u8, (hex >> 8) as u8, hex as u8);
    BackendColor { alpha: 1.0, rgb }
}

/// Titles and names.
pub const INK: Color = rgb(0x1A1A1A);
/// Axis labels and notes.
pub const GREY: Color = rgb(0x595959);
/// Frames and ticks.
pub const RULE: Color = rgb(0x9A9A9A);
/// Grid lines.
pub const GRID: Color = rgb(0xE4E4E4);
/// Fillings that stand for "nothing here".
pub const PALE: Color = rgb(0xE9E9E9);
/// The page.
pub const WHITE: Color = rgb(0xFFFFFF);
/// Okabe-Ito orange.
pub const ORANGE: Color = rgb(0xE69F00);
/// Okabe-Ito sky blue.
pub const SKY: Color = rgb(0x56B4E9);
/// Okabe-Ito bluish green.
pub const GREEN: Color = rgb(0x009E73);
/// Okabe-Ito yellow.
pub const YELLOW: Color = rgb(0xF0E442);
/// Okabe-Ito blue.
pub const BLUE: Color = rgb(0x0072B2);
/// Okabe-Ito vermillion.
pub const VERMILLION: Color = rgb(0xD55E00);
/// Okabe-Ito reddish purple.
pub const PURPLE: Color = rgb(0xCC79A7);

/// A colour mixed with the white page: as if transparent, but the same over everything.
pub fn tint(color: Color, share: f64) -> Color {
    let mix = |ink: u8| (255.0 - (255.0 - f64::from(ink)) * share) as u8;
    let (red, green, blue) = color.rgb;
    BackendColor {
        alpha: 1.0,
        rgb: (mix(red), mix(green), mix(blue)),
    }
}
