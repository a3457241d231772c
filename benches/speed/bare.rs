//! The yardstick: the same system in one loop written by hand, with std's heap and nothing else. Four workers with a
//! prefetch window each, an ack for each message; no client, no broker, no facts, no metrics
//! but one sum.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use acksim::kernel::{Distribution, Sampler, Span, Stream};

/// What happens; a number of a worker with most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Sent,
    Arrives(u32),
    Done(u32),
    Acknowledged(u32),
}

#[derive(Default)]
struct Worker {
    in_flight: u32,
    is_busy: bool,
    /// When each message was sent that is on the way to it, and that it holds.
    under_way: VecDeque<u64>,
    buffer: VecDeque<u64>,
}

/// How large the system is.
#[derive(Clone)]
pub struct Model {
    pub messages: u64,
    pub workers: u32,
    pub prefetch: u32,
    pub between_sends: Span,
    pub processing: Distribution,
    pub latency: u64,
}

struct Loop {
    model: Model,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    scheduled: u64,
    workers: Vec<Worker>,
    /// The next to be asked for room.
    turn: u32,
    pending: VecDeque<u64>,
}

impl Loop {
    fn schedule(&mut self, at: u64, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((at, self.scheduled, event)));
    }

    fn dispatch(&mut self, now: u64) {
        let count = self.workers.len() as u32;
        for _ in 0..count {
            let Some(&sent_at) = self.pending.front() else {
                return;
            };
            let turn = self.turn;
            self.turn = (turn + 1) % count;
            let worker = &mut self.workers[turn as usize];
            if worker.in_flight < self.model.prefetch {
                worker.in_flight += 1;
                self.pending.pop_front();
                worker.under_way.push_back(sent_at);
                return self.schedule(now + self.model.latency, Event::Arrives(turn));
            }
        }
    }
}

/// Runs it; returns the sum of all latencies from send to processed, in nanoseconds.
pub fn run(model: Model) -> u64 {
    let arrivals = Sampler::new(&Distribution::Exponential {
        mean: model.between_sends,
    });
    let processing = Sampler::new(&model.processing);
    let stream = |name: &str| Stream::new(1, name, "bare");
    let (mut sending, mut working) = (stream("sender"), stream("workers"));
    let mut this = Loop {
        events: BinaryHeap::new(),
        scheduled: 0,
        workers: (0..model.workers).map(|_| Worker::default()).collect(),
        turn: 0,
        pending: VecDeque::new(),
        model,
    };
    let (mut sent, mut latencies) = (0, 0);
    this.schedule(0, Event::Sent);
    while let Some(Reverse((now, _, event))) = this.events.pop() {
        match event {
            Event::Sent => {
                sent += 1;
                this.pending.push_back(now);
                this.dispatch(now);
                if sent < this.model.messages {
                    this.schedule(now + arrivals.sample(&mut sending).0, Event::Sent);
                }
            }
            Event::Arrives(worker) => {
                let this_worker = &mut this.workers[worker as usize];
                let arrived = this_worker.under_way.pop_front();
                this_worker.buffer.extend(arrived);
                if !this_worker.is_busy {
                    this_worker.is_busy = true;
                    this.schedule(now + processing.sample(&mut working).0, Event::Done(worker));
                }
            }
            Event::Done(worker) => {
                let this_worker = &mut this.workers[worker as usize];
                latencies += this_worker
                    .buffer
                    .pop_front()
                    .map_or(0, |sent_at| now - sent_at);
                this_worker.is_busy = !this_worker.buffer.is_empty();
                if this_worker.is_busy {
                    this.schedule(now + processing.sample(&mut working).0, Event::Done(worker));
                }
                this.schedule(now + this.model.latency, Event::Acknowledged(worker));
            }
            Event::Acknowledged(worker) => {
                this.workers[worker as usize].in_flight -= 1;
                this.dispatch(now);
            }
        }
    }
    latencies
}
