//! The signs on a timeline: acks, crashes and other marks. Every kind has a shape of its own.

use super::drawing::{Area, Drawing, Place};
use super::palette::{BLUE, Color, GREEN, INK, ORANGE, VERMILLION};
use super::window::Mark;
use crate::wire::AckType;

/// Colour of an ack by its type.
pub fn ack_color(kind: AckType) -> Color {
    match kind {
        AckType::Standard | AckType::Individual => GREEN,
        AckType::Delivered => ORANGE,
        AckType::Redelivered => VERMILLION,
        AckType::Poison | AckType::Expired | AckType::Unmatched => INK,
    }
}

/// The sign of an ack: its shape tells the type as well.
pub fn ack_sign(drawing: &mut Drawing, kind: AckType, (x, y): Place) {
    let color = ack_color(kind);
    let up = vec![(x - 5.0, y + 5.0), (x, y - 5.0), (x + 5.0, y + 5.0)];
    match kind {
        AckType::Standard => drawing.polygon(up, color),
        AckType::Individual => {
            drawing.rectangle(Area::new(x - 4.0, y - 4.0, x + 4.0, y + 4.0), color);
        }
        AckType::Delivered => drawing.circle((x, y), 4.5, color),
        AckType::Redelivered => {
            let down = vec![(x - 5.0, y - 5.0), (x, y + 5.0), (x + 5.0, y - 5.0)];
            drawing.polygon(down, color);
        }
        AckType::Poison | AckType::Unmatched => cross(drawing, (x, y), 4.0, 2.5, color),
        AckType::Expired => hourglass(drawing, (x, y), color),
    }
}

fn cross(drawing: &mut Drawing, (x, y): Place, reach: f64, width: f64, color: Color) {
    drawing.line((x - reach, y - reach), (x + reach, y + reach), width, color);
    drawing.line((x - reach, y + reach), (x + reach, y - reach), width, color);
}

fn hourglass(drawing: &mut Drawing, (x, y): Place, color: Color) {
    drawing.polygon(vec![(x - 5.0, y - 6.0), (x + 5.0, y - 6.0), (x, y)], color);
    drawing.polygon(vec![(x - 5.0, y + 6.0), (x + 5.0, y + 6.0), (x, y)], color);
}

/// Whether a mark is about the consumer itself, not about one of many messages.
pub fn concerns_consumer(mark: Mark) -> bool {
    !matches!(mark, Mark::Expired | Mark::Dead | Mark::Checked)
}

/// The sign of a mark.
pub fn mark_sign(drawing: &mut Drawing, mark: Mark, (x, y): Place) {
    match mark {
        Mark::Crash => cross(drawing, (x, y), 6.0, 4.0, VERMILLION),
        Mark::Start => {
            let right = vec![(x - 5.0, y - 7.0), (x + 7.0, y), (x - 5.0, y + 7.0)];
            drawing.polygon(right, GREEN);
        }
        Mark::Close => drawing.rectangle(Area::new(x - 6.0, y - 6.0, x + 6.0, y + 6.0), INK),
        Mark::Slow | Mark::NotSlow => {
            drawing.line((x - 5.0, y - 8.0), (x - 5.0, y + 8.0), 2.0, INK);
            drawing.polygon(
                vec![(x - 4.0, y - 8.0), (x + 8.0, y - 4.0), (x - 4.0, y)],
                ORANGE,
            );
        }
        Mark::Checked => diamond(drawing, (x, y), ORANGE),
        Mark::Aborted => diamond(drawing, (x, y), VERMILLION),
        Mark::Expired => hourglass(drawing, (x, y), INK),
        Mark::Dead => {
            drawing.line((x, y - 8.0), (x, y + 8.0), 3.0, INK);
            drawing.line((x - 5.0, y - 3.0), (x + 5.0, y - 3.0), 3.0, INK);
        }
    }
}

fn diamond(drawing: &mut Drawing, (x, y): Place, color: Color) {
    drawing.polygon(
        vec![(x, y - 7.0), (x + 7.0, y), (x, y + 7.0), (x - 7.0, y)],
        color,
    );
}

/// For the legend: a delivery that failed.
pub fn failed_sample(drawing: &mut Drawing, (x, y): Place) {
    drawing.rectangle(Area::new(x - 11.0, y - 7.0, x + 11.0, y + 7.0), BLUE);
    drawing.rectangle(Area::new(x + 8.0, y - 10.0, x + 11.0, y), INK);
}

/// For the legend: a redelivery delay.
pub fn pause_sample(drawing: &mut Drawing, (x, y): Place) {
    drawing.line((x - 11.0, y), (x + 11.0, y), 3.0, ORANGE);
    for end in [x - 11.0, x + 11.0] {
        drawing.line((end, y - 6.0), (end, y + 6.0), 2.0, ORANGE);
    }
}
