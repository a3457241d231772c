//! Tests of the broker alone. Numbers like 12.4 are those of the worked examples of the semantics reference, which were
//! recorded on ActiveMQ 5.17.2.

mod bench;
mod defaults;

mod destinations;
mod queues;
mod semantics;
mod topics;

use crate::scenario::{DestinationKind, Scenario};
use bench::Bench;

fn queue(prefetches: &[u32]) -> Scenario {
    defaults::scenario(DestinationKind::Queue, prefetches)
}
