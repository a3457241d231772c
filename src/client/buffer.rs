//! The prefetch buffer of a consumer, and the FIFO of a session: `FifoMessageDispatchChannel` and
//! `SimplePriorityMessageDispatchChannel`.

use crate::kernel::Fifo;
use crate::wire::MessageRef;

/// A message at the client, with the client's own copy of its counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Held by whoever has the delivery.
    pub message: MessageRef,
    /// The client's counter: `JMSXDeliveryCount` is one more.
    pub redelivery_counter: u32,
    /// The counter that the dispatch carried: what `preDispatchCheck` looks at.
    pub dispatched_counter: u32,
    /// It was queued or delivered before, so the duplicate filter has let it through (`deliverySequenceId`).
    pub has_passed_filter: bool,
    /// 0 to 9; noted only where buffers go by it.
    pub priority: u8,
}

/// A queue of deliveries, by priority if the connection supports it, else first in, first out.
#[derive(Clone, Debug, Default)]
pub struct Buffer<T> {
    items: Fifo<T>,
    by_priority: bool,
}

/// What has a priority.
pub trait Ranked {
    /// 0 to 9, higher first.
    fn priority(&self) -> u8;
}

impl Ranked for Delivery {
    fn priority(&self) -> u8 {
        self.priority
    }
}

/// None is the broker's "nothing for your pull".
impl Ranked for Option<Delivery> {
    fn priority(&self) -> u8 {
        self.map_or(4, |delivery| delivery.priority)
    }
}

impl<U, T: Ranked> Ranked for (U, T) {
    fn priority(&self) -> u8 {
        self.1.priority()
    }
}

impl<T: Copy + Ranked> Buffer<T> {
    /// An empty one.
    pub fn new(by_priority: bool) -> Buffer<T> {
        Buffer {
            items: Fifo::new(),
            by_priority,
        }
    }

    /// Whether priorities matter.
    #[inline]
    pub fn is_by_priority(&self) -> bool {
        self.by_priority
    }

    /// Behind everything of the same or a higher priority.
    #[inline]
    pub fn enqueue(&mut self, item: T) {
        self.items.push_back(item);
        if self.by_priority {
            self.sort_in_last();
        }
    }

    /// Few connections have priorities, so that an item is put in its place only after it was added.
    #[inline(never)]
    fn sort_in_last(&mut self) {
        rule!("buffers-by-priority");
        let Some(item) = self.items.pop_back() else {
            return;
        };
        let place = self
            .items
            .partition_point(|other| other.priority() >= item.priority());
        self.items.insert(place, item);
    }

    /// Before everything of the same or a lower priority.
    pub fn enqueue_first(&mut self, item: T) {
        if !self.by_priority {
            return self.items.push_front(item);
        }
        let place = self
            .items
            .partition_point(|other| other.priority() > item.priority());
        self.items.insert(place, item);
    }

    /// The next one.
    #[inline]
    pub fn dequeue(&mut self) -> Option<T> {
        self.items.pop_front()
    }

    /// The one that [`Self::dequeue`] would take out.
    #[inline]
    pub fn peek(&self) -> Option<&T> {
        self.items.first()
    }

    /// Takes everything out.
    pub fn drain(&mut self) -> Vec<T> {
        self.items.take_all()
    }

    /// Keeps only what passes.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.retain(keep);
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What is in it, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}
