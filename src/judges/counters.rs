//! Redelivery counters do not fall while the broker runs.
//!
//! On a dispatch that is the broker's counter of the message (of the subscription's, for a durable
//! one). For the application it is the count of the client's own copy, which is lost with the
//! consumer: so only while the same life is subscribed, on the same connection (what a reconnect
//! brings again has the broker's counter, beside what waited for its local redelivery). A broker
//! that restarts forgets (semantics 4.4, 13), and so does a durable subscription that is acknowledged in
//! a transaction, whatever becomes of that. What the redelivery plugin sends again to a durable
//! subscription has the plugin's counter until the subscription counts for itself, from 1.

use super::Findings;
use super::notes::Notes;
use crate::facts::Fact;
use crate::scenario::{DestinationKind, Scenario};
use crate::wire::{ConsumerId, ConsumerIndex, MessageRef, Messages};

/// The largest counters seen.
#[derive(Debug)]
pub struct Counters {
    on_topic: Vec<bool>,
    dispatched: Notes<Option<ConsumerIndex>, u32>,
    delivered: Notes<ConsumerIndex, u32>,
    /// By consumer: the last life that was connected again.
    connected_again: Vec<u32>,
}

impl Counters {
    /// None yet.
    pub fn new(scenario: &Scenario) -> Counters {
        let kinds = scenario
            .consumers
            .iter()
            .map(|c| scenario.destinations[c.destination].kind);
        Counters {
            on_topic: kinds.map(|kind| kind == DestinationKind::Topic).collect(),
            dispatched: Notes::new(),
            delivered: Notes::new(),
            connected_again: vec![0; scenario.consumers.len()],
        }
    }

    /// What carries a counter, or forgets one.
    pub fn on(&mut self, fact: &Fact, messages: &Messages, findings: &mut Findings) {
        match *fact {
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter,
            } => {
                let owner = self.on_topic[consumer.index as usize].then_some(consumer.index);
                let before = self.dispatched.put(message, owner, redelivery_counter);
                if before > Some(redelivery_counter) {
                    let what = "the redelivery counter";
                    report(
                        what,
                        consumer,
                        message,
                        before,
                        redelivery_counter,
                        messages,
                        findings,
                    );
                }
            }
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                let before = self.delivered.put(message, consumer.index, count);
                let may_fall = self.connected_again[consumer.index as usize] == consumer.life;
                if before > Some(count) && !may_fall {
                    let what = "JMSXDeliveryCount";
                    report(what, consumer, message, before, count, messages, findings);
                }
            }
            Fact::AckArrived { ack } if ack.transaction.is_some() => {
                self.dispatched
                    .keep_if(|owner| owner != Some(ack.consumer.index));
            }
            Fact::Returned { consumer, message }
                if self.on_topic[consumer.index as usize]
                    && messages[message].redelivery_counter > 0 =>
            {
                self.dispatched.take(message, Some(consumer.index));
            }
            Fact::Subscribed {
                consumer,
                replayed: true,
            } => self.connected_again[consumer.index as usize] = consumer.life,
            Fact::Unsubscribed { consumer, .. } | Fact::Subscribing { consumer } => {
                self.delivered.keep_if(|index| index != consumer.index);
            }
            Fact::BrokerUp { .. } => {
                self.dispatched.clear();
                self.delivered.clear();
            }
            Fact::Released { message } => {
                self.dispatched.forget(message);
                self.delivered.forget(message);
            }
            _ => {}
        }
    }
}

fn report(
    what: &str,
    consumer: ConsumerId,
    message: MessageRef,
    before: Option<u32>,
    now: u32,
    messages: &Messages,
    findings: &mut Findings,
) {
    let (name, consumer) = (
        findings.name(message, messages),
        findings.consumer(consumer),
    );
    let before = before.unwrap_or_default();
    findings.add(format!(
        "{what} of {name} falls from {before} to {now} for {consumer}"
    ));
}

#[cfg(test)]
mod tests {
    use crate::facts::{Fact, Outcome, Removal};
    use crate::judges::testing::breaches;
    use crate::story::{Plan, first_life, plan};
    use crate::wire::ConsumerId;

    const A: ConsumerId = ConsumerId { index: 0, life: 1 };

    #[test]
    fn the_brokers_counter_does_not_fall_until_it_restarts() {
        let scenario = plan().queue("q").producer("p", 0).consumer("a", 0);
        let tell = |restarts: bool| {
            breaches(&scenario, |story| {
                story.subscribe(A);
                let message = story.queue(0);
                story.messages[message].redelivery_counter = 2;
                story.dispatch(A, message).returned(A, message);
                if restarts {
                    story
                        .fact(Fact::BrokerUp { up: false })
                        .fact(Fact::BrokerUp { up: true });
                }
                story.messages[message].redelivery_counter = 0;
                story.dispatch(A, message);
            })
        };
        assert_eq!(
            tell(false),
            ["the redelivery counter of p:1 falls from 2 to 0 for a"]
        );
        assert_eq!(tell(true), [""; 0]);
    }

    /// `DurableTopicSubscription.createMessageDispatch` puts its own count, where it has one, in the place of the
    /// message's, which the redelivery plugin has set.
    #[test]
    fn a_durable_subscription_counts_from_one_what_the_plugin_sent_again() {
        let scenario = plan().topic("t").producer("p", 0).consumer("a", 0);
        let found = breaches(&scenario, |story| {
            story.subscribe(A);
            let message = story.queue(0);
            story.messages[message].redelivery_counter = 2;
            story.dispatch(A, message).returned(A, message);
            story.fact(Fact::Dispatched {
                consumer: A,
                message,
                redelivery_counter: 1,
            });
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn the_clients_count_does_not_fall_within_a_life() {
        let scenario = plan().queue("q").producer("p", 0).consumer("a", 0);
        let found = breaches(&scenario, |story| {
            story.subscribe(A);
            let message = story.queue(0);
            let back_in_buffer = Fact::RedeliveryScheduled {
                consumer: A,
                message,
                until: story.now,
            };
            story.push(A, message).deliver_again(A, message, 3);
            story
                .process(A, message, Outcome::Failed)
                .fact(back_in_buffer);
            story.deliver_again(A, message, 2).crash(A);
            story.unsubscribe(A, Removal::Lost).returned(A, message);
            let second = ConsumerId {
                life: 2,
                ..first_life(0)
            };
            story
                .subscribe(second)
                .push(second, message)
                .deliver_again(second, message, 1);
        });
        assert_eq!(found, ["JMSXDeliveryCount of p:1 falls from 3 to 2 for a"]);
    }
}
