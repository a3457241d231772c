//! What a judge has noted of messages.

use crate::wire::MessageRef;

/// Notes on messages, each for somebody: a table beside the arena, with a short list in each place. (Judges note
/// something with nearly every fact; of trees, which were here before, they took twice as long.)
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

impl<K: Copy + Eq, V> Notes<K, V> {
    /// None yet.
    pub fn new() -> Notes<K, V> {
        Notes {
            by_slot: Vec::new(),
        }
    }

    fn of(&self, message: MessageRef) -> &[Note<K, V>] {
        self.by_slot.get(message.slot()).map_or(&[], Vec::as_slice)
    }

    fn of_mut(&mut self, message: MessageRef) -> &mut Vec<Note<K, V>> {
        let slot = message.slot();
        if slot >= self.by_slot.len() {
            self.by_slot.resize_with(slot + 1, Vec::new);
        }
        &mut self.by_slot[slot]
    }

    /// The latest on this message for somebody.
    pub fn get(&self, message: MessageRef, whose: K) -> Option<&V> {
        let mut notes = self.of(message).iter().rev();
        let found = notes.find(|note| note.is(message, whose))?;
        Some(&found.value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, message: MessageRef, whose: K) -> Option<&mut V> {
        let notes = self.by_slot.get_mut(message.slot())?;
        let found = notes
            .iter_mut()
            .rev()
            .find(|note| note.is(message, whose))?;
        Some(&mut found.value)
    }

    /// One more, beside earlier ones for the same.
    pub fn add(&mut self, message: MessageRef, whose: K, value: V) {
        let note = Note {
            message,
            whose,
            value,
        };
        self.of_mut(message).push(note);
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
        let notes = self.of_mut(message);
        let place = notes.iter().rposition(|note| note.is(message, whose));
        let place = place.unwrap_or_else(|| {
            notes.push(Note {
                message,
                whose,
                value,
            });
            notes.len() - 1
        });
        &mut notes[place].value
    }

    /// Takes back the latest on this message for somebody.
    pub fn take(&mut self, message: MessageRef, whose: K) -> Option<V> {
        let notes = self.by_slot.get_mut(message.slot())?;
        let place = notes.iter().rposition(|note| note.is(message, whose))?;
        Some(notes.remove(place).value)
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

impl<K: Copy + Eq, V> Note<K, V> {
    fn is(&self, message: MessageRef, whose: K) -> bool {
        self.message == message && self.whose == whose
    }
}
