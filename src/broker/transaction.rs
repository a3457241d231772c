//! Local transactions at the broker (`TransactionBroker`, `LocalTransaction`): what is done in one
//! takes effect at its commit, in the order in which it was done, and is undone at its rollback, in
//! reverse.

use crate::facts::{Fact, TransactionCommand};
use crate::wire::{
    Caller, ConnectionId, ConsumerId, MessageAck, MessageRef, TransactionId, TransactionOwner,
};

use super::producer::Producer;
use super::surroundings::release;
use super::{Broker, Refused, Session, Surroundings};

/// An open transaction.
#[derive(Debug)]
pub(super) struct Transaction {
    id: TransactionId,
    /// It ends with this connection.
    connection: ConnectionId,
    /// `rollbackOnlyOnAsyncException`: an ack or send failed that nobody waited for.
    rollback_only: bool,
    synchronizations: Vec<Synchronization>,
}

/// What a transaction does when it ends.
// With a tag of its own, as commands have.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Synchronization {
    /// A message of a queue-like subscription was acknowledged. The transaction holds it, too.
    Acknowledged {
        consumer: ConsumerId,
        message: MessageRef,
    },
    /// A plain topic subscription got an ack.
    TopicAck(MessageAck),
    /// A message was sent.
    Sent { message: MessageRef },
}

impl Transaction {
    /// `Transaction.addSynchronization`
    pub fn add(&mut self, what: Synchronization) {
        self.synchronizations.push(what);
    }
}

/// The open transactions of an owner; more than one only after something went wrong.
fn transactions_of<'a>(
    sessions: &'a mut [Session],
    producers: &'a mut [Producer],
    owner: TransactionOwner,
) -> &'a mut Vec<Transaction> {
    match owner {
        TransactionOwner::Session(session) => &mut sessions[session as usize].transactions,
        TransactionOwner::Producer(producer) => &mut producers[producer as usize].transactions,
    }
}

/// The transaction of this id, if it is open.
pub(super) fn find_transaction<'a>(
    sessions: &'a mut [Session],
    producers: &'a mut [Producer],
    id: Option<TransactionId>,
) -> Option<&'a mut Transaction> {
    let transactions = transactions_of(sessions, producers, id?.owner);
    transactions
        .iter_mut()
        .find(|transaction| Some(transaction.id) == id)
}

impl Broker {
    fn transactions_of(&mut self, owner: TransactionOwner) -> &mut Vec<Transaction> {
        transactions_of(&mut self.sessions, &mut self.producers, owner)
    }

    pub(super) fn transaction(&mut self, id: TransactionId) -> Option<&mut Transaction> {
        find_transaction(&mut self.sessions, &mut self.producers, Some(id))
    }

    /// Whether an ack or send may be done: outside of transactions, or in one that is open.
    pub(super) fn check_transaction(&mut self, id: Option<TransactionId>) -> Result<(), Refused> {
        match id {
            Some(id) if self.transaction(id).is_none() => Err(Refused),
            _ => Ok(()),
        }
    }

    /// Adds to a transaction what it is to do.
    pub(super) fn synchronize(&mut self, id: Option<TransactionId>, what: Synchronization) {
        if let Some(transaction) = id.and_then(|id| self.transaction(id)) {
            transaction.add(what);
        }
    }

    /// `TransportConnection.forceRollbackOnlyOnFailedAsyncTransactionOp`
    pub(super) fn set_rollback_only(&mut self, id: Option<TransactionId>) {
        if let Some(transaction) = id.and_then(|id| self.transaction(id)) {
            rule!("rollback-only");
            transaction.rollback_only = true;
        }
    }

    /// `TransportConnection.processBeginTransaction`: a repeat is ignored.
    pub(super) fn begin(
        &mut self,
        connection: ConnectionId,
        id: TransactionId,
        s: &mut impl Surroundings,
    ) {
        if self.transaction(id).is_some() {
            rule!("begin-twice");
            return;
        }
        transaction_arrived(id, TransactionCommand::Begin, s);
        let synchronizations = std::mem::take(&mut self.spare_synchronizations);
        let transaction = Transaction {
            id,
            connection,
            rollback_only: false,
            synchronizations,
        };
        self.transactions_of(id.owner).push(transaction);
    }

    /// `LocalTransaction.commit`: one that may only be rolled back is refused, and stays until its
    /// connection ends.
    pub(super) fn commit(
        &mut self,
        connection: ConnectionId,
        id: TransactionId,
        reply_to: Caller,
        s: &mut impl Surroundings,
    ) {
        let rollback_only = self
            .transaction(id)
            .map(|transaction| transaction.rollback_only);
        if rollback_only.is_some() {
            transaction_arrived(id, TransactionCommand::Commit, s);
        }
        if rollback_only == Some(false) {
            self.end(id, true, s);
        }
        self.respond(connection, reply_to, rollback_only != Some(false), s);
    }

    /// `LocalTransaction.rollback`
    pub(super) fn roll_back(
        &mut self,
        connection: ConnectionId,
        id: TransactionId,
        reply_to: Caller,
        s: &mut impl Surroundings,
    ) {
        let known = self.transaction(id).is_some();
        if known {
            transaction_arrived(id, TransactionCommand::Rollback, s);
            self.end(id, false, s);
        }
        self.respond(connection, reply_to, !known, s);
    }

    /// `TransactionBroker.removeConnection`
    pub(super) fn roll_back_all_of(&mut self, connection: ConnectionId, s: &mut impl Surroundings) {
        let sessions = self
            .sessions
            .iter()
            .flat_map(|session| &session.transactions);
        let producers = self
            .producers
            .iter()
            .flat_map(|producer| &producer.transactions);
        let open: Vec<TransactionId> = sessions
            .chain(producers)
            .filter(|transaction| transaction.connection == connection)
            .map(|transaction| transaction.id)
            .collect();
        for id in open {
            rule!("connection-rolls-back");
            self.end(id, false, s);
        }
    }

    fn end(&mut self, id: TransactionId, committed: bool, s: &mut impl Surroundings) {
        let transactions = self.transactions_of(id.owner);
        let Some(index) = transactions
            .iter()
            .position(|transaction| transaction.id == id)
        else {
            return;
        };
        let mut synchronizations = transactions.swap_remove(index).synchronizations;
        if committed {
            rule!("commit-in-order");
            for synchronization in &synchronizations {
                self.after_commit(synchronization, s);
            }
        } else {
            for synchronization in synchronizations.iter().rev() {
                self.after_rollback(synchronization, s);
            }
        }
        synchronizations.clear();
        self.spare_synchronizations = synchronizations;
    }

    /// `Synchronization.afterCommit`
    fn after_commit(&mut self, synchronization: &Synchronization, s: &mut impl Surroundings) {
        match *synchronization {
            Synchronization::Acknowledged { consumer, message } => {
                self.commit_acknowledged(consumer, message, s);
                release(s, message);
            }
            Synchronization::TopicAck(ref ack) => self.commit_topic_ack(ack, s),
            Synchronization::Sent { message } => self.message_sent(message, s),
        }
    }

    /// `Synchronization.afterRollback`
    fn after_rollback(&mut self, synchronization: &Synchronization, s: &mut impl Surroundings) {
        match *synchronization {
            Synchronization::Acknowledged { consumer, message } => {
                self.roll_back_acknowledged(consumer, message, s);
                release(s, message);
            }
            Synchronization::TopicAck(ref ack) => self.roll_back_topic_ack(ack, s),
            Synchronization::Sent { message } => self.unsend(message, s),
        }
    }
}

/// Only sessions of consumers tell.
fn transaction_arrived(
    transaction: TransactionId,
    command: TransactionCommand,
    s: &mut impl Surroundings,
) {
    if let TransactionOwner::Session(_) = transaction.owner {
        s.emit(Fact::TransactionArrived {
            transaction,
            command,
        });
    }
}
