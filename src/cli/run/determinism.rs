//! `--check-determinism`: the same scenario again, under what may legally vary.

use std::thread;

use acksim::metrics::Metrics;
use acksim::scenario::Scenario;

use super::super::Error;
use super::super::simulation::metrics;

/// Runs the scenario again and says in which layer it came out differently, if it did.
///
/// The second run happens on another thread, beside a third of itself, and with other addresses in
/// memory: none of that may show.
pub fn difference(scenario: &Scenario, first: &Metrics) -> Result<Option<String>, Error> {
    let copy = scenario.clone();
    let (second, third) = thread::scope(|scope| {
        let beside = scope.spawn(|| metrics(&copy));
        let _elsewhere: Vec<Vec<u8>> = (1..100).map(|size| vec![0; size * 16]).collect();
        (
            metrics(scenario),
            beside.join().expect("a run does not panic"),
        )
    });
    Ok([second?, third?]
        .iter()
        .find_map(|again| layer(first, again)))
}

/// The first layer in which two runs differ: draws feed deliveries, deliveries feed acks, and so
/// on.
fn layer(first: &Metrics, again: &Metrics) -> Option<String> {
    let (one, other) = (&first.run.fingerprints, &again.run.fingerprints);
    let layers = [
        ("random draws", one.draws == other.draws),
        ("deliveries", one.deliveries == other.deliveries),
        ("acks", one.acks == other.acks),
        ("outcome", one.outcome == other.outcome),
        ("metrics", one.metrics == other.metrics),
        ("facts", first.run.fingerprint == again.run.fingerprint),
        ("metrics.json", first == again),
    ];
    let (name, _) = layers.into_iter().find(|(_, same)| !same)?;
    Some(format!("the first difference is in the {name}"))
}
