//! Who got how much: the deliveries of each consumer, and where its time went.

use std::collections::BTreeSet;

use super::axis::{Axis, Tick, counts, percent, thousands};
use super::drawing::{Area, Drawing, PAGE_WIDTH};
use super::font::Align;
use super::page::{LABEL, MARGIN, NAME, SMALL, Sample, columns, header, legend, swatch};
use super::palette::{BLUE, Color, GREY, INK, PALE, RULE, VERMILLION, WHITE, YELLOW, tint};
use super::{Charts, Consumer, Shares, words};

/// Most rows.
const MOST: usize = 16;
const ROW: f64 = 42.0;
const BAR: f64 = 28.0;
const LEFT: f64 = 190.0;
/// Where the bars of deliveries end.
const DELIVERED: f64 = 440.0;
/// Where the bars of time begin.
const MIDDLE: f64 = 620.0;
const RIGHT: f64 = PAGE_WIDTH - MARGIN - 22.0;

/// The consumers that differ most: those with the most of what matters, then others evenly spread
/// by deliveries.
pub fn most_different(consumers: &[Consumer], most: usize) -> Vec<usize> {
    if consumers.len() <= most {
        return (0..consumers.len()).collect();
    }
    let extremes: [fn(&Consumer) -> f64; 5] = [
        |consumer| consumer.crashes as f64,
        |consumer| consumer.redelivered as f64,
        |consumer| consumer.max_held as f64,
        |consumer| consumer.shares.starved,
        |consumer| consumer.shares.busy,
    ];
    let by = |value: &dyn Fn(&Consumer) -> f64| {
        let mut order: Vec<usize> = (0..consumers.len()).collect();
        order.sort_by(|a, b| {
            value(&consumers[*b])
                .total_cmp(&value(&consumers[*a]))
                .then(a.cmp(b))
        });
        order
    };
    let mut chosen: BTreeSet<usize> = extremes.iter().map(|extreme| by(extreme)[0]).collect();
    let others: Vec<usize> = by(&|consumer| consumer.delivered as f64)
        .into_iter()
        .filter(|index| !chosen.contains(index))
        .collect();
    let missing = most - chosen.len();
    let spread = (0..missing).map(|part| others[part * (others.len() - 1) / (missing - 1).max(1)]);
    chosen.extend(spread);
    chosen.into_iter().collect()
}

/// One way to spend time: its share, its colour, the colour of text on it, its name.
type Kind = (fn(&Shares) -> f64, Color, Color, &'static str);

fn kinds() -> [Kind; 4] {
    [
        (|shares| shares.busy, BLUE, WHITE, "processing"),
        (
            |shares| shares.starved,
            tint(YELLOW, 0.7),
            INK,
            "starved: others have messages",
        ),
        (|shares| shares.idle, PALE, INK, "idle"),
        (|shares| shares.down, RULE, INK, "not connected"),
    ]
}

/// Draws it.
pub fn draw(charts: &Charts) -> Drawing {
    let mut drawing = Drawing::default();
    let rows = most_different(&charts.consumers, MOST);
    let top = header(&mut drawing, &words::consumers(charts, rows.len())) + 20.0;
    drawing.text((LEFT, top - 4.0), Align::Left, NAME, "Deliveries");
    drawing.text((MIDDLE, top - 4.0), Align::Left, NAME, "Share of its time");
    let most = charts
        .consumers
        .iter()
        .map(|consumer| consumer.delivered)
        .max()
        .unwrap_or(0);
    let ticks = counts(most, 3);
    let end = ticks.last().map_or(1.0, |tick| tick.at);
    let x = Axis::linear((0.0, end), (LEFT, DELIVERED));
    for (row, index) in rows.iter().enumerate() {
        let top = top + row as f64 * ROW + 10.0;
        let consumer = &charts.consumers[*index];
        let name = NAME.shorten(&consumer.name, LEFT - MARGIN - 12.0);
        drawing.text((MARGIN, baseline(top)), Align::Left, NAME, name);
        deliveries(&mut drawing, consumer, x, top);
        time(&mut drawing, &consumer.shares, top);
    }
    let bottom = top + rows.len() as f64 * ROW + 8.0;
    columns(
        &mut drawing,
        Area::new(LEFT, top, DELIVERED, bottom),
        x,
        &ticks,
        "",
    );
    let shares = Axis::linear((0.0, 1.0), (MIDDLE, RIGHT));
    let tick = |at: f64| Tick {
        at,
        label: percent(at),
    };
    let quarters = [0.0, 0.25, 0.5, 0.75, 1.0].map(tick);
    let area = Area::new(MIDDLE, top, RIGHT, bottom);
    let below = columns(&mut drawing, area, shares, &quarters, "");
    drawing.height = legend(&mut drawing, entries(charts), below + 6.0) + MARGIN / 2.0;
    drawing
}

/// Of text beside a bar.
fn baseline(top: f64) -> f64 {
    top + BAR / 2.0 + LABEL.em * 0.36
}

fn deliveries(drawing: &mut Drawing, consumer: &Consumer, x: Axis, top: f64) {
    let first = consumer.delivered.saturating_sub(consumer.redelivered);
    let (left, middle) = (x.map(0.0), x.map(first as f64));
    let right = x.map(consumer.delivered as f64);
    if first > 0 {
        drawing.rectangle(Area::new(left, top, middle, top + BAR), BLUE);
    }
    let count = thousands(consumer.delivered);
    drawing.text((right + 8.0, baseline(top)), Align::Left, LABEL, &count);
    if consumer.redelivered > 0 {
        drawing.rectangle(Area::new(middle, top, right, top + BAR), VERMILLION);
        let again = format!("{} again", thousands(consumer.redelivered));
        let start = right + 16.0 + LABEL.width(&count);
        let look = SMALL.colored(GREY);
        let again = look.shorten(&again, MIDDLE - 10.0 - start);
        drawing.text((start, baseline(top)), Align::Left, look, again);
    }
}

fn time(drawing: &mut Drawing, shares: &Shares, top: f64) {
    let mut left = MIDDLE;
    for (share, color, ink, _) in kinds() {
        let share = share(shares);
        let right = (left + share * (RIGHT - MIDDLE)).min(RIGHT);
        if right - left > 0.3 {
            drawing.rectangle(Area::new(left, top, right, top + BAR), color);
        }
        let text = percent(share);
        if right - left > SMALL.width(&text) + 8.0 {
            let place = ((left + right) / 2.0, baseline(top) - 1.0);
            drawing.text(place, Align::Middle, SMALL.colored(ink), text);
        }
        left = right;
    }
}

fn entries(charts: &Charts) -> Vec<(Sample<'static>, String)> {
    let any = |test: &dyn Fn(&Consumer) -> bool| charts.consumers.iter().any(test);
    let mut entries = vec![(swatch(BLUE), "first delivery; processing".to_owned())];
    if any(&|consumer| consumer.redelivered > 0) {
        entries.push((swatch(VERMILLION), "redelivery".to_owned()));
    }
    for (share, color, _, text) in kinds().into_iter().skip(1) {
        if any(&|consumer| share(&consumer.shares) > 0.002) {
            entries.push((swatch(color), text.to_owned()));
        }
    }
    entries
}
