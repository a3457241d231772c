//! The waiting messages of a queue: not paged in ([`Cursor`]) and paged in ([`PendingList`]).

use std::collections::VecDeque;

use crate::wire::MessageRef;

/// With `prioritizedMessages`, one list for each of these; else one list for all.
const PRIORITIES: usize = 10;

/// Messages that are not paged in yet: first in, first out; by priority if the queue is
/// prioritised.
#[derive(Debug)]
pub(super) struct Cursor {
    levels: Vec<VecDeque<MessageRef>>,
    len: usize,
}

/// Messages that are paged in and not assigned (`QueueDispatchPendingList`): those that came back
/// from a consumer before those that nobody had yet; by priority first if the queue is prioritised.
#[derive(Debug)]
pub(super) struct PendingList {
    levels: Vec<Level>,
    len: usize,
}

#[derive(Debug, Default)]
struct Level {
    /// `redeliveredWaitingDispatch`
    returned: VecDeque<MessageRef>,
    /// `pagedInPendingDispatch`
    fresh: VecDeque<MessageRef>,
}

/// A place in a [`PendingList`] from which [`PendingList::next`] goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    level: usize,
    in_fresh: bool,
    index: usize,
}

/// From the highest priority down.
fn level_of(priority: u8, levels: usize) -> usize {
    (levels - 1).saturating_sub(usize::from(priority))
}

fn levels(prioritized: bool) -> usize {
    if prioritized { PRIORITIES } else { 1 }
}

/// `VecDeque::remove`, which does not know how cheap it is at the front.
pub(super) fn take_at<T>(list: &mut VecDeque<T>, index: usize) -> Option<T> {
    if index == 0 {
        list.pop_front()
    } else {
        list.remove(index)
    }
}

impl Cursor {
    pub fn new(prioritized: bool) -> Cursor {
        Cursor {
            levels: vec![VecDeque::new(); levels(prioritized)],
            len: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, message: MessageRef, priority: u8) {
        let level = level_of(priority, self.levels.len());
        self.levels[level].push_back(message);
        self.len += 1;
    }

    pub fn pop(&mut self) -> Option<MessageRef> {
        let message = self.levels.iter_mut().find_map(VecDeque::pop_front)?;
        self.len -= 1;
        Some(message)
    }

    pub fn iter(&self) -> impl Iterator<Item = MessageRef> + '_ {
        self.levels.iter().flatten().copied()
    }
}

impl PendingList {
    pub fn new(prioritized: bool) -> PendingList {
        PendingList {
            levels: (0..levels(prioritized)).map(|_| Level::default()).collect(),
            len: 0,
        }
    }

    pub fn is_prioritized(&self) -> bool {
        self.levels.len() > 1
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `addMessageLast`: a message that was paged in.
    pub fn push_fresh(&mut self, message: MessageRef, priority: u8) {
        let level = level_of(priority, self.levels.len());
        self.levels[level].fresh.push_back(message);
        self.len += 1;
    }

    /// `addForRedelivery`: a message that a consumer gave back.
    pub fn push_returned(&mut self, message: MessageRef, priority: u8) {
        let level = level_of(priority, self.levels.len());
        self.levels[level].returned.push_back(message);
        self.len += 1;
    }

    /// `OrderedPendingList.insertAtHead`
    pub fn insert_returned_at_head(&mut self, messages: &[MessageRef]) {
        rule!("strict-order-re-heads");
        for &message in messages.iter().rev() {
            self.levels[0].returned.push_front(message);
        }
        self.len += messages.len();
    }

    /// The message that would go out first of those that came back.
    pub fn first_returned(&self) -> Option<MessageRef> {
        self.levels[0].returned.front().copied()
    }

    /// The message at this place or the next one behind it, to which the place moves.
    pub fn next(&self, position: &mut Position) -> Option<MessageRef> {
        while let Some(level) = self.levels.get(position.level) {
            let list = if position.in_fresh {
                &level.fresh
            } else {
                &level.returned
            };
            if let Some(&message) = list.get(position.index) {
                return Some(message);
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

    /// Takes out the message at this place, which [`PendingList::next`] found.
    pub fn remove_at(&mut self, position: Position) {
        let level = &mut self.levels[position.level];
        let list = if position.in_fresh {
            &mut level.fresh
        } else {
            &mut level.returned
        };
        take_at(list, position.index);
        self.len -= 1;
    }

    /// Takes out this message, wherever it is.
    pub fn remove(&mut self, message: MessageRef) {
        let mut position = Position::default();
        while let Some(found) = self.next(&mut position) {
            if found == message {
                return self.remove_at(position);
            }
            PendingList::skip(&mut position);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = MessageRef> + '_ {
        self.levels
            .iter()
            .flat_map(|level| level.returned.iter().chain(&level.fresh))
            .copied()
    }
}
