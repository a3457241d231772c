//! Judges: they watch a run and know what can never be, whatever the scenario.
//!
//! They know nothing of how the model works. Each folds the facts in its own simple way over one
//! kind of law, and names every breach with its time; so a run that looks reasonable and is wrong
//! gives itself away. Tests judge every run, `acksim run --audit` any run a user likes. Several
//! laws have exceptions that ActiveMQ itself makes; they stand with the law.
//!
//! | judge | law |
//! | --- | --- |
//! | `clock` | time never goes back |
//! | `places` | a message is in one place: not in flight to two consumers of a queue, not dispatched after it was taken off, and when nobody names it any more, every copy of it has ended, once |
//! | `window` | nothing is dispatched into a full window |
//! | `counters` | redelivery counters do not fall while the broker runs |
//! | `order` | what is dispatched or handed over for the first time goes in order |
//! | `acks` | acks that the client library never sends |
//! | `buffer` | what is handed over was in the buffer, and Little's law holds for it |

mod acks;
mod buffer;
mod clock;
mod counters;
mod notes;
mod order;
mod places;
mod window;

use std::fmt;

use crate::facts::{Fact, Observer};
use crate::kernel::Time;
use crate::scenario::Scenario;
use crate::wire::{ConsumerId, MessageRef, Messages};

/// So many breaches are told; more are only counted.
const MOST: usize = 100;

/// A law was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// When.
    pub at: Time,
    /// What happened, and what should not have.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.at, self.what)
    }
}

/// All judges of a run.
pub struct Judges<'a> {
    findings: Findings<'a>,
    places: places::Places,
    window: window::Windows,
    counters: counters::Counters,
    order: order::Order,
    acks: acks::Acks,
    buffer: buffer::Buffer,
}

impl<'a> Judges<'a> {
    /// Before anything has happened.
    pub fn new(scenario: &'a Scenario) -> Judges<'a> {
        Judges {
            findings: Findings::new(scenario),
            places: places::Places::new(scenario),
            window: window::Windows::new(scenario),
            counters: counters::Counters::new(scenario),
            order: order::Order::new(scenario),
            acks: acks::Acks::new(scenario),
            buffer: buffer::Buffer::new(scenario),
        }
    }

    /// What they found, when the run is over; `messages` is what is still held somewhere.
    pub fn finish(mut self, ended_at: Time, messages: &Messages) -> Vec<Breach> {
        self.findings.now = ended_at;
        self.places.finish(messages, &mut self.findings);
        self.buffer.finish(&mut self.findings);
        self.findings.list
    }
}

impl Observer for Judges<'_> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        let findings = &mut self.findings;
        clock::judge(now, findings);
        findings.now = now;
        self.places.on(fact, messages, findings);
        self.window.on(fact, messages, findings);
        self.counters.on(fact, messages, findings);
        self.order.on(fact, messages, findings);
        self.acks.on(fact, messages, findings);
        self.buffer.on(fact, messages, findings);
    }
}

/// What the judges write down.
struct Findings<'a> {
    scenario: &'a Scenario,
    now: Time,
    list: Vec<Breach>,
}

impl<'a> Findings<'a> {
    fn new(scenario: &'a Scenario) -> Findings<'a> {
        Findings {
            scenario,
            now: Time::ZERO,
            list: Vec::new(),
        }
    }

    fn add(&mut self, what: String) {
        if self.list.len() < MOST {
            self.list.push(Breach { at: self.now, what });
        }
    }

    /// As people know it: `orders:17`.
    fn name(&self, message: MessageRef, messages: &Messages) -> String {
        let message = &messages[message];
        let producer = &self.scenario.producers[message.producer as usize].name;
        let dead = if message.dead_letter { " (dead)" } else { "" };
        format!("{producer}:{}{dead}", message.number)
    }

    /// As people know it, with its life if that is not the first.
    fn consumer(&self, consumer: ConsumerId) -> String {
        let name = &self.scenario.consumers[consumer.index as usize].name;
        match consumer.life {
            0 | 1 => name.clone(),
            life => format!("{name} (life {life})"),
        }
    }
}

/// What tests of single judges share.
#[cfg(test)]
mod testing {
    use super::*;
    use crate::story::Story;

    /// What all judges find in a story.
    pub fn breaches(scenario: &Scenario, tell: impl FnOnce(&mut Story<Judges>)) -> Vec<String> {
        let mut story = Story::new(scenario, Judges::new(scenario));
        tell(&mut story);
        let found = story.observer.finish(story.now, &story.messages);
        found.into_iter().map(|breach| breach.what).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::breaches;
    use super::*;
    use crate::facts::Removal;
    use crate::story::{Plan, first_life, plan};

    #[test]
    fn an_ordinary_run_breaks_no_law() {
        let scenario = plan()
            .queue("q")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0);
        let found = breaches(&scenario, |story| {
            let (a, b) = (first_life(0), first_life(1));
            story.subscribe(a).subscribe(b);
            let [one, two, three] = std::array::from_fn(|_| story.queue(0));
            story.at(1.0).push(a, one).push(b, two).push(a, three);
            story.at(2.0).deliver(a, one).deliver(b, two);
            story
                .at(3.0)
                .done(a, one)
                .acknowledge_and_release(a, one)
                .crash(a);
            story
                .at(4.0)
                .unsubscribe(a, Removal::Lost)
                .returned(a, three);
            story
                .push(b, three)
                .done(b, two)
                .acknowledge_and_release(b, two);
            story.at(5.0).deliver_again(b, three, 2);
            story
                .at(6.0)
                .done(b, three)
                .acknowledge_and_release(b, three);
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn breaches_say_when() {
        let breach = Breach {
            at: Time(1_500_000),
            what: "two and two is five".to_owned(),
        };
        assert_eq!(breach.to_string(), "at 1.5ms: two and two is five");
    }

    #[test]
    fn a_run_that_is_wrong_throughout_is_told_in_part() {
        let scenario = plan().queue("q").producer("p", 0).consumer("a", 0);
        let found = breaches(&scenario, |story| {
            for millis in (0..300).rev() {
                story.at(f64::from(millis)).subscribe(first_life(0));
            }
        });
        assert_eq!(found.len(), MOST);
    }
}
