//! What is dispatched, or handed over, for the first time goes in order.
//!
//! A queue dispatches in the order in which messages took their place, to whichever consumer; a
//! topic in the order of fan-out, to each subscription. The client library hands over in the order
//! of arrival. Redelivered messages go by rules of their own and are not looked at. There is no
//! order to judge where priorities sort (`prioritizedMessages`, `messagePrioritySupported`), where
//! a group's owner is waited for, and over a restart of the broker, which sorts what it has stored
//! by arrival.

use std::collections::BTreeMap;

use super::Findings;
use super::notes::Notes;
use crate::facts::Fact;
use crate::scenario::{DestinationKind, Scenario};
use crate::wire::{ConsumerId, ConsumerIndex, DestinationIndex, MessageRef, Messages};

/// Who has an order: all consumers of a queue together, each subscription of a topic.
type Line = (DestinationIndex, Option<ConsumerIndex>);

/// The last of each line.
#[derive(Debug)]
pub struct Order {
    /// By destination: whether it is a topic; none where there is no order to judge.
    is_topic: Vec<Option<bool>>,
    /// By consumer: whether its library hands over in order of arrival.
    in_order: Vec<bool>,
    destination_of: Vec<DestinationIndex>,
    enqueued: u64,
    /// When each message took its place; none once it has been dispatched.
    places: Notes<Option<ConsumerIndex>, Option<u64>>,
    last_dispatched: BTreeMap<Line, u64>,
    arrived: u64,
    /// When each message arrived at a life; none once it has been handed over.
    arrivals: Notes<ConsumerId, Option<u64>>,
    last_delivered: BTreeMap<ConsumerId, u64>,
}

impl Order {
    /// Nothing has happened yet.
    pub fn new(scenario: &Scenario) -> Order {
        let has_groups = |destination: usize| {
            let mut producers = scenario.producers.iter();
            producers
                .any(|producer| producer.destination == destination && producer.groups.is_some())
        };
        let kinds = scenario
            .destinations
            .iter()
            .enumerate()
            .map(|(index, destination)| {
                let is_ordered = !destination.policy.prioritized_messages && !has_groups(index);
                is_ordered.then_some(destination.kind == DestinationKind::Topic)
            });
        let options = scenario
            .consumers
            .iter()
            .map(|c| &scenario.connections[c.connection].options);
        Order {
            is_topic: kinds.collect(),
            in_order: options
                .map(|options| !options.message_priority_supported)
                .collect(),
            destination_of: scenario
                .consumers
                .iter()
                .map(|c| c.destination as u32)
                .collect(),
            enqueued: 0,
            places: Notes::new(),
            last_dispatched: BTreeMap::new(),
            arrived: 0,
            arrivals: Notes::new(),
            last_delivered: BTreeMap::new(),
        }
    }

    /// What is part of an order.
    pub fn on(&mut self, fact: &Fact, messages: &Messages, findings: &mut Findings) {
        match *fact {
            Fact::Enqueued {
                message,
                destination,
                ..
            } => self.enqueued(message, destination),
            Fact::Dispatched {
                consumer, message, ..
            } => {
                self.dispatched(consumer, message, messages, findings);
            }
            Fact::Received { consumer, message } => {
                self.arrived += 1;
                self.arrivals
                    .get_or_put(message, consumer, Some(self.arrived));
            }
            // One that was handed over before may wait for its local redelivery, beside the copy that is dropped.
            Fact::Dropped { consumer, message } => {
                let arrival = self.arrivals.get(message, consumer);
                if arrival.is_some_and(Option::is_some) {
                    self.arrivals.take(message, consumer);
                }
            }
            Fact::Delivered {
                consumer, message, ..
            } => {
                self.delivered(consumer, message, messages, findings);
            }
            Fact::Subscribing { consumer } => {
                self.arrivals.keep_if(|known| known.index != consumer.index);
                self.last_delivered
                    .retain(|known, _| known.index != consumer.index);
            }
            Fact::BrokerUp { .. } => {
                self.places.clear();
                self.last_dispatched.clear();
            }
            Fact::Released { message } => {
                self.places.forget(message);
                self.arrivals.forget(message);
            }
            _ => {}
        }
    }

    fn enqueued(&mut self, message: MessageRef, destination: DestinationIndex) {
        self.enqueued += 1;
        let place = Some(self.enqueued);
        match self.is_topic[destination as usize] {
            Some(false) => {
                self.places.put(message, None, place);
            }
            Some(true) => {
                let consumers = self.destination_of.iter().enumerate();
                for (index, _) in consumers.filter(|(_, place)| **place == destination) {
                    let owner = Some(index as ConsumerIndex);
                    self.places.put(message, owner, place);
                }
            }
            None => {}
        }
    }

    fn dispatched(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let destination = self.destination_of[consumer.index as usize];
        let Some(is_topic) = self.is_topic[destination as usize] else {
            return;
        };
        let owner = is_topic.then_some(consumer.index);
        let Some(place) = self.places.get_mut(message, owner).and_then(Option::take) else {
            return;
        };
        // A dead letter keeps its group.
        if messages[message].group != 0 {
            return;
        }
        let last = self
            .last_dispatched
            .entry((destination, owner))
            .or_default();
        if place < *last {
            let (name, to) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!(
                "{name} is dispatched to {to} after younger messages"
            ));
        }
        *last = place.max(*last);
    }

    fn delivered(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let arrival = self
            .arrivals
            .get_mut(message, consumer)
            .and_then(Option::take);
        let Some(arrival) = arrival.filter(|_| self.in_order[consumer.index as usize]) else {
            return;
        };
        let last = self.last_delivered.entry(consumer).or_default();
        if arrival < *last {
            let (name, to) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!(
                "{name} is handed to {to} after messages that arrived later"
            ));
        }
        *last = arrival.max(*last);
    }
}

#[cfg(test)]
mod tests {
    use crate::judges::testing::breaches;
    use crate::scenario::Scenario;
    use crate::story::{Plan, plan};
    use crate::wire::ConsumerId;

    const A: ConsumerId = ConsumerId { index: 0, life: 1 };
    const B: ConsumerId = ConsumerId { index: 1, life: 1 };

    fn queue() -> Scenario {
        plan()
            .queue("q")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0)
    }

    fn second_first(scenario: &Scenario) -> Vec<String> {
        breaches(scenario, |story| {
            story.subscribe(A).subscribe(B);
            let (first, second) = (story.queue(0), story.queue(0));
            story.dispatch(A, second).dispatch(B, first);
        })
    }

    #[test]
    fn a_queue_dispatches_in_order_to_whomever() {
        assert_eq!(
            second_first(&queue()),
            ["p:1 is dispatched to b after younger messages"]
        );
    }

    #[test]
    fn priorities_and_groups_overtake() {
        let mut prioritized = queue();
        prioritized.destinations[0].policy.prioritized_messages = true;
        assert_eq!(second_first(&prioritized), [""; 0]);
        let mut grouped = queue();
        grouped.producers[0].groups = Some(2);
        assert_eq!(second_first(&grouped), [""; 0]);
    }

    #[test]
    fn redelivered_messages_are_not_in_order() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A).subscribe(B);
            let (first, second) = (story.queue(0), story.queue(0));
            story
                .dispatch(A, first)
                .returned(A, first)
                .dispatch(B, second)
                .dispatch(B, first);
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn the_library_hands_over_in_order_of_arrival() {
        let tell = |scenario: &Scenario| {
            breaches(scenario, |story| {
                story.subscribe(A);
                let (first, second) = (story.queue(0), story.queue(0));
                story
                    .push(A, first)
                    .push(A, second)
                    .deliver(A, second)
                    .done(A, second);
                story.deliver(A, first);
            })
        };
        let mut scenario = queue();
        assert_eq!(
            tell(&scenario),
            ["p:1 is handed to a after messages that arrived later"]
        );
        scenario.connections[0].options.message_priority_supported = true;
        assert_eq!(tell(&scenario), [""; 0]);
    }
}
