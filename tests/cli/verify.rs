//! `acksim verify`

use crate::place::{ORDERS, Place};

/// What the broker does with [`ORDERS`]; `delivered` may be made wrong.
fn reference(delivered: &str) -> String {
    format!(
        r#"{{
  "scenario": "a",
  "recordedWith": "ActiveMQ 5.17.2",
  "compare": ["delivered"],
  "consumers": {{"worker": {{
    "acks": [],
    "delivered": {delivered},
    "dispatched": []
  }}}},
  "broker": [],
  "outcome": {{"acknowledged": [], "deadLettered": [], "expired": [], "discarded": [],
              "remaining": [], "slow": []}}
}}"#
    )
}

#[test]
fn scenarios_are_matched_differing_or_skipped() {
    let right = r#"["orders:1", "orders:2", "orders:3"]"#;
    let wrong = r#"["orders:1", "orders:3", "orders:2"]"#;
    let place = Place::with("right.json", ORDERS)
        .and("right.reference.json", &reference(right))
        .and("wrong.json", ORDERS)
        .and("wrong.reference.json", &reference(wrong))
        .and("none.json", ORDERS);
    let done = place.acksim(&["verify", "."]).exits(1);
    done.prints("right").prints("orders:3").prints("orders:2");
    let json = place.acksim(&["verify", "--json", "."]).exits(1).json();
    assert_eq!(json["matched"], serde_json::json!(["right"]));
    assert_eq!(json["skipped"], serde_json::json!(["none"]));
    let difference = &json["differing"][0];
    assert_eq!(difference["scenario"], "wrong");
    assert!(
        difference["view"].as_str().unwrap().contains("delivered"),
        "{difference}"
    );
    assert!(difference["position"].is_number());
    assert_eq!(difference["broker"], "orders:3");
    assert_eq!(difference["simulator"], "orders:2");
    place
        .acksim(&["verify", "right.json", "none.json"])
        .exits(0);
}

#[test]
fn a_reference_that_cannot_be_read_is_an_error() {
    let place = Place::with("a.json", ORDERS).and("a.reference.json", "{");
    place
        .acksim(&["verify", "a.json"])
        .exits(2)
        .says("a.reference.json");
}
