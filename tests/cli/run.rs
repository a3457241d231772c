//! `acksim run`

use serde_json::Value;

use crate::place::{ORDERS, Place};

#[test]
fn a_run_prints_a_table_and_lists_its_files() {
    let place = Place::with("a.json", ORDERS);
    let done = place
        .acksim(&["run", "--no-charts", "a.json"])
        .exits(0)
        .says_nothing();
    done.prints("three orders for one worker")
        .prints("worker")
        .prints("output/a");
    assert_eq!(
        place.tree(),
        [
            "a.json",
            "output/",
            "output/a/",
            "output/a/.acksim",
            "output/a/metrics.json"
        ]
    );
}

#[test]
fn charts_are_written_as_svg_and_png() {
    let place = Place::with("a.json", ORDERS);
    place.acksim(&["run", "a.json"]).exits(0);
    let tree = place.tree();
    for kind in [".svg", ".png"] {
        assert!(tree.iter().any(|file| file.ends_with(kind)), "{tree:?}");
    }
}

#[test]
fn json_replaces_the_table_and_holds_the_metrics_of_every_file() {
    let place = Place::with("a.json", ORDERS).and("b.json", ORDERS);
    let done = place
        .acksim(&["run", "--json", "--no-charts", "a.json", "b.json"])
        .exits(0);
    let json = done.json();
    let names: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["scenario"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    let written: Value = serde_json::from_str(&place.text("output/b/metrics.json")).unwrap();
    assert_eq!(json[1]["metrics"], written);
    assert_eq!(written["consumers"]["worker"]["processed"], 3);
}

#[test]
fn json_of_nothing_that_ran_is_an_empty_list() {
    let done = Place::new()
        .acksim(&["run", "--json", "missing.json"])
        .exits(2);
    assert_eq!(done.json(), Value::Array(Vec::new()));
}

#[test]
fn no_files_writes_nothing() {
    let place = Place::with("a.json", ORDERS);
    place
        .acksim(&["run", "--no-files", "--trace", "a.json"])
        .exits(0)
        .says("--trace");
    assert_eq!(place.tree(), ["a.json"]);
}

#[test]
fn quiet_says_nothing_and_still_writes() {
    let place = Place::with("a.json", ORDERS);
    place
        .acksim(&["run", "-q", "--no-charts", "a.json"])
        .exits(0)
        .prints_nothing()
        .says_nothing();
    assert!(place.path("output/a/metrics.json").exists());
}

#[test]
fn a_trace_is_a_json_object_on_each_line() {
    let place = Place::with("a.json", ORDERS);
    place
        .acksim(&["run", "--trace", "--no-charts", "a.json"])
        .exits(0);
    let trace = place.text("output/a/trace.jsonl");
    assert!(trace.lines().count() > 10);
    for line in trace.lines() {
        assert!(
            serde_json::from_str::<Value>(line).unwrap().is_object(),
            "{line}"
        );
    }
}

#[test]
fn two_runs_write_the_same_bytes() {
    let place = Place::with("a.json", ORDERS);
    for folder in ["one", "two"] {
        place
            .acksim(&["run", "--trace", "-o", folder, "a.json"])
            .exits(0);
    }
    let files = |folder: &str| -> Vec<String> {
        let below = format!("{folder}/");
        let tree = place.tree();
        tree.iter()
            .filter_map(|file| file.strip_prefix(&below))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(files("one"), files("two"));
    for file in files("one")
        .iter()
        .filter(|file| !file.ends_with('/') && !file.is_empty())
    {
        let bytes = |folder: &str| std::fs::read(place.path(folder).join(file)).unwrap();
        assert!(bytes("one") == bytes("two"), "{file} differs");
    }
}

#[test]
fn the_seed_of_the_command_line_wins() {
    let random = ORDERS.replace("\"5ms\"", r#"{"exponential": {"mean": "5ms"}}"#);
    let place = Place::with("a.json", &random);
    let latency = |arguments: &[&str]| {
        let all = [&["run", "--json", "--no-files", "a.json"], arguments].concat();
        let json = place.acksim(&all).exits(0).json();
        (
            json[0]["metrics"]["run"]["seed"].clone(),
            json[0]["metrics"]["latencyMs"].clone(),
        )
    };
    let (seed, by_file) = latency(&[]);
    assert_eq!(seed, 1);
    assert_eq!(latency(&["--seed", "1"]).1, by_file);
    let (seed, other) = latency(&["--seed", "7"]);
    assert_eq!(seed, 7);
    assert_ne!(other, by_file);
}

#[test]
fn verbose_ends_with_the_speed() {
    let place = Place::with("a.json", ORDERS);
    let done = place
        .acksim(&["run", "-v", "--no-files", "a.json"])
        .exits(0);
    let last = done.stderr.lines().last().unwrap();
    let words: Vec<&str> = last.split_whitespace().collect();
    let [
        "events,",
        "3",
        "messages,",
        "wall",
        seconds,
        "s,",
        rate,
        "events/s",
    ] = words[1..]
    else {
        panic!("{last}");
    };
    assert!(words[0].parse::<u64>().unwrap() > 0);
    assert!(seconds.parse::<f64>().unwrap() > 0.0);
    assert!(rate.parse::<f64>().unwrap() > 0.0);
}

#[test]
fn audit_and_determinism_hold() {
    let place = Place::with("a.json", ORDERS);
    place
        .acksim(&[
            "run",
            "--audit",
            "--check-determinism",
            "--no-files",
            "a.json",
        ])
        .exits(0);
}

#[test]
fn a_name_does_not_command_the_terminal() {
    let named = ORDERS.replace("three orders", "\\u001b[2J\\u202ethree orders");
    let place = Place::with("a.json", &named);
    let done = place.acksim(&["run", "--no-files", "a.json"]).exits(0);
    assert!(
        !done.stdout.contains(['\u{1b}', '\u{202e}']),
        "{:?}",
        done.stdout
    );
}

#[test]
fn a_scenario_that_cannot_get_on_in_virtual_time_is_given_up() {
    let endless = r#"{"network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [{"name": "c", "destination": "queue://Q", "failures": [{"throw": {"messages": [1]}}],
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=-1&jms.redeliveryPolicy.initialRedeliveryDelay=0&jms.redeliveryPolicy.redeliveryDelay=0"}]}"#;
    let place = Place::with("endless.json", endless);
    place
        .acksim(&["run", "endless.json"])
        .exits(2)
        .says("error: endless: no progress: ")
        .says("give it a redelivery delay");
    assert_eq!(place.tree(), ["endless.json", "output/"]);
}
