//! ActiveMQ's own unit tests as scenarios: each file under `tests/activemq` is called after the class and the method,
//! says what that asserts, and expects the same.
//!
//! What was derived from the broker's source and is not asserted there is marked so in the description.

use std::fs;
use std::path::{Path, PathBuf};

use acksim::expect::{self, Watcher};
use acksim::judges::Judges;
use acksim::metrics::{Collector, RunEnd};
use acksim::reference::{Recorder, Reference};
use acksim::scenario;
use acksim::world::simulate;

/// Fewer mean that files got lost.
const LEAST: usize = 80;

/// All scenarios, in order.
fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/activemq");
    let entries = fs::read_dir(&folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the entry can be read").path());
    let mut scenarios: Vec<PathBuf> = paths
        .filter(|path| !path.to_string_lossy().ends_with(".reference.json"))
        .collect();
    scenarios.sort();
    scenarios
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().expect("a file has a stem");
    stem.to_string_lossy().into_owned()
}

/// What a run does not do as expected, what the judges say of it, and where it differs from its recording, if there
/// is one.
fn wrong(path: &Path) -> Vec<String> {
    let scenario = match scenario::read_file(path) {
        Ok(loaded) => loaded.scenario,
        Err(errors) => return vec![errors.to_string()],
    };
    let mut observers = (
        (Judges::new(&scenario), Recorder::new(&scenario)),
        (Collector::new(&scenario), Watcher::new(&scenario)),
    );
    let end = simulate(&scenario, &mut observers).expect("time goes on");
    let ((judges, recorder), (collector, watcher)) = observers;
    let breaches = judges.finish(end.ended_at, &end.messages);
    let mut wrong: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    let metrics = collector.finish(RunEnd {
        ended_at: end.ended_at,
        events: end.events,
        draws: None,
    });
    let metrics = serde_json::to_value(&metrics).expect("metrics can be written");
    let failures = expect::failures(&scenario, &metrics);
    wrong.extend(failures.iter().map(ToString::to_string));
    wrong.extend(watcher.finish().into_iter().map(|miss| miss.message));
    let recording = Reference::path_beside(path);
    if recording.exists() {
        let recording = Reference::read(&recording).expect("a recording can be read");
        let views = recorder.finish(end.ended_at, &end.messages);
        let differences = recording.differences(&views);
        wrong.extend(
            differences
                .iter()
                .map(|difference| format!("{difference:?}")),
        );
    }
    wrong
}

#[test]
fn what_activemqs_tests_assert_holds_here() {
    let scenarios = scenarios();
    let count = scenarios.len();
    assert!(count >= LEAST, "only {count} scenarios are there");
    let mut failed = 0;
    for path in scenarios {
        let wrong = wrong(&path);
        failed += usize::from(!wrong.is_empty());
        for what in wrong {
            println!("{}: {what}", stem(&path));
        }
    }
    assert_eq!(failed, 0, "of {count} scenarios");
}

#[test]
fn each_says_what_activemqs_test_asserts() {
    for path in scenarios() {
        let stem = stem(&path);
        let (class, method) = stem.split_once('-').expect("CLASS-METHOD");
        assert!(class.ends_with("Test"), "{stem} is called after no test");
        assert!(!method.is_empty(), "{stem} is called after no method");
        let scenario = scenario::read_file(&path)
            .unwrap_or_else(|errors| panic!("{errors}"))
            .scenario;
        assert!(
            scenario.description.contains('#') || scenario.description.contains(class),
            "{stem}"
        );
        assert!(!scenario.expect.is_empty(), "{stem} expects nothing");
    }
}
