//! What a scenario file comes to, chapter by chapter, with expected values as literals.

mod clients;
mod destinations;
mod docs;
mod precedence;
mod robustness;
mod schema;
mod settings;
mod sharing;
mod values;

use super::{Loaded, Scenario, Source, read};

/// Reads a text that must be a valid scenario.
fn load(text: &str) -> Loaded {
    try_load(text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn try_load(text: &str) -> Result<Loaded, String> {
    let source = Source {
        name: "test.json".to_owned(),
        text: text.to_owned(),
    };
    read(&source, "test").map_err(|errors| errors.to_string())
}

/// The first line of what a text that is no valid scenario is refused with.
fn refusal(text: &str) -> String {
    let message = try_load(text).expect_err("this should be refused");
    message.lines().next().unwrap_or_default().to_owned()
}

fn scenario(text: &str) -> Scenario {
    load(text).scenario
}

/// A scenario with one consumer of `queue://q`, to whose entry these keys are added.
fn consumer(keys: &str) -> Scenario {
    let separator = if keys.is_empty() { "" } else { ", " };
    let destination = match keys.contains("\"destination\"") {
        true => "",
        false => ", \"destination\": \"queue://q\"",
    };
    scenario(&format!(
        r#"{{"until": "1s", "consumers": [{{"name": "c"{destination}{separator}{keys}}}]}}"#
    ))
}

fn texts(loaded: &Loaded) -> Vec<String> {
    loaded
        .notes
        .iter()
        .map(|note| note.message.clone())
        .collect()
}
