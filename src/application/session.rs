//! What an application counts per session: deliveries to the next acknowledge() and to the end of a transaction.

use crate::kernel::{Span, Stream};
use crate::scenario::{Acknowledge, AcknowledgeMode, ConsumerTransaction, Scenario};

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// commit()
    Commit,
    /// rollback()
    RollBack,
}

/// The counts of a session; transaction numbers go on over all its lives.
pub struct SessionApp {
    /// How its deliveries are acknowledged.
    pub mode: AcknowledgeMode,
    /// When acknowledge() is called.
    pub acknowledge: Acknowledge,
    transaction: ConsumerTransaction,
    stream: Stream,
    since_acknowledge: u32,
    in_transaction: u32,
    ended: u64,
    /// Counted for commitWhenIdle only.
    deliveries: u64,
}

impl SessionApp {
    /// The application's side of a session.
    pub fn new(scenario: &Scenario, session: usize) -> SessionApp {
        let spec = &scenario.sessions[session];
        SessionApp {
            mode: spec.mode,
            acknowledge: spec.acknowledge,
            transaction: spec.transaction.clone(),
            stream: Stream::new(scenario.seed, &spec.name, "transaction"),
            since_acknowledge: 0,
            in_transaction: 0,
            ended: 0,
            deliveries: 0,
        }
    }

    /// What it draws from.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// A new session object.
    pub fn open(&mut self) {
        self.since_acknowledge = 0;
        self.in_transaction = 0;
    }

    /// A delivery begins, and the end of its transaction depends on it (commitWhenIdle).
    pub fn begin_delivery(&mut self) {
        self.deliveries += 1;
    }

    /// A delivery was processed: whether acknowledge() is called on it.
    pub fn acknowledges_now(&mut self) -> bool {
        let Acknowledge::EverySession(every) = self.acknowledge else {
            return false;
        };
        self.since_acknowledge += 1;
        let due = self.since_acknowledge == every;
        if due {
            self.since_acknowledge = 0;
        }
        due
    }

    /// A delivery was processed in the transaction: how that ends now, if it does.
    pub fn processed_in_transaction(&mut self) -> Option<Verdict> {
        self.in_transaction += 1;
        (self.in_transaction == self.transaction.size).then(|| self.end_transaction())
    }

    /// For commitWhenIdle: after how long, and how many deliveries there have been so far.
    pub fn commits_when_idle(&self) -> Option<(Span, u64)> {
        self.transaction
            .commit_when_idle
            .map(|idle| (idle, self.deliveries))
    }

    /// It has been idle since that many deliveries: how the open transaction ends, if there is one.
    pub fn idle(&mut self, since_deliveries: u64) -> Option<Verdict> {
        let is_idle = self.deliveries == since_deliveries && self.in_transaction > 0;
        is_idle.then(|| self.end_transaction())
    }

    fn end_transaction(&mut self) -> Verdict {
        self.in_transaction = 0;
        self.ended += 1;
        let chance = self.transaction.roll_back_probability;
        let by_chance = chance > 0.0 && self.stream.chance(chance);
        if by_chance || self.transaction.roll_back.contains(&self.ended) {
            Verdict::RollBack
        } else {
            Verdict::Commit
        }
    }

    /// The application rolls back because its processing failed: that uses up a transaction number.
    pub fn rolls_back(&mut self) {
        self.in_transaction = 0;
        self.ended += 1;
    }

    /// The application recovers: the count to the next acknowledge() starts again.
    pub fn recovers(&mut self) {
        self.since_acknowledge = 0;
    }
}
