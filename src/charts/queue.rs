//! Where messages waited over time: at the broker, in flight, and in the buffers of clients.

use super::axis::{Axis, counts, thousands, times};
use super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::font::Align;
use super::levels::DestinationLevels;
use super::page::{EndLabel, MARGIN, NAME, NOTE, Plot, SMALL, end_labels, header};
use super::palette::{BLUE, Color, GREEN, GREY, INK, ORANGE, tint};
use super::series::{Bin, Series};
use super::{Charts, words};
use crate::kernel::Time;

const COLORS: [Color; 3] = [BLUE, ORANGE, GREEN];
const PANEL: f64 = 138.0;
const RIGHT: f64 = PAGE_WIDTH - 200.0;

type Level = fn(&DestinationLevels) -> &Series;

const PANELS: [(&str, Level); 3] = [
    ("Waiting at the broker", |destination| &destination.waiting),
    (
        "In flight: sent to a consumer, not yet acknowledged",
        |destination| &destination.in_flight,
    ),
    ("Waiting in the buffers of clients", |destination| {
        &destination.buffered
    }),
];

/// The destinations with the highest levels, at most three. Dead-letter queues come last, and not
/// if they stayed empty.
pub fn shown(charts: &Charts) -> Vec<usize> {
    let peak = |index: &usize| {
        let destination = &charts.levels.destinations[*index];
        destination.waiting.peak().max(destination.in_flight.peak())
    };
    let mut order: Vec<usize> = (0..charts.destinations.len()).collect();
    order.retain(|index| peak(index) > 0);
    order.sort_by_key(|index| {
        let is_dead_letter = charts.destinations[*index].is_dead_letter;
        (is_dead_letter, std::cmp::Reverse(peak(index)), *index)
    });
    order.truncate(COLORS.len());
    order
}

/// Draws it.
pub fn draw(charts: &Charts) -> Drawing {
    let mut drawing = Drawing::default();
    let mut bottom = header(&mut drawing, &words::queue(charts)) - 8.0;
    let shown = shown(charts);
    let filled = |level: Level| {
        shown
            .iter()
            .any(|index| level(&charts.levels.destinations[*index]).peak() > 0)
    };
    let last = PANELS.iter().rposition(|(_, level)| filled(*level));
    for (panel, (title, level)) in PANELS.into_iter().enumerate() {
        let baseline = bottom + 34.0;
        drawing.text((MARGIN, baseline), Align::Left, NAME, title);
        if filled(level) {
            let area = Area::new(100.0, baseline + 16.0, RIGHT, baseline + 16.0 + PANEL);
            let is_last = Some(panel) == last;
            bottom = draw_panel(&mut drawing, charts, &shown, level, area, is_last);
        } else {
            let place = (MARGIN + NAME.width(title), baseline);
            drawing.text(place, Align::Left, NOTE, ": never any");
            bottom = baseline;
        }
    }
    drawing.height = bottom + MARGIN;
    drawing
}

fn draw_panel(
    drawing: &mut Drawing,
    charts: &Charts,
    shown: &[usize],
    level: Level,
    area: Area,
    is_last: bool,
) -> f64 {
    let series = |index: usize| level(&charts.levels.destinations[index]);
    let most = shown
        .iter()
        .map(|index| series(*index).peak())
        .max()
        .unwrap_or(0);
    let plot = plot(charts, area, most, 3);
    let bottom = axes(drawing, charts, &plot, (most, 3), "", is_last);
    let mut labels = Vec::new();
    for (&index, color) in shown.iter().zip(COLORS) {
        if series(index).peak() == 0 {
            continue;
        }
        let y = level_line(drawing, &plot, &charts.bins(series(index)), color);
        let mut lines = vec![format!("at most {}", thousands(series(index).peak()))];
        if shown.len() > 1 {
            lines.insert(0, charts.destinations[index].name.clone());
        }
        labels.push(EndLabel { y, lines, color });
    }
    end_labels(drawing, area, &labels);
    bottom
}

/// Counts up to `most` over the time that is shown.
pub fn plot(charts: &Charts, area: Area, most: u64, rows: usize) -> Plot {
    let top = counts(most, rows).last().map_or(1.0, |tick| tick.at);
    let x = Axis::linear((0.0, charts.shown_until.0 as f64), (0.0, 1.0));
    Plot::new(area, x, Axis::linear((0.0, top), (0.0, 1.0)))
}

/// The axes of such a plot; the warm-up greyed out. Returns what lies below.
pub fn axes(
    drawing: &mut Drawing,
    charts: &Charts,
    plot: &Plot,
    (most, rows): (u64, usize),
    caption: &str,
    with_times: bool,
) -> f64 {
    let area = plot.area;
    if charts.warm_up > Time::ZERO {
        let right = plot.x.map(charts.warm_up.0 as f64);
        drawing.rectangle(Area { right, ..area }, tint(INK, 0.08));
        if right - area.left > SMALL.width("warm-up") + 12.0 {
            let place = (area.left + 6.0, area.top + 17.0);
            drawing.text(place, Align::Left, SMALL.colored(GREY), "warm-up");
        }
    }
    let time = times(Time::ZERO, charts.shown_until, 8);
    plot.uprights(drawing, &time.ticks);
    plot.rows(drawing, &counts(most, rows), caption);
    if with_times {
        plot.times(drawing, &time)
    } else {
        area.bottom
    }
}

/// A level over time: its mean in each bin as a line, from its least to its largest value as a
/// band. Returns the height at which it ends.
fn level_line(drawing: &mut Drawing, plot: &Plot, bins: &[(Time, Bin)], color: Color) -> f64 {
    let (mut high, mut low, mut line): (Vec<Place>, Vec<Place>, Vec<Place>) = Default::default();
    let mut start = 0.0;
    for (end, bin) in bins {
        let end = end.0 as f64;
        let mean = bin.area / (end - start).max(1.0);
        for x in [start, end] {
            high.push(plot.at(x, bin.largest as f64));
            low.push(plot.at(x, bin.least as f64));
            line.push(plot.at(x, mean));
        }
        start = end;
    }
    let y = line.last().map_or(plot.area.bottom, |(_, y)| *y);
    let varies = high
        .iter()
        .zip(&low)
        .any(|(high, low)| low.1 - high.1 > 2.0);
    if varies {
        high.extend(low.into_iter().rev());
        drawing.polygon(thinned(high), tint(color, 0.35));
    }
    drawing.path(thinned(line), 2.5, color);
    y
}

/// Leaves out places between two others on the same upright or level line.
pub fn thinned(places: Vec<Place>) -> Vec<Place> {
    let mut kept: Vec<Place> = Vec::with_capacity(places.len());
    for place in places {
        if let [.., a, b] = kept[..]
            && ((a.0 == b.0 && b.0 == place.0) || (a.1 == b.1 && b.1 == place.1))
        {
            kept.pop();
        }
        if kept.last() != Some(&place) {
            kept.push(place);
        }
    }
    kept
}
