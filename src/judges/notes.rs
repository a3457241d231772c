//! What a judge has noted of messages.

use crate::wire::MessageRef;

/// Notes on messages, each for somebody: a table beside the arena, with a list in each place that is sorted by whom
/// its notes are for. (Judges note something with nearly every fact: trees, which were here before, took a third of a
/// judged run.)
#[derive(Debug)]
pub struct Notes<K, V> {
    by_slot: Vec<Vec<Note<K, V>>>,
}

#[derive(Debug)]
struct Note<K, V> {
    message: MessageRef,
    whose: K,
    value: V,
}

impl<K: Copy + Ord, V> Notes<K, V> {
    /// None yet.
    pub fn new() -> Notes<K, V> {
        Notes {
            by_slot: Vec::new(),
        }
    }

    /// The latest on this message for somebody.
    pub fn get(&self, message: MessageRef, whose: K) -> Option<&V> {
        let notes = self.by_slot.get(message.slot())?;
        let place = latest(notes, message, whose)?;
        Some(&notes[place].value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, message: MessageRef, whose: K) -> Option<&mut V> {
        let notes = self.by_slot.get_mut(message.slot())?;
        let place = latest(notes, message, whose)?;
        Some(&mut notes[place].value)
    }

    /// One more, beside earlier ones for the same.
    pub fn add(&mut self, message: MessageRef, whose: K, value: V) -> &mut V {
        let slot = message.slot();
        if slot >= self.by_slot.len() {
            self.by_slot.resize_with(slot + 1, Vec::new);
        }
        let notes = &mut self.by_slot[slot];
        let place = behind(notes, message, whose);
        let note = Note {
            message,
            whose,
            value,
        };
        notes.insert(place, note);
        &mut notes[place].value
    }

    /// The only one on this message for somebody; returns what was there before.
    pub fn put(&mut self, message: MessageRef, whose: K, value: V) -> Option<V> {
        if let Some(there) = self.get_mut(message, whose) {
            return Some(std::mem::replace(there, value));
        }
        self.add(message, whose, value);
        None
    }

    /// The one on this message for somebody, or a new one.
    pub fn get_or_put(&mut self, message: MessageRef, whose: K, value: V) -> &mut V {
        let notes = self.by_slot.get(message.slot());
        match notes.and_then(|notes| latest(notes, message, whose)) {
            Some(place) => &mut self.by_slot[message.slot()][place].value,
            None => self.add(message, whose, value),
        }
    }

    /// Takes back the latest on this message for somebody.
    pub fn take(&mut self, message: MessageRef, whose: K) -> Option<V> {
        let notes = self.by_slot.get_mut(message.slot())?;
        let place = latest(notes, message, whose)?;
        Some(notes.remove(place).value)
    }

    /// All on this message.
    pub fn on(&self, message: MessageRef) -> impl Iterator<Item = &V> {
        let notes = self.by_slot.get(message.slot()).into_iter().flatten();
        let its = notes.filter(move |note| note.message == message);
        its.map(|note| &note.value)
    }

    /// Drops all on this message.
    pub fn forget(&mut self, message: MessageRef) {
        if let Some(notes) = self.by_slot.get_mut(message.slot()) {
            notes.retain(|note| note.message != message);
        }
    }

    /// Drops all for those of whom this does not hold.
    pub fn keep_if(&mut self, holds: impl Fn(K) -> bool) {
        for notes in &mut self.by_slot {
            notes.retain(|note| holds(note.whose));
        }
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.by_slot.clear();
    }

    /// All, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (MessageRef, K, &V)> {
        let notes = self.by_slot.iter().flatten();
        notes.map(|note| (note.message, note.whose, &note.value))
    }
}

/// The place behind all on this message for somebody.
fn behind<K: Copy + Ord, V>(notes: &[Note<K, V>], message: MessageRef, whose: K) -> usize {
    notes.partition_point(|note| (note.whose, note.message) <= (whose, message))
}

/// The place of the last of them.
fn latest<K: Copy + Ord, V>(notes: &[Note<K, V>], message: MessageRef, whose: K) -> Option<usize> {
    let place = behind(notes, message, whose).checked_sub(1)?;
    let note = &notes[place];
    (note.message == message && note.whose == whose).then_some(place)
}
