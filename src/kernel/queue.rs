//! The event queue: what happens next.
//!
//! Most events of a simulation are scheduled in order of time by whoever schedules them: a link
//! delivers first-in-first-out, an actor has one thing to do at a time. Such a source has a
//! [`Lane`], a FIFO of its own kind of events. Only the heads of the lanes can be next, so the queue
//! knows nothing but the keys of the heads: an event goes into its lane and comes out of it, and is
//! never moved in between. Everything else (timers, what happens once) is **loose** and goes to a
//! binary heap.
//!
//! ```text
//!                    near: sorted, few       far: a calendar
//!  lane 0 ─ head ──▶ ┌───────────────┐      ┌─────────────┐
//!  lane 1 ─ head ──▶ │ latest … next │ ◀─── │ later days  │
//!  lane 2 ─ head ──▶ └───────────┬───┘      └─────────────┘
//!                                ├─ earlier ─▶ next event
//!  loose events ── a heap ───────┘
//! ```
//!
//! A handful of heads lies in a sorted list, from which the next is taken at the end, and into
//! which a new one is put from the end: what is scheduled for soon, as most is, moves one or two
//! others. If there are more heads than that handful, the later ones wait in a [`Calendar`], and the
//! list has those of one day. (A winner tree over all lanes, which was here before, took almost three
//! times the instructions with four consumers, because most lanes are empty most of the time.)
//!
//! Every event carries a sequence number given when it was scheduled, over all lanes and the heap.
//! The order is (time, sequence): a lane is a matter of speed and never changes what comes next.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use super::calendar::Calendar;
use super::time::Time;

/// When an event happens: by time, and among equals by the order of scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) time: Time,
    /// The sequence number and, in its lowest bits, the lane: so a key finds its lane, and to move
    /// one is to move two numbers instead of three.
    order: u64,
}

impl Key {
    /// Behind every event.
    const NONE: Key = Key {
        time: Time::NEVER,
        order: u64::MAX,
    };

    #[inline(always)]
    fn is_before(self, other: Key) -> bool {
        // As one number of 128 bits: two instructions, and nothing to predict.
        let number = |key: Key| u128::from(key.time.0) << 64 | u128::from(key.order);
        number(self) < number(other)
    }
}

/// An event with its key, ordered by the key alone.
#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    key: Key,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

/// Events of one source, which schedules them mostly in order of time: one direction of a link, or
/// an actor with one thing to do at a time.
// In this order, what is touched for every event lies side by side.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Lane<T> {
    /// The first of its events, whose key is with the queue. No Option of it: taking one apart moves an event byte-wise
    /// out of step, for which the processor has to wait.
    head: Entry<T>,
    id: u32,
    /// How many events are scheduled.
    len: u32,
    /// What is behind the first, in order. While a lane holds one event at a time, as that of an actor does, this is not
    /// touched.
    rest: VecDeque<Entry<T>>,
    /// What was scheduled last, on its way there.
    newest: Entry<T>,
}

impl<T: Copy + Default> Lane<T> {
    /// An empty lane of this number, which no other lane of the same queue has.
    pub fn new(id: u32) -> Lane<T> {
        let none = Entry {
            key: Key::NONE,
            event: T::default(),
        };
        Lane {
            head: none,
            newest: none,
            id,
            len: 0,
            rest: VecDeque::new(),
        }
    }

    /// What is scheduled, the next first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let head = (self.len > 0).then_some(&mut self.head);
        let entries = head.into_iter().chain(&mut self.rest);
        entries.map(|entry| &mut entry.event)
    }
}

/// What happens next: where its event is, which is to be taken there at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The first of the lane of this number: [`EventQueue::take`].
    Lane(u32),
    /// A loose one: [`EventQueue::take_loose`].
    Loose,
}

/// How many heads lie sorted at most.
const NEAR: usize = 32;

/// The keys that are next, the latest first.
#[derive(Clone, Debug)]
struct Near {
    /// The place before the first is [`Key::NONE`]: where a search from the end stops.
    keys: [Key; NEAR],
    /// Where the next event's key is; 0 if there is none.
    last: usize,
    /// More than can be kept sorted, all of them later.
    crowd: BinaryHeap<Reverse<Key>>,
}

impl Near {
    fn new() -> Near {
        Near {
            keys: [Key::NONE; NEAR],
            last: 0,
            crowd: BinaryHeap::new(),
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.last == NEAR - 1
    }

    /// The next one; [`Key::NONE`] if there is none.
    #[inline]
    fn next(&self) -> Key {
        self.keys[self.last % NEAR]
    }

    /// The next of the crowd; [`Key::NONE`] if there is none.
    fn next_of_crowd(&self) -> Key {
        self.crowd.peek().map_or(Key::NONE, |next| next.0)
    }

    /// A key of what was scheduled last of all, so that only its time matters. Not if there is a crowd, or no place.
    #[inline(always)]
    fn insert_newest(&mut self, key: Key) {
        self.insert_behind(key, |next| next.time <= key.time);
    }

    /// Any key.
    #[inline]
    fn insert(&mut self, key: Key) {
        if self.last < NEAR - 1 && self.crowd.is_empty() {
            self.insert_behind(key, |next| next.is_before(key));
        } else {
            self.insert_in_crowd(key);
        }
    }

    #[inline(always)]
    fn insert_behind(&mut self, key: Key, is_before: impl Fn(Key) -> bool) {
        let (earlier, free) = self.keys.split_at_mut(self.last + 1);
        let mut gap = &mut free[0];
        for next in earlier.iter_mut().rev() {
            if !is_before(*next) {
                break;
            }
            *gap = *next;
            gap = next;
        }
        *gap = key;
        self.last += 1;
    }

    #[cold]
    #[inline(never)]
    fn insert_in_crowd(&mut self, key: Key) {
        if self.is_full() {
            self.spill();
        }
        if self.next_of_crowd().is_before(key) {
            self.crowd.push(Reverse(key));
        } else {
            self.insert_behind(key, |next| next.is_before(key));
        }
    }

    /// There are too many to keep them sorted: the later half joins the crowd.
    #[cold]
    fn spill(&mut self) {
        let half = NEAR / 2;
        let later = self.keys[1..half].iter().map(|key| Reverse(*key));
        self.crowd.extend(later);
        self.keys.copy_within(half.., 1);
        self.last -= half - 1;
    }

    /// The next ones out of the crowd.
    #[cold]
    fn refill(&mut self) {
        self.last = self.crowd.len().min(NEAR / 2);
        for place in (1..=self.last).rev() {
            let key = self.crowd.pop().map_or(Key::NONE, |Reverse(key)| key);
            self.keys[place] = key;
        }
    }

    fn remove(&mut self, key: Key) {
        self.crowd.retain(|other| other.0 != key);
        let found = self.keys[1..=self.last]
            .iter()
            .position(|&other| other == key);
        if let Some(place) = found {
            self.keys.copy_within(place + 2..=self.last, place + 1);
            self.last -= 1;
        }
    }
}

/// Events by time; those at the same time in the order in which they were scheduled.
///
/// With n lanes that are not empty, `pop` costs O(1) and `schedule_in` O(1) while n is small or what happens is spread over
/// time, and O(log n) if much happens at once; a loose event costs O(log) of their number.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// Which bits of an order are the lane.
    lane_mask: u32,
    /// What is before this and in `near` is next, whatever else there is.
    undisputed_before: Time,
    /// Keys of the heads of lanes. Those in `far`, which is closed while there are few, are later than all in `near`.
    near: Near,
    far: Calendar,
    /// A new key before this belongs into `near`, if that has a place.
    near_until: Time,
    loose: BinaryHeap<Reverse<Entry<E>>>,
    /// Key of the first loose event.
    loose_key: Key,
    /// See [`EventQueue::pause_before`].
    pauses_before: Option<Time>,
    /// The order of the next event that is scheduled, without its lane: a multiple of the number of lanes.
    next_order: u64,
    /// How many events were popped.
    popped: u64,
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue for lanes whose numbers are below `lanes` (which may be 0).
    pub fn new(lanes: u32) -> Self {
        let size = lanes.next_power_of_two();
        EventQueue {
            lane_mask: size - 1,
            undisputed_before: Time::NEVER,
            near: Near::new(),
            far: Calendar::new(),
            near_until: Time::NEVER,
            loose: BinaryHeap::new(),
            loose_key: Key::NONE,
            pauses_before: None,
            next_order: 0,
            popped: 0,
        }
    }

    /// From now on, [`EventQueue::pop`] gives nothing that happens at this time or later.
    pub fn pause_before(&mut self, time: Time) {
        self.pauses_before = Some(time);
        self.find_undisputed();
    }

    /// Schedules an event at any time.
    pub fn schedule(&mut self, at: Time, event: E) {
        let key = self.next_key(at, 0);
        self.loose_key = self.loose_key.min(key);
        self.loose.push(Reverse(Entry { key, event }));
        self.find_undisputed();
    }

    /// Schedules an event of a lane: cheapest if it is not earlier than the lane's last one, right
    /// in any case. A lane belongs to one queue, which was made for its number.
    // Inlined, an event's parts are written where they are to lie; else they are put together
    // first and copied while they are still being written, which stalls the processor.
    #[inline(always)]
    pub fn schedule_in<T: Copy>(&mut self, lane: &mut Lane<T>, at: Time, event: T) {
        debug_assert!(lane.id <= self.lane_mask, "the queue has such a lane");
        let key = self.next_key(at, lane.id);
        lane.len += 1;
        let is_first = lane.len == 1;
        // Handed over to the other function, the event would have to be put together first in both cases.
        let place = if is_first {
            &mut lane.head
        } else {
            &mut lane.newest
        };
        *place = Entry { key, event };
        if is_first {
            self.insert_newest(key);
        } else {
            self.schedule_behind(lane);
        }
    }

    /// The lane has a head, and something newest besides.
    #[inline(never)]
    fn schedule_behind<T: Copy>(&mut self, lane: &mut Lane<T>) {
        let entry = lane.newest;
        let last = lane.rest.back().unwrap_or(&lane.head);
        if entry.key.time >= last.key.time {
            lane.rest.push_back(entry);
        } else {
            self.schedule_earlier(lane, entry);
        }
    }

    /// Some of the lane's events are later.
    #[cold]
    #[inline(never)]
    fn schedule_earlier<T>(&mut self, lane: &mut Lane<T>, entry: Entry<T>) {
        if entry.key > lane.head.key {
            let place = lane.rest.partition_point(|other| other.key < entry.key);
            return lane.rest.insert(place, entry);
        }
        self.near.remove(lane.head.key);
        self.far.remove(lane.head.key);
        self.insert(entry.key);
        lane.rest
            .push_front(std::mem::replace(&mut lane.head, entry));
    }

    /// What happens next, and when; none if nothing is scheduled, or if it pauses before that.
    // The event itself is left where it is: an enum of all there are is costly to hand around.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(Time, Due)> {
        let first = self.near.next();
        if first.time >= self.undisputed_before {
            return self.pop_disputed();
        }
        Some(self.pop_near(first))
    }

    /// Perhaps `near` is empty, or a loose event comes first, or it pauses.
    #[inline(never)]
    fn pop_disputed(&mut self) -> Option<(Time, Due)> {
        let next = self.next_time();
        if self.pauses_before.is_some_and(|pause| next >= pause) {
            return None;
        }
        self.pop_first()
    }

    /// What happens next, and when, even if it should pause before that.
    pub fn pop_first(&mut self) -> Option<(Time, Due)> {
        let next = self.next_time();
        let first = self.near.next();
        if self.loose_key.is_before(first) {
            self.popped += 1;
            return Some((next, Due::Loose));
        }
        (first != Key::NONE).then(|| self.pop_near(first))
    }

    #[inline(always)]
    fn pop_near(&mut self, first: Key) -> (Time, Due) {
        self.near.last -= 1;
        self.popped += 1;
        let lane = first.order as u32 & self.lane_mask;
        (first.time, Due::Lane(lane))
    }

    /// Before this, no loose event and no pause can come first, and there is something.
    fn find_undisputed(&mut self) {
        let pause = self.pauses_before.unwrap_or(Time::NEVER);
        self.undisputed_before = self.loose_key.time.min(pause);
    }

    /// The loose event that [`EventQueue::pop`] found to be next.
    ///
    /// # Panics
    /// If there is none.
    #[inline(never)]
    pub fn take_loose(&mut self) -> E {
        let taken = self.loose.pop().expect("a loose event is due");
        self.loose_key = self.loose.peek().map_or(Key::NONE, |next| next.0.key);
        self.find_undisputed();
        taken.0.event
    }

    /// The event of a lane that [`EventQueue::pop`] found to be next, so that there is one. The lane goes on with what
    /// is behind it.
    #[inline(always)]
    pub fn take<T: Copy>(&mut self, lane: &mut Lane<T>) -> T {
        debug_assert!(lane.len > 0, "a lane that is due has an event");
        let event = lane.head.event;
        lane.len -= 1;
        if lane.len > 0 {
            self.go_on(lane);
        }
        event
    }

    /// The lane has a new head: what was behind the last one.
    #[inline(never)]
    fn go_on<T>(&mut self, lane: &mut Lane<T>) {
        if let Some(head) = lane.rest.pop_front() {
            self.insert(head.key);
            lane.head = head;
        }
    }

    /// When the next event happens; [`Time::NEVER`] if nothing is scheduled.
    pub fn next_time(&mut self) -> Time {
        if self.near.last == 0 {
            self.refill();
        }
        self.near.next().time.min(self.loose_key.time)
    }

    /// How many events were taken so far.
    #[inline]
    pub fn popped(&self) -> u64 {
        self.popped
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        let scheduled = self.next_order / self.lanes();
        (scheduled - self.popped) as usize
    }

    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn next_key(&mut self, time: Time, lane: u32) -> Key {
        let order = self.next_order | u64::from(lane);
        self.next_order += self.lanes();
        Key { time, order }
    }

    #[inline]
    fn lanes(&self) -> u64 {
        u64::from(self.lane_mask) + 1
    }

    /// A lane that was empty has a head, scheduled just now.
    // Once for all who schedule: inlined everywhere, it crowds other code out of the processor's cache.
    #[inline(never)]
    fn insert_newest(&mut self, key: Key) {
        if key.time < self.near_until && self.near.last < NEAR - 1 {
            self.near.insert_newest(key);
        } else {
            self.insert(key);
        }
    }

    /// A lane has a new head.
    #[inline(never)]
    fn insert(&mut self, key: Key) {
        if self.far.takes(key.time) {
            return self.far.push(key);
        }
        if self.near.is_full() && !self.far.is_open() {
            self.open_far();
            return self.insert(key);
        }
        self.near.insert(key);
        self.find_near_until();
    }

    /// There are many lanes now: only what is next stays here.
    #[cold]
    fn open_far(&mut self) {
        let keys = self.near.keys;
        let (next, latest) = (keys[NEAR - 1].time, keys[1].time);
        let width = latest.since(next).0 / 4;
        self.far.open(next, width, self.popped);
        self.near.last = 0;
        for key in keys.into_iter().skip(1) {
            self.insert(key);
        }
    }

    /// The next ones, from where there are many.
    #[inline(never)]
    fn refill(&mut self) {
        let near = &mut self.near;
        if !near.crowd.is_empty() {
            near.refill();
        } else if !self.far.is_empty() {
            self.far.begin_day(self.popped, |key| near.insert(key));
        }
        if self.near.crowd.is_empty() && self.far.is_empty() {
            self.far.close();
        }
        self.find_near_until();
    }

    fn find_near_until(&mut self) {
        self.near_until = self.near.next_of_crowd().time.min(self.far.begins());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A queue with its lanes.
    struct Queue {
        queue: EventQueue<u32>,
        lanes: Vec<Lane<u32>>,
    }

    impl Queue {
        fn new(lanes: u32) -> Queue {
            Queue {
                queue: EventQueue::new(lanes),
                lanes: (0..lanes).map(Lane::new).collect(),
            }
        }

        fn schedule(&mut self, lane: Option<u32>, at: u64, event: u32) {
            match lane {
                None => self.queue.schedule(Time(at), event),
                Some(lane) => {
                    let lane = &mut self.lanes[lane as usize];
                    self.queue.schedule_in(lane, Time(at), event);
                }
            }
        }

        fn pop(&mut self) -> Option<(Time, u32)> {
            let (time, due) = self.queue.pop()?;
            Some(match due {
                Due::Loose => (time, self.queue.take_loose()),
                Due::Lane(lane) => (time, self.queue.take(&mut self.lanes[lane as usize])),
            })
        }

        fn drain(&mut self) -> Vec<u32> {
            std::iter::from_fn(|| self.pop())
                .map(|(_, event)| event)
                .collect()
        }
    }

    #[test]
    fn events_at_one_instant_come_in_the_order_of_scheduling_whatever_the_lane() {
        let mut queue = Queue::new(3);
        let lanes = [Some(2), None, Some(0), Some(2), None];
        for (lane, event) in lanes.into_iter().zip(1..) {
            queue.schedule(lane, 5, event);
        }
        assert_eq!(queue.drain(), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_lane_that_runs_backwards_is_still_popped_in_order_of_time() {
        let mut queue = Queue::new(1);
        for (at, event) in [(10, 1), (4, 2), (12, 3), (11, 4), (4, 5)] {
            queue.schedule(Some(0), at, event);
        }
        assert_eq!(queue.drain(), [2, 5, 1, 4, 3]);
    }

    #[test]
    fn events_at_the_end_of_time_are_popped_too() {
        let mut queue = Queue::new(1);
        queue.schedule(None, Time::NEVER.0, 1);
        queue.schedule(Some(0), Time::NEVER.0, 2);
        assert_eq!(queue.queue.next_time(), Time::NEVER);
        assert_eq!(queue.drain(), [1, 2]);
    }

    #[test]
    fn more_lanes_than_are_kept_sorted_are_popped_in_order_of_time() {
        let lanes = 5 * NEAR as u32;
        let mut queue = Queue::new(lanes);
        // 59 and the number of lanes have no common divisor: every time comes once.
        for lane in 0..lanes {
            let at = lane * 59 % lanes;
            queue.schedule(Some(lane), u64::from(at), at);
        }
        assert_eq!(queue.drain(), (0..lanes).collect::<Vec<_>>());
    }

    /// Long enough for days to become wider and narrower.
    #[test]
    fn many_lanes_that_change_their_pace_are_popped_in_order() {
        let lanes = 1000;
        let mut queue = Queue::new(lanes);
        let mut reference = BinaryHeap::new();
        let mut number = 0_u64;
        let mut schedule = |queue: &mut Queue, reference: &mut BinaryHeap<_>, lane, at: u64| {
            queue.schedule(Some(lane), at, lane);
            reference.push(Reverse((at, number, lane)));
            number += 1;
        };
        for lane in 0..lanes {
            schedule(&mut queue, &mut reference, lane, u64::from(lane % 7));
        }
        for step in 0..300_000_u64 {
            let Some(Reverse((at, _, lane))) = reference.pop() else {
                break;
            };
            assert_eq!(queue.pop(), Some((Time(at), lane)));
            let pace = [1_000, 10_000_000, 30, 1 << 40, 0][(step / 60_000) as usize];
            let next = at + step.wrapping_mul(0x9E37_79B9) % (pace + 1);
            schedule(&mut queue, &mut reference, lane, next);
        }
        assert_eq!(queue.queue.len(), 1000);
    }

    #[test]
    fn a_queue_without_lanes_is_a_heap() {
        let mut queue = Queue::new(0);
        assert!(queue.queue.is_empty() && queue.pop().is_none());
        assert_eq!(queue.queue.next_time(), Time::NEVER);
        queue.schedule(None, 2, 2);
        queue.schedule(None, 1, 1);
        assert_eq!((queue.queue.len(), queue.queue.next_time()), (2, Time(1)));
        assert_eq!(queue.drain(), [1, 2]);
    }

    #[test]
    fn a_lane_shows_what_is_scheduled_in_order_of_time() {
        let mut queue = Queue::new(1);
        for (at, event) in [(10, 1), (4, 2), (12, 3)] {
            queue.schedule(Some(0), at, event);
        }
        queue.lanes[0].iter_mut().for_each(|event| *event *= 10);
        assert_eq!(queue.drain(), [20, 10, 30]);
    }

    /// What to do with both queues: pop, or schedule in a lane (None: without one) at a time.
    #[derive(Clone, Debug)]
    enum Step {
        Pop,
        Schedule(Option<u32>, u64),
    }

    const LANES: u32 = 2 * NEAR as u32;

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Pop),
            3 => (proptest::option::of(0..LANES), any_time()).prop_map(|(l, at)| Step::Schedule(l, at)),
        ]
    }

    /// Often the same; some days on, and beyond all days.
    fn any_time() -> impl Strategy<Value = u64> {
        prop_oneof![4 => 0..20_u64, 2 => 0..100_000_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
    }

    /// The definition of the order, as slow as can be.
    #[derive(Default)]
    struct Reference(Vec<(Time, u32)>);

    impl Reference {
        fn pop(&mut self) -> Option<(Time, u32)> {
            let first = self.0.iter().map(|(time, _)| *time).min()?;
            let at = self.0.iter().position(|(time, _)| *time == first)?;
            Some(self.0.remove(at))
        }
    }

    proptest! {
        #[test]
        fn pops_what_a_sorted_list_pops(steps in prop::collection::vec(any_step(), 0..600)) {
            let mut queue = Queue::new(LANES);
            let mut reference = Reference::default();
            for (number, step) in (0..).zip(steps) {
                match step {
                    Step::Pop => prop_assert_eq!(queue.pop(), reference.pop()),
                    Step::Schedule(lane, at) => {
                        reference.0.push((Time(at), number));
                        queue.schedule(lane, at, number);
                    }
                }
                prop_assert_eq!(queue.queue.len(), reference.0.len());
                let next = reference.0.iter().map(|(time, _)| *time).min();
                prop_assert_eq!(queue.queue.next_time(), next.unwrap_or(Time::NEVER));
            }
            while let Some(expected) = reference.pop() {
                prop_assert_eq!(queue.pop(), Some(expected));
            }
            prop_assert!(queue.queue.is_empty() && queue.pop().is_none());
        }
    }
}
