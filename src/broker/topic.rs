//! Topics and their plain subscriptions (`Topic`, `TopicSubscription`).
//!
//! A topic keeps nothing: each message goes at once to every subscription, which dispatches it or
//! keeps it in a buffer of its own (*matched*) while its window is full. What a plain subscription
//! has when it ends is gone.

use std::collections::VecDeque;

use crate::facts::{DeathCause, Fact};
use crate::scenario::{MessageEviction, PendingMessageLimit, Policy};
use crate::wire::{AckType, MessageAck, MessageRef};

use super::audit::MessageAudit;
use super::dead_letter::Letter;
use super::subscription::{Kind, SubscriptionIndex};
use super::surroundings::release;
use super::transaction::Synchronization;
use super::{Broker, Refused, Surroundings};

/// `evictExpiredMessagesHighWatermark`
const EVICT_EXPIRED_HIGH_WATERMARK: usize = 1000;

/// Who gets a topic's messages, in this order.
#[derive(Debug, Default)]
pub(super) struct Topic {
    pub subscribers: Vec<SubscriptionIndex>,
}

/// What a plain topic subscription has beyond its window.
#[derive(Debug)]
pub(super) struct TopicBuffer {
    /// Messages behind the window.
    pub matched: VecDeque<MessageRef>,
    /// `maximumPendingMessages`; none: unlimited.
    limit: Option<usize>,
    eviction: MessageEviction,
    /// Only where a policy entry matches.
    audit: Option<MessageAudit>,
}

impl TopicBuffer {
    /// `PolicyEntry.configure`: without a strategy the consumer's own limit is ignored.
    pub fn new(policy: &Policy, prefetch: u32, consumer_limit: u32) -> TopicBuffer {
        let limit = policy.pending_message_limit_strategy.map(|strategy| {
            let limit = match strategy {
                PendingMessageLimit::Constant(limit) => limit,
                PendingMessageLimit::PrefetchRate(rate) => (f64::from(prefetch) * rate) as i64,
            };
            rule!("pending-limit");
            let own = i64::from(consumer_limit);
            if own > 0 && (limit < 0 || own < limit) {
                own
            } else {
                limit
            }
        });
        TopicBuffer {
            matched: VecDeque::new(),
            limit: limit.and_then(|limit| usize::try_from(limit).ok()),
            eviction: policy.message_eviction_strategy,
            audit: policy.has_entry.then(MessageAudit::default),
        }
    }

    fn is_over_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.matched.len() > limit)
    }
}

// ── messages come ──
impl Broker {
    /// `Topic.dispatch`: every subscription gets it.
    pub(super) fn fan_out(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        rule!("fan-out");
        let copies = self.count_copies(destination, message, s);
        s.emit(Fact::Enqueued {
            message,
            destination: destination as u32,
            copies,
        });
        for index in 0..self.destinations[destination].topic().subscribers.len() {
            let subscriber = self.destinations[destination].topic().subscribers[index];
            match &self.subscriptions[subscriber].kind {
                Kind::Topic(_) => self.add_to_topic_subscription(subscriber, message, s),
                _ => self.add_to_durable(subscriber, message, s),
            }
        }
    }

    fn count_copies(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) -> u32 {
        let content = &s.messages()[message];
        let subscribers = &self.destinations[destination].topic().subscribers;
        let knows = |&&subscriber: &&SubscriptionIndex| match &self.subscriptions[subscriber].kind {
            Kind::Topic(buffer) => buffer
                .audit
                .as_ref()
                .is_some_and(|audit| audit.knows(content)),
            _ => false,
        };
        (subscribers.len() - subscribers.iter().filter(knows).count()) as u32
    }

    /// `TopicSubscription.add`
    fn add_to_topic_subscription(
        &mut self,
        subscriber: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let subscription = &mut self.subscriptions[subscriber];
        let is_full = subscription.is_full();
        let prefetch = subscription.prefetch as usize;
        let Kind::Topic(buffer) = &mut subscription.kind else {
            return;
        };
        rule!(
            "topic-audit",
            buffer
                .audit
                .as_ref()
                .is_some_and(|audit| audit.knows(&s.messages()[message]))
        );
        let audit = buffer.audit.as_mut();
        if audit.is_some_and(|audit| audit.is_duplicate(&s.messages()[message])) {
            return;
        }
        let pending = buffer.matched.len();
        if !is_full && pending == 0 {
            s.messages_mut().retain(message);
            self.dispatch_to_topic_subscription(subscriber, message, s);
            rule!("topic-not-slow", self.subscriptions[subscriber].slow);
            return self.subscriptions[subscriber].room_clears_slow(s);
        }
        if prefetch > 1 && pending > prefetch {
            rule!("topic-slow");
            self.set_slow(subscriber, true, s);
        }
        self.add_to_matched(subscriber, message, s);
        self.dispatch_matched(subscriber, s);
        self.mark_if_stuck(subscriber, s);
    }

    /// Behind the window, as far as the pending limit allows.
    fn add_to_matched(
        &mut self,
        subscriber: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let subscription = &mut self.subscriptions[subscriber];
        let consumer = subscription.consumer;
        let destination = subscription.destination();
        let Kind::Topic(buffer) = &mut subscription.kind else {
            return;
        };
        if buffer.limit == Some(0) {
            rule!("pending-limit-0");
            return s.emit(Fact::Gone {
                consumer: Some(consumer),
                message,
            });
        }
        buffer.matched.push_back(message);
        let watermark = buffer
            .limit
            .map(|limit| limit.min(EVICT_EXPIRED_HIGH_WATERMARK));
        let look_for_expired = watermark.is_some_and(|limit| buffer.matched.len() > limit);
        self.hold(destination, message, s);
        if look_for_expired {
            self.remove_first_expired(subscriber, s);
        }
        while let Some(evicted) = self.next_to_evict(subscriber, s) {
            self.discard(subscriber, evicted, DeathCause::Evicted, s);
        }
    }

    /// `TopicSubscription.removeExpiredMessages`: finds only one at a time, and tells nobody but
    /// the dead-letter queue.
    fn remove_first_expired(&mut self, subscriber: SubscriptionIndex, s: &mut impl Surroundings) {
        let destination = self.subscriptions[subscriber].destination();
        let now = s.now();
        let Kind::Topic(buffer) = &mut self.subscriptions[subscriber].kind else {
            return;
        };
        let messages = s.messages();
        let expired = buffer
            .matched
            .iter()
            .position(|&m| messages[m].is_expired(now));
        let expired = expired.and_then(|index| buffer.matched.remove(index));
        if let Some(message) = expired {
            rule!("expired-when-full");
            let cause = DeathCause::Expired;
            let letter = self.send_to_dead_letter_queue(Some(subscriber), message, cause, s);
            if letter == Letter::Refused {
                let consumer = Some(self.subscriptions[subscriber].consumer);
                s.emit(Fact::Gone { consumer, message });
            }
            self.let_go(destination, message, s);
        }
    }

    /// Takes the message out of a full buffer that has to go first (`MessageEvictionStrategy`).
    fn next_to_evict(
        &mut self,
        subscriber: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) -> Option<MessageRef> {
        let Kind::Topic(buffer) = &mut self.subscriptions[subscriber].kind else {
            return None;
        };
        if !buffer.is_over_limit() {
            return None;
        }
        let messages = s.messages();
        let index = match buffer.eviction {
            MessageEviction::Oldest => 0,
            MessageEviction::OldestWithLowestPriority => {
                rule!("eviction-by-priority");
                let pending = buffer.matched.iter().enumerate();
                pending
                    .min_by_key(|&(_, &message)| messages[message].priority)?
                    .0
            }
        };
        buffer.matched.remove(index)
    }

    /// `TopicSubscription.discard`
    fn discard(
        &mut self,
        subscriber: SubscriptionIndex,
        message: MessageRef,
        cause: DeathCause,
        s: &mut impl Surroundings,
    ) {
        let subscription = &self.subscriptions[subscriber];
        let destination = subscription.destination();
        rule!("eviction", cause == DeathCause::Evicted);
        s.emit(Fact::Discarded {
            consumer: subscription.consumer,
            message,
            cause,
        });
        self.send_to_dead_letter_queue(Some(subscriber), message, cause, s);
        self.let_go(destination, message, s);
    }

    /// `TopicSubscription.dispatchMatched`
    pub(super) fn dispatch_matched(
        &mut self,
        subscriber: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        while !self.subscriptions[subscriber].is_full() {
            let destination = self.subscriptions[subscriber].destination();
            let Kind::Topic(buffer) = &mut self.subscriptions[subscriber].kind else {
                return;
            };
            let Some(message) = buffer.matched.pop_front() else {
                return;
            };
            if s.messages()[message].is_expired(s.now()) {
                rule!("topic-expired");
                self.discard(subscriber, message, DeathCause::Expired, s);
            } else {
                rule!("topic-pending");
                self.free_memory(destination, message, s);
                self.dispatch_to_topic_subscription(subscriber, message, s);
            }
        }
    }

    fn dispatch_to_topic_subscription(
        &mut self,
        subscriber: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let redelivery_counter = self.redelivery_counter(subscriber, message, s);
        self.dispatch(subscriber, message, redelivery_counter, s);
    }
}

// ── acks ──
impl Broker {
    /// `TopicSubscription.acknowledge`: nothing has to match, and whatever the ack says it counts
    /// is believed.
    pub(super) fn acknowledge_topic(
        &mut self,
        subscriber: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<(), Refused> {
        self.subscriptions[subscriber].time_of_last_ack = s.now();
        match ack.ack_type {
            AckType::Standard => self.update_on_ack(subscriber, ack, s),
            AckType::Individual => {
                rule!("topic-individual-frees-older");
                self.update_on_ack(subscriber, ack, s);
                if ack.transaction.is_some() {
                    self.subscriptions[subscriber].expand_prefetch_extension(1);
                }
            }
            AckType::Poison if ack.transaction.is_some() => return Err(Refused),
            AckType::Poison | AckType::Expired => {
                rule!("topic-poison-is-dropped");
                self.release_range(subscriber, ack, s);
                self.subscriptions[subscriber].contract_prefetch_extension(ack.count);
            }
            AckType::Delivered => {
                self.subscriptions[subscriber].expand_prefetch_extension(ack.count);
            }
            AckType::Redelivered => return Ok(()),
            AckType::Unmatched => return Err(Refused),
        }
        self.update_room(subscriber, s);
        self.dispatch_matched(subscriber, s);
        Ok(())
    }

    /// `updateStatsOnAck(context, ack)`: now, or when the transaction commits.
    fn update_on_ack(
        &mut self,
        subscriber: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) {
        if ack.transaction.is_some() {
            rule!("topic-transaction");
            self.synchronize(ack.transaction, Synchronization::TopicAck(*ack));
        } else {
            self.release_range(subscriber, ack, s);
        }
    }

    /// `updateStatsOnAck(ack)`: what the range covers, from the oldest if it names no first, to the
    /// newest if its last is not there.
    fn release_range(
        &mut self,
        subscriber: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) {
        let subscription = &self.subscriptions[subscriber];
        let Some(start) = ack
            .first
            .map_or(Some(0), |first| subscription.position(first))
        else {
            return;
        };
        let end = subscription.end_of_range(start, ack.last, ack.count);
        let count = end.map_or(subscription.dispatched.len(), |end| end + 1) - start;
        rule!(
            "topic-acks-need-no-match",
            subscription
                .end_of_range(start, ack.last, ack.count)
                .is_none()
        );
        let consumer = subscription.consumer;
        for _ in 0..count {
            let subscription = &mut self.subscriptions[subscriber];
            let Some(message) = subscription.take_off(start) else {
                return;
            };
            if ack.transaction.is_none() {
                subscription.contract_prefetch_extension(1);
            }
            if !subscription.redelivered_messages.is_empty() {
                subscription.redelivered_messages.remove(&message);
            }
            s.emit(match ack.ack_type {
                AckType::Poison => Fact::Discarded {
                    consumer,
                    message,
                    cause: DeathCause::Poison,
                },
                AckType::Expired => Fact::Expired {
                    consumer: Some(consumer),
                    message,
                },
                _ => Fact::Acknowledged { consumer, message },
            });
            release(s, message);
        }
    }

    /// At the commit.
    pub(super) fn commit_topic_ack(&mut self, ack: &MessageAck, s: &mut impl Surroundings) {
        if let Some(subscriber) = self.find(ack.consumer) {
            self.subscriptions[subscriber].contract_prefetch_extension(ack.count);
            self.release_range(subscriber, ack, s);
            self.update_room(subscriber, s);
            self.dispatch_matched(subscriber, s);
        }
    }

    /// At the rollback: the window shrinks all the same.
    pub(super) fn roll_back_topic_ack(&mut self, ack: &MessageAck, s: &mut impl Surroundings) {
        if let Some(subscriber) = self.find(ack.consumer) {
            self.subscriptions[subscriber].contract_prefetch_extension(ack.count);
            self.update_room(subscriber, s);
        }
    }
}

// ── the end ──
impl Broker {
    /// `Topic.removeSubscription`, `TopicSubscription.destroy`
    pub(super) fn remove_from_topic(&mut self, gone: SubscriptionIndex, s: &mut impl Surroundings) {
        self.end_delays(Some(self.subscriptions[gone].consumer), s);
        rule!("topic-ends");
        let destination = self.subscriptions[gone].destination();
        let topic = self.destinations[destination].topic();
        topic.subscribers.retain(|&subscriber| subscriber != gone);
        let subscription = &mut self.subscriptions[gone];
        let consumer = Some(subscription.consumer);
        let in_flight = subscription.dispatched.take_all();
        let matched = match &mut subscription.kind {
            Kind::Topic(buffer) => std::mem::take(&mut buffer.matched),
            _ => VecDeque::new(),
        };
        for message in in_flight {
            s.emit(Fact::Gone { consumer, message });
            release(s, message);
        }
        for message in matched {
            s.emit(Fact::Gone { consumer, message });
            self.let_go(destination, message, s);
        }
    }
}
