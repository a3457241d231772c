//! The memory of a destination: what flow control looks at (`MemoryUsage`).

use crate::wire::MessageRef;

/// Bytes in use against a limit. Without a limit nothing is counted.
#[derive(Debug, Default)]
pub(super) struct MemoryUsage {
    /// 0: none.
    limit: u64,
    usage: u64,
    /// How many lists hold the message in each place of the arena
    /// (`Message.incrementReferenceCount`): a topic message lies in the buffers of several
    /// subscriptions and counts once.
    holders: Vec<u32>,
}

impl MemoryUsage {
    /// A limit of 0 is never reached: it is as good as none.
    pub fn new(limit: Option<u64>) -> MemoryUsage {
        MemoryUsage {
            limit: limit.unwrap_or(0),
            ..MemoryUsage::default()
        }
    }

    /// Whether anything is counted, and a sender may have to wait.
    #[inline]
    pub fn is_limited(&self) -> bool {
        self.limit > 0
    }

    /// `Usage.isFull`: 100 whole percent are in use.
    pub fn is_full(&self) -> bool {
        self.is_full_by(100)
    }

    /// Whether so many whole percent are in use.
    pub fn is_full_by(&self, percent: u64) -> bool {
        if !self.is_limited() {
            return false;
        }
        rule!("memory-full");
        u128::from(self.usage) * 100 / u128::from(self.limit) >= u128::from(percent)
    }

    /// One more list holds the message.
    #[inline]
    pub fn hold(&mut self, message: MessageRef, size: u64) {
        if self.is_limited() {
            self.count_holder(message, size);
        }
    }

    #[inline(never)]
    fn count_holder(&mut self, message: MessageRef, size: u64) {
        if self.holders.len() <= message.slot() {
            self.holders.resize(message.slot() + 1, 0);
        }
        self.holders[message.slot()] += 1;
        rule!(
            "memory-is-shared-by-copies",
            self.holders[message.slot()] > 1
        );
        if self.holders[message.slot()] == 1 {
            self.usage += size;
        }
    }

    /// One list less holds the message.
    pub fn let_go(&mut self, message: MessageRef, size: u64) {
        if !self.is_limited() {
            return;
        }
        let holders = &mut self.holders[message.slot()];
        *holders -= 1;
        if *holders == 0 {
            self.usage -= size;
        }
    }
}
