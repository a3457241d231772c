//! A toy broker for tests: one queue, consumers that prefetch, process and acknowledge, with a
//! crash or failures where wanted. Its facts come in the order of the real ones; nothing else about
//! it is meant to be right.

use std::collections::VecDeque;

use super::{Charts, Recorder};
use crate::facts::{Fact, Observer, Outcome, Removal};
use crate::kernel::Time;
use crate::metrics::RunEnd;
use crate::scenario::{Crash, CrashTrigger, Failures, Scenario, Semantics, Throw};
use crate::story::{Plan, plan};
use crate::wire::{AckType, ConsumerId, Message, MessageAck, MessageRef, Messages};

/// A consumer of the toy.
#[derive(Clone, Debug)]
pub struct ToyConsumer {
    pub name: String,
    pub prefetch: usize,
    /// Nanoseconds per message.
    pub processing: u64,
    /// An ack for so many messages.
    pub ack_every: usize,
    /// Crashes when it has processed so many, and is back after so long.
    pub crash: Option<(usize, u64)>,
    /// Fails on every so manieth delivery, and pauses so long.
    pub fail: Option<(usize, u64)>,
}

impl ToyConsumer {
    pub fn new(name: &str, prefetch: usize, processing: u64) -> ToyConsumer {
        let name = name.to_owned();
        ToyConsumer {
            name,
            prefetch,
            processing,
            ack_every: 1,
            crash: None,
            fail: None,
        }
    }
}

/// A run of the toy.
#[derive(Clone, Debug)]
pub struct Toy {
    pub name: String,
    pub semantics: Semantics,
    pub messages: u64,
    /// Nanoseconds between messages.
    pub interval: u64,
    /// Nanoseconds one way.
    pub latency: u64,
    pub until: Option<u64>,
    pub consumers: Vec<ToyConsumer>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Send,
    Arrive(usize, u32, MessageRef),
    Done(usize, u32, MessageRef, u64),
    Acked(usize, u32, usize),
    Awake(usize, u32),
    Start(usize, u32),
}

struct State {
    life: u32,
    buffer: VecDeque<(MessageRef, u32)>,
    in_flight: VecDeque<MessageRef>,
    unacked: usize,
    working: bool,
    up: bool,
    done: usize,
    paused: bool,
}

struct Run<'a, O> {
    toy: &'a Toy,
    observer: O,
    messages: Messages,
    queue: VecDeque<(MessageRef, u32)>,
    states: Vec<State>,
    agenda: std::collections::BTreeMap<(u64, u64), Step>,
    scheduled: u64,
    now: u64,
    sent: u64,
    next: usize,
}

impl Toy {
    pub fn new(name: &str, messages: u64, interval: u64, consumers: Vec<ToyConsumer>) -> Toy {
        let name = name.to_owned();
        let semantics = Semantics::ActiveMq5_17;
        Toy {
            name,
            semantics,
            messages,
            interval,
            latency: 1_000_000,
            until: None,
            consumers,
        }
    }

    /// Runs it before an observer; returns when it ended.
    pub fn run(&self, observer: impl Observer) -> Time {
        let state = |_: &ToyConsumer| State {
            life: 0,
            buffer: VecDeque::new(),
            in_flight: VecDeque::new(),
            unacked: 0,
            working: false,
            up: false,
            done: 0,
            paused: false,
        };
        let mut run = Run {
            toy: self,
            observer,
            messages: Messages::default(),
            queue: VecDeque::new(),
            states: self.consumers.iter().map(state).collect(),
            agenda: std::collections::BTreeMap::new(),
            scheduled: 0,
            now: 0,
            sent: 0,
            next: 0,
        };
        for consumer in 0..self.consumers.len() {
            run.schedule(0, Step::Start(consumer, 1));
        }
        if self.messages > 0 {
            run.schedule(0, Step::Send);
        }
        while let Some(((at, _), step)) = run.agenda.pop_first() {
            if self.until.is_some_and(|until| at > until) {
                break;
            }
            run.now = at;
            run.step(step);
        }
        Time(self.until.unwrap_or(run.now))
    }

    pub fn charts(&self) -> Charts {
        let scenario = self.scenario();
        let mut recorder = Recorder::new(&scenario);
        let ended_at = self.run(&mut recorder);
        recorder
            .finish(RunEnd {
                ended_at,
                ..RunEnd::default()
            })
            .1
    }
}

impl<O: Observer> Run<'_, O> {
    fn emit(&mut self, fact: Fact) {
        self.observer.on(Time(self.now), &fact, &self.messages);
    }

    fn schedule(&mut self, delay: u64, step: Step) {
        self.scheduled += 1;
        self.agenda.insert((self.now + delay, self.scheduled), step);
    }

    fn id(&self, consumer: usize) -> ConsumerId {
        ConsumerId {
            index: consumer as u32,
            life: self.states[consumer].life,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send => self.send(),
            Step::Start(consumer, life) => self.start(consumer, life),
            Step::Arrive(consumer, life, message) if self.lives(consumer, life) => {
                self.emit(Fact::Received {
                    consumer: self.id(consumer),
                    message,
                });
                let count = self.messages[message].redelivery_counter;
                self.states[consumer].buffer.push_back((message, count));
                self.work(consumer);
            }
            Step::Done(consumer, life, message, since) if self.lives(consumer, life) => {
                self.done(consumer, message, since);
            }
            Step::Acked(consumer, life, count) if self.lives(consumer, life) => {
                self.acked(consumer, count);
            }
            Step::Awake(consumer, life) if self.lives(consumer, life) => {
                self.states[consumer].paused = false;
                self.work(consumer);
            }
            _ => {}
        }
    }

    fn lives(&self, consumer: usize, life: u32) -> bool {
        self.states[consumer].up && self.states[consumer].life == life
    }

    fn send(&mut self) {
        self.sent += 1;
        let message = self.messages.insert(Message {
            producer: 0,
            number: self.sent,
            destination: 0,
            wanted_at: Time(self.now),
            sent_at: Time(self.now),
            expiration: 0,
            size: 100,
            group: 0,
            priority: 4,
            persistent: true,
            dead_letter: false,
            rescheduled: false,
            copy: false,
            sequence: self.sent,
            redelivery_counter: 0,
            locked_by: None,
            acked: false,
            dropped: false,
        });
        self.emit(Fact::Sending { message });
        self.emit(Fact::Enqueued {
            message,
            destination: 0,
            copies: 1,
        });
        self.queue.push_back((message, 0));
        let called_at = Time(self.now);
        self.emit(Fact::SendReturned {
            producer: 0,
            called_at,
            failed: false,
        });
        self.dispatch();
        if self.sent < self.toy.messages {
            self.schedule(self.toy.interval, Step::Send);
        }
    }

    fn start(&mut self, consumer: usize, life: u32) {
        self.states[consumer].life = life;
        let id = self.id(consumer);
        self.emit(Fact::Subscribing { consumer: id });
        self.emit(Fact::Subscribed {
            consumer: id,
            replayed: false,
        });
        self.emit(Fact::Started { consumer: id });
        self.states[consumer].up = true;
        self.dispatch();
    }

    fn dispatch(&mut self) {
        let count = self.states.len();
        while !self.queue.is_empty() && count > 0 {
            let room = |run: &Self, index: usize| {
                let state = &run.states[index];
                state.up && state.in_flight.len() < run.toy.consumers[index].prefetch.max(1)
            };
            let order = (0..count).map(|step| (self.next + step) % count);
            let Some(consumer) = order.clone().find(|index| room(self, *index)) else {
                return;
            };
            self.next = (consumer + 1) % count;
            let Some((message, counter)) = self.queue.pop_front() else {
                return;
            };
            self.messages[message].redelivery_counter = counter;
            let id = self.id(consumer);
            self.emit(Fact::Dispatched {
                consumer: id,
                message,
                redelivery_counter: counter,
            });
            self.states[consumer].in_flight.push_back(message);
            self.schedule(self.toy.latency, Step::Arrive(consumer, id.life, message));
        }
    }

    fn work(&mut self, consumer: usize) {
        let state = &mut self.states[consumer];
        if state.working || state.paused {
            return;
        }
        let Some((message, counter)) = state.buffer.pop_front() else {
            return;
        };
        state.working = true;
        let id = self.id(consumer);
        self.emit(Fact::Delivered {
            consumer: id,
            message,
            count: counter + 1,
        });
        let delay = self.toy.consumers[consumer].processing;
        self.schedule(delay, Step::Done(consumer, id.life, message, self.now));
    }

    fn done(&mut self, consumer: usize, message: MessageRef, since: u64) {
        let settings = self.toy.consumers[consumer].clone();
        let id = self.id(consumer);
        self.states[consumer].working = false;
        self.states[consumer].done += 1;
        let done = self.states[consumer].done;
        let fails = settings
            .fail
            .filter(|(every, _)| done.is_multiple_of(*every));
        let crashes = settings
            .crash
            .filter(|(after, _)| id.life == 1 && done == *after);
        let outcome = match (crashes, fails) {
            (Some(_), _) => Outcome::Interrupted,
            (_, Some(_)) => Outcome::Failed,
            _ => Outcome::Done,
        };
        self.emit(Fact::Processed {
            consumer: id,
            message,
            outcome,
            since: Time(since),
        });
        if let Some((_, back_after)) = crashes {
            return self.crash(consumer, back_after);
        }
        if let Some((_, pause)) = fails {
            let until = Time(self.now + pause);
            self.emit(Fact::RedeliveryScheduled {
                consumer: id,
                message,
                until,
            });
            self.states[consumer].buffer.push_front((message, 1));
            self.states[consumer].paused = true;
            return self.schedule(pause, Step::Awake(consumer, id.life));
        }
        self.states[consumer].unacked += 1;
        let unacked = self.states[consumer].unacked;
        if unacked >= settings.ack_every {
            self.states[consumer].unacked = 0;
            let ack = MessageAck {
                consumer: id,
                ack_type: AckType::Standard,
                first: Some(message),
                last: message,
                count: unacked as i32,
                transaction: None,
            };
            self.emit(Fact::AckSent { ack });
            self.schedule(self.toy.latency, Step::Acked(consumer, id.life, unacked));
        }
        self.work(consumer);
    }

    fn acked(&mut self, consumer: usize, count: usize) {
        let id = self.id(consumer);
        let last = self.states[consumer].in_flight[count - 1];
        let ack = MessageAck {
            consumer: id,
            ack_type: AckType::Standard,
            first: None,
            last,
            count: count as i32,
            transaction: None,
        };
        self.emit(Fact::AckArrived { ack });
        for _ in 0..count {
            let message = self.states[consumer]
                .in_flight
                .pop_front()
                .expect("in flight");
            self.emit(Fact::Acknowledged {
                consumer: id,
                message,
            });
            self.emit(Fact::Released { message });
            self.messages.release(message);
        }
        self.dispatch();
    }

    fn crash(&mut self, consumer: usize, back_after: u64) {
        let id = self.id(consumer);
        self.emit(Fact::Crashed { consumer: id });
        self.emit(Fact::Unsubscribed {
            consumer: id,
            removal: Removal::Lost,
        });
        let state = &mut self.states[consumer];
        state.up = false;
        state.unacked = 0;
        state.buffer.clear();
        let back: Vec<_> = state.in_flight.drain(..).collect();
        for message in back.into_iter().rev() {
            self.emit(Fact::Returned {
                consumer: id,
                message,
            });
            self.queue.push_front((message, 1));
        }
        self.schedule(back_after, Step::Start(consumer, id.life + 1));
        self.dispatch();
    }
}

impl Toy {
    /// A scenario that fits.
    pub fn scenario(&self) -> Scenario {
        let mut scenario = plan().queue("orders").producer("shop", 0);
        for toy in &self.consumers {
            scenario = scenario.consumer(&toy.name, 0);
            let consumer = scenario.consumers.last_mut().expect("just added");
            consumer.prefetch_size = toy.prefetch as u32;
            consumer.failures = failures(toy);
        }
        Scenario {
            name: self.name.clone(),
            semantics: self.semantics,
            ..scenario
        }
    }
}

fn failures(toy: &ToyConsumer) -> Failures {
    let throws = toy.fail.map(|_| Throw::Probability(0.1));
    let crashes = toy.crash.map(|_| Crash {
        trigger: CrashTrigger::At(Time::ZERO),
        restart_after: None,
        detected_after: None,
    });
    Failures {
        throws: throws.into_iter().collect(),
        crashes: crashes.into_iter().collect(),
        ..Failures::default()
    }
}

/// Runs worth looking at.
pub fn gallery() -> Vec<Toy> {
    let ms = 1_000_000;
    let three = || {
        vec![
            ToyConsumer::new("slow", 100, 40 * ms),
            ToyConsumer::new("quick", 100, 10 * ms),
            ToyConsumer::new("quicker", 100, 5 * ms),
        ]
    };
    let mut crash = three();
    crash[0].crash = Some((30, 400 * ms));
    crash[2].ack_every = 65;
    crash[1].fail = Some((25, 150 * ms));
    let many = |count: usize| {
        (0..count)
            .map(|index| {
                ToyConsumer::new(&format!("worker-{index}"), 20, (5 + 3 * index as u64) * ms)
            })
            .collect::<Vec<_>>()
    };
    let mut article = Toy::new(
        "one",
        60,
        12 * ms,
        vec![ToyConsumer::new("worker", 10, 10 * ms)],
    );
    article.semantics = Semantics::Article;
    vec![
        Toy::new("unequal", 300, ms, three()),
        Toy::new("unequal-long", 20_000, 3 * ms, three()),
        Toy::new("crash", 2_000, 3 * ms, crash),
        Toy::new("many", 5_000, ms, many(12)),
        Toy::new("two-hundred", 9_000, ms / 10, many(200)),
        article,
    ]
}
