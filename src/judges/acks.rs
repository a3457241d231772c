//! Acks that the client library of ActiveMQ never sends (semantics 13). The article's does.

use super::Findings;
use super::notes::Notes;
use crate::facts::Fact;
use crate::scenario::{Scenario, Semantics};
use crate::wire::{AckType, ConsumerId, MessageAck, Messages};

/// How often each message was handed over, as the application saw it.
#[derive(Debug)]
pub struct Acks {
    is_article: bool,
    counts: Notes<ConsumerId, u32>,
}

impl Acks {
    /// Nothing has been handed over yet.
    pub fn new(scenario: &Scenario) -> Acks {
        Acks {
            is_article: scenario.semantics == Semantics::Article,
            counts: Notes::new(),
        }
    }

    /// An ack, or what it may be about.
    pub fn on(&mut self, fact: &Fact, messages: &Messages, findings: &mut Findings) {
        match *fact {
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                self.counts.put(message, consumer, count);
            }
            // `receive` may have taken it, and not yet have handed it over.
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter,
            } if redelivery_counter > 0 => {
                self.counts.put(message, consumer, redelivery_counter + 1);
            }
            Fact::AckSent { ref ack } => self.sent(ack, messages, findings),
            Fact::Released { message } => self.counts.forget(message),
            _ => {}
        }
    }

    fn sent(&self, ack: &MessageAck, messages: &Messages, findings: &mut Findings) {
        let name = |findings: &Findings| {
            let (who, last) = (
                findings.consumer(ack.consumer),
                findings.name(ack.last, messages),
            );
            format!("{who} sends {} up to {last}", ack.ack_type.name())
        };
        let outside = matches!(ack.ack_type, AckType::Poison | AckType::Expired);
        if outside && ack.transaction.is_some() {
            findings.add(format!("{} in a transaction", name(findings)));
        }
        if ack.ack_type == AckType::Unmatched {
            findings.add(format!("{}, which no client does", name(findings)));
        }
        let count = self.counts.get(ack.last, ack.consumer);
        let count = count.copied().unwrap_or_default();
        if ack.ack_type == AckType::Redelivered && count < 2 && !self.is_article {
            findings.add(format!("{} after its first failure", name(findings)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judges::testing::breaches;
    use crate::scenario::{Scenario, Semantics};
    use crate::story::{Plan, Story, plan, transaction};
    use crate::wire::{AckType, ConsumerId, MessageAck};

    const A: ConsumerId = ConsumerId { index: 0, life: 1 };

    fn acks(scenario: &Scenario, ack_type: AckType, count: u32, tx: bool) -> Vec<String> {
        breaches(scenario, |story| {
            story.subscribe(A);
            let message = story.queue(0);
            story.push(A, message).deliver_again(A, message, count);
            story.ack(MessageAck {
                transaction: tx.then_some(transaction(0, 1)),
                ..Story::<()>::ack_of(A, ack_type, message, message, 1)
            });
        })
    }

    #[test]
    fn some_acks_are_never_sent() {
        let mut scenario = plan().queue("q").producer("p", 0).consumer("a", 0);
        let found = |ack_type, count, tx| acks(&scenario, ack_type, count, tx);
        assert_eq!(
            found(AckType::Poison, 1, true),
            ["a sends POISON up to p:1 in a transaction"]
        );
        assert_eq!(found(AckType::Poison, 1, false), [""; 0]);
        assert_eq!(found(AckType::Unmatched, 1, false).len(), 1);
        assert_eq!(
            found(AckType::Redelivered, 1, false),
            ["a sends REDELIVERED up to p:1 after its first failure"]
        );
        assert_eq!(found(AckType::Redelivered, 2, false), [""; 0]);
        scenario.semantics = Semantics::Article;
        assert_eq!(acks(&scenario, AckType::Redelivered, 1, false), [""; 0]);
    }
}
