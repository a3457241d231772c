//! Pictures of a comparison: each metric over the varied setting, and what performance costs in
//! duplicates.
//!
//! Numbers and durations make an axis, and up to six values of another setting a line each; two
//! long axes make a map; settings without an order make a row each. Whatever else is varied makes
//! panels. A setting whose numbers cannot be trusted has its word in the picture, and no mark.

mod curves;
mod labels;
mod layout;
mod map;
mod position;
mod rows;
mod scale;
mod trade_off;
mod words;

use rayon::prelude::*;

use super::drawing::{Area, Drawing, Place};
use super::page::Sample;
use super::palette::{BLUE, Color, GREEN, INK, ORANGE, PURPLE, SKY, VERMILLION, WHITE, tint};
use crate::experiment::{Comparison, Difference, MetricResult};
use crate::output::FolderNames;
use layout::Layout;

/// Colours of lines; more of them nobody could tell apart.
const COLORS: [Color; 6] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY];

/// Runs that get a dot, in a whole picture and of one setting.
const MOST_DOTS: (usize, usize) = (3_000, 60);

/// Every picture with the name of its files, in the order of the metrics.
pub fn drawings(comparison: &Comparison) -> Vec<(String, Drawing)> {
    let mut names = FolderNames::default();
    let metrics = comparison.metrics.iter();
    let mut drawings: Vec<(String, Drawing)> = metrics
        .map(|result| {
            let name = names.claim(&result.metric.path.replace('*', "all"));
            (name, draw(comparison, result))
        })
        .collect();
    if let Some(drawing) = trade_off::draw(comparison) {
        drawings.push((names.claim("trade-off"), drawing));
    }
    drawings
}

/// Every picture as an SVG and as a PNG file, `latencyMs.sendToProcessed.mean.svg` …: names and
/// contents. Drawn on as many threads as rayon has; a long study would wait for one at its end.
pub fn files(comparison: &Comparison) -> Vec<(String, Vec<u8>)> {
    let drawings = drawings(comparison);
    let files = drawings.par_iter().flat_map_iter(|(name, drawing)| {
        [
            (format!("{name}.svg"), drawing.svg()),
            (format!("{name}.png"), drawing.png()),
        ]
    });
    files.collect()
}

fn draw(comparison: &Comparison, result: &MetricResult) -> Drawing {
    match layout::choose(&comparison.axes) {
        Layout::Curves(curves) => curves::draw(comparison, result, &curves),
        Layout::Map(map) => map::draw(comparison, result, &map),
        Layout::Rows => rows::draw(comparison, result),
    }
}

/// The replications that get a dot.
fn dotted(comparison: &Comparison) -> Vec<usize> {
    let (of_picture, of_setting) = MOST_DOTS;
    let replications = comparison.replications();
    let most = (of_picture / comparison.settings.len().max(1)).min(of_setting);
    if replications <= most {
        return (0..replications).collect();
    }
    (0..most).map(|dot| dot * replications / most).collect()
}

/// From -1 to 1, spread evenly whatever the number: where the dot of a replication stands beside
/// the middle, the same in every setting.
fn aside(replication: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let turns = (replication + 1) as f64 * GOLDEN;
    2.0 * (turns - libm::floor(turns)) - 1.0
}

/// The mean of a setting; the best one has a ring.
fn mean_mark(drawing: &mut Drawing, place: Place, color: Color, is_best: bool) {
    if is_best {
        drawing.circle(place, 10.0, INK);
        drawing.circle(place, 7.5, WHITE);
        drawing.circle(place, 5.0, color);
    } else {
        drawing.circle(place, 5.5, WHITE);
        drawing.circle(place, 4.2, color);
    }
}

/// One run.
fn dot(drawing: &mut Drawing, place: Place, color: Color) {
    drawing.circle(place, 2.3, tint(color, 0.45));
}

/// What marks mean, below every picture.
fn legend(
    comparison: &Comparison,
    color: Color,
    with_band: bool,
) -> Vec<(Sample<'static>, String)> {
    let interval: Sample<'static> = Box::new(move |drawing, (x, y)| {
        if with_band {
            let band = Area::new(x - 13.0, y - 7.0, x + 13.0, y + 7.0);
            drawing.rectangle(band, tint(color, 0.25));
            drawing.line((x - 13.0, y), (x + 13.0, y), 2.5, color);
        } else {
            drawing.line((x - 13.0, y), (x + 13.0, y), 2.5, color);
        }
        mean_mark(drawing, (x, y), color, false);
    });
    let meaning = match comparison.replications() {
        1 => "a single run",
        _ => "mean with 95 % interval",
    };
    let mut entries = vec![(interval, meaning.to_owned())];
    if comparison.replications() > 1 && !dotted(comparison).is_empty() {
        let one: Sample<'static> = Box::new(move |drawing, place| dot(drawing, place, color));
        entries.push((one, "one run (same seed, same place)".to_owned()));
    }
    entries
}

/// What the ring means.
fn best_entry(color: Color) -> (Sample<'static>, String) {
    let sample: Sample<'static> =
        Box::new(move |drawing, place| mean_mark(drawing, place, color, true));
    (sample, "best".to_owned())
}

/// The settings of a metric that are shown to be the best of their group, and those that are
/// exactly as good in every run.
fn winners(comparison: &Comparison, result: &MetricResult) -> Vec<usize> {
    let groups = comparison.groups.iter();
    let won = groups.filter(|group| result.has_winner(group));
    let is_best = |setting: &usize| {
        let cell = &result.cells[*setting];
        let is_same = |other: Difference| {
            other.difference == 0.0 && other.interval.low == 0.0 && other.interval.high == 0.0
        };
        cell.best || cell.against_best.is_some_and(is_same)
    };
    won.flat_map(|group| group.settings.iter().copied().filter(is_best))
        .collect()
}

#[cfg(test)]
mod tests;
