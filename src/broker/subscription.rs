//! A subscription and its window (`AbstractSubscription`): how many messages the broker hands over
//! before it waits for acknowledgements.
//!
//! `in flight − prefetchExtension < prefetch` is the whole of it. DELIVERED acks add what they
//! count to the extension, real acks take it back, and nothing limits it: a consumer that receives
//! without acknowledging is never frozen by its window unless the policy forbids the extension.

use std::collections::BTreeMap;

use crate::kernel::{Fifo, Time};
use crate::wire::{ConnectionId, ConsumerId, MessageRef};

use super::consumers::Place;
use super::durable::Durable;
use super::topic::TopicBuffer;

/// A place in the broker's table of subscriptions. A place is used again when its subscription is
/// gone.
pub(super) type SubscriptionIndex = usize;

/// What all kinds of subscriptions have in common.
#[derive(Debug)]
pub(super) struct Subscription {
    /// Which life of which consumer; of an offline durable subscription, the last.
    pub consumer: ConsumerId,
    /// Where its commands go.
    pub connection: ConnectionId,
    /// What it consumes from.
    pub destination: usize,
    /// What the kinds don't have in common.
    pub kind: Kind,
    /// What only consumers of queues need.
    pub queue: QueueConsumer,
    /// The broker's own value, after the policy.
    pub prefetch: u32,
    /// `prefetchExtension`
    pub prefetch_extension: u32,
    /// `usePrefetchExtension`
    pub use_prefetch_extension: bool,
    /// `persistJMSRedelivered`
    pub persist_jms_redelivered: bool,
    /// Whether its acks do nothing but take messages off a queue: no setting of the queue, and no
    /// rule of the article, makes them do more.
    pub has_plain_acks: bool,
    /// In flight, the oldest first.
    pub dispatched: Fifo<MessageRef>,
    /// `SubscriptionStatistics.getDispatched`: how many were ever dispatched.
    pub dispatched_count: u64,
    /// `okForAckAsDispatchDone`: acks before the first dispatch are ignored.
    pub ok_for_ack: bool,
    /// `isSlowConsumer`
    pub slow: bool,
    /// Whether the window is full, as of the last look at it.
    pub full: bool,
    /// Whether the facts say that it is.
    pub told_full: bool,
    /// `getTimeOfLastMessageAck`
    pub time_of_last_ack: Time,
    /// How often each message came back (`DurableTopicSubscription.redeliveredMessages`); those
    /// that never did are not in it. On queues the messages themselves count.
    pub redelivered_messages: BTreeMap<MessageRef, u32>,
    /// Article 3: the extension is the count of the last DELIVERED, at most half the prefetch,
    /// until the next ack.
    pub extension_is_last_delivered: bool,
    /// Article 4: it has sent DELIVERED and acknowledged nothing since.
    pub delivered_since_ack: bool,
}

/// What is noted of a window. Pull subscriptions, whose window opens for each pull, don't tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// Whether it is full.
    pub full: bool,
    /// Whether the facts say that it is.
    pub told_full: bool,
}

/// The three classes of subscriptions.
#[derive(Debug)]
pub(super) enum Kind {
    /// `QueueSubscription`
    Queue,
    /// `DurableTopicSubscription`
    Durable(Durable),
    /// `TopicSubscription`
    Topic(TopicBuffer),
}

/// What a queue needs to know of a consumer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QueueConsumer {
    /// Higher first.
    pub priority: i8,
    /// Wants to be the only one.
    pub exclusive: bool,
    /// Message groups that it owns.
    pub assigned_groups: u32,
    /// Where it stands in the queue's list.
    pub place: Place,
}

impl Subscription {
    /// `isFull`
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        match &self.kind {
            Kind::Durable(durable) if !durable.active => true,
            _ if self.prefetch == 0 => self.prefetch_extension == 0,
            _ => {
                let limit = u64::from(self.prefetch) + u64::from(self.prefetch_extension);
                self.dispatched.len() as u64 >= limit
            }
        }
    }

    /// `countBeforeFull`: below 0 after acknowledgements took the extension back.
    #[inline]
    pub fn count_before_full(&self) -> i64 {
        let extension = i64::from(self.prefetch_extension);
        if self.prefetch == 0 {
            return extension;
        }
        i64::from(self.prefetch) + extension - self.dispatched.len() as i64
    }

    /// `expandPrefetchExtension`. A count below 0 changes nothing.
    pub fn expand_prefetch_extension(&mut self, amount: i32) {
        let amount = u32::try_from(amount).unwrap_or(0);
        rule!("extension-can-be-forbidden", !self.use_prefetch_extension);
        if !self.use_prefetch_extension || self.prefetch == 0 {
            return;
        }
        if self.extension_is_last_delivered {
            rule!("article-3");
            self.prefetch_extension = amount.min(self.prefetch / 2);
        } else {
            rule!(
                "extension-has-no-bound",
                self.prefetch_extension + amount > self.prefetch
            );
            self.prefetch_extension = self.prefetch_extension.saturating_add(amount);
        }
    }

    /// `contractPrefetchExtension`. A count below 0 expands, as subtracting it does in ActiveMQ.
    #[inline]
    pub fn contract_prefetch_extension(&mut self, amount: i32) {
        if self.prefetch_extension > 0 || amount < 0 {
            self.do_contract_prefetch_extension(amount);
        }
    }

    #[inline(never)]
    fn do_contract_prefetch_extension(&mut self, amount: i32) {
        if !self.use_prefetch_extension || self.prefetch == 0 {
            return;
        }
        if self.extension_is_last_delivered {
            self.prefetch_extension = 0;
        } else {
            let contracted = i64::from(self.prefetch_extension) - i64::from(amount);
            self.prefetch_extension = contracted.clamp(0, i64::from(u32::MAX)) as u32;
        }
    }

    /// What a durable subscription has, in flight or not; nothing for the other kinds.
    pub fn kept(&self) -> impl Iterator<Item = MessageRef> + '_ {
        let durable = match &self.kind {
            Kind::Durable(durable) => Some(durable),
            _ => None,
        };
        durable
            .into_iter()
            .flat_map(|durable| self.dispatched.iter().chain(&durable.pending))
            .copied()
    }

    /// Where in the dispatched list a message is.
    #[inline]
    pub fn position(&self, message: MessageRef) -> Option<usize> {
        if self.dispatched.first() == Some(&message) {
            return Some(0);
        }
        self.dispatched.iter().position(|&other| other == message)
    }

    /// Where the range of an ack ends that begins at `start` and says it counts so many.
    #[inline]
    pub fn end_of_range(&self, start: usize, last: MessageRef, count: i32) -> Option<usize> {
        let expected = start + usize::try_from(count).unwrap_or(0).saturating_sub(1);
        if self.dispatched.get(expected) == Some(&last) {
            return Some(expected);
        }
        (start..self.dispatched.len()).find(|&index| self.dispatched[index] == last)
    }
}
