//! The JSON Schema against the reader.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scenario::schema;

/// Enough of JSON Schema for this one: all but patterns. What is wrong, or nothing.
fn fault(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        return fault(root, target, value, at);
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let faults: Option<Vec<String>> = alternatives
            .iter()
            .map(|schema| fault(root, schema, value, at))
            .collect();
        return faults.map(|faults| faults.join(" and "));
    }
    if let Some(choices) = schema["enum"].as_array() {
        return (!choices.contains(value)).then(|| format!("{at} is none of the choices"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => return object_fault(root, schema, value, at),
        Some("array") => return list_fault(root, schema, value, at),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        _ => true,
    };
    let number = value.as_f64();
    let above = |key: &str| {
        schema[key]
            .as_f64()
            .zip(number)
            .is_some_and(|(bound, it)| it > bound)
    };
    let below = |key: &str| {
        schema[key]
            .as_f64()
            .zip(number)
            .is_some_and(|(bound, it)| it < bound)
    };
    let in_range = !above("maximum") && !below("minimum");
    (!fits || !in_range).then(|| format!("{at} has the wrong type or is out of range"))
}

fn object_fault(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let Some(members) = value.as_object() else {
        return Some(format!("{at} is no object"));
    };
    for (key, value) in members {
        let at = format!("{at}.{key}");
        let property = match (&schema["properties"][key], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => return Some(format!("{at} is unknown")),
            (Value::Null, other) => other,
            (known, _) => known,
        };
        if let Some(fault) = fault(root, property, value, &at) {
            return Some(fault);
        }
    }
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required
        .filter_map(Value::as_str)
        .find(|key| !members.contains_key(*key));
    let at_most = schema["maxProperties"].as_u64().unwrap_or(u64::MAX);
    let at_least = schema["minProperties"].as_u64().unwrap_or(0);
    match missing {
        Some(key) => Some(format!("{at}.{key} is missing")),
        None if (members.len() as u64) > at_most || (members.len() as u64) < at_least => {
            Some(format!("{at} has {} keys", members.len()))
        }
        None => None,
    }
}

fn list_fault(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let Some(elements) = value.as_array() else {
        return Some(format!("{at} is no list"));
    };
    if (elements.len() as u64) < schema["minItems"].as_u64().unwrap_or(0) {
        return Some(format!("{at} is too short"));
    }
    let mut faults = elements
        .iter()
        .map(|element| fault(root, &schema["items"], element, at));
    faults.find_map(|fault| fault)
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, found);
        } else if name.ends_with(".json") && !name.ends_with(".reference.json") {
            found.push(path);
        }
    }
}

fn below(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(directory),
        &mut found,
    );
    found.sort();
    found
}

fn fault_of(schema: &Value, path: &Path) -> Option<String> {
    let value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    fault(schema, schema, &value, "file")
}

#[test]
fn recorded_scenarios_fit_the_schema() {
    let schema = schema();
    let mut paths = below("tests/reference");
    paths.extend(below("tests/noted"));
    assert!(paths.len() > 100);
    for path in paths {
        assert_eq!(fault_of(&schema, &path), None, "{}", path.display());
    }
}

/// Files with a wrong key or type are refused by the schema, too. Patterns and decimal places are
/// not looked at.
#[test]
fn misshapen_files_do_not_fit_the_schema() {
    let schema = schema();
    let beyond_types = [
        "duration",
        "negative",
        "zero-ms",
        "number-too-large",
        "name-with-path",
        "size-with",
        "size-beyond",
        "timeout-zero",
        "beyond-64-bits",
    ];
    for path in below("tests/bad") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let typed = !beyond_types.iter().any(|part| name.contains(part));
        if name.starts_with("shape-") && (typed || name.contains("number-for")) {
            assert!(fault_of(&schema, &path).is_some(), "{name}");
        }
    }
}

#[test]
fn the_schema_tells_defaults_and_meaning() {
    let schema = schema();
    let consumer = &schema["$defs"]["consumer"]["properties"];
    assert_eq!(consumer["acknowledgeMode"]["default"], "AUTO_ACKNOWLEDGE");
    assert_eq!(consumer["count"]["default"], 1);
    assert_eq!(
        schema["properties"]["network"]["properties"]["latency"]["default"],
        "100us"
    );
    let effect =
        schema["$defs"]["policy"]["properties"]["advisoryWhenFull"]["description"].as_str();
    assert_eq!(effect, Some("Without effect: advisories are not modelled."));
    assert_eq!(
        schema["$defs"]["consumer"]["required"],
        serde_json::json!(["destination"])
    );
}

/// Every default of the schema is what leaving the key out means: writing it out changes nothing.
#[test]
fn defaults_of_the_schema_are_those_of_the_reader() {
    let schema = schema();
    let defaults = |object: &Value| -> serde_json::Map<String, Value> {
        let properties = object["properties"].as_object().unwrap().iter();
        let given =
            properties.filter_map(|(key, it)| Some((key.clone(), it.get("default")?.clone())));
        given.collect()
    };
    let client = |name: &str, more: Value| {
        let mut written = defaults(&schema["$defs"][name]);
        written.extend(more.as_object().unwrap().clone());
        (written, more)
    };
    let producer = client(
        "producer",
        serde_json::json!({"destination": "queue://q", "messages": 1}),
    );
    let (mut consumer, bare) = client("consumer", serde_json::json!({"destination": "queue://q"}));
    // These would contradict the mode, which has its default as well.
    for key in ["acknowledge", "transaction"] {
        consumer.remove(key);
    }
    let mut file = defaults(&schema);
    let policy = defaults(&schema["$defs"]["policy"]);
    let broker = defaults(&schema["properties"]["broker"]);
    let mut with_policy = broker.clone();
    with_policy.insert(
        "policies".to_owned(),
        serde_json::json!({"queue://q": policy}),
    );
    file.insert(
        "network".to_owned(),
        defaults(&schema["properties"]["network"]).into(),
    );
    file.insert("broker".to_owned(), with_policy.into());
    file.insert("producers".to_owned(), serde_json::json!([producer.0]));
    file.insert("consumers".to_owned(), serde_json::json!([consumer]));
    let bare = serde_json::json!({"broker": {"policies": {"queue://q": {}}},
        "producers": [producer.1], "consumers": [bare]});
    let mut written = super::scenario(&Value::Object(file).to_string());
    let implied = super::scenario(&bare.to_string());
    for destination in &mut written.destinations {
        // The default strategy is shared with everybody; the same one written out is the entry's
        // own.
        destination.policy.dead_letter_strategy.audit = 0;
    }
    assert_eq!(written, implied);
}
