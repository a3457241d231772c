//! `expect`: assertions of a scenario about the metrics of its run (chapter 8 of the format).
//!
//! A path names a value of `metrics.json` by its keys, joined by dots:
//! `consumers.worker.processed`. Names of the scenario may contain dots themselves
//! (`destinations.queue://a.b.depth`); at each step the longest key that fits is meant. `null`, a
//! value where nothing happened, fits `null` only. What must hold during the run is watched by
//! [`Watcher`].

mod watcher;
mod words;

use std::fmt;

use serde_json::Value;

use crate::scenario::{Check, Expectation, Scenario};

pub use watcher::{Miss, Watcher};

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure<'a> {
    /// Which.
    pub expectation: &'a Expectation,
    /// What stands there instead; none if the metrics have no such path.
    pub found: Option<Value>,
    /// The nearest path that there is, where there is no such one.
    pub nearest: Option<String>,
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.expectation.path;
        match (&self.found, &self.nearest) {
            (Some(found), _) => {
                write!(
                    f,
                    "{path} is {}, expected {}",
                    brief(found),
                    wanted(&self.expectation.check)
                )
            }
            (None, Some(nearest)) => {
                write!(f, "the metrics have no `{path}`; did you mean `{nearest}`?")
            }
            (None, None) => write!(f, "the metrics have no `{path}`"),
        }
    }
}

/// All expectations of a scenario that do not hold, in the order of the file. `metrics` is
/// `metrics.json`.
pub fn failures<'a>(scenario: &'a Scenario, metrics: &Value) -> Vec<Failure<'a>> {
    scenario
        .expect
        .iter()
        .filter_map(|expectation| failure(expectation, metrics))
        .collect()
}

fn failure<'a>(expectation: &'a Expectation, metrics: &Value) -> Option<Failure<'a>> {
    let Some(found) = lookup(metrics, &expectation.path) else {
        return Some(Failure {
            expectation,
            found: None,
            nearest: nearest(metrics, &expectation.path),
        });
    };
    (!holds(&expectation.check, found)).then(|| Failure {
        expectation,
        found: Some(found.clone()),
        nearest: None,
    })
}

/// The value at a path; none if there is none.
pub fn lookup<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    let keys = value.as_object()?;
    let mut fitting: Vec<(&String, &str)> = keys
        .keys()
        .filter_map(|key| Some((key, path.strip_prefix(key.as_str())?)))
        .filter(|(_, rest)| rest.is_empty() || rest.starts_with('.'))
        .collect();
    fitting.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
    fitting.into_iter().find_map(|(key, rest)| {
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        lookup(&keys[key], rest)
    })
}

/// The path to a value that is written most like this one; none if the metrics hold nothing at all.
pub fn nearest(metrics: &Value, path: &str) -> Option<String> {
    let paths = paths(metrics);
    paths
        .into_iter()
        .min_by_key(|candidate| distance(candidate, path))
}

/// All paths to values that are no objects, and to objects.
fn paths(value: &Value) -> Vec<String> {
    let Some(keys) = value.as_object() else {
        return Vec::new();
    };
    let below = |(key, value): (&String, &Value)| {
        let longer = paths(value).into_iter().map(|path| format!("{key}.{path}"));
        std::iter::once(key.clone())
            .chain(longer)
            .collect::<Vec<_>>()
    };
    keys.iter().flat_map(below).collect()
}

/// Insertions, deletions and replacements of characters (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, left) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, &right) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

fn holds(check: &Check, found: &Value) -> bool {
    match check {
        Check::Equals(wanted) => equal(wanted, found),
        Check::Between { min, max } => found.as_f64().is_some_and(|found| {
            min.is_none_or(|min| min <= found) && max.is_none_or(|max| found <= max)
        }),
        Check::Approximately { value, within } => found
            .as_f64()
            .is_some_and(|found| (found - value).abs() <= within * value.abs()),
    }
}

/// Numbers are equal by value: 3 is 3.0.
fn equal(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Number(wanted), Value::Number(found)) => {
            wanted == found || wanted.as_f64() == found.as_f64()
        }
        (Value::Array(wanted), Value::Array(found)) => {
            let pairs = wanted.iter().zip(found);
            wanted.len() == found.len() && pairs.into_iter().all(|(w, f)| equal(w, f))
        }
        _ => wanted == found,
    }
}

fn wanted(check: &Check) -> String {
    match check {
        Check::Equals(wanted) => wanted.to_string(),
        Check::Between {
            min: Some(min),
            max: Some(max),
        } => format!("{min} to {max}"),
        Check::Between {
            min: Some(min),
            max: None,
        } => format!("at least {min}"),
        Check::Between {
            min: None,
            max: Some(max),
        } => format!("at most {max}"),
        Check::Between {
            min: None,
            max: None,
        } => "a number".to_owned(),
        Check::Approximately { value, within } => {
            format!(
                "{value} within {} %",
                crate::metrics::rounded(within * 100.0)
            )
        }
    }
}

/// Objects in a few words.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(keys) => {
            let names: Vec<&str> = keys.keys().map(String::as_str).collect();
            format!("an object of {}", names.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::plan;
    use serde_json::json;

    fn metrics() -> Value {
        json!({
            "messages": {"sent": 10, "lost": 0},
            "run": {"scenario": "orders"},
            "timing": {"steadyPerSecond": null},
            "consumers": {"worker": {"processed": 10, "utilisation": 0.5}, "worker.b": {"processed": 3}},
            "destinations": {"queue://a.b": {"depth": 2}}
        })
    }

    /// What fails, in words.
    fn check(path: &str, check: Check) -> Option<String> {
        let mut scenario = plan();
        scenario.expect.push(Expectation {
            path: path.to_owned(),
            check,
            line: 3,
            column: 5,
        });
        failures(&scenario, &metrics())
            .first()
            .map(ToString::to_string)
    }

    fn equals(path: &str, value: Value) -> Option<String> {
        check(path, Check::Equals(value))
    }

    fn between(path: &str, min: Option<f64>, max: Option<f64>) -> Option<String> {
        check(path, Check::Between { min, max })
    }

    #[test]
    fn values_are_equal_by_value() {
        assert_eq!(equals("messages.sent", json!(10)), None);
        assert_eq!(equals("messages.sent", json!(10.0)), None);
        assert_eq!(equals("run.scenario", json!("orders")), None);
        assert_eq!(equals("timing.steadyPerSecond", json!(null)), None);
        let failed = equals("messages.sent", json!(11)).unwrap();
        assert_eq!(failed, "messages.sent is 10, expected 11");
    }

    #[test]
    fn bounds_are_inclusive_and_may_be_open() {
        assert_eq!(between("messages.sent", Some(10.0), Some(10.0)), None);
        assert_eq!(between("messages.sent", Some(1.0), None), None);
        let failed = between("messages.sent", Some(11.0), None).unwrap();
        assert_eq!(failed, "messages.sent is 10, expected at least 11");
        let failed = between("messages.sent", Some(2.0), Some(9.5)).unwrap();
        assert_eq!(failed, "messages.sent is 10, expected 2 to 9.5");
    }

    #[test]
    fn null_and_words_are_in_no_bounds() {
        assert!(between("timing.steadyPerSecond", None, Some(9.0)).is_some());
        assert!(between("run.scenario", Some(0.0), None).is_some());
    }

    #[test]
    fn approximately_is_relative() {
        let about = |value, within| {
            check(
                "consumers.worker.utilisation",
                Check::Approximately { value, within },
            )
        };
        assert_eq!(about(0.52, 0.05), None);
        let failed = about(0.55, 0.05).unwrap();
        assert_eq!(
            failed,
            "consumers.worker.utilisation is 0.5, expected 0.55 within 5 %"
        );
    }

    #[test]
    fn a_path_that_is_not_there_fails_and_names_the_nearest() {
        let failed = equals("messages.send", json!(10)).unwrap();
        assert_eq!(
            failed,
            "the metrics have no `messages.send`; did you mean `messages.sent`?"
        );
        let failed = equals("consumers.wroker.processed", json!(10)).unwrap();
        assert!(
            failed.ends_with("did you mean `consumers.worker.processed`?"),
            "{failed}"
        );
    }

    #[test]
    fn names_with_dots_are_keys_too() {
        assert_eq!(equals("consumers.worker.b.processed", json!(3)), None);
        assert_eq!(equals("destinations.queue://a.b.depth", json!(2)), None);
    }

    #[test]
    fn failures_come_in_the_order_of_the_file() {
        let mut scenario = plan();
        for (line, path) in [(3, "messages.lost"), (4, "messages.sent"), (5, "nothing")] {
            scenario.expect.push(Expectation {
                path: path.to_owned(),
                check: Check::Equals(json!(0)),
                line,
                column: 5,
            });
        }
        let metrics = metrics();
        let failed = failures(&scenario, &metrics);
        let lines: Vec<u32> = failed
            .iter()
            .map(|failure| failure.expectation.line)
            .collect();
        assert_eq!(lines, [4, 5]);
        assert_eq!(failed[0].found, Some(json!(10)));
        assert_eq!(failed[1].found, None);
    }
}
