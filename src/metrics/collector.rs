//! Facts to tallies.

use super::document::{self, Metrics};
use super::fingerprint::Fingerprints;
use super::ledger::{
    AWAITED, BUFFERED, Copy, DELIVERED, DONE, FRESH, HANDLED, HELD, IN_FLIGHT, LISTED, Ledger,
    OWED, WAITING, WORKING,
};
use super::order::Order;
use super::tally::{ConsumerTally, DestinationTally, ProducerTally, RunTally};
use crate::facts::{Fact, Observer, Outcome, Removal, TransactionCommand};
use crate::kernel::{Span, Time};
use crate::scenario::{AcknowledgeMode, DestinationKind, Scenario};
use crate::wire::{
    AckType, ConsumerId, DestinationIndex, MessageAck, MessageRef, Messages, ProducerIndex,
    TransactionId, TransactionOwner,
};

mod finish;
mod view;

pub use view::ConsumerState;

/// What the world knows at the end of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunEnd {
    /// Virtual time of the end.
    pub ended_at: Time,
    /// Events that the kernel handled.
    pub events: u64,
    /// A print of all random draws, if the world keeps one.
    pub draws: Option<u64>,
}

/// Collects the numbers of a run while it goes on.
pub struct Collector<'a> {
    scenario: &'a Scenario,
    ledger: Ledger,
    order: Order,
    prints: Fingerprints,
    run: RunTally,
    consumers: Vec<ConsumerTally>,
    producers: Vec<ProducerTally>,
    destinations: Vec<DestinationTally>,
    is_queue: Vec<bool>,
    /// When the last COMMIT of each session reached the broker; none: its acks take effect by
    /// themselves.
    commits: Vec<Option<Time>>,
    /// First send and first createConsumer, the warm-up included.
    began: (Option<Time>, Option<Time>),
    /// When the warm-up ends; never, once it has.
    warm_up: Time,
}

impl<'a> Collector<'a> {
    /// Nothing has happened yet.
    pub fn new(scenario: &'a Scenario) -> Collector<'a> {
        let consumers = scenario.consumers.iter().map(|consumer| ConsumerTally {
            destination: consumer.destination,
            session: consumer.session,
            ..ConsumerTally::default()
        });
        let commits = scenario.sessions.iter().map(|session| {
            (session.mode == AcknowledgeMode::SessionTransacted).then_some(Time::ZERO)
        });
        let kinds = scenario
            .destinations
            .iter()
            .map(|destination| destination.kind);
        Collector {
            ledger: Ledger::new(scenario),
            order: Order::new(scenario),
            prints: Fingerprints::default(),
            run: RunTally::default(),
            consumers: consumers.collect(),
            producers: vec![ProducerTally::default(); scenario.producers.len()],
            destinations: vec![DestinationTally::default(); scenario.destinations.len()],
            is_queue: kinds.map(|kind| kind == DestinationKind::Queue).collect(),
            commits: commits.collect(),
            began: (None, None),
            warm_up: scenario.warm_up,
            scenario,
        }
    }

    /// The warm-up is over: counts start afresh, what is the case goes on.
    #[cold]
    fn begin_measuring(&mut self) {
        let now = std::mem::replace(&mut self.warm_up, Time::NEVER);
        self.run = RunTally::default();
        for producer in &mut self.producers {
            *producer = ProducerTally {
                calling_since: producer.calling_since,
                ..ProducerTally::default()
            };
        }
        for consumer in &mut self.consumers {
            consumer.restart(now, &mut self.destinations[consumer.destination].buffers);
        }
        for destination in &mut self.destinations {
            destination.restart(now);
        }
    }

    // ── the producing application ──

    fn sending(&mut self, now: Time, message: MessageRef, messages: &Messages) {
        let sent = &messages[message];
        let producer = &mut self.producers[sent.producer as usize];
        producer.sent += 1;
        producer.calling_since.get_or_insert(now);
        producer.late.record(now.since(sent.wanted_at).0);
        self.run.messages.sent += 1;
        self.run.commands.message += 1;
        self.run.first_send.get_or_insert(now);
        self.began.0.get_or_insert(now);
    }

    fn send_returned(&mut self, took: Span, producer: ProducerIndex, failed: bool) {
        let producer = &mut self.producers[producer as usize];
        producer.calling_since = None;
        producer.blocked.record(took.0);
        producer.failed += u64::from(failed);
    }

    fn producer_transaction(&mut self, transaction: TransactionId, committed: bool) {
        let TransactionOwner::Producer(producer) = transaction.owner else {
            return;
        };
        let producer = &mut self.producers[producer as usize];
        producer.committed += u64::from(committed);
        producer.rolled_back += u64::from(!committed);
        // BEGIN, and the command that ended it.
        self.run.commands.transaction_info += 2;
    }

    // ── the broker, about messages ──

    fn enqueued(&mut self, now: Time, message: MessageRef, place: DestinationIndex, copies: u32) {
        let destination = &mut self.destinations[place as usize];
        destination.enqueued += u64::from(copies);
        destination.depth.add(now, copies);
        if self.is_queue[place as usize] {
            self.ledger.only(message).set(WAITING);
            return;
        }
        self.run.messages.unrouted += u64::from(copies == 0);
        if copies > 0 {
            self.ledger.fan_out(message, place);
        }
    }

    fn dispatched(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let copy = self.ledger.of(message, consumer.index);
        if copy.is(IN_FLIGHT) {
            self.consumers[copy.owner.index as usize].in_flight -= 1;
        }
        let was_in_flight = copy.take(IN_FLIGHT | HELD | BUFFERED | FRESH | WORKING);
        copy.set(IN_FLIGHT | AWAITED);
        copy.owner = consumer;
        copy.dispatched_at = now;
        let consumer = &mut self.consumers[consumer.index as usize];
        consumer.counts.dispatched += 1;
        consumer.in_flight += 1;
        self.run.commands.message_dispatch += 1;
        if !was_in_flight {
            self.destinations[consumer.destination]
                .in_flight
                .add(now, 1);
        }
    }

    fn returned(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let copy = self.ledger.of(message, consumer.index);
        take_back(copy, now, &mut self.consumers, &mut self.destinations);
        if self.consumers[consumer.index as usize]
            .recovery
            .returned(consumer.life)
        {
            copy.missed_by = consumer.index + 1;
        }
    }

    fn acknowledged(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
    ) {
        self.taken_off(now, Some(consumer), message, messages)
            .set(OWED);
        let tally = &mut self.consumers[consumer.index as usize];
        tally.counts.acknowledged += 1;
        self.run.messages.acknowledged += 1;
        let arrived_at = self.commits[tally.session].unwrap_or(tally.last_ack);
        self.run.last_acknowledged = self.run.last_acknowledged.max(arrived_at);
        if let Some(latency) = self.latency(now, message, messages) {
            self.run.to_acknowledged.record(latency);
        }
    }

    /// A copy leaves its queue or subscription, by whatever way.
    fn taken_off(
        &mut self,
        now: Time,
        consumer: Option<ConsumerId>,
        message: MessageRef,
        messages: &Messages,
    ) -> &mut Copy {
        let copy = self.ledger.of_any(message, consumer);
        take_back(copy, now, &mut self.consumers, &mut self.destinations);
        if copy.take(WAITING) {
            let destination = messages[message].destination as usize;
            self.destinations[destination].depth.subtract(now, 1);
        }
        find(copy, now, &mut self.consumers);
        copy
    }

    /// What a latency of this message is; none if it does not count.
    fn latency(&self, now: Time, message: MessageRef, messages: &Messages) -> Option<Span> {
        let message = &messages[message];
        let counts = !message.dead_letter && message.sent_at >= self.scenario.warm_up;
        counts.then(|| now.since(message.wanted_at))
    }

    // ── the broker, about consumers ──

    fn unsubscribed(&mut self, now: Time, consumer: ConsumerId, removal: Removal) {
        let tally = &mut self.consumers[consumer.index as usize];
        let buffers = &mut self.destinations[tally.destination].buffers;
        tally.activity.unsubscribed(now, buffers, consumer.life);
        if tally.marked_life == consumer.life {
            tally.window_full.set(now, false);
            tally.slow.set(now, false);
        }
        self.run.commands.remove_info += u64::from(removal == Removal::Close);
    }

    fn ack_arrived(&mut self, now: Time, ack: &MessageAck) {
        let tally = &mut self.consumers[ack.consumer.index as usize];
        tally.counts.acks.0[ack.ack_type as usize] += 1;
        self.run.commands.message_ack += 1;
        if matches!(ack.ack_type, AckType::Standard | AckType::Individual) {
            tally.last_ack = now;
        }
    }

    fn transaction_arrived(
        &mut self,
        now: Time,
        owner: TransactionOwner,
        what: TransactionCommand,
    ) {
        self.run.commands.transaction_info += 1;
        if let (TransactionOwner::Session(session), TransactionCommand::Commit) = (owner, what) {
            self.commits[session as usize] = Some(now);
        }
    }

    fn slow(&mut self, now: Time, consumer: ConsumerId, slow: bool) {
        let tally = &mut self.consumers[consumer.index as usize];
        tally.marked_life = consumer.life;
        tally.slow.set(now, slow);
        tally.counts.slow_marks += u64::from(slow);
    }

    fn window_full(&mut self, now: Time, consumer: ConsumerId, full: bool) {
        let tally = &mut self.consumers[consumer.index as usize];
        tally.marked_life = consumer.life;
        tally.window_full.set(now, full);
    }

    // ── the client library ──

    fn received(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let tally = &mut self.consumers[consumer.index as usize];
        let copy = self.ledger.of(message, consumer.index);
        if copy.owner == consumer {
            copy.set(BUFFERED | FRESH);
            copy.received_at = now;
            if copy.is(IN_FLIGHT) {
                copy.set(HELD);
                tally.held.add(now, 1);
            }
        }
        tally
            .activity
            .put_in(now, &mut self.destinations[tally.destination].buffers);
    }

    /// A message leaves the buffer without being handed over. Of a message that has since been sent
    /// to another consumer the ledger knows nothing more for this one: then it is by the count.
    fn left_buffer(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let tally = &mut self.consumers[consumer.index as usize];
        let copy = self.ledger.of(message, consumer.index);
        let is_in_buffer = copy.owner != consumer || copy.take(BUFFERED | FRESH);
        if is_in_buffer && tally.life == consumer.life {
            tally
                .activity
                .take_out(now, &mut self.destinations[tally.destination].buffers);
        }
    }

    fn back_in_buffer(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let tally = &mut self.consumers[consumer.index as usize];
        let copy = self.ledger.of(message, consumer.index);
        let is_new = copy.owner != consumer || !copy.is(BUFFERED);
        if copy.owner == consumer {
            copy.set(BUFFERED);
        }
        if is_new && tally.life == consumer.life {
            tally
                .activity
                .put_in(now, &mut self.destinations[tally.destination].buffers);
        }
    }

    /// Some acks say that their message left the buffer without having been handed over: it had
    /// expired, it was poisoned before delivery, or a failover transport had seen it before.
    fn ack_sent(&mut self, now: Time, ack: &MessageAck) {
        let may_drop = match ack.ack_type {
            AckType::Expired => true,
            AckType::Poison => self.ledger.of(ack.last, ack.consumer.index).owner == ack.consumer,
            AckType::Delivered => ack.first.is_none(),
            _ => false,
        };
        if may_drop {
            self.left_buffer(now, ack.consumer, ack.last);
        }
    }

    // ── the consuming application ──

    fn delivered(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        count: u32,
        messages: &Messages,
    ) {
        let tally = &mut self.consumers[consumer.index as usize];
        let copy = self.ledger.of(message, consumer.index);
        let is_own = copy.owner == consumer;
        let out_of_buffer = !is_own || copy.is(BUFFERED);
        if is_own && copy.is(BUFFERED | FRESH) {
            tally.counts.buffered.record(now.since(copy.received_at).0);
        }
        let is_first = !copy.is(DELIVERED);
        let is_repeat = copy.is(HANDLED);
        copy.take(BUFFERED | FRESH);
        copy.set(DELIVERED | WORKING);
        tally.counts.delivered += 1;
        tally.counts.redelivered += u64::from(count > 1);
        tally.counts.last_delivered = Some(now);
        let destination = &mut self.destinations[tally.destination];
        tally
            .activity
            .begins(now, &mut destination.buffers, out_of_buffer);
        let is_late = self.order.is_violated(consumer.index, &messages[message]);
        destination.order_violations += u64::from(is_late);
        find(copy, now, &mut self.consumers);
        self.run.messages.redeliveries += u64::from(count > 1);
        self.run.messages.unflagged_duplicates += u64::from(is_repeat && count == 1);
        self.run.first_start.get_or_insert(now);
        if is_first && let Some(latency) = self.latency(now, message, messages) {
            self.run.to_delivered.record(latency);
        }
    }

    fn processed(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        outcome: Outcome,
        messages: &Messages,
    ) {
        let tally = &mut self.consumers[consumer.index as usize];
        tally
            .activity
            .ends(now, &mut self.destinations[tally.destination].buffers);
        if outcome == Outcome::Interrupted {
            self.run.last_interrupted = Some(now);
            return;
        }
        let copy = self.ledger.of(message, consumer.index);
        copy.take(WORKING);
        if copy.owner == consumer && copy.take(AWAITED) {
            tally
                .counts
                .in_flight
                .record(now.since(copy.dispatched_at).0);
        }
        self.run.last_processed = Some(now);
        self.run.ends.push(now);
        match outcome {
            Outcome::Done => {
                tally.counts.processed += 1;
                let is_first = !copy.is(DONE);
                copy.set(HANDLED | DONE);
                self.done(now, message, is_first, messages);
            }
            Outcome::Failed => tally.counts.failed += 1,
            Outcome::Skipped => {
                tally.counts.skipped += 1;
                self.run.messages.duplicates_skipped += 1;
                copy.set(HANDLED);
            }
            Outcome::Interrupted => {}
        }
    }

    fn done(&mut self, now: Time, message: MessageRef, is_first: bool, messages: &Messages) {
        if !is_first {
            self.run.messages.duplicates += 1;
        } else if let Some(latency) = self.latency(now, message, messages) {
            self.run.to_processed.record(latency);
        }
    }

    fn subscribing(&mut self, now: Time, consumer: ConsumerId) {
        self.consumers[consumer.index as usize].life = consumer.life;
        self.run.first_subscribe.get_or_insert(now);
        self.began.1.get_or_insert(now);
    }

    /// Closed or crashed: whatever it held, it holds no more.
    fn stopped(&mut self, now: Time, consumer: ConsumerId) {
        let tally = &mut self.consumers[consumer.index as usize];
        if tally.life != consumer.life {
            return;
        }
        tally.life = 0;
        tally.held.clear(now);
        tally
            .activity
            .stopped(now, &mut self.destinations[tally.destination].buffers);
    }

    fn crashed(&mut self, now: Time, consumer: ConsumerId) {
        self.stopped(now, consumer);
        let tally = &mut self.consumers[consumer.index as usize];
        tally.counts.crashes += 1;
        tally.recovery.crashed(now, consumer.life);
    }
}

/// A message in flight is so no more.
#[inline]
fn take_back(
    copy: &mut Copy,
    now: Time,
    consumers: &mut [ConsumerTally],
    destinations: &mut [DestinationTally],
) {
    if !copy.take(IN_FLIGHT) {
        return;
    }
    let owner = &mut consumers[copy.owner.index as usize];
    owner.in_flight -= 1;
    destinations[owner.destination].in_flight.subtract(now, 1);
    if copy.take(HELD) && owner.life == copy.owner.life {
        owner.held.subtract(now, 1);
    }
}

/// If it was missed after a crash, it is no more.
#[inline]
fn find(copy: &mut Copy, now: Time, consumers: &mut [ConsumerTally]) {
    if copy.missed_by > 0 {
        consumers[copy.missed_by as usize - 1].recovery.found(now);
        copy.missed_by = 0;
    }
}

impl Observer for Collector<'_> {
    // Where a fact is emitted its kind is known: inlined there, all arms but one vanish, and with
    // them a jump that the processor can't predict.
    #[inline(always)]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        if now >= self.warm_up {
            self.begin_measuring();
        }
        self.prints.on(now, fact, messages);
        match *fact {
            Fact::Sending { message } => self.sending(now, message, messages),
            Fact::SendReturned {
                producer,
                called_at,
                failed,
            } => {
                self.send_returned(now - called_at, producer, failed);
            }
            Fact::ProducerTransaction {
                transaction,
                committed,
            } => {
                self.producer_transaction(transaction, committed);
            }
            Fact::Enqueued {
                message,
                destination,
                copies,
            } => {
                self.enqueued(now, message, destination, copies);
            }
            Fact::NotEnqueued { repeated: true, .. } => self.run.messages.repeated += 1,
            Fact::NotEnqueued {
                repeated: false, ..
            } => self.run.messages.rolled_back += 1,
            Fact::Dispatched {
                consumer, message, ..
            } => self.dispatched(now, consumer, message),
            Fact::Returned { consumer, message } => self.returned(now, consumer, message),
            Fact::Acknowledged { consumer, message } => {
                self.acknowledged(now, consumer, message, messages);
            }
            Fact::DeadLettered {
                consumer, message, ..
            } => {
                self.run.messages.dead_lettered += 1;
                self.taken_off(now, consumer, message, messages).set(LISTED);
            }
            Fact::Expired { consumer, message } => {
                self.run.messages.expired += 1;
                self.taken_off(now, consumer, message, messages).set(LISTED);
            }
            Fact::Discarded {
                consumer, message, ..
            } => {
                self.run.messages.discarded += 1;
                self.taken_off(now, Some(consumer), message, messages)
                    .set(LISTED);
            }
            Fact::Gone { consumer, message } => {
                self.run.messages.gone += 1;
                self.taken_off(now, consumer, message, messages).set(OWED);
            }
            Fact::Rescheduled {
                consumer, message, ..
            } => {
                self.run.messages.rescheduled += 1;
                self.taken_off(now, Some(consumer), message, messages);
            }
            Fact::Released { message } => self.run.messages.lost += self.ledger.release(message),
            Fact::Subscribed { consumer, .. } => {
                self.run.commands.consumer_info += 1;
                let tally = &mut self.consumers[consumer.index as usize];
                let buffers = &mut self.destinations[tally.destination].buffers;
                tally.activity.subscribed(now, buffers, consumer.life);
            }
            Fact::Unsubscribed { consumer, removal } => self.unsubscribed(now, consumer, removal),
            Fact::AckArrived { ref ack } => self.ack_arrived(now, ack),
            Fact::AckRejected { .. } => self.run.acks_refused += 1,
            Fact::PullArrived { consumer, .. } => {
                self.run.commands.message_pull += 1;
                self.consumers[consumer.index as usize].counts.pulls += 1;
            }
            Fact::TransactionArrived {
                transaction,
                command,
            } => {
                self.transaction_arrived(now, transaction.owner, command);
            }
            Fact::WindowFull { consumer, full } => self.window_full(now, consumer, full),
            Fact::Slow { consumer, slow } => self.slow(now, consumer, slow),
            Fact::SlowChecked {
                consumer, aborted, ..
            } => {
                self.consumers[consumer.index as usize].counts.aborts += u64::from(aborted);
            }
            Fact::Received { consumer, message } => self.received(now, consumer, message),
            Fact::Dropped { consumer, message } => self.left_buffer(now, consumer, message),
            Fact::AckSent { ref ack } => self.ack_sent(now, ack),
            Fact::RedeliveryScheduled {
                consumer, message, ..
            } => {
                self.back_in_buffer(now, consumer, message);
            }
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                self.delivered(now, consumer, message, count, messages);
            }
            Fact::Processed {
                consumer,
                message,
                outcome,
                ..
            } => {
                self.processed(now, consumer, message, outcome, messages);
            }
            Fact::Subscribing { consumer } => self.subscribing(now, consumer),
            Fact::Started { consumer } => {
                let tally = &mut self.consumers[consumer.index as usize];
                let buffers = &mut self.destinations[tally.destination].buffers;
                tally.activity.started(now, buffers);
            }
            Fact::Closed { consumer } => self.stopped(now, consumer),
            Fact::Crashed { consumer } => self.crashed(now, consumer),
            Fact::CommitFailed { consumer } => {
                self.consumers[consumer as usize].counts.commits_failed += 1;
            }
            Fact::BrokerUp { .. } | Fact::Hangs { .. } | Fact::Network { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
