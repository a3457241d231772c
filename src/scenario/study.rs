//! `compare` at the top of a file: a comparison that the file brings along.

use super::json::{Node, Value};
use super::limits;
use super::report::Report;
use super::shape::{Field, Kind};

/// Keys of `compare`.
pub static FIELDS: &[Field] = &[
    Field::new(
        "vary",
        Kind::Map(&VALUES),
        "By path (CONSUMER.FIELD, network.FIELD, …): a list of values, or a range as text.",
    )
    .default("{}"),
    Field::new(
        "replications",
        Kind::Whole {
            least: 1,
            most: limits::REPLICATIONS,
        },
        "Seeds for each setting.",
    ),
    Field::new(
        "metrics",
        Kind::List {
            of: &Kind::Name,
            least: 1,
            most: 1000,
        },
        "Which metrics to compare, by their paths.",
    ),
];

static VALUES: Kind = Kind::Either(&[
    Kind::List {
        of: &Kind::Any,
        least: 1,
        most: 10_000,
    },
    Kind::Text,
]);

/// A comparison that a file brings along.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Study {
    /// In the order of the file.
    pub vary: Vec<Variation>,
    /// Seeds for each setting.
    pub replications: Option<u32>,
    /// Paths into the metrics; empty: the usual ones.
    pub metrics: Vec<String>,
}

/// One varied setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Variation {
    /// As [`super::Document::set`] takes it. It is known to exist.
    pub path: String,
    /// What it is set to.
    pub values: Values,
}

/// The values of a varied setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One by one, as [`super::Document::set`] takes them.
    List(Vec<String>),
    /// As on the command line: `1..100`.
    Range(String),
}

/// Reads `compare`. Whether the paths exist is not checked here.
pub fn read(node: &Node, report: &Report) -> Study {
    let variation = |member: &super::json::Member| Variation {
        path: member.key.clone(),
        values: match &member.node.value {
            Value::String(range) => Values::Range(range.clone()),
            _ => Values::List(
                member
                    .node
                    .elements()
                    .iter()
                    .map(|value| value_text(value, report))
                    .collect(),
            ),
        },
    };
    let metrics = node.list("metrics").iter().filter_map(Node::as_text);
    Study {
        vary: node.child("vary").members().iter().map(variation).collect(),
        replications: node.whole("replications"),
        metrics: metrics.map(str::to_owned).collect(),
    }
}

/// A value as on the command line: texts bare, all else as the file has it.
fn value_text(node: &Node, report: &Report) -> String {
    match node.as_text() {
        Some(text) => text.to_owned(),
        None => {
            let text = report.text(node.place.text);
            text[node.place.start as usize..node.place.end as usize].to_owned()
        }
    }
}
