//! What the broker needs of the world around it: messages, time and a way out.

use crate::facts::Fact;
use crate::kernel::Time;
use crate::wire::{ConnectionId, ConsumerId, DestinationIndex, MessageRef, Messages, ToClient};

/// Messages, time and a way out; implemented by the world, and by tests with a list.
pub trait Surroundings {
    /// The virtual time of the command or timer that is being handled.
    fn now(&self) -> Time;
    /// The arena.
    fn messages(&self) -> &Messages;
    /// The arena.
    fn messages_mut(&mut self) -> &mut Messages;
    /// A command for a client. The broker has retained a dispatched message on behalf of the wire.
    fn send(&mut self, connection: ConnectionId, command: ToClient);
    /// [`super::Broker::on_timer`] at that time. Timers are never cancelled: the broker ignores
    /// stale ones.
    fn set_timer(&mut self, at: Time, timer: BrokerTimer);
    /// Something happened.
    fn emit(&mut self, fact: Fact);
    /// Broker sequence id of what was handed to this consumer's application last, -1 for none.
    /// Article semantics only: the real broker can't know.
    fn last_delivered(&self, consumer: ConsumerId) -> i64;
}

/// What the broker wants to be woken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BrokerTimer {
    /// The periodic search for expired messages (`expireMessagesPeriod`).
    ExpireMessages {
        /// Where.
        destination: DestinationIndex,
        /// Of which run of the broker.
        run: u32,
    },
    /// The periodic check of a slow-consumer strategy.
    SlowConsumers {
        /// Of which destination's strategy.
        destination: DestinationIndex,
        /// Of which run of the broker.
        run: u32,
    },
    /// A pull with a time-out.
    PullTimeout {
        /// Whose.
        consumer: ConsumerId,
        /// How many messages had been dispatched to it before the pull.
        dispatched: u64,
    },
    /// The first consumer of a queue has waited long enough for others.
    DispatchStarts {
        /// Of which queue.
        destination: DestinationIndex,
        /// Which wait of it.
        wait: u32,
    },
    /// The client had its second to close an aborted consumer.
    ForcedRemoval(ConsumerId),
    /// The redelivery plugin sends a message again.
    Redelivery(MessageRef),
    /// Article semantics only: the delay of messages that are to be redelivered is over.
    PutBack(u32),
}

impl BrokerTimer {
    /// Whether it must not keep a run alive: periodic checks go on for ever, and an unanswered pull
    /// changes nothing.
    pub fn is_background(&self) -> bool {
        matches!(
            self,
            BrokerTimer::ExpireMessages { .. }
                | BrokerTimer::SlowConsumers { .. }
                | BrokerTimer::PullTimeout { .. }
        )
    }
}

/// One party less is interested; says so when it was the last.
#[inline]
pub(super) fn release(s: &mut impl Surroundings, message: MessageRef) {
    if !s.messages_mut().release_but_last(message) {
        s.emit(Fact::Released { message });
        s.messages_mut().remove(message);
    }
}
