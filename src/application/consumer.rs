//! An application that consumes, over all its lives.

use std::collections::{BTreeSet, VecDeque};

use crate::facts::Outcome;
use crate::kernel::{Distribution, Sampler, Span, Stream, Time};
use crate::scenario::{
    Acknowledge, AcknowledgeMode, Consumer, CrashTrigger, Failures, OnFailure, Receive, Scenario,
    Throw,
};

/// The identity of a message for the application: its producer and number.
pub type MessageName = (u32, u64);

/// How the application's work on one delivery ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkEnd {
    /// Skipped: it has worked on the message before.
    pub outcome: Outcome,
    /// The process dies: which crash of the scenario.
    pub crash: Option<usize>,
}

impl WorkEnd {
    /// As it should.
    pub const DONE: WorkEnd = WorkEnd {
        outcome: Outcome::Done,
        crash: None,
    };
}

/// What the application makes of one delivery, decided as it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Work {
    /// How long it takes; None: for ever.
    pub length: Option<Span>,
    /// A hang is part of it: so long, None for ever.
    pub hang: Option<Option<Span>>,
}

/// One consuming application.
// What every delivery looks at fills one cache line, and what it draws from lies behind that; all the rest is elsewhere, so
// that a thousand applications are not spread over more memory than they use.
#[repr(C, align(64))]
pub struct ConsumerApp {
    processing: Sampler,
    life_deliveries: u64,
    /// So many deliveries more, then it closes; from `u64::MAX` on there is no end.
    left: u64,
    /// It neither hangs, crashes, fails nor remembers anything: every delivery simply takes its time.
    pub is_flawless: bool,
    /// All acknowledging is the library's business: it never calls acknowledge or commit after a success.
    pub is_silent: bool,
    /// Its session wants to know of each delivery.
    pub is_counted: bool,
    /// A delivery is in progress.
    pub is_delivering: bool,
    /// The end of a delivery may be the end of a life, whether there are more messages for it or not.
    may_close: bool,
    processing_stream: Stream,
    /// Lives so far.
    pub lives: u32,
    /// Listener or one of the receive styles.
    pub receive: Receive,
    /// What it does when its processing fails.
    pub on_failure: OnFailure,
    /// It closes as soon as the delivery in progress is done with.
    closes_after_delivery: bool,
    since_acknowledge: u32,
    rare: Box<Rare>,
}

/// What few applications have.
struct Rare {
    failure_stream: Stream,
    crash_stream: Stream,
    restart_stream: Stream,
    failures: Failures,
    /// Beside each entry of `failures.throws`: how often each of its messages has failed.
    failed: Vec<Vec<(MessageName, u64)>>,
    remembered: Option<Remembered>,
    stop: Option<Time>,
}

/// The last message ids that an idempotent application has worked on.
struct Remembered {
    window: usize,
    order: VecDeque<MessageName>,
    known: BTreeSet<MessageName>,
}

impl ConsumerApp {
    /// The application of a consumer.
    pub fn new(scenario: &Scenario, spec: &Consumer) -> ConsumerApp {
        let stream = |purpose| Stream::new(scenario.seed, &spec.name, purpose);
        let session = &scenario.sessions[spec.session];
        ConsumerApp {
            processing: Sampler::new(&spec.processing),
            life_deliveries: 0,
            left: spec.messages.unwrap_or(u64::MAX),
            is_flawless: spec.failures.hangs.is_empty()
                && spec.failures.crashes.is_empty()
                && spec.failures.throws.is_empty()
                && spec.deduplicate.is_none(),
            is_silent: matches!(
                session.mode,
                AcknowledgeMode::Auto | AcknowledgeMode::DupsOk
            ) && !matches!(session.acknowledge, Acknowledge::EveryConsumer(_)),
            is_counted: session.transaction.commit_when_idle.is_some(),
            is_delivering: false,
            may_close: false,
            processing_stream: stream("processing"),
            lives: 0,
            receive: spec.receive,
            on_failure: spec.on_failure,
            closes_after_delivery: false,
            since_acknowledge: 0,
            rare: Box::new(Rare {
                failure_stream: stream("failure"),
                crash_stream: stream("crash"),
                restart_stream: stream("restart"),
                failed: vec![Vec::new(); spec.failures.throws.len()],
                failures: spec.failures.clone(),
                remembered: spec.deduplicate.map(|window| Remembered {
                    window,
                    order: VecDeque::new(),
                    known: BTreeSet::new(),
                }),
                stop: spec.stop,
            }),
        }
    }

    /// What it draws from.
    pub fn streams(&self) -> [&Stream; 4] {
        [
            &self.processing_stream,
            &self.rare.failure_stream,
            &self.rare.crash_stream,
            &self.rare.restart_stream,
        ]
    }

    /// Whether it opens at all (again): not once it has had all its messages, or was stopped.
    pub fn wants_to_open(&self, now: Time) -> bool {
        let is_stopped = self.lives > 0 && self.rare.stop.is_some_and(|stop| now >= stop);
        !self.is_full() && !is_stopped
    }

    fn is_full(&self) -> bool {
        self.left == 0
    }

    /// A new life begins.
    pub fn open(&mut self) {
        self.lives += 1;
        self.life_deliveries = 0;
        self.since_acknowledge = 0;
        self.is_delivering = false;
        self.closes_after_delivery = false;
        self.may_close = !self.rare.failures.closes.is_empty();
    }

    /// A message is handed to it: how long it takes to process one.
    #[inline]
    pub fn begin(&mut self) -> Span {
        self.life_deliveries += 1;
        self.left = self.left.saturating_sub(1);
        self.is_delivering = true;
        // Drawn for a repeat as well: whether one comes must not shift the draws of later messages.
        self.processing.sample(&mut self.processing_stream)
    }

    /// What it makes of this message, which it begins.
    #[inline(never)]
    pub fn work(&self, message: MessageName, processing: Span) -> Work {
        let is_repeat = self.is_repeat(message);
        let mut length = Some(if is_repeat { Span::ZERO } else { processing });
        let mut hang = None;
        for failure in &self.rare.failures.hangs {
            if self.life_deliveries == failure.after_deliveries
                && (self.lives == 1 || !failure.once)
            {
                hang = Some(failure.length);
                length = length
                    .zip(failure.length)
                    .map(|(length, hang)| length + hang);
            }
        }
        Work { length, hang }
    }

    /// The work on a message is over.
    #[inline(never)]
    pub fn end(&mut self, message: MessageName) -> WorkEnd {
        let crash = self.crashes_now();
        let is_repeat = self.is_repeat(message);
        let fails = crash.is_none() && !is_repeat && self.fails(message);
        if crash.is_none() && !fails {
            self.remember(message);
        }
        let outcome = match (fails, is_repeat) {
            (true, _) => Outcome::Failed,
            (false, true) => Outcome::Skipped,
            (false, false) => Outcome::Done,
        };
        WorkEnd { outcome, crash }
    }

    /// Whether an idempotent application has worked on this message before.
    fn is_repeat(&self, message: MessageName) -> bool {
        self.rare
            .remembered
            .as_ref()
            .is_some_and(|remembered| remembered.known.contains(&message))
    }

    /// Whether the process dies at the end of this processing: which crash of the scenario.
    fn crashes_now(&self) -> Option<usize> {
        self.rare
            .failures
            .crashes
            .iter()
            .position(|crash| match crash.trigger {
                CrashTrigger::AfterDeliveries { n, once } => {
                    self.life_deliveries == n && (self.lives == 1 || !once)
                }
                CrashTrigger::At(_) | CrashTrigger::Every(_) => false,
            })
    }

    /// Whether this processing fails at its end.
    fn fails(&mut self, message: MessageName) -> bool {
        let rare = &mut *self.rare;
        for (failure, failed) in rare.failures.throws.iter().zip(&mut rare.failed) {
            match failure {
                Throw::Messages { messages, times } => {
                    if names(messages, message) {
                        let count = count_failure(failed, message);
                        return times.is_none_or(|times| count <= times);
                    }
                }
                Throw::Probability(chance) => {
                    if rare.failure_stream.chance(*chance) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// It has worked on a message and need not do so again.
    fn remember(&mut self, message: MessageName) {
        let Some(remembered) = &mut self.rare.remembered else {
            return;
        };
        if remembered.known.insert(message) {
            remembered.order.push_back(message);
        }
        if remembered.order.len() > remembered.window
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.known.remove(&oldest);
        }
    }

    /// Whether it calls the consumer-level acknowledge() now, by its own count.
    pub fn acknowledges_now(&mut self, acknowledge: Acknowledge) -> bool {
        let Acknowledge::EveryConsumer(every) = acknowledge else {
            return false;
        };
        self.since_acknowledge += 1;
        let due = self.since_acknowledge == every;
        if due {
            self.since_acknowledge = 0;
        }
        due
    }

    /// It closes once the delivery in progress is done with.
    pub fn close_after_delivery(&mut self) {
        self.closes_after_delivery = true;
        self.may_close = true;
    }

    /// Whether nothing unusual comes of the end of the delivery in progress: else [`Self::end`] and
    /// [`Self::end_delivery`] have to be asked.
    #[inline]
    pub fn ends_plainly(&self) -> bool {
        self.is_flawless && !self.may_close && !self.is_full()
    }

    /// The delivery in progress is done with. Whether it closes now, and when it opens again after that.
    #[inline]
    pub fn end_delivery(&mut self) -> Option<Option<Span>> {
        self.is_delivering = false;
        if self.closes_after_delivery || self.is_full() {
            return Some(None);
        }
        self.closes_now()
    }

    fn closes_now(&mut self) -> Option<Option<Span>> {
        let close = self.rare.failures.closes.iter().find(|close| {
            self.life_deliveries == close.after_deliveries && (self.lives == 1 || !close.once)
        })?;
        Some(
            close
                .restart_after
                .as_ref()
                .map(|after| draw(after, &mut self.rare.restart_stream)),
        )
    }

    /// When it comes back after this crash; None: never.
    pub fn restarts_after(&mut self, crash: usize) -> Option<Span> {
        let rare = &mut *self.rare;
        let after = rare.failures.crashes[crash].restart_after.as_ref()?;
        Some(draw(after, &mut rare.restart_stream))
    }

    /// When the broker notices this crash, if not at once.
    pub fn detected_after(&self, crash: usize) -> Option<Span> {
        self.rare.failures.crashes[crash].detected_after
    }

    /// The renewal crashes of a life that begins: which crash, and after how long.
    pub fn renewal_crashes(&mut self) -> Vec<(usize, Span)> {
        let rare = &mut *self.rare;
        let crashes = rare.failures.crashes.iter().enumerate();
        let renewals = crashes.filter_map(|(index, crash)| match &crash.trigger {
            CrashTrigger::Every(interval) => Some((index, draw(interval, &mut rare.crash_stream))),
            CrashTrigger::At(_) | CrashTrigger::AfterDeliveries { .. } => None,
        });
        renewals.collect()
    }
}

fn draw(distribution: &Distribution, stream: &mut Stream) -> Span {
    Sampler::new(distribution).sample(stream)
}

fn names(messages: &[(Option<usize>, u64)], (producer, number): MessageName) -> bool {
    messages
        .iter()
        .any(|(of, which)| *which == number && of.is_none_or(|of| of == producer as usize))
}

fn count_failure(failed: &mut Vec<(MessageName, u64)>, message: MessageName) -> u64 {
    if let Some((_, count)) = failed.iter_mut().find(|(name, _)| *name == message) {
        *count += 1;
        return *count;
    }
    failed.push((message, 1));
    1
}
