//! Metrics of recorded and measured scenarios, held against what the real broker did.

use std::path::{Path, PathBuf};

use acksim::experiment::measure;
use acksim::metrics::{ConsumerMetrics, Metrics};
use acksim::reference::Reference;
use acksim::scenario::{self, Scenario};
use acksim::wire::AckType;
use serde_json::Value;

/// At its end messages are acknowledged in a transaction that is still open. They are on the queue,
/// but browsing it, as the recorder does, leaves them out.
const ACKNOWLEDGED_AND_OPEN: &str = "acknowledged-in-a-transaction-that-stays-open";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn recorded(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            recorded(&path, found);
        } else if Reference::path_beside(&path).exists() {
            found.push(path);
        }
    }
}

fn run(path: &Path) -> (Scenario, Metrics) {
    let scenario = scenario::read_file(path).unwrap().scenario;
    let metrics = measure(&scenario).unwrap();
    (scenario, metrics)
}

#[test]
fn counts_are_those_of_the_recordings() {
    let mut paths = Vec::new();
    recorded(&tests().join("reference"), &mut paths);
    paths.sort();
    assert!(paths.len() >= 105);
    for path in paths {
        let recorded = Reference::read(&Reference::path_beside(&path))
            .unwrap()
            .views;
        let (scenario, metrics) = run(&path);
        let name = &scenario.name;
        let (counts, outcome) = (&metrics.messages, &recorded.outcome);
        assert_eq!(
            counts.acknowledged,
            outcome.acknowledged.len() as u64,
            "{name}"
        );
        assert_eq!(
            counts.dead_lettered,
            outcome.dead_lettered.len() as u64,
            "{name}"
        );
        assert_eq!(counts.expired, outcome.expired.len() as u64, "{name}");
        assert_eq!(counts.discarded, outcome.discarded.len() as u64, "{name}");
        if name != ACKNOWLEDGED_AND_OPEN {
            assert_eq!(counts.remaining, outcome.remaining.len() as u64, "{name}");
        }
        for (consumer, views) in &recorded.consumers {
            let metrics = &metrics.consumers[consumer];
            assert_eq!(
                metrics.delivered,
                views.delivered.len() as u64,
                "{name} {consumer}"
            );
            assert_eq!(
                metrics.dispatched,
                views.dispatched.len() as u64,
                "{name} {consumer}"
            );
            let redelivered = views
                .delivered
                .iter()
                .filter(|line| line.contains(" redelivered"));
            assert_eq!(
                metrics.redelivered,
                redelivered.count() as u64,
                "{name} {consumer}"
            );
            for ack_type in AckType::ALL {
                let acks = views
                    .acks
                    .iter()
                    .filter(|line| line.starts_with(ack_type.name()));
                let counted = metrics.acks_by_type.of(ack_type);
                assert_eq!(
                    counted,
                    acks.count() as u64,
                    "{name} {consumer} {ack_type:?}"
                );
            }
            let pulls = views.acks.iter().filter(|line| line.starts_with("pull"));
            assert_eq!(metrics.pulls, pulls.count() as u64, "{name} {consumer}");
            let line = format!("slow {consumer}");
            let marks = recorded.broker.iter().filter(|other| **other == line);
            assert_eq!(
                metrics.slow_marks,
                marks.count() as u64,
                "{name} {consumer}"
            );
        }
    }
}

/// The mean over all messages of what each consumer has as its mean.
fn mean(metrics: &Metrics, of: fn(&ConsumerMetrics) -> Option<f64>) -> f64 {
    let weighted = |consumer: &ConsumerMetrics| of(consumer).unwrap_or(0.0) * processed(consumer);
    let sum: f64 = metrics
        .consumers
        .iter()
        .map(|(_, consumer)| weighted(consumer))
        .sum();
    sum / metrics
        .consumers
        .iter()
        .map(|(_, consumer)| processed(consumer))
        .sum::<f64>()
}

fn processed(consumer: &ConsumerMetrics) -> f64 {
    consumer.processed as f64
}

/// What the model leaves out costs some CPU time for each message, several times on its way.
fn is_near(predicted: f64, measured: f64) -> bool {
    (predicted - measured).abs() <= 0.5 + 0.04 * measured
}

#[test]
fn times_are_those_of_the_measurements() {
    let text = std::fs::read_to_string(tests().join("accuracy/measured.json")).unwrap();
    let points: Vec<Value> = serde_json::from_str(&text).unwrap();
    // At half a millisecond or less of work to a message, CPU time shows.
    let is_cpu_bound = |name: &str| name.contains("-p02-") || name.contains("-p05-");
    for point in points {
        let name = point["scenario"].as_str().unwrap();
        if is_cpu_bound(name) {
            continue;
        }
        let path = tests().join(format!("accuracy/scenarios/{name}.json"));
        let (_, metrics) = run(&path);
        let check = |what: &str, predicted: f64, measured: &Value| {
            let measured = measured.as_f64().unwrap();
            assert!(
                is_near(predicted, measured),
                "{name} {what}: {predicted} for {measured}"
            );
        };
        let in_flight = mean(&metrics, |consumer| consumer.in_flight_ms);
        check("inFlightMs", in_flight, &point["in_flight_ms"]["mean"]);
        let buffered = mean(&metrics, |consumer| consumer.buffered_ms);
        check("bufferedMs", buffered, &point["buffered_ms"]["mean"]);
        let steady = metrics.timing.steady_per_second.unwrap();
        check("steadyPerSecond", steady, &point["steady_per_s"]);
        if point["end_to_end_ms"].is_object() {
            let processed = metrics.latency_ms.send_to_processed.mean.unwrap();
            check(
                "sendToProcessed",
                processed,
                &point["end_to_end_ms"]["mean"],
            );
        }
        for (consumer, measured) in point["utilisation"].as_object().unwrap() {
            let predicted = metrics.consumers[consumer].utilisation.unwrap();
            check(
                "utilisation in %",
                predicted * 100.0,
                &Value::from(measured.as_f64().unwrap() * 100.0),
            );
        }
    }
}

/// Which layer of the prints moved says what a change changed: the chances alone here, since the work takes as long.
#[test]
fn the_print_of_the_draws_moves_with_them_alone() {
    let prints = |processing: Value, seed: u64| {
        let mut file = serde_json::json!({
            "producers": [{"destination": "queue://q", "messages": 5}],
            "consumers": [{"destination": "queue://q"}],
        });
        file["consumers"][0]["processing"] = processing;
        file["seed"] = seed.into();
        let source = scenario::Source {
            name: "draws".to_owned(),
            text: file.to_string(),
        };
        let scenario = scenario::read(&source, "draws").unwrap().scenario;
        measure(&scenario).unwrap().run.fingerprints
    };
    let drawn = serde_json::json!({"empirical": ["5ms"]});
    let (constant, drawn, other) = (
        prints("5ms".into(), 1),
        prints(drawn.clone(), 1),
        prints(drawn, 2),
    );
    assert_ne!(constant.draws, drawn.draws);
    assert_ne!(drawn.draws, other.draws);
    assert_eq!(constant.deliveries, drawn.deliveries);
    assert_eq!(constant.metrics, other.metrics);
    assert_eq!(constant.draws, prints("5ms".into(), 2).draws);
}
