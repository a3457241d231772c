//! The memory of a destination: what flow control looks at (`MemoryUsage`).

use crate::wire::MessageRef;

/// Bytes in use against a limit. Without a limit nothing is counted.
#[derive(Debug, Default)]
pub(super) struct MemoryUsage {
    limit: Option<u64>,
    usage: u64,
    /// How many lists hold the message in each place of the arena
    /// (`Message.incrementReferenceCount`): a topic message lies in the buffers of several
    /// subscriptions and counts once.
    holders: Vec<u32>,
}

impl MemoryUsage {
    pub fn new(limit: Option<u64>) -> MemoryUsage {
        MemoryUsage {
            limit,
            ..MemoryUsage::default()
        }
    }

    /// `Usage.isFull`: 100 whole percent are in use.
    pub fn is_full(&self) -> bool {
        self.is_full_by(100)
    }

    /// Whether so many whole percent are in use.
    pub fn is_full_by(&self, percent: u64) -> bool {
        let Some(limit) = self.limit.filter(|&limit| limit > 0) else {
            return false;
        };
        rule!("memory-full");
        u128::from(self.usage) * 100 / u128::from(limit) >= u128::from(percent)
    }

    /// One more list holds the message.
    pub fn hold(&mut self, message: MessageRef, size: u64) {
        if self.limit.is_none() {
            return;
        }
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
        if self.limit.is_none() {
            return;
        }
        let holders = &mut self.holders[message.slot()];
        *holders -= 1;
        if *holders == 0 {
            self.usage -= size;
        }
    }
}
