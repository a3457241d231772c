//! Facts to tallies.

use super::document::{self, Metrics};
use super::fingerprint::{Fingerprints, name, who};
use super::ledger::{
    AWAITED, BUFFERED, Copy, DELIVERED, DONE, FRESH, Flags, HANDLED, HELD, IN_FLIGHT, LISTED,
    Ledger, MEASURED, MISSED, OUT, OWED, WAITING, WORKING,
};
use super::order::Order;
use super::recovery::Recovery;
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
    /// By consumer.
    recoveries: Vec<Recovery>,
    producers: Vec<ProducerTally>,
    destinations: Vec<DestinationTally>,
    /// When the last COMMIT of each session reached the broker.
    commits: Vec<Time>,
    /// First send and first createConsumer, the warm-up included.
    began: (Option<Time>, Option<Time>),
    /// When the warm-up ends; never, once it has.
    warm_up: Time,
    /// When the warm-up ends or ended: latencies of messages sent before do not count.
    measured_from: Time,
}

impl<'a> Collector<'a> {
    /// Nothing has happened yet.
    pub fn new(scenario: &'a Scenario) -> Collector<'a> {
        let consumers = scenario.consumers.iter().map(|consumer| ConsumerTally {
            destination: consumer.destination,
            session: consumer.session,
            is_transacted: scenario.sessions[consumer.session].mode
                == AcknowledgeMode::SessionTransacted,
            ..ConsumerTally::default()
        });
        let destinations = scenario
            .destinations
            .iter()
            .map(|destination| DestinationTally {
                is_queue: destination.kind == DestinationKind::Queue,
                ..DestinationTally::default()
            });
        Collector {
            ledger: Ledger::new(scenario),
            order: Order::new(scenario),
            prints: Fingerprints::default(),
            run: RunTally::default(),
            consumers: consumers.collect(),
            recoveries: vec![Recovery::default(); scenario.consumers.len()],
            producers: vec![ProducerTally::default(); scenario.producers.len()],
            destinations: destinations.collect(),
            commits: vec![Time::ZERO; scenario.sessions.len()],
            began: (None, None),
            warm_up: scenario.warm_up,
            measured_from: scenario.warm_up,
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
            consumer.restart(now, &self.destinations[consumer.destination].buffers);
        }
        for destination in &mut self.destinations {
            destination.restart(now);
        }
    }

    // ── the producing application ──

    #[inline(always)]
    fn sending(&mut self, now: Time, message: MessageRef, messages: &Messages) {
        let sent = &messages[message];
        let producer = &mut self.producers[sent.producer as usize];
        producer.sent += 1;
        producer.calling_since.get_or_insert(now);
        producer.late.record(nanos(sent.wanted_at, now));
        self.run.messages.sent += 1;
        if self.run.first_send.is_none() {
            self.run.first_send = Some(now);
            self.began.0.get_or_insert(now);
        }
    }

    #[inline(always)]
    fn send_returned(&mut self, took: u64, producer: ProducerIndex, failed: bool) {
        let producer = &mut self.producers[producer as usize];
        producer.calling_since = None;
        producer.blocked.record(took);
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

    #[inline(always)]
    fn enqueued(&mut self, now: Time, message: MessageRef, place: DestinationIndex, copies: u32) {
        let destination = &mut self.destinations[place as usize];
        destination.enqueued += u64::from(copies);
        destination.depth.add(now, copies);
        if destination.is_queue {
            self.ledger.only(message).set(WAITING);
        } else if copies > 0 {
            self.ledger.fan_out(message, place);
        } else {
            self.run.messages.unrouted += 1;
        }
    }

    #[inline(always)]
    fn dispatched(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
    ) {
        let copy = self.ledger.of(message, consumer.index);
        let message = &messages[message];
        copy.name = name(message);
        copy.who = who(consumer);
        self.prints.dispatched(now, copy.who);
        copy.wanted_at = message.wanted_at;
        copy.destination = message.destination;
        // Read once and written once, here and below: what held before decides.
        let held = copy.flags;
        let mut holds = held & !OUT | IN_FLIGHT | AWAITED;
        if !message.dead_letter && message.sent_at >= self.measured_from {
            holds |= MEASURED;
        }
        copy.flags = holds;
        if held & IN_FLIGHT == 0 {
            let destination = &mut self.destinations[message.destination as usize];
            destination.in_flight.add(now, 1);
        } else {
            self.consumers[copy.owner.index as usize].in_flight -= 1;
        }
        copy.owner = consumer;
        copy.dispatched_at = now;
        let consumer = &mut self.consumers[consumer.index as usize];
        consumer.dispatched += 1;
        consumer.in_flight += 1;
    }

    fn returned(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let copy = self.ledger.of(message, consumer.index);
        take_back(copy, now, &mut self.consumers, &mut self.destinations);
        if self.recoveries[consumer.index as usize].returned(consumer.life) {
            copy.set(MISSED);
            copy.missed_by = consumer.index;
        }
    }

    // Here and below, nearly every message takes one course: one look at its flags tells, and the
    // rest stands elsewhere.
    #[inline(always)]
    fn acknowledged(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        const ASKED: Flags = IN_FLIGHT | HELD | WAITING | MISSED | MEASURED;
        const USUAL: Flags = ASKED & !MISSED;
        let copy = self.ledger.of(message, consumer.index);
        let tally = &mut self.consumers[consumer.index as usize];
        if copy.flags & ASKED != USUAL || copy.owner != consumer || tally.life != consumer.life {
            return self.acknowledged_otherwise(now, consumer, message);
        }
        self.prints.acknowledged(now, copy.who, copy.name);
        copy.flags = copy.flags & !(IN_FLIGHT | HELD | WAITING) | OWED;
        tally.in_flight -= 1;
        tally.held.subtract(now, 1);
        let destination = &mut self.destinations[copy.destination as usize];
        destination.in_flight.subtract(now, 1);
        destination.depth.subtract(now, 1);
        tally.acknowledged += 1;
        self.run
            .count_acknowledged(tally.acknowledged_at(&self.commits));
        self.run.to_acknowledged.record(copy.latency(now));
    }

    /// As [`Self::acknowledged`], whatever the course of the message was.
    #[inline(never)]
    fn acknowledged_otherwise(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let copy = self.ledger.of(message, consumer.index);
        self.prints.acknowledged(now, who(consumer), copy.name);
        take_back(copy, now, &mut self.consumers, &mut self.destinations);
        let held = copy.flags;
        copy.flags = held & !(IN_FLIGHT | HELD | WAITING | MISSED) | OWED;
        if held & MISSED != 0 {
            find(copy, now, &mut self.recoveries);
        }
        let tally = &mut self.consumers[consumer.index as usize];
        if held & WAITING != 0 {
            let destination = &mut self.destinations[tally.destination];
            destination.depth.subtract(now, 1);
        }
        tally.acknowledged += 1;
        self.run
            .count_acknowledged(tally.acknowledged_at(&self.commits));
        if held & MEASURED != 0 {
            self.run.to_acknowledged.record(copy.latency(now));
        }
    }

    /// A copy leaves its queue or subscription other than by an acknowledgement.
    #[inline(never)]
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
        if copy.take(MISSED) {
            find(copy, now, &mut self.recoveries);
        }
        copy
    }

    // ── the broker, about consumers ──

    fn unsubscribed(&mut self, now: Time, consumer: ConsumerId, removal: Removal) {
        let tally = &mut self.consumers[consumer.index as usize];
        let buffers = &self.destinations[tally.destination].buffers;
        tally.activity.unsubscribed(now, buffers, consumer.life);
        if tally.marked_life == consumer.life {
            tally.window_full.set(now, false);
            tally.slow.set(now, false);
        }
        self.run.commands.remove_info += u64::from(removal == Removal::Close);
    }

    #[inline(always)]
    fn ack_arrived(&mut self, now: Time, ack: &MessageAck) {
        let ledger = &mut self.ledger;
        let name = |message| ledger.of(message, ack.consumer.index).name;
        self.prints.ack_arrived(now, ack, name);
        let tally = &mut self.consumers[ack.consumer.index as usize];
        match ack.ack_type {
            AckType::Standard => tally.standard_acks += 1,
            other => tally.counts.acks.0[other as usize] += 1,
        }
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
            self.commits[session as usize] = now;
        }
    }

    fn slow(&mut self, now: Time, consumer: ConsumerId, slow: bool) {
        let tally = &mut self.consumers[consumer.index as usize];
        tally.marked_life = consumer.life;
        tally.slow.set(now, slow);
        tally.counts.slow_marks += u64::from(slow);
    }

    #[inline(never)]
    fn window_full(&mut self, now: Time, consumer: ConsumerId, full: bool) {
        self.prints.window_full(now, consumer, full);
        let tally = &mut self.consumers[consumer.index as usize];
        tally.marked_life = consumer.life;
        tally.window_full.set(now, full);
    }

    // ── the client library ──

    #[inline(always)]
    fn received(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let copy = self.ledger.of(message, consumer.index);
        if copy.flags & IN_FLIGHT == 0 || copy.owner != consumer {
            return self.received_otherwise(now, consumer, message);
        }
        self.prints.received(now, copy.who);
        copy.received_at = now;
        copy.set(HELD | BUFFERED | FRESH);
        let tally = &mut self.consumers[consumer.index as usize];
        tally.held.add(now, 1);
        if !tally.activity.put_beside() {
            let destination = &mut self.destinations[copy.destination as usize];
            tally.activity.put_in(now, &mut destination.buffers);
        }
    }

    /// As [`Self::received`], but it is in flight to this consumer no more.
    #[inline(never)]
    fn received_otherwise(&mut self, now: Time, consumer: ConsumerId, message: MessageRef) {
        let copy = self.ledger.of(message, consumer.index);
        self.prints.received(now, who(consumer));
        if copy.owner == consumer {
            copy.received_at = now;
            copy.set(BUFFERED | FRESH);
        }
        let tally = &mut self.consumers[consumer.index as usize];
        let destination = &mut self.destinations[tally.destination];
        tally.activity.put_in(now, &mut destination.buffers);
    }

    /// A message leaves the buffer without being handed over. Of a message that has since been sent
    /// to another consumer the ledger knows nothing more for this one: then it is by the count.
    #[inline(never)]
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
    #[inline(always)]
    fn ack_sent(&mut self, now: Time, ack: &MessageAck) {
        let may_drop = match ack.ack_type {
            AckType::Standard | AckType::Individual => return,
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

    #[inline(always)]
    fn delivered(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        count: u32,
        messages: &Messages,
    ) {
        const ASKED: Flags = BUFFERED | FRESH | MISSED | DELIVERED | HANDLED | MEASURED;
        const USUAL: Flags = BUFFERED | FRESH | MEASURED;
        let copy = self.ledger.of(message, consumer.index);
        let held = copy.flags;
        copy.flags = held & !(BUFFERED | FRESH | MISSED) | DELIVERED | WORKING;
        if held & ASKED != USUAL || copy.owner != consumer || count != 1 {
            return self.delivered_otherwise(now, consumer, message, (held, count), messages);
        }
        self.prints.delivered(now, copy.who, copy.name, 1);
        let tally = &mut self.consumers[consumer.index as usize];
        let destination = &mut self.destinations[copy.destination as usize];
        tally.record_buffered(nanos(copy.received_at, now));
        tally.begins(now, &mut destination.buffers, true);
        if self.order.is_violated(consumer.index, &messages[message]) {
            destination.order_violations += 1;
        }
        if self.run.first_start.is_none() {
            self.run.first_start = Some(now);
        }
        self.run.to_delivered.record(copy.latency(now));
    }

    /// As [`Self::delivered`], whatever held for the message before, and however often it was
    /// delivered.
    #[inline(never)]
    fn delivered_otherwise(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        (held, count): (Flags, u32),
        messages: &Messages,
    ) {
        let copy = self.ledger.of(message, consumer.index);
        self.prints.delivered(now, who(consumer), copy.name, count);
        if held & MISSED != 0 {
            find(copy, now, &mut self.recoveries);
        }
        let tally = &mut self.consumers[consumer.index as usize];
        if count > 1 {
            tally.counts.redelivered += 1;
            self.run.messages.redeliveries += 1;
        } else if held & HANDLED != 0 {
            self.run.messages.unflagged_duplicates += 1;
        }
        let is_owner = copy.owner == consumer;
        if is_owner && held & FRESH != 0 {
            tally.record_buffered(nanos(copy.received_at, now));
        } else {
            tally.counts.not_buffered += 1;
        }
        let destination = &mut self.destinations[tally.destination];
        let out_of_buffer = !is_owner || held & BUFFERED != 0;
        tally.begins(now, &mut destination.buffers, out_of_buffer);
        if self.order.is_violated(consumer.index, &messages[message]) {
            destination.order_violations += 1;
        }
        self.run.first_start.get_or_insert(now);
        if held & (DELIVERED | MEASURED) == MEASURED {
            self.run.to_delivered.record(copy.latency(now));
        }
    }

    #[inline(always)]
    fn processed(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        outcome: Outcome,
        since: Time,
    ) {
        const ASKED: Flags = AWAITED | DONE | MEASURED;
        const USUAL: Flags = AWAITED | MEASURED;
        let copy = self.ledger.of(message, consumer.index);
        let held = copy.flags;
        if held & ASKED != USUAL || copy.owner != consumer || outcome != Outcome::Done {
            return self.processed_otherwise(now, consumer, message, outcome, since);
        }
        self.prints
            .processed(now, copy.who, copy.name, Outcome::Done, since);
        copy.flags = held & !(WORKING | AWAITED) | HANDLED | DONE;
        let tally = &mut self.consumers[consumer.index as usize];
        let destination = &self.destinations[copy.destination as usize];
        tally.activity.ends(now, &destination.buffers);
        tally.record_processed(nanos(copy.dispatched_at, now));
        tally.processed += 1;
        self.run.ends.push(now);
        self.run.to_processed.record(copy.latency(now));
    }

    /// As [`Self::processed`], whatever the course of the message was.
    #[inline(never)]
    fn processed_otherwise(
        &mut self,
        now: Time,
        consumer: ConsumerId,
        message: MessageRef,
        outcome: Outcome,
        since: Time,
    ) {
        let copy = self.ledger.of(message, consumer.index);
        self.prints
            .processed(now, who(consumer), copy.name, outcome, since);
        let tally = &mut self.consumers[consumer.index as usize];
        let destination = &self.destinations[tally.destination];
        tally.activity.ends(now, &destination.buffers);
        if outcome == Outcome::Interrupted {
            self.run.last_interrupted = Some(now);
            return;
        }
        let held = copy.flags;
        copy.take(WORKING);
        if copy.owner == consumer && copy.take(AWAITED) {
            tally.record_processed(nanos(copy.dispatched_at, now));
        } else {
            tally.counts.not_awaited += 1;
        }
        self.run.ends.push(now);
        match outcome {
            Outcome::Done => {
                tally.processed += 1;
                if held & DONE != 0 {
                    self.run.messages.duplicates += 1;
                } else if held & MEASURED != 0 {
                    self.run.to_processed.record(copy.latency(now));
                }
                copy.set(HANDLED | DONE);
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
        self.recoveries[consumer.index as usize].crashed(now, consumer.life);
    }
}

/// A message in flight is so no more, whoever has it.
#[inline(never)]
fn take_back(
    copy: &mut Copy,
    now: Time,
    consumers: &mut [ConsumerTally],
    destinations: &mut [DestinationTally],
) {
    if !copy.is(IN_FLIGHT) {
        return;
    }
    let owner = &mut consumers[copy.owner.index as usize];
    let destination = &mut destinations[owner.destination];
    owner.take_back(copy.flags, copy.owner.life, now, &mut destination.in_flight);
    copy.take(IN_FLIGHT | HELD);
}

/// A copy that was missed after a crash is so no more.
#[cold]
#[inline(never)]
fn find(copy: &Copy, now: Time, recoveries: &mut [Recovery]) {
    recoveries[copy.missed_by as usize].found(now);
}

/// A span between two facts; they come in order of time.
#[inline]
fn nanos(from: Time, to: Time) -> u64 {
    to.0 - from.0
}

impl Observer for Collector<'_> {
    // Where a fact is emitted its kind is known: inlined there, all arms but one vanish, and with
    // them a jump that the processor can't predict.
    #[inline(always)]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        match *fact {
            Fact::Released { message } => self.released(now, message),
            _ => self.count(now, fact, messages),
        }
    }
}

impl Collector<'_> {
    /// A message is released at many places, and nearly always somebody else holds it still: they
    /// stay small if what happens in the end stands elsewhere.
    #[inline(never)]
    fn released(&mut self, now: Time, message: MessageRef) {
        if now >= self.warm_up {
            return self.released_first(now, message);
        }
        self.prints.released(now);
        self.ledger.release(message, &mut self.run.messages.lost);
    }

    #[cold]
    #[inline(never)]
    fn released_first(&mut self, now: Time, message: MessageRef) {
        self.begin_measuring();
        self.released(now, message);
    }

    #[inline(always)]
    fn count(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        if now >= self.warm_up {
            self.begin_measuring();
        }
        // The others print what the ledger knows of their message.
        if !matches!(
            fact,
            Fact::Acknowledged { .. }
                | Fact::AckArrived { .. }
                | Fact::Dispatched { .. }
                | Fact::Received { .. }
                | Fact::Delivered { .. }
                | Fact::Processed { .. }
                | Fact::WindowFull { .. }
        ) {
            self.prints.on(now, fact, messages);
        }
        match *fact {
            Fact::Sending { message } => self.sending(now, message, messages),
            Fact::SendReturned {
                producer,
                called_at,
                failed,
            } => {
                self.send_returned(nanos(called_at, now), producer, failed);
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
            } => self.dispatched(now, consumer, message, messages),
            Fact::Returned { consumer, message } => self.returned(now, consumer, message),
            Fact::Acknowledged { consumer, message } => {
                self.acknowledged(now, consumer, message);
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
            Fact::Subscribed { consumer, .. } => {
                self.run.commands.consumer_info += 1;
                let tally = &mut self.consumers[consumer.index as usize];
                let buffers = &self.destinations[tally.destination].buffers;
                tally.activity.subscribed(now, buffers, consumer.life);
            }
            Fact::Unsubscribed { consumer, removal } => self.unsubscribed(now, consumer, removal),
            Fact::AckArrived { ref ack } => self.ack_arrived(now, ack),
            Fact::AckRejected { .. } => self.run.acks_refused += 1,
            Fact::PullArrived { consumer, .. } => {
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
                since,
            } => {
                self.processed(now, consumer, message, outcome, since);
            }
            Fact::Subscribing { consumer } => self.subscribing(now, consumer),
            Fact::Started { consumer } => {
                let tally = &mut self.consumers[consumer.index as usize];
                let buffers = &self.destinations[tally.destination].buffers;
                tally.activity.started(now, buffers);
            }
            Fact::Closed { consumer } => self.stopped(now, consumer),
            Fact::Crashed { consumer } => self.crashed(now, consumer),
            Fact::CommitFailed { consumer } => {
                self.consumers[consumer as usize].counts.commits_failed += 1;
            }
            // Counted by itself.
            Fact::Released { .. } => {}
            Fact::BrokerUp { .. } | Fact::Hangs { .. } | Fact::Network { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
