//! What is the case now: for those who draw levels over time, so that they need no accounting of
//! their own.

use super::Collector;
use crate::kernel::Time;
use crate::metrics::{Histogram, MessageCounts};
use crate::wire::{ConsumerIndex, DestinationIndex};

/// What a consumer has and does at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerState {
    /// Messages in its prefetch buffer.
    pub buffered: u32,
    /// Messages that it has worked on, and that the broker has not taken off yet.
    pub awaiting: u32,
    /// Started, and subscribed at the broker.
    pub is_connected: bool,
    /// At work.
    pub is_busy: bool,
}

impl Collector<'_> {
    /// Lets time pass without a fact. Times may not go back behind it.
    pub fn pass(&mut self, now: Time) {
        if now >= self.warm_up {
            self.begin_measuring();
        }
    }

    /// A consumer now.
    #[inline]
    pub fn consumer_state(&self, consumer: ConsumerIndex) -> ConsumerState {
        let tally = &self.consumers[consumer as usize];
        let (buffered, is_busy) = (tally.activity.buffered(), tally.activity.is_busy());
        ConsumerState {
            buffered,
            awaiting: tally
                .held
                .now()
                .saturating_sub(buffered + u32::from(is_busy)),
            is_connected: tally.activity.is_connected(),
            is_busy,
        }
    }

    /// For how many nanoseconds a consumer has starved since the warm-up; 0 on a topic.
    pub fn starved(&self, consumer: ConsumerIndex, now: Time) -> u64 {
        let tally = &self.consumers[consumer as usize];
        let destination = &self.destinations[tally.destination];
        if !destination.is_queue {
            return 0;
        }
        tally.activity.times(now, &destination.buffers).starved
    }

    /// Messages at a consumer's client that the broker has not taken off yet.
    #[inline]
    pub fn held(&self, consumer: ConsumerIndex) -> u32 {
        self.consumers[consumer as usize].held.now()
    }

    /// Messages that were dispatched to a consumer, and are neither taken off nor returned.
    #[inline]
    pub fn in_flight_to(&self, consumer: ConsumerIndex) -> u32 {
        self.consumers[consumer as usize].in_flight
    }

    /// What was handed to the application since the warm-up.
    #[inline]
    pub fn delivered_to(&self, consumer: ConsumerIndex) -> u64 {
        self.consumers[consumer as usize].delivered
    }

    /// Messages (on a topic: copies) that wait at the broker or are in flight.
    #[inline]
    pub fn depth(&self, destination: DestinationIndex) -> u32 {
        self.destinations[destination as usize].depth.now()
    }

    /// What was counted since the warm-up; what is known only at the end is still 0.
    pub fn counts(&self) -> &MessageCounts {
        &self.run.messages
    }

    /// Messages (on a topic: copies) that wait at the broker.
    #[inline]
    pub fn waiting(&self, destination: DestinationIndex) -> u32 {
        let tally = &self.destinations[destination as usize];
        tally.depth.now().saturating_sub(tally.in_flight.now())
    }

    /// Messages that were dispatched, and are neither taken off nor returned.
    #[inline]
    pub fn in_flight(&self, destination: DestinationIndex) -> u32 {
        self.destinations[destination as usize].in_flight.now()
    }

    /// From wanting to send until delivered, processed, and acknowledged.
    pub fn latencies(&self) -> [&Histogram; 3] {
        [
            &self.run.to_delivered,
            &self.run.to_processed,
            &self.run.to_acknowledged,
        ]
    }
}
