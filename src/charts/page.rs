//! What every picture has: a title with its point in one sentence, axes, legends and labels that
//! keep out of each other's way.

use super::axis::{Axis, Tick, TimeTicks};
use super::drawing::{Area, Drawing, PAGE_WIDTH, Place, Type};
use super::font::{Align, wrap};
use super::palette::{Color, GREY, GRID, INK, RULE};

/// Blank space at the edges of a page.
pub const MARGIN: f64 = 28.0;
const TITLE: Type = Type {
    em: 27.0,
    bold: true,
    color: INK,
};
const POINT: Type = Type {
    em: 20.0,
    bold: false,
    color: INK,
};
/// Notes below the point, captions of axes.
pub const NOTE: Type = Type {
    em: 16.0,
    bold: false,
    color: GREY,
};
/// Numbers on axes, names of lines and lanes.
pub const LABEL: Type = Type {
    em: 17.0,
    bold: false,
    color: INK,
};
/// Small numbers inside a picture.
pub const SMALL: Type = Type {
    em: 14.5,
    bold: false,
    color: INK,
};
/// A name that stands out.
pub const NAME: Type = Type {
    em: 17.0,
    bold: true,
    color: INK,
};

/// The words over a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// What the picture shows, of which scenario.
    pub title: String,
    /// What there is to see, in one plain sentence.
    pub point: String,
    /// What a careful reader must know: which part is shown, whose rules apply.
    pub note: String,
}

/// Most lines of the point; what goes beyond is left out.
pub const POINT_LINES: usize = 3;
/// Most lines of the note.
pub const NOTE_LINES: usize = 2;

/// How many lines a point needs.
pub fn lines_of_point(text: &str) -> usize {
    wrap(text, POINT.em, POINT.bold, PAGE_WIDTH - 2.0 * MARGIN).len()
}

/// Writes the words at the top of the page; returns where the picture may begin.
pub fn header(drawing: &mut Drawing, words: &Words) -> f64 {
    let room = PAGE_WIDTH - 2.0 * MARGIN;
    drawing.title = format!("{}. {}", words.title, words.point);
    let mut y = MARGIN;
    for (look, text, most) in [
        (TITLE, &words.title, 2),
        (POINT, &words.point, POINT_LINES),
        (NOTE, &words.note, NOTE_LINES),
    ] {
        for line in wrap(text, look.em, look.bold, room).into_iter().take(most) {
            y += look.em * 1.22;
            drawing.text((MARGIN, y - look.em * 0.22), Align::Left, look, line);
        }
        y += 3.0;
    }
    y + 14.0
}

/// A rectangle with two axes.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Where the values stand.
    pub area: Area,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
}

impl Plot {
    /// Values in a rectangle.
    pub fn new(area: Area, x: Axis, y: Axis) -> Plot {
        let x = x.placed(area.left, area.right);
        Plot {
            area,
            x,
            y: y.placed(area.bottom, area.top),
        }
    }

    /// Where a pair of values stands.
    pub fn at(&self, x: f64, y: f64) -> Place {
        (self.x.map(x), self.y.map(y))
    }

    /// Grid lines with numbers at the left, and the caption above them.
    pub fn rows(&self, drawing: &mut Drawing, ticks: &[Tick], caption: &str) {
        for tick in ticks.iter().filter(|tick| self.y.holds(tick.at)) {
            let y = self.y.map(tick.at);
            drawing.line((self.area.left, y), (self.area.right, y), 1.0, GRID);
            let place = (self.area.left - 10.0, y + LABEL.em * 0.36);
            drawing.text(place, Align::Right, LABEL.colored(GREY), &tick.label);
        }
        drawing.text((MARGIN, self.area.top - 16.0), Align::Left, NOTE, caption);
    }

    /// The x axis with its numbers and caption; returns what lies below.
    pub fn columns(&self, drawing: &mut Drawing, ticks: &[Tick], caption: &str) -> f64 {
        columns(drawing, self.area, self.x, ticks, caption)
    }

    /// The x axis of times.
    pub fn times(&self, drawing: &mut Drawing, times: &TimeTicks) -> f64 {
        self.columns(drawing, &times.ticks, &times.caption)
    }

    /// Vertical grid lines.
    pub fn uprights(&self, drawing: &mut Drawing, ticks: &[Tick]) {
        for tick in ticks.iter().filter(|tick| self.x.holds(tick.at)) {
            let x = self.x.map(tick.at);
            drawing.line((x, self.area.top), (x, self.area.bottom), 1.0, GRID);
        }
    }
}

/// An x axis below an area; returns what lies below.
pub fn columns(
    drawing: &mut Drawing,
    area: Area,
    axis: Axis,
    ticks: &[Tick],
    caption: &str,
) -> f64 {
    drawing.line(
        (area.left, area.bottom),
        (area.right, area.bottom),
        1.5,
        RULE,
    );
    let mut free = f64::NEG_INFINITY;
    for tick in ticks.iter().filter(|tick| axis.holds(tick.at)) {
        let x = axis.map(tick.at);
        drawing.line((x, area.bottom), (x, area.bottom + 6.0), 1.5, RULE);
        let half = LABEL.width(&tick.label) / 2.0;
        if x - half > free {
            let place = (x, area.bottom + 25.0);
            drawing.text(place, Align::Middle, LABEL.colored(GREY), &tick.label);
            free = x + half + 8.0;
        }
    }
    if area.left > MARGIN + 100.0 {
        drawing.text((MARGIN, area.bottom + 25.0), Align::Left, NOTE, caption);
        return area.bottom + 34.0;
    }
    drawing.text(
        (area.right, area.bottom + 47.0),
        Align::Right,
        NOTE,
        caption,
    );
    area.bottom + 54.0
}

/// Moves values apart until neighbours are at least `gap` from each other, within `low` to `high`
/// if there is room.
pub fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    let mut places = vec![0.0; wanted.len()];
    let mut floor = low;
    for &index in &order {
        places[index] = wanted[index].max(floor);
        floor = places[index] + gap;
    }
    let mut ceiling = high;
    for &index in order.iter().rev() {
        places[index] = places[index].min(ceiling);
        ceiling = places[index] - gap;
    }
    places
}

/// The name of a line, written where the line ends.
#[derive(Clone)]
pub struct EndLabel {
    /// Height at which the line ends.
    pub y: f64,
    /// One or two lines of text.
    pub lines: Vec<String>,
    /// Of the line.
    pub color: Color,
}

/// Writes the names of lines right of a plot, at their ends but never over each other.
pub fn end_labels(drawing: &mut Drawing, area: Area, labels: &[EndLabel]) {
    let room = PAGE_WIDTH - area.right - 24.0;
    let most = labels
        .iter()
        .map(|label| label.lines.len())
        .max()
        .unwrap_or(1);
    let gap = 20.0 * most as f64 + 4.0;
    let wanted: Vec<f64> = labels.iter().map(|label| label.y).collect();
    let half = 10.0 * (most - 1) as f64;
    let places = spread(&wanted, gap, area.top + half, area.bottom + 6.0 - half);
    for (label, y) in labels.iter().zip(places) {
        let near = (area.right + 2.0, label.y);
        let above = (label.lines.len() - 1) as f64 * 10.0;
        drawing.line(near, (area.right + 12.0, y - above), 1.5, label.color);
        for (row, text) in label.lines.iter().enumerate() {
            let look = if row == 0 { NAME } else { LABEL.colored(GREY) };
            let baseline = y - above + row as f64 * 20.0 + LABEL.em * 0.36;
            let place = (area.right + 16.0, baseline);
            drawing.text(place, Align::Left, look, look.shorten(text, room));
        }
    }
}

/// A sample of what a legend explains, drawn around a centre.
pub type Sample<'a> = Box<dyn Fn(&mut Drawing, Place) + 'a>;

/// A filled box as a sample.
pub fn swatch(color: Color) -> Sample<'static> {
    Box::new(move |drawing, (x, y)| {
        drawing.rectangle(Area::new(x - 11.0, y - 7.0, x + 11.0, y + 7.0), color);
    })
}

/// Samples with their meanings, in as many rows as it takes; returns what lies below.
pub fn legend(drawing: &mut Drawing, entries: Vec<(Sample<'_>, String)>, top: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top + 12.0);
    for (sample, meaning) in entries {
        let width = 38.0 + SMALL.width(&meaning);
        if x + width > PAGE_WIDTH - MARGIN && x > MARGIN {
            x = MARGIN;
            y += 25.0;
        }
        sample(drawing, (x + 13.0, y));
        drawing.text((x + 32.0, y + SMALL.em * 0.36), Align::Left, SMALL, meaning);
        x += width + 16.0;
    }
    y + 18.0
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn labels_move_apart_and_stay_inside() {
        let places = spread(&[10.0, 10.0, 95.0, 11.0], 20.0, 0.0, 100.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 20.0));
        assert!(sorted[0] >= 0.0 && sorted[3] <= 100.0);
        assert!(
            places[0] < places[1] && places[1] < places[3],
            "in the order of their values"
        );
    }
}
