//! Pictures of one run: a fold over its facts, and pure functions from what it kept to SVG and PNG.
//! And of many runs: [`comparison`] draws what `acksim compare` found.
//!
//! [`Recorder`] watches a run in memory that does not grow with the number of messages; [`Charts`]
//! is what it kept, as plain data; each picture's module turns that into a [`drawing::Drawing`],
//! which is laid out once and shown to both output formats through one interface (plotters'
//! `DrawingBackend`), so that they cannot disagree. A drawing depends on nothing but the run: no
//! fonts of the machine, no clock, no platform's libm, hence the same bytes everywhere.

pub mod acks;
pub mod axis;
pub mod bitmap;
pub mod comparison;
pub mod consumers;
pub mod drawing;
pub mod font;
pub mod lanes;
pub mod latency;
pub mod levels;
pub mod page;
pub mod palette;
pub mod queue;
pub mod series;
pub mod signs;
pub mod timeline;
pub mod window;
mod words;

#[cfg(test)]
mod toy;

use drawing::Drawing;
use levels::{Levels, TRACKED_CONSUMERS};
use series::{Bin, Series};
use window::{View, Window};

use crate::facts::{Fact, Observer};
use crate::kernel::Time;
use crate::metrics::{Collector, ConsumerMetrics, ConsumerState, Histogram, Metrics, RunEnd};
use crate::scenario::{DestinationKind, Scenario, Semantics};
use crate::wire::{ConsumerIndex, Messages};

/// Most points of a line: more than a printed page can tell apart only make files larger.
const MOST_POINTS: usize = 400;

/// Watches a run for its metrics and its charts.
///
/// It has the collector of the metrics inside and reads every level off it, so that no picture can
/// disagree with `metrics.json`. Where nothing is to be drawn, the collector alone watches:
///
/// ```
/// use acksim::{charts::Recorder, metrics::{Collector, RunEnd}, scenario::Scenario, world};
///
/// # fn run(scenario: &Scenario, draws: bool) -> Result<(), world::GivenUp> {
/// let mut watching = (
///     (!draws).then(|| Collector::new(scenario)),
///     draws.then(|| Recorder::new(scenario)),
/// );
/// let ended_at = world::simulate(scenario, &mut watching)?.ended_at;
/// if let (_, Some(recorder)) = watching {
///     let (metrics, charts) = recorder.finish(RunEnd { ended_at, ..RunEnd::default() });
///     charts.write(&mut |name, bytes| println!("{name}: {} bytes", bytes.len()));
/// }
/// # Ok(())
/// # }
/// ```
pub struct Recorder<'a> {
    collector: Collector<'a>,
    levels: Levels,
    window: Window,
    last_fact: Time,
    scenario: &'a Scenario,
}

/// One consumer in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumer {
    /// Of the scenario.
    pub number: usize,
    /// Of the scenario.
    pub name: String,
    /// Number of its destination.
    pub destination: usize,
    /// As the client asks for it.
    pub prefetch: u32,
    /// Deliveries to its application.
    pub delivered: u64,
    /// Deliveries with `JMSXDeliveryCount` above 1.
    pub redelivered: u64,
    /// Most messages that its client held: in its buffer, at work, or without an ack.
    pub max_held: u64,
    /// How often its process died.
    pub crashes: u64,
    /// How often the broker marked it slow.
    pub slow_marks: u64,
    /// How often a strategy aborted it for slowness.
    pub aborts: u64,
    /// Where its time went.
    pub shares: Shares,
}

/// Shares of the measured time, from 0 to 1 in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Working.
    pub busy: f64,
    /// Without work while others of the same queue had messages waiting.
    pub starved: f64,
    /// Without work, and nobody could have given any.
    pub idle: f64,
    /// Not connected.
    pub down: f64,
}

/// A queue or topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Destination {
    /// Without `queue://`.
    pub name: String,
    /// `queue` or `topic`.
    pub kind: &'static str,
    /// Whether others send their dead letters there.
    pub is_dead_letter: bool,
}

/// What became of messages otherwise than by an acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Sent to a dead-letter queue.
    pub dead_lettered: u64,
    /// Expired.
    pub expired: u64,
    /// Thrown away.
    pub discarded: u64,
}

/// What the charts show.
#[derive(Clone, Debug, Default)]
pub struct Charts {
    /// Of the scenario.
    pub name: String,
    /// Said in every title unless they are the real 5.17.2's.
    pub rules: Option<&'static str>,
    /// By number.
    pub consumers: Vec<Consumer>,
    /// By number.
    pub destinations: Vec<Destination>,
    /// By consumer that is tracked, the queue it reads from; none for a topic.
    pub queues: Vec<Option<usize>>,
    /// What became of messages.
    pub losses: Losses,
    /// Levels over time.
    pub levels: Levels,
    /// From wanting to send until delivered, processed, and acknowledged.
    pub latencies: [Histogram; 3],
    /// What the timeline shows.
    pub view: View,
    /// By consumer, at the end of the run.
    pub at_end: Vec<ConsumerState>,
    /// When the run ended.
    pub ended_at: Time,
    /// Until when pictures over time go: a long quiet end is left out.
    pub shown_until: Time,
    /// Numbers leave out what comes before.
    pub warm_up: Time,
}

impl<'a> Recorder<'a> {
    /// Before the run.
    pub fn new(scenario: &'a Scenario) -> Recorder<'a> {
        Recorder {
            collector: Collector::new(scenario),
            levels: Levels::new(scenario),
            window: Window::new(scenario, scenario.consumers.len().min(TRACKED_CONSUMERS)),
            last_fact: Time::ZERO,
            scenario,
        }
    }

    /// After the run.
    pub fn finish(mut self, end: RunEnd) -> (Metrics, Charts) {
        let scenario = self.scenario;
        let shown_until = without_quiet_end(self.last_fact, end.ended_at);
        self.levels.finish(shown_until, &mut self.collector);
        let deliveries = self.levels.deliveries.gauge.value;
        let latencies = self.collector.latencies().map(Clone::clone);
        let view = self.window.finish(shown_until, deliveries, &self.collector);
        let states = (0..scenario.consumers.len() as ConsumerIndex)
            .map(|consumer| self.collector.consumer_state(consumer))
            .collect();
        let metrics = self.collector.finish(end);
        let queues = scenario
            .consumers
            .iter()
            .take(TRACKED_CONSUMERS)
            .map(|consumer| {
                let kind = scenario.destinations[consumer.destination].kind;
                (kind == DestinationKind::Queue).then_some(consumer.destination)
            });
        let charts = Charts {
            name: scenario.name.clone(),
            rules: rules(scenario.semantics),
            consumers: consumers(scenario, &metrics),
            destinations: destinations(scenario),
            queues: queues.collect(),
            losses: Losses {
                dead_lettered: metrics.messages.dead_lettered,
                expired: metrics.messages.expired,
                discarded: metrics.messages.discarded,
            },
            levels: self.levels,
            latencies,
            view,
            at_end: states,
            ended_at: end.ended_at,
            shown_until,
            warm_up: scenario.warm_up,
        };
        (metrics, charts)
    }
}

impl Observer for Recorder<'_> {
    #[inline]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        self.levels.advance(now, &mut self.collector);
        self.collector.on(now, fact, messages);
        self.levels.on(now, fact, &self.collector);
        self.window.on(now, fact, &self.collector);
        self.last_fact = now;
    }
}

/// Whose rules apply, unless they are the real 5.17.2's.
fn rules(semantics: Semantics) -> Option<&'static str> {
    match semantics {
        Semantics::ActiveMq5_17 => None,
        Semantics::ActiveMq6 => Some("activemq-6: derived, not recorded"),
        Semantics::Article => Some("article\u{a0}semantics"),
    }
}

fn destinations(scenario: &Scenario) -> Vec<Destination> {
    let places = scenario.destinations.iter().enumerate();
    places
        .map(|(number, place)| Destination {
            name: place.name.clone(),
            kind: match place.kind {
                DestinationKind::Queue => "queue",
                DestinationKind::Topic => "topic",
            },
            is_dead_letter: scenario.destinations.iter().any(|other| {
                other.policy.dead_letter_strategy.queue == Some(number) && other != place
            }),
        })
        .collect()
}

/// Each consumer of the scenario with its numbers of the metrics.
fn consumers(scenario: &Scenario, metrics: &Metrics) -> Vec<Consumer> {
    let measured = metrics.run.simulated_ms - metrics.run.warm_up_ms;
    let named = scenario
        .consumers
        .iter()
        .zip(&metrics.consumers.0)
        .enumerate();
    let consumer = |(number, (consumer, (name, metrics))): (usize, (&_, &(String, _)))| {
        let (consumer, metrics): (&crate::scenario::Consumer, &ConsumerMetrics) =
            (consumer, metrics);
        Consumer {
            number,
            name: name.clone(),
            destination: consumer.destination,
            prefetch: consumer.prefetch_size,
            delivered: metrics.delivered,
            redelivered: metrics.redelivered,
            max_held: metrics.max_held,
            crashes: metrics.crashes,
            slow_marks: metrics.slow_marks,
            aborts: metrics.aborts,
            shares: shares(metrics, measured),
        }
    };
    named.map(consumer).collect()
}

fn shares(metrics: &ConsumerMetrics, measured_ms: f64) -> Shares {
    if measured_ms <= 0.0 {
        return Shares {
            down: 1.0,
            ..Shares::default()
        };
    }
    let share = |millis: f64| (millis / measured_ms).clamp(0.0, 1.0);
    Shares {
        busy: share(metrics.busy_ms),
        starved: share(metrics.starved_ms),
        idle: share(metrics.idle_ms - metrics.starved_ms),
        down: share(measured_ms - metrics.busy_ms - metrics.idle_ms),
    }
}

/// If nothing happens in the second half of a run, pictures end some time after the last event.
fn without_quiet_end(last_fact: Time, ended_at: Time) -> Time {
    let end = Time(last_fact.0.saturating_add(last_fact.0 / 2));
    let quiet = last_fact.0 > 0 && ended_at.0 / 2 > last_fact.0;
    if quiet { end } else { Time(ended_at.0.max(1)) }
}

impl Charts {
    /// Every picture with its name, in the order in which they are best read.
    pub fn drawings(&self) -> Vec<(&'static str, Drawing)> {
        vec![
            ("timeline", timeline::draw(self)),
            ("queue", queue::draw(self)),
            ("latency", latency::draw(self)),
            ("consumers", consumers::draw(self)),
            ("acks", acks::draw(self)),
        ]
    }

    /// Hands out every picture as an SVG and as a PNG file: `timeline.svg`, `timeline.png`, …
    pub fn write(&self, file: &mut dyn FnMut(&str, Vec<u8>)) {
        for (name, drawing) in self.drawings() {
            file(&format!("{name}.svg"), drawing.svg());
            file(&format!("{name}.png"), drawing.png());
        }
    }

    /// The bins of a series as far as pictures over time go.
    fn bins(&self, series: &Series) -> Vec<(Time, Bin)> {
        let bins = series.bins(&self.levels.grid, self.shown_until);
        let group = bins.len().div_ceil(MOST_POINTS);
        let join = |bins: &[(Time, Bin)]| {
            let all = bins.iter().map(|(_, bin)| *bin).reduce(Bin::joined);
            (bins[bins.len() - 1].0, all.unwrap_or(bins[0].1))
        };
        bins.chunks(group.max(1)).map(join).collect()
    }
}

#[cfg(test)]
mod tests;
