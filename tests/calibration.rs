//! Constants from measured rates: known ones are found again, and those of the real broker are held
//! against rates that the fit has not seen.
//!
//! `cargo test --test calibration -- --nocapture` prints what comes of the rates of the real broker.

use std::process::Command;

use acksim::experiment::calibration::{
    Calibration, Constants, Measurements, Prediction, Variability, calibrate, predict,
};
use acksim::kernel::Span;

fn real() -> Measurements {
    Measurements::parse(include_str!("accuracy/rates.json")).unwrap()
}

/// Fits every second rate, from the first or from the second, and holds out the others.
fn half(first: usize) -> Calibration {
    let mut measurements = real();
    let all = std::mem::take(&mut measurements.measured);
    for (index, rate) in all.into_iter().enumerate() {
        if index % 2 == first {
            measurements.measured.push(rate);
        } else {
            measurements.hold_out.push(rate);
        }
    }
    calibrate(&measurements).unwrap()
}

fn show(heading: &str, predictions: &[Prediction]) {
    for prediction in predictions {
        println!(
            "| {heading} | {} | {:.0} | {:.0} | {:+.1} % |",
            prediction.rate.label(),
            prediction.rate.per_second,
            prediction.predicted_per_second,
            100.0 * prediction.error()
        );
    }
}

/// All but three: docs/accuracy.md says why.
#[test]
fn one_half_of_the_real_rates_predicts_the_other() {
    let mut far = Vec::new();
    for first in [0, 1] {
        let calibration = half(first);
        let constants = calibration.constants;
        println!("{} {}", constants.json(), constants.processing_json());
        show("fitted", &calibration.fitted);
        show("held out", &calibration.held_out);
        let is_far = |prediction: &&Prediction| prediction.error().abs() > 0.2;
        let held_out = calibration.held_out.iter().filter(is_far);
        far.extend(held_out.map(|prediction| prediction.rate.label()));
    }
    let known = [
        "AUTO_ACKNOWLEDGE, prefetch 100, optimizeAcknowledge",
        "SESSION_TRANSACTED, prefetch 100, transactions of 1",
        "AUTO_ACKNOWLEDGE, prefetch 300, optimizeAcknowledge",
    ];
    assert_eq!(far, known);
}

/// Six settings that tell the constants apart.
const SETTINGS: &str = r#"{"measured": [
    {"prefetchSize": 1, "perSecond": 1},
    {"prefetchSize": 4, "perSecond": 1},
    {"prefetchSize": 100, "perSecond": 1},
    {"prefetchSize": 200, "optimizeAcknowledge": true, "perSecond": 1},
    {"prefetchSize": 50, "acknowledgeMode": "SESSION_TRANSACTED", "transactionSize": 1, "perSecond": 1},
    {"prefetchSize": 50, "acknowledgeMode": "SESSION_TRANSACTED", "transactionSize": 20, "perSecond": 1}
]}"#;

#[test]
fn known_constants_are_found_again() {
    let known = Constants {
        latency: Span(150_000),
        dispatch_cost: Span(8_000),
        acknowledge_cost: Span(13_000),
        store_latency: Some(Span(90_000)),
        processing: Span(3_000),
        network: Variability::Constant,
        broker: Variability::Constant,
    };
    let mut measurements = Measurements::parse(SETTINGS).unwrap();
    for rate in &mut measurements.measured {
        rate.per_second = predict(rate, &known).unwrap();
    }
    let found = calibrate(&measurements).unwrap();
    for prediction in &found.fitted {
        assert!(prediction.error().abs() < 0.03, "{prediction:?}");
    }
    let found = found.constants;
    println!("{found:?}");
    let pairs = [
        (found.latency, known.latency),
        (found.dispatch_cost, known.dispatch_cost),
        (found.acknowledge_cost, known.acknowledge_cost),
        (found.store_latency.unwrap(), known.store_latency.unwrap()),
    ];
    for (found, known) in pairs {
        let error = found.0 as f64 / known.0 as f64 - 1.0;
        assert!(error.abs() < 0.1, "{found:?} {known:?}");
    }
}

/// One way from the client to the broker and back, and both costs: nothing else is in a cycle.
#[test]
fn a_window_of_one_costs_a_round_trip() {
    let rate = &Measurements::parse(SETTINGS).unwrap().measured[0];
    let constants = Constants {
        latency: Span(40_000),
        dispatch_cost: Span(9_000),
        acknowledge_cost: Span(11_000),
        store_latency: None,
        processing: Span(0),
        network: Variability::Constant,
        broker: Variability::Constant,
    };
    let predicted = predict(rate, &constants).unwrap();
    assert!((predicted - 10_000.0).abs() < 1.0, "{predicted}");
}

fn problem(text: &str) -> String {
    Measurements::parse(text).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_is_named() {
    let cases = [
        ("{", "line 1"),
        (r#"{"measured": []}"#, "at least 1"),
        (r#"{"measured": [{"prefetchSize": 1}]}"#, "perSecond"),
        (
            r#"{"measured": [{"prefetchSize": 1, "persecond": 5}]}"#,
            "persecond",
        ),
        (
            r#"{"measured": [{"prefetchSize": 0, "perSecond": 5}]}"#,
            "measured[0]: `prefetchSize`",
        ),
        (
            r#"{"measured": [{"prefetchSize": 1, "perSecond": 0}]}"#,
            "`perSecond`",
        ),
        (
            r#"{"measured": [{"prefetchSize": 1, "perSecond": 5, "transactionSize": 2}]}"#,
            "`transactionSize`",
        ),
        (
            r#"{"measured": [{"prefetchSize": 1, "perSecond": 5}],
                "holdOut": [{"prefetchSize": 1, "perSecond": -5}]}"#,
            "holdOut[0]: `perSecond`",
        ),
    ];
    for (text, part) in cases {
        let problem = problem(text);
        assert!(problem.contains(part), "{text}: {problem}");
    }
}

/// optimizeAcknowledge with the default prefetch stands still on a loaded queue: nobody measured that.
#[test]
fn a_rate_of_what_stands_still_is_refused() {
    let text =
        r#"{"measured": [{"prefetchSize": 1000, "optimizeAcknowledge": true, "perSecond": 9000}]}"#;
    let error = calibrate(&Measurements::parse(text).unwrap()).unwrap_err();
    assert!(error.to_string().contains("standstill"), "{error}");
}

fn acksim(arguments: &[&str]) -> std::process::Output {
    Command::new(assert_cmd::cargo::cargo_bin!("acksim"))
        .arg("calibrate")
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_command_prints_what_a_scenario_file_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rates.json");
    let text = r#"{"measured": [{"prefetchSize": 1, "perSecond": 5000}],
                   "holdOut": [{"prefetchSize": 2, "perSecond": 10000}]}"#;
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let done = acksim(&[file, "--json"]);
    assert_eq!(done.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let constants = &document["constants"];
    assert!(
        constants["network"]["latency"].is_string() || constants["network"]["latency"].is_object()
    );
    let error = document["measured"][0]["errorPercent"].as_f64().unwrap();
    assert!(error.abs() < 2.0, "{error}");
    let mut scenario = constants.clone();
    scenario["producers"] = serde_json::json!([{"destination": "queue://q", "messages": 1}]);
    scenario["consumers"] = serde_json::json!([{"destination": "queue://q"}]);
    let source = acksim::scenario::Source {
        name: "pasted".to_owned(),
        text: scenario.to_string(),
    };
    acksim::scenario::read(&source, "pasted").unwrap();
    let table = String::from_utf8(acksim(&[file]).stdout).unwrap();
    assert!(
        table.contains("AUTO_ACKNOWLEDGE, prefetch 2") && table.contains("dispatchCost"),
        "{table}"
    );
}

#[test]
fn bad_input_is_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for file in [folder, "nowhere.json"] {
        let done = acksim(&[file]);
        assert_eq!(done.status.code(), Some(2));
        assert!(done.stdout.is_empty());
        let error = String::from_utf8(done.stderr).unwrap();
        assert!(
            error.contains(file) && error.trim().lines().count() == 1,
            "{error}"
        );
    }
}
