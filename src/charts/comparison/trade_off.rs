//! What performance costs in duplicates: for each setting its latency or throughput against the
//! messages that a crash makes be done twice.

use super::super::axis::{Axis, spanning};
use super::super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::super::page::{self, LABEL, MARGIN, NAME, Plot, Sample, Words, header};
use super::super::palette::{Color, GREY, INK};
use super::labels::Labels;
use super::layout::{self, Layout};
use super::position::Positions;
use super::scale::{Scale, values};
use super::{COLORS, dot, dotted, mean_mark, words};
use crate::experiment::statistics::{Better, Verdict};
use crate::experiment::{Comparison, MetricResult, Word};

/// Beyond these, only settings that no other one beats in both have their names beside them.
const MOST_NAMES: usize = 24;

struct Point {
    setting: usize,
    label: String,
    color: Color,
    /// Duplicates per crash, and the metric.
    at: (f64, f64),
}

/// Draws it, if settings crash, differ in duplicates, and are compared by how fast they are.
pub fn draw(comparison: &Comparison) -> Option<Drawing> {
    let result = comparison.metrics.iter().find(|result| is_speed(result))?;
    let lines = lines(comparison, result);
    let points = || lines.iter().flat_map(|(_, points)| points);
    let most = points().map(|point| point.at.0).fold(0.0, f64::max);
    if most == 0.0 || points().count() < 2 {
        return None;
    }
    let runs = dotted(comparison);
    let clouds = clouds(comparison, result, &runs);
    let cells = points().map(|point| &result.cells[point.setting]);
    let scale = Scale::of(&result.metric, &values(cells, &runs), 5)?;
    let mut drawing = Drawing::default();
    let top = header(&mut drawing, &told(comparison, result, &lines)) + 30.0;
    let far = clouds.iter().map(|(_, (x, _))| *x).fold(most, f64::max);
    let ticks = spanning(0.0, far, 6);
    let end = ticks.last().map_or(1.0, |tick| tick.at);
    let area = Area::new(116.0, top, PAGE_WIDTH - MARGIN - 16.0, top + 430.0);
    let x = Axis::linear((0.0, end), (0.0, 1.0)).placed(area.left + 16.0, area.right - 16.0);
    let mut plot = Plot::new(area, x, scale.axis(0.0, 1.0));
    plot.x = x;
    plot.uprights(&mut drawing, &ticks);
    plot.rows(&mut drawing, &scale.ticks, &scale.caption);
    let caption = "messages done twice for each crash; fewer are better";
    let bottom = plot.columns(&mut drawing, &ticks, caption);
    marks(&mut drawing, &plot, &lines, &clouds, result);
    let bottom = page::legend(&mut drawing, legend(comparison, &lines), bottom + 6.0);
    drawing.height = bottom + MARGIN / 2.0;
    Some(drawing)
}

/// Whether a metric tells how fast a setting is.
fn is_speed(result: &MetricResult) -> bool {
    let path = result.metric.path.as_str();
    let starts = ["latencyMs.", "throughput.", "timing."];
    starts.iter().any(|start| path.starts_with(start))
}

fn is_better(result: &MetricResult, one: f64, other: f64) -> bool {
    match result.metric.better {
        Better::Lower => one < other,
        Better::Higher => one > other,
    }
}

/// Settings with numbers, joined in the order of what stands on the axis elsewhere; each line with
/// what its settings have in common.
fn lines(comparison: &Comparison, result: &MetricResult) -> Vec<(String, Vec<Point>)> {
    let axes = &comparison.axes;
    let along = match layout::choose(axes) {
        Layout::Curves(curves) => Some(curves.x),
        Layout::Map(map) => Positions::of(&axes[map.x]).is_some().then_some(map.x),
        Layout::Rows => None,
    };
    let others: Vec<usize> = (0..axes.len())
        .filter(|axis| Some(*axis) != along && axes[*axis].values.len() > 1)
        .collect();
    let Some(along) = along else {
        let all = 0..comparison.settings.len();
        let point = |setting| {
            point(comparison, result, setting, COLORS[0], comparison.settings[setting].label.clone())
        };
        // Settings without an order have no line: each is one by itself.
        return all.filter_map(point).map(|point| (String::new(), vec![point])).collect();
    };
    let order = Positions::of(&axes[along]).map_or_else(Vec::new, |positions| positions.order);
    let line = |(number, values): (usize, Vec<usize>)| {
        let color = COLORS.get(number).copied().unwrap_or(GREY);
        let points = order.iter().filter_map(|value| {
            let mut values = values.clone();
            values[along] = *value;
            let setting = layout::setting(axes, &values);
            let label = crate::experiment::shown(&axes[along].values[*value]);
            point(comparison, result, setting, color, label)
        });
        let name = super::curves::words_of(comparison, &others, &values);
        (name, points.collect())
    };
    layout::combinations(axes, &others).into_iter().enumerate().map(line).collect()
}

fn point(
    comparison: &Comparison,
    result: &MetricResult,
    setting: usize,
    color: Color,
    label: String,
) -> Option<Point> {
    let duplicates = comparison.settings[setting].mechanism.duplicates_per_crash()?;
    let mean = result.cells[setting].mean?;
    Some(Point { setting, label, color, at: (duplicates, mean) })
}

/// The runs that get a dot, with their setting.
fn clouds(comparison: &Comparison, result: &MetricResult, runs: &[usize]) -> Vec<(usize, Place)> {
    if comparison.replications() == 1 {
        return Vec::new();
    }
    let of_setting = |setting: usize| {
        let trusted = result.cells[setting].mean.is_some();
        let run = move |run: &usize| {
            let duplicates = comparison.settings[setting].duplicates_per_crash[*run]?;
            Some((setting, (duplicates, result.cells[setting].values[*run]?)))
        };
        runs.iter().filter(move |_| trusted).filter_map(run)
    };
    (0..comparison.settings.len()).flat_map(of_setting).collect()
}

fn marks(
    drawing: &mut Drawing,
    plot: &Plot,
    lines: &[(String, Vec<Point>)],
    clouds: &[(usize, Place)],
    result: &MetricResult,
) {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let mut labels = Labels::within(Area {
        left: plot.area.left + 2.0,
        right: plot.area.right - 2.0,
        ..plot.area
    });
    let place = |point: &Point| plot.at(point.at.0, point.at.1);
    for point in points() {
        let own = clouds.iter().filter(|(setting, _)| *setting == point.setting);
        for (_, (x, y)) in own {
            dot(drawing, plot.at(*x, *y), point.color);
            labels.avoid(plot.at(*x, *y), 3.0);
        }
    }
    for (_, points) in lines.iter().filter(|(_, points)| points.len() > 1) {
        let places: Vec<Place> = points.iter().map(place).collect();
        for pair in places.windows(2) {
            labels.avoid_line(pair[0], pair[1]);
        }
        drawing.path(places, 2.0, points[0].color);
    }
    for point in points() {
        mean_mark(drawing, place(point), point.color, false);
        labels.avoid(place(point), 6.0);
    }
    for (place, text, color) in named(plot, lines, &|one, other| is_better(result, one, other)) {
        let text = LABEL.shorten(&text, 260.0);
        labels.write(drawing, place, NAME.colored(color), &text);
    }
}

/// What is written beside which places: points of one line that nobody could tell apart share a
/// label, and of very many only the best have one.
fn named(
    plot: &Plot,
    lines: &[(String, Vec<Point>)],
    is_better: &dyn Fn(f64, f64) -> bool,
) -> Vec<(Place, String, Color)> {
    let all: Vec<&Point> = lines.iter().flat_map(|(_, points)| points).collect();
    let is_beaten = |point: &&Point| {
        all.iter().any(|other| other.at.0 <= point.at.0 && is_better(other.at.1, point.at.1))
    };
    let mut named: Vec<(Place, String, Color)> = Vec::new();
    for (_, points) in lines {
        let mut own: Vec<(Place, String, Color)> = Vec::new();
        for point in points {
            if all.len() > MOST_NAMES && is_beaten(&point) {
                continue;
            }
            let place = plot.at(point.at.0, point.at.1);
            let near = |(other, ..): &&mut (Place, String, Color)| {
                (other.0 - place.0).abs() < 7.0 && (other.1 - place.1).abs() < 7.0
            };
            match own.iter_mut().find(near) {
                Some((_, text, _)) => *text += &format!(", {}", point.label),
                None => own.push((place, point.label.clone(), point.color)),
            }
        }
        named.extend(own);
    }
    named
}

fn legend(
    comparison: &Comparison,
    lines: &[(String, Vec<Point>)],
) -> Vec<(Sample<'static>, String)> {
    let mut entries: Vec<(Sample<'static>, String)> = Vec::new();
    let with_names = lines.iter().filter(|(name, points)| !name.is_empty() && !points.is_empty());
    for (name, points) in with_names.take(COLORS.len()) {
        let color = points[0].color;
        let sample: Sample<'static> = Box::new(move |drawing, (x, y)| {
            drawing.line((x - 13.0, y), (x + 13.0, y), 2.0, color);
            mean_mark(drawing, (x, y), color, false);
        });
        entries.push((sample, name.clone()));
    }
    if comparison.replications() > 1 {
        let one: Sample<'static> = Box::new(|drawing, place| dot(drawing, place, INK));
        entries.push((one, "one run".to_owned()));
    }
    entries
}

fn told(comparison: &Comparison, result: &MetricResult, lines: &[(String, Vec<Point>)]) -> Words {
    let metric = &result.metric;
    let what = format!("{} against duplicates", metric.title);
    let points = || lines.iter().flat_map(|(_, points)| points);
    let label = |point: &Point| comparison.settings[point.setting].label.clone();
    let number = |point: &Point| crate::experiment::output::number_with_unit(result, point.setting);
    let is_slower = |point: &&Point| {
        let against = result.cells[point.setting].against_best;
        against.is_some_and(|difference| difference.verdict == Verdict::Worse && difference.matters)
    };
    let fewest = |one: &Point, other: &Point| one.at.0.total_cmp(&other.at.0);
    let fast = points().filter(|point| !is_slower(point)).min_by(|one, other| fewest(one, other));
    let by_speed = |one: &Point, other: &Point| match is_better(result, one.at.1, other.at.1) {
        true => std::cmp::Ordering::Less,
        false => std::cmp::Ordering::Greater,
    };
    let safe = points().min_by(|one, other| fewest(one, other).then(by_speed(one, other)));
    let costs = |point: &Point| {
        let duplicates = super::super::axis::significant(point.at.0);
        format!("{} ({}, {duplicates} duplicates a crash)", label(point), number(point))
    };
    let point = match (fast, safe) {
        (Some(fast), Some(safe)) if fast.at.0 <= safe.at.0 => {
            format!("Nothing is better in either: {}.", costs(fast))
        }
        (Some(fast), Some(safe)) => {
            let title = &metric.title;
            format!("Best {title}: {}; fewest duplicates: {}.", costs(fast), costs(safe))
        }
        _ => String::new(),
    };
    let mut notes = words::notes(comparison);
    let mut missing = words::untrusted(comparison, result);
    if result.cells.iter().any(|cell| cell.word == Some(Word::Unstable)) {
        missing.push("They are left out.".to_owned());
    }
    notes.splice(1..1, missing);
    Words {
        title: words::title(comparison, &what),
        point,
        note: words::fitting(notes),
    }
}
