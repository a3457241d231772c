//! Ack commands against deliveries, added up over time: whether acknowledgements keep pace, and how
//! many messages one command stands for.

use super::axis::thousands;
use super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::page::{EndLabel, MARGIN, Plot, end_labels, header};
use super::palette::{GREY, PALE};
use super::queue::{axes, plot, thinned};
use super::series::Series;
use super::signs::ack_color;
use super::{Charts, words};
use crate::wire::AckType;

const RIGHT: f64 = PAGE_WIDTH - 200.0;
const ROWS: usize = 5;

/// Draws it.
pub fn draw(charts: &Charts) -> Drawing {
    let mut drawing = Drawing::default();
    let top = header(&mut drawing, &words::acks(charts)) + 22.0;
    let deliveries = charts.levels.deliveries.gauge.value;
    let used = |kind: &AckType| charts.levels.acks[*kind as usize].gauge.value > 0;
    let types: Vec<AckType> = AckType::ALL.into_iter().filter(used).collect();
    let most = types
        .iter()
        .map(|kind| charts.levels.acks[*kind as usize].gauge.value)
        .max();
    let most = most.unwrap_or(0);
    let area = |top: f64, height: f64| Area::new(110.0, top, RIGHT, top + height);
    let bottom = if most > 0 && most * 8 < deliveries {
        // Few acks would lie flat on the axis: they get a scale of their own.
        let both = area(top, 190.0);
        deliveries_alone(&mut drawing, charts, both, deliveries);
        let plot = plot(charts, area(both.bottom + 44.0, 190.0), most, ROWS);
        let bottom = axes(
            &mut drawing,
            charts,
            &plot,
            (most, ROWS),
            "ack commands so far",
            true,
        );
        let labels = ack_lines(&mut drawing, charts, &plot, &types);
        end_labels(&mut drawing, plot.area, &labels);
        bottom
    } else {
        let most = most.max(deliveries);
        let plot = plot(charts, area(top, 400.0), most, ROWS);
        let mut labels = vec![delivery_area(&mut drawing, charts, &plot)];
        let bottom = axes(
            &mut drawing,
            charts,
            &plot,
            (most, ROWS),
            "number so far",
            true,
        );
        labels.extend(ack_lines(&mut drawing, charts, &plot, &types));
        end_labels(&mut drawing, plot.area, &labels);
        bottom
    };
    drawing.height = bottom + MARGIN / 2.0;
    drawing
}

fn deliveries_alone(drawing: &mut Drawing, charts: &Charts, area: Area, most: u64) {
    let plot = plot(charts, area, most, ROWS);
    let label = delivery_area(drawing, charts, &plot);
    axes(
        drawing,
        charts,
        &plot,
        (most, ROWS),
        "deliveries so far",
        false,
    );
    end_labels(drawing, area, &[label]);
}

fn ack_lines(
    drawing: &mut Drawing,
    charts: &Charts,
    plot: &Plot,
    types: &[AckType],
) -> Vec<EndLabel> {
    let mut labels = Vec::new();
    for kind in types {
        let series = &charts.levels.acks[*kind as usize];
        let places = rising(charts, plot, series);
        let y = places.last().map_or(plot.area.bottom, |(_, y)| *y);
        drawing.path(places, 3.0, ack_color(*kind));
        let lines = vec![kind.name().to_owned(), thousands(series.gauge.value)];
        labels.push(EndLabel {
            y,
            lines,
            color: ack_color(*kind),
        });
    }
    labels
}

/// Deliveries as a grey area behind the acks.
fn delivery_area(drawing: &mut Drawing, charts: &Charts, plot: &Plot) -> EndLabel {
    let series = &charts.levels.deliveries;
    let mut outline = rising(charts, plot, series);
    let y = outline.last().map_or(plot.area.bottom, |(_, y)| *y);
    outline.push((plot.area.right, plot.area.bottom));
    drawing.polygon(outline, PALE);
    let lines = vec!["deliveries".to_owned(), thousands(series.gauge.value)];
    EndLabel {
        y,
        lines,
        color: GREY,
    }
}

/// A count over time, as a line that only rises.
fn rising(charts: &Charts, plot: &Plot, series: &Series) -> Vec<Place> {
    let start = plot.at(0.0, 0.0);
    let bins = charts.bins(series);
    let ends = bins
        .iter()
        .map(|(end, bin)| plot.at(end.0 as f64, bin.last as f64));
    thinned(std::iter::once(start).chain(ends).collect())
}
