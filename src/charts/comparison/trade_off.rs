//! What performance costs in duplicates: for each setting its latency or throughput against the
//! messages that a crash makes be done twice.

use super::super::axis::{Axis, duration, significant, spanning};
use super::super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::super::font::Align;
use super::super::page::{self, LABEL, MARGIN, NAME, Plot, Sample, Words, header};
use super::super::palette::{Color, GREY, INK};
use super::curves::words_of;
use super::labels::Labels;
use super::layout;
use super::position::Positions;
use super::scale::{Scale, values};
use super::{COLORS, dot, dotted, mean_mark, words};
use crate::experiment::statistics::{Better, Verdict};
use crate::experiment::{Comparison, Group, MetricResult, shown};

/// Beyond these, only settings that no other one beats in both have their names beside them.
const MOST_NAMES: usize = 24;

struct Point {
    setting: usize,
    label: String,
    color: Color,
    /// Duplicates per crash, and the metric.
    at: (f64, f64),
}

/// Groups of settings of one picture.
const MOST_PANELS: usize = 6;

/// Settings along one line, with what they have in common.
struct Line {
    name: String,
    points: Vec<Point>,
}

/// Draws it, if settings crash, differ in duplicates, and are compared by how fast they are.
/// Settings with other circumstances have a panel of their own.
pub fn draw(comparison: &Comparison) -> Option<Drawing> {
    let result = comparison.metrics.iter().find(|result| is_speed(result))?;
    let groups = comparison.groups.iter();
    let panels: Vec<(&Group, Vec<Line>)> = groups
        .map(|group| (group, lines(comparison, result, group)))
        .filter(|(_, lines)| lines.iter().map(|line| line.points.len()).sum::<usize>() > 1)
        .collect();
    let duplicates = panels
        .iter()
        .flat_map(|(_, lines)| all(lines))
        .map(|point| point.at.0);
    let most = duplicates.fold(0.0, f64::max);
    if most == 0.0 {
        return None;
    }
    let mut drawing = Drawing::default();
    let mut top = header(&mut drawing, &told(comparison, result, &panels));
    let height = if comparison.groups.len() > 1 {
        240.0
    } else {
        430.0
    };
    for (group, lines) in panels.iter().take(MOST_PANELS) {
        if !group.label.is_empty() {
            let label = NAME.shorten(&group.label, PAGE_WIDTH - 2.0 * MARGIN);
            drawing.text((MARGIN, top + 16.0), Align::Left, NAME, label);
            top += 22.0;
        }
        let area = Area::new(116.0, top + 30.0, RIGHT, top + 30.0 + height);
        top = panel(&mut drawing, comparison, result, lines, area)?;
    }
    let lines = &panels.first()?.1;
    drawing.height = page::legend(&mut drawing, legend(comparison, lines), top) + MARGIN / 2.0;
    Some(drawing)
}

const RIGHT: f64 = PAGE_WIDTH - MARGIN - 16.0;

fn all(lines: &[Line]) -> impl Iterator<Item = &Point> {
    lines.iter().flat_map(|line| &line.points)
}

/// One group; returns what lies below.
fn panel(
    drawing: &mut Drawing,
    comparison: &Comparison,
    result: &MetricResult,
    lines: &[Line],
    area: Area,
) -> Option<f64> {
    let runs = dotted(comparison);
    let clouds = clouds(comparison, result, lines, &runs);
    let cells = all(lines).map(|point| &result.cells[point.setting]);
    let scale = Scale::of(&result.metric, &values(cells, &runs), 5)?;
    let means = all(lines).map(|point| point.at.0);
    let most = means
        .chain(clouds.iter().map(|(_, (x, _))| *x))
        .fold(0.0, f64::max);
    let ticks = spanning(0.0, most, 6);
    let x = Axis::linear((0.0, 1.05 * most), (area.left + 16.0, area.right - 16.0));
    let mut plot = Plot::new(area, x, scale.axis(0.0, 1.0));
    plot.x = x;
    plot.uprights(drawing, &ticks);
    plot.rows(drawing, &scale.ticks, &scale.caption);
    let bottom = plot.columns(
        drawing,
        &ticks,
        "messages done twice for each crash; fewer are better",
    );
    marks(drawing, &plot, lines, &clouds, result);
    Some(bottom + 4.0)
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

/// Settings of a group with numbers, joined in the order of the number that is chosen.
fn lines(comparison: &Comparison, result: &MetricResult, group: &Group) -> Vec<Line> {
    let axes = &comparison.axes;
    let Some((along, order)) = along(comparison) else {
        let point = |setting: &usize| {
            let label = chosen(comparison, *setting);
            let point = point(comparison, result, *setting, COLORS[0], label)?;
            // Settings without an order have no line: each is one by itself.
            Some(Line {
                name: String::new(),
                points: vec![point],
            })
        };
        return group.settings.iter().filter_map(point).collect();
    };
    let is_other = |axis: &usize| *axis != along && axes[*axis].values.len() > 1;
    let others: Vec<usize> = (0..axes.len()).filter(is_other).collect();
    let named: Vec<usize> = comparison
        .choices
        .iter()
        .copied()
        .filter(is_other)
        .collect();
    let of_group = layout::combinations(axes, &others)
        .into_iter()
        .filter(|values| group.settings.contains(&layout::setting(axes, values)));
    let line = |(number, values): (usize, Vec<usize>)| {
        let color = COLORS.get(number).copied().unwrap_or(GREY);
        let points = order.iter().filter_map(|value| {
            let mut values = values.clone();
            values[along] = *value;
            let label = shown(&axes[along].values[*value]);
            point(
                comparison,
                result,
                layout::setting(axes, &values),
                color,
                label,
            )
        });
        Line {
            name: words_of(comparison, &named, &values),
            points: points.collect(),
        }
    };
    of_group.enumerate().map(line).collect()
}

/// The number that is chosen among most values, and these in their order.
fn along(comparison: &Comparison) -> Option<(usize, Vec<usize>)> {
    let axes = &comparison.axes;
    let choices = comparison.choices.iter().copied();
    let varied = choices.filter(|axis| axes[*axis].values.len() > 1);
    let numeric = varied.filter_map(|axis| Some((axis, Positions::of(&axes[axis])?.order)));
    numeric.reduce(|most, other| {
        if other.1.len() > most.1.len() {
            other
        } else {
            most
        }
    })
}

/// What is chosen in a setting, of what is varied.
fn chosen(comparison: &Comparison, setting: usize) -> String {
    let values = &comparison.settings[setting].values;
    let varied = comparison
        .choices
        .iter()
        .filter(|axis| comparison.axes[**axis].values.len() > 1);
    let parts = varied.map(|axis| comparison.axes[*axis].with(&values[*axis]));
    parts.collect::<Vec<_>>().join(", ")
}

fn point(
    comparison: &Comparison,
    result: &MetricResult,
    setting: usize,
    color: Color,
    label: String,
) -> Option<Point> {
    let duplicates = comparison.settings[setting]
        .mechanism
        .duplicates_per_crash()?;
    let mean = result.cells[setting].mean?;
    Some(Point {
        setting,
        label,
        color,
        at: (duplicates, mean),
    })
}

/// The runs that get a dot, with their colour.
fn clouds(
    comparison: &Comparison,
    result: &MetricResult,
    lines: &[Line],
    runs: &[usize],
) -> Vec<(Color, Place)> {
    if comparison.replications() == 1 {
        return Vec::new();
    }
    let of_point = |point: &Point| {
        let (setting, color) = (point.setting, point.color);
        let run = move |run: &usize| {
            let duplicates = comparison.settings[setting].duplicates_per_crash[*run]?;
            Some((color, (duplicates, result.cells[setting].values[*run]?)))
        };
        runs.iter().filter_map(run).collect::<Vec<_>>()
    };
    all(lines).flat_map(of_point).collect()
}

fn marks(
    drawing: &mut Drawing,
    plot: &Plot,
    lines: &[Line],
    clouds: &[(Color, Place)],
    result: &MetricResult,
) {
    let mut labels = Labels::within(Area {
        left: plot.area.left + 2.0,
        right: plot.area.right - 2.0,
        ..plot.area
    });
    let place = |point: &Point| plot.at(point.at.0, point.at.1);
    for (color, (x, y)) in clouds {
        dot(drawing, plot.at(*x, *y), *color);
        labels.avoid(plot.at(*x, *y), 3.0);
    }
    for line in lines.iter().filter(|line| line.points.len() > 1) {
        let places: Vec<Place> = line.points.iter().map(place).collect();
        for pair in places.windows(2) {
            labels.avoid_line(pair[0], pair[1]);
        }
        drawing.path(places, 2.0, line.points[0].color);
    }
    for point in all(lines) {
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
    lines: &[Line],
    is_better: &dyn Fn(f64, f64) -> bool,
) -> Vec<(Place, String, Color)> {
    let many = all(lines).count() > MOST_NAMES;
    let is_beaten = |point: &Point| {
        all(lines).any(|other| other.at.0 <= point.at.0 && is_better(other.at.1, point.at.1))
    };
    let mut named: Vec<(Place, String, Color)> = Vec::new();
    for line in lines {
        let mut own: Vec<(Place, String, Color)> = Vec::new();
        for point in &line.points {
            if many && is_beaten(point) {
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

fn legend(comparison: &Comparison, lines: &[Line]) -> Vec<(Sample<'static>, String)> {
    let mut entries: Vec<(Sample<'static>, String)> = Vec::new();
    let with_names = lines.iter().filter(|line| !line.name.is_empty());
    for (line, color) in with_names.zip(COLORS) {
        let sample: Sample<'static> = Box::new(move |drawing, (x, y)| {
            drawing.line((x - 13.0, y), (x + 13.0, y), 2.0, color);
            mean_mark(drawing, (x, y), color, false);
        });
        entries.push((sample, line.name.clone()));
    }
    if comparison.replications() > 1 {
        let one: Sample<'static> = Box::new(|drawing, place| dot(drawing, place, INK));
        entries.push((one, "one run".to_owned()));
    }
    entries
}

fn told(comparison: &Comparison, result: &MetricResult, panels: &[(&Group, Vec<Line>)]) -> Words {
    let what = format!("{} against duplicates", result.metric.title);
    let mut notes = words::notes(comparison);
    notes.extend(words::dots(comparison));
    if let Some((axis, _)) = along(comparison) {
        notes.insert(
            1,
            format!("Beside the points: {}.", comparison.axes[axis].title()),
        );
    }
    let mut missing = words::untrusted(comparison, result);
    if !missing.is_empty() {
        missing.push("They are left out.".to_owned());
    }
    if panels.len() > MOST_PANELS {
        let panels = panels.len();
        missing.push(format!(
            "The first {MOST_PANELS} of {panels} panels; compare.csv has all."
        ));
    }
    notes.splice(1..1, missing);
    Words {
        title: words::title(comparison, &what),
        point: match panels {
            [(_, lines)] => point_of(comparison, result, lines),
            _ => "What crashes cost, each panel under other circumstances.".to_owned(),
        },
        note: words::fitting(notes),
    }
}

/// What speed costs, or that it costs nothing.
fn point_of(comparison: &Comparison, result: &MetricResult, lines: &[Line]) -> String {
    let is_slower = |point: &&Point| {
        let against = result.cells[point.setting].against_best;
        against.is_some_and(|difference| difference.verdict == Verdict::Worse && difference.matters)
    };
    let fewest = |one: &Point, other: &Point| one.at.0.total_cmp(&other.at.0);
    let by_speed = |one: &Point, other: &Point| match result.metric.better {
        Better::Lower => one.at.1.total_cmp(&other.at.1),
        Better::Higher => other.at.1.total_cmp(&one.at.1),
    };
    let order = |one: &&Point, other: &&Point| fewest(one, other).then(by_speed(one, other));
    let fast = all(lines).filter(|point| !is_slower(point)).min_by(order);
    let Some((fast, safe)) = fast.zip(all(lines).min_by(order)) else {
        return String::new();
    };
    let costs = |point: &Point| {
        let speed = match result.metric.unit {
            "ms" if point.at.1 > 0.0 => duration(1e6 * point.at.1),
            "/s" => format!("{} per second", significant(point.at.1)),
            _ => significant(point.at.1),
        };
        let chosen = chosen(comparison, point.setting);
        format!(
            "{chosen} ({speed}, {} duplicates a crash)",
            significant(point.at.0)
        )
    };
    let title = &result.metric.title;
    if fast.at.0 <= safe.at.0 {
        let fast = costs(fast);
        return format!(
            "No other is shown to have a better {title}, or has fewer duplicates: {fast}."
        );
    }
    let (fast, safe) = (costs(fast), costs(safe));
    format!("Best {title}: {fast}. Fewest duplicates: {safe}.")
}
