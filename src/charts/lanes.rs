//! From the records of a window to what a lane of the timeline shows of one consumer.

use super::window::{Event, Mark, Record, View};
use crate::facts::Outcome;
use crate::metrics::ConsumerState;
use crate::wire::AckType;

/// From one nanosecond to another.
pub type Stretch = (u64, u64);

/// One delivery being processed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// From when to when, cut at the view.
    pub stretch: Stretch,
    /// `JMSXDeliveryCount` above 1.
    pub again: bool,
    /// How it ended, if it did.
    pub outcome: Option<Outcome>,
}

/// What a lane shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// Number of the consumer.
    pub consumer: usize,
    /// Messages in its buffer from each nanosecond on.
    pub buffered: Vec<(u64, u32)>,
    /// Processed messages without an ack from each nanosecond on.
    pub awaiting: Vec<(u64, u32)>,
    /// Deliveries.
    pub bars: Vec<Bar>,
    /// Acks it sends, and for how many messages.
    pub acks: Vec<(u64, AckType, i32)>,
    /// Redelivery delays.
    pub pauses: Vec<Stretch>,
    /// What gets a mark.
    pub marks: Vec<(u64, Mark)>,
    /// Not connected.
    pub down: Vec<Stretch>,
    /// Idle while others of the same queue had messages waiting.
    pub starved: Vec<Stretch>,
}

impl Lane {
    /// Messages in its buffer at a nanosecond.
    pub fn buffered_at(&self, at: u64) -> u32 {
        let known = self.buffered.partition_point(|(since, _)| *since <= at);
        known
            .checked_sub(1)
            .map_or(0, |index| self.buffered[index].1)
    }

    /// Most messages in its buffer.
    pub fn most_buffered(&self) -> u32 {
        self.buffered
            .iter()
            .map(|(_, level)| *level)
            .max()
            .unwrap_or(0)
    }

    /// Most messages that waited for an ack, counting only what lasted longer than `shortest`
    /// nanoseconds.
    pub fn most_awaiting(&self, shortest: u64) -> u32 {
        let ends = self
            .awaiting
            .iter()
            .skip(1)
            .map(|(at, _)| *at)
            .chain([u64::MAX]);
        let lasting = self
            .awaiting
            .iter()
            .zip(ends)
            .filter(|((at, _), end)| end - at > shortest);
        lasting.map(|((_, level), _)| *level).max().unwrap_or(0)
    }
}

/// What is known of a consumer while the records are read.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    now: ConsumerState,
    again: bool,
    working_since: u64,
    down_since: u64,
    starving_since: Option<u64>,
}

/// Reads the records of a view.
struct Reader<'a> {
    view: &'a View,
    queues: &'a [Option<usize>],
    states: Vec<State>,
    lanes: Vec<Lane>,
}

/// The lanes of all recorded consumers; `queues` tells which queue each of them reads from (none: a
/// topic).
pub fn lanes(view: &View, queues: &[Option<usize>]) -> Vec<Lane> {
    let consumers = view.closing.len();
    let start = |consumer: usize| State {
        now: opening(view, consumer),
        working_since: view.from.0,
        down_since: view.from.0,
        ..State::default()
    };
    let mut reader = Reader {
        view,
        queues,
        states: (0..consumers).map(start).collect(),
        lanes: (0..consumers)
            .map(|consumer| Lane {
                consumer,
                ..Lane::default()
            })
            .collect(),
    };
    for consumer in 0..consumers {
        reader.note_levels(view.from.0, consumer);
    }
    for record in &view.records {
        reader.read(record);
    }
    reader.finish();
    reader.lanes
}

/// What a consumer had and did before its first record.
fn opening(view: &View, consumer: usize) -> ConsumerState {
    if view.from_start {
        return ConsumerState::default();
    }
    let closing = view.closing[consumer];
    let own = view
        .records
        .iter()
        .filter(|record| record.consumer as usize == consumer);
    let Some(first) = own.clone().next() else {
        return closing;
    };
    let working = own.clone().find_map(|record| match record.event {
        Event::Begin(_) => Some(false),
        Event::End(_) => Some(true),
        _ => None,
    });
    let is_connected = match first.event {
        Event::Mark(Mark::Start) => false,
        Event::Mark(Mark::Crash | Mark::Close) => true,
        _ => first.is_connected,
    };
    ConsumerState {
        buffered: first.buffered,
        awaiting: first.awaiting,
        is_connected,
        is_busy: working.unwrap_or(closing.is_busy),
    }
}

impl Reader<'_> {
    fn read(&mut self, record: &Record) {
        let consumer = record.consumer as usize;
        let at = record.at;
        if at > self.view.to.0 {
            return;
        }
        let shown = at >= self.view.from.0;
        let state = &mut self.states[consumer];
        (state.now.buffered, state.now.awaiting) = (record.buffered, record.awaiting);
        match record.event {
            Event::Level => {}
            Event::Begin(count) => {
                state.now.is_busy = true;
                state.working_since = at;
                state.again = count > 1;
            }
            Event::End(outcome) => self.end_work(at, consumer, Some(outcome)),
            Event::Ack(kind, count) if shown => self.lanes[consumer].acks.push((at, kind, count)),
            Event::Pause(until) => self.pause(consumer, at, until),
            Event::Mark(mark) => self.mark(consumer, at, mark),
            Event::Ack(..) => {}
        }
        self.connect(consumer, at, record.is_connected);
        self.note_levels(at, consumer);
        self.note_starving(at, self.queues[consumer]);
    }

    /// The part of a stretch that the view shows.
    fn shown(&self, from: u64, to: u64) -> Option<Stretch> {
        let stretch = (from.max(self.view.from.0), to.min(self.view.to.0));
        (stretch.0 <= stretch.1 && to >= self.view.from.0).then_some(stretch)
    }

    fn end_work(&mut self, at: u64, consumer: usize, outcome: Option<Outcome>) {
        let state = &mut self.states[consumer];
        state.now.is_busy = false;
        let (since, again) = (state.working_since, state.again);
        if let Some(stretch) = self.shown(since, at) {
            self.lanes[consumer].bars.push(Bar {
                stretch,
                again,
                outcome,
            });
        }
    }

    fn pause(&mut self, consumer: usize, at: u64, until: u64) {
        let Some(stretch) = self.shown(at, until) else {
            return;
        };
        let pauses = &mut self.lanes[consumer].pauses;
        if pauses.last() != Some(&stretch) && stretch.1 > stretch.0 {
            pauses.push(stretch);
        }
    }

    fn mark(&mut self, consumer: usize, at: u64, mark: Mark) {
        let dies = matches!(mark, Mark::Crash | Mark::Close);
        if dies && self.states[consumer].now.is_busy {
            self.end_work(at, consumer, Some(Outcome::Interrupted));
        }
        if at >= self.view.from.0 {
            self.lanes[consumer].marks.push((at, mark));
        }
    }

    fn connect(&mut self, consumer: usize, at: u64, is_connected: bool) {
        let state = &mut self.states[consumer];
        if state.now.is_connected == is_connected {
            return;
        }
        state.now.is_connected = is_connected;
        let since = std::mem::replace(&mut state.down_since, at);
        if is_connected && let Some(stretch) = self.shown(since, at) {
            self.lanes[consumer].down.push(stretch);
        }
    }

    fn note_levels(&mut self, at: u64, consumer: usize) {
        let now = self.states[consumer].now;
        let at = at.max(self.view.from.0);
        let lane = &mut self.lanes[consumer];
        let levels = [
            (&mut lane.buffered, now.buffered),
            (&mut lane.awaiting, now.awaiting),
        ];
        for (steps, level) in levels {
            match steps.last_mut() {
                Some(last) if last.0 == at => last.1 = level,
                Some(last) if last.1 == level => {}
                _ => steps.push((at, level)),
            }
        }
    }

    /// Who of a queue is idle while somebody else has messages waiting?
    fn note_starving(&mut self, at: u64, queue: Option<usize>) {
        if queue.is_none() {
            return;
        }
        let members = |member: &usize| self.queues[*member] == queue;
        let holds = |member: &usize| self.states[*member].now.buffered > 0;
        let holders = (0..self.states.len()).filter(members).filter(holds).count();
        for member in 0..self.states.len() {
            if self.queues[member] != queue {
                continue;
            }
            let state = &mut self.states[member];
            let others = holders - usize::from(state.now.buffered > 0);
            let starves = state.now.is_connected && !state.now.is_busy && others > 0;
            match (starves, state.starving_since) {
                (true, None) => state.starving_since = Some(at),
                (false, Some(since)) => {
                    state.starving_since = None;
                    self.push_starved(member, since, at);
                }
                _ => {}
            }
        }
    }

    fn push_starved(&mut self, consumer: usize, since: u64, at: u64) {
        if let Some(stretch) = self.shown(since, at)
            && stretch.1 > stretch.0
        {
            self.lanes[consumer].starved.push(stretch);
        }
    }

    fn finish(&mut self) {
        let end = self.view.to.0;
        for consumer in 0..self.states.len() {
            let state = self.states[consumer];
            if state.now.is_busy {
                self.end_work(end, consumer, None);
            }
            if !state.now.is_connected
                && let Some(stretch) = self.shown(state.down_since, end)
            {
                self.lanes[consumer].down.push(stretch);
            }
            if let Some(since) = state.starving_since {
                self.push_starved(consumer, since, end);
            }
        }
    }
}
