//! The JMS client library of ActiveMQ 5.17.2 as a state machine: what application and broker do goes in, commands,
//! timers and facts come out. It knows neither links nor threads; whoever drives it calls a method where the real
//! library would be called, and hands a message to the application where [`Step`] or [`Received`] says so.
//!
//! | here | in ActiveMQ |
//! | --- | --- |
//! | [`Consumer`] | `ActiveMQMessageConsumer` |
//! | [`Session`] | `ActiveMQSession` with its `ActiveMQSessionExecutor` |
//! | [`TransactionContext`] | `TransactionContext` |
//! | [`redelivery`] | `RedeliveryPolicy` |

mod acknowledge;
mod buffer;
mod close;
mod consumer;
mod delivered;
mod failover;
mod receive;
pub mod redelivery;
mod rollback;
mod session;
mod transaction;

pub use buffer::{Buffer, Delivery};
pub use consumer::Consumer;
use consumer::Obstacles;
pub use delivered::Delivered;
use failover::Seen;
pub use receive::Received;
pub use session::{Commit, Job, Session, Step};
pub use transaction::TransactionContext;

use crate::facts::Fact;
use crate::kernel::Time;
use crate::rules::Rules;
use crate::scenario::{AcknowledgeMode, DestinationKind, Receive, Scenario};
use crate::wire::{
    ConnectionIndex, ConsumerId, ConsumerIndex, MessageRef, Messages, SessionIndex, ToBroker,
};

/// What the library needs of its surroundings.
pub trait Surroundings {
    /// The present instant.
    fn now(&self) -> Time;
    /// The arena.
    fn messages(&self) -> &Messages;
    /// The arena, to hold messages.
    fn messages_mut(&mut self) -> &mut Messages;
    /// A command for the broker.
    fn send(&mut self, connection: ConnectionIndex, command: ToBroker);
    /// Calls [`Client::on_timer`] later.
    fn set_timer(&mut self, at: Time, timer: ClientTimer);
    /// Something happened.
    fn emit(&mut self, fact: Fact);
    /// A factor from -1 to 1 for collision avoidance: a sign and a uniform draw, of the consumer's own stream.
    fn collision(&mut self, consumer: ConsumerIndex) -> f64;

    /// Lets go of a message.
    #[inline(always)]
    fn release(&mut self, message: MessageRef) {
        if !self.messages_mut().release_but_last(message) {
            self.release_last(message);
        }
    }

    /// The last party lets go of a message. A function of its own: most releases are not the last.
    #[inline(never)]
    fn release_last(&mut self, message: MessageRef) {
        self.emit(Fact::Released { message });
        self.messages_mut().remove(message);
    }
}

/// Timers of the library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientTimer {
    /// The delay of a local redelivery is over.
    Redeliver {
        /// Whose.
        consumer: ConsumerId,
        /// Which batch.
        batch: u32,
    },
    /// `optimizedAckScheduledAckInterval`
    ScheduledAck(ConsumerId),
    /// Article semantics: `optimizeAcknowledgeTimeOut` as a timer.
    OptimizeTimeOut(ConsumerId),
}

/// All clients of a scenario: their sessions and consumers, by index.
pub struct Client {
    /// By session index.
    pub sessions: Vec<Session>,
    /// By consumer index.
    pub consumers: Vec<Consumer>,
    /// By connection: what a failover transport's duplicate filter knows.
    seen: Vec<Seen>,
}

impl Client {
    /// Nothing is open yet.
    pub fn new(scenario: &Scenario) -> Client {
        let rules = Rules::of(scenario.semantics);
        let failover = scenario.failover_connections();
        let connections = scenario.connections.iter().zip(failover);
        // The filter works on failover transports only.
        let seen: Vec<Seen> = connections
            .map(|(connection, failover)| {
                Seen::new(connection.options.check_for_duplicates && failover)
            })
            .collect();
        Client {
            sessions: (0..scenario.sessions.len())
                .map(|session| Session::new(scenario, session))
                .collect(),
            consumers: (0..scenario.consumers.len())
                .map(|consumer| Consumer::new(scenario, consumer, rules, &seen))
                .collect(),
            seen,
        }
    }

    /// A new life of a consumer begins, on a session that is open: `createConsumer`, before the broker knows.
    pub fn open(&mut self, id: ConsumerId, s: &mut impl Surroundings) {
        let consumer = &mut self.consumers[id.index as usize];
        consumer.open(id, s.now());
        self.sessions[consumer.session as usize].add(id.index);
        if consumer.optimize()
            && let Some(interval) = consumer.options.optimized_ack_scheduled_ack_interval
        {
            s.set_timer(s.now() + interval, ClientTimer::ScheduledAck(id));
        }
    }

    /// The answer to ConsumerInfo is there: messages may be consumed.
    pub fn start(&mut self, consumer: ConsumerIndex) {
        self.consumers[consumer as usize].run(true);
    }

    /// Nothing more is handed over (`ActiveMQMessageConsumer.stop`).
    pub fn stop(&mut self, consumer: ConsumerIndex) {
        self.consumers[consumer as usize].run(false);
    }

    /// The consumer and the session it belongs to.
    #[inline]
    pub fn pair(&mut self, consumer: ConsumerIndex) -> (&mut Consumer, &mut Session) {
        let consumer = &mut self.consumers[consumer as usize];
        let session = &mut self.sessions[consumer.session as usize];
        (consumer, session)
    }

    /// The session that a consumer belongs to.
    pub fn session_of(&self, consumer: ConsumerIndex) -> SessionIndex {
        self.consumers[consumer as usize].session
    }

    /// A timer of the library rings. The consumer whose buffer may have something to deliver now, if any.
    pub fn on_timer(
        &mut self,
        timer: ClientTimer,
        s: &mut impl Surroundings,
    ) -> Option<ConsumerIndex> {
        let (ClientTimer::Redeliver { consumer: id, .. }
        | ClientTimer::ScheduledAck(id)
        | ClientTimer::OptimizeTimeOut(id)) = timer;
        if self.consumers[id.index as usize].id != id || !self.consumers[id.index as usize].is_open
        {
            return None;
        }
        match timer {
            ClientTimer::Redeliver { batch, .. } => {
                self.redeliver(id.index, batch);
                Some(id.index)
            }
            ClientTimer::ScheduledAck(_) => {
                rule!("optimize-timer");
                let (consumer, session) = self.pair(id.index);
                consumer.deliver_acks(session, s);
                if let Some(interval) = consumer.options.optimized_ack_scheduled_ack_interval {
                    s.set_timer(s.now() + interval, timer);
                }
                None
            }
            ClientTimer::OptimizeTimeOut(_) => {
                let (consumer, session) = self.pair(id.index);
                consumer.optimize_time_out(session, s);
                None
            }
        }
    }

    /// The process died: nothing is sent, everything is forgotten.
    pub fn crash(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) {
        rule!("crash-sends-nothing");
        let consumer = &mut self.consumers[consumer as usize];
        let session = &mut self.sessions[consumer.session as usize];
        consumer.forget_everything(s);
        self.seen[consumer.connection as usize].clear();
        session.forget(consumer.id, s);
        if session.consumers.is_empty() {
            session.transaction.forget(s);
            session.awaiting = 0;
        }
    }
}

/// What decides how a consumer acknowledges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// AUTO, or DUPS_OK on a queue (`isAutoAcknowledgeEach`).
    AutoEach,
    /// DUPS_OK on a topic (`isAutoAcknowledgeBatch`).
    AutoBatch,
    /// CLIENT.
    Client,
    /// INDIVIDUAL.
    Individual,
    /// SESSION_TRANSACTED.
    Transacted,
}

impl Style {
    fn of(mode: AcknowledgeMode, kind: DestinationKind) -> Style {
        match (mode, kind) {
            (AcknowledgeMode::Auto, _) | (AcknowledgeMode::DupsOk, DestinationKind::Queue) => {
                Style::AutoEach
            }
            (AcknowledgeMode::DupsOk, DestinationKind::Topic) => Style::AutoBatch,
            (AcknowledgeMode::Client, _) => Style::Client,
            (AcknowledgeMode::Individual, _) => Style::Individual,
            (AcknowledgeMode::SessionTransacted, _) => Style::Transacted,
        }
    }
}

/// Whether the library calls the application, else the application calls receive.
fn is_listener(receive: Receive) -> bool {
    receive == Receive::Listener
}
