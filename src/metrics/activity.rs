//! What a consumer does with its time: connected, at work, idle, starved.
//!
//! A consumer is **starved** while it is connected and idle and at least one message of its queue
//! waits in another consumer's buffer. Asking that of every consumer at every fact would cost as
//! much as there are consumers. Instead each queue runs two clocks: one goes while at least one
//! consumer has something in its buffer, the other while at least two have. An idle consumer whose
//! own buffer is empty is starved while the first runs; one whose own buffer is not empty (it waits
//! for a redelivery delay, say, or for its session), while the second runs. So a consumer reads a
//! clock when its own state changes, and never else.

use super::integral::Stopwatch;
use crate::kernel::Time;

/// How many consumers of a destination have something in their buffer, and for how long one or two
/// at least had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buffers {
    holders: u32,
    at_least_one: Stopwatch,
    at_least_two: Stopwatch,
}

impl Buffers {
    /// One more consumer has something in its buffer.
    #[inline]
    fn filled(&mut self, now: Time) {
        match self.holders {
            0 => self.at_least_one.start(now.0),
            1 => self.at_least_two.start(now.0),
            _ => {}
        }
        self.holders += 1;
    }

    /// One consumer less.
    #[inline]
    fn emptied(&mut self, now: Time) {
        match self.holders {
            1 => self.at_least_one.stop(now.0),
            2 => self.at_least_two.stop(now.0),
            _ => {}
        }
        self.holders -= 1;
    }

    /// The clock that counts for a consumer, in nanoseconds.
    #[inline]
    fn clock(&self, now: Time, is_holder: bool) -> u64 {
        if is_holder {
            self.at_least_two.total(now.0, self.holders >= 2)
        } else {
            self.at_least_one.total(now.0, self.holders >= 1)
        }
    }
}

/// The times of one consumer, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Started, and subscribed at the broker.
    pub connected: u64,
    /// At work.
    pub busy: u64,
    /// Connected and not at work.
    pub idle: u64,
    /// Idle while messages waited in another consumer's buffer.
    pub starved: u64,
}

/// Connected means: started, and subscribed at the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// Neither connected nor at work.
    #[default]
    Apart,
    /// At work, and not connected.
    BusyApart,
    /// Connected and not at work.
    Idle,
    /// Connected and at work.
    Busy,
}

impl State {
    fn of(is_connected: bool, is_busy: bool) -> State {
        match (is_connected, is_busy) {
            (false, false) => State::Apart,
            (false, true) => State::BusyApart,
            (true, false) => State::Idle,
            (true, true) => State::Busy,
        }
    }
}

/// What a consumer does now, and what it has done with its time. First what changes with every
/// message. How long it was idle follows from the rest.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Activity {
    buffered: u32,
    state: State,
    is_started: bool,
    busy: Stopwatch,
    /// Runs while it is idle, by the clock of the buffers that counts for it.
    starved: Stopwatch,
    connected: Stopwatch,
    /// At work and not connected.
    busy_apart: Stopwatch,
    /// Which life, and how many subscriptions of it the broker has: a reconnect may overlap.
    subscribed: (u32, u32),
}

impl Activity {
    /// The consumer's times up to now.
    pub fn times(&self, now: Time, buffers: &Buffers) -> Times {
        let clock = buffers.clock(now, self.buffered > 0);
        let connected = self.connected.total(now.0, self.is_connected());
        let busy = self.busy.total(now.0, self.is_busy());
        let busy_apart = self.busy_apart.total(now.0, self.is_busy_apart());
        Times {
            connected,
            busy,
            idle: connected + busy_apart - busy,
            starved: self.starved.total(clock, self.is_idle()),
        }
    }

    /// Forgets what was before.
    pub fn restart(&mut self, now: Time, buffers: &Buffers) {
        let clock = buffers.clock(now, self.buffered > 0);
        self.connected.restart(now.0, self.is_connected());
        self.busy.restart(now.0, self.is_busy());
        self.busy_apart.restart(now.0, self.is_busy_apart());
        self.starved.restart(clock, self.is_idle());
    }

    /// The application begins to work on a message; whether that left the buffer with it.
    #[inline(always)]
    pub fn begins(&mut self, now: Time, buffers: &mut Buffers, out_of_buffer: bool) {
        if self.state != State::Idle || self.buffered == 0 {
            return self.begins_otherwise(now, buffers, out_of_buffer);
        }
        self.starved.stop(buffers.clock(now, true));
        self.state = State::Busy;
        self.busy.start(now.0);
        if out_of_buffer {
            self.buffered -= 1;
            if self.buffered == 0 {
                buffers.emptied(now);
            }
        }
    }

    /// As [`Self::begins`], whatever it did before.
    #[inline(never)]
    fn begins_otherwise(&mut self, now: Time, buffers: &mut Buffers, out_of_buffer: bool) {
        if !self.is_busy() {
            self.leave_idleness(now, buffers);
            self.set_state(now, self.is_connected(), true);
            self.busy.start(now.0);
        }
        if out_of_buffer {
            self.take_out(now, buffers);
        }
    }

    /// Its work ends.
    #[inline(always)]
    pub fn ends(&mut self, now: Time, buffers: &Buffers) {
        if self.state != State::Busy {
            return self.ends_otherwise(now);
        }
        self.busy.stop(now.0);
        self.state = State::Idle;
        self.starved.start(buffers.clock(now, self.buffered > 0));
    }

    /// As [`Self::ends`], but it is not connected and at work.
    #[inline(never)]
    fn ends_otherwise(&mut self, now: Time) {
        if self.is_busy() {
            self.busy.stop(now.0);
            self.set_state(now, false, false);
        }
    }

    /// Whether it is connected and at work from now on.
    fn set_state(&mut self, now: Time, is_connected: bool, is_busy: bool) {
        let was_busy_apart = self.is_busy_apart();
        self.state = State::of(is_connected, is_busy);
        match (was_busy_apart, self.is_busy_apart()) {
            (false, true) => self.busy_apart.start(now.0),
            (true, false) => self.busy_apart.stop(now.0),
            _ => {}
        }
    }

    /// A message comes into its buffer if there is one already: then no clock changes.
    #[inline]
    pub fn put_beside(&mut self) -> bool {
        if self.buffered == 0 {
            return false;
        }
        self.buffered += 1;
        true
    }

    /// A message comes into its buffer.
    #[inline(always)]
    pub fn put_in(&mut self, now: Time, buffers: &mut Buffers) {
        if self.buffered == 0 {
            let clock = buffers.at_least_one;
            buffers.filled(now);
            self.buffered = 1;
            if self.is_idle() {
                // Either clock runs if others have something in their buffers.
                self.starved.go_on_by(buffers.at_least_two, clock);
            }
        } else {
            self.buffered += 1;
        }
    }

    /// A message leaves its buffer.
    #[inline(always)]
    pub fn take_out(&mut self, now: Time, buffers: &mut Buffers) {
        match self.buffered {
            0 => {}
            1 => {
                self.leave_idleness(now, buffers);
                buffers.emptied(now);
                self.buffered = 0;
                self.enter_idleness(now, buffers);
            }
            _ => self.buffered -= 1,
        }
    }

    /// Ready to be handed messages.
    pub fn started(&mut self, now: Time, buffers: &Buffers) {
        self.is_started = true;
        self.connect(now, buffers);
    }

    /// Closed, or dead: not at work, and its buffer is gone.
    pub fn stopped(&mut self, now: Time, buffers: &mut Buffers) {
        self.ends(now, buffers);
        self.is_started = false;
        self.connect(now, buffers);
        if self.buffered > 0 {
            self.buffered = 1;
            self.take_out(now, buffers);
        }
    }

    /// The broker has a subscription of this life.
    pub fn subscribed(&mut self, now: Time, buffers: &Buffers, life: u32) {
        let (known, count) = self.subscribed;
        self.subscribed = (life, if known == life { count + 1 } else { 1 });
        self.connect(now, buffers);
    }

    /// The broker has one less of this life.
    pub fn unsubscribed(&mut self, now: Time, buffers: &Buffers, life: u32) {
        let (known, count) = self.subscribed;
        if known == life {
            self.subscribed = (known, count.saturating_sub(1));
        }
        self.connect(now, buffers);
    }

    /// It may be connected from now on, or it may not be any more.
    fn connect(&mut self, now: Time, buffers: &Buffers) {
        let is_connected = self.is_started && self.subscribed.1 > 0;
        if is_connected == self.is_connected() {
            return;
        }
        self.leave_idleness(now, buffers);
        if is_connected {
            self.connected.start(now.0);
        } else {
            self.connected.stop(now.0);
        }
        self.set_state(now, is_connected, self.is_busy());
        self.enter_idleness(now, buffers);
    }

    /// Messages in its buffer.
    #[inline]
    pub fn buffered(&self) -> u32 {
        self.buffered
    }

    /// At work.
    #[inline]
    pub fn is_busy(&self) -> bool {
        matches!(self.state, State::Busy | State::BusyApart)
    }

    /// Started, and subscribed at the broker.
    #[inline]
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Busy | State::Idle)
    }

    #[inline]
    fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    #[inline]
    fn is_busy_apart(&self) -> bool {
        self.state == State::BusyApart
    }

    /// What makes it idle, or picks its clock, is about to change.
    #[inline(always)]
    fn leave_idleness(&mut self, now: Time, buffers: &Buffers) {
        if self.is_idle() {
            self.starved.stop(buffers.clock(now, self.buffered > 0));
        }
    }

    /// What makes it idle, or picks its clock, has changed.
    #[inline(always)]
    fn enter_idleness(&mut self, now: Time, buffers: &Buffers) {
        if self.is_idle() {
            self.starved.start(buffers.clock(now, self.buffered > 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair {
        buffers: Buffers,
        consumers: [Activity; 2],
    }

    impl Pair {
        /// Both connected from 0.
        fn new() -> Pair {
            let mut pair = Pair {
                buffers: Buffers::default(),
                consumers: [Activity::default(); 2],
            };
            for consumer in &mut pair.consumers {
                consumer.subscribed(Time(0), &pair.buffers, 1);
                consumer.started(Time(0), &pair.buffers);
            }
            pair
        }

        fn put_in(&mut self, at: u64, consumer: usize) {
            self.consumers[consumer].put_in(Time(at), &mut self.buffers);
        }

        fn begins(&mut self, at: u64, consumer: usize) {
            self.consumers[consumer].begins(Time(at), &mut self.buffers, true);
        }

        fn ends(&mut self, at: u64, consumer: usize) {
            self.consumers[consumer].ends(Time(at), &self.buffers);
        }

        fn times(&self, at: u64, consumer: usize) -> Times {
            self.consumers[consumer].times(Time(at), &self.buffers)
        }
    }

    #[test]
    fn an_idle_consumer_starves_beside_a_full_buffer() {
        let mut pair = Pair::new();
        for _ in 0..3 {
            pair.put_in(10, 0);
        }
        pair.begins(10, 0);
        pair.ends(30, 0);
        pair.begins(30, 0);
        pair.ends(50, 0);
        pair.begins(50, 0);
        pair.ends(70, 0);
        // Messages wait in the first one's buffer from 10 to 50.
        assert_eq!(pair.times(100, 1).starved, 40);
        assert_eq!(pair.times(100, 1).idle, 100);
        let full = pair.times(100, 0);
        assert_eq!(
            (full.starved, full.busy, full.idle, full.connected),
            (0, 60, 40, 100)
        );
    }

    #[test]
    fn its_own_buffer_does_not_starve_it() {
        let mut pair = Pair::new();
        pair.put_in(10, 0);
        assert_eq!(pair.times(50, 0).starved, 0);
        pair.put_in(60, 1);
        // Now both wait, each for itself: each sees the other's.
        assert_eq!(pair.times(100, 0).starved, 40);
        assert_eq!(
            pair.times(100, 1).starved,
            40 + 50,
            "from 10 to 60 with an empty buffer, too"
        );
    }

    #[test]
    fn work_and_absence_are_no_starvation() {
        let mut pair = Pair::new();
        pair.put_in(0, 1);
        pair.begins(0, 1);
        pair.put_in(0, 0);
        pair.ends(25, 1);
        pair.consumers[1].stopped(Time(40), &mut pair.buffers);
        let times = pair.times(100, 1);
        assert_eq!((times.starved, times.busy, times.connected), (15, 25, 40));
    }

    #[test]
    fn a_consumer_is_connected_while_it_runs_and_the_broker_knows_it() {
        let mut buffers = Buffers::default();
        let mut consumer = Activity::default();
        consumer.subscribed(Time(10), &buffers, 1);
        consumer.started(Time(20), &buffers);
        consumer.unsubscribed(Time(50), &buffers, 1);
        consumer.subscribed(Time(60), &buffers, 1);
        consumer.stopped(Time(65), &mut buffers);
        consumer.subscribed(Time(70), &buffers, 2);
        consumer.unsubscribed(Time(80), &buffers, 1);
        consumer.started(Time(90), &buffers);
        assert_eq!(consumer.times(Time(100), &buffers).connected, 30 + 5 + 10);
    }
}
