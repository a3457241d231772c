//! The waiting messages of a queue: those that are not paged in (the *cursor*), and those that are
//! paged in and not assigned (the *pending list*, `QueueDispatchPendingList`).
//!
//! Messages are paged in in the order in which they arrived and wait in the same order afterwards.
//! So both are one list with a mark in it: paging in moves the mark and not the messages.

use crate::kernel::Fifo;
use crate::wire::MessageRef;

/// With `prioritizedMessages`, one level for each of these; else one level for all.
const PRIORITIES: usize = 10;

/// What waits: by priority first if the queue is prioritised; those that came back from a consumer
/// before those that nobody had yet; first in, first out.
#[derive(Debug)]
pub(super) struct Waiting {
    /// That of the highest priority, or the only one. It stands here, not in a list, because on
    /// nearly all queues there is no other.
    first: Level,
    /// Those of the lower priorities, from the highest down.
    lower: Vec<Level>,
    len: usize,
    pending: usize,
}

#[derive(Debug, Default)]
struct Level {
    /// `redeliveredWaitingDispatch`
    returned: Fifo<MessageRef>,
    /// `pagedInPendingDispatch`, and behind it the cursor.
    fresh: Fifo<MessageRef>,
    /// How many of the fresh ones are paged in.
    paged_in: usize,
}

/// What [`Waiting::page_in`] did.
pub(super) struct PagedIn {
    /// How many are pending now that were not.
    pub count: usize,
    /// Waits no more.
    pub expired: Option<MessageRef>,
}

impl Level {
    fn pending(&self) -> usize {
        self.returned.len() + self.paged_in
    }

    /// The message at this place of the level's part of the pending list.
    #[inline]
    fn get(&self, place: usize) -> Option<MessageRef> {
        let list = match place.checked_sub(self.returned.len()) {
            None => return self.returned.get(place).copied(),
            Some(fresh) => self.fresh.get(fresh),
        };
        list.copied()
    }

    #[inline]
    fn remove(&mut self, place: usize) {
        match place.checked_sub(self.returned.len()) {
            None => {
                self.returned.remove(place);
            }
            Some(fresh) => {
                self.fresh.remove(fresh);
                self.paged_in -= 1;
            }
        }
    }
}

impl Waiting {
    pub fn new(prioritized: bool) -> Waiting {
        let lower = if prioritized { PRIORITIES - 1 } else { 0 };
        Waiting {
            first: Level::default(),
            lower: (0..lower).map(|_| Level::default()).collect(),
            len: 0,
            pending: 0,
        }
    }

    pub fn is_prioritized(&self) -> bool {
        !self.lower.is_empty()
    }

    /// Whether neither the cursor nor the pending list has any.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many are paged in.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// How many are not paged in.
    pub fn in_cursor(&self) -> usize {
        self.len - self.pending
    }

    #[inline]
    fn level_of(&mut self, priority: u8) -> &mut Level {
        if self.lower.is_empty() {
            return &mut self.first;
        }
        match self.lower.len().saturating_sub(usize::from(priority)) {
            0 => &mut self.first,
            index => &mut self.lower[index - 1],
        }
    }

    /// A message arrives at the end of the cursor.
    #[inline]
    pub fn push(&mut self, message: MessageRef, priority: u8) {
        self.level_of(priority).fresh.push_back(message);
        self.len += 1;
    }

    /// A message arrives and is paged in at once, since the cursor is empty.
    #[inline]
    pub fn push_paged_in(&mut self, message: MessageRef, priority: u8) {
        let level = self.level_of(priority);
        level.fresh.push_back(message);
        level.paged_in += 1;
        self.len += 1;
        self.pending += 1;
    }

    /// The first messages of the cursor, at most this many, become the last fresh ones of the
    /// pending list (`addMessageLast`), up to one that is expired: that one is taken out.
    #[inline(always)]
    pub fn page_in(&mut self, most: usize, is_expired: impl Fn(MessageRef) -> bool) -> PagedIn {
        for count in 0..most {
            let level = if self.first.paged_in < self.first.fresh.len() {
                &mut self.first
            } else {
                match self
                    .lower
                    .iter_mut()
                    .find(|level| level.paged_in < level.fresh.len())
                {
                    Some(level) => level,
                    None => {
                        return PagedIn {
                            count,
                            expired: None,
                        };
                    }
                }
            };
            let message = level.fresh[level.paged_in];
            if is_expired(message) {
                level.fresh.remove(level.paged_in);
                self.len -= 1;
                return PagedIn {
                    count,
                    expired: Some(message),
                };
            }
            level.paged_in += 1;
            self.pending += 1;
        }
        PagedIn {
            count: most,
            expired: None,
        }
    }

    /// `addForRedelivery`: a message that a consumer gave back.
    pub fn push_returned(&mut self, message: MessageRef, priority: u8) {
        self.level_of(priority).returned.push_back(message);
        self.len += 1;
        self.pending += 1;
    }

    /// `OrderedPendingList.insertAtHead`
    pub fn insert_returned_at_head(&mut self, messages: &[MessageRef]) {
        rule!("strict-order-re-heads");
        for &message in messages.iter().rev() {
            self.first.returned.push_front(message);
        }
        self.len += messages.len();
        self.pending += messages.len();
    }

    /// The message that would go out first of those that came back.
    pub fn first_returned(&self) -> Option<MessageRef> {
        self.first.returned.first().copied()
    }

    /// The message at this place of the pending list, if it has so many.
    #[inline]
    pub fn get(&self, place: usize) -> Option<MessageRef> {
        if place < self.first.pending() {
            return self.first.get(place);
        }
        self.get_lower(place - self.first.pending())
    }

    /// Takes out the first message of the pending list, if it is one of the first level that nobody
    /// had yet, and passes.
    #[inline(always)]
    pub fn take_first_if(&mut self, passes: impl FnOnce(MessageRef) -> bool) -> Option<MessageRef> {
        let level = &mut self.first;
        if !level.returned.is_empty() || level.paged_in == 0 {
            return None;
        }
        let first = *level.fresh.first()?;
        if !passes(first) {
            return None;
        }
        level.fresh.pop_front();
        level.paged_in -= 1;
        self.len -= 1;
        self.pending -= 1;
        Some(first)
    }

    #[inline(never)]
    fn get_lower(&self, mut place: usize) -> Option<MessageRef> {
        for level in &self.lower {
            if place < level.pending() {
                return level.get(place);
            }
            place -= level.pending();
        }
        None
    }

    /// Takes the message at this place out of the pending list.
    #[inline]
    pub fn remove_at(&mut self, place: usize) {
        if place < self.first.pending() {
            self.first.remove(place);
        } else {
            self.remove_lower(place - self.first.pending());
        }
        self.len -= 1;
        self.pending -= 1;
    }

    #[inline(never)]
    fn remove_lower(&mut self, mut place: usize) {
        for level in &mut self.lower {
            if place < level.pending() {
                return level.remove(place);
            }
            place -= level.pending();
        }
    }

    /// Takes this message out of the pending list, wherever it is there.
    pub fn remove(&mut self, message: MessageRef) {
        let place = self.iter_pending().position(|pending| pending == message);
        if let Some(place) = place {
            self.remove_at(place);
        }
    }

    fn levels(&self) -> impl Iterator<Item = &Level> {
        std::iter::once(&self.first).chain(&self.lower)
    }

    /// The pending list.
    pub fn iter_pending(&self) -> impl Iterator<Item = MessageRef> + '_ {
        self.levels()
            .flat_map(|level| {
                let fresh = level.fresh.iter().take(level.paged_in);
                level.returned.iter().chain(fresh)
            })
            .copied()
    }

    /// All that wait, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = MessageRef> + '_ {
        self.levels()
            .flat_map(|level| level.returned.iter().chain(&level.fresh))
            .copied()
    }
}
