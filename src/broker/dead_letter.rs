//! Dead letters (`RegionBroker.sendToDeadLetterQueue`, `AbstractDeadLetterStrategy`).

use crate::facts::{DeathCause, Fact};
use crate::wire::{DestinationIndex, Message, MessageRef};

use super::redelivery_plugin::Verdict;
use super::subscription::SubscriptionIndex;
use super::{Broker, Surroundings};

/// What became of a message that should be dead-lettered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Letter {
    /// Its copy is on the dead-letter queue.
    Sent,
    /// The redelivery plugin sends it again.
    Rescheduled,
    /// Nobody wants it.
    Refused,
}

impl Broker {
    /// Sends a copy to the dead-letter queue, if that takes it. Whatever the answer, the caller
    /// removes the original.
    pub(super) fn send_to_dead_letter_queue(
        &mut self,
        subscription: Option<SubscriptionIndex>,
        message: MessageRef,
        cause: DeathCause,
        s: &mut impl Surroundings,
    ) -> Letter {
        let consumer = subscription.map(|index| self.subscriptions[index].consumer);
        let queue = match self.ask_redelivery_plugin(consumer, message, s) {
            Verdict::Rescheduled => return Letter::Rescheduled,
            Verdict::Drop => None,
            Verdict::DeadLetter => self.takes(message, s),
        };
        let Some(queue) = queue else {
            return Letter::Refused;
        };
        s.emit(Fact::DeadLettered {
            consumer,
            message,
            cause,
            queue,
        });
        self.bury(message, queue, s);
        Letter::Sent
    }

    /// Which dead-letter queue takes a message. To be seen by the audit counts even if the message
    /// is refused for another reason.
    fn takes(&mut self, message: MessageRef, s: &impl Surroundings) -> Option<DestinationIndex> {
        let content = &s.messages()[message];
        let policy = &self.destinations[content.destination as usize].policy;
        let strategy = &policy.dead_letter_strategy;
        rule!("dead-letter-discarding", strategy.queue.is_none());
        let queue = strategy.queue? as DestinationIndex;
        let repeated =
            strategy.enable_audit && self.dead_letter_audits[strategy.audit].is_duplicate(content);
        rule!("dead-letter-queue-has-none", queue == content.destination);
        rule!("dead-letter-once", repeated);
        rule!(
            "dead-letter-refusals",
            (!content.persistent && !strategy.process_non_persistent)
                || (content.is_expired(s.now()) && !strategy.process_expired)
        );
        let refused = repeated
            || (!content.persistent && !strategy.process_non_persistent)
            || (content.is_expired(s.now()) && !strategy.process_expired)
            || queue == content.destination;
        (!refused).then_some(queue)
    }

    /// The copy is persistent, not redelivered, and lives as long as the strategy says.
    fn bury(&mut self, original: MessageRef, queue: DestinationIndex, s: &mut impl Surroundings) {
        let content = &s.messages()[original];
        let policy = &self.destinations[content.destination as usize].policy;
        rule!("dead-letter-copy");
        let lifetime = policy.dead_letter_strategy.expiration;
        let copy = Message {
            destination: queue,
            expiration: lifetime.map_or(0, |lifetime| (s.now() + lifetime).as_millis()),
            persistent: true,
            dead_letter: true,
            ..content.fresh_copy()
        };
        let copy = s.messages_mut().insert(copy);
        self.do_message_send(copy, None, s);
    }
}
