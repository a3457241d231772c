//! The local transaction of a session: `TransactionContext`.

use super::Surroundings;
use crate::wire::{
    ConnectionIndex, ConsumerIndex, MessageRef, ToBroker, TransactionId, TransactionOwner,
};

/// At most one transaction is open in a session at a time; it begins lazily.
#[derive(Debug)]
pub struct TransactionContext {
    owner: TransactionOwner,
    number: u32,
    /// The open one.
    pub current: Option<TransactionId>,
    /// Consumers that take part, in the order in which they joined.
    pub enlisted: Vec<ConsumerIndex>,
    /// Consumers whose close waits for the end of the transaction.
    pub postponed_closes: Vec<ConsumerIndex>,
    /// Set by a reconnect in mid-transaction: the commit will be refused by the library itself.
    pub rollback_only: bool,
    /// Delivered before a reconnect and expected again (`previouslyDeliveredMessages`).
    pub previously_delivered: Vec<(MessageRef, bool)>,
}

impl TransactionContext {
    /// Nothing is open.
    pub fn new(owner: TransactionOwner) -> TransactionContext {
        TransactionContext {
            owner,
            number: 0,
            current: None,
            enlisted: Vec::new(),
            postponed_closes: Vec::new(),
            rollback_only: false,
            previously_delivered: Vec::new(),
        }
    }

    /// Begins a transaction if none is open (`TransactionContext.begin`); BEGIN is asynchronous.
    pub fn begin(
        &mut self,
        connection: ConnectionIndex,
        s: &mut impl Surroundings,
    ) -> TransactionId {
        if let Some(current) = self.current {
            return current;
        }
        rule!("begins-lazily");
        self.number += 1;
        let id = TransactionId {
            owner: self.owner,
            number: self.number,
        };
        self.current = Some(id);
        self.rollback_only = false;
        s.send(connection, ToBroker::Begin(id));
        id
    }

    /// The process died: the transaction is the broker's business now.
    pub fn forget(&mut self, s: &mut impl Surroundings) {
        self.current = None;
        self.enlisted.clear();
        self.postponed_closes.clear();
        self.rollback_only = false;
        self.forget_previously_delivered(s);
    }

    /// What a reconnect left to be expected is expected no more.
    pub fn forget_previously_delivered(&mut self, s: &mut impl Surroundings) {
        for (message, _) in std::mem::take(&mut self.previously_delivered) {
            s.release(message);
        }
    }
}
