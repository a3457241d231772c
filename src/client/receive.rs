//! The receive styles: the application's thread calls `receive`, and all acks of a message leave before it has it.

use super::{Client, Delivery, Surroundings};
use crate::wire::{AckType, ConsumerIndex, ToBroker};

/// What a look into the buffer brings a waiting `receive`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// A message; its acks have left.
    Message(Delivery),
    /// The broker had nothing for the pull: receive returns null.
    Nothing,
    /// Nothing yet.
    Wait,
}

impl Client {
    /// The pull step of `receive` (`sendPullCommand`): with prefetch 0 and an empty buffer it asks the broker for one
    /// message. `timeout` in milliseconds: 0 for none, -1 for receiveNoWait.
    pub fn pull(&mut self, consumer: ConsumerIndex, timeout: i64, s: &mut impl Surroundings) {
        let consumer = &mut self.consumers[consumer as usize];
        if consumer.current_prefetch == 0 && consumer.unconsumed.is_empty() {
            rule!("pull");
            consumer.last_pull = Some(timeout);
            let pull = ToBroker::Pull {
                consumer: consumer.id,
                timeout,
            };
            s.send(consumer.connection, pull);
        }
    }

    /// Takes the head of the buffer for a `receive` that waits (`dequeue` and what follows in `receive`).
    /// `remaining` is the time-out of a pull that has to be repeated because of a message that is not delivered.
    pub fn receive(
        &mut self,
        consumer: ConsumerIndex,
        remaining: i64,
        s: &mut impl Surroundings,
    ) -> Received {
        loop {
            let (this, session) = self.pair(consumer);
            if !this.is_running() {
                return Received::Wait;
            }
            let Some(item) = this.unconsumed.dequeue() else {
                return Received::Wait;
            };
            let Some(delivery) = item else {
                return Received::Nothing;
            };
            if this.is_expired(&delivery, s) {
                this.consume_expired(&delivery, session, s);
            } else if this.redelivery_exceeded(&delivery, s) {
                rule!("pre-dispatch-check-in-receive");
                this.ack_one(delivery.message, AckType::Poison, session, s);
                s.release(delivery.message);
            } else {
                rule!("receive-acknowledges-first");
                this.before_message_is_consumed(&delivery, s);
                this.in_transaction(delivery.message, session, s);
                this.after_message_is_consumed(delivery.message, session, s);
                return Received::Message(delivery);
            }
            self.pull(consumer, remaining, s);
        }
    }
}
