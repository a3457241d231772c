//! A metric over two long axes: a cell for each pair of values, the darker the larger.

use super::super::axis::{Axis, Tick, duration, significant};
use super::super::drawing::{Area, Drawing, PAGE_WIDTH, Type};
use super::super::font::Align;
use super::super::page::{LABEL, MARGIN, NAME, NOTE, SMALL, columns, header};
use super::super::palette::{BLUE, Color, GREY, INK, PALE, WHITE, tint};
use super::curves::words_of;
use super::layout::{self, Map};
use super::position::Positions;
use super::{winners, words};
use crate::experiment::statistics::Better;
use crate::experiment::{Cell, Comparison, MetricResult, Word, shown};

/// Panels of one picture, and the height of their cells together.
const MOST_PANELS: usize = 6;
const CELLS: f64 = 560.0;

struct Picture<'a> {
    comparison: &'a Comparison,
    result: &'a MetricResult,
    map: &'a Map,
    /// From the smallest to the largest mean.
    range: Option<(f64, f64)>,
    won: Vec<usize>,
}

/// Draws it.
pub fn draw(comparison: &Comparison, result: &MetricResult, map: &Map) -> Drawing {
    let means = || result.cells.iter().filter_map(|cell| cell.mean);
    let range = means().reduce(f64::min).zip(means().reduce(f64::max));
    let won = winners(comparison, result);
    Picture {
        comparison,
        result,
        map,
        range,
        won,
    }
    .draw()
}

impl Picture<'_> {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::default();
        let axes = &self.comparison.axes;
        let panels = layout::combinations(axes, &self.map.panels);
        let left_out = match panels.len() > MOST_PANELS {
            true => format!(
                "The first {MOST_PANELS} of {} panels; compare.csv has all.",
                panels.len()
            ),
            false => String::new(),
        };
        let titles = [self.map.x, self.map.y].map(|axis| axes[axis].title());
        let words = words::metric(self.comparison, self.result, &titles, &left_out, false);
        let mut top = header(&mut drawing, &words);
        let count = panels.len().min(MOST_PANELS) as f64;
        let rows = self.order(self.map.y).len() as f64;
        // High enough for numbers, if the page does not become endless.
        let least = if rows * count <= 100.0 {
            20.0
        } else {
            4.0 / count
        };
        let height = (CELLS / count / rows).clamp(least, 34.0);
        top = self.key(&mut drawing, top + 4.0);
        for panel in panels.iter().take(MOST_PANELS) {
            let title = words_of(self.comparison, &self.map.panels, panel);
            if !title.is_empty() {
                drawing.text(
                    (MARGIN, top + 22.0),
                    Align::Left,
                    NAME,
                    NAME.shorten(&title, 900.0),
                );
                top += 28.0;
            }
            top = self.panel(&mut drawing, panel, top, height);
        }
        drawing.height = top + MARGIN / 2.0;
        drawing
    }

    /// The values of an axis in their order.
    fn order(&self, axis: usize) -> Vec<usize> {
        let axis = &self.comparison.axes[axis];
        Positions::of(axis).map_or_else(|| (0..axis.values.len()).collect(), |places| places.order)
    }

    fn panel(&self, drawing: &mut Drawing, panel: &[usize], top: f64, height: f64) -> f64 {
        let (columns_of, rows_of) = (self.order(self.map.x), self.order(self.map.y));
        let [x_axis, y_axis] = [self.map.x, self.map.y].map(|axis| &self.comparison.axes[axis]);
        let names: Vec<String> = rows_of
            .iter()
            .map(|row| shown(&y_axis.values[*row]))
            .collect();
        let widest = names
            .iter()
            .map(|name| LABEL.width(name))
            .fold(60.0, f64::max);
        let left = MARGIN + widest.min(220.0) + 12.0;
        let top = top + 28.0;
        let area = Area::new(
            left,
            top,
            PAGE_WIDTH - MARGIN,
            top + height * rows_of.len() as f64,
        );
        drawing.text((MARGIN, top - 10.0), Align::Left, NOTE, y_axis.title());
        let width = area.width() / columns_of.len() as f64;
        let mut free = f64::NEG_INFINITY;
        for (row, (value, name)) in rows_of.iter().zip(&names).enumerate() {
            let y = area.top + (row as f64 + 0.5) * height;
            if y - LABEL.em * 0.6 > free {
                let look = LABEL.colored(GREY);
                let name = look.shorten(name, left - MARGIN - 10.0);
                drawing.text((left - 8.0, y + LABEL.em * 0.36), Align::Right, look, name);
                free = y + LABEL.em * 0.6;
            }
            for (column, x_value) in columns_of.iter().enumerate() {
                let mut at = panel.to_vec();
                (at[self.map.x], at[self.map.y]) = (*x_value, *value);
                let x = area.left + column as f64 * width;
                let cell = Area::new(x, y - height / 2.0, x + width, y + height / 2.0);
                self.cell(drawing, layout::setting(&self.comparison.axes, &at), cell);
            }
        }
        let tick = |(column, value): (usize, &usize)| Tick {
            at: area.left + (column as f64 + 0.5) * width,
            label: LABEL.shorten(&shown(&x_axis.values[*value]), 140.0),
        };
        let ticks: Vec<Tick> = columns_of.iter().enumerate().map(tick).collect();
        let identity = Axis::linear((area.left, area.right), (area.left, area.right));
        // The caption stands below, wherever the plot begins.
        columns(drawing, area, identity, &ticks, "");
        let caption = format!("{} ({})", x_axis.title(), words::brief_path(&x_axis.path));
        drawing.text(
            (area.right, area.bottom + 47.0),
            Align::Right,
            NOTE,
            caption,
        );
        area.bottom + 58.0
    }

    fn cell(&self, drawing: &mut Drawing, setting: usize, area: Area) {
        let cell = &self.result.cells[setting];
        let gap = if area.width() > 12.0 && area.height() > 12.0 {
            1.0
        } else {
            0.0
        };
        let inner = Area::new(
            area.left + gap,
            area.top + gap,
            area.right - gap,
            area.bottom - gap,
        );
        let is_best = self.won.contains(&setting);
        if is_best {
            drawing.rectangle(area, INK);
            let frame = Area::new(
                area.left + 3.0,
                area.top + 3.0,
                area.right - 3.0,
                area.bottom - 3.0,
            );
            drawing.rectangle(frame, self.color(cell));
        } else {
            drawing.rectangle(inner, self.color(cell));
        }
        let text = self.text(cell);
        let look = Type {
            bold: is_best,
            ..SMALL
        };
        if look.width(&text) < area.width() - 8.0 && area.height() > 18.0 {
            let ink = if self.share(cell).is_some_and(|share| share > 0.8) {
                WHITE
            } else {
                INK
            };
            let ink = if cell.mean.is_none() { GREY } else { ink };
            let x = (area.left + area.right) / 2.0;
            let y = (area.top + area.bottom) / 2.0 + SMALL.em * 0.36;
            drawing.text((x, y), Align::Middle, look.colored(ink), text);
        } else if cell.mean.is_none() && area.width() > 12.0 && area.height() > 12.0 {
            cross(drawing, inner);
        }
    }

    fn text(&self, cell: &Cell) -> String {
        match cell.mean {
            Some(mean) => self.written(mean),
            None => cell.word.unwrap_or(Word::Insufficient).text().to_owned(),
        }
    }

    fn written(&self, value: f64) -> String {
        match self.result.metric.unit {
            "ms" if value > 0.0 => duration(1e6 * value),
            _ => significant(value),
        }
    }

    /// Where a mean lies between the smallest and the largest: by ratio if they are far apart.
    fn share(&self, cell: &Cell) -> Option<f64> {
        let ((low, high), mean) = self.range.zip(cell.mean)?;
        let axis = match low > 0.0 && high / low > 10.0 {
            true => Axis::logarithmic((low, high), (0.0, 1.0)),
            false if high > low => Axis::linear((low, high), (0.0, 1.0)),
            false => return Some(0.0),
        };
        Some(axis.map(mean))
    }

    fn color(&self, cell: &Cell) -> Color {
        self.share(cell).map_or(PALE, shade)
    }

    /// From pale to dark, with the ends of the range; and what else there is.
    fn key(&self, drawing: &mut Drawing, top: f64) -> f64 {
        let Some((low, high)) = self.range else {
            return top;
        };
        let (low, high) = (self.written(low), self.written(high));
        let lower = self.result.metric.better == Better::Lower;
        let (least, most) = if lower {
            (" (good)", "")
        } else {
            ("", " (good)")
        };
        let (low, high) = (format!("{low}{least}"), format!("{high}{most}"));
        let baseline = top + 14.0;
        drawing.text((MARGIN, baseline), Align::Left, SMALL, &low);
        let start = MARGIN + SMALL.width(&low) + 10.0;
        for step in 0..20 {
            let left = start + 10.0 * f64::from(step);
            let area = Area::new(left, top + 1.0, left + 10.0, top + 17.0);
            drawing.rectangle(area, shade(f64::from(step) / 19.0));
        }
        drawing.text((start + 210.0, baseline), Align::Left, SMALL, &high);
        let mut x = start + 210.0 + SMALL.width(&high) + 30.0;
        if !self.won.is_empty() {
            drawing.rectangle(Area::new(x, top, x + 26.0, top + 18.0), INK);
            drawing.rectangle(
                Area::new(x + 3.0, top + 3.0, x + 23.0, top + 15.0),
                shade(0.2),
            );
            drawing.text((x + 34.0, baseline), Align::Left, SMALL, "best");
            x += 34.0 + SMALL.width("best") + 24.0;
        }
        if self.result.cells.iter().any(|cell| cell.mean.is_none()) {
            let area = Area::new(x, top, x + 26.0, top + 18.0);
            drawing.rectangle(area, PALE);
            cross(drawing, area);
            let text = "no number that could be trusted";
            drawing.text((x + 34.0, baseline), Align::Left, SMALL, text);
        }
        top + 26.0
    }
}

fn shade(share: f64) -> Color {
    tint(BLUE, 0.08 + 0.92 * share)
}

/// Nothing to be seen here.
fn cross(drawing: &mut Drawing, area: Area) {
    let (x, y) = (
        (area.left + area.right) / 2.0,
        (area.top + area.bottom) / 2.0,
    );
    drawing.line((x - 4.0, y - 4.0), (x + 4.0, y + 4.0), 1.5, GREY);
    drawing.line((x - 4.0, y + 4.0), (x + 4.0, y - 4.0), 1.5, GREY);
}
