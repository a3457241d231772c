//! Subscriptions come and go (`AbstractRegion`, `TopicRegion`, `PolicyEntry`).

use crate::facts::{Fact, Removal};
use crate::wire::{Caller, ConnectionId, ConsumerId, DestinationIndex, ToClient};

use super::destination;
use super::durable::Durable;
use super::subscription::{Kind, QueueConsumer, Subscription, SubscriptionIndex};
use super::topic::TopicBuffer;
use super::{Broker, Consumer, LAST_DELIVERED_UNKNOWN, Surroundings};

/// The lives of a consumer that the broker knows, with their subscriptions.
#[derive(Debug)]
pub(super) struct Lives {
    /// Nearly always the only one.
    latest: Life,
    /// Of which the broker has not noticed the end.
    earlier: Vec<Life>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    number: u32,
    subscription: SubscriptionIndex,
}

/// In the place of the latest life: there is none. No life has this number.
const NO_LIFE: Life = Life {
    number: u32::MAX,
    subscription: 0,
};

impl Lives {
    pub fn new() -> Lives {
        Lives {
            latest: NO_LIFE,
            earlier: Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.latest.number == NO_LIFE.number
    }

    #[inline]
    fn find(&self, number: u32) -> Option<SubscriptionIndex> {
        if self.latest.number == number {
            return Some(self.latest.subscription);
        }
        self.find_earlier(number)
    }

    #[cold]
    fn find_earlier(&self, number: u32) -> Option<SubscriptionIndex> {
        let life = self.earlier.iter().find(|life| life.number == number);
        life.map(|life| life.subscription)
    }

    fn begin(&mut self, number: u32, subscription: SubscriptionIndex) {
        let life = Life {
            number,
            subscription,
        };
        if !self.is_empty() {
            self.earlier.push(self.latest);
        }
        self.latest = life;
    }

    fn end(&mut self, number: u32) {
        self.earlier.retain(|life| life.number != number);
        if self.latest.number == number {
            self.latest = self.earlier.pop().unwrap_or(NO_LIFE);
        }
    }
}

impl Broker {
    /// The live subscription of a consumer.
    #[inline]
    pub(super) fn find(&self, consumer: ConsumerId) -> Option<SubscriptionIndex> {
        self.consumers[consumer.index as usize]
            .lives
            .find(consumer.life)
    }

    /// `TransportConnection.processAddConsumer`. What is dispatched at once leaves behind the
    /// answer.
    pub(super) fn add_consumer(
        &mut self,
        connection: ConnectionId,
        consumer: ConsumerId,
        prefetch: u32,
        replayed: bool,
        s: &mut impl Surroundings,
    ) {
        if replayed {
            self.lose_previous_lives(connection, s);
        }
        let caller = Caller::Consumer(consumer.index);
        let known = &self.consumers[consumer.index as usize];
        if known.is_durable && !known.lives.is_empty() {
            rule!("durable-in-use");
            // "Durable consumer is in use"
            return self.respond(connection, caller, true, s);
        }
        s.emit(Fact::Subscribed { consumer, replayed });
        let subscription = match known.durable_subscription {
            Some(offline) => self.activate(offline, connection, consumer, prefetch),
            None => self.create_subscription(connection, consumer, prefetch, s),
        };
        self.consumers[consumer.index as usize]
            .lives
            .begin(consumer.life, subscription);
        if let Some(connection) = self.connection(connection) {
            connection.consumers.push(consumer);
        }
        self.note_plain_acks(consumer, true);
        self.respond(connection, caller, false, s);
        if let Kind::Durable(_) = self.subscriptions[subscription].kind {
            self.dispatch_durable(subscription, s);
        }
    }

    /// `AbstractRegion.addConsumer`
    fn create_subscription(
        &mut self,
        connection: ConnectionId,
        consumer: ConsumerId,
        requested: u32,
        s: &mut impl Surroundings,
    ) -> SubscriptionIndex {
        let info = &self.consumers[consumer.index as usize];
        let destination = info.destination;
        let prefetch = self.configured_prefetch(consumer, requested);
        let policy = &self.destinations[destination].policy;
        let kind = self.kind_of(info, prefetch);
        let mut subscription = Subscription {
            can_have_plain_acks: matches!(kind, Kind::Queue)
                && self.destinations[destination].plain
                && policy.slow_consumer_strategy.is_none(),
            consumer,
            connection,
            destination: destination as DestinationIndex,
            kind,
            queue: QueueConsumer {
                priority: info.priority,
                exclusive: info.exclusive,
                ..QueueConsumer::default()
            },
            prefetch,
            use_prefetch_extension: policy.use_prefetch_extension,
            persist_jms_redelivered: policy.persist_jms_redelivered,
            time_of_last_ack: s.now(),
            extension_is_last_delivered: self.rules.delivered_once_until_acknowledged,
            ..Subscription::default()
        };
        subscription.note_settings();
        subscription.full = subscription.is_full();
        let index = self.place_subscription(subscription);
        self.add_to_destination(destination, index);
        self.tell_prefetch_zero(index, requested, s);
        index
    }

    fn kind_of(&self, info: &Consumer, prefetch: u32) -> Kind {
        let destination = &self.destinations[info.destination];
        if destination.is_queue() {
            return Kind::Queue;
        }
        if info.is_durable {
            let dispatch_async = info.dispatch_async;
            return Kind::Durable(Durable {
                active: true,
                dispatch_async,
                ..Durable::default()
            });
        }
        let own_limit = info.maximum_pending_message_limit;
        Kind::Topic(TopicBuffer::new(&destination.policy, prefetch, own_limit))
    }

    /// At the place of its consumer's own number if that is free, so that nearly every ack finds it
    /// without a search.
    fn place_subscription(&mut self, subscription: Subscription) -> SubscriptionIndex {
        let home = subscription.consumer.index as usize;
        let has_home = std::mem::take(&mut self.consumers[home].home_is_free);
        let free = if has_home {
            Some(home)
        } else {
            self.free_subscriptions.pop()
        };
        if let Some(index) = free {
            self.subscriptions[index] = subscription;
            return index;
        }
        self.subscriptions.push(subscription);
        self.subscriptions.len() - 1
    }

    fn free_place(&mut self, subscription: SubscriptionIndex) {
        match self.consumers.get_mut(subscription) {
            Some(consumer) => consumer.home_is_free = true,
            None => self.free_subscriptions.push(subscription),
        }
    }

    /// Notes whether the acks of a consumer are plain as long as it is there and the broker reads from
    /// its connection. Only a subscription at home has plain acks.
    pub(super) fn note_plain_acks(&mut self, consumer: ConsumerId, are_read: bool) {
        let home = &mut self.subscriptions[consumer.index as usize];
        if home.consumer == consumer {
            home.acks_are_plain = are_read && home.can_have_plain_acks;
        }
    }

    fn add_to_destination(&mut self, destination: usize, new: SubscriptionIndex) {
        match &mut self.destinations[destination].kind {
            destination::Kind::Queue(_) => self.add_to_queue(destination, new),
            destination::Kind::Topic(topic) => topic.subscribers.push(new),
        }
        if let Kind::Durable(_) = self.subscriptions[new].kind {
            let index = self.subscriptions[new].consumer.index as usize;
            self.consumers[index].durable_subscription = Some(new);
        }
    }

    /// `DurableTopicSubscription.activate`. The consumer's prefetch counts now: a policy replaced
    /// only that of the consumer which created the subscription.
    fn activate(
        &mut self,
        offline: SubscriptionIndex,
        connection: ConnectionId,
        consumer: ConsumerId,
        prefetch: u32,
    ) -> SubscriptionIndex {
        rule!("durable-prefetch-of-the-creator");
        let subscription = &mut self.subscriptions[offline];
        subscription.consumer = consumer;
        subscription.connection = connection;
        subscription.prefetch = prefetch;
        subscription.told_full = false;
        subscription.delivered_since_ack = false;
        if let Kind::Durable(durable) = &mut subscription.kind {
            durable.active = true;
        }
        subscription.note_settings();
        subscription.full = subscription.is_full();
        offline
    }

    /// `PolicyEntry.configurePrefetch`: only what the client left at the library's default is
    /// replaced.
    fn configured_prefetch(&self, consumer: ConsumerId, requested: u32) -> u32 {
        let info = &self.consumers[consumer.index as usize];
        let destination = &self.destinations[info.destination];
        let is_default = info.prefetch_is_default && requested == info.prefetch_size;
        if !destination.policy.has_entry || !is_default {
            return requested;
        }
        rule!(
            "policy-is-not-told",
            destination.is_queue() && destination.policy.queue_prefetch * 2 < requested
        );
        rule!("policy-replaces-default-prefetch");
        if destination.is_queue() {
            destination.policy.queue_prefetch
        } else if info.is_durable {
            rule!("policy-cuts-durables");
            destination.policy.durable_topic_prefetch
        } else {
            destination.policy.topic_prefetch
        }
    }

    /// A client must know when it has to pull; of any other change by a policy it is not told.
    fn tell_prefetch_zero(
        &self,
        subscription: SubscriptionIndex,
        requested: u32,
        s: &mut impl Surroundings,
    ) {
        let told = &self.subscriptions[subscription];
        if requested != 0 && told.prefetch == 0 {
            rule!("policy-of-0-is-told");
            let command = ToClient::Prefetch {
                consumer: told.consumer,
                prefetch: 0,
            };
            s.send(told.connection, command);
        }
    }

    /// `AbstractRegion.processConsumerControl`: a failover transport has cleared its buffers.
    pub(super) fn set_prefetch(
        &mut self,
        consumer: ConsumerId,
        prefetch: u32,
        s: &mut impl Surroundings,
    ) {
        let Some(subscription) = self.find(consumer) else {
            return;
        };
        rule!("failover-prefetch-0");
        self.subscriptions[subscription].set_prefetch(prefetch);
        self.update_room(subscription, s);
        let in_flight = self.subscriptions[subscription].dispatched.len();
        match self.subscriptions[subscription].kind {
            Kind::Topic(_) => self.dispatch_matched(subscription, s),
            _ => self.dispatch_pending(subscription, s),
        }
        let configured = self.configured_prefetch(consumer, prefetch);
        let changed = &mut self.subscriptions[subscription];
        if prefetch > 0 {
            // What is dispatched to one that has to pull is counted elsewhere but here.
            changed.dispatched_count += (changed.dispatched.len() - in_flight) as u64;
        }
        changed.set_prefetch(configured);
        self.tell_prefetch_zero(subscription, prefetch, s);
        self.update_room(subscription, s);
        self.wakeup(self.subscriptions[subscription].destination());
    }

    /// `AbstractRegion.removeConsumer`, `TopicRegion.removeConsumer`
    pub(super) fn remove_subscription(
        &mut self,
        subscription: SubscriptionIndex,
        last_delivered: i64,
        removal: Removal,
        s: &mut impl Surroundings,
    ) {
        let consumer = self.subscriptions[subscription].consumer;
        let connection = self.subscriptions[subscription].connection;
        let unknown = last_delivered == LAST_DELIVERED_UNKNOWN;
        let last_delivered = if unknown && self.rules.crash_counts_delivered_only {
            rule!("article-7");
            s.last_delivered(consumer)
        } else {
            last_delivered
        };
        s.emit(Fact::Unsubscribed { consumer, removal });
        self.consumers[consumer.index as usize]
            .lives
            .end(consumer.life);
        self.subscriptions[subscription].acks_are_plain = false;
        if let Some(connection) = self.connection(connection) {
            connection.consumers.retain(|&other| other != consumer);
        }
        match self.subscriptions[subscription].kind {
            Kind::Durable(_) => return self.deactivate(subscription, last_delivered, s),
            Kind::Queue => self.remove_from_queue(subscription, last_delivered, s),
            Kind::Topic(_) => self.remove_from_topic(subscription, s),
        }
        self.forget_slow(subscription);
        self.free_place(subscription);
    }
}
