//! The switchboard: every point in which another set of semantics differs from ActiveMQ 5.17.2, in one place.
//!
//! The model asks a switch, never the name of the semantics, so each deviation can be read, tested and combined here.

use crate::scenario::Semantics;

/// Which rules apply where sets of semantics differ. All false: ActiveMQ 5.17.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Article 1: optimised acks count what is consumed and unacknowledged, and their time-out is a timer.
    pub optimize_counts_unacknowledged: bool,
    /// Article 2: DUPS_OK on a queue is optimised as AUTO is.
    pub dups_ok_optimizes_on_queues: bool,
    /// Article 3: one DELIVERED at half the prefetch, none until something is acknowledged; the broker's extension
    /// is that count, at most half the prefetch.
    pub delivered_once_until_acknowledged: bool,
    /// Article 4: a consumer that has sent DELIVERED is marked slow while its window is full and messages wait.
    pub delivered_marks_slow: bool,
    /// Article 5: failures send REDELIVERED (or POISON) and the broker puts the messages back on the queue.
    pub broker_redelivers: bool,
    /// Article 6: listeners of one session work in parallel.
    pub session_works_in_parallel: bool,
    /// Article 7: a crash raises the counter of what was delivered only.
    pub crash_counts_delivered_only: bool,
    /// ActiveMQ 6 (AMQ-9153, since 5.17.3): a full queue consumer that is passed over is marked slow.
    pub full_queue_consumer_is_slow: bool,
    /// ActiveMQ 6 (AMQ-8617, since 5.17.3): the local redelivery delay is computed from each message's own counter.
    pub redelivery_delay_per_message: bool,
}

impl Rules {
    /// The rules of a set of semantics.
    pub fn of(semantics: Semantics) -> Rules {
        match semantics {
            Semantics::ActiveMq5_17 => Rules::default(),
            Semantics::ActiveMq6 => Rules {
                full_queue_consumer_is_slow: true,
                redelivery_delay_per_message: true,
                ..Rules::default()
            },
            Semantics::Article => Rules {
                optimize_counts_unacknowledged: true,
                dups_ok_optimizes_on_queues: true,
                delivered_once_until_acknowledged: true,
                delivered_marks_slow: true,
                broker_redelivers: true,
                session_works_in_parallel: true,
                crash_counts_delivered_only: true,
                ..Rules::default()
            },
        }
    }
}
