//! Recognising message ids that were seen before (`ActiveMQMessageAudit`), in memory that stays
//! small.

use std::collections::VecDeque;

use crate::wire::{Message, ProducerIndex};

/// How many of the newest ids of a producer are remembered (`BitArrayBin`).
const DEPTH: u64 = 2048;

/// Which message ids have been seen. Ids are (producer, number); a copy that an application sent
/// under a new id is a message of its own and never audited.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageAudit {
    producers: Vec<Option<Window>>,
}

/// A bit for each of the newest [`DEPTH`] numbers, in words of 64.
#[derive(Clone, Debug, Default)]
struct Window {
    first_word: u64,
    words: VecDeque<u64>,
}

impl MessageAudit {
    /// Whether the id was seen before; from now on it has been
    /// (`ActiveMQMessageAudit.isDuplicate`).
    pub fn is_duplicate(&mut self, message: &Message) -> bool {
        !message.copy && self.window(message.producer).test_and_set(message.number)
    }

    /// Whether the id was seen before, without noting it.
    pub fn knows(&self, message: &Message) -> bool {
        let window = self.producers.get(message.producer as usize);
        !message.copy
            && window.is_some_and(|window| window.as_ref().is_some_and(|w| w.test(message.number)))
    }

    fn window(&mut self, producer: ProducerIndex) -> &mut Window {
        let producer = producer as usize;
        if self.producers.len() <= producer {
            self.producers.resize(producer + 1, None);
        }
        self.producers[producer].get_or_insert_default()
    }
}

impl Window {
    /// Numbers below the window count as new.
    fn test(&self, number: u64) -> bool {
        let word = (number / 64).checked_sub(self.first_word);
        let word = word.and_then(|word| self.words.get(word as usize));
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    fn test_and_set(&mut self, number: u64) -> bool {
        if self.test(number) {
            return true;
        }
        let word = number / 64;
        if word < self.first_word {
            return false;
        }
        self.make_room(word);
        self.words[(word - self.first_word) as usize] |= 1 << (number % 64);
        false
    }

    fn make_room(&mut self, word: u64) {
        const WORDS: u64 = DEPTH / 64;
        if self.words.is_empty() || word >= self.first_word + 2 * WORDS {
            self.words.clear();
            self.first_word = word.saturating_sub(WORDS);
        }
        while self.first_word + self.words.len() as u64 <= word {
            self.words.push_back(0);
        }
        while self.words.len() as u64 > WORDS {
            self.words.pop_front();
            self.first_word += 1;
        }
    }
}
