//! Arbitrary scenarios: whatever a user may write, the run ends, breaks no law (`acksim::judges`) and is the same
//! when it is run again.
//!
//! A test run tries 300 scenarios, always the same. For more, or others:
//!
//! ```text
//! PROPTEST_CASES=100000 PROPTEST_RNG_SEED=7 cargo test --release --test judged
//! ```
//!
//! What is found is shrunk to the smallest scenario that still shows it, printed as a scenario file.

mod scenarios;

use acksim::judges::Judges;
use acksim::metrics::{Collector, Metrics};
use acksim::reference::{Recorder, Views};
use acksim::scenario::{self, Scenario};
use acksim::world::{GivenUp, simulate};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};
use serde_json::Value;

/// Unless the environment says otherwise.
const CASES: u32 = 300;

fn config() -> ProptestConfig {
    let from_environment = ProptestConfig::default();
    let is_set = |variable: &str| std::env::var_os(variable).is_some();
    ProptestConfig {
        cases: if is_set("PROPTEST_CASES") {
            from_environment.cases
        } else {
            CASES
        },
        rng_seed: match is_set("PROPTEST_RNG_SEED") {
            true => from_environment.rng_seed,
            false => RngSeed::Fixed(1),
        },
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..from_environment
    }
}

/// Reads a scenario that the generator made.
fn resolve(json: &Value) -> Result<Scenario, TestCaseError> {
    let text = serde_json::to_vec(json).expect("values can be written");
    match scenario::read_bytes(text, "arbitrary.json", "arbitrary") {
        Ok(loaded) => Ok(loaded.scenario),
        Err(errors) => Err(TestCaseError::fail(format!(
            "the generator is wrong: {errors}"
        ))),
    }
}

/// Everything that a run comes to, and what the judges say of it.
fn run(scenario: &Scenario) -> Result<(Metrics, Views, Vec<String>), GivenUp> {
    let mut watching = (
        Judges::new(scenario),
        (Collector::new(scenario), Recorder::new(scenario)),
    );
    let end = simulate(scenario, &mut watching)?;
    let (judges, (collector, recorder)) = watching;
    let breaches = judges.finish(end.ended_at, &end.messages);
    let metrics = collector.finish((&end).into());
    let views = recorder.finish(end.ended_at, &end.messages);
    let breaches = breaches.iter().map(ToString::to_string).collect();
    Ok((metrics, views, breaches))
}

fn judge(json: &Value) -> Result<(), TestCaseError> {
    let scenario = resolve(json)?;
    let text = || serde_json::to_string_pretty(json).expect("values can be written");
    let run =
        || run(&scenario).map_err(|stuck| TestCaseError::fail(format!("{stuck}\n{}", text())));
    let (metrics, views, breaches) = run()?;
    prop_assert!(breaches.is_empty(), "{}\n{}", breaches.join("\n"), text());
    let (again, views_again, _) = run()?;
    prop_assert_eq!(metrics, again, "{}", text());
    prop_assert_eq!(views, views_again, "{}", text());
    Ok(())
}

#[test]
fn no_run_breaks_a_law() {
    let outcome = TestRunner::new(config()).run(&scenarios::scenario(), |json| judge(&json));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// It was once kept from the application until the rollback, and then taken for one that had never left the buffer.
#[test]
fn what_receive_takes_while_a_timer_rolls_back_breaks_no_law() {
    let scenario = serde_json::json!({
        "network": {"latency": "1ms"},
        "producers": [{"destination": "queue://Q", "arrivals": {"at": ["0ms", "6ms"]}, "messages": 2}],
        "consumers": [{
            "destination": "queue://Q",
            "receive": {"receive": {"timeout": "1ms"}},
            "acknowledgeMode": "SESSION_TRANSACTED",
            "transaction": {"size": 9, "rollBack": [1], "commitWhenIdle": "5500us"},
        }],
        "until": "1100ms",
    });
    judge(&scenario).unwrap();
}
