//! What holds after any sequence of commands.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::scenario::Semantics;
use crate::wire::{AckType, TransactionId};

const CONSUMERS: usize = 3;

/// Something that a client may do. Consumers and places in a window are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send { group: u32, persistent: bool },
    Standard { consumer: usize, count: usize },
    Individual { consumer: usize, place: usize },
    Delivered { consumer: usize, place: usize },
    Poison { consumer: usize, place: usize },
    Redelivered { consumer: usize, place: usize },
    InTransaction { consumer: usize, count: usize },
    End { consumer: usize, commit: bool },
    Close { consumer: usize },
    Crash { consumer: usize },
    Subscribe { consumer: usize },
    Pull { consumer: usize, timeout: i64 },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let any_consumer = 1..=CONSUMERS;
    let of_consumer = |step: fn(usize) -> Step| any_consumer.clone().prop_map(step);
    let of_place =
        |step: fn((usize, usize)) -> Step| (any_consumer.clone(), 0..4usize).prop_map(step);
    prop_oneof![
        6 => (0..3u32, any::<bool>())
            .prop_map(|(group, persistent)| Step::Send { group, persistent }),
        3 => of_place(|(consumer, n)| Step::Standard { consumer, count: n + 1 }),
        2 => of_place(|(consumer, place)| Step::Individual { consumer, place }),
        2 => of_place(|(consumer, place)| Step::Delivered { consumer, place }),
        1 => of_place(|(consumer, place)| Step::Poison { consumer, place }),
        1 => of_place(|(consumer, place)| Step::Redelivered { consumer, place }),
        2 => of_place(|(consumer, n)| Step::InTransaction { consumer, count: n + 1 }),
        1 => of_consumer(|consumer| Step::End { consumer, commit: true }),
        1 => of_consumer(|consumer| Step::End { consumer, commit: false }),
        1 => of_consumer(|consumer| Step::Close { consumer }),
        1 => of_consumer(|consumer| Step::Crash { consumer }),
        3 => of_consumer(|consumer| Step::Subscribe { consumer }),
        1 => of_place(|(consumer, n)| Step::Pull { consumer, timeout: n as i64 * 20 - 1 }),
        1 => Just(Step::Wait),
    ]
}

/// A bench and what its clients know.
struct Clients {
    bench: Bench,
    open: [bool; CONSUMERS],
    transactions: [Option<TransactionId>; CONSUMERS],
    now: u64,
}

impl Clients {
    fn new(scenario: Scenario) -> Clients {
        Clients {
            bench: Bench::subscribed(scenario),
            open: [true; CONSUMERS],
            transactions: [None; CONSUMERS],
            now: 0,
        }
    }

    /// A message in flight to an open consumer.
    fn at(&self, consumer: usize, place: usize) -> Option<u64> {
        if !self.open[consumer - 1] {
            return None;
        }
        self.bench.in_flight(consumer).get(place).copied()
    }

    fn range(&self, consumer: usize, count: usize) -> Option<(u64, u64)> {
        Some((self.at(consumer, 0)?, self.at(consumer, count - 1)?))
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Send { group, persistent } => {
                self.bench.template.group = group;
                self.bench.template.persistent = persistent;
                self.bench.send(1);
            }
            Step::Standard { consumer, count } => {
                if let Some((first, last)) = self.range(consumer, count) {
                    self.bench.standard(consumer, first, last);
                }
            }
            Step::InTransaction { consumer, count } => {
                if let Some((first, last)) = self.range(consumer, count) {
                    let bench = &mut self.bench;
                    let open = self.transactions[consumer - 1];
                    let transaction = open.unwrap_or_else(|| bench.begin(consumer));
                    self.transactions[consumer - 1] = Some(transaction);
                    bench.standard_in(transaction, consumer, first, last);
                }
            }
            Step::End { consumer, commit } => {
                if let Some(transaction) = self.transactions[consumer - 1].take() {
                    match commit {
                        true => self.bench.commit(consumer, transaction),
                        false => self.bench.roll_back(consumer, transaction),
                    }
                }
            }
            Step::Close { consumer } if self.open[consumer - 1] => {
                let last = self.at(consumer, 0);
                self.open[consumer - 1] = false;
                self.bench.close(consumer, last);
            }
            Step::Crash { consumer } if self.open[consumer - 1] => {
                (self.open[consumer - 1], self.transactions[consumer - 1]) = (false, None);
                self.bench.crash(consumer);
            }
            Step::Subscribe { consumer } if !self.open[consumer - 1] => {
                self.open[consumer - 1] = true;
                self.transactions[consumer - 1] = None;
                self.bench.crash(consumer);
                self.bench.subscribe_again(consumer);
            }
            Step::Pull { consumer, timeout } if self.open[consumer - 1] => {
                self.bench.pull(consumer, timeout);
            }
            Step::Wait => {
                self.now += 40;
                self.bench.wait_until(self.now);
            }
            _ => self.take_ack_of_one(step),
        }
    }

    fn take_ack_of_one(&mut self, step: Step) {
        let (ack_type, consumer, place) = match step {
            Step::Individual { consumer, place } => (AckType::Individual, consumer, place),
            Step::Delivered { consumer, place } => (AckType::Delivered, consumer, place),
            Step::Poison { consumer, place } => (AckType::Poison, consumer, place),
            Step::Redelivered { consumer, place } => (AckType::Redelivered, consumer, place),
            _ => return,
        };
        if let Some(message) = self.at(consumer, place) {
            self.bench
                .ack(consumer, ack_type, (Some(message), message), 1, None);
        }
    }

    fn check(&self) {
        let remaining = self.bench.remaining(0);
        let there: BTreeSet<u64> = remaining.iter().copied().collect();
        assert_eq!(
            there.len(),
            remaining.len(),
            "a message is in one place only"
        );
        let mut in_flight = 0;
        for consumer in (1..=CONSUMERS).filter(|&consumer| self.open[consumer - 1]) {
            let window = self.bench.in_flight(consumer);
            assert!(window.iter().all(|message| there.contains(message)));
            in_flight += window.len();
        }
        assert!(in_flight <= there.len());
    }

    /// Every message is done with in the end, and nobody holds it any more.
    fn drain(mut self) {
        for consumer in 1..=CONSUMERS {
            self.take(Step::End {
                consumer,
                commit: true,
            });
            self.take(Step::Crash { consumer });
        }
        self.take(Step::Wait);
        self.take(Step::Subscribe { consumer: 1 });
        while let Some(message) = self.at(1, 0) {
            self.bench.standard(1, message, message);
        }
        assert_eq!(self.bench.remaining(0), [] as [u64; 0]);
        let dead = self.bench.remaining(1).len();
        assert_eq!(self.bench.held_by_broker(), dead);
    }
}

/// Whether a message waits although somebody has room for it. Without groups and acks in open
/// transactions that cannot be.
fn somebody_starves(clients: &Clients) -> bool {
    let bench = &clients.bench;
    let open = (1..=CONSUMERS).filter(|&consumer| clients.open[consumer - 1]);
    let (mut in_flight, mut room) = (0, false);
    for consumer in open {
        let window = bench.in_flight(consumer).len();
        let prefetch = bench.broker.prefetch(bench.id(consumer)).unwrap() as usize;
        in_flight += window;
        room |= window < prefetch + bench.extension(consumer) as usize;
    }
    room && bench.remaining(0).len() > in_flight
}

fn run(scenario: Scenario, steps: &[Step]) {
    let mut clients = Clients::new(scenario);
    for &step in steps {
        clients.take(step);
        clients.check();
    }
    clients.drain();
}

proptest! {
    /// Rule: removal
    #[test]
    fn messages_are_neither_lost_nor_doubled(steps in prop::collection::vec(step(), 1..80)) {
        run(queue(&[1, 3, 4]), &steps);
    }

    #[test]
    fn nor_with_priorities_and_an_exclusive_consumer(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut scenario = queue(&[2, 3, 2]);
        scenario.destinations[0].policy.prioritized_messages = true;
        scenario.destinations[0].policy.strict_order_dispatch = true;
        scenario.consumers[1].exclusive = true;
        scenario.consumers[2].priority = 3;
        run(scenario, &steps);
    }

    #[test]
    fn nor_with_the_rules_of_the_article(steps in prop::collection::vec(step(), 1..80)) {
        let mut scenario = queue(&[1, 3, 4]);
        scenario.semantics = Semantics::Article;
        run(scenario, &steps);
    }

    #[test]
    fn no_message_waits_while_a_consumer_has_room(steps in prop::collection::vec(step(), 1..80)) {
        let mut clients = Clients::new(queue(&[2, 3, 4]));
        for &step in &steps {
            clients.take(match step {
                Step::Send { persistent, .. } => Step::Send { group: 0, persistent },
                Step::InTransaction { consumer, count } => Step::Standard { consumer, count },
                step => step,
            });
            prop_assert!(!somebody_starves(&clients));
        }
    }

    #[test]
    fn a_durable_subscription_keeps_its_messages(steps in prop::collection::vec(step(), 1..80)) {
        let mut scenario = topic(&[3, 1, 2]);
        for consumer in &mut scenario.consumers {
            consumer.durable = Some("archive".into());
        }
        let mut clients = Clients::new(scenario);
        for &step in &steps {
            clients.take(step);
        }
        for consumer in 1..=CONSUMERS {
            let commit = true;
            clients.take(Step::End { consumer, commit });
            clients.take(Step::Subscribe { consumer });
            while let Some(message) = clients.at(consumer, 0) {
                clients.bench.standard(consumer, message, message);
            }
        }
        let dead = clients.bench.remaining(1).len();
        prop_assert_eq!(clients.bench.held_by_broker(), dead);
    }
}
