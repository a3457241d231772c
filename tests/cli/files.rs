//! What is on the disk afterwards, whatever a scenario calls itself and whatever was there before.

use std::fs;

use crate::place::{ORDERS, Place};

fn named(name: &str) -> String {
    ORDERS.replacen('{', &format!("{{\"name\": {},", serde_json::json!(name)), 1)
}

#[test]
fn nothing_is_written_outside_the_output_directory() {
    for name in [
        "../x",
        "/tmp/acksim-was-here",
        "..",
        ".",
        "a/../../b",
        "C:\\x",
        "nul",
        "a\0b",
    ] {
        let place = Place::with("in/a.json", &named(name));
        let done = place.acksim(&["run", "--no-charts", "-o", "in/out", "in/a.json"]);
        let outside: Vec<String> = place
            .tree()
            .into_iter()
            .filter(|path| !path.starts_with("in/out"))
            .collect();
        assert_eq!(outside, ["in/", "in/a.json"], "{name:?}");
        if done.code == 0 {
            done.says("note:");
            let folders = fs::read_dir(place.path("in/out")).unwrap().count();
            assert_eq!(folders, 1, "{name:?}");
        } else {
            done.exits(2);
        }
    }
}

#[test]
fn a_name_of_ten_thousand_characters_is_no_trouble() {
    let place = Place::with("a.json", &named(&"n".repeat(10_000)));
    let done = place.acksim(&["run", "--no-charts", "a.json"]);
    assert!(done.code == 0 || done.code == 2, "{done:?}");
    assert!(
        done.stdout.lines().all(|line| line.len() < 1000),
        "{}",
        done.stdout
    );
}

#[test]
fn two_scenarios_of_one_name_get_two_folders() {
    let place = Place::with("a.json", &named("same")).and("b.json", &named("same"));
    let done = place
        .acksim(&["run", "--no-charts", "a.json", "b.json"])
        .exits(0);
    done.says("same-2");
    assert!(place.path("output/same/metrics.json").exists());
    assert!(place.path("output/same-2/metrics.json").exists());
}

#[test]
fn a_second_run_replaces_the_first_and_leaves_what_is_yours() {
    let place = Place::with("a.json", ORDERS);
    place
        .acksim(&["run", "--no-charts", "--trace", "a.json"])
        .exits(0);
    fs::write(place.path("output/a/notes.md"), "mine").unwrap();
    place.acksim(&["run", "--no-charts", "a.json"]).exits(0);
    let files: Vec<String> = place
        .tree()
        .into_iter()
        .filter(|path| path.starts_with("output/a/"))
        .collect();
    assert_eq!(
        files,
        [
            "output/a/",
            "output/a/.acksim",
            "output/a/metrics.json",
            "output/a/notes.md"
        ]
    );
    assert_eq!(place.text("output/a/notes.md"), "mine");
}

#[test]
fn a_foreign_file_is_never_overwritten() {
    let place = Place::with("a.json", ORDERS).and("output/a/metrics.json", "mine");
    let done = place.acksim(&["run", "--no-charts", "a.json"]).exits(2);
    done.says("was not written by acksim");
    assert_eq!(place.text("output/a/metrics.json"), "mine");
    assert_eq!(
        place.tree(),
        ["a.json", "output/", "output/a/", "output/a/metrics.json"]
    );
}

#[test]
fn an_output_directory_that_cannot_be_is_an_error() {
    let place = Place::with("a.json", ORDERS).and("file", "");
    place
        .acksim(&["run", "--no-charts", "-o", "file", "a.json"])
        .exits(2)
        .says("file can be no directory");
}

#[test]
fn nothing_is_written_for_a_scenario_that_cannot_run() {
    let place = Place::with("a.json", "{\"producer\": []}");
    place
        .acksim(&["run", "a.json"])
        .exits(2)
        .prints_nothing()
        .says("a.json:1:2");
    assert_eq!(place.tree(), ["a.json"]);
}
