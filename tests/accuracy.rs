//! How long things took on the real broker, against what the model predicts, for all measured scenarios. Nothing is
//! fitted: reality may be a little slower, since CPU time is not modelled.
//!
//! `cargo test --test accuracy -- --nocapture` prints the table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use acksim::metrics::{Collector, Metrics};
use acksim::reference::{Recorder, Views};
use acksim::scenario;
use acksim::world::simulate;
use serde_json::Value;

/// A single point may be off by so much.
const LARGEST_ERROR: f64 = 0.07;
/// 95 % of the points are not off by more.
const LARGEST_ERROR_OF_95_PERCENT: f64 = 0.035;
/// Half of the points are not off by more.
const LARGEST_MEDIAN_ERROR: f64 = 0.01;

struct Point {
    name: String,
    measured: Value,
    predicted: Metrics,
    views: Views,
}

impl Point {
    fn of(measured: &Value) -> Point {
        let name = measured["scenario"].as_str().unwrap().to_owned();
        let path = folder().join("scenarios").join(format!("{name}.json"));
        let scenario = scenario::read_file(&path).unwrap().scenario;
        let mut observers = (Collector::new(&scenario), Recorder::new(&scenario));
        let end = simulate(&scenario, &mut observers).unwrap();
        let (collector, recorder) = observers;
        Point {
            name,
            measured: measured.clone(),
            predicted: collector.finish((&end).into()),
            views: recorder.finish(end.ended_at, &end.messages),
        }
    }

    fn makespans(&self) -> (f64, f64) {
        let predicted = self.predicted.timing.makespan_ms.unwrap();
        (predicted, self.measured["makespan_ms"].as_f64().unwrap())
    }

    fn error(&self) -> f64 {
        let (predicted, measured) = self.makespans();
        predicted / measured - 1.0
    }

    /// By consumer: predicted and measured numbers of processed messages.
    fn deliveries(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.measured["delivered"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(consumer, measured)| {
                let predicted = self.predicted.consumers.get(consumer).unwrap().processed;
                (
                    consumer.as_str(),
                    predicted,
                    measured.as_f64().unwrap() as u64,
                )
            })
    }

    /// Commands of a consumer by kind, as the measurement counts them: `STANDARD tx`, `commit`, `pull`.
    fn commands(&self, consumer: &str) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for line in &self.views.consumers[consumer].acks {
            let kind = line.split(' ').next().unwrap();
            let kind = if line.ends_with(" tx") {
                format!("{kind} tx")
            } else {
                kind.to_owned()
            };
            *counts.entry(kind).or_insert(0) += 1;
        }
        counts
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accuracy")
}

fn points() -> Vec<Point> {
    let text = std::fs::read_to_string(folder().join("measured.json")).unwrap();
    let measured: Vec<Value> = serde_json::from_str(&text).unwrap();
    measured.iter().map(Point::of).collect()
}

#[test]
fn makespans_are_predicted() {
    let points = points();
    assert_eq!(points.len(), 59);
    println!(
        "{:<40} {:>11} {:>11} {:>8}",
        "scenario", "predicted", "measured", "error"
    );
    for point in &points {
        let (predicted, measured) = point.makespans();
        let error = 100.0 * point.error();
        println!(
            "{:<40} {predicted:>8.1} ms {measured:>8.1} ms {error:>6.2} %",
            point.name
        );
    }
    let mut errors: Vec<f64> = points.iter().map(|point| point.error().abs()).collect();
    errors.sort_by(f64::total_cmp);
    let [median, of_95_percent, largest] = [29, 56, 58].map(|rank| errors[rank]);
    println!(
        "median error {:.2} %, 95 % of the points within {:.2} %, largest {:.2} %",
        100.0 * median,
        100.0 * of_95_percent,
        100.0 * largest
    );
    assert!(median <= LARGEST_MEDIAN_ERROR);
    assert!(of_95_percent <= LARGEST_ERROR_OF_95_PERCENT);
    assert!(largest <= LARGEST_ERROR);
}

#[test]
fn deliveries_are_predicted_within_one_message() {
    let is_close = |point: &&Point| {
        point
            .deliveries()
            .all(|(_, predicted, measured)| predicted.abs_diff(measured) <= 1)
    };
    let close = points().iter().filter(is_close).count();
    assert!(close >= 57, "{close} of 59");
}

/// Where speeds decide who gets which message, one message more or less moves its commands with it.
#[test]
fn commands_are_predicted_exactly_where_deliveries_are() {
    let is_exact = |point: &Point| {
        point
            .deliveries()
            .all(|(_, predicted, real)| predicted == real)
    };
    let exact: Vec<Point> = points().into_iter().filter(is_exact).collect();
    assert!(exact.len() >= 55, "{} of 59", exact.len());
    for point in exact {
        for (consumer, ..) in point.deliveries() {
            let commands = point.commands(consumer);
            for (kind, measured) in point.measured["acks"][consumer].as_object().unwrap() {
                let predicted = commands.get(kind).copied().unwrap_or(0);
                assert_eq!(
                    predicted,
                    measured.as_u64().unwrap(),
                    "{} {consumer} {kind}",
                    point.name
                );
            }
        }
    }
}

/// A listener can't start before the answer to ConsumerInfo: two latencies after createConsumer; a pull costs two more.
#[test]
fn the_first_message_starts_after_its_round_trips() {
    for point in points() {
        let timing = &point.predicted.timing;
        let first = timing.first_start_ms.unwrap() - timing.origin_ms.unwrap();
        let measured = point.measured["first_start_ms"].as_f64().unwrap();
        assert!(
            (measured - 3.0..=measured).contains(&first),
            "{}: {first} {measured}",
            point.name
        );
    }
}

/// Writes the plot of the docs page: `cargo test --test accuracy -- --ignored`.
#[test]
#[ignore = "writes docs/images/accuracy.svg"]
fn plot() {
    let makespans: Vec<(f64, f64)> = points().iter().map(Point::makespans).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/accuracy.svg");
    std::fs::write(path, drawing(&makespans)).unwrap();
}

/// Predicted (up) against measured (to the right), 0 to 3.5 s, 200 pixels to a second.
fn drawing(makespans: &[(f64, f64)]) -> String {
    let x = |millis: f64| 80.0 + millis / 5.0;
    let y = |millis: f64| 740.0 - millis / 5.0;
    let mut svg = String::from(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 820" font-family="sans-serif" font-size="16" text-anchor="middle">
<title>Predicted against measured makespans of 59 scenarios</title>
<rect width="820" height="820" fill="#fff"/>
<path d="M80 40V740H780M80 740L780 40" fill="none" stroke="#888"/>
<text x="430" y="800">measured on ActiveMQ 5.17.2, s</text>
<text x="28" y="390" transform="rotate(-90 28 390)">predicted, s</text>
"##,
    );
    for second in 0..=3 {
        let at = 1000.0 * f64::from(second);
        svg += &format!("<text x=\"{:.0}\" y=\"765\">{second}</text>\n", x(at));
        svg += &format!("<text x=\"60\" y=\"{:.0}\">{second}</text>\n", y(at) + 5.0);
    }
    for &(predicted, measured) in makespans {
        let (x, y) = (x(measured), y(predicted));
        svg += &format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"#0072b2\" fill-opacity=\".6\"/>\n"
        );
    }
    svg + "</svg>\n"
}
