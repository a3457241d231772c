//! A metric for settings that have no order: a row each, with a dot for each run, the mean with its
//! interval, and the number at the end.

use super::super::axis::Axis;
use super::super::drawing::{Area, Drawing, PAGE_WIDTH};
use super::super::font::Align;
use super::super::page::{self, LABEL, MARGIN, NAME, NOTE, SMALL, columns, header};
use super::super::palette::{BLUE, GREEN, GREY, GRID, PALE, tint};
use super::layout::MOST_ROWS;
use super::scale::{Scale, values};
use super::{aside, best_entry, dot, dotted, legend, mean_mark, winners, words};
use crate::experiment::statistics::Better;
use crate::experiment::{self, Comparison, MetricResult, Word, output};

const ROW: f64 = 34.0;
/// Most room for numbers.
const VALUES: f64 = 230.0;

/// The values of one varied setting, beside the rows.
struct Column {
    axis: usize,
    left: f64,
    room: f64,
}

struct Picture<'a> {
    comparison: &'a Comparison,
    result: &'a MetricResult,
    columns: Vec<Column>,
    scale: Option<Scale>,
    /// The rows, without their names.
    area: Area,
    runs: Vec<usize>,
    won: Vec<usize>,
}

/// Draws it.
pub fn draw(comparison: &Comparison, result: &MetricResult) -> Drawing {
    let mut drawing = Drawing::default();
    let (shown, left_out) = shown(comparison, result);
    let axes = named_axes(comparison);
    let titles: Vec<String> = axes
        .iter()
        .map(|axis| comparison.axes[*axis].title())
        .collect();
    let top = header(
        &mut drawing,
        &words::metric(comparison, result, &titles, &left_out, true),
    ) + 26.0;
    let columns = columns_of(comparison, &axes);
    let left = columns
        .last()
        .map_or(MARGIN, |column| column.left + column.room)
        + 18.0;
    let numbers = shown
        .iter()
        .map(|setting| output::number_with_unit(result, *setting));
    let widest = numbers
        .map(|number| NAME.width(&number))
        .fold(60.0, f64::max);
    let right = PAGE_WIDTH - MARGIN - widest.min(VALUES) - 16.0;
    let runs = dotted(comparison);
    let cells = shown.iter().map(|setting| &result.cells[*setting]);
    let picture = Picture {
        comparison,
        result,
        columns,
        scale: Scale::of(&result.metric, &values(cells, &runs), 5),
        area: Area::new(left, top, right, top + ROW * shown.len() as f64),
        runs,
        won: winners(comparison, result),
    };
    picture.head(&mut drawing);
    for (row, setting) in shown.iter().enumerate() {
        picture.row(
            &mut drawing,
            *setting,
            picture.area.top + (row as f64 + 0.5) * ROW,
        );
    }
    let bottom = picture.foot(&mut drawing);
    let mut entries = match picture.scale {
        Some(_) => legend(comparison, BLUE, false),
        None => Vec::new(),
    };
    if !picture.won.is_empty() {
        entries.push(best_entry(BLUE));
    }
    drawing.height = page::legend(&mut drawing, entries, bottom) + MARGIN / 2.0;
    drawing
}

/// The axes that tell rows apart; of a single setting, all.
fn named_axes(comparison: &Comparison) -> Vec<usize> {
    let all = 0..comparison.axes.len();
    let varied = |axis: &usize| comparison.axes[*axis].values.len() > 1;
    match comparison.settings.len() {
        1 => all.collect(),
        _ => all.filter(varied).collect(),
    }
}

/// As wide as their values need, but all together not more than half of the page.
fn columns_of(comparison: &Comparison, axes: &[usize]) -> Vec<Column> {
    const ROOM: f64 = 480.0;
    let wanted = |axis: &usize| {
        let axis = &comparison.axes[*axis];
        let values = axis
            .values
            .iter()
            .map(|value| NAME.width(&experiment::shown(value)));
        values.fold(NOTE.width(&axis.title()), f64::max).max(60.0) + 1.0
    };
    let wanted: Vec<f64> = axes.iter().map(wanted).collect();
    let gaps = 16.0 * axes.len().saturating_sub(1) as f64;
    let share = ((ROOM - gaps) / wanted.iter().sum::<f64>()).min(1.0);
    let mut left = MARGIN;
    let column = |(axis, wanted): (&usize, &f64)| {
        let column = Column {
            axis: *axis,
            left,
            room: share * wanted,
        };
        left += column.room + 16.0;
        column
    };
    axes.iter().zip(&wanted).map(column).collect()
}

impl Picture<'_> {
    fn axis(&self) -> Option<Axis> {
        let scale = self.scale.as_ref()?;
        Some(scale.axis(self.area.left + 12.0, self.area.right - 12.0))
    }

    fn head(&self, drawing: &mut Drawing) {
        let baseline = self.area.top - 12.0;
        for column in &self.columns {
            let title = self.comparison.axes[column.axis].title();
            drawing.text(
                (column.left, baseline),
                Align::Left,
                NOTE,
                NOTE.shorten(&title, column.room),
            );
        }
        if let Some((scale, axis)) = self.scale.as_ref().zip(self.axis()) {
            drawing.text(
                (self.area.left, baseline),
                Align::Left,
                NOTE,
                &scale.caption,
            );
            for tick in scale.ticks.iter().filter(|tick| axis.holds(tick.at)) {
                let x = axis.map(tick.at);
                drawing.line((x, self.area.top), (x, self.area.bottom), 1.0, GRID);
            }
        }
    }

    fn row(&self, drawing: &mut Drawing, setting: usize, middle: f64) {
        let is_best = self.won.contains(&setting);
        if is_best {
            let half = ROW / 2.0 - 1.0;
            let band = Area::new(
                MARGIN - 8.0,
                middle - half,
                PAGE_WIDTH - MARGIN + 8.0,
                middle + half,
            );
            drawing.rectangle(band, tint(GREEN, 0.14));
        }
        let look = if is_best { NAME } else { LABEL };
        let baseline = middle + LABEL.em * 0.36;
        for column in &self.columns {
            let value = &self.comparison.settings[setting].values[column.axis];
            let text = look.shorten(&experiment::shown(value), column.room);
            drawing.text((column.left, baseline), Align::Left, look, text);
        }
        let number = output::number_with_unit(self.result, setting);
        let number = look.shorten(&number, VALUES);
        drawing.text((PAGE_WIDTH - MARGIN, baseline), Align::Right, look, number);
        self.marks(drawing, setting, middle);
    }

    fn marks(&self, drawing: &mut Drawing, setting: usize, middle: f64) {
        let cell = &self.result.cells[setting];
        let Some((mean, axis)) = cell.mean.zip(self.axis()) else {
            return self.word(drawing, cell.word.unwrap_or(Word::Insufficient), middle);
        };
        if self.comparison.replications() > 1 {
            for run in &self.runs {
                if let Some(value) = cell.values[*run] {
                    dot(
                        drawing,
                        (axis.map(value), middle + 10.0 * aside(*run)),
                        BLUE,
                    );
                }
            }
        }
        if let Some(interval) = cell.interval {
            let (low, high) = (axis.map(interval.low), axis.map(interval.high));
            drawing.line((low, middle), (high, middle), 2.5, BLUE);
        }
        mean_mark(
            drawing,
            (axis.map(mean), middle),
            BLUE,
            self.won.contains(&setting),
        );
    }

    fn word(&self, drawing: &mut Drawing, word: Word, middle: f64) {
        let Area { left, right, .. } = self.area;
        drawing.rectangle(Area::new(left, middle - 11.0, right, middle + 11.0), PALE);
        let look = SMALL.colored(GREY);
        let place = (left + 12.0, middle + SMALL.em * 0.36);
        let text = look.shorten(explained(word), right - left - 20.0);
        drawing.text(place, Align::Left, look, text);
    }

    /// Returns what lies below.
    fn foot(&self, drawing: &mut Drawing) -> f64 {
        if let Some((scale, axis)) = self.scale.as_ref().zip(self.axis()) {
            columns(drawing, self.area, axis, &scale.ticks, "");
        }
        self.area.bottom + if self.scale.is_some() { 42.0 } else { 12.0 }
    }
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
    (
        order,
        format!("The {MOST_ROWS} best of {all} settings; compare.csv has all."),
    )
}
