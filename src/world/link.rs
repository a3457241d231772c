//! One direction of a connection: it delivers in order, whatever latency is drawn.

use std::collections::VecDeque;

use crate::kernel::{Sampler, Span, Stream, Time};
use crate::scenario::Network;

/// A one-way link with latency and, perhaps, a limited bandwidth.
pub(super) struct Link<C> {
    /// Commands under way, of which life of the connection. They lie here and not in the event queue: its events are
    /// moved several times, and a command is three times as large as any of them.
    under_way: VecDeque<(u32, C)>,
    latency: Sampler,
    stream: Stream,
    bytes_per_second: Option<u64>,
    /// When the last byte handed to it has left.
    free_at: Time,
    last_arrival: Time,
}

impl<C> Link<C> {
    pub(super) fn new(network: &Network, stream: Stream) -> Link<C> {
        Link {
            under_way: VecDeque::new(),
            latency: Sampler::new(&network.latency),
            stream,
            bytes_per_second: network.bytes_per_second,
            free_at: Time::ZERO,
            last_arrival: Time::ZERO,
        }
    }

    /// What its latencies are drawn from.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// A command is on its way.
    pub(super) fn put(&mut self, life: u32, command: C) {
        self.under_way.push_back((life, command));
    }

    /// The next command of a life arrives. That of another one can lie before it only after a crash.
    #[inline]
    pub(super) fn take(&mut self, life: u32) -> Option<C> {
        match self.under_way.pop_front() {
            Some((of, command)) if of == life => Some(command),
            first => self.take_behind(first, life),
        }
    }

    #[cold]
    fn take_behind(&mut self, first: Option<(u32, C)>, life: u32) -> Option<C> {
        self.under_way.push_front(first?);
        let place = self.under_way.iter().position(|(of, _)| *of == life)?;
        self.under_way.remove(place).map(|(_, command)| command)
    }

    /// What is under way never arrives.
    pub(super) fn lose(&mut self) -> VecDeque<(u32, C)> {
        std::mem::take(&mut self.under_way)
    }

    /// A new life of the connection has a clock of its own.
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
