//! One direction of a connection: it delivers in order, whatever latency is drawn.

use crate::kernel::{Sampler, Span, Stream, Time};
use crate::scenario::Network;

/// A one-way link with latency and, perhaps, a limited bandwidth.
pub(super) struct Link {
    latency: Sampler,
    stream: Stream,
    bytes_per_second: Option<u64>,
    /// When the last byte handed to it has left.
    free_at: Time,
    last_arrival: Time,
}

impl Link {
    pub(super) fn new(network: &Network, stream: Stream) -> Link {
        Link {
            latency: Sampler::new(&network.latency),
            stream,
            bytes_per_second: network.bytes_per_second,
            free_at: Time::ZERO,
            last_arrival: Time::ZERO,
        }
    }

    /// A new life of the connection: nothing is under way any more.
    pub(super) fn reset(&mut self) {
        self.free_at = Time::ZERO;
        self.last_arrival = Time::ZERO;
    }

    /// When something of so many bytes arrives that is handed to the link now.
    pub(super) fn arrival(&mut self, now: Time, bytes: u32) -> Time {
        let departure = self.departure(now, bytes);
        self.last_arrival = self
            .last_arrival
            .max(departure + self.latency.sample(&mut self.stream));
        self.last_arrival
    }

    /// The same for what the other end takes some time to work on, before it looks at anything that follows.
    pub(super) fn arrival_after_service(&mut self, now: Time, bytes: u32, service: Span) -> Time {
        self.arrival(now, bytes);
        self.last_arrival += service;
        self.last_arrival
    }

    fn departure(&mut self, now: Time, bytes: u32) -> Time {
        let Some(rate) = self.bytes_per_second else {
            return now;
        };
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
        let transmission = Span(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now) + transmission;
        self.free_at
    }

    /// One latency, of something that does not go through the link.
    pub(super) fn latency(&mut self) -> Span {
        self.latency.sample(&mut self.stream)
    }

    /// Nothing arrives before this.
    pub(super) fn not_before(&mut self, time: Time) {
        self.last_arrival = self.last_arrival.max(time);
    }
}
