//! The event queue: what happens next.
//!
//! Most events of a simulation are scheduled in order of time by whoever schedules them: a link
//! delivers first-in-first-out, an actor has one thing to do at a time. Such a source gets a
//! **lane**, a plain FIFO. Only the heads of the lanes can be next, so scheduling behind another
//! event of the same lane costs an append and no comparison at all. Everything else (timers,
//! whatever comes out of order) is **loose** and goes to a binary heap.
//!
//! ```text
//!                    near: sorted, few        far: a heap
//!  lane 0 ─ head ──▶ ┌───────────────┐      ┌─────────────┐
//!  lane 1 ─ head ──▶ │ latest … next │ ◀─── │ still later │
//!  lane 2 ─ head ──▶ └───────────┬───┘      └─────────────┘
//!                                ├─ earlier ─▶ next event
//!  loose events ── a heap ───────┘
//! ```
//!
//! A handful of heads lies in a sorted list, from which the next is taken at the end, and into
//! which a new one is put from the end: what is scheduled for soon, as most is, moves one or two
//! others. Heads beyond that handful wait in a heap of keys. (A winner tree over all lanes, which
//! was here before, took almost three times the instructions with four consumers, because most lanes
//! are empty most of the time.)
//!
//! Every event carries a sequence number given when it was scheduled, over all lanes and the heap.
//! The order is (time, sequence): a lane is a matter of speed and never changes what is popped.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use super::time::Time;

/// Handle of a FIFO of one [`EventQueue`]: one for each link or actor that schedules in order of
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u32);

/// When an event happens: by time, and among equals by the order of scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: Time,
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

    #[inline]
    fn is_before(self, other: Key) -> bool {
        self.time < other.time || (self.time == other.time && self.order < other.order)
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

/// A FIFO. While it holds one event at a time, as the lane of an actor does, the rest is not
/// touched.
#[derive(Clone, Debug)]
struct Fifo<E> {
    head: Option<E>,
    rest: VecDeque<Entry<E>>,
    /// Time of the last event pushed.
    tail: Time,
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
}

impl Near {
    const EMPTY: Near = Near {
        keys: [Key::NONE; NEAR],
        last: 0,
    };

    fn is_empty(&self) -> bool {
        self.last == 0
    }

    fn is_full(&self) -> bool {
        self.last == NEAR - 1
    }

    /// The next one; [`Key::NONE`] if there is none.
    #[inline]
    fn next(&self) -> Key {
        self.keys[self.last % NEAR]
    }

    /// The one behind all others. Not if there is none.
    #[inline]
    fn latest(&self) -> Key {
        self.keys[1]
    }

    /// Not if it is full.
    #[inline]
    fn insert(&mut self, key: Key) {
        let mut place = self.last;
        self.last += 1;
        // The remainder spares a check of bounds: it changes no place.
        while self.keys[place % NEAR].is_before(key) {
            self.keys[(place + 1) % NEAR] = self.keys[place % NEAR];
            place -= 1;
        }
        self.keys[(place + 1) % NEAR] = key;
    }
}

/// Events by time; those at the same time in the order in which they were scheduled.
///
/// With n lanes that are not empty, `pop` costs O(1) while n is small and O(log n) beyond,
/// `schedule_in` O(1) behind another event of the lane and else O(n) while n is small and O(log n)
/// beyond; a loose event costs O(log) of their number.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    lanes: Vec<Fifo<E>>,
    /// How many bits of an order are the lane.
    lane_bits: u32,
    /// Keys of the heads of lanes. Those in `far` are later than all in `near`, which is empty
    /// only if both are.
    near: Near,
    far: BinaryHeap<Reverse<Key>>,
    loose: BinaryHeap<Reverse<Entry<E>>>,
    /// Key of the first loose event.
    loose_key: Key,
    /// How many events were ever scheduled, and how many of them were popped.
    scheduled: u64,
    popped: u64,
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue with so many lanes (which may be 0).
    pub fn new(lanes: usize) -> Self {
        let lane = Fifo {
            head: None,
            rest: VecDeque::new(),
            tail: Time::ZERO,
        };
        EventQueue {
            lanes: vec![lane; lanes],
            lane_bits: lanes.next_power_of_two().trailing_zeros(),
            near: Near::EMPTY,
            far: BinaryHeap::new(),
            loose: BinaryHeap::new(),
            loose_key: Key::NONE,
            scheduled: 0,
            popped: 0,
        }
    }

    /// The handle of lane `index`, from 0 to below the number of lanes of the queue that it is used
    /// with.
    pub fn lane(index: usize) -> Lane {
        Lane(u32::try_from(index).expect("fewer than 2^32 lanes"))
    }

    /// Schedules an event at any time.
    pub fn schedule(&mut self, at: Time, event: E) {
        let key = self.next_key(at, 0);
        self.push_loose(Entry { key, event });
    }

    /// Schedules an event of a lane: cheapest if it is not earlier than the lane's last one, right
    /// in any case.
    ///
    /// # Panics
    /// If the queue has no such lane.
    // Inlined, an event's parts are written where they are to lie; else they are put together
    // first and copied while they are still being written, which stalls the processor.
    #[inline(always)]
    pub fn schedule_in(&mut self, lane: Lane, at: Time, event: E) {
        let key = self.next_key(at, lane.0);
        let fifo = &mut self.lanes[lane.0 as usize];
        if fifo.head.is_none() {
            fifo.head = Some(event);
            fifo.tail = at;
            self.insert(key);
        } else if at >= fifo.tail {
            fifo.rest.push_back(Entry { key, event });
            fifo.tail = at;
        } else {
            self.push_loose(Entry { key, event });
        }
    }

    /// Takes the next event.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let first = self.near.next();
        if self.loose_key.is_before(first) {
            self.pop_loose()
        } else if self.near.is_empty() {
            None
        } else {
            let event = self.pop_lane(first)?;
            Some((first.time, event))
        }
    }

    /// When the next event happens; [`Time::NEVER`] if nothing is scheduled.
    #[inline]
    pub fn next_time(&self) -> Time {
        self.near.next().time.min(self.loose_key.time)
    }

    /// How many events were taken so far.
    #[inline]
    pub fn popped(&self) -> u64 {
        self.popped
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        (self.scheduled - self.popped) as usize
    }

    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn next_key(&mut self, time: Time, lane: u32) -> Key {
        let order = self.scheduled << self.lane_bits | u64::from(lane);
        self.scheduled += 1;
        Key { time, order }
    }

    fn push_loose(&mut self, entry: Entry<E>) {
        self.loose_key = self.loose_key.min(entry.key);
        self.loose.push(Reverse(entry));
    }

    #[inline(never)]
    fn pop_loose(&mut self) -> Option<(Time, E)> {
        let Reverse(entry) = self.loose.pop()?;
        self.loose_key = self.loose.peek().map_or(Key::NONE, |next| next.0.key);
        self.popped += 1;
        Some((entry.key.time, entry.event))
    }

    /// The lane whose head is next goes on with what is behind it.
    #[inline(always)]
    fn pop_lane(&mut self, first: Key) -> Option<E> {
        self.near.last -= 1;
        self.popped += 1;
        let lane = first.order as usize & ((1 << self.lane_bits) - 1);
        let fifo = &mut self.lanes[lane];
        let event = fifo.head.take();
        if let Some(next) = fifo.rest.pop_front() {
            fifo.head = Some(next.event);
            self.insert(next.key);
        }
        if self.near.is_empty() && !self.far.is_empty() {
            self.refill();
        }
        event
    }

    /// A lane has a new head.
    #[inline]
    fn insert(&mut self, key: Key) {
        if self.far.is_empty() && !self.near.is_full() {
            self.near.insert(key);
        } else {
            self.insert_among_many(key);
        }
    }

    #[inline(never)]
    fn insert_among_many(&mut self, key: Key) {
        let is_far = self.near.is_empty() || self.near.latest().is_before(key);
        if is_far && !self.far.is_empty() {
            self.far.push(Reverse(key));
        } else if self.near.is_full() {
            self.spill(key);
        } else {
            self.near.insert(key);
        }
    }

    /// There are too many to keep them sorted: the later half goes to the heap.
    #[cold]
    fn spill(&mut self, key: Key) {
        let half = NEAR / 2;
        self.far
            .extend(self.near.keys[1..half].iter().map(|key| Reverse(*key)));
        self.near.keys.copy_within(half.., 1);
        self.near.last -= half - 1;
        self.insert(key);
    }

    /// The next ones out of the heap.
    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        let count = self.far.len().min(NEAR / 2);
        self.near.last = count;
        for place in (1..=count).rev() {
            let key = self.far.pop().map_or(Key::NONE, |Reverse(key)| key);
            self.near.keys[place] = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Queue = EventQueue<u32>;

    fn drain(queue: &mut Queue) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop())
            .map(|(_, event)| event)
            .collect()
    }

    #[test]
    fn events_at_one_instant_come_in_the_order_of_scheduling_whatever_the_lane() {
        let mut queue = Queue::new(3);
        let at = Time(5);
        queue.schedule_in(Queue::lane(2), at, 1);
        queue.schedule(at, 2);
        queue.schedule_in(Queue::lane(0), at, 3);
        queue.schedule_in(Queue::lane(2), at, 4);
        queue.schedule(at, 5);
        assert_eq!(drain(&mut queue), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_lane_that_runs_backwards_is_still_popped_in_order_of_time() {
        let mut queue = Queue::new(1);
        let lane = Queue::lane(0);
        for (at, event) in [(10, 1), (4, 2), (12, 3), (11, 4), (4, 5)] {
            queue.schedule_in(lane, Time(at), event);
        }
        assert_eq!(drain(&mut queue), [2, 5, 1, 4, 3]);
    }

    #[test]
    fn events_at_the_end_of_time_are_popped_too() {
        let mut queue = Queue::new(1);
        queue.schedule(Time::NEVER, 1);
        queue.schedule_in(Queue::lane(0), Time::NEVER, 2);
        assert_eq!(queue.next_time(), Time::NEVER);
        assert_eq!(drain(&mut queue), [1, 2]);
    }

    #[test]
    fn more_lanes_than_are_kept_sorted_are_popped_in_order_of_time() {
        let lanes = 5 * NEAR as u32;
        let mut queue = Queue::new(lanes as usize);
        // 59 and the number of lanes have no common divisor: every time comes once.
        for number in 0..lanes {
            let at = Time(u64::from(number * 59 % lanes));
            queue.schedule_in(Queue::lane(number as usize), at, at.0 as u32);
        }
        assert_eq!(drain(&mut queue), (0..lanes).collect::<Vec<_>>());
    }

    #[test]
    fn a_queue_without_lanes_is_a_heap() {
        let mut queue = Queue::new(0);
        assert!(queue.is_empty() && queue.next_time() == Time::NEVER && queue.pop().is_none());
        queue.schedule(Time(2), 2);
        queue.schedule(Time(1), 1);
        assert_eq!((queue.len(), queue.next_time()), (2, Time(1)));
        assert_eq!(drain(&mut queue), [1, 2]);
    }

    /// What to do with both queues: pop, or schedule in a lane (None: without one) at a time.
    #[derive(Clone, Debug)]
    enum Step {
        Pop,
        Schedule(Option<usize>, u64),
    }

    const LANES: usize = 2 * NEAR;

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Pop),
            3 => (proptest::option::of(0..LANES), 0..20_u64).prop_map(|(l, at)| Step::Schedule(l, at)),
        ]
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
                        match lane {
                            Some(lane) => queue.schedule_in(Queue::lane(lane), Time(at), number),
                            None => queue.schedule(Time(at), number),
                        }
                    }
                }
                prop_assert_eq!(queue.len(), reference.0.len());
                let next = reference.0.iter().map(|(time, _)| *time).min();
                prop_assert_eq!(queue.next_time(), next.unwrap_or(Time::NEVER));
            }
            while let Some(expected) = reference.pop() {
                prop_assert_eq!(queue.pop(), Some(expected));
            }
            prop_assert!(queue.is_empty() && queue.pop().is_none());
        }
    }
}
