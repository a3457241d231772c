//! The part of a run that the timeline shows: as many deliveries as a person can tell apart.
//!
//! A short run is shown whole. Of a long one the first crash decides, or else the first slow flag,
//! redelivery or the like: the window begins some deliveries before it. Without any, it is the
//! beginning of the run. What is kept is bounded: the beginning, then a ring of the latest past
//! until the gravest thing happens that the scenario can bring about. After that nothing more is
//! recorded.

use std::collections::VecDeque;

use crate::facts::{DeathCause, Fact, Outcome};
use crate::kernel::{Span, Time};
use crate::metrics::{Collector, ConsumerState};
use crate::scenario::{
    AcknowledgeMode, Destination, DestinationKind, Failures, Scenario, Semantics, Session,
};
use crate::wire::{AckType, ConsumerId, ConsumerIndex};

/// Runs with at most so many deliveries are shown whole.
const WHOLE: u64 = 400;
/// Deliveries in a window, unless consumers are many.
const SHOWN: u64 = 150;
/// Deliveries of a window that come before what happened.
const BEFORE: u64 = 40;
/// Most records of the beginning.
const MOST_RECORDS: usize = 24_000;
/// Most records of the latest past and of what follows, unless consumers are many.
const RING: usize = 2_048;

/// What happened to a consumer, as far as the timeline shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Only its levels changed.
    Level,
    /// It begins to work on a delivery, with this `JMSXDeliveryCount`.
    Begin(u32),
    /// Its work ended.
    End(Outcome),
    /// It sends an ack for so many messages.
    Ack(AckType, i32),
    /// Its messages are not delivered again before this nanosecond.
    Pause(u64),
    /// Something that gets a mark.
    Mark(Mark),
}

/// What gets a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Its process died.
    Crash,
    /// It is ready, or its transport has connected again.
    Start,
    /// It closed in good order.
    Close,
    /// The broker marks it slow.
    Slow,
    /// The broker takes the mark back.
    NotSlow,
    /// A strategy found it slow.
    Checked,
    /// A strategy aborts it.
    Aborted,
    /// A message of it expired.
    Expired,
    /// A message of it was dead-lettered or thrown away.
    Dead,
}

/// One record: the event and the levels behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// When, in nanoseconds.
    pub at: u64,
    /// Who.
    pub consumer: ConsumerIndex,
    /// Messages in its buffer, afterwards.
    pub buffered: u32,
    /// Processed messages that wait for their ack, afterwards.
    pub awaiting: u32,
    /// Whether it is connected, afterwards.
    pub is_connected: bool,
    /// What.
    pub event: Event,
}

/// What the timeline shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// In order of time; some lie before the view, some behind.
    pub records: Vec<Record>,
    /// Whether the records begin with the run.
    pub from_start: bool,
    /// State behind the last record, by consumer.
    pub closing: Vec<ConsumerState>,
    /// When the broker was down, in nanoseconds.
    pub broker_down: Vec<(u64, u64)>,
    /// Deliveries in the view.
    pub shown: u64,
    /// Deliveries of the whole run.
    pub total: u64,
    /// Whether nothing of the run is left out.
    pub is_whole: bool,
    /// What the view was chosen for.
    pub reason: Option<Reason>,
}

/// Why a window is around something: the graver, the better a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A message expired.
    Expiry,
    /// A message was dead-lettered.
    DeadLetter,
    /// A message was, or will be, delivered again.
    Redelivery,
    /// A consumer was found slow.
    Slow,
    /// The broker stopped.
    Broker,
    /// A consumer's process died.
    Crash,
}

impl Reason {
    /// As a note says it.
    pub fn text(self) -> &'static str {
        match self {
            Reason::Expiry => "the first expired message",
            Reason::DeadLetter => "the first dead letter",
            Reason::Redelivery => "the first redelivery",
            Reason::Slow => "the first slow consumer",
            Reason::Broker => "the broker's stop",
            Reason::Crash => "the first crash",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The beginning of the run is kept.
    Beginning,
    /// Only the latest past is kept, until something graver happens.
    LookingOut,
    /// It happened, and the ring takes what follows.
    Following,
    /// Enough is known.
    Decided,
}

/// Records what may be shown.
#[derive(Debug)]
pub struct Window {
    stage: Stage,
    /// More deliveries are shown where there are many consumers.
    scale: u64,
    /// The gravest that the scenario can bring about.
    gravest: Option<Reason>,
    beginning: Vec<Record>,
    ring: VecDeque<Record>,
    /// By consumer, its latest record in `beginning`.
    latest: Vec<usize>,
    deliveries: u64,
    /// Recording ends (or turns to the ring) behind this delivery.
    until: u64,
    /// The delivery at which it happened, and what.
    happened: Option<(u64, Reason)>,
    /// Whether it happened while only the ring was kept.
    followed: bool,
    closing: Vec<ConsumerState>,
    broker_down: Vec<(u64, u64)>,
}

impl Window {
    /// For the first `consumers` consumers of a scenario.
    pub fn new(scenario: &Scenario, consumers: usize) -> Window {
        let scale = (consumers as u64).div_ceil(12).max(1);
        Window {
            stage: Stage::Beginning,
            scale,
            gravest: gravest(scenario),
            beginning: Vec::new(),
            ring: VecDeque::new(),
            latest: vec![usize::MAX; consumers],
            deliveries: 0,
            until: WHOLE * scale,
            happened: None,
            followed: false,
            closing: Vec::new(),
            broker_down: Vec::new(),
        }
    }

    /// One fact, after the collector has seen it.
    #[inline]
    pub fn on(&mut self, now: Time, fact: &Fact, collector: &Collector) {
        if self.stage == Stage::Decided {
            return;
        }
        match (event_of(fact), fact) {
            (Some((consumer, event)), _) if (consumer as usize) < self.latest.len() => {
                self.record(now.0, consumer, event, collector);
            }
            (None, Fact::BrokerUp { up }) => self.broker(now.0, *up),
            _ => {}
        }
    }

    fn record(&mut self, at: u64, consumer: ConsumerIndex, event: Event, collector: &Collector) {
        if matches!(event, Event::Begin(_)) {
            if self.deliveries >= self.until {
                self.next_stage(collector);
            }
            self.deliveries += 1;
        }
        if let Some(reason) = reason_of(event) {
            self.happen(reason);
        }
        let state = collector.consumer_state(consumer);
        let ConsumerState {
            buffered,
            awaiting,
            is_connected,
            ..
        } = state;
        let record = Record {
            at,
            consumer,
            buffered,
            awaiting,
            is_connected,
            event,
        };
        match self.stage {
            Stage::Beginning => self.keep(record, collector),
            Stage::LookingOut | Stage::Following => self.keep_in_ring(record, collector),
            Stage::Decided => {}
        }
    }

    fn keep(&mut self, record: Record, collector: &Collector) {
        let latest = &mut self.latest[record.consumer as usize];
        if let Some(last) = self.beginning.get_mut(*latest)
            && (last.at, last.event, record.event) == (record.at, Event::Level, Event::Level)
        {
            *last = record;
            return;
        }
        *latest = self.beginning.len();
        self.beginning.push(record);
        if self.beginning.len() >= MOST_RECORDS {
            self.until = self.deliveries;
            self.next_stage(collector);
        }
    }

    fn keep_in_ring(&mut self, record: Record, collector: &Collector) {
        if self.ring.len() == RING * self.scale as usize {
            if self.stage == Stage::Following {
                return self.next_stage(collector);
            }
            self.ring.pop_front();
        }
        self.ring.push_back(record);
    }

    fn broker(&mut self, at: u64, up: bool) {
        let open = self
            .broker_down
            .last_mut()
            .filter(|(_, end)| *end == u64::MAX);
        if let (true, Some((_, end))) = (up, open) {
            *end = at;
        } else if !up && self.broker_down.len() < 100 {
            self.broker_down.push((at, u64::MAX));
            self.happen(Reason::Broker);
        }
    }

    fn happen(&mut self, reason: Reason) {
        if self.happened.is_some_and(|(_, known)| known >= reason) {
            return;
        }
        self.happened = Some((self.deliveries, reason));
        let until = self.deliveries + (SHOWN - BEFORE) * self.scale;
        if self.stage == Stage::Beginning {
            self.until = self.until.max(until);
            return;
        }
        self.stage = Stage::Following;
        self.followed = true;
        self.until = until;
        // What follows needs room: the past keeps half of the ring at most.
        let excess = self
            .ring
            .len()
            .saturating_sub(RING * self.scale as usize / 2);
        self.ring.drain(..excess);
    }

    fn next_stage(&mut self, collector: &Collector) {
        let known = self.happened.map(|(_, reason)| reason);
        self.closing = snapshots(collector, self.latest.len());
        if self.stage == Stage::Beginning && known < self.gravest {
            self.stage = Stage::LookingOut;
            self.until = u64::MAX;
        } else {
            self.stage = Stage::Decided;
        }
    }

    /// What is to be shown of a run that ended then.
    pub fn finish(mut self, ended_at: Time, total: u64, collector: &Collector) -> View {
        let to_the_end = matches!(self.stage, Stage::Beginning | Stage::Following);
        if to_the_end {
            self.closing = snapshots(collector, self.latest.len());
        }
        let fits = self.stage == Stage::Beginning && self.deliveries <= WHOLE * self.scale;
        let records = match self.followed {
            true => Vec::from(std::mem::take(&mut self.ring)),
            false => std::mem::take(&mut self.beginning),
        };
        let begins: Vec<u64> = records
            .iter()
            .filter(|r| r.begins())
            .map(|r| r.at)
            .collect();
        let newest = records.last().map_or(Time::ZERO, |record| Time(record.at));
        let (first, last) = if fits {
            (0, begins.len())
        } else {
            self.chosen(begins.len())
        };
        let begin_of = |index: usize| begins.get(index).copied().map(Time);
        let to = begin_of(last).unwrap_or(if to_the_end { ended_at } else { newest });
        let from = match begin_of(first) {
            Some(begin) if first > 0 || self.followed => begin,
            Some(begin) => without_quiet_start(begin, to),
            None => Time::ZERO,
        };
        View {
            from,
            to: to.max(from + Span(1)),
            records,
            from_start: !self.followed,
            closing: self.closing,
            broker_down: self.broker_down,
            shown: (last - first) as u64,
            total,
            is_whole: fits && from == Time::ZERO,
            reason: self.happened.map(|(_, reason)| reason),
        }
    }

    /// Of so many deliveries that were kept, the first to be shown and the one behind the last.
    fn chosen(&self, kept: usize) -> (usize, usize) {
        let skipped = if self.followed {
            self.deliveries as usize - kept
        } else {
            0
        };
        let (before, shown) = (
            (BEFORE * self.scale) as usize,
            (SHOWN * self.scale) as usize,
        );
        let happened = self.happened.map_or(0, |(delivery, _)| delivery as usize);
        let is_late = happened > shown / 2;
        let first = if is_late {
            happened.saturating_sub(before + skipped)
        } else {
            0
        };
        (first.min(kept), (first + shown).min(kept))
    }
}

/// Where most of a window would pass before the first delivery, it begins shortly before that.
fn without_quiet_start(first_delivery: Time, to: Time) -> Time {
    let rest = to.since(first_delivery).0;
    let lead = first_delivery.0.min(rest / 8);
    if first_delivery.0 / 2 > rest {
        Time(first_delivery.0 - lead)
    } else {
        Time::ZERO
    }
}

impl Record {
    fn begins(&self) -> bool {
        matches!(self.event, Event::Begin(_))
    }
}

fn snapshots(collector: &Collector, consumers: usize) -> Vec<ConsumerState> {
    (0..consumers)
        .map(|consumer| collector.consumer_state(consumer as ConsumerIndex))
        .collect()
}

/// The gravest reason for a window that a scenario can bring about.
fn gravest(scenario: &Scenario) -> Option<Reason> {
    let consumers = || scenario.consumers.iter().map(|consumer| &consumer.failures);
    let crashes = |f: &Failures| !f.crashes.is_empty() || !f.disconnects.is_empty();
    let fails = |f: &Failures| *f != Failures::default();
    let slow = |destination: &Destination| {
        destination.kind == DestinationKind::Topic
            || destination.policy.slow_consumer_strategy.is_some()
    };
    let repeats = |session: &Session| session.mode != AcknowledgeMode::Auto;
    let reasons = [
        (Reason::Crash, consumers().any(crashes)),
        (Reason::Broker, !scenario.broker.restarts.is_empty()),
        (Reason::Slow, scenario.destinations.iter().any(slow)),
        (Reason::Slow, scenario.semantics != Semantics::ActiveMq5_17),
        (
            Reason::Redelivery,
            consumers().any(fails) || scenario.sessions.iter().any(repeats),
        ),
        (
            Reason::Expiry,
            scenario.producers.iter().any(|p| p.time_to_live.is_some()),
        ),
    ];
    reasons
        .into_iter()
        .find(|(_, possible)| *possible)
        .map(|(reason, _)| reason)
}

fn event_of(fact: &Fact) -> Option<(ConsumerIndex, Event)> {
    let (consumer, event) = match *fact {
        Fact::Received { consumer, .. }
        | Fact::Acknowledged { consumer, .. }
        | Fact::Dropped { consumer, .. }
        | Fact::Returned { consumer, .. }
        | Fact::Rescheduled { consumer, .. }
        | Fact::Unsubscribed { consumer, .. } => (consumer, Event::Level),
        Fact::Delivered {
            consumer, count, ..
        } => (consumer, Event::Begin(count)),
        Fact::Processed {
            consumer, outcome, ..
        } => (consumer, Event::End(outcome)),
        Fact::AckSent { ack } => (ack.consumer, Event::Ack(ack.ack_type, ack.count)),
        Fact::RedeliveryScheduled {
            consumer, until, ..
        } => (consumer, Event::Pause(until.0)),
        _ => {
            let (consumer, mark) = mark_of(fact)?;
            (consumer, Event::Mark(mark))
        }
    };
    Some((consumer.index, event))
}

fn mark_of(fact: &Fact) -> Option<(ConsumerId, Mark)> {
    Some(match *fact {
        Fact::Crashed { consumer } => (consumer, Mark::Crash),
        Fact::Started { consumer }
        | Fact::Subscribed {
            consumer,
            replayed: true,
        } => (consumer, Mark::Start),
        Fact::Closed { consumer } => (consumer, Mark::Close),
        Fact::Slow {
            consumer,
            slow: true,
        } => (consumer, Mark::Slow),
        Fact::Slow {
            consumer,
            slow: false,
        } => (consumer, Mark::NotSlow),
        Fact::SlowChecked {
            consumer,
            aborted: false,
            ..
        } => (consumer, Mark::Checked),
        Fact::SlowChecked {
            consumer,
            aborted: true,
            ..
        } => (consumer, Mark::Aborted),
        Fact::Expired {
            consumer: Some(consumer),
            ..
        } => (consumer, Mark::Expired),
        Fact::DeadLettered {
            consumer: Some(consumer),
            cause,
            ..
        }
        | Fact::Discarded {
            consumer, cause, ..
        } if cause != DeathCause::Expired => (consumer, Mark::Dead),
        _ => return None,
    })
}

/// Why a window should be around this event, if it should.
fn reason_of(event: Event) -> Option<Reason> {
    match event {
        Event::Begin(2..) | Event::Pause(_) => Some(Reason::Redelivery),
        Event::Mark(Mark::Crash) => Some(Reason::Crash),
        Event::Mark(Mark::Slow | Mark::Checked | Mark::Aborted) => Some(Reason::Slow),
        Event::Mark(Mark::Expired) => Some(Reason::Expiry),
        Event::Mark(Mark::Dead) => Some(Reason::DeadLetter),
        _ => None,
    }
}
