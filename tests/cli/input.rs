//! Which files are read, and what is said about those that cannot be.

use crate::place::{ORDERS, Place};

#[test]
fn a_scenario_may_come_from_standard_input() {
    let place = Place::new();
    let done = place
        .acksim_reading(&["run", "--json", "--no-files", "-"], ORDERS)
        .exits(0);
    assert_eq!(done.json()[0]["metrics"]["messages"]["sent"], 3);
}

#[test]
fn a_directory_means_all_its_scenarios_in_order_of_path() {
    let place = Place::with("all/b.json", ORDERS)
        .and("all/a/z.json", ORDERS)
        .and("all/a/z.reference.json", "not read")
        .and("all/readme.md", "not read");
    let done = place
        .acksim(&["run", "--json", "--no-files", "all"])
        .exits(0);
    let json = done.json();
    let names: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["scenario"])
        .collect();
    assert_eq!(names, ["z", "b"]);
}

#[test]
fn results_below_a_directory_are_no_scenarios() {
    let place = Place::with("a.json", ORDERS);
    for _ in 0..2 {
        place.acksim(&["run", "--no-charts", "."]).exits(0);
    }
}

#[test]
fn what_cannot_be_read_is_an_error_with_exit_2() {
    let place = Place::with("empty/readme.md", "");
    std::fs::write(place.path("latin1.json"), b"{\n\"description\": \"\xe9\"}").unwrap();
    std::fs::write(place.path("utf16.json"), b"\xff\xfe{\0}\0").unwrap();
    for (file, message) in [
        ("missing.json", "missing.json: there is no such file"),
        ("empty", "no scenario (*.json) below empty"),
        ("latin1.json", "latin1.json: is not UTF-8"),
        ("utf16.json", "utf16.json: is UTF-16"),
    ] {
        for command in ["run", "check", "verify"] {
            place.acksim(&[command, file]).exits(2).says(message);
        }
    }
    assert!(!place.path("output").exists());
}

#[test]
fn an_endless_file_is_refused() {
    let done = Place::new().acksim(&["check", "/dev/zero"]);
    done.exits(2).says("/dev/zero: is larger than");
}

#[test]
fn a_file_that_cannot_be_run_keeps_no_other_from_running() {
    let place = Place::with("a.json", "{").and("b.json", ORDERS);
    let done = place
        .acksim(&["run", "--no-charts", "a.json", "b.json"])
        .exits(2);
    done.says("a.json:1").prints("three orders for one worker");
    assert!(place.path("output/b/metrics.json").exists());
    assert!(!place.path("output/a").exists());
}
