//! Facts to numbers: `metrics.json`, in memory that does not grow with the number of messages.
//!
//! [`Collector`] watches a run and [`Collector::finish`] makes the [`Metrics`] of it. What it keeps
//! is a tally for each consumer, producer and destination, a histogram for each latency, and one
//! entry for each message that is still about (`ledger`): a table beside the arena, by the arena's
//! slots.
//!
//! **Definitions** stand with the fields of [`Metrics`]; four things concern all of them.
//!
//! * *Latencies count from the moment the application wanted to send*, not from when it could. A
//!   sender that waits for the broker's answer sends late; counting from its late calls would hide
//!   the delay that it suffered (coordinated omission).
//! * *Warm-up.* At `warmUp` every counter, sum and maximum starts afresh, while what is the case
//!   then goes on: depths, buffers, who works on what. So counts are of what happened after, and
//!   averages over time are over the time after. Latencies leave out messages *sent* before,
//!   however late they arrive. Fingerprints cover the whole run.
//! * *Makespan.* Rates and utilisation are relative to the time in which there was something to do:
//!   from the origin (see [`Timing`]) to the last end of a processing or the last acknowledgement;
//!   to the end of the run if a consumer is still at work then.
//! * *Copies.* A message on a topic counts once for each subscription wherever something is done
//!   with it (delivered, processed, acknowledged, lost).

mod activity;
mod collector;
mod document;
mod ends;
mod fingerprint;
mod histogram;
mod integral;
mod ledger;
mod order;
mod recovery;
mod tally;

pub use collector::{Collector, ConsumerState, RunEnd};
pub use document::{
    AcksByType, ByName, Commands, ConsumerMetrics, DestinationMetrics, Latencies, Latency, Layers,
    MessageCounts, Metrics, ProducerMetrics, Recovery, Run, Throughput, Timing, Wire, jain,
    rounded,
};
pub(crate) use ends::Ends;
pub use fingerprint::{Fingerprint, hex};
pub use histogram::Histogram;
