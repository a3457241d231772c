//! `acksim check`

use crate::place::{ORDERS, Place};

fn expecting(expectations: &str) -> String {
    ORDERS.replacen('{', &format!("{{\"expect\": {{\n{expectations}\n}},"), 1)
}

#[test]
fn expectations_that_hold_exit_with_0() {
    let place = Place::with("a.json", &expecting("\"messages.acknowledged\": 3"));
    place.acksim(&["check", "a.json"]).exits(0).says_nothing();
    assert_eq!(place.tree(), ["a.json"]);
}

#[test]
fn a_failed_expectation_names_its_place_and_the_value_found() {
    let place = Place::with("a.json", &expecting("  \"messages.acknowledged\": 4"));
    let done = place.acksim(&["check", "a.json"]).exits(1);
    done.prints("a.json:2:")
        .prints("messages.acknowledged")
        .prints("3");
}

#[test]
fn what_cannot_be_run_counts_more_than_what_failed() {
    let place = Place::with("a.json", &expecting("\"messages.lost\": 1")).and("b.json", "{");
    place
        .acksim(&["check", "a.json", "b.json"])
        .exits(2)
        .prints("messages.lost")
        .says("b.json:1");
}

#[test]
fn junit_holds_every_expectation() {
    let failing = expecting("\"messages.sent\": 3,\n\"messages.acknowledged\": {\"min\": 4}");
    let place = Place::with("a.json", &failing)
        .and("b.json", "{")
        .and("c.json", ORDERS);
    let arguments = [
        "check",
        "a.json",
        "b.json",
        "c.json",
        "--junit",
        "report.xml",
    ];
    place.acksim(&arguments).exits(2);
    let report = place.text("report.xml");
    assert!(
        report.contains("tests=\"4\" failures=\"1\" errors=\"1\""),
        "{report}"
    );
    assert!(
        report.contains("name=\"messages.acknowledged\""),
        "{report}"
    );
}

#[test]
fn annotations_are_as_github_reads_them() {
    let place = Place::with("a.json", &expecting("\"messages.acknowledged\": 4"));
    let done = place.acksim(&["check", "--annotations", "a.json"]).exits(1);
    done.prints("::error file=a.json,line=2,col=");
}

#[test]
fn json_lists_what_was_found() {
    let place = Place::with("a.json", &expecting("\"messages.acknowledged\": 4"));
    let json = place.acksim(&["check", "--json", "a.json"]).exits(1).json();
    assert_eq!(json["failed"][0]["scenario"], "a");
    assert_eq!(json["failed"][0]["path"], "messages.acknowledged");
    assert_eq!(json["failed"][0]["found"], 3);
}

#[test]
fn what_happens_during_the_run_is_tested_too() {
    let during = "\"always\": {\"messages.sent\": {\"max\": 2}},
\"sometimes\": {\"messages.sent\": 2, \"messages.redeliveries\": {\"min\": 1}}";
    let place = Place::with("a.json", &expecting(during));
    let arguments = ["check", "--annotations", "a.json", "--junit", "report.xml"];
    let done = place.acksim(&arguments).exits(1);
    done.prints("a: 2 of 3 expectations")
        .prints("a.json:2:12: messages.sent was not always at most 2: at ")
        .prints("the number of messages sent was 3, when orders:3 was sent")
        .prints("a.json:3:35: messages.redeliveries was never at least 1: it was 0 throughout")
        .prints("::error file=a.json,line=3,col=35::");
    let report = place.text("report.xml");
    assert!(report.contains("tests=\"3\" failures=\"2\""), "{report}");
    assert!(report.contains("name=\"always messages.sent\""), "{report}");
}
