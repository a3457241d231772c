//! Tests of the broker alone. Numbers like 12.4 are those of the worked examples of the semantics
//! reference, which were recorded on ActiveMQ 5.17.2.

mod bench;
mod destinations;
mod invariants;
mod queues;
mod semantics;
mod topics;

use serde_json::json;

use crate::scenario::{self, Scenario, Source};
use bench::Bench;

/// A queue or topic `0`, its dead-letter queue `1`, one producer, and a consumer for each prefetch,
/// with a connection and session of its own.
fn scenario(destination: &str, prefetches: &[u32]) -> Scenario {
    let consumer = |prefetch| {
        let uri = format!("{destination}?consumer.prefetchSize={prefetch}");
        json!({"destination": uri, "receive": "receive"})
    };
    let file = json!({
        "until": "1h",
        "producers": [{"destination": destination}],
        "consumers": prefetches.iter().map(consumer).collect::<Vec<_>>(),
    });
    let source = Source {
        name: "test".into(),
        text: file.to_string(),
    };
    let scenario = scenario::read(&source, "test")
        .expect("a valid scenario")
        .scenario;
    assert_eq!(scenario.destinations.len(), 2);
    assert_eq!(
        scenario.destinations[0].policy.dead_letter_strategy.queue,
        Some(1)
    );
    scenario
}

fn queue(prefetches: &[u32]) -> Scenario {
    scenario("queue://d", prefetches)
}

fn topic(prefetches: &[u32]) -> Scenario {
    scenario("topic://d", prefetches)
}
