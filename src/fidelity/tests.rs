//! The ledger is complete, true and up to date.

mod ledger;
mod page;
mod tree;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ledger::{Row, State, ledger};
use tree::{Place, marks_of_code, marks_of_tests, root};

use crate::reference::{Recorder, Reference};
use crate::scenario;
use crate::world::simulate;

thread_local! {
    static FOLLOWED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes that a rule was followed.
pub(crate) fn follow(rule: &'static str) {
    FOLLOWED.with_borrow_mut(|followed| followed.insert(rule));
}

/// A recording of the real broker that the simulator matches, and the rules that it followed for it.
struct Exercise {
    /// From the root: `tests/reference/auto/plain.json`.
    file: String,
    rules: BTreeSet<&'static str>,
}

/// All recordings; those that exercise few rules first, for they show these best.
fn exercises() -> Vec<Exercise> {
    let mut files = Vec::new();
    recorded(&root().join("tests/reference"), &mut files);
    recorded(&root().join("scenarios"), &mut files);
    let mut exercises: Vec<Exercise> = files.iter().filter_map(|file| exercise(file)).collect();
    exercises.sort_by_key(|exercise| exercise.rules.len());
    exercises
}

fn recorded(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            recorded(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && Reference::path_beside(&path).exists()
        {
            found.push(path);
        }
    }
}

/// None where the simulator does not do what the broker did.
fn exercise(file: &Path) -> Option<Exercise> {
    FOLLOWED.take();
    let scenario = scenario::read_file(file).ok()?.scenario;
    let mut recorder = Recorder::new(&scenario);
    let end = simulate(&scenario, &mut recorder).ok()?;
    let views = recorder.finish(end.ended_at, &end.messages);
    let reference = Reference::read(&Reference::path_beside(file)).ok()?;
    let name = file.strip_prefix(root()).expect("below the root");
    reference.differences(&views).is_empty().then(|| Exercise {
        file: name.to_string_lossy().replace('\\', "/"),
        rules: FOLLOWED.take(),
    })
}

#[test]
fn every_row_is_well_formed() {
    let mut names = BTreeSet::new();
    for row in ledger() {
        assert!(names.insert(row.name), "{} stands twice", row.name);
        assert!(row.sentence.ends_with('.'), "{} says nothing", row.name);
        let is_method = |citation: &&str| {
            let (class, method) = citation.split_once('.').unwrap_or_default();
            class.starts_with(|c: char| c.is_ascii_uppercase())
                && method.starts_with(|c: char| c.is_ascii_lowercase() || c == '<')
        };
        for citation in &row.cited {
            assert!(is_method(&citation.as_str()), "{}: {citation}", row.name);
        }
    }
}

/// What the marks of a kind name, against the rows that need one.
fn assert_marks_fit(marks: &BTreeMap<String, Vec<Place>>, kind: &str) {
    let rows = ledger();
    let mut faults = Vec::new();
    for (name, places) in marks {
        match rows.iter().find(|row| row.name == *name) {
            None => faults.push(format!("{}: no row for the rule {name}", places[0].file)),
            Some(row) if row.state == State::Absent => {
                faults.push(format!("{}: {name} is said to be absent", places[0].file));
            }
            Some(_) => {}
        }
    }
    let needs = |row: &&Row| row.state != State::Absent && !marks.contains_key(row.name);
    faults.extend(
        rows.iter()
            .filter(needs)
            .map(|row| format!("no {kind} for {}", row.name)),
    );
    assert!(
        faults.is_empty(),
        "src/fidelity/rules.txt:\n{}",
        faults.join("\n")
    );
}

#[test]
fn every_rule_in_the_code_has_a_row_and_every_row_has_code() {
    assert_marks_fit(&marks_of_code(), "rule!(…) in src");
}

#[test]
fn every_row_has_a_test() {
    assert_marks_fit(&marks_of_tests(), "/// Rule: … at a test");
}

/// The model's doc comments cite the methods that they follow: each belongs to a rule.
#[test]
fn every_method_that_the_model_cites_belongs_to_a_rule() {
    let rows = ledger();
    let known: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| &row.cited)
        .map(String::as_str)
        .collect();
    let cited = tree::methods_cited_by_the_model();
    let missing: Vec<&String> = cited
        .iter()
        .filter(|method| !known.contains(method.as_str()))
        .collect();
    assert!(missing.is_empty(), "no rule cites {missing:?}");
}

#[test]
fn what_is_said_to_be_recorded_is_and_nothing_else() {
    let exercises = exercises();
    let mut faults = Vec::new();
    for row in ledger() {
        let recorded = exercises
            .iter()
            .find(|exercise| exercise.rules.contains(row.name));
        match (row.state, recorded) {
            (State::Recorded, None) => {
                faults.push(format!("{}: no recording exercises it", row.name))
            }
            (State::Derived, Some(exercise)) => {
                faults.push(format!("{}: recorded by {}", row.name, exercise.file));
            }
            _ => {}
        }
    }
    assert!(
        faults.is_empty(),
        "src/fidelity/rules.txt:\n{}",
        faults.join("\n")
    );
}

/// With `UPDATE_DOCS=1` in the environment this test rewrites the page.
#[test]
fn the_page_is_up_to_date() {
    let page = page::page(&ledger(), &exercises(), &marks_of_code(), &marks_of_tests());
    let path = root().join("docs/fidelity.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("it can be written");
    }
    let shown = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        shown == page,
        "UPDATE_DOCS=1 cargo test --lib fidelity rewrites docs/fidelity.md"
    );
}
