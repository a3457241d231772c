//! The broker stops and comes back.

use crate::facts::Fact;
use crate::wire::ConnectionId;

use super::audit::MessageAudit;
use super::producer::not_enqueued;
use super::{Broker, Surroundings};

impl Broker {
    /// The broker stops. All connections are lost; persistent messages and durable subscriptions
    /// survive, redelivery counters and everything else that is only in memory do not.
    pub fn stop(&mut self, s: &mut impl Surroundings) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.run += 1;
        s.emit(Fact::BrokerUp { up: false });
        self.end_delays(None, s);
        for connection in self.all_connections() {
            self.lose_connection(connection, s);
        }
        self.wanted.clear();
        for destination in 0..self.destinations.len() {
            self.shut_down(destination, s);
        }
        self.dead_letter_audits.fill(MessageAudit::default());
    }

    /// The broker comes back.
    pub fn start_again(&mut self, s: &mut impl Surroundings) {
        if !self.stopped {
            return;
        }
        self.stopped = false;
        s.emit(Fact::BrokerUp { up: true });
        self.start(s);
        for message in std::mem::take(&mut self.overdue) {
            self.redeliver(message, s);
        }
        self.run_passes(s);
    }

    fn all_connections(&self) -> Vec<ConnectionId> {
        let connections = self.connections.iter().enumerate();
        connections
            .flat_map(|(index, lives)| {
                lives.iter().map(move |life| ConnectionId {
                    index: index as u32,
                    life: life.life,
                })
            })
            .collect()
    }

    fn shut_down(&mut self, destination: usize, s: &mut impl Surroundings) {
        let stopped = &mut self.destinations[destination];
        stopped.wakeups = 0;
        if let Some(strategy) = &mut stopped.slow_strategy {
            strategy.reset();
        }
        for send in std::mem::take(&mut stopped.parked) {
            not_enqueued(send.message, false, s);
        }
        if self.destinations[destination].is_queue() {
            self.shut_down_queue(destination, s);
        } else {
            self.shut_down_durables(destination, s);
        }
    }
}
