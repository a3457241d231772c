//! A message is in one place, and ends once.
//!
//! Of a message on a queue there is one copy: pending, in flight to one consumer, or taken off in
//! one of the ways there are. On a topic there is one for each subscription. What expires, or is
//! evicted, may be dead-lettered or rescheduled for it: that is one end, told by two facts. When a message is
//! released every copy of it must have ended.
//!
//! A message acknowledged in a transaction may be taken off at the commit although its consumer has
//! meanwhile been removed: then it is no longer in flight (semantics 5.6, 8.4).

use std::collections::BTreeSet;

use super::Findings;
use super::notes::Notes;
use crate::facts::{DeathCause, Fact};
use crate::scenario::{AcknowledgeMode, DestinationKind, Scenario};
use crate::wire::{ConsumerId, MessageRef, Messages};

/// Whose copy: the one of a queue, or that of a subscription, which outlives its consumer (life 0) if it is durable.
type Owner = Option<ConsumerId>;

#[derive(Clone, Copy, Debug, Default)]
struct Copy {
    in_flight_to: Option<ConsumerId>,
    end: Option<&'static str>,
}

/// Where every message is.
#[derive(Debug)]
pub struct Places {
    on_topic: Vec<bool>,
    durable: Vec<bool>,
    transacted: Vec<bool>,
    /// Whom the broker knows: two lives of a consumer while it has not noticed a crash.
    subscribed: BTreeSet<ConsumerId>,
    /// How many copies of each message there are to end; none before it has come to anything.
    known: Notes<(), Option<u32>>,
    copies: Notes<Owner, Copy>,
}

impl Places {
    /// Nothing is anywhere.
    pub fn new(scenario: &Scenario) -> Places {
        let consumers = || scenario.consumers.iter();
        let is_topic = |index: usize| scenario.destinations[index].kind == DestinationKind::Topic;
        let mode = |session: usize| scenario.sessions[session].mode;
        Places {
            on_topic: consumers()
                .map(|consumer| is_topic(consumer.destination))
                .collect(),
            durable: consumers()
                .map(|consumer| consumer.durable.is_some())
                .collect(),
            transacted: consumers()
                .map(|consumer| mode(consumer.session) == AcknowledgeMode::SessionTransacted)
                .collect(),
            subscribed: BTreeSet::new(),
            known: Notes::new(),
            copies: Notes::new(),
        }
    }

    /// What happens to a message.
    pub fn on(&mut self, fact: &Fact, messages: &Messages, findings: &mut Findings) {
        match *fact {
            Fact::Sending { message } => {
                self.known.put(message, (), None);
                self.copies.forget(message);
            }
            Fact::Enqueued {
                message, copies, ..
            } => {
                self.enqueued(message, copies, messages, findings);
            }
            Fact::NotEnqueued { message, .. } => {
                // A repeat that is recognised leaves alone what is there already.
                self.known(message).get_or_insert(0);
            }
            Fact::Dispatched {
                consumer, message, ..
            } => {
                self.dispatched(consumer, message, messages, findings);
            }
            Fact::Returned { consumer, message } => {
                self.returned(consumer, message, messages, findings);
            }
            Fact::Acknowledged { consumer, message } => {
                self.ends("acknowledged", Some(consumer), message, messages, findings);
            }
            Fact::DeadLettered {
                consumer,
                message,
                cause,
                ..
            } if !self.has_ended_for(cause, consumer, message) => {
                self.ends("dead-lettered", consumer, message, messages, findings);
            }
            Fact::Expired { consumer, message } => {
                self.comes_again(consumer, message);
                self.ends("expired", consumer, message, messages, findings);
            }
            Fact::Discarded {
                consumer, message, ..
            } => {
                self.ends("discarded", Some(consumer), message, messages, findings);
            }
            Fact::Gone { consumer, message } => {
                self.ends("gone", consumer, message, messages, findings);
            }
            Fact::Rescheduled {
                consumer, message, ..
            } if !self.has_ended_for(DeathCause::Evicted, Some(consumer), message) => {
                self.ends("rescheduled", Some(consumer), message, messages, findings);
            }
            Fact::Subscribed { consumer, .. } => {
                self.subscribed.insert(consumer);
            }
            Fact::Unsubscribed { consumer, .. } => {
                self.subscribed.remove(&consumer);
            }
            Fact::Released { message } => self.released(message, messages, findings),
            _ => {}
        }
    }

    /// What is still known of must still be held by somebody.
    pub fn finish(&self, messages: &Messages, findings: &mut Findings) {
        let vanished = self
            .known
            .iter()
            .filter(|(message, ..)| !messages.contains(*message))
            .count();
        if vanished > 0 {
            findings.add(format!("{vanished} messages have vanished without a word"));
        }
    }

    fn owner(&self, consumer: Option<ConsumerId>) -> Owner {
        let consumer = consumer?;
        let index = consumer.index as usize;
        let life = if self.durable[index] {
            0
        } else {
            consumer.life
        };
        self.on_topic[index].then_some(ConsumerId { life, ..consumer })
    }

    fn known(&mut self, message: MessageRef) -> &mut Option<u32> {
        self.known.get_or_put(message, (), None)
    }

    fn copy(&mut self, message: MessageRef, consumer: Option<ConsumerId>) -> &mut Copy {
        let owner = self.owner(consumer);
        self.copies.get_or_put(message, owner, Copy::default())
    }

    fn enqueued(
        &mut self,
        message: MessageRef,
        copies: u32,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let is_known = self.known(message).replace(copies).is_some();
        let may_come_again = |copy: &Copy| copy.end == Some("rescheduled");
        if is_known && !self.copies.on(message).all(may_come_again) {
            let name = findings.name(message, messages);
            findings.add(format!("{name} is enqueued a second time"));
        }
        self.copies.forget(message);
    }

    fn dispatched(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let told = |findings: &mut Findings, what: &str| {
            let (name, to) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!("{name} is dispatched to {to}{what}"));
        };
        if !self.subscribed.contains(&consumer) {
            told(findings, ", which is not subscribed");
        }
        if self.known.get(message, ()).is_none_or(Option::is_none) {
            told(findings, " and was never enqueued");
        }
        let copy = self.copy(message, Some(consumer));
        if let Some(end) = copy.end {
            told(findings, &format!(" after it was {end}"));
        }
        if let Some(other) = copy.in_flight_to.replace(consumer) {
            let other = findings.consumer(other);
            told(findings, &format!(" while in flight to {other}"));
        }
    }

    fn returned(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let copy = self.copy(message, Some(consumer));
        if copy.in_flight_to.take() != Some(consumer) {
            let (name, from) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!(
                "{name} is returned by {from}, which did not have it"
            ));
        }
    }

    /// What went with a transaction that the broker forgot as it stopped expires where the transaction is repeated.
    fn comes_again(&mut self, consumer: Option<ConsumerId>, message: MessageRef) {
        if let Some(known) = self.known.get_mut(message, ())
            && consumer.is_none()
            && *known == Some(0)
        {
            *known = None;
        }
    }

    /// Whether it has just expired, or been evicted, and is dead-lettered for that.
    fn has_ended_for(
        &self,
        cause: DeathCause,
        consumer: Option<ConsumerId>,
        message: MessageRef,
    ) -> bool {
        let copy = self.copies.get(message, self.owner(consumer));
        let end = copy.and_then(|copy| copy.end);
        cause != DeathCause::Poison && matches!(end, Some("expired" | "discarded"))
    }

    fn ends(
        &mut self,
        how: &'static str,
        consumer: Option<ConsumerId>,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let in_transaction =
            consumer.is_some_and(|consumer| self.transacted[consumer.index as usize]);
        let needs_flight = how == "acknowledged" && !in_transaction;
        let copy = self.copy(message, consumer);
        let before = copy.end.replace(how);
        let had_it = copy.in_flight_to.take();
        if let Some(before) = before {
            let name = findings.name(message, messages);
            findings.add(format!("{name} is {how} after it was {before}"));
        }
        let is_elsewhere = had_it.is_some_and(|had_it| Some(had_it) != consumer);
        if is_elsewhere || (had_it.is_none() && needs_flight) {
            let name = findings.name(message, messages);
            let by = consumer.map_or("nobody".to_owned(), |by| findings.consumer(by));
            findings.add(format!("{name} is {how} for {by}, which did not have it"));
        }
    }

    fn released(&mut self, message: MessageRef, messages: &Messages, findings: &mut Findings) {
        let copies = self.known.take(message, ()).flatten();
        let ended = self.copies.on(message);
        let ended = ended.filter(|copy| copy.end.is_some()).count();
        self.copies.forget(message);
        let name = |findings: &Findings| findings.name(message, messages);
        match copies {
            None if ended == 0 => {
                let name = name(findings);
                findings.add(format!(
                    "{name} is forgotten before it has come to anything"
                ));
            }
            Some(copies) if ended != copies as usize => {
                let name = name(findings);
                findings.add(format!(
                    "{name} is forgotten: {ended} of {copies} copies have ended"
                ));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::{DeathCause, Fact, Removal};
    use crate::judges::testing::breaches;
    use crate::scenario::{AcknowledgeMode, Scenario};
    use crate::story::{Plan, first_life, plan};
    use crate::wire::ConsumerId;

    const A: ConsumerId = ConsumerId { index: 0, life: 1 };
    const B: ConsumerId = ConsumerId { index: 1, life: 1 };

    fn queue() -> Scenario {
        plan()
            .queue("q")
            .queue("DLQ")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0)
    }

    #[test]
    fn two_consumers_of_a_queue_cannot_have_the_same_message() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A).subscribe(B);
            let message = story.queue(0);
            story.dispatch(A, message).dispatch(B, message);
        });
        assert_eq!(found, ["p:1 is dispatched to b while in flight to a"]);
    }

    #[test]
    fn a_message_that_was_taken_off_stays_off() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A).subscribe(B);
            let message = story.queue(0);
            story
                .push(A, message)
                .acknowledge(A, message)
                .dispatch(B, message);
        });
        assert_eq!(found, ["p:1 is dispatched to b after it was acknowledged"]);
    }

    #[test]
    fn a_message_ends_once() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A);
            let message = story.queue(0);
            story
                .push(A, message)
                .acknowledge(A, message)
                .poison(A, message, 1);
        });
        assert_eq!(found, ["p:1 is dead-lettered after it was acknowledged"]);
    }

    #[test]
    fn expiry_and_its_dead_letter_are_one_end() {
        let found = breaches(&queue(), |story| {
            let message = story.queue(0);
            story.fact(Fact::Expired {
                consumer: None,
                message,
            });
            story.fact(Fact::DeadLettered {
                consumer: None,
                message,
                cause: DeathCause::Expired,
                queue: 1,
            });
            story.release(message);
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn nothing_is_forgotten_on_a_queue() {
        let found = breaches(&queue(), |story| {
            let (message, unheard) = (story.queue(0), story.send(0));
            story.release(message).release(unheard);
        });
        assert_eq!(
            found,
            [
                "p:1 is forgotten: 0 of 1 copies have ended",
                "p:2 is forgotten before it has come to anything"
            ]
        );
    }

    #[test]
    fn every_subscription_of_a_topic_ends_its_copy() {
        let scenario = plan()
            .topic("t")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0);
        let found = breaches(&scenario, |story| {
            story.subscribe(A).subscribe(B);
            let message = story.send(0);
            story.enqueue(message, 2).push(A, message).push(B, message);
            story.acknowledge(A, message).release(message);
        });
        assert_eq!(found, ["p:1 is forgotten: 1 of 2 copies have ended"]);
    }

    #[test]
    fn only_subscribers_are_dispatched_to() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A).unsubscribe(A, Removal::Close);
            let message = story.queue(0);
            story.dispatch(A, message);
        });
        assert_eq!(found, ["p:1 is dispatched to a, which is not subscribed"]);
    }

    #[test]
    fn who_acknowledges_must_have_it_unless_its_transaction_outlived_it() {
        let tell = |scenario: &Scenario| {
            breaches(scenario, |story| {
                story.subscribe(A);
                let message = story.queue(0);
                story
                    .push(A, message)
                    .unsubscribe(A, Removal::Lost)
                    .returned(A, message);
                story.taken_off(A, message);
            })
        };
        let mut scenario = queue();
        assert_eq!(
            tell(&scenario),
            ["p:1 is acknowledged for a, which did not have it"]
        );
        scenario.sessions[0].mode = AcknowledgeMode::SessionTransacted;
        assert_eq!(tell(&scenario), [""; 0]);
    }

    #[test]
    fn what_nobody_holds_must_have_been_told() {
        let found = breaches(&queue(), |story| {
            story.subscribe(first_life(0));
            let message = story.queue(0);
            story.messages.release(message);
        });
        assert_eq!(found, ["1 messages have vanished without a word"]);
    }
}
