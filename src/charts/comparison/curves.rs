//! A metric over a number: for each line its means with their intervals as a band, a dot for each
//! run, a ring around the best. Of more than two varied settings, panels.

use std::ops::Range;

use super::super::axis::{Axis, Tick};
use super::super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::super::font::Align;
use super::super::page::{
    self, EndLabel, LABEL, MARGIN, NAME, NOTE, Plot, SMALL, columns, end_labels, header, swatch,
};
use super::super::palette::{Color, GREY, GRID, INK, PALE, RULE, tint};
use super::labels::Labels;
use super::layout::{self, Curves};
use super::position::Positions;
use super::scale::{Scale, values};
use super::{COLORS, aside, best_entry, dot, dotted, legend, mean_mark, winners, words};
use crate::experiment::statistics::Better;
use crate::experiment::{Cell, Comparison, MetricResult, Word};

/// Panels of one picture.
const MOST_PANELS: usize = 12;
const LEFT: f64 = 110.0;
const RIGHT: f64 = PAGE_WIDTH - MARGIN - 12.0;
/// Most room for the names of lines.
const NAMES: f64 = 300.0;
const HEIGHT: f64 = 400.0;
const PANEL_HEIGHT: f64 = 210.0;
/// From one line to the next.
const BESIDE: f64 = 8.0;
/// A row of words over a plot.
const STRIP: f64 = 21.0;

/// A setting on a line.
struct Point<'a> {
    x: f64,
    label: &'a str,
    cell: &'a Cell,
    is_best: bool,
}

struct Line<'a> {
    name: String,
    color: Color,
    /// Points of the page by which it stands beside the others: lines that coincide stay visible.
    beside: f64,
    /// From left to right.
    points: Vec<Point<'a>>,
}

struct Panel<'a> {
    title: String,
    lines: Vec<Line<'a>>,
}

struct Picture<'a> {
    comparison: &'a Comparison,
    result: &'a MetricResult,
    curves: &'a Curves,
    positions: Positions,
    scale: Option<Scale>,
    runs: Vec<usize>,
}

/// Draws it.
pub fn draw(comparison: &Comparison, result: &MetricResult, curves: &Curves) -> Drawing {
    let runs = dotted(comparison);
    let rows = if curves.panels.is_empty() { 5 } else { 4 };
    let picture = Picture {
        comparison,
        result,
        curves,
        positions: Positions::of(&comparison.axes[curves.x])
            .unwrap_or_else(|| unreachable!("x is numeric")),
        scale: Scale::of(&result.metric, &values(result.cells.iter(), &runs), rows),
        runs,
    };
    picture.draw()
}

impl Picture<'_> {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::default();
        let (panels, left_out) = self.panels();
        let by = self.by();
        let top = header(
            &mut drawing,
            &words::metric(self.comparison, self.result, &by, &left_out, true),
        );
        let bottom = if self.curves.panels.is_empty() {
            self.single(&mut drawing, &panels[0], top)
        } else {
            self.multiple(&mut drawing, &panels, top)
        };
        let mut entries = match self.scale {
            Some(_) => legend(
                self.comparison,
                COLORS[0],
                self.comparison.replications() > 1,
            ),
            None => Vec::new(),
        };
        let won = winners(self.comparison, self.result);
        if !won.is_empty() {
            entries.push(best_entry(COLORS[0]));
        }
        if self.curves.lines.is_none() && self.result.cells.iter().any(|cell| cell.word.is_some()) {
            entries.push((swatch(PALE), "no number that could be trusted".to_owned()));
        }
        drawing.height = page::legend(&mut drawing, entries, bottom + 8.0) + MARGIN / 2.0;
        drawing
    }

    /// What is varied.
    fn by(&self) -> Vec<String> {
        let axes = [Some(self.curves.x), self.curves.lines];
        let all = axes
            .into_iter()
            .flatten()
            .chain(self.curves.panels.iter().copied());
        all.map(|axis| self.comparison.axes[axis].title()).collect()
    }

    /// The panels to be shown; of too many those with the best means. And a sentence about the
    /// others.
    fn panels(&self) -> (Vec<Panel<'_>>, String) {
        let axes = &self.comparison.axes;
        let mut combinations = layout::combinations(axes, &self.curves.panels);
        let all = combinations.len();
        if all > MOST_PANELS {
            let best = |values: &Vec<usize>| self.best_mean(values);
            let mut order: Vec<usize> = (0..all).collect();
            order.sort_by(|a, b| {
                best(&combinations[*a])
                    .total_cmp(&best(&combinations[*b]))
                    .then(a.cmp(b))
            });
            order.truncate(MOST_PANELS);
            order.sort_unstable();
            combinations = order
                .into_iter()
                .map(|index| combinations[index].clone())
                .collect();
        }
        let left_out = match all > MOST_PANELS {
            true => format!("The {MOST_PANELS} best of {all} panels; compare.csv has all."),
            false => String::new(),
        };
        let won = winners(self.comparison, self.result);
        let panel = |values: &Vec<usize>| Panel {
            title: words_of(self.comparison, &self.curves.panels, values),
            lines: self.lines(values, &won),
        };
        (combinations.iter().map(panel).collect(), left_out)
    }

    /// What panels are ordered by: the less the better.
    fn best_mean(&self, values: &[usize]) -> f64 {
        let lines = self.lines(values, &[]);
        let means = lines
            .iter()
            .flat_map(|line| &line.points)
            .filter_map(|point| point.cell.mean);
        match self.result.metric.better {
            Better::Lower => means.fold(f64::INFINITY, f64::min),
            Better::Higher => -means.fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn lines(&self, panel: &[usize], won: &[usize]) -> Vec<Line<'_>> {
        let axes = &self.comparison.axes;
        let of_axis: Vec<usize> = self.curves.lines.into_iter().collect();
        let within = layout::combinations(axes, &of_axis);
        let line = |(number, values): (usize, &Vec<usize>)| {
            let point = |value: &usize| {
                let mut at = panel.to_vec();
                if let Some(axis) = self.curves.lines {
                    at[axis] = values[axis];
                }
                at[self.curves.x] = *value;
                let setting = layout::setting(axes, &at);
                Point {
                    x: self.positions.shares[*value],
                    label: &self.positions.labels[*value],
                    cell: &self.result.cells[setting],
                    is_best: won.contains(&setting),
                }
            };
            Line {
                name: words_of(self.comparison, &of_axis, values),
                color: COLORS[number % COLORS.len()],
                beside: BESIDE * (number as f64 - (within.len() - 1) as f64 / 2.0),
                points: self.positions.order.iter().map(point).collect(),
            }
        };
        within.iter().enumerate().map(line).collect()
    }

    fn single(&self, drawing: &mut Drawing, panel: &Panel<'_>, top: f64) -> f64 {
        let has_names = panel.lines.len() > 1;
        let names = panel.lines.iter().map(|line| NAME.width(&line.name));
        let right = match has_names {
            true => PAGE_WIDTH - 42.0 - names.fold(60.0, f64::max).min(NAMES),
            false => RIGHT,
        };
        let strips = strips(panel);
        let top = top + 26.0;
        let height = if self.scale.is_some() { HEIGHT } else { 4.0 };
        let area = Area::new(LEFT, top, right, top + height);
        let area = Area {
            top: area.top + strips.len() as f64 * STRIP,
            bottom: area.bottom + strips.len() as f64 * STRIP,
            ..area
        };
        self.grid(drawing, panel, area, &strips, true);
        let axis = identity(area);
        let bottom = columns(drawing, area, axis, &self.columns(area), &self.x_caption());
        self.marks(drawing, panel, area);
        if has_names {
            let ends = panel.lines.iter().filter_map(|line| self.end(line, area));
            end_labels(drawing, area, &ends.collect::<Vec<_>>());
        }
        bottom
    }

    fn multiple(&self, drawing: &mut Drawing, panels: &[Panel<'_>], top: f64) -> f64 {
        let wide = if panels.len() > 4 { 3 } else { 2 };
        let gap = 26.0;
        let width = (RIGHT - LEFT + gap) / wide as f64 - gap;
        let mut top = top;
        if panels[0].lines.len() > 1 {
            let entry = |line: &Line<'_>| (swatch(line.color), line.name.clone());
            top = page::legend(
                drawing,
                panels[0].lines.iter().map(entry).collect(),
                top - 6.0,
            ) + 4.0;
        }
        drawing.text((MARGIN, top + 14.0), Align::Left, NOTE, self.y_caption());
        top += 16.0;
        for row in panels.chunks(wide) {
            let most = row
                .iter()
                .map(|panel| strips(panel).len())
                .max()
                .unwrap_or(0);
            top += 32.0;
            for (column, panel) in row.iter().enumerate() {
                let left = LEFT + column as f64 * (width + gap);
                let title = NAME.shorten(&panel.title, width);
                drawing.text((left, top - 6.0), Align::Left, NAME, title);
                let inner = top + most as f64 * STRIP + 4.0;
                let area = Area::new(left, inner, left + width, inner + PANEL_HEIGHT);
                self.grid(drawing, panel, area, &strips(panel), column == 0);
                columns(drawing, area, identity(area), &self.columns(area), "");
                self.marks(drawing, panel, area);
            }
            top += most as f64 * STRIP + 4.0 + PANEL_HEIGHT + 34.0;
        }
        drawing.text((RIGHT, top + 12.0), Align::Right, NOTE, self.x_caption());
        top + 18.0
    }

    fn y_caption(&self) -> String {
        let caption = self.scale.as_ref().map(|scale| scale.caption.clone());
        caption.unwrap_or_else(|| self.result.metric.title.clone())
    }

    fn x_caption(&self) -> String {
        let axis = &self.comparison.axes[self.curves.x];
        let spacing = if self.positions.logarithmic {
            ", logarithmic"
        } else {
            ""
        };
        format!(
            "{} ({}{spacing})",
            axis.title(),
            words::brief_path(&axis.path)
        )
    }

    /// Room beside the outermost values, for their dots.
    fn place(&self, area: Area, share: f64) -> f64 {
        let edge = 0.04 * area.width();
        area.left + edge + share * (area.width() - 2.0 * edge)
    }

    fn columns(&self, area: Area) -> Vec<Tick> {
        let order = self.positions.order.iter();
        let tick = |value: &usize| Tick {
            at: self.place(area, self.positions.shares[*value]),
            label: LABEL.shorten(&self.positions.labels[*value], 120.0),
        };
        order.map(tick).collect()
    }

    /// The halves of the gaps to the neighbours of each value.
    fn slots(&self, area: Area, points: &[Point<'_>]) -> Vec<Range<f64>> {
        let x = |index: usize| self.place(area, points[index].x);
        let between = |index: usize| (x(index) + x(index + 1)) / 2.0;
        let slot = |index: usize| {
            let left = if index == 0 {
                area.left
            } else {
                between(index - 1)
            };
            let right = if index + 1 == points.len() {
                area.right
            } else {
                between(index)
            };
            left..right
        };
        (0..points.len()).map(slot).collect()
    }

    /// What lies below the marks: words, and lines at round values.
    fn grid(
        &self,
        drawing: &mut Drawing,
        panel: &Panel<'_>,
        area: Area,
        strips: &[usize],
        with_numbers: bool,
    ) {
        for (row, number) in strips.iter().enumerate() {
            let bottom = area.top - 2.0 - (strips.len() - 1 - row) as f64 * STRIP;
            let line = &panel.lines[*number];
            let strip = Area {
                top: bottom - STRIP + 3.0,
                bottom,
                ..area
            };
            self.strip(drawing, line, strip, panel.lines.len() > 1);
            if panel.lines.len() == 1 && self.scale.is_some() {
                self.blank(drawing, line, area);
            }
        }
        if let Some(scale) = &self.scale {
            let above = strips.len() as f64 * STRIP;
            self.rows(drawing, scale, &plot_of(scale, area), with_numbers, above);
        }
    }

    fn marks(&self, drawing: &mut Drawing, panel: &Panel<'_>, area: Area) {
        let Some(scale) = &self.scale else {
            return;
        };
        let plot = plot_of(scale, area);
        for line in &panel.lines {
            self.bands(drawing, line, &plot);
        }
        for line in &panel.lines {
            self.dots(drawing, line, &plot);
        }
        for line in &panel.lines {
            self.means(drawing, line, &plot);
        }
        if self.curves.panels.is_empty() && self.comparison.groups.len() == 1 {
            self.best_label(drawing, panel, &plot);
        }
    }

    fn rows(
        &self,
        drawing: &mut Drawing,
        scale: &Scale,
        plot: &Plot,
        with_numbers: bool,
        above: f64,
    ) {
        if !self.curves.panels.is_empty() {
            for tick in scale.ticks.iter().filter(|tick| plot.y.holds(tick.at)) {
                let y = plot.y.map(tick.at);
                drawing.line((plot.area.left, y), (plot.area.right, y), 1.0, GRID);
                if with_numbers {
                    let place = (plot.area.left - 10.0, y + LABEL.em * 0.36);
                    drawing.text(place, Align::Right, LABEL.colored(GREY), &tick.label);
                }
            }
            return;
        }
        plot.rows(drawing, &scale.ticks, "");
        let place = (MARGIN, plot.area.top - above - 16.0);
        drawing.text(place, Align::Left, NOTE, &scale.caption);
    }

    /// Where a line has words instead of numbers, the page is pale.
    fn blank(&self, drawing: &mut Drawing, line: &Line<'_>, area: Area) {
        for (slots, _) in self.runs_of_words(line, area) {
            drawing.rectangle(
                Area {
                    left: slots.start,
                    right: slots.end,
                    ..area
                },
                tint(RULE, 0.14),
            );
        }
    }

    /// Neighbours with the same word.
    fn runs_of_words(&self, line: &Line<'_>, area: Area) -> Vec<(Range<f64>, Word)> {
        let slots = self.slots(area, &line.points);
        let mut runs: Vec<(Range<f64>, Word)> = Vec::new();
        for (slot, point) in slots.into_iter().zip(&line.points) {
            let Some(word) = point.cell.word else {
                continue;
            };
            match runs.last_mut() {
                Some((run, last)) if *last == word && run.end == slot.start => run.end = slot.end,
                _ => runs.push((slot, word)),
            }
        }
        runs
    }

    fn strip(&self, drawing: &mut Drawing, line: &Line<'_>, strip: Area, with_name: bool) {
        let mut free = strip.left;
        let (fill, ink) = if with_name {
            (tint(line.color, 0.22), INK)
        } else {
            (PALE, GREY)
        };
        for (slots, word) in self.runs_of_words(line, strip) {
            let area = Area {
                left: slots.start + 1.0,
                right: slots.end - 1.0,
                ..strip
            };
            drawing.rectangle(area, fill);
            let full = format!("{}: {}", line.name, word.text());
            let is_wide = with_name && SMALL.width(&full) < area.width();
            let text = if is_wide { full.as_str() } else { word.text() };
            let width = SMALL.width(text);
            let left = ((area.left + area.right - width) / 2.0)
                .min(strip.right - width)
                .max(free);
            if left + width <= strip.right && left < area.right {
                let place = (left, area.bottom - 5.0);
                drawing.text(place, Align::Left, SMALL.colored(ink), text);
                free = left + width + 6.0;
            }
        }
    }

    /// Stretches of neighbours with numbers.
    fn stretches<'a>(&self, line: &'a Line<'a>) -> Vec<&'a [Point<'a>]> {
        let trusted = line.points.split(|point| point.cell.mean.is_none());
        let mut stretches: Vec<&[Point<'_>]> = Vec::new();
        for stretch in trusted.filter(|stretch| !stretch.is_empty()) {
            match stretch {
                // No line leads from 0 to a logarithmic axis.
                [zero, rest @ ..] if self.positions.zero_beside && zero.x == 0.0 => {
                    stretches.push(std::slice::from_ref(zero));
                    stretches.push(rest);
                }
                _ => stretches.push(stretch),
            }
        }
        stretches
    }

    fn bands(&self, drawing: &mut Drawing, line: &Line<'_>, plot: &Plot) {
        for stretch in self.stretches(line) {
            let ends = |point: &Point<'_>| {
                let interval = point.cell.interval?;
                let x = self.place(plot.area, point.x) + line.beside;
                Some((plot.at(x, interval.high), plot.at(x, interval.low)))
            };
            let ends: Vec<(Place, Place)> = stretch.iter().filter_map(ends).collect();
            let high = ends.iter().map(|(high, _)| *high);
            let low = ends.iter().rev().map(|(_, low)| *low);
            let corners: Vec<Place> = high.chain(low).collect();
            if corners.len() > 2 {
                drawing.polygon(corners, tint(line.color, 0.25));
            }
        }
    }

    fn dots(&self, drawing: &mut Drawing, line: &Line<'_>, plot: &Plot) {
        let slots = self.slots(plot.area, &line.points);
        let most = if line.beside == 0.0 {
            11.0
        } else {
            BESIDE - 2.0
        };
        for (point, slot) in line.points.iter().zip(slots) {
            if point.cell.mean.is_none() || self.comparison.replications() == 1 {
                continue;
            }
            let middle = self.place(plot.area, point.x);
            let room = (slot.end - middle).min(middle - slot.start) * 0.8;
            for run in &self.runs {
                if let Some(value) = point.cell.values[*run] {
                    let x = middle + line.beside + room.clamp(0.0, most) * aside(*run);
                    dot(drawing, plot.at(x, value), line.color);
                }
            }
        }
    }

    fn means(&self, drawing: &mut Drawing, line: &Line<'_>, plot: &Plot) {
        let place = |point: &Point<'_>| {
            let mean = point.cell.mean?;
            Some(plot.at(self.place(plot.area, point.x) + line.beside, mean))
        };
        for stretch in self.stretches(line) {
            drawing.path(stretch.iter().filter_map(place).collect(), 2.5, line.color);
        }
        for point in &line.points {
            if let (Some((x, y)), Some(interval)) = (place(point), point.cell.interval) {
                let (high, low) = (plot.y.map(interval.high), plot.y.map(interval.low));
                drawing.line((x, high), (x, low), 2.0, line.color);
                for end in [high, low] {
                    if (end - y).abs() > 8.0 {
                        drawing.line((x - 5.0, end), (x + 5.0, end), 2.0, line.color);
                    }
                }
            }
        }
        for point in &line.points {
            if let Some(place) = place(point) {
                mean_mark(drawing, place, line.color, point.is_best);
            }
        }
    }

    fn end(&self, line: &Line<'_>, area: Area) -> Option<EndLabel> {
        let scale = self.scale.as_ref()?;
        let last = line.points.iter().rev().find_map(|point| point.cell.mean)?;
        Some(EndLabel {
            y: scale.axis(area.bottom, area.top).map(last),
            lines: vec![line.name.clone()],
            color: line.color,
        })
    }

    /// Names the best setting beside its mark.
    fn best_label(&self, drawing: &mut Drawing, panel: &Panel<'_>, plot: &Plot) {
        let area = plot.area;
        let mut labels = Labels::within(Area {
            left: area.left + 4.0,
            right: area.right - 4.0,
            ..area
        });
        let mut best = Vec::new();
        for line in &panel.lines {
            let mut before: Option<Place> = None;
            for point in &line.points {
                let Some(mean) = point.cell.mean else {
                    continue;
                };
                let place = plot.at(self.place(area, point.x) + line.beside, mean);
                labels.avoid(place, 11.0);
                if let Some(before) = before {
                    labels.avoid_line(before, place);
                }
                before = Some(place);
                for run in &self.runs {
                    if let Some(value) = point.cell.values[*run] {
                        labels.avoid(plot.at(place.0, value), 11.0);
                    }
                }
                if point.is_best {
                    best.push((place, point.label));
                }
            }
        }
        if let [(place, label)] = best[..] {
            let text = format!("best: {}", NAME.shorten(label, 160.0));
            labels.write(drawing, place, NAME, &text);
        }
    }
}

fn plot_of(scale: &Scale, area: Area) -> Plot {
    Plot::new(area, identity(area), scale.axis(0.0, 1.0))
}

/// Places of the page as values of themselves.
fn identity(area: Area) -> Axis {
    Axis::linear((area.left, area.right), (area.left, area.right))
}

/// The lines with words, by number.
fn strips(panel: &Panel<'_>) -> Vec<usize> {
    let has_word = |number: &usize| {
        panel.lines[*number]
            .points
            .iter()
            .any(|point| point.cell.word.is_some())
    };
    (0..panel.lines.len()).filter(has_word).collect()
}

/// `latency 1ms, optimizeAcknowledge true`
pub fn words_of(comparison: &Comparison, axes: &[usize], values: &[usize]) -> String {
    let part = |axis: &usize| {
        let of_axis = &comparison.axes[*axis];
        of_axis.with(&of_axis.values[values[*axis]])
    };
    axes.iter().map(part).collect::<Vec<_>>().join(", ")
}
