//! The page about the format against the reader.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::scenario;
use crate::scenario::options::{CONSUMER, Effect, FAILOVER, JMS, PRODUCER};
use crate::scenario::schema;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario-format.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_example_of_the_page_is_valid() {
    let page = page();
    let blocks: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 4);
    for block in blocks {
        scenario(block);
    }
}

/// All keys that a schema names, but for those without effect.
fn keys(schema: &Value, found: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        let used = |value: &Value| {
            !value["description"]
                .as_str()
                .unwrap_or("")
                .starts_with("Without")
        };
        found.extend(
            properties
                .iter()
                .filter(|(_, it)| used(it))
                .map(|(key, _)| key.clone()),
        );
    }
    match schema {
        Value::Object(members) => members.values().for_each(|value| keys(value, found)),
        Value::Array(elements) => elements.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_key_is_on_the_page() {
    let page = page();
    let mut found = Vec::new();
    keys(&schema(), &mut found);
    assert!(found.len() > 150);
    for key in found {
        let quoted = [format!("`{key}`"), format!("\"{key}\"")];
        assert!(quoted.iter().any(|it| page.contains(it)), "{key}");
    }
}

#[test]
fn every_option_that_is_used_is_on_the_page() {
    let page = page();
    let all = [JMS, CONSUMER, PRODUCER, FAILOVER].into_iter().flatten();
    for option in all.filter(|option| option.effect == Effect::Used) {
        let last = option.name.rsplit('.').next().unwrap();
        assert!(page.contains(&format!("`{last}`")), "{}", option.name);
    }
}
