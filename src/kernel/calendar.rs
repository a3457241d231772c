//! Where keys wait that are far off: a desk calendar.
//!
//! Time is cut into days of one width. A key is thrown onto the heap of its day, unsorted; when a day begins, its keys
//! are handed out, and whoever gets them sorts those few. So a key costs the same however many there are. (A binary
//! heap, which was here before, took 1,400 instructions a message with 1,000 consumers, and most of the cache misses;
//! this takes a third.) There are 2,048 days ahead; the rare key beyond them waits in a binary heap. The width follows what
//! happens: a day shall have a dozen events.
//!
//! Nothing here decides what comes first among the keys of a day, so neither the width nor the order in which they are
//! handed out can change what a run does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::queue::Key;
use super::time::Time;

/// How many days lie ahead; a power of two.
const DAYS: u64 = 2048;
/// More events in a day make it narrower, fewer wider.
const MOST_EVENTS: u64 = 24;
const FEWEST_EVENTS: u64 = 8;
/// A look at the width after so many events, and as many as there are keys: they have to be moved if it changes.
const EVENTS_BETWEEN_LOOKS: u64 = 1024;
/// The finest width, as a power of two: the number of any day, and some more, is then far from the largest integer.
const NARROWEST: u32 = 4;

/// Keys of one day are chained. No list of its own for each day: the places of those handed out are used again at once,
/// while they are still in the cache.
#[derive(Clone, Debug)]
struct Node {
    key: Key,
    /// The next of the same day, or the next free place; [`NOBODY`] if there is none.
    next: u32,
}

const NOBODY: u32 = u32::MAX;

/// Keys of later days.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    is_open: bool,
    /// The width of a day, as a power of two.
    width: u32,
    /// The number of the first day that has not begun, and when it begins.
    tomorrow: u64,
    begins: Time,
    /// The first node of each day ahead, at its number modulo [`DAYS`].
    days: Vec<u32>,
    nodes: Vec<Node>,
    free: u32,
    /// How many keys are in the days.
    len: usize,
    /// Keys beyond those days, when they came.
    later: BinaryHeap<Reverse<Key>>,
    /// Since the last look at the width: days begun, days without a key, and how many events there had been.
    begun: u64,
    skipped: u64,
    looked_at: u64,
}

impl Calendar {
    /// It is closed, and takes no keys.
    pub(super) fn new() -> Calendar {
        Calendar {
            is_open: false,
            width: NARROWEST,
            tomorrow: 0,
            begins: Time::NEVER,
            days: Vec::new(),
            nodes: Vec::new(),
            free: NOBODY,
            len: 0,
            later: BinaryHeap::new(),
            begun: 0,
            skipped: 0,
            looked_at: 0,
        }
    }

    /// Today is the day of `now`. `width` is a guess.
    pub(super) fn open(&mut self, now: Time, width: u64, events: u64) {
        if self.days.is_empty() {
            self.days = vec![NOBODY; DAYS as usize];
        }
        self.is_open = true;
        self.width = width.max(1).ilog2().max(NARROWEST);
        self.set_tomorrow(self.day(now) + 1);
        self.begin_look(events);
    }

    /// It has no keys, and takes none.
    pub(super) fn close(&mut self) {
        debug_assert!(self.is_empty());
        self.is_open = false;
        self.begins = Time::NEVER;
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0 && self.later.is_empty()
    }

    /// When the first day begins that has not begun; [`Time::NEVER`] if it is closed.
    pub(super) fn begins(&self) -> Time {
        self.begins
    }

    /// Whether a key of this time belongs here.
    #[inline]
    pub(super) fn takes(&self, time: Time) -> bool {
        time >= self.begins && self.is_open
    }

    pub(super) fn push(&mut self, key: Key) {
        let day = self.day(key.time);
        if day - self.tomorrow.min(day) < DAYS {
            self.push_into_day(day, key);
        } else {
            self.later.push(Reverse(key));
        }
    }

    fn push_into_day(&mut self, day: u64, key: Key) {
        let first = &mut self.days[(day % DAYS) as usize];
        let node = Node { key, next: *first };
        self.len += 1;
        if let Some(place) = self.nodes.get_mut(self.free as usize) {
            *first = self.free;
            self.free = place.next;
            *place = node;
        } else {
            *first = self.nodes.len() as u32;
            self.nodes.push(node);
        }
    }

    /// The next day begins on which there is anything: its keys, in any order. So many events there were until now.
    pub(super) fn begin_day(&mut self, events: u64, mut hand_out: impl FnMut(Key)) {
        if events - self.looked_at > EVENTS_BETWEEN_LOOKS + self.len as u64 {
            self.look_at_width(events);
        }
        let day = self.next_with_keys();
        self.skipped += day - self.tomorrow.min(day);
        self.begun += 1;
        self.set_tomorrow(day + 1);
        while let Some(Reverse(key)) = self.later.peek()
            && self.day(key.time) <= day
        {
            hand_out(*key);
            self.later.pop();
        }
        if self.len > 0 {
            self.empty_day(day, hand_out);
        }
    }

    fn empty_day(&mut self, day: u64, mut hand_out: impl FnMut(Key)) {
        let first = &mut self.days[(day % DAYS) as usize];
        let mut next = std::mem::replace(first, NOBODY);
        while let Some(node) = self.nodes.get_mut(next as usize) {
            hand_out(node.key);
            let place = std::mem::replace(&mut next, node.next);
            node.next = self.free;
            self.free = place;
            self.len -= 1;
        }
    }

    fn next_with_keys(&self) -> u64 {
        let later = self.later.peek();
        let later = later.map_or(u64::MAX, |Reverse(key)| self.day(key.time));
        if self.len == 0 {
            return later;
        }
        let mut day = self.tomorrow;
        while self.days[(day % DAYS) as usize] == NOBODY && day < later {
            day += 1;
        }
        day
    }

    fn set_tomorrow(&mut self, day: u64) {
        let is_ahead = day <= self.day(Time::NEVER);
        self.begins = if is_ahead {
            Time(day << self.width)
        } else {
            Time::NEVER
        };
        self.tomorrow = day;
    }

    fn day(&self, time: Time) -> u64 {
        time.0 >> self.width
    }

    fn begin_look(&mut self, events: u64) {
        (self.begun, self.skipped, self.looked_at) = (0, 0, events);
    }

    #[cold]
    #[inline(never)]
    fn look_at_width(&mut self, events: u64) {
        let happened = events - self.looked_at;
        let is_too_narrow =
            happened < self.begun * FEWEST_EVENTS || self.skipped > self.begun * DAYS / 64;
        let is_too_wide = happened > self.begun * MOST_EVENTS;
        if is_too_narrow && self.width < 48 {
            self.change_width(self.width + 1);
        } else if is_too_wide && !is_too_narrow && self.width > NARROWEST {
            self.change_width(self.width - 1);
        }
        self.begin_look(events);
    }

    fn change_width(&mut self, width: u32) {
        let mut keys = Vec::with_capacity(self.len);
        for day in 0..DAYS {
            self.empty_day(day, |key| keys.push(key));
        }
        self.width = width;
        // Nothing is left of a day that has begun, so a wider one may begin once more.
        self.set_tomorrow(self.day(self.begins));
        for key in keys {
            self.push(key);
        }
    }

    /// A key that is none any more, if it is here.
    pub(super) fn remove(&mut self, key: Key) {
        self.later.retain(|other| other.0 != key);
        if self.len > 0 {
            let mut keys = Vec::new();
            self.empty_day(self.day(key.time), |other| keys.push(other));
            for other in keys.into_iter().filter(|other| *other != key) {
                self.push(other);
            }
        }
    }
}
