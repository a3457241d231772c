//! A subscription and its window (`AbstractSubscription`): how many messages the broker hands over
//! before it waits for acknowledgements.
//!
//! `in flight − prefetchExtension < prefetch` is the whole of it. DELIVERED acks add what they
//! count to the extension, real acks take it back, and nothing limits it: a consumer that receives
//! without acknowledging is never frozen by its window unless the policy forbids the extension.

use std::collections::BTreeMap;

use crate::kernel::{Fifo, Time};
use crate::wire::{ConnectionId, ConsumerId, DestinationIndex, MessageRef};

use super::consumers::Place;
use super::durable::Durable;
use super::topic::TopicBuffer;

/// A place in the broker's table of subscriptions. A place is used again when its subscription is
/// gone.
pub(super) type SubscriptionIndex = usize;

/// What all kinds of subscriptions have in common. What a dispatch or an ack looks at comes first and
/// fills one line of the cache: with a thousand consumers each line more is a miss.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Subscription {
    /// In flight, the oldest first.
    pub dispatched: Fifo<MessageRef>,
    /// Which life of which consumer; of an offline durable subscription, the last.
    pub consumer: ConsumerId,
    /// Where its commands go.
    pub connection: ConnectionId,
    /// What it consumes from.
    pub destination: DestinationIndex,
    /// How many more fit into the window; not positive: it is full. Kept up to date with what is in
    /// flight, see [`Self::note_settings`].
    pub room: i32,
    /// Whether the window is full, as of the last look at it.
    pub full: bool,
    /// `isSlowConsumer`
    pub slow: bool,
    /// Whether its consumer is there, the broker reads from its connection, and its acks do nothing
    /// but take messages off a queue: see [`super::Broker::note_plain_acks`].
    pub acks_are_plain: bool,
    /// `okForAckAsDispatchDone`: acks before the first dispatch are ignored.
    pub ok_for_ack: bool,
    /// Whether there is a prefetch extension.
    pub is_extended: bool,
    /// Whether a dispatch changes more than the window: it uses up a pull, or is stored.
    pub dispatch_does_more: bool,
    /// Whether the facts say that the window is full.
    pub told_full: bool,
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
    /// Whether its acks can do nothing but take messages off a queue: no setting of the queue, and no
    /// rule of the article, makes them do more.
    pub can_have_plain_acks: bool,
    /// `SubscriptionStatistics.getDispatched`: how many were ever dispatched while it had to pull, which
    /// is all that anybody asks for.
    pub dispatched_count: u64,
    /// `getTimeOfLastMessageAck`, if a strategy looks at it.
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

/// The three classes of subscriptions.
#[derive(Debug, Default)]
pub(super) enum Kind {
    /// `QueueSubscription`
    #[default]
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
    /// Where it stands in the queue's list, for certain only while it is full.
    pub place: Place,
}

impl Subscription {
    /// The place of its destination.
    #[inline(always)]
    pub fn destination(&self) -> usize {
        self.destination as usize
    }

    /// `isFull`
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.room <= 0
    }

    /// To be called when anything changes that this looks at. Nobody has anything like 2^31 messages
    /// in flight, so that is no limit.
    pub fn note_settings(&mut self) {
        let is_offline = matches!(&self.kind, Kind::Durable(durable) if !durable.active);
        let limit = match (self.prefetch, self.prefetch_extension) {
            _ if is_offline => 0,
            (0, 0) => 0,
            (0, _) => u32::MAX,
            (prefetch, extension) => prefetch.saturating_add(extension),
        };
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        self.room = limit.saturating_sub_unsigned(self.dispatched.len() as u32);
        self.is_extended = self.prefetch_extension > 0;
        self.dispatch_does_more = self.prefetch == 0 || self.persist_jms_redelivered;
    }

    pub fn set_prefetch(&mut self, prefetch: u32) {
        self.prefetch = prefetch;
        self.note_settings();
    }

    pub fn set_prefetch_extension(&mut self, extension: u32) {
        self.prefetch_extension = extension;
        self.note_settings();
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
            self.set_prefetch_extension(amount.min(self.prefetch / 2));
        } else {
            rule!(
                "extension-has-no-bound",
                self.prefetch_extension + amount > self.prefetch
            );
            self.set_prefetch_extension(self.prefetch_extension.saturating_add(amount));
        }
    }

    /// `contractPrefetchExtension`. A count below 0 expands, as subtracting it does in ActiveMQ.
    #[inline]
    pub fn contract_prefetch_extension(&mut self, amount: i32) {
        if self.is_extended || amount < 0 {
            self.do_contract_prefetch_extension(amount);
        }
    }

    #[inline(never)]
    fn do_contract_prefetch_extension(&mut self, amount: i32) {
        if !self.use_prefetch_extension || self.prefetch == 0 {
            return;
        }
        if self.extension_is_last_delivered {
            self.set_prefetch_extension(0);
        } else {
            let contracted = i64::from(self.prefetch_extension) - i64::from(amount);
            self.set_prefetch_extension(contracted.clamp(0, i64::from(u32::MAX)) as u32);
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

    /// Takes the message at this place out of the dispatched list.
    #[inline(always)]
    pub fn take_off(&mut self, index: usize) -> Option<MessageRef> {
        let message = self.dispatched.remove(index)?;
        self.room += 1;
        Some(message)
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
