//! Whatever stands in a file, reading it ends, and ends in a scenario or in errors.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::scenario::{read_bytes, resolve};

/// Reads bytes as a file, and shows whatever comes of it.
fn show(bytes: Vec<u8>) -> String {
    match read_bytes(bytes, "any.json", "any") {
        Ok(loaded) => {
            let notes = loaded.notes.iter().map(ToString::to_string);
            notes.chain([loaded.scenario.name]).collect()
        }
        Err(errors) => {
            assert!(!errors.list.is_empty());
            errors.to_string()
        }
    }
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name);
    fs::read_to_string(path).unwrap()
}

/// Valid files with many different keys.
fn valid_file() -> impl Strategy<Value = String> {
    select(vec![
        example("noted/options-without-effect.json"),
        example("noted/policy-attributes-without-effect.json"),
        example("noted/slips.json"),
        example("noted/restarts.json"),
        example("reference/transacted/transacted-commit-when-idle.json"),
        EVERYTHING.to_owned(),
    ])
}

const EVERYTHING: &str = r#"{"name": "all", "seed": 3, "until": "9s", "warmUp": "1s", "semantics": "article",
 "network": {"latency": {"mixture": [{"weight": 1, "of": {"uniform": {"min": "1ms", "max": "2ms"}}},
   {"weight": 2, "of": {"erlang": {"shape": 2, "mean": "1ms"}}}]}, "bytesPerSecond": "1mb"},
 "broker": {"url": "failover:(tcp://a:1?keepAlive=true,tcp://b:1)?jms.prefetchPolicy.all=3&randomize=false",
  "storeLatency": {"logNormal": {"median": "1ms", "p99": "9ms"}}, "restarts": [{"at": "1s", "downFor": "2s"}],
  "policies": {"queue://>": {"deadLetterStrategy": {"individual": {"queuePrefix": "D."}},
   "pendingMessageLimitStrategy": {"prefetchRate": 1.5}}, "topic://a.*": {"memoryLimit": "1mb"}},
  "redeliveryPlugin": {"redeliveryPolicy": {"maximumRedeliveries": -1}}},
 "producers": [{"name": "p", "destination": "topic://a.b?producer.windowSize=5", "arrivals": {"poisson": {"perSecond": 3}},
  "failures": [{"loseReply": {"messages": [1]}}], "transaction": {"size": 2, "rollBack": [1]}}],
 "consumers": [{"name": "c", "destination": "topic://a.b?consumer.priority=1", "durable": "d", "count": 2,
  "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"every": 2, "scope": "consumer"},
  "receive": {"receive": {"timeout": "5ms"}}, "deduplicate": {"window": 5},
  "failures": [{"throw": {"messages": ["p:1", 2]}}, {"crash": {"every": {"exponential": {"mean": "1s"}}}}]},
  {"destination": "queue://q", "session": "s", "connection": "x", "acknowledgeMode": "SESSION_TRANSACTED"}],
 "expect": {"messages.sent": {"min": 1}, "a": [1, "b"]}, "compare": {"vary": {"c.prefetchSize": [1]}, "replications": 3}}"#;

/// Pieces that mean something somewhere in a file.
fn piece() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "null",
        "true",
        "-1",
        "0",
        "1e400",
        "1e9",
        "9223372036854775808",
        "\"\"",
        "\"5ms\"",
        "\"-5ms\"",
        "\"99999999999h\"",
        "\"queue://\"",
        "\"queue://a.>\"",
        "?",
        "&",
        "%",
        "%4",
        "=",
        "(",
        ")",
        "failover:(",
        "tcp://",
        "consumer.",
        "jms.",
        "\u{0}",
        "é",
        "日本",
        "\n",
        "*",
        ">",
        "{}",
        "[]",
        "\"a\": 1, ",
        "🦀",
    ])
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        show(bytes);
    }

    #[test]
    fn any_text_in_a_destination_or_url(text in "\\PC{0,40}", piece in piece()) {
        let quoted = serde_json::to_string(&format!("{piece}{text}")).unwrap();
        show(format!(r#"{{"broker": {{"url": {quoted}}}, "producers": [{{"destination": {quoted}}}]}}"#).into());
        let inside = serde_json::to_string(&format!("queue://q?{piece}{text}")).unwrap();
        show(format!(r#"{{"consumers": [{{"destination": {inside}}}]}}"#).into());
        let option = serde_json::to_string(&format!("failover:({piece}{text})?jms.{text}")).unwrap();
        show(format!(r#"{{"consumers": [{{"destination": "queue://q", "url": {option}}}]}}"#).into());
    }

    #[test]
    fn pieces_put_into_a_valid_file(
        file in valid_file(),
        edits in proptest::collection::vec((any::<Index>(), 0_usize..8, piece()), 1..4),
    ) {
        let mut text: Vec<char> = file.chars().collect();
        for (at, removed, piece) in edits {
            let at = at.index(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, piece.chars());
        }
        show(text.into_iter().collect::<String>().into());
    }

    #[test]
    fn values_of_a_valid_file_replaced_by_others(file in valid_file(), at in any::<Index>(), piece in piece()) {
        // Every token in turn: what stands between two of these characters.
        let marks: Vec<usize> = file.match_indices(['{', '}', '[', ']', ',', ':']).map(|(at, _)| at).collect();
        let number = at.index(marks.len() - 1);
        let (from, to) = (marks[number] + 1, marks[number + 1]);
        show(format!("{}{piece}{}", &file[..from], &file[to..]).into());
    }

    #[test]
    fn any_setting(
        path in prop_oneof!["\\PC{0,30}", "(c|p|\\*|consumers|broker|network)\\.[a-z.0-9*]{0,20}",
            select(vec!["c.prefetchSize", "*.start", "broker.policies.topic://a.*.memoryLimit", "network.latency",
                "c.failures.1.crash.every.exponential.mean", "p.arrivals.every", "*.jms.sendTimeout"])
                .prop_map(str::to_owned)],
        value in prop_oneof!["\\PC{0,20}", piece().prop_map(str::to_owned)],
    ) {
        let loaded = read_bytes(EVERYTHING.into(), "any.json", "any").unwrap();
        match loaded.document.set(&path, &value).and_then(resolve) {
            Ok(loaded) => drop(loaded.notes),
            Err(errors) => drop(errors.to_string()),
        }
    }
}

#[test]
fn the_example_with_everything_is_valid() {
    assert!(read_bytes(EVERYTHING.into(), "any.json", "any").is_ok());
}

#[test]
fn a_hundred_thousand_brackets_are_an_error() {
    for bracket in ["[", "{\"a\":", "[{\"a\":"] {
        assert!(show(bracket.repeat(100_000).into()).contains("nested deeper than 64 levels"));
    }
}
