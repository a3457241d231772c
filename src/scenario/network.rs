//! Chapter `network`: latency and bandwidth.

use super::json::Node;
use super::limits;
use super::model::Network;
use super::report::Report;
use super::shape::{Field, Kind};
use super::values::{RANDOM, random};
use crate::kernel::{Distribution, Span};

/// Keys of `network`.
pub static FIELDS: &[Field] = &[
    Field::new(
        "latency",
        RANDOM,
        "One way between any client and the broker; connections deliver in order.",
    )
    .default("\"100us\""),
    Field::new(
        "bytesPerSecond",
        Kind::Size {
            least: 1,
            most: limits::BYTES_PER_SECOND,
        },
        "Of each direction of each connection. Left out: unlimited.",
    ),
];

/// Reads `network`.
pub fn read(node: &Node, report: &mut Report) -> Network {
    let default = Distribution::Constant(Span::from_micros(100));
    Network {
        latency: random(node, "latency", default, report),
        bytes_per_second: node.size_of("bytesPerSecond"),
    }
}
