//! The world joins applications, clients, links and broker, and runs them in virtual time.
//!
//! One event loop: the earliest event is taken from the queue and handled; handling it changes state machines, which
//! send commands over links, set timers and emit facts. Events at the same instant are handled in the order in which
//! they were scheduled. The broker's queue passes run to completion right after the command that requested them.
//!
//! What waits for what is modelled by *workers*, the threads of the real programs: one for each session (it calls the
//! listeners of its consumers, one after the other) and one for each consumer that calls `receive`; a producer's
//! thread is its own. A worker does one thing at a time, and what has to wait for an answer of the broker waits.

mod failover;
mod link;
mod lives;
mod producers;
mod shell;
mod workers;

use crate::application::{ConsumerApp, ProducerApp, SessionApp};
use crate::broker::{Broker, BrokerTimer};
use crate::client::{Client, ClientTimer};
use crate::facts::Observer;
use crate::kernel::{Due, Span, Time, print_of_draws};
use crate::rules::Rules;
use crate::scenario::Scenario;
use crate::wire::{
    Caller, ConnectionId, ConnectionIndex, ConsumerId, ConsumerIndex, DestinationIndex, Messages,
    ProducerIndex, SessionIndex, ToBroker, ToClient,
};

use link::{Arrival, UnderWay};
use lives::ConnectionState;
use producers::Sending;
use shell::{LaneOf, Ring, Shell};
use workers::Worker;

/// Without `until` a run is over when nothing is left to happen; broker checks and applications that poll go on for
/// ever, so after so long without anything else it is over as well. The recorder waits for as long.
const QUIET: Span = Span(1_000_000_000);

/// More events than this at one instant, and than so many for each message that was sent, mean that virtual time can't
/// get on.
const EVENTS_AT_ONE_INSTANT: u64 = 1_000_000;
const EVENTS_FOR_A_MESSAGE: u64 = 200;
/// More messages than this at once are too many: each takes some 300 bytes here and there.
const MOST_MESSAGES: usize = 10_000_000;

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    /// `until`, or when the last thing happened.
    pub ended_at: Time,
    /// Events handled.
    pub events: u64,
    /// Changes with every random draw.
    pub draws: u64,
    /// What is still held somewhere.
    pub messages: Messages,
}

/// Why a run was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GivenUp {
    /// Virtual time stands still.
    #[error(
        "no progress: {events} events at {at} of virtual time, and no end\n  = something repeats and takes no time: give it \
         a redelivery delay, `processing`, `restartAfter`, or a `network.latency`"
    )]
    NoProgress {
        /// Where time stopped.
        at: Time,
        /// Events at that instant.
        events: u64,
    },
    /// Messages come faster than they go, until memory is short.
    #[error(
        "too much waits: {held} messages at {at} of virtual time\n  = send fewer, send slower, consume faster, \
         or end earlier with `until`"
    )]
    TooManyMessages {
        /// When.
        at: Time,
        /// How many are held somewhere.
        held: usize,
    },
}

/// Runs a scenario from time 0 to its end. The same scenario gives the same facts, everywhere and always.
///
/// # Errors
/// [`GivenUp`] if virtual time stands still, or more messages wait than memory should hold.
pub fn simulate(scenario: &Scenario, mut observer: &mut dyn Observer) -> Result<RunEnd, GivenUp> {
    simulate_for(scenario, &mut observer)
}

/// The same for one kind of observer, for which the whole model is compiled once more: where a fact is emitted, what
/// the observer does with it becomes part of the model. Worth the minute only for whoever watches most runs.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_for<O: Observer>(scenario: &Scenario, observer: &mut O) -> Result<RunEnd, GivenUp> {
    let mut world = World::new(scenario, observer);
    world.open_at_start();
    world.run()
}

/// A thread of an application: a session's, or that of a consumer which calls receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WorkerId(u32);

/// What may happen at any time. What a connection, a worker or a producer does in order of time lies in its lane.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Event {
    /// A destination is done with its next dispatch, which goes onto its link.
    Departs(DestinationIndex),
    /// A timer of the broker rings.
    Broker(BrokerTimer),
    /// A timer of the client library rings.
    Client(ClientTimer),
    /// A session has had nothing to do for `commitWhenIdle`.
    Idle(SessionIndex, u64),
    /// The answer to a send got lost, and the producer notices.
    ReplyLost(ProducerIndex),
    /// A producer that lost its connection has it back.
    Reconnected(ProducerIndex),
    /// A consumer starts, for the first time.
    Start(ConsumerIndex),
    /// A consumer is stopped.
    Stop(ConsumerIndex),
    /// A consumer comes back after its orderly close.
    Reopen(ConsumerIndex),
    /// All consumers of a connection that died come back: which connection, which of its crashes.
    Restart(u32, u32),
    /// A connection is set up.
    Connected(ConnectionId),
    /// A process dies at a fixed time: the consumer, its crash.
    CrashAt(ConsumerIndex, u32),
    /// A renewal process kills a life.
    CrashOf(ConsumerId, u32),
    /// The broker stops: which restart of the scenario.
    BrokerStops(u32),
    /// The broker is back.
    BrokerStarts,
    /// The network of a consumer breaks: which of its disconnects.
    NetworkBreaks(ConsumerIndex, u32),
    /// A client notices that its connection is gone.
    NetworkLost(ConnectionId),
    /// A failover transport tries to reconnect.
    Reconnects(ConnectionId),
    /// A failover transport has a connection again.
    Reattached(ConnectionId),
}

impl Event {
    /// Whether it goes on by itself for ever and keeps no run alive.
    #[inline]
    fn is_background(&self) -> bool {
        match self {
            Event::Client(ClientTimer::ScheduledAck(_)) => true,
            Event::Broker(timer) => timer.is_background(),
            _ => false,
        }
    }
}

struct World<'a, O> {
    scenario: &'a Scenario,
    rules: Rules,
    shell: Shell<'a, O>,
    broker: Broker,
    client: Client,
    consumers: Vec<ConsumerApp>,
    sessions: Vec<SessionApp>,
    producers: Vec<ProducerApp>,
    sending: Vec<Sending>,
    workers: Vec<Worker>,
    connections: Vec<ConnectionState>,
    lives: lives::Lives,
    reconnecting: Vec<failover::Reconnecting>,
    broker_is_up: bool,
    quiet: Span,
    /// It is not over before this, as far as is known.
    goes_on_until: Time,
    stuck: Option<GivenUp>,
}

impl<'a, O: Observer> World<'a, O> {
    fn new(scenario: &'a Scenario, observer: &'a mut O) -> World<'a, O> {
        let workers = scenario.sessions.len() + scenario.consumers.len();
        let intervals = scenario.connections.iter();
        let longest = intervals
            .filter_map(|connection| connection.options.optimized_ack_scheduled_ack_interval)
            .max();
        World {
            rules: Rules::of(scenario.semantics),
            shell: Shell::new(scenario, workers, observer),
            broker: Broker::new(scenario),
            client: Client::new(scenario),
            consumers: scenario
                .consumers
                .iter()
                .map(|c| ConsumerApp::new(scenario, c))
                .collect(),
            sessions: (0..scenario.sessions.len())
                .map(|s| SessionApp::new(scenario, s))
                .collect(),
            producers: scenario
                .producers
                .iter()
                .map(|p| ProducerApp::new(scenario, p))
                .collect(),
            sending: (0..scenario.producers.len())
                .map(|producer| Sending::new(scenario, producer))
                .collect(),
            workers: (0..workers).map(|_| Worker::default()).collect(),
            connections: scenario
                .connections
                .iter()
                .map(|_| ConnectionState::default())
                .collect(),
            lives: lives::Lives::new(scenario),
            reconnecting: vec![Default::default(); scenario.connection_count()],
            broker_is_up: true,
            quiet: QUIET + longest.unwrap_or_default(),
            goes_on_until: Time::ZERO,
            stuck: None,
            scenario,
        }
    }

    fn run(mut self) -> Result<RunEnd, GivenUp> {
        self.shell.pause_after(self.goes_on_until);
        loop {
            let due = match self.shell.pop() {
                Some(due) => due,
                None => match self.look_up()? {
                    Some(due) => due,
                    None => break,
                },
            };
            self.handle(due);
        }
        let ended_at = self.scenario.until.unwrap_or(self.shell.last_activity);
        Ok(RunEnd {
            ended_at,
            events: self.shell.events(),
            draws: self.print_of_draws(),
            messages: self.shell.messages,
        })
    }

    /// Why the loop may have to end is looked at when it pauses, not for every event: it pauses when virtual time reaches
    /// what is known to be part of the run, and when a guard asks for it. What happens next; none if the run is over.
    #[cold]
    #[inline(never)]
    fn look_up(&mut self) -> Result<Option<Due>, GivenUp> {
        self.guard_time();
        if let Some(stuck) = self.stuck {
            return Err(stuck);
        }
        if self.is_over() {
            return Ok(None);
        }
        self.shell.pause_after(self.goes_on_until);
        Ok(self.shell.pop_first())
    }

    fn guard_time(&mut self) {
        let events = self.shell.events_at_instant;
        if events > self.shell.patience {
            let sent: u64 = self.producers.iter().map(|producer| producer.sent).sum();
            self.shell.patience = EVENTS_AT_ONE_INSTANT + EVENTS_FOR_A_MESSAGE * sent;
            if events > self.shell.patience {
                let at = self.shell.now;
                self.give_up(GivenUp::NoProgress { at, events });
            }
        }
    }

    /// Ends the run after the present event.
    fn give_up(&mut self, why: GivenUp) {
        self.stuck = Some(why);
        self.shell.pause();
    }

    fn print_of_draws(&self) -> u64 {
        let producers = self
            .producers
            .iter()
            .flat_map(|producer| producer.streams());
        let consumers = self
            .consumers
            .iter()
            .flat_map(|consumer| consumer.streams());
        let sessions = self.sessions.iter().map(|session| session.stream());
        let streams = producers.chain(consumers).chain(sessions);
        print_of_draws(streams.chain(self.shell.streams()))
    }

    /// Whether the run is cut off before the next event, or nothing is left to happen.
    fn is_over(&mut self) -> bool {
        let next = self.shell.next_time();
        if next <= self.goes_on_until {
            return false;
        }
        if let Some(until) = self.scenario.until {
            self.goes_on_until = until;
            return next > until;
        }
        self.goes_on_until = self.shell.last_activity + self.quiet;
        next > self.goes_on_until && self.shell.is_quiet()
    }

    #[inline(always)]
    fn handle(&mut self, due: Due) {
        let lane = match due {
            Due::Lane(lane) => lane,
            Due::Loose => return self.happens(),
        };
        match LaneOf::find(lane) {
            (LaneOf::Up, connection) => self.arrives_at_broker(connection),
            (LaneOf::Down, connection) => self.arrives_at_client(connection),
            (LaneOf::Worker, worker) => self.rings(WorkerId(worker)),
            (LaneOf::Producer, producer) => {
                self.shell.take_producer(producer);
                self.producer_acts(producer);
            }
        }
    }

    /// What does not happen for every message. Kept apart, so that the loop around what does stays small.
    #[inline(never)]
    fn happens(&mut self) {
        match self.shell.take_loose() {
            Event::Departs(destination) => self.shell.next_departs(destination),
            Event::Broker(timer) => self.broker.on_timer(timer, &mut self.shell),
            Event::Client(timer) => self.client_timer(timer),
            Event::Idle(session, deliveries) => self.session_is_idle(session, deliveries),
            Event::ReplyLost(producer) => self.reply_lost(producer),
            Event::Reconnected(producer) => self.producer_reconnected(producer),
            Event::Start(consumer) | Event::Reopen(consumer) => self.open(consumer),
            Event::Stop(consumer) => self.stop(consumer),
            Event::Restart(connection, crash) => self.restart(connection, crash),
            Event::Connected(connection) => self.connected(connection),
            Event::CrashAt(consumer, crash) => self.crash_at(consumer, crash),
            Event::CrashOf(consumer, crash) => self.crash_of(consumer, crash),
            Event::BrokerStops(restart) => self.broker_stops(restart),
            Event::BrokerStarts => self.broker_starts(),
            Event::NetworkBreaks(consumer, number) => self.network_breaks(consumer, number),
            Event::NetworkLost(connection) => self.network_lost(connection),
            Event::Reconnects(connection) => self.reconnects(connection),
            Event::Reattached(connection) => self.reattached(connection),
        }
    }

    #[inline(always)]
    fn rings(&mut self, worker: WorkerId) {
        match self.shell.take_ring(worker) {
            Ring::WorkEnds(turn) => self.work_ends(worker, turn),
            Ring::WaitEnds(turn) => self.wait_ends(worker, turn),
        }
    }

    #[inline(always)]
    fn arrives_at_broker(&mut self, index: ConnectionIndex) {
        let UnderWay { arrival, life } = &self.shell.take_up(index);
        let connection = ConnectionId { index, life: *life };
        match arrival {
            Arrival::Command(command) => self.at_broker(connection, command),
            Arrival::Broken => self.broker.connection_lost(connection, &mut self.shell),
            Arrival::Nothing => {}
        }
    }

    #[inline(always)]
    fn arrives_at_client(&mut self, index: ConnectionIndex) {
        let UnderWay { arrival, life } = &self.shell.take_down(index);
        if let Arrival::Command(command) = arrival {
            self.at_client(ConnectionId { index, life: *life }, command);
        }
    }

    #[inline(always)]
    fn at_broker(&mut self, connection: ConnectionId, command: &ToBroker) {
        if !self.broker_is_up {
            return self.shell.forget_command(command);
        }
        if let ToBroker::Message {
            message,
            lose_reply,
            ..
        } = *command
        {
            self.send_arrives(connection.index, message, lose_reply);
        }
        self.broker.handle(connection, command, &mut self.shell);
        if let ToBroker::Ack { ack, .. } = command {
            self.shell.forget_ack(ack);
        }
    }

    #[inline(always)]
    fn at_client(&mut self, connection: ConnectionId, command: &ToClient) {
        if connection != self.shell.connection(connection.index) {
            return self.arrives_at_nobody(command);
        }
        if self.is_transport_blocked(connection.index) {
            return self.connections[connection.index as usize]
                .behind_close
                .push(*command);
        }
        match *command {
            ToClient::Dispatch {
                consumer,
                message,
                redelivery_counter,
            } => {
                let arrived =
                    self.client
                        .on_dispatch(consumer, message, redelivery_counter, &mut self.shell);
                if let Some(session) = arrived {
                    self.wake_session(session);
                }
            }
            ToClient::Response {
                to: Caller::Producer(producer),
                failed,
            } => self.producer_answered(producer, failed),
            rare => self.at_client_rarely(connection, rare),
        }
    }

    /// What does not come for every message.
    #[inline(never)]
    fn at_client_rarely(&mut self, connection: ConnectionId, command: ToClient) {
        match command {
            ToClient::Dispatch { .. } => {}
            ToClient::Response { to, failed } => self.answered(connection, to, failed),
            ToClient::ProducerAck { producer, size } => self.window_opens(producer, size),
            ToClient::CloseConsumer(consumer) => self.closed_by_broker(consumer),
            ToClient::Prefetch { consumer, prefetch } => {
                self.client.consumers[consumer.index as usize].current_prefetch = prefetch;
            }
            ToClient::Disconnect => self.disconnected_by_broker(connection.index),
        }
    }

    /// The client it was meant for is dead.
    fn arrives_at_nobody(&mut self, command: &ToClient) {
        if let ToClient::Dispatch {
            message: Some(message),
            ..
        } = *command
        {
            self.shell.release_message(message);
        }
    }

    fn answered(&mut self, connection: ConnectionId, to: Caller, failed: bool) {
        match to {
            Caller::Producer(producer) => self.producer_answered(producer, failed),
            Caller::Session(session) => self.session_answered(session, failed),
            Caller::Consumer(consumer) => self.consumer_answered(consumer, failed),
            Caller::Connection => self.connection_closed(connection.index),
        }
    }

    fn client_timer(&mut self, timer: ClientTimer) {
        if let Some(consumer) = self.client.on_timer(timer, &mut self.shell) {
            self.wake_consumer(consumer);
        }
    }
}
