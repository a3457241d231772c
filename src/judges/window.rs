//! Nothing is dispatched into a full window: before each dispatch, what is in flight to the
//! subscription less its prefetch extension is below its prefetch; without the extension
//! (`usePrefetchExtension=false`) what is in flight never exceeds the prefetch. A pull opens a
//! window of one.
//!
//! The extension is not told by facts. The judge keeps one that is never too small, from the acks
//! that arrive: every DELIVERED widens it by its count, every message taken off narrows it by one
//! (semantics 6.4, 7.2); a POISON or EXPIRED range narrows it by one when its last message is taken
//! off, and not at all if that is not in flight. Where the broker narrows it further the judge is
//! generous. The article's windows never exceed one and a half prefetches.

use std::collections::BTreeSet;

use super::Findings;
use crate::facts::Fact;
use crate::scenario::{Consumer, DestinationKind, Scenario, Semantics};
use crate::wire::{AckType, ConsumerId, MessageAck, MessageRef, Messages};

#[derive(Debug)]
struct Window {
    /// What the broker uses.
    prefetch: u64,
    /// What the rules add at most, whatever is acknowledged; none: by acks.
    fixed_extension: Option<u64>,
    narrows_in_transactions: bool,
    life: u32,
    in_flight: BTreeSet<MessageRef>,
    extension: u64,
    /// A POISON or EXPIRED ack has arrived; with this message, its last, it narrows the window.
    buries_up_to: Option<MessageRef>,
    pulled: bool,
}

/// The windows of all subscriptions.
#[derive(Debug)]
pub struct Windows {
    windows: Vec<Window>,
}

impl Windows {
    /// Nothing is in flight.
    pub fn new(scenario: &Scenario) -> Windows {
        let windows = scenario
            .consumers
            .iter()
            .map(|consumer| Window::of(consumer, scenario));
        Windows {
            windows: windows.collect(),
        }
    }

    /// What fills a window, narrows or widens it.
    pub fn on(&mut self, fact: &Fact, messages: &Messages, findings: &mut Findings) {
        match *fact {
            Fact::Dispatched {
                consumer, message, ..
            } => {
                self.dispatched(consumer, message, messages, findings);
            }
            Fact::AckArrived { ref ack } => self.ack_arrived(ack),
            Fact::PullArrived { consumer, .. } => {
                if let Some(window) = self.of(consumer) {
                    window.pulled = true;
                }
            }
            Fact::Acknowledged { consumer, message } => self.taken_off(consumer, message, true),
            Fact::Discarded {
                consumer, message, ..
            }
            | Fact::Rescheduled {
                consumer, message, ..
            } => {
                self.taken_off(consumer, message, false);
            }
            Fact::DeadLettered {
                consumer: Some(consumer),
                message,
                ..
            }
            | Fact::Expired {
                consumer: Some(consumer),
                message,
            } => {
                self.taken_off(consumer, message, false);
            }
            Fact::Returned { consumer, message }
            | Fact::Gone {
                consumer: Some(consumer),
                message,
            } => {
                if let Some(window) = self.of(consumer) {
                    window.in_flight.remove(&message);
                }
            }
            Fact::Subscribed { consumer, .. } => self.subscribed(consumer),
            _ => {}
        }
    }

    /// The window of this life, if the broker knows it.
    fn of(&mut self, consumer: ConsumerId) -> Option<&mut Window> {
        let window = &mut self.windows[consumer.index as usize];
        (window.life == consumer.life).then_some(window)
    }

    fn subscribed(&mut self, consumer: ConsumerId) {
        let window = &mut self.windows[consumer.index as usize];
        window.life = consumer.life;
        window.in_flight.clear();
        window.extension = 0;
        window.buries_up_to = None;
        window.pulled = false;
    }

    fn dispatched(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let Some(window) = self.of(consumer) else {
            return;
        };
        let in_flight = window.in_flight.len() as u64;
        let (prefetch, extension) = (window.prefetch, window.extension());
        let is_full = match prefetch {
            0 => !std::mem::take(&mut window.pulled),
            _ => in_flight >= prefetch + extension,
        };
        window.in_flight.insert(message);
        if is_full {
            let (name, to) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!(
                "{name} is dispatched to {to}, whose window is full: \
                 {in_flight} in flight, prefetch {prefetch}, extension {extension}"
            ));
        }
    }

    fn ack_arrived(&mut self, ack: &MessageAck) {
        let Some(window) = self.of(ack.consumer) else {
            return;
        };
        window.buries_up_to = None;
        match ack.ack_type {
            AckType::Delivered => window.extension += u64::try_from(ack.count).unwrap_or(0),
            AckType::Individual if ack.transaction.is_some() => window.extension += 1,
            AckType::Poison | AckType::Expired => window.buries_up_to = Some(ack.last),
            _ => {}
        }
    }

    fn taken_off(&mut self, consumer: ConsumerId, message: MessageRef, is_acknowledged: bool) {
        let Some(window) = self.of(consumer) else {
            return;
        };
        let was_in_flight = window.in_flight.remove(&message);
        let narrows = match is_acknowledged {
            true => window.narrows_in_transactions,
            false => window.buries_up_to == Some(message),
        };
        if was_in_flight && narrows {
            window.extension = window.extension.saturating_sub(1);
        }
    }
}

impl Window {
    fn of(consumer: &Consumer, scenario: &Scenario) -> Window {
        let destination = &scenario.destinations[consumer.destination];
        let policy = &destination.policy;
        let prefetch = broker_prefetch(consumer, scenario);
        let is_plain_topic =
            destination.kind == DestinationKind::Topic && consumer.durable.is_none();
        let fixed_extension = match scenario.semantics {
            Semantics::Article => Some(prefetch.div_ceil(2)),
            _ => (!policy.use_prefetch_extension).then_some(0),
        };
        Window {
            prefetch,
            fixed_extension,
            narrows_in_transactions: !is_plain_topic,
            life: 0,
            in_flight: BTreeSet::new(),
            extension: 0,
            buries_up_to: None,
            pulled: false,
        }
    }

    fn extension(&self) -> u64 {
        self.fixed_extension.unwrap_or(self.extension)
    }
}

/// What the broker makes of the client's prefetch (`PolicyEntry.configurePrefetch`). Over a
/// reconnect a failover transport restores the client's own: then the larger one counts.
fn broker_prefetch(consumer: &Consumer, scenario: &Scenario) -> u64 {
    let destination = &scenario.destinations[consumer.destination];
    let policy = &destination.policy;
    let own = u64::from(consumer.prefetch_size);
    if !(policy.has_entry && consumer.prefetch_is_default) {
        return own;
    }
    let by_policy = match (destination.kind, &consumer.durable) {
        (DestinationKind::Queue, _) => policy.queue_prefetch,
        (DestinationKind::Topic, None) => policy.topic_prefetch,
        (DestinationKind::Topic, Some(_)) => policy.durable_topic_prefetch,
    };
    // Of a durable subscription the policy applies to the consumer that creates it, and not to those that come back.
    let may_keep_own =
        scenario.connections[consumer.connection].options.failover || consumer.durable.is_some();
    if may_keep_own {
        own.max(by_policy.into())
    } else {
        by_policy.into()
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::{DeathCause, Fact};
    use crate::judges::testing::breaches;
    use crate::scenario::{Scenario, Semantics};
    use crate::story::{Plan, Story, plan};
    use crate::wire::{AckType, ConsumerId};

    const A: ConsumerId = ConsumerId { index: 0, life: 1 };

    fn with_prefetch(prefetch: u32) -> Scenario {
        let mut scenario = plan().queue("q").producer("p", 0).consumer("a", 0);
        scenario.consumers[0].prefetch_size = prefetch;
        scenario
    }

    /// Four messages are dispatched, the last after a DELIVERED for two.
    fn four(scenario: &Scenario) -> Vec<String> {
        breaches(scenario, |story| {
            story.subscribe(A);
            let [first, second, third, fourth] = std::array::from_fn(|_| story.queue(0));
            story.push(A, first).push(A, second);
            story.ack(Story::<()>::ack_of(A, AckType::Delivered, first, second, 2));
            story.push(A, third).push(A, fourth);
        })
    }

    #[test]
    fn delivered_acks_widen_the_window() {
        assert_eq!(four(&with_prefetch(2)), [""; 0]);
    }

    #[test]
    fn nothing_goes_into_a_full_window() {
        let mut scenario = with_prefetch(2);
        scenario.destinations[0].policy.use_prefetch_extension = false;
        let full = |message, in_flight| {
            format!(
                "p:{message} is dispatched to a, whose window is full: \
                 {in_flight} in flight, prefetch 2, extension 0"
            )
        };
        assert_eq!(four(&scenario), [full(3, 2), full(4, 3)]);
    }

    #[test]
    fn an_acknowledgement_takes_the_extension_back() {
        let found = breaches(&with_prefetch(1), |story| {
            story.subscribe(A);
            let [first, second, third] = std::array::from_fn(|_| story.queue(0));
            story.push(A, first);
            story.ack(Story::<()>::ack_of(A, AckType::Delivered, first, first, 1));
            story.push(A, second).acknowledge(A, first).push(A, third);
        });
        assert_eq!(found.len(), 1, "one in flight, no extension any more");
    }

    /// The last message of a POISON range decides (`PrefetchSubscription.acknowledge`): an ack whose last message is not
    /// in flight is refused, and what it has buried by then leaves the extension as it was.
    #[test]
    fn a_poison_range_narrows_the_window_at_its_last_message() {
        let third_after_poison = |last_is_in_flight: bool| {
            breaches(&with_prefetch(1), |story| {
                story.subscribe(A);
                let [first, second, third, fourth] = std::array::from_fn(|_| story.queue(0));
                story.push(A, first);
                story.ack(Story::<()>::ack_of(A, AckType::Delivered, first, first, 1));
                story.push(A, second);
                let last = if last_is_in_flight { first } else { fourth };
                story.ack(Story::<()>::ack_of(A, AckType::Poison, first, last, 1));
                story.fact(Fact::Discarded {
                    consumer: A,
                    message: first,
                    cause: DeathCause::Poison,
                });
                story.push(A, third);
            })
        };
        assert_eq!(third_after_poison(false), [""; 0], "refused");
        assert_eq!(third_after_poison(true).len(), 1, "a window of one");
    }

    #[test]
    fn the_article_stops_at_one_and_a_half_windows() {
        let mut scenario = with_prefetch(2);
        scenario.semantics = Semantics::Article;
        assert_eq!(four(&scenario).len(), 1, "the fourth of two and one");
    }

    #[test]
    fn a_policy_replaces_the_default_prefetch() {
        let mut scenario = with_prefetch(1000);
        scenario.consumers[0].prefetch_is_default = true;
        scenario.destinations[0].policy.has_entry = true;
        scenario.destinations[0].policy.queue_prefetch = 1;
        assert_eq!(
            four(&scenario).len(),
            2,
            "the second, and after the extension by two the fourth"
        );
    }

    #[test]
    fn each_pull_is_good_for_one_message() {
        let found = breaches(&with_prefetch(0), |story| {
            story.subscribe(A);
            let [first, second] = std::array::from_fn(|_| story.queue(0));
            story.fact(Fact::PullArrived {
                consumer: A,
                timeout: 0,
            });
            story.push(A, first).push(A, second);
        });
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("p:2 is dispatched to a, whose window is full"));
    }
}
