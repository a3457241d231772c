//! How long messages took: for each share of the messages, the latency that they did not exceed.
//! The axis of shares is stretched towards 100 %, for it is the last per cent that people complain
//! about.

use super::axis::{Axis, Tick, decade, duration, logarithmic};
use super::drawing::{Area, Drawing, PAGE_WIDTH, Place};
use super::font::Align;
use super::page::{EndLabel, LABEL, MARGIN, Plot, end_labels, header};
use super::palette::{BLUE, Color, GREEN, ORANGE};
use super::{Charts, words};
use crate::metrics::Histogram;

const SHARES: [(f64, &str); 8] = [
    (0.0, "0 %"),
    (0.5, "50 %"),
    (0.9, "90 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
    (0.99999, "99.999 %"),
    (0.999999, "99.9999 %"),
];

/// Stretches shares towards 1.
fn stretched(share: f64) -> f64 {
    -libm::log10(1.0 - share.min(0.999_999_9))
}

/// Draws it.
pub fn draw(charts: &Charts) -> Drawing {
    let mut drawing = Drawing::default();
    let top = header(&mut drawing, &words::latency(charts));
    let named = ["delivered", "processed", "acknowledged"]
        .into_iter()
        .zip([ORANGE, BLUE, GREEN]);
    let curves = named
        .zip(&charts.latencies)
        .filter(|(_, histogram)| histogram.count() > 0);
    let curves: Vec<((&str, Color), &Histogram)> = curves.collect();
    let Some(most) = curves.iter().map(|(_, histogram)| histogram.count()).max() else {
        drawing.text(
            (MARGIN, top + 24.0),
            Align::Left,
            LABEL,
            "There is no latency to show.",
        );
        drawing.height = top + 50.0;
        return drawing;
    };
    let rows = rows(&curves);
    let plot = plot(&rows, most, top);
    let bottom = axes(&mut drawing, &plot, &rows);
    let mut labels = Vec::new();
    for ((name, color), histogram) in curves {
        let places = places(&plot, histogram);
        let y = places.last().map_or(plot.area.bottom, |(_, y)| *y);
        // Lines that coincide stay visible: the later, the thinner.
        let width = [6.0, 4.0, 2.2][labels.len().min(2)];
        drawing.path(places, width, color);
        labels.push(EndLabel {
            y,
            lines: label(name, histogram),
            color,
        });
    }
    end_labels(&mut drawing, plot.area, &labels);
    drawing.height = bottom + MARGIN / 2.0;
    drawing
}

fn label(name: &str, histogram: &Histogram) -> Vec<String> {
    let quantile = |per_mille| duration(histogram.quantile(per_mille).unwrap_or_default().0 as f64);
    let (median, rare) = (quantile(500), quantile(990));
    vec![
        name.to_owned(),
        format!("median {median}"),
        format!("99 % {rare}"),
    ]
}

/// Ticks around all latencies. Zero can't stand on a logarithmic axis: it lies at the lower edge.
fn rows(curves: &[((&str, Color), &Histogram)]) -> Vec<Tick> {
    let histograms = || curves.iter().map(|(_, histogram)| histogram);
    let high = histograms()
        .filter_map(|histogram| histogram.max())
        .max()
        .unwrap_or_default();
    let low = histograms()
        .filter_map(|histogram| histogram.quantile(10))
        .min();
    let high = high.0.max(1) as f64;
    let low = (low.unwrap_or_default().0 as f64).max(high / 1e6).max(1.0);
    logarithmic(low, high, decade)
}

fn plot(rows: &[Tick], most: u64, top: f64) -> Plot {
    let area = Area::new(116.0, top + 28.0, PAGE_WIDTH - 200.0, top + 428.0);
    let rarest = (1.0 - 0.5 / most as f64).clamp(0.9, 0.999_999);
    let ends = rows
        .first()
        .zip(rows.last())
        .map(|(low, high)| (low.at, high.at));
    let y = Axis::logarithmic(ends.unwrap_or((1.0, 10.0)), (0.0, 1.0));
    Plot::new(area, Axis::linear((0.0, stretched(rarest)), (0.0, 1.0)), y)
}

fn axes(drawing: &mut Drawing, plot: &Plot, rows: &[Tick]) -> f64 {
    let tick = |(share, label): (f64, &str)| Tick {
        at: stretched(share),
        label: label.to_owned(),
    };
    let columns: Vec<Tick> = SHARES.into_iter().map(tick).collect();
    plot.uprights(drawing, &columns);
    plot.rows(drawing, rows, "time since the application wanted to send");
    plot.columns(
        drawing,
        &columns,
        "share of the messages that took no longer",
    )
}

/// The curve, without points that nobody could tell apart.
fn places(plot: &Plot, histogram: &Histogram) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let (mut below, mut before) = (0, 0.0);
    for (lowest, width, count) in histogram.buckets() {
        below += count;
        let share = below as f64 / histogram.count() as f64;
        let value = (lowest + width / 2) as f64;
        for place in [
            plot.at(stretched(before), value),
            plot.at(stretched(share), value),
        ] {
            let apart = |last: &Place| (last.0 - place.0).abs() + (last.1 - place.1).abs() > 0.7;
            if places.last().is_none_or(apart) || below == histogram.count() {
                places.push(place);
            }
        }
        before = share;
    }
    places
}
