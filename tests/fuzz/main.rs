//! Input that nobody would write: files of the gallery and of the recordings, damaged, and arbitrary scenarios through
//! everything that `acksim run` does with them. Each ends within two seconds, without a panic.
//!
//! A test run tries a few, always the same. For more, or others:
//!
//! ```text
//! PROPTEST_CASES=300000 PROPTEST_RNG_SEED=7 cargo test --test fuzz damaged
//! PROPTEST_CASES=10000 PROPTEST_RNG_SEED=7 cargo test --test fuzz arbitrary
//! ```

mod damage;
#[path = "../judged/scenarios.rs"]
mod scenarios;

use std::time::{Duration, Instant};

use acksim::charts;
use acksim::metrics;
use acksim::output::Folder;
use acksim::scenario::{self, Loaded};
use acksim::trace::Trace;
use acksim::world::simulate;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

/// What an answer may take.
const LONGEST: Duration = Duration::from_secs(2);

/// So often it may take longer.
const ATTEMPTS: u32 = 5;

/// So many cases, and the same ones each time, unless the environment says otherwise.
fn config(cases: u32) -> ProptestConfig {
    let from_environment = ProptestConfig::default();
    let is_set = |variable: &str| std::env::var_os(variable).is_some();
    ProptestConfig {
        cases: if is_set("PROPTEST_CASES") {
            from_environment.cases
        } else {
            cases
        },
        rng_seed: match is_set("PROPTEST_RNG_SEED") {
            true => from_environment.rng_seed,
            false => RngSeed::Fixed(1),
        },
        failure_persistence: None,
        ..from_environment
    }
}

/// Does it, and holds it to its time; again if that was too long, for the machine may have been busy.
fn in_time<T>(what: &str, act: impl Fn() -> T) -> Result<T, TestCaseError> {
    for _ in 0..ATTEMPTS {
        #[expect(
            clippy::disallowed_methods,
            reason = "the time of the machine is what is tested"
        )]
        let begun = Instant::now();
        let done = act();
        if begun.elapsed() < LONGEST {
            return Ok(done);
        }
    }
    Err(TestCaseError::fail(format!("takes too long: {what}")))
}

fn tries<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    if let Err(failure) = TestRunner::new(config(cases)).run(strategy, test) {
        panic!("{failure}");
    }
}

#[test]
fn damaged_files_are_read_or_refused() {
    tries(2_000, &damage::damaged_file(), |bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let told = in_time(&text, || {
            match scenario::read_bytes(bytes.clone(), "damaged.json", "damaged") {
                Ok(loaded) => loaded.notes.iter().map(ToString::to_string).collect(),
                Err(errors) => {
                    assert!(!errors.list.is_empty());
                    errors.to_string()
                }
            }
        })?;
        let is_harmless = |c: char| c == '\n' || !c.is_control();
        prop_assert!(told.chars().all(is_harmless), "{told:?}");
        Ok(())
    });
}

#[test]
fn arbitrary_scenarios_go_through_everything() {
    tries(20, &scenarios::scenario(), |json| {
        let text = serde_json::to_string_pretty(&json).expect("plain data");
        in_time(&text, || {
            let bytes = text.clone().into_bytes();
            let loaded = scenario::read_bytes(bytes, "arbitrary.json", "arbitrary");
            run(&loaded.unwrap_or_else(|errors| panic!("{errors}")));
        })
    });
}

/// What `acksim run --trace` does with a scenario.
fn run(loaded: &Loaded) {
    let place = tempfile::tempdir().expect("a folder");
    let scenario = &loaded.scenario;
    let mut folder = Folder::create(place.path(), &scenario.name).expect("a folder");
    let trace = Trace::new(scenario, folder.open("trace.jsonl").expect("a file"));
    let mut watching = (charts::Recorder::new(scenario), trace);
    let end = simulate(scenario, &mut watching).expect("time goes on");
    let (recorder, trace) = watching;
    trace.finish().expect("it is written");
    let (metrics, charts) = recorder.finish(metrics::RunEnd {
        ended_at: end.ended_at,
        events: end.events,
        draws: None,
    });
    let metrics = serde_json::to_vec_pretty(&metrics).expect("plain data");
    folder
        .write("metrics.json", &metrics)
        .expect("it is written");
    charts.write(&mut |name, bytes| folder.write(name, &bytes).expect("it is written"));
    assert!(folder.publish().expect("it appears").len() > 10);
}
