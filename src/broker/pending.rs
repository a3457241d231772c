//! The waiting messages of a queue: those that are not paged in (the *cursor*), and those that are
//! paged in and not assigned (the *pending list*, `QueueDispatchPendingList`).
//!
//! Messages are paged in in the order in which they arrived and wait in the same order afterwards.
//! So both are one list with a mark in it: paging in moves the mark and not the messages.

use std::collections::VecDeque;

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
    returned: VecDeque<MessageRef>,
    /// `pagedInPendingDispatch`, and behind it the cursor.
    fresh: VecDeque<MessageRef>,
    /// How many of the fresh ones are paged in.
    paged_in: usize,
}

/// A place in the pending list from which [`Waiting::next`] goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    level: usize,
    in_fresh: bool,
    index: usize,
}

/// What became of the next message of the cursor.
pub(super) enum PagedIn {
    /// It is pending.
    Pending,
    /// It was expired and waits no more.
    Expired(MessageRef),
}

/// `VecDeque::remove`, which does not know how cheap it is at the front.
#[inline]
pub(super) fn take_at<T>(list: &mut VecDeque<T>, index: usize) -> Option<T> {
    if index == 0 {
        list.pop_front()
    } else {
        list.remove(index)
    }
}

impl Level {
    #[inline]
    fn pending(&self, in_fresh: bool, index: usize) -> Option<MessageRef> {
        let list = if !in_fresh {
            &self.returned
        } else if index < self.paged_in {
            &self.fresh
        } else {
            return None;
        };
        list.get(index).copied()
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

    /// From the highest priority down.
    #[inline]
    fn level(&self, index: usize) -> Option<&Level> {
        match index {
            0 => Some(&self.first),
            _ => self.lower.get(index - 1),
        }
    }

    #[inline]
    fn level_of(&mut self, priority: u8) -> &mut Level {
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

    /// The first message of the cursor becomes the last fresh one of the pending list
    /// (`addMessageLast`), unless it is expired. None if the cursor is empty.
    #[inline]
    pub fn page_in(&mut self, is_expired: impl Fn(MessageRef) -> bool) -> Option<PagedIn> {
        let level = if self.first.paged_in < self.first.fresh.len() {
            &mut self.first
        } else {
            let mut lower = self.lower.iter_mut();
            lower.find(|level| level.paged_in < level.fresh.len())?
        };
        let message = level.fresh[level.paged_in];
        if is_expired(message) {
            take_at(&mut level.fresh, level.paged_in);
            self.len -= 1;
            return Some(PagedIn::Expired(message));
        }
        level.paged_in += 1;
        self.pending += 1;
        Some(PagedIn::Pending)
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
        self.first.returned.front().copied()
    }

    /// The pending message at this place or the next one behind it, to which the place moves.
    #[inline]
    pub fn next(&self, position: &mut Position) -> Option<MessageRef> {
        while let Some(level) = self.level(position.level) {
            let found = level.pending(position.in_fresh, position.index);
            if found.is_some() {
                return found;
            }
            *position = Position {
                level: position.level + usize::from(position.in_fresh),
                in_fresh: !position.in_fresh,
                index: 0,
            };
        }
        None
    }

    /// Passes over the message at this place.
    pub fn skip(position: &mut Position) {
        position.index += 1;
    }

    /// Takes out the message at this place, which [`Waiting::next`] found.
    #[inline]
    pub fn remove_at(&mut self, position: Position) {
        let level = match position.level {
            0 => &mut self.first,
            index => &mut self.lower[index - 1],
        };
        if position.in_fresh {
            take_at(&mut level.fresh, position.index);
            level.paged_in -= 1;
        } else {
            take_at(&mut level.returned, position.index);
        }
        self.len -= 1;
        self.pending -= 1;
    }

    /// Takes this message out of the pending list, wherever it is there.
    pub fn remove(&mut self, message: MessageRef) {
        let mut position = Position::default();
        while let Some(found) = self.next(&mut position) {
            if found == message {
                return self.remove_at(position);
            }
            Waiting::skip(&mut position);
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
