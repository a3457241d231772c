//! Connections at the broker (`TransportConnection`): their lives, and commands that wait because a
//! send blocks them.

use std::collections::VecDeque;

use crate::facts::Removal;
use crate::wire::{Caller, ConnectionId, ConsumerId, SessionIndex, ToBroker, ToClient};

use super::producer::not_enqueued;
use super::{Broker, LAST_DELIVERED_UNKNOWN, Surroundings};

/// In the place of the life that is read from: there is none, or more than one is left. No life has
/// this number.
pub(super) const NOT_READING: u32 = u32::MAX;

/// One life of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub life: u32,
    /// A send waits for memory in its thread: nothing else is read.
    pub blocked: bool,
    /// What arrived meanwhile.
    pub backlog: VecDeque<ToBroker>,
    /// What has subscribed on it.
    pub consumers: Vec<ConsumerId>,
}

impl Broker {
    /// A connection begins: its ConnectionInfo arrived.
    pub fn connect(&mut self, connection: ConnectionId) {
        if !self.stopped && !self.is_connected(connection) {
            self.connections[connection.index as usize].push(Connection {
                life: connection.life,
                blocked: false,
                backlog: VecDeque::new(),
                consumers: Vec::new(),
            });
            self.note_reading(connection);
        }
    }

    /// Whether the broker reads from this life of a connection, and no other life of it is left.
    #[inline]
    pub(super) fn is_reading(&self, id: ConnectionId) -> bool {
        self.reading[id.index as usize] == id.life
    }

    /// Lives of a connection began, ended or blocked.
    fn note_reading(&mut self, id: ConnectionId) {
        self.reading[id.index as usize] = match &self.connections[id.index as usize][..] {
            [only] if !only.blocked => only.life,
            _ => NOT_READING,
        };
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let lives = &mut self.connections[id.index as usize];
        lives
            .iter_mut()
            .find(|connection| connection.life == id.life)
    }

    pub(super) fn is_connected(&self, id: ConnectionId) -> bool {
        self.connections[id.index as usize]
            .iter()
            .any(|connection| connection.life == id.life)
    }

    #[inline]
    pub(super) fn respond(
        &self,
        connection: ConnectionId,
        to: Caller,
        failed: bool,
        s: &mut impl Surroundings,
    ) {
        if self.is_reading(connection) || self.is_connected(connection) {
            s.send(connection, ToClient::Response { to, failed });
        }
    }

    pub(super) fn connection_blocks(&mut self, id: ConnectionId, blocked: bool) {
        if let Some(connection) = self.connection(id) {
            connection.blocked = blocked;
            for consumer in connection.consumers.clone() {
                self.note_plain_acks(consumer, !blocked);
            }
            self.note_reading(id);
        }
    }

    /// The broker reads again what a blocked connection sent meanwhile, until that blocks it once
    /// more.
    pub(super) fn connection_goes_on(&mut self, id: ConnectionId, s: &mut impl Surroundings) {
        self.connection_blocks(id, false);
        while let Some(connection) = self.connection(id) {
            if connection.blocked {
                return;
            }
            let Some(command) = connection.backlog.pop_front() else {
                return;
            };
            self.execute(id, &command, s);
        }
    }

    /// `processRemoveSession`: all its consumers that are left. Its open transaction stays.
    pub(super) fn remove_session(
        &mut self,
        id: ConnectionId,
        session: SessionIndex,
        last_delivered: i64,
        s: &mut impl Surroundings,
    ) {
        let consumers = self
            .connection(id)
            .map(|c| c.consumers.clone())
            .unwrap_or_default();
        for consumer in consumers {
            if self.consumers[consumer.index as usize].session == session as usize {
                self.remove_consumer(consumer, last_delivered, Removal::Close, s);
            }
        }
    }

    /// `processRemoveConnection`: first all consumers, session by session, then the open
    /// transactions.
    pub(super) fn remove_connection(
        &mut self,
        id: ConnectionId,
        last_delivered: i64,
        removal: Removal,
        s: &mut impl Surroundings,
    ) {
        let Some(connection) = self.connection(id) else {
            return;
        };
        let mut consumers = connection.consumers.clone();
        consumers.sort_by_key(|consumer| {
            (
                self.consumers[consumer.index as usize].session,
                consumer.index,
            )
        });
        for consumer in consumers {
            self.remove_consumer(consumer, last_delivered, removal, s);
        }
        self.roll_back_all_of(id, s);
        self.abandon_blocked_sends(id, s);
        let backlog = self.connection(id).map(|c| std::mem::take(&mut c.backlog));
        for command in backlog.unwrap_or_default() {
            drop_command(command, s);
        }
        self.connections[id.index as usize].retain(|connection| connection.life != id.life);
        self.note_reading(id);
    }

    /// The broker sees a connection break. What is handed to its other consumers while it removes
    /// them one by one goes nowhere.
    pub(super) fn lose_connection(&mut self, id: ConnectionId, s: &mut impl Surroundings) {
        rule!("plain-transport");
        let outer = self.stopping.replace(id);
        self.remove_connection(id, LAST_DELIVERED_UNKNOWN, Removal::Lost, s);
        self.stopping = outer;
    }

    /// A failover transport subscribes again: its previous connection, if the broker still believes
    /// in it, is stale (`processAddConnection`).
    pub(super) fn lose_previous_lives(&mut self, id: ConnectionId, s: &mut impl Surroundings) {
        let lives = &self.connections[id.index as usize];
        let stale: Vec<u32> = lives
            .iter()
            .map(|connection| connection.life)
            .filter(|&life| life < id.life)
            .collect();
        for life in stale {
            self.lose_connection(ConnectionId { life, ..id }, s);
        }
    }

    /// `processRemoveConsumer`: ignored if it is removed already.
    pub(super) fn remove_consumer(
        &mut self,
        consumer: ConsumerId,
        last_delivered: i64,
        removal: Removal,
        s: &mut impl Surroundings,
    ) {
        if let Some(subscription) = self.find(consumer) {
            self.remove_subscription(subscription, last_delivered, removal, s);
        }
    }
}

/// A command that finds no connection ends; a message with it.
pub(super) fn drop_command(command: ToBroker, s: &mut impl Surroundings) {
    if let ToBroker::Message { message, .. } = command {
        not_enqueued(message, false, s);
    }
}
