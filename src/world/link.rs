//! One direction of a connection: it delivers in order, whatever latency is drawn.

use crate::kernel::{EventQueue, Lane, Sampler, Span, Stream, Time};
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
// What every message touches lies in one cache line, or two if commands are long: with 1,000 connections none of it is in
// the processor's first cache, and a link with its stream in it took twice as many.
#[repr(C, align(64))]
pub(super) struct Link<C> {
    last_arrival: Time,
    /// What is under way.
    pub(super) lane: Lane<UnderWay<C>>,
    varying: Box<Varying>,
}

/// What a link needs unless everything takes the same.
struct Varying {
    latency: Sampler,
    stream: Stream,
    bytes_per_second: Option<u64>,
    /// When the last byte handed to it has left.
    free_at: Time,
}

/// What everything takes that is handed to a link of this network, if that is known beforehand: the same latency,
/// whatever it is and wherever it goes.
pub(super) fn fixed_latency(network: &Network) -> Option<Span> {
    let is_limited = network.bytes_per_second.is_some();
    Sampler::new(&network.latency)
        .constant()
        .filter(|_| !is_limited)
}

impl<C: Copy> Link<C> {
    pub(super) fn new(network: &Network, stream: Stream, lane: u32) -> Link<C> {
        Link {
            last_arrival: Time::ZERO,
            lane: Lane::new(lane),
            varying: Box::new(Varying {
                latency: Sampler::new(&network.latency),
                stream,
                bytes_per_second: network.bytes_per_second,
                free_at: Time::ZERO,
            }),
        }
    }

    /// What its latencies are drawn from.
    pub(super) fn stream(&self) -> &Stream {
        &self.varying.stream
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
        self.varying.free_at = Time::ZERO;
        self.last_arrival = Time::ZERO;
    }

    /// When anything arrives that is handed to the link now and takes so long, whatever it is.
    #[inline(always)]
    pub(super) fn arrival_of_anything(&mut self, now: Time, latency: Span) -> Time {
        self.last_arrival = self.last_arrival.max(now + latency);
        self.last_arrival
    }

    /// A command is under way, until then.
    #[inline(always)]
    pub(super) fn carry<E: Copy>(
        &mut self,
        arrival: Time,
        life: u32,
        command: C,
        queue: &mut EventQueue<E>,
    ) {
        let under_way = UnderWay {
            arrival: Arrival::Command(command),
            life,
        };
        queue.schedule_in(&mut self.lane, arrival, under_way);
    }

    /// When something of so many bytes arrives that is handed to the link now.
    pub(super) fn arrival(&mut self, now: Time, bytes: u32) -> Time {
        let departure = self.varying.departure(now, bytes);
        let latency = self.varying.latency();
        self.arrival_of_anything(departure, latency)
    }

    /// The other end takes some time to work on what was handed over last, before it looks at anything that follows.
    pub(super) fn served_after(&mut self, service: Span) -> Time {
        self.last_arrival += service;
        self.last_arrival
    }

    /// One latency, of something that does not go through the link.
    pub(super) fn latency(&mut self) -> Span {
        self.varying.latency()
    }

    /// Nothing arrives before this.
    pub(super) fn not_before(&mut self, time: Time) {
        self.last_arrival = self.last_arrival.max(time);
    }
}

impl Varying {
    fn departure(&mut self, now: Time, bytes: u32) -> Time {
        let Some(rate) = self.bytes_per_second else {
            return now;
        };
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
        let transmission = Span(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now) + transmission;
        self.free_at
    }

    fn latency(&mut self) -> Span {
        self.latency.sample(&mut self.stream)
    }
}
