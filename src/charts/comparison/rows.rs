//! A metric for settings that have no order: a row each, with a dot for each run, the mean with its
//! interval, and the number at the end.

use super::super::drawing::{Area, Drawing, PAGE_WIDTH};
use super::super::font::Align;
use super::super::page::{self, LABEL, MARGIN, NAME, NOTE, SMALL, columns, header};
use super::super::palette::{BLUE, GREEN, GREY, GRID, PALE, tint};
use super::layout::MOST_ROWS;
use super::scale::{Scale, values};
use super::{aside, best_entry, dot, dotted, legend, mean_mark, winners, words};
use crate::experiment::{Comparison, MetricResult, Word, output};

const ROW: f64 = 34.0;
const VALUES: f64 = 150.0;

/// Draws it.
pub fn draw(comparison: &Comparison, result: &MetricResult) -> Drawing {
    let mut drawing = Drawing::default();
    let (shown, left_out) = shown(comparison, result);
    let titles: Vec<String> = comparison.axes.iter().map(|axis| axis.title()).collect();
    let top = header(&mut drawing, &words::metric(comparison, result, &titles.join(", "), &left_out));
    let runs = dotted(comparison);
    let labels: Vec<&str> = shown.iter().map(|setting| label(comparison, *setting)).collect();
    let widest = labels.iter().map(|label| NAME.width(label)).fold(80.0, f64::max);
    let left = MARGIN + widest.min(330.0) + 18.0;
    let right = PAGE_WIDTH - MARGIN - VALUES;
    let top = top + 26.0;
    let area = Area::new(left, top, right, top + ROW * shown.len() as f64);
    let cells = shown.iter().map(|setting| &result.cells[*setting]);
    let scale = Scale::of(&result.metric, &values(cells, &runs), 5);
    if let Some(scale) = &scale {
        let axis = scale.axis(left + 12.0, right - 12.0);
        for tick in scale.ticks.iter().filter(|tick| axis.holds(tick.at)) {
            let x = axis.map(tick.at);
            drawing.line((x, area.top), (x, area.bottom), 1.0, GRID);
        }
        drawing.text((left, top - 12.0), Align::Left, NOTE, &scale.caption);
    }
    let won = winners(comparison, result);
    for (row, (setting, label)) in shown.iter().zip(labels).enumerate() {
        let cell = &result.cells[*setting];
        let middle = area.top + (row as f64 + 0.5) * ROW;
        let is_best = won.contains(setting);
        let (look, quiet) = if is_best { (NAME, NAME) } else { (LABEL, LABEL.colored(GREY)) };
        let band = Area::new(MARGIN - 6.0, middle - ROW / 2.0, PAGE_WIDTH - MARGIN + 6.0, middle + ROW / 2.0);
        if is_best {
            drawing.rectangle(band, tint(GREEN, 0.12));
        }
        let baseline = middle + LABEL.em * 0.36;
        drawing.text((MARGIN, baseline), Align::Left, look, look.shorten(label, left - MARGIN - 14.0));
        let number = output::number_with_unit(result, *setting);
        let place = (PAGE_WIDTH - MARGIN, baseline);
        drawing.text(place, Align::Right, quiet, quiet.shorten(&number, VALUES - 12.0));
        let Some((mean, axis)) = cell.mean.zip(scale.as_ref()).map(|(mean, scale)| (mean, scale.axis(left + 12.0, right - 12.0))) else {
            let text = explained(cell.word.unwrap_or(Word::Insufficient));
            drawing.rectangle(Area::new(left, middle - 11.0, right, middle + 11.0), PALE);
            let look = SMALL.colored(GREY);
            let place = (left + 12.0, middle + SMALL.em * 0.36);
            drawing.text(place, Align::Left, look, look.shorten(text, right - left - 20.0));
            continue;
        };
        if comparison.replications() > 1 {
            for run in &runs {
                if let Some(value) = cell.values[*run] {
                    dot(&mut drawing, (axis.map(value), middle + 10.0 * aside(*run)), BLUE);
                }
            }
        }
        if let Some(interval) = cell.interval {
            let (low, high) = (axis.map(interval.low), axis.map(interval.high));
            drawing.line((low, middle), (high, middle), 2.5, BLUE);
        }
        mean_mark(&mut drawing, (axis.map(mean), middle), BLUE, is_best);
    }
    let bottom = match &scale {
        Some(scale) => columns(&mut drawing, area, scale.axis(left + 12.0, right - 12.0), &scale.ticks, ""),
        None => area.bottom,
    };
    let mut entries = legend(comparison, BLUE, false);
    if !won.is_empty() {
        entries.push(best_entry(BLUE));
    }
    drawing.height = page::legend(&mut drawing, entries, bottom.min(area.bottom + 40.0) + 4.0) + MARGIN / 2.0;
    drawing
}

/// A single setting that varies nothing has no name.
fn label(comparison: &Comparison, setting: usize) -> &str {
    &comparison.settings[setting].label
}

fn explained(word: Word) -> &'static str {
    match word {
        Word::Unstable => "unstable: the backlog grows",
        Word::Insufficient => "insufficient data",
    }
}

/// The settings to be shown; of too many those with the best means. And a sentence about the
/// others.
fn shown(comparison: &Comparison, result: &MetricResult) -> (Vec<usize>, String) {
    use crate::experiment::statistics::Better;
    let all = comparison.settings.len();
    if all <= MOST_ROWS {
        return ((0..all).collect(), String::new());
    }
    let rank = |setting: usize| match (result.cells[setting].mean, result.metric.better) {
        (None, _) => f64::INFINITY,
        (Some(mean), Better::Lower) => mean,
        (Some(mean), Better::Higher) => -mean,
    };
    let mut order: Vec<usize> = (0..all).collect();
    order.sort_by(|a, b| rank(*a).total_cmp(&rank(*b)).then(a.cmp(b)));
    order.truncate(MOST_ROWS);
    order.sort_unstable();
    (order, format!("The {MOST_ROWS} best of {all} settings; compare.csv has all."))
}
