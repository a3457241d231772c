//! What the library does when a failover transport loses its connection and gets it back: it throws away what the
//! broker will send again, and suppresses what it has seen before.

use std::collections::BTreeSet;

use super::{Client, Consumer, Delivery, Obstacles, Session, Style, Surroundings};
use crate::scenario::DestinationKind;
use crate::wire::{AckType, ConnectionIndex, ConsumerIndex, MessageRef, ToBroker};

/// Ids beyond this many behind the newest of a producer are forgotten (`ActiveMQMessageAudit`'s depth).
const DEPTH: u64 = 2048;

/// The duplicate filter of a connection (`ConnectionAudit`): for queues by any consumer, for topics by each.
#[derive(Debug, Default)]
pub struct Seen {
    is_active: bool,
    /// Whose (topics only), producer, number.
    ids: BTreeSet<(Option<ConsumerIndex>, u32, u64)>,
}

impl Seen {
    /// Works only on a failover transport.
    pub(super) fn new(is_active: bool) -> Seen {
        Seen {
            is_active,
            ids: BTreeSet::new(),
        }
    }

    fn id(
        consumer: &Consumer,
        message: MessageRef,
        s: &impl Surroundings,
    ) -> (Option<ConsumerIndex>, u32, u64) {
        let whose = match consumer.kind {
            DestinationKind::Queue => None,
            DestinationKind::Topic => Some(consumer.id.index),
        };
        let message = &s.messages()[message];
        (whose, message.producer, message.number)
    }

    /// Whether it is on a failover transport, and wanted.
    pub(super) fn is_active(&self) -> bool {
        self.is_active
    }

    /// Notes a message; true if it was noted before (`isDuplicate`).
    fn is_duplicate(
        &mut self,
        consumer: &Consumer,
        message: MessageRef,
        s: &impl Surroundings,
    ) -> bool {
        let (whose, producer, number) = Seen::id(consumer, message, s);
        if let Some(old) = number.checked_sub(DEPTH) {
            self.ids.remove(&(whose, producer, old));
        }
        !self.ids.insert((whose, producer, number))
    }

    /// The process is dead.
    pub(super) fn clear(&mut self) {
        self.ids.clear();
    }

    /// A message may come again (`rollbackDuplicate`).
    pub(super) fn forget(
        &mut self,
        consumer: &Consumer,
        message: MessageRef,
        s: &impl Surroundings,
    ) {
        if self.is_active {
            self.ids.remove(&Seen::id(consumer, message, s));
        }
    }
}

impl Consumer {
    /// A message that was seen before is not delivered again. Where a transaction that a reconnect has doomed expects
    /// it, the broker's window is widened for it; else it is poisoned.
    #[inline(never)]
    pub(super) fn suppresses(
        &mut self,
        delivery: Delivery,
        seen: &mut [Seen],
        session: &mut Session,
        s: &mut impl Surroundings,
    ) -> bool {
        if !seen[self.connection as usize].is_duplicate(self, delivery.message, s) {
            return false;
        }
        let previously = &mut session.transaction.previously_delivered;
        let expected = previously
            .iter_mut()
            .find(|(message, _)| *message == delivery.message);
        if let Some((_, has_come)) = expected {
            rule!("failover-in-transaction");
            *has_come = true;
            self.delivered_again(delivery.message, session, s);
        } else {
            rule!("failover-poisons");
            self.ack_one(delivery.message, AckType::Poison, session, s);
        }
        s.release(delivery.message);
        true
    }

    /// The listener that delayed the clearing is done: ConsumerControl restores the prefetch.
    #[inline]
    pub(super) fn restore_prefetch(&mut self, s: &mut impl Surroundings) {
        if self.obstacles.have(Obstacles::RESTORES_PREFETCH) {
            self.send_prefetch(s);
        }
    }

    #[cold]
    fn send_prefetch(&mut self, s: &mut impl Surroundings) {
        self.obstacles.set(Obstacles::RESTORES_PREFETCH, false);
        let (consumer, prefetch) = (self.id, self.prefetch);
        s.send(self.connection, ToBroker::Prefetch { consumer, prefetch });
    }

    /// Clears what was delivered before a reconnect, as soon as the consumer does anything (`clearDeliveredList`).
    /// `seen` has the filter of its connection.
    #[inline]
    pub(super) fn clear_after_reconnect(
        &mut self,
        seen: &mut [Seen],
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        if self.obstacles.have(Obstacles::CLEARS_DELIVERED) {
            self.clear_delivered_list(seen, session, s);
        }
    }

    #[cold]
    fn clear_delivered_list(
        &mut self,
        seen: &mut [Seen],
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        self.obstacles.set(Obstacles::CLEARS_DELIVERED, false);
        if self.delivered.is_empty() {
            return;
        }
        match self.style {
            Style::Transacted => {
                session.transaction.rollback_only |= session.transaction.current.is_some();
                for delivery in self.delivered.iter() {
                    s.messages_mut().retain(delivery.message);
                    session
                        .transaction
                        .previously_delivered
                        .push((delivery.message, false));
                }
            }
            Style::Client => {
                rule!("failover-keeps-counters");
                let seen = &mut seen[self.connection as usize];
                for delivery in self.delivered.iter() {
                    seen.forget(self, delivery.message, s);
                }
                self.clear_delivered(s);
                self.forget_pending_ack(s);
            }
            Style::AutoEach | Style::AutoBatch | Style::Individual => {
                self.clear_delivered(s);
                self.forget_pending_ack(s);
            }
        }
    }
}

impl Client {
    /// The transport lost its connection (`clearMessagesInProgress`): what waits in sessions and buffers goes.
    pub fn interrupted(&mut self, connection: ConnectionIndex, s: &mut impl Surroundings) {
        for index in 0..self.consumers.len() as ConsumerIndex {
            let this = &self.consumers[index as usize];
            if this.connection != connection || !this.is_open {
                continue;
            }
            let consumer = &mut self.consumers[index as usize];
            let session = &mut self.sessions[consumer.session as usize];
            session.drop_waiting(consumer.id, s);
            for item in consumer.unconsumed.iter().flatten() {
                self.seen[connection as usize].forget(consumer, item.message, s);
            }
            rule!("failover-clears-buffers");
            consumer.drop_buffer(s);
            consumer.obstacles.set(Obstacles::CLEARS_DELIVERED, true);
            if consumer.style == Style::Transacted {
                consumer.clear_after_reconnect(&mut self.seen, session, s);
            }
        }
    }

    /// The transport has a connection again and repeats to the broker what is open.
    /// `held` is what was sent without a connection, and follows.
    pub fn replay(
        &mut self,
        connection: ConnectionIndex,
        held: &[ToBroker],
        s: &mut impl Surroundings,
    ) {
        for consumer in &mut self.consumers {
            if consumer.connection == connection && consumer.is_open {
                // A listener at work delays the clearing of its buffer: until then its prefetch is 0.
                let is_delayed = consumer.is_listener() && consumer.is_consuming;
                let restores = Obstacles::RESTORES_PREFETCH;
                consumer.obstacles.set(restores, is_delayed);
                let prefetch = if is_delayed { 0 } else { consumer.prefetch };
                rule!("failover-replays");
                let consumer = consumer.id;
                s.send(
                    connection,
                    ToBroker::AddConsumer {
                        consumer,
                        prefetch,
                        replayed: true,
                    },
                );
            }
        }
        for session in &self.sessions {
            if session.connection == connection
                && let Some(transaction) = session.transaction.current
                && !held.contains(&ToBroker::Begin(transaction))
            {
                s.send(connection, ToBroker::Begin(transaction));
            }
        }
        for consumer in &self.consumers {
            if consumer.connection == connection
                && consumer.is_open
                && let Some(timeout) = consumer.last_pull
            {
                rule!("failover-repeats-pulls");
                let consumer = consumer.id;
                s.send(connection, ToBroker::Pull { consumer, timeout });
            }
        }
    }
}
