//! Broken networks and brokers that restart: what the failover transport does in time.

use super::{Event, World};
use crate::facts::{Fact, Observer};
use crate::kernel::{Span, Time};
use crate::wire::{ConnectionId, ConnectionIndex, ConsumerIndex};

/// `maxReconnectDelay` of the failover transport.
const LONGEST_RECONNECT_DELAY: Span = Span(30_000_000_000);

/// How far a transport is with its attempts to reconnect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reconnecting {
    delay: Span,
    /// Until when the network is broken.
    network_down_until: Time,
}

impl<O: Observer> World<'_, O> {
    /// The broker stops. Clients notice one latency later.
    pub(super) fn broker_stops(&mut self, restart: u32) {
        let spec = self.scenario.broker.restarts[restart as usize];
        self.broker_is_up = false;
        self.broker.stop(&mut self.shell);
        for connection in 0..self.scenario.connection_count() as ConnectionIndex {
            self.lose_network(connection);
            self.shell.lose_under_way(connection);
        }
        self.shell
            .at(self.shell.now + spec.down_for, Event::BrokerStarts);
    }

    /// The broker is back.
    pub(super) fn broker_starts(&mut self) {
        self.broker_is_up = true;
        self.broker.start_again(&mut self.shell);
    }

    /// The network of a consumer's connection breaks for some time.
    pub(super) fn network_breaks(&mut self, consumer: ConsumerIndex, disconnect: u32) {
        let connection = self.client.consumers[consumer as usize].connection;
        let spec = self.scenario.consumers[consumer as usize]
            .failures
            .disconnects[disconnect as usize];
        self.reconnecting[connection as usize].network_down_until = self.shell.now + spec.length;
        self.lose_network(connection);
        self.shell.break_connection(connection, None);
    }

    fn lose_network(&mut self, connection: ConnectionIndex) {
        if self.shell.is_connected(connection) {
            let id = self.shell.connection(connection);
            let notices = self.shell.now + self.shell.latency_down(connection);
            self.shell.cut(connection);
            self.shell.at(notices, Event::NetworkLost(id));
        }
    }

    /// The client's transport notices that its connection is gone, and begins to reconnect.
    pub(super) fn network_lost(&mut self, id: ConnectionId) {
        if id != self.shell.connection(id.index) {
            return;
        }
        self.shell.emit(Fact::Network {
            connection: id,
            up: false,
        });
        self.shell.hold(id.index);
        let initial = self.initial_delay(id.index);
        self.reconnecting[id.index as usize].delay = initial;
        self.shell
            .at(self.shell.now + initial, Event::Reconnects(id));
        if let Some(producer) = self.producer_of(id.index) {
            return self.producer_lost_network(producer);
        }
        self.client.interrupted(id.index, &mut self.shell);
        self.answer_all(id.index);
    }

    /// `initialReconnectDelay` of a connection.
    pub(super) fn initial_delay(&self, connection: ConnectionIndex) -> Span {
        let consumers = self.scenario.connections.get(connection as usize);
        let options = match consumers {
            Some(connection) => &connection.options,
            None => {
                let producer = connection as usize - self.scenario.connections.len();
                &self.scenario.producers[producer].options
            }
        };
        options.initial_reconnect_delay
    }

    /// Whose connection it is, if a producer's.
    pub(super) fn producer_of(&self, connection: ConnectionIndex) -> Option<u32> {
        (connection as usize)
            .checked_sub(self.scenario.connections.len())
            .map(|p| p as u32)
    }

    /// An attempt to reconnect.
    pub(super) fn reconnects(&mut self, id: ConnectionId) {
        if id != self.shell.connection(id.index) {
            return;
        }
        let state = &mut self.reconnecting[id.index as usize];
        if self.broker_is_up && self.shell.now >= state.network_down_until {
            let there = self.shell.latency_down(id.index);
            return self.shell.at(self.shell.now + there, Event::Reattached(id));
        }
        rule!("reconnect-delays");
        state.delay = Span(state.delay.0.saturating_mul(2)).min(LONGEST_RECONNECT_DELAY);
        let at = self.shell.now + state.delay;
        self.shell.at(at, Event::Reconnects(id));
    }

    /// There is a connection again: the transport repeats what is open, then sends what it held back.
    pub(super) fn reattached(&mut self, id: ConnectionId) {
        if id != self.shell.connection(id.index) {
            return;
        }
        if !self.broker_is_up {
            return self.shell.at(self.shell.now, Event::Reconnects(id));
        }
        let held = self.shell.held(id.index);
        let id = self.shell.begin_life(id.index);
        self.broker.connect(id);
        self.shell.emit(Fact::Network {
            connection: id,
            up: true,
        });
        if let Some(producer) = self.producer_of(id.index) {
            self.producer_has_network(producer, &held);
        } else {
            self.expect_replayed_answers(id.index);
            self.client.replay(id.index, &held, &mut self.shell);
        }
        for command in held {
            self.shell.send_up(id.index, command);
        }
    }
}
