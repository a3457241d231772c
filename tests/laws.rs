//! Every recorded scenario, every measured one and the gallery are judged, the recorded ones by all
//! sets of rules: no law that holds for all runs may be broken.

use std::fs;
use std::path::{Path, PathBuf};

use acksim::judges::Judges;
use acksim::scenario::{self, Semantics};
use acksim::world::simulate;

fn scenarios(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(below)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(scenarios(&path));
        } else if name.ends_with(".json") && !name.ends_with(".reference.json") {
            found.push(path);
        }
    }
    found
}

fn judge(path: &Path, semantics: Semantics) -> Vec<String> {
    let mut scenario = scenario::read_file(path).unwrap().scenario;
    scenario.semantics = semantics;
    let mut judges = Judges::new(&scenario);
    let end = simulate(&scenario, &mut judges).unwrap();
    let found = judges.finish(end.ended_at, &end.messages);
    found
        .iter()
        .map(|breach| format!("{}: {breach}", scenario.name))
        .collect()
}

fn judge_all(folder: &str, semantics: Semantics) {
    let below = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let scenarios = scenarios(&below);
    assert!(scenarios.len() > 40, "the scenarios are there");
    let found: Vec<String> = scenarios
        .iter()
        .flat_map(|path| judge(path, semantics))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn recorded_scenarios_break_no_law() {
    judge_all("tests/reference", Semantics::ActiveMq5_17);
}

#[test]
fn recorded_scenarios_break_no_law_by_the_rules_of_activemq_6() {
    judge_all("tests/reference", Semantics::ActiveMq6);
}

#[test]
fn recorded_scenarios_break_no_law_by_the_rules_of_the_article() {
    judge_all("tests/reference", Semantics::Article);
}

#[test]
fn measured_scenarios_break_no_law() {
    judge_all("tests/accuracy/scenarios", Semantics::ActiveMq5_17);
}

#[test]
fn the_gallery_breaks_no_law() {
    judge_all("scenarios", Semantics::ActiveMq5_17);
}
