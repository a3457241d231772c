//! Levels over time, read off the metrics' own accounting whenever a fact may have changed them.

use super::series::{Grid, Series, Step};
use crate::facts::Fact;
use crate::kernel::Time;
use crate::metrics::Collector;
use crate::scenario::Scenario;
use crate::wire::{AckType, ConsumerIndex, DestinationIndex};

/// Most consumers whose levels are kept over time.
pub const TRACKED_CONSUMERS: usize = 64;

/// One consumer.
#[derive(Clone, Debug, Default)]
pub struct ConsumerLevels {
    /// Messages in its prefetch buffer.
    pub buffered: Series,
    /// Nanoseconds for which it has starved so far.
    pub starved: Series,
}

/// One destination.
#[derive(Clone, Debug, Default)]
pub struct DestinationLevels {
    /// Waiting at the broker.
    pub waiting: Series,
    /// Dispatched, and neither taken off nor returned.
    pub in_flight: Series,
    /// Waiting in the prefetch buffers of clients.
    pub buffered: Series,
}

/// All levels of a run.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// The first consumers of the scenario.
    pub consumers: Vec<ConsumerLevels>,
    /// All destinations.
    pub destinations: Vec<DestinationLevels>,
    /// Deliveries to applications so far.
    pub deliveries: Series,
    /// Ack commands that have reached the broker, by number of the type.
    pub acks: [Series; AckType::ALL.len()],
    /// The bins of all series.
    pub grid: Grid,
    edge: Time,
    /// By consumer of the scenario, where it reads from, and how many messages its buffer held
    /// last.
    readers: Vec<(DestinationIndex, u32)>,
}

impl Levels {
    /// Everything at 0.
    pub fn new(scenario: &Scenario) -> Levels {
        let consumers = scenario.consumers.len().min(TRACKED_CONSUMERS);
        let reader = |consumer: &crate::scenario::Consumer| (consumer.destination as u32, 0);
        Levels {
            consumers: vec![ConsumerLevels::default(); consumers],
            destinations: vec![DestinationLevels::default(); scenario.destinations.len()],
            readers: scenario.consumers.iter().map(reader).collect(),
            ..Levels::default()
        }
    }

    /// Lets time pass: to be called before the collector sees a fact of this time.
    #[inline]
    pub fn advance(&mut self, now: Time, collector: &mut Collector) {
        if now >= self.edge {
            self.cross_edges(now, collector);
        }
    }

    #[cold]
    fn cross_edges(&mut self, now: Time, collector: &mut Collector) {
        while let Some(step) = self.grid.step(now) {
            if let Step::Append(edge) = step {
                self.note_starved(edge, collector);
            }
            self.each_series(|series| series.follow(step));
        }
        self.edge = self.grid.edge();
    }

    fn note_starved(&mut self, now: Time, collector: &mut Collector) {
        collector.pass(now);
        for (index, consumer) in self.consumers.iter_mut().enumerate() {
            consumer
                .starved
                .gauge
                .set(now, collector.starved(index as ConsumerIndex, now));
        }
    }

    fn each_series(&mut self, mut act: impl FnMut(&mut Series)) {
        for consumer in &mut self.consumers {
            act(&mut consumer.buffered);
            act(&mut consumer.starved);
        }
        for destination in &mut self.destinations {
            act(&mut destination.waiting);
            act(&mut destination.in_flight);
            act(&mut destination.buffered);
        }
        act(&mut self.deliveries);
        self.acks.iter_mut().for_each(act);
    }

    /// One fact, after the collector has seen it.
    #[inline]
    pub fn on(&mut self, now: Time, fact: &Fact, collector: &Collector) {
        match *fact {
            Fact::Sending { .. } | Fact::SendReturned { .. } | Fact::Released { .. } => {}
            Fact::Enqueued { destination, .. } => self.read_broker(now, destination, collector),
            Fact::Dispatched { consumer, .. } | Fact::Acknowledged { consumer, .. } => {
                self.read_broker(now, self.readers[consumer.index as usize].0, collector);
            }
            Fact::Received { consumer, .. } => self.read_client(now, consumer.index, collector),
            Fact::Delivered { consumer, .. } => {
                self.deliveries.gauge.shift(now, 1);
                self.read_client(now, consumer.index, collector);
            }
            Fact::AckArrived { ack } => self.acks[ack.ack_type as usize].gauge.shift(now, 1),
            Fact::AckSent { ack } => {
                if ack.ack_type != AckType::Standard {
                    self.read_client(now, ack.consumer.index, collector);
                }
            }
            _ => self.on_rare(now, fact, collector),
        }
    }

    #[cold]
    fn on_rare(&mut self, now: Time, fact: &Fact, collector: &Collector) {
        match *fact {
            Fact::DeadLettered {
                consumer: Some(consumer),
                ..
            }
            | Fact::Expired {
                consumer: Some(consumer),
                ..
            }
            | Fact::Gone {
                consumer: Some(consumer),
                ..
            }
            | Fact::Returned { consumer, .. }
            | Fact::Discarded { consumer, .. }
            | Fact::Rescheduled { consumer, .. }
            | Fact::Dropped { consumer, .. }
            | Fact::RedeliveryScheduled { consumer, .. }
            | Fact::Crashed { consumer }
            | Fact::Closed { consumer } => {
                self.read_client(now, consumer.index, collector);
                self.read_broker(now, self.readers[consumer.index as usize].0, collector);
            }
            Fact::DeadLettered { consumer: None, .. }
            | Fact::Expired { consumer: None, .. }
            | Fact::Gone { consumer: None, .. } => {
                for destination in 0..self.destinations.len() {
                    self.read_broker(now, destination as DestinationIndex, collector);
                }
            }
            _ => {}
        }
    }

    fn read_broker(&mut self, now: Time, destination: DestinationIndex, collector: &Collector) {
        let levels = &mut self.destinations[destination as usize];
        levels
            .waiting
            .gauge
            .set(now, collector.waiting(destination).into());
        levels
            .in_flight
            .gauge
            .set(now, collector.in_flight(destination).into());
    }

    fn read_client(&mut self, now: Time, consumer: ConsumerIndex, collector: &Collector) {
        let (destination, known) = &mut self.readers[consumer as usize];
        let buffered = collector.consumer_state(consumer).buffered;
        let change = i64::from(buffered) - i64::from(*known);
        *known = buffered;
        self.destinations[*destination as usize]
            .buffered
            .gauge
            .shift(now, change);
        if let Some(levels) = self.consumers.get_mut(consumer as usize) {
            levels.buffered.gauge.set(now, buffered.into());
        }
    }

    /// The end of the run.
    pub fn finish(&mut self, ended_at: Time, collector: &mut Collector) {
        self.advance(ended_at, collector);
        self.note_starved(ended_at, collector);
    }
}
