//! The event queue: what happens next.
//!
//! Most events of a simulation are scheduled in order of time by whoever schedules them: a link
//! delivers first-in-first-out, an actor has one thing to do at a time. Such a source gets a
//! **lane**, a plain FIFO. Only the heads of the lanes can be next, so finding the next event is a
//! tournament among the heads, and scheduling behind another event of the same lane costs an append
//! and no comparison at all. Everything else (timers, whatever comes out of order) goes to a binary
//! heap, which plays the tournament's winner.
//!
//! ```text
//!  lane 0  ──┐
//!            ├─ earlier ─┐
//!  lane 1  ──┘           ├─ earlier ─┐
//!  lane 2  ──┐           │           ├─▶ next event
//!            ├─ earlier ─┘           │
//!  lane 3  ──┘                heap ──┘
//! ```
//!
//! Every event carries a sequence number given when it was scheduled, over all lanes and the heap.
//! The order is (time, sequence): a lane is a matter of speed and never changes what is popped.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::hint::select_unpredictable;

use super::time::Time;

/// Handle of a FIFO of one [`EventQueue`]: one for each link or actor that schedules in order of
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u32);

/// When an event happens: by time, and among equals by the order of scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    time: Time,
    /// The sequence number and, in its lowest bits, the lane: so a key finds its lane, and a match
    /// between two lanes moves two numbers instead of three.
    order: u64,
}

impl Key {
    /// Behind every event; the key of an empty lane.
    const NONE: Key = Key {
        time: Time::NEVER,
        order: u64::MAX,
    };

    /// As one number, which compares by a subtraction with borrow.
    fn packed(self) -> u128 {
        u128::from(self.time.0) << 64 | u128::from(self.order)
    }

    fn is_before(self, other: Key) -> bool {
        self.packed() < other.packed()
    }

    /// The earlier of two. Which one that is, is random: a jump on it would be mispredicted half of
    /// the time. On its own this is compiled to conditional moves; inlined into a loop, LLVM makes
    /// jumps of them (15 to 20 % slower, measured with four to sixteen consumers).
    #[inline(never)]
    fn earlier(self, other: Key) -> Key {
        select_unpredictable(self.is_before(other), self, other)
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
        self.key.packed().cmp(&other.key.packed())
    }
}

/// A FIFO in a ring buffer. While it holds one event at a time, as the lane of an actor does, that
/// is always in the first slot.
#[derive(Clone, Debug)]
struct Ring<E> {
    /// As many as a power of two, or none.
    slots: Vec<Entry<E>>,
    head: usize,
    len: usize,
    /// Time of the last event pushed.
    tail: Time,
}

impl<E: Copy> Ring<E> {
    fn new() -> Self {
        Ring {
            slots: Vec::new(),
            head: 0,
            len: 0,
            tail: Time::ZERO,
        }
    }

    #[inline]
    fn push(&mut self, key: Key, event: E) {
        if self.len == self.slots.len() {
            self.grow(event);
        }
        let slot = self.slot(self.len);
        // Field by field: an entry that is put together first is copied while its parts are still
        // being written, which stalls the processor.
        self.slots[slot].key = key;
        self.slots[slot].event = event;
        self.len += 1;
        self.tail = key.time;
    }

    /// The first event and the key of the next. Not for an empty ring.
    #[inline]
    fn pop(&mut self) -> (E, Key) {
        let event = self.slots[self.head].event;
        self.len -= 1;
        if self.len == 0 {
            self.head = 0;
            return (event, Key::NONE);
        }
        self.head = self.slot(1);
        (event, self.slots[self.head].key)
    }

    /// Where the event at this distance from the first one lies.
    fn slot(&self, distance: usize) -> usize {
        (self.head + distance) & (self.slots.len() - 1)
    }

    #[cold]
    fn grow(&mut self, event: E) {
        self.slots.rotate_left(self.head);
        self.head = 0;
        let filler = Entry {
            key: Key::NONE,
            event,
        };
        self.slots.resize((2 * self.len).max(4), filler);
    }
}

/// Events by time; those at the same time in the order in which they were scheduled.
///
/// With L lanes, `pop` costs O(log L) comparisons, `schedule_in` O(1) unless the lane was empty,
/// and what lies in the heap O(log n) as usual.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// A binary tree in an array: node n holds the winner of the match of nodes 2n and 2n + 1,
    /// which is `matches[n]`. Lanes are the leaves, from node `leaves` on; node 1 is the earliest
    /// of all lanes.
    matches: Vec<[Key; 2]>,
    lanes: Vec<Ring<E>>,
    heap: BinaryHeap<Reverse<Entry<E>>>,
    /// Key of the heap's first event.
    heap_key: Key,
    /// How many events were ever scheduled, and how many of them were popped.
    scheduled: u64,
    popped: u64,
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue with so many lanes (which may be 0).
    pub fn new(lanes: usize) -> Self {
        EventQueue {
            matches: vec![[Key::NONE; 2]; lanes.next_power_of_two()],
            lanes: vec![Ring::new(); lanes],
            heap: BinaryHeap::new(),
            heap_key: Key::NONE,
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
        self.push_to_heap(Entry { key, event });
    }

    /// Schedules an event of a lane: cheapest if it is not earlier than the lane's last one, right
    /// in any case.
    ///
    /// # Panics
    /// If the queue has no such lane.
    #[inline]
    pub fn schedule_in(&mut self, lane: Lane, at: Time, event: E) {
        let lane = lane.0 as usize;
        let key = self.next_key(at, lane);
        let ring = &mut self.lanes[lane];
        if ring.len == 0 {
            ring.push(key, event);
            self.announce(lane, key);
        } else if at >= ring.tail {
            ring.push(key, event);
        } else {
            self.push_to_heap(Entry { key, event });
        }
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let first = self.first_of_lanes();
        if self.heap_key.is_before(first) {
            self.pop_heap()
        } else if first == Key::NONE {
            None
        } else {
            Some((first.time, self.pop_lane(first)))
        }
    }

    /// When the next event happens.
    pub fn peek_time(&self) -> Option<Time> {
        let first = self.first_of_lanes().earlier(self.heap_key);
        (first != Key::NONE).then_some(first.time)
    }

    /// How many events are scheduled.
    pub fn len(&self) -> usize {
        (self.scheduled - self.popped) as usize
    }

    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lanes the tree has room for: a power of two.
    fn leaves(&self) -> usize {
        self.matches.len()
    }

    fn first_of_lanes(&self) -> Key {
        self.matches[0][1]
    }

    #[inline]
    fn next_key(&mut self, time: Time, lane: usize) -> Key {
        let order = self.scheduled * self.leaves() as u64 + lane as u64;
        self.scheduled += 1;
        Key { time, order }
    }

    fn push_to_heap(&mut self, entry: Entry<E>) {
        self.heap_key = self.heap_key.earlier(entry.key);
        self.heap.push(Reverse(entry));
    }

    fn pop_heap(&mut self) -> Option<(Time, E)> {
        let Reverse(entry) = self.heap.pop()?;
        self.heap_key = self.heap.peek().map_or(Key::NONE, |next| next.0.key);
        self.popped += 1;
        Some((entry.key.time, entry.event))
    }

    #[inline]
    fn pop_lane(&mut self, first: Key) -> E {
        let lane = first.order as usize & (self.leaves() - 1);
        let (event, next) = self.lanes[lane].pop();
        self.replay(lane, next);
        self.popped += 1;
        event
    }

    /// An empty lane got an event: it climbs as long as it wins.
    #[inline]
    fn announce(&mut self, lane: usize, key: Key) {
        let mut node = self.leaves() + lane;
        while node > 0 {
            let place = &mut self.matches[node / 2][node % 2];
            if place.is_before(key) {
                return;
            }
            *place = key;
            node /= 2;
        }
    }

    /// The winner was taken and its lane has another head: all its matches are played again.
    #[inline]
    fn replay(&mut self, lane: usize, head: Key) {
        let mut node = self.leaves() + lane;
        let mut winner = head;
        while node > 0 {
            let players = &mut self.matches[node / 2];
            players[node % 2] = winner;
            winner = winner.earlier(players[1 - node % 2]);
            node /= 2;
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
        assert_eq!(queue.peek_time(), Some(Time::NEVER));
        assert_eq!(drain(&mut queue), [1, 2]);
    }

    #[test]
    fn a_queue_without_lanes_is_a_heap() {
        let mut queue = Queue::new(0);
        assert!(queue.is_empty() && queue.peek_time().is_none() && queue.pop().is_none());
        queue.schedule(Time(2), 2);
        queue.schedule(Time(1), 1);
        assert_eq!((queue.len(), queue.peek_time()), (2, Some(Time(1))));
        assert_eq!(drain(&mut queue), [1, 2]);
    }

    /// What to do with both queues: pop, or schedule in a lane (None: without one) at a time.
    #[derive(Clone, Debug)]
    enum Step {
        Pop,
        Schedule(Option<usize>, u64),
    }

    const LANES: usize = 5;

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
        fn pops_what_a_sorted_list_pops(steps in prop::collection::vec(any_step(), 0..200)) {
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
                prop_assert_eq!(queue.peek_time(), reference.0.iter().map(|(time, _)| *time).min());
            }
            while let Some(expected) = reference.pop() {
                prop_assert_eq!(queue.pop(), Some(expected));
            }
            prop_assert!(queue.is_empty() && queue.pop().is_none());
        }
    }
}
