//! The axis of a metric: its unit, its round values, and whether it is logarithmic.

use super::super::axis::{Axis, Tick, decade, logarithmic, significant, spanning};
use super::super::page::LABEL;
use crate::experiment::statistics::Better;
use crate::experiment::{Cell, Metric};

/// An axis is logarithmic where its ends are so far apart.
const WIDE: f64 = 30.0;

/// Width of a number beside an axis.
const LONGEST: f64 = 90.0;

/// An axis of values of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Round values, in the unit of the metric.
    pub ticks: Vec<Tick>,
    /// What the numbers mean.
    pub caption: String,
    logarithmic: bool,
    /// Where the axis ends: at its first tick, and a little above the largest value.
    ends: (f64, f64),
}

impl Scale {
    /// Around these values, with about so many ticks; None if there are none.
    pub fn of(metric: &Metric, values: &[f64], count: usize) -> Option<Scale> {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let low = finite().reduce(f64::min)?;
        let high = finite().reduce(f64::max)?;
        let is_wide = low > 0.0 && (WIDE..1e15).contains(&(high / low));
        let (unit, factor) = unit(metric, high.max(-low));
        let (ticks, unit) = if is_wide && metric.unit == "ms" {
            let nanos = logarithmic(1e6 * low, 1e6 * high, decade);
            (scaled(nanos, 1e6), "")
        } else if is_wide {
            (logarithmic(low, high, significant), unit)
        } else {
            let (low, high) = ends(low, high);
            (
                scaled(spanning(low * factor, high * factor, count), factor),
                unit,
            )
        };
        let room = if is_wide {
            1.25 * high
        } else {
            high + 0.06 * (high - low)
        };
        let first = ticks.first().map_or(low, |tick| tick.at);
        let last = ticks.last().map_or(high, |tick| tick.at);
        Some(Scale {
            ends: (first, if high > first { last.min(room) } else { last }),
            ticks,
            caption: caption(metric, unit),
            logarithmic: is_wide,
        })
    }

    /// Between two places of the page.
    pub fn axis(&self, start: f64, end: f64) -> Axis {
        match self.logarithmic {
            true => Axis::logarithmic(self.ends, (start, end)),
            false => Axis::linear(self.ends, (start, end)),
        }
    }
}

/// Ticks in another unit.
fn scaled(mut ticks: Vec<Tick>, factor: f64) -> Vec<Tick> {
    for tick in &mut ticks {
        tick.at /= factor;
        tick.label = LABEL.shorten(&tick.label, LONGEST);
    }
    ticks
}

/// From where to where a linear axis goes: from 0, unless all values are far from it and not all
/// but the same.
fn ends(low: f64, high: f64) -> (f64, f64) {
    let is_far = low > 0.6 * high && high - low > 0.005 * high;
    let low = if low > 0.0 && !is_far { 0.0 } else { low };
    (low, if high > low { high } else { low + 1.0 })
}

/// The unit for a whole axis, and its number to one of the metric's.
fn unit(metric: &Metric, largest: f64) -> (&'static str, f64) {
    match metric.unit {
        "ms" if largest >= 10_000.0 => ("s", 1e-3),
        "ms" if largest > 0.0 && largest < 1.0 => ("µs", 1e3),
        "ms" => ("ms", 1.0),
        "/s" => ("per second", 1.0),
        "" if largest >= 1e7 => ("million", 1e-6),
        unit => (unit, 1.0),
    }
}

fn caption(metric: &Metric, unit: &str) -> String {
    let good = match metric.better {
        Better::Lower => "lower is better",
        Better::Higher => "higher is better",
    };
    match unit {
        "" => format!("{}; {good}", metric.title),
        unit => format!("{} ({unit}); {good}", metric.title),
    }
}

/// Everything of cells that a picture shows: means, intervals, and the runs asked for.
pub fn values<'a>(cells: impl Iterator<Item = &'a Cell>, runs: &[usize]) -> Vec<f64> {
    let mut values = Vec::new();
    for cell in cells {
        let Some(mean) = cell.mean else { continue };
        values.push(mean);
        values.extend(runs.iter().filter_map(|run| cell.values[*run]));
        // A lower end below the runs may reach 0 or beyond, where nothing can be.
        let interval = cell
            .interval
            .filter(|interval| interval.low > 0.0 || mean <= 0.0);
        values.extend(
            interval
                .into_iter()
                .flat_map(|interval| [interval.low, interval.high]),
        );
        values.extend(cell.interval.map(|interval| interval.high));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(path: &str, values: &[f64]) -> (Vec<String>, String) {
        let scale = Scale::of(&Metric::at(path), values, 4).expect("there are values");
        let labels = scale.ticks.into_iter().map(|tick| tick.label);
        (
            labels.map(|label| label.replace('\u{a0}', " ")).collect(),
            scale.caption,
        )
    }

    #[test]
    fn latencies_far_apart_are_told_on_a_logarithmic_axis_with_units() {
        let (ticks, caption) = labels("latencyMs.sendToProcessed.mean", &[12.7, 3_300.0]);
        assert_eq!(ticks, ["10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(caption, "mean latency; lower is better");
    }

    #[test]
    fn values_close_together_do_not_start_at_zero() {
        let (ticks, caption) = labels("throughput.processedPerSecond", &[96.0, 101.0]);
        assert_eq!(ticks, ["96", "98", "100", "102"]);
        assert_eq!(caption, "throughput (per second); higher is better");
        let (ticks, _) = labels("throughput.processedPerSecond", &[10.0, 101.0]);
        assert_eq!(ticks, ["0", "50", "100", "150"]);
        let (ticks, _) = labels("wire.acksPerMessage", &[1.0, 1.000_01]);
        assert_eq!(
            ticks[0], "0",
            "a difference that nobody cares for is not blown up"
        );
    }

    #[test]
    fn units_fit_the_size() {
        let path = "latencyMs.sendToProcessed.mean";
        assert_eq!(
            labels(path, &[9_000.0, 20_000.0]).1,
            "mean latency (s); lower is better"
        );
        assert_eq!(
            labels(path, &[0.1, 0.2]).1,
            "mean latency (µs); lower is better"
        );
        assert_eq!(
            labels(path, &[0.1, 0.2]).0,
            ["0", "50", "100", "150", "200"]
        );
    }

    #[test]
    fn odd_values_still_make_an_axis() {
        for values in [
            &[0.0][..],
            &[5.0],
            &[-3.0, 2.0],
            &[f64::NAN, 1.0],
            &[1e-300, 1e300],
        ] {
            let scale = Scale::of(&Metric::at("messages.duplicates"), values, 4);
            let axis = scale.expect("an axis").axis(0.0, 100.0);
            for value in [values[values.len() - 1], 0.0] {
                assert!((0.0..=100.0).contains(&axis.map(value)), "{values:?}");
            }
        }
        assert_eq!(Scale::of(&Metric::at("fairness"), &[f64::NAN], 4), None);
    }
}
