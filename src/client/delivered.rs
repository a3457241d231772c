//! What a consumer was given and has not acknowledged (`deliveredMessages`).

use super::Delivery;
use crate::wire::MessageRef;

/// Deliveries in the order in which they were handed over. Where each is acknowledged before the next one comes there is at
/// most one, which lies in the consumer itself: with a thousand consumers, memory elsewhere costs more than all that is
/// done with it.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Delivered {
    only: Option<Delivery>,
    list: Vec<Delivery>,
}

impl Delivered {
    /// The one of a consumer that acknowledges each by itself.
    #[inline]
    pub(super) fn put(&mut self, delivery: &Delivery) {
        debug_assert!(self.is_empty(), "the last one is acknowledged");
        self.only = Some(*delivery);
    }

    /// Takes out the one of a consumer that acknowledges each by itself.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Delivery> {
        self.only.take()
    }

    /// The newest one of any other consumer.
    #[inline]
    pub(super) fn push(&mut self, delivery: &Delivery) {
        self.list.push(*delivery);
    }

    /// Takes out the newest one.
    pub(super) fn pop(&mut self) -> Option<Delivery> {
        self.only.take().or_else(|| self.list.pop())
    }

    /// The oldest one.
    #[inline]
    pub fn first(&self) -> Option<&Delivery> {
        self.list.first().or(self.only.as_ref())
    }

    /// The newest one.
    #[inline]
    pub fn last(&self) -> Option<&Delivery> {
        self.only.as_ref().or(self.list.last())
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.list.len() + usize::from(self.only.is_some())
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.list.iter().chain(&self.only)
    }

    /// The oldest first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Delivery> {
        self.list.iter_mut().chain(&mut self.only)
    }

    /// Whether it is among them. The newest are looked at first.
    pub(super) fn contains(&self, message: MessageRef) -> bool {
        self.iter().rev().any(|other| other.message == message)
    }

    /// Takes out the one of this message; false if it is not there.
    pub(super) fn remove(&mut self, message: MessageRef) -> bool {
        if self.only.take_if(|only| only.message == message).is_some() {
            return true;
        }
        let place = self.list.iter().position(|other| other.message == message);
        place.map(|place| self.list.remove(place)).is_some()
    }

    /// Takes out so many of the oldest.
    pub(super) fn take_oldest(&mut self, count: usize) -> Vec<Delivery> {
        let mut all = self.take_all();
        self.list = all.split_off(count.min(all.len()));
        all
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.only = None;
        self.list.clear();
    }

    /// Takes out all of them.
    pub(super) fn take_all(&mut self) -> Vec<Delivery> {
        let mut all = std::mem::take(&mut self.list);
        all.extend(self.only.take());
        all
    }
}
