//! The top level of a scenario file.

use super::json::Node;
use super::model::Semantics;
use super::shape::{Field, Kind, Named};
use super::{broker, consumer, expect, limits, network, producer, study};

/// The whole file.
pub static FILE: Kind = Kind::Object(FIELDS);

const SEMANTICS: &[&str] = &["activemq-5.17", "activemq-6", "article"];
const VIEWS: &[&str] = &["acks", "delivered", "dispatched", "broker", "outcome"];

static PRODUCER: Named = Named {
    name: "producer",
    about: "an object that describes a producer",
    kind: Kind::Object(producer::FIELDS),
};

static CONSUMER: Named = Named {
    name: "consumer",
    about: "an object that describes a consumer",
    kind: Kind::Object(consumer::FIELDS),
};

static FIELDS: &[Field] = &[
    Field::new(
        "$schema",
        Kind::Text,
        "For editors; acksim does not look at it.",
    ),
    Field::new(
        "name",
        Kind::FolderName,
        "Names the output folder. Left out: the file's stem.",
    ),
    Field::new("description", Kind::Text, "Shown in reports.").default("\"\""),
    Field::new(
        "seed",
        Kind::Whole {
            least: 0,
            most: u64::MAX,
        },
        "The one seed from which every random stream is derived.",
    )
    .default("1"),
    Field::new(
        "until",
        Kind::PositiveDuration,
        "When the run is cut off. Left out: when nothing is left to happen.",
    ),
    Field::new(
        "warmUp",
        Kind::Duration,
        "Metrics leave out what happens before.",
    )
    .default("\"0s\""),
    Field::new(
        "network",
        Kind::Object(network::FIELDS),
        "Latency and bandwidth.",
    )
    .default("{}"),
    Field::new(
        "broker",
        Kind::Object(broker::FIELDS),
        "What it costs and does by itself.",
    )
    .default("{}"),
    Field::new(
        "producers",
        Kind::List {
            of: &Kind::Named(&PRODUCER),
            least: 0,
            most: limits::CLIENTS as usize,
        },
        "Who sends.",
    )
    .default("[]"),
    Field::new(
        "consumers",
        Kind::List {
            of: &Kind::Named(&CONSUMER),
            least: 0,
            most: limits::CLIENTS as usize,
        },
        "Who receives, in the order in which they subscribe.",
    )
    .default("[]"),
    Field::new(
        "expect",
        Kind::MapBeside {
            fields: expect::WATCHES,
            others: &Kind::Named(&expect::EXPECTED),
        },
        "What must hold for the metrics, by their paths, and during the run; `acksim check` tests it.",
    )
    .default("{}"),
    Field::new("semantics", Kind::Choice(SEMANTICS), "Whose rules apply.")
        .default("\"activemq-5.17\""),
    Field::new(
        "reference",
        Kind::Object(REFERENCE),
        "For the recorder of references.",
    ),
    Field::new(
        "compare",
        Kind::Object(study::FIELDS),
        "What `acksim compare` varies by default.",
    ),
];

static REFERENCE: &[Field] = &[Field::new(
    "compare",
    Kind::List {
        of: &Kind::Choice(VIEWS),
        least: 0,
        most: 5,
    },
    "Which views the recorder asks to compare.",
)];

/// Reads `semantics`.
pub fn semantics(root: &Node) -> Semantics {
    match root.text("semantics") {
        Some("activemq-6") => Semantics::ActiveMq6,
        Some("article") => Semantics::Article,
        _ => Semantics::ActiveMq5_17,
    }
}
