//! A queue that nearly always grows at its end and shrinks at its front.

use std::ops::Deref;

/// The least that is reserved. It decides how often a short queue has to be moved.
const LEAST: usize = 32;

/// First in, first out: a list whose front moves. What was taken out stays in memory until the end
/// of the memory is reached, and then the rest is moved to its beginning. So items lie in one piece,
/// without the arithmetic of a ring (`VecDeque`) that is longer than all that is done with a message
/// in most of the lists it passes through.
#[derive(Clone, Debug)]
pub struct Fifo<T> {
    items: Vec<T>,
    /// So many items at the beginning are not there any more.
    start: usize,
}

impl<T> Default for Fifo<T> {
    fn default() -> Fifo<T> {
        Fifo {
            items: Vec::new(),
            start: 0,
        }
    }
}

impl<T: Copy> Fifo<T> {
    /// An empty one, without memory.
    pub fn new() -> Fifo<T> {
        Fifo::default()
    }

    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.len() - self.start
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.items.len() == self.start
    }

    /// The one that [`Self::pop_front`] would take out.
    #[inline(always)]
    pub fn first(&self) -> Option<&T> {
        self.items.get(self.start)
    }

    /// The item at this place.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.items.get(self.start + index)
    }

    /// At the end.
    #[inline(always)]
    pub fn push_back(&mut self, item: T) {
        if self.items.len() == self.items.capacity() {
            self.make_room();
        }
        self.items.push(item);
    }

    /// Moves the items to the beginning if they fill no more than half, else grows: so an item is
    /// moved once on the average.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        if self.start > 0 && self.start >= self.items.len() / 2 {
            self.items.drain(..self.start);
            self.start = 0;
        } else {
            self.items.reserve(self.items.len().max(LEAST));
        }
    }

    /// The first one.
    #[inline(always)]
    pub fn pop_front(&mut self) -> Option<T> {
        let first = *self.first()?;
        self.start += 1;
        Some(first)
    }

    /// The last one.
    pub fn pop_back(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        self.items.pop()
    }

    /// In front of all others.
    pub fn push_front(&mut self, item: T) {
        self.insert(0, item);
    }

    /// At this place, which is at most the length. Moves what is behind it, unless that is everything.
    pub fn insert(&mut self, index: usize, item: T) {
        if index > 0 {
            return self.items.insert(self.start + index, item);
        }
        if self.start == 0 {
            self.make_room_in_front(item);
        }
        self.start -= 1;
        self.items[self.start] = item;
    }

    /// Moves the items by as many as there are, so that an item that is put in front is moved once on the average.
    #[cold]
    fn make_room_in_front(&mut self, filler: T) {
        let len = self.items.len();
        let room = len.max(LEAST);
        self.items.resize(len + room, filler);
        self.items.copy_within(..len, room);
        self.start = room;
    }

    /// Takes out the item at this place, if there are so many. Moves the fewer ones.
    #[inline]
    pub fn remove(&mut self, index: usize) -> Option<T> {
        if index == 0 {
            return self.pop_front();
        }
        self.remove_behind(index)
    }

    #[inline(never)]
    fn remove_behind(&mut self, index: usize) -> Option<T> {
        let item = *self.get(index)?;
        if index < self.len() / 2 {
            let before = self.start..self.start + index;
            self.items.copy_within(before, self.start + 1);
            self.start += 1;
        } else {
            self.items.remove(self.start + index);
        }
        Some(item)
    }

    /// Takes out so many items from this place on. They must be there.
    pub fn take_out(&mut self, index: usize, count: usize) -> Vec<T> {
        let from = self.start + index;
        self.items.drain(from..from + count).collect()
    }

    /// Takes everything out.
    pub fn take_all(&mut self) -> Vec<T> {
        let all = self.to_vec();
        self.clear();
        all
    }

    /// Keeps only what passes, looked at in order.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.drain(..self.start);
        self.start = 0;
        self.items.retain(keep);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.items.clear();
        self.start = 0;
    }
}

/// The items, the first one first. (What nearly every message asks stands above, since a slice has to
/// be cut out first.)
impl<T> Deref for Fifo<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.items[self.start..]
    }
}

impl<'a, T> IntoIterator for &'a Fifo<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::super::Stream;
    use super::*;

    #[test]
    fn it_does_what_a_double_ended_queue_does() {
        let mut stream = Stream::new(1, "fifo", "operations");
        let (mut fifo, mut model) = (Fifo::new(), VecDeque::new());
        for number in 0..20_000_u32 {
            let index = stream.uniform_below(model.len() as u64 + 1) as usize;
            // It grows for a while, and shrinks for a while.
            let most = if number % 2000 < 1200 { 14 } else { 9 };
            match stream.uniform_below(most) {
                0 | 1 => assert_eq!(fifo.pop_front(), model.pop_front()),
                2 => assert_eq!(fifo.pop_back(), model.pop_back()),
                3 => assert_eq!(fifo.remove(index), model.remove(index)),
                4 => {
                    fifo.push_front(number);
                    model.push_front(number);
                }
                5 => {
                    fifo.insert(index, number);
                    model.insert(index, number);
                }
                6 if number % 50 == 0 => {
                    fifo.retain(|item| item % 7 > 0);
                    model.retain(|item| item % 7 > 0);
                }
                7 if model.len() > 100 => {
                    let taken = fifo.take_out(index / 2, 10);
                    assert_eq!(
                        taken,
                        Vec::from_iter(model.drain(index / 2..index / 2 + 10))
                    );
                }
                _ => {
                    fifo.push_back(number);
                    model.push_back(number);
                }
            }
            assert_eq!(fifo.first(), model.front());
            assert_eq!(fifo.len(), model.len());
        }
        assert_eq!(*fifo, *model.make_contiguous());
        assert_eq!(fifo.take_all(), Vec::from(model));
        assert!(fifo.is_empty());
    }

    #[test]
    fn many_can_be_put_in_front() {
        let mut fifo = Fifo::new();
        (0..200_000).for_each(|number| fifo.push_front(number));
        assert_eq!((fifo.first(), fifo.len()), (Some(&199_999), 200_000));
        assert!(
            (0..200_000)
                .rev()
                .all(|number| fifo.pop_front() == Some(number))
        );
    }

    #[test]
    fn a_short_queue_keeps_its_memory() {
        let mut fifo = Fifo::new();
        for number in 0..10_000 {
            fifo.push_back(number);
            if number >= 8 {
                assert_eq!(fifo.pop_front(), Some(number - 8));
            }
        }
        assert_eq!(*fifo, [9992, 9993, 9994, 9995, 9996, 9997, 9998, 9999]);
        assert!(fifo.items.capacity() <= 2 * LEAST);
    }
}
