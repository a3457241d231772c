//! Chapter `expect`: assertions about the metrics of a run.

use super::json::{Node, Value};
use super::model::{Check, Expectation};
use super::report::Report;
use super::shape::{Field, Kind, Named, opening};

/// What may be expected of one metric.
pub static EXPECTED: Named = Named {
    name: "expected",
    about: "a number, string or list, or bounds",
    kind: Kind::Either(&[Kind::Object(BOUNDS), Kind::Any]),
};

const ANY_NUMBER: Kind = Kind::Number {
    above: f64::NEG_INFINITY,
    most: f64::MAX,
};

static BOUNDS: &[Field] = &[
    Field::new("min", ANY_NUMBER, "At least."),
    Field::new("max", ANY_NUMBER, "At most."),
    Field::new("approximately", ANY_NUMBER, "About this, with `within`."),
    Field::new(
        "within",
        Kind::Number {
            above: 0.0,
            most: 1e9,
        },
        "Relative distance: 0.05 is 5 %.",
    ),
];

/// Reads `expect`.
pub fn read(node: &Node, report: &mut Report) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for member in node.members() {
        let Some(check) = read_check(&member.node, report) else {
            continue;
        };
        let (line, column) = report.position(member.key_place);
        expectations.push(Expectation {
            path: member.key.clone(),
            check,
            line,
            column,
        });
    }
    expectations
}

fn read_check(node: &Node, report: &mut Report) -> Option<Check> {
    if !matches!(node.value, Value::Object(_)) {
        return plain(node, report).map(Check::Equals);
    }
    let bounds = ["min", "max", "approximately", "within"].map(|key| node.number(key));
    match bounds {
        [None, None, Some(value), Some(within)] => Some(Check::Approximately { value, within }),
        [Some(min), Some(max), None, None] if min > max => {
            report.error(
                opening(node),
                format!("`min` ({min}) is above `max` ({max})"),
            );
            None
        }
        [min, max, None, None] if min.is_some() || max.is_some() => {
            Some(Check::Between { min, max })
        }
        _ => {
            let message = "bounds are `min`, `max` or both, or `approximately` with `within`";
            report.error(opening(node), message);
            None
        }
    }
}

/// The value without its positions.
fn plain(node: &Node, report: &mut Report) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(text) => match serde_json::from_str(text) {
            Ok(number) => number,
            Err(_) => {
                report.error(node.place, "this number is too large");
                return None;
            }
        },
        Value::Array(elements) => {
            let each = elements.iter().map(|element| plain(element, report));
            serde_json::Value::Array(each.collect::<Option<_>>()?)
        }
        Value::Object(_) => {
            report.error(
                opening(node),
                "a list is compared value by value; no objects in it",
            );
            return None;
        }
    })
}
