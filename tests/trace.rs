//! Traces of real runs: every line is one JSON object, in order of time.

use std::path::Path;

use acksim::scenario;
use acksim::trace::Trace;
use acksim::world::simulate;
use serde_json::Value;

fn trace_of(case: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(case);
    let scenario = scenario::read_file(&path).unwrap().scenario;
    let mut out = Vec::new();
    let mut trace = Trace::new(&scenario, &mut out);
    simulate(&scenario, &mut trace).unwrap();
    trace.finish().unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn lines_are_objects_in_order_of_time() {
    for case in [
        "transacted/transacted-rollback.json",
        "slow/pending-limit-evicts-oldest.json",
        "crash-close/reconnect-rolls-back-the-transaction.json",
        "expiry/expired-on-a-topic.json",
    ] {
        let lines = trace_of(case);
        let times: Vec<f64> = lines
            .iter()
            .map(|line| line["t"].as_f64().unwrap())
            .collect();
        assert!(times.is_sorted(), "{case}");
        assert!(lines.iter().all(|line| line["fact"].is_string()), "{case}");
    }
}

#[test]
fn a_trace_tells_the_story_of_a_message() {
    let lines = trace_of("auto/auto-each.json");
    let first = lines.iter().filter(|line| line["message"] == "orders:1");
    let facts: Vec<&str> = first.map(|line| line["fact"].as_str().unwrap()).collect();
    assert_eq!(
        facts,
        [
            "sending",
            "enqueued",
            "dispatched",
            "received",
            "delivered",
            "processed",
            "acknowledged",
            "released"
        ]
    );
}
