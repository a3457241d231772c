//! The simulator held against the real broker.
//!
//! A *reference* is what ActiveMQ Classic 5.17.2 and its Java client really did with a scenario,
//! recorded as five **views** (chapter 9 of the format): `acks`, `delivered` and `dispatched` for
//! each consumer, `broker`, the merged log, and `outcome`, what became of the messages.
//! [`Recorder`] folds the facts of a run into the same views, line by line as the recorder of the
//! real broker writes them, and [`Reference::differences`] names, for each view that the reference
//! compares, the first place where the two part.
//!
//! The views keep every line: they are for scenarios that a person can read.

mod compare;
mod recorder;

pub use compare::{Difference, ReadError, Reference};
pub use recorder::Recorder;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The views in their order, by the names that `compare` uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Commands about acknowledgement, per consumer, in the order the broker got them.
    Acks,
    /// What the application was handed, per consumer.
    Delivered,
    /// What the broker sent, per consumer.
    Dispatched,
    /// The merged log in the broker's order.
    Broker,
    /// What became of the messages.
    Outcome,
}

impl View {
    /// All of them.
    pub const ALL: [View; 5] = [
        View::Acks,
        View::Delivered,
        View::Dispatched,
        View::Broker,
        View::Outcome,
    ];

    /// As `compare` writes it.
    pub const fn name(self) -> &'static str {
        match self {
            View::Acks => "acks",
            View::Delivered => "delivered",
            View::Dispatched => "dispatched",
            View::Broker => "broker",
            View::Outcome => "outcome",
        }
    }
}

/// All views of one run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Views {
    /// By the consumer's name; a second life goes on under the same name.
    pub consumers: BTreeMap<String, ConsumerViews>,
    /// The merged log.
    pub broker: Vec<String>,
    /// What became of the messages.
    pub outcome: Outcome,
}

/// What one consumer did.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ConsumerViews {
    /// `STANDARD orders:1..orders:7 x7`, `begin`, `commit`, `rollback`, `pull`, `close`, `lost`.
    pub acks: Vec<String>,
    /// `orders:1 redelivered count=2`
    pub delivered: Vec<String>,
    /// `orders:1 redelivery=1`
    pub dispatched: Vec<String>,
}

/// What became of the messages, each list in the broker's order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Once per subscription.
    pub acknowledged: Vec<String>,
    /// Taken by a dead-letter queue.
    pub dead_lettered: Vec<String>,
    /// Expired at the broker, or reported so by a client.
    pub expired: Vec<String>,
    /// Evicted from a topic subscription, or poisoned and no dead-letter queue would have it.
    pub discarded: Vec<String>,
    /// Still on a queue that the scenario names, pending or in flight, in the order of arrival.
    pub remaining: Vec<String>,
    /// Consumers that were marked slow at least once, in the order of their first mark.
    pub slow: Vec<String>,
}
