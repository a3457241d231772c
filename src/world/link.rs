//! One direction of a connection: it delivers in order, whatever latency is drawn.

use crate::kernel::{Lane, Sampler, Span, Stream, Time};
use crate::scenario::Network;

/// What comes out of a link when its time has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Arrival<C> {
    /// A command.
    Command(C),
    /// The connection is found broken.
    Broken,
    /// What was under way got lost.
    #[default]
    Nothing,
}

/// It and which life of the connection it belongs to.
// In this order, a command is copied as a whole and no four bytes aside, for which the processor would have to wait.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct UnderWay<C> {
    pub(super) arrival: Arrival<C>,
    pub(super) life: u32,
}

impl<C> Default for UnderWay<C> {
    fn default() -> UnderWay<C> {
        UnderWay {
            arrival: Arrival::Nothing,
            life: 0,
        }
    }
}

/// A one-way link with latency and, perhaps, a limited bandwidth.
pub(super) struct Link<C> {
    /// What is under way.
    pub(super) lane: Lane<UnderWay<C>>,
    /// What everything takes, if that is known beforehand: the same latency, whatever it is and wherever it goes.
    fixed: Option<Span>,
    latency: Sampler,
    stream: Stream,
    bytes_per_second: Option<u64>,
    /// When the last byte handed to it has left.
    free_at: Time,
    last_arrival: Time,
}

impl<C: Copy> Link<C> {
    pub(super) fn new(network: &Network, stream: Stream, lane: u32) -> Link<C> {
        let latency = Sampler::new(&network.latency);
        let is_limited = network.bytes_per_second.is_some();
        Link {
            lane: Lane::new(lane),
            fixed: latency.constant().filter(|_| !is_limited),
            latency,
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

    /// The commands that are under way never arrive.
    pub(super) fn lose(&mut self) -> Vec<C> {
        let mut lost = Vec::new();
        for under_way in self.lane.iter_mut() {
            if let Arrival::Command(command) = under_way.arrival {
                lost.push(command);
                under_way.arrival = Arrival::Nothing;
            }
        }
        lost
    }

    /// A new life of the connection has a clock of its own.
    pub(super) fn reset(&mut self) {
        self.free_at = Time::ZERO;
        self.last_arrival = Time::ZERO;
    }

    /// One of the ends takes time for some of what goes through, so what it is matters.
    pub(super) fn has_costs(&mut self) {
        self.fixed = None;
    }

    /// When anything arrives that is handed to the link now, if what it is does not matter.
    #[inline(always)]
    pub(super) fn arrival_of_anything(&mut self, now: Time) -> Option<Time> {
        self.last_arrival = self.last_arrival.max(now + self.fixed?);
        Some(self.last_arrival)
    }

    /// When something of so many bytes arrives that is handed to the link now.
    pub(super) fn arrival(&mut self, now: Time, bytes: u32) -> Time {
        let departure = match self.bytes_per_second {
            None => now,
            Some(rate) => self.departure(now, bytes, rate),
        };
        let arrival = departure + self.latency.sample(&mut self.stream);
        self.last_arrival = self.last_arrival.max(arrival);
        self.last_arrival
    }

    /// The other end takes some time to work on what was handed over last, before it looks at anything that follows.
    pub(super) fn served_after(&mut self, service: Span) -> Time {
        self.last_arrival += service;
        self.last_arrival
    }

    fn departure(&mut self, now: Time, bytes: u32, rate: u64) -> Time {
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
