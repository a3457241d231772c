//! Lives of consumers, sessions and connections: opening, orderly closing, crashing, coming back.

use super::workers::Task;
use super::{Event, WorkerId, World};
use crate::facts::{Fact, Observer, Outcome};
use crate::kernel::{Span, Time};
use crate::scenario::{CrashTrigger, Scenario};
use crate::wire::{
    ConnectionId, ConnectionIndex, ConsumerId, ConsumerIndex, SessionIndex, ToBroker, ToClient,
};

/// Where a consumer is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    /// Not there.
    #[default]
    Absent,
    /// Waits for its connection, or for a session whose listener is at work.
    Waiting,
    /// createConsumer waits for the broker's answer.
    Subscribing,
    /// May be given messages.
    Active,
}

/// Where a connection of consumers is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum ConnectionPhase {
    #[default]
    Down,
    SettingUp,
    Up,
    Closing,
}

#[derive(Default)]
pub(super) struct ConnectionState {
    phase: ConnectionPhase,
    /// Consumers that open as soon as it is up.
    waiting: Vec<ConsumerIndex>,
    /// Consumers that open again so long after it is closed.
    reopening: Vec<(ConsumerIndex, Span)>,
    /// Consumers that come back after a crash, by number of the crash.
    restarting: Vec<(u32, Vec<ConsumerIndex>)>,
    crashes: u32,
    /// What arrived while the transport's thread waited for a listener.
    pub(super) behind_close: Vec<ToClient>,
}

/// What belongs to lives, by index of consumers or sessions.
pub(super) struct Lives {
    phases: Vec<Phase>,
    /// Consumers whose answer to ConsumerInfo is not waited for: they had subscribed before time 0.
    prepared: Vec<bool>,
    /// Consumers that are stopped before they are ready.
    stops_when_ready: Vec<bool>,
    /// By session: whose call ends the transaction that the broker is asked to end, and whether it commits.
    pub(super) ending: Vec<Option<(ConsumerIndex, bool)>>,
    /// By session: it closes as soon as its rollback is answered; last delivered sequence id.
    pub(super) closing: Vec<Option<i64>>,
    /// By session: consumers that subscribe once its worker is free.
    waiting: Vec<Vec<ConsumerIndex>>,
    /// How many these are: nearly always none, so that the worker of a session need not look for its own.
    waiting_count: usize,
    /// By session: consumers that are there.
    open: Vec<u32>,
    /// Closes that the broker asked for, and that wait on the transport's thread for a listener: of which connection,
    /// which consumer. At most one for each connection, and nearly never any.
    held_up_closes: Vec<(ConnectionIndex, ConsumerIndex)>,
}

impl Lives {
    pub(super) fn new(scenario: &Scenario) -> Lives {
        let (consumers, sessions) = (scenario.consumers.len(), scenario.sessions.len());
        Lives {
            phases: vec![Phase::Absent; consumers],
            prepared: vec![false; consumers],
            stops_when_ready: vec![false; consumers],
            ending: vec![None; sessions],
            closing: vec![None; sessions],
            waiting: vec![Vec::new(); sessions],
            waiting_count: 0,
            open: vec![0; sessions],
            held_up_closes: Vec::new(),
        }
    }

    fn wait_for_session(&mut self, session: SessionIndex, consumer: ConsumerIndex) {
        self.waiting[session as usize].push(consumer);
        self.waiting_count += 1;
    }

    /// Whether any consumer waits for its session.
    #[inline]
    pub(super) fn some_wait(&self) -> bool {
        self.waiting_count > 0
    }

    /// They wait no more.
    fn take_waiting(&mut self, session: SessionIndex) -> Vec<ConsumerIndex> {
        let waiting = std::mem::take(&mut self.waiting[session as usize]);
        self.waiting_count -= waiting.len();
        waiting
    }

    /// Whether a close waits for any listener.
    #[inline]
    pub(super) fn a_close_waits(&self) -> bool {
        !self.held_up_closes.is_empty()
    }
}

impl<O: Observer> World<'_, O> {
    // ── time 0 ──

    /// Time 0 is when the broker runs, all connections are open, and consumers with `start` 0 have subscribed.
    pub(super) fn open_at_start(&mut self) {
        self.broker.start(&mut self.shell);
        for connection in 0..self.scenario.connection_count() as ConnectionIndex {
            let id = self.shell.begin_life(connection);
            self.broker.connect(id);
            if let Some(state) = self.connections.get_mut(connection as usize) {
                state.phase = ConnectionPhase::Up;
            }
        }
        for (index, spec) in self.scenario.consumers.iter().enumerate() {
            let consumer = index as ConsumerIndex;
            if spec.start == Time::ZERO {
                self.open_prepared(consumer);
            } else {
                self.shell.at(spec.start, Event::Start(consumer));
            }
        }
        for (index, spec) in self.scenario.consumers.iter().enumerate() {
            self.schedule_fixed_times(index as ConsumerIndex, spec.stop);
        }
        for (number, restart) in self.scenario.broker.restarts.iter().enumerate() {
            self.shell.at(restart.at, Event::BrokerStops(number as u32));
        }
        for producer in 0..self.scenario.producers.len() {
            self.schedule_arrival(producer as u32);
        }
    }

    fn schedule_fixed_times(&mut self, consumer: ConsumerIndex, stop: Option<Time>) {
        if let Some(stop) = stop {
            self.shell.at(stop, Event::Stop(consumer));
        }
        let disconnects = &self.scenario.consumers[consumer as usize]
            .failures
            .disconnects;
        for (number, disconnect) in disconnects.iter().enumerate() {
            self.shell
                .at(disconnect.at, Event::NetworkBreaks(consumer, number as u32));
        }
        let crashes = &self.scenario.consumers[consumer as usize].failures.crashes;
        for (number, crash) in crashes.iter().enumerate() {
            if let CrashTrigger::At(at) = crash.trigger {
                self.shell.at(at, Event::CrashAt(consumer, number as u32));
            }
        }
    }

    fn open_prepared(&mut self, consumer: ConsumerIndex) {
        if !self.consumers[consumer as usize].wants_to_open(Time::ZERO) {
            return;
        }
        let id = self.enter_session(consumer);
        self.client.open(id, &mut self.shell);
        self.lives.prepared[consumer as usize] = true;
        let command = self.add_consumer(id);
        let connection = self.client.consumers[consumer as usize].connection;
        self.broker
            .handle(self.shell.connection(connection), &command, &mut self.shell);
        self.schedule_renewal_crashes(id);
        self.ready(consumer);
    }

    // ── opening ──

    /// A consumer opens, on the connection and session that it shares or on new ones.
    pub(super) fn open(&mut self, consumer: ConsumerIndex) {
        let wants = self.consumers[consumer as usize].wants_to_open(self.shell.now);
        if !wants || self.lives.phases[consumer as usize] != Phase::Absent {
            return;
        }
        let connection = self.client.consumers[consumer as usize].connection;
        let state = &mut self.connections[connection as usize];
        match state.phase {
            ConnectionPhase::Up => self.begin_life(consumer),
            ConnectionPhase::SettingUp | ConnectionPhase::Closing => state.waiting.push(consumer),
            ConnectionPhase::Down => {
                state.waiting.push(consumer);
                self.set_up(connection);
            }
        }
    }

    fn set_up(&mut self, connection: ConnectionIndex) {
        self.connections[connection as usize].phase = ConnectionPhase::SettingUp;
        let watches = self.scenario.connections[connection as usize]
            .options
            .watch_topic_advisories;
        let length = self.shell.set_up_time(connection, watches);
        let id = self.shell.begin_life(connection);
        self.shell.at(self.shell.now + length, Event::Connected(id));
    }

    /// The connection can be used.
    pub(super) fn connected(&mut self, id: ConnectionId) {
        let state = &mut self.connections[id.index as usize];
        if id != self.shell.connection(id.index) || state.phase != ConnectionPhase::SettingUp {
            return;
        }
        if !self.broker_is_up {
            let retry = self.shell.now + self.initial_delay(id.index);
            return self.shell.at(retry, Event::Connected(id));
        }
        state.phase = ConnectionPhase::Up;
        self.broker.connect(id);
        for consumer in std::mem::take(&mut self.connections[id.index as usize].waiting) {
            self.begin_life(consumer);
        }
    }

    /// A consumer joins its session: a new life.
    fn enter_session(&mut self, consumer: ConsumerIndex) -> ConsumerId {
        let app = &mut self.consumers[consumer as usize];
        app.open();
        let id = ConsumerId {
            index: consumer,
            life: app.lives,
        };
        let session = self.client.session_of(consumer);
        if self.lives.open[session as usize] == 0 {
            self.sessions[session as usize].open();
        }
        self.lives.open[session as usize] += 1;
        self.shell.emit(Fact::Subscribing { consumer: id });
        id
    }

    /// `createConsumer`. One with a listener stops and starts its session, so it waits for a listener that is at work;
    /// and for the end of the transaction to which the close of its last life was postponed.
    fn begin_life(&mut self, consumer: ConsumerIndex) {
        let session = self.client.session_of(consumer);
        let is_busy = self.workers[session as usize].task != Task::Idle;
        let is_closing = self.lives.closing[session as usize].is_some();
        if is_busy || is_closing || self.client.consumers[consumer as usize].is_open {
            rule!("listener-waits-for-session");
            self.lives.phases[consumer as usize] = Phase::Waiting;
            return self.lives.wait_for_session(session, consumer);
        }
        self.subscribe(consumer);
    }

    /// The worker of a session is free: consumers that waited for it subscribe, but for those whose last life is still
    /// to be closed.
    #[inline(always)]
    pub(super) fn subscribe_waiting(&mut self, session: SessionIndex) {
        if self.lives.some_wait() {
            self.subscribe_all_that_wait(session);
        }
    }

    #[inline(never)]
    fn subscribe_all_that_wait(&mut self, session: SessionIndex) {
        for consumer in self.lives.take_waiting(session) {
            if self.client.consumers[consumer as usize].is_open {
                self.lives.wait_for_session(session, consumer);
            } else {
                self.subscribe(consumer);
            }
        }
    }

    fn subscribe(&mut self, consumer: ConsumerIndex) {
        let id = self.enter_session(consumer);
        self.lives.phases[consumer as usize] = Phase::Subscribing;
        if self.client.consumers[consumer as usize].is_listener() {
            self.restart_session(self.client.session_of(consumer));
        }
        self.client.open(id, &mut self.shell);
        let command = self.add_consumer(id);
        let connection = self.client.consumers[consumer as usize].connection;
        self.shell.send_up(connection, command);
        self.schedule_renewal_crashes(id);
    }

    fn schedule_renewal_crashes(&mut self, id: ConsumerId) {
        for (crash, after) in self.consumers[id.index as usize].renewal_crashes() {
            self.shell
                .at(self.shell.now + after, Event::CrashOf(id, crash as u32));
        }
    }

    /// A session that is stopped and started: whoever was paused for a redelivery runs again early.
    fn restart_session(&mut self, session: SessionIndex) {
        for place in 0..self.client.sessions[session as usize].consumers.len() {
            let consumer = self.client.sessions[session as usize].consumers[place];
            if self.is_active(consumer) {
                rule!(
                    "restart-ends-pauses",
                    !self.client.consumers[consumer as usize].is_running()
                );
                self.client.start(consumer);
            }
        }
    }

    fn add_consumer(&self, consumer: ConsumerId) -> ToBroker {
        let prefetch = self.client.consumers[consumer.index as usize].prefetch;
        ToBroker::AddConsumer {
            consumer,
            prefetch,
            replayed: false,
        }
    }

    /// The failover transport repeats ConsumerInfo: the answers are nobody's but those who subscribe.
    pub(super) fn expect_replayed_answers(&mut self, connection: ConnectionIndex) {
        for consumer in 0..self.scenario.consumers.len() {
            let this = &self.client.consumers[consumer];
            self.lives.prepared[consumer] = this.connection == connection
                && this.is_open
                && self.lives.phases[consumer] != Phase::Subscribing;
        }
    }

    /// A transport without connection answers what waits: acks with success, the end of a transaction with failure.
    pub(super) fn answer_all(&mut self, connection: ConnectionIndex) {
        for consumer in 0..self.scenario.consumers.len() as ConsumerIndex {
            let this = &mut self.client.consumers[consumer as usize];
            if this.connection == connection && std::mem::take(&mut this.awaiting) > 0 {
                self.consumer_answered(consumer, true);
            }
        }
        for session in 0..self.scenario.sessions.len() as SessionIndex {
            let this = &mut self.client.sessions[session as usize];
            if this.connection == connection && std::mem::take(&mut this.awaiting) > 0 {
                self.session_answered(session, true);
            }
        }
        self.connection_closed(connection);
    }

    /// Whether an answer for this consumer is the one to ConsumerInfo.
    pub(super) fn is_subscribing(&mut self, consumer: ConsumerIndex) -> bool {
        std::mem::take(&mut self.lives.prepared[consumer as usize])
            || self.lives.phases[consumer as usize] == Phase::Subscribing
    }

    /// The broker answered ConsumerInfo.
    pub(super) fn subscribed(&mut self, consumer: ConsumerIndex) {
        if self.lives.phases[consumer as usize] == Phase::Subscribing {
            self.ready(consumer);
        }
    }

    /// Messages may be handed over from now on.
    fn ready(&mut self, consumer: ConsumerIndex) {
        self.lives.phases[consumer as usize] = Phase::Active;
        self.client.start(consumer);
        let id = self.client.consumers[consumer as usize].id;
        self.shell.emit(Fact::Started { consumer: id });
        if std::mem::take(&mut self.lives.stops_when_ready[consumer as usize]) {
            self.close(consumer, None);
        } else if self.client.consumers[consumer as usize].is_listener() {
            self.wake_session(self.client.session_of(consumer));
        } else {
            self.wake_session(self.client.session_of(consumer));
            self.receive(consumer);
        }
    }

    pub(super) fn is_active(&self, consumer: ConsumerIndex) -> bool {
        self.lives.phases[consumer as usize] == Phase::Active
    }

    // ── closing ──

    /// `stop`: closes cleanly, once the delivery in progress is done with.
    pub(super) fn stop(&mut self, consumer: ConsumerIndex) {
        match self.lives.phases[consumer as usize] {
            Phase::Absent => {}
            Phase::Waiting | Phase::Subscribing => {
                self.lives.stops_when_ready[consumer as usize] = true;
            }
            Phase::Active => {
                let app = &mut self.consumers[consumer as usize];
                if app.is_delivering {
                    app.close_after_delivery();
                } else {
                    self.close(consumer, None);
                }
            }
        }
    }

    /// Closes a consumer, with its session and connection if no other consumer is left on them.
    pub(super) fn close(&mut self, consumer: ConsumerIndex, restart_after: Option<Span>) {
        if self.lives.phases[consumer as usize] != Phase::Active {
            return;
        }
        self.lives.phases[consumer as usize] = Phase::Absent;
        let id = self.client.consumers[consumer as usize].id;
        self.shell.emit(Fact::Closed { consumer: id });
        self.client.close_consumer(consumer, &mut self.shell);
        if !self.client.consumers[consumer as usize].is_listener() {
            self.abandon(self.worker_of(consumer));
        }
        let session = self.client.session_of(consumer);
        let connection = self.client.consumers[consumer as usize].connection;
        if let Some(after) = restart_after {
            self.connections[connection as usize]
                .reopening
                .push((consumer, after));
        }
        self.lives.open[session as usize] -= 1;
        if self.lives.open[session as usize] == 0 {
            self.close_session(session);
        } else {
            self.reopen_later(connection);
        }
    }

    fn close_session(&mut self, session: SessionIndex) {
        let (last_delivered, waits) = self.client.dispose_session(session, &mut self.shell);
        self.lives.closing[session as usize] = Some(last_delivered);
        if waits {
            self.client.sessions[session as usize].awaiting += 1;
            self.lives.ending[session as usize] = Some((0, false));
        } else {
            self.session_rolled_back(session);
        }
    }

    /// A session that closes has nothing open any more: the broker learns that it is gone.
    pub(super) fn session_rolled_back(&mut self, session: SessionIndex) {
        let Some(last_delivered) = self.lives.closing[session as usize].take() else {
            return;
        };
        self.client
            .remove_session(session, last_delivered, &mut self.shell);
        self.abandon(WorkerId(session));
        let connection = self.client.sessions[session as usize].connection;
        if self.is_used(connection) {
            self.reopen_later(connection);
            self.subscribe_waiting(session);
        } else {
            self.connections[connection as usize].phase = ConnectionPhase::Closing;
            let command = ToBroker::RemoveConnection { last_delivered: -1 };
            self.shell.send_up(connection, command);
        }
    }

    /// Whether a session of the connection is open, or about to be.
    fn is_used(&self, connection: ConnectionIndex) -> bool {
        self.scenario
            .sessions
            .iter()
            .enumerate()
            .any(|(session, spec)| {
                spec.connection == connection as usize
                    && (self.lives.open[session] > 0
                        || self.lives.closing[session].is_some()
                        || !self.lives.waiting[session].is_empty())
            })
    }

    /// The broker answered the remove of a connection.
    pub(super) fn connection_closed(&mut self, connection: ConnectionIndex) {
        let state = &mut self.connections[connection as usize];
        if state.phase != ConnectionPhase::Closing {
            return;
        }
        state.phase = ConnectionPhase::Down;
        let is_wanted = !state.waiting.is_empty();
        self.reopen_later(connection);
        if is_wanted {
            self.set_up(connection);
        }
    }

    fn reopen_later(&mut self, connection: ConnectionIndex) {
        for (consumer, after) in
            std::mem::take(&mut self.connections[connection as usize].reopening)
        {
            self.shell
                .at(self.shell.now + after, Event::Reopen(consumer));
        }
    }

    /// ConsumerControl: a slow-consumer strategy wants a consumer closed. The transport's thread flushes its acks, that
    /// of the message at work included, and then waits for a listener at work; what arrives waits with it.
    pub(super) fn closed_by_broker(&mut self, id: ConsumerId) {
        let consumer = &self.client.consumers[id.index as usize];
        if consumer.id != id || !consumer.is_open {
            return;
        }
        let connection = consumer.connection;
        if self.is_listening(id.index) && !self.client.close_would_wait(id.index) {
            self.client.deliver_acks(id.index, &mut self.shell);
            self.lives.held_up_closes.push((connection, id.index));
        } else {
            self.client.close_consumer(id.index, &mut self.shell);
        }
    }

    /// Whether the listener of a consumer is at work.
    fn is_listening(&self, consumer: ConsumerIndex) -> bool {
        let worker = self.worker_of(consumer);
        let task = self.workers[worker.0 as usize].task;
        self.client.consumers[consumer as usize].is_listener()
            && matches!(task, Task::Working(of, ..) | Task::AfterWork(of, ..) if of == consumer)
    }

    /// Whether the thread that reads from the connection waits for a listener.
    #[inline]
    pub(super) fn is_transport_blocked(&self, connection: ConnectionIndex) -> bool {
        let mut held_up = self.lives.held_up_closes.iter();
        self.lives.a_close_waits() && held_up.any(|(of, _)| *of == connection)
    }

    /// A listener is done: a close that waited for it goes on, and the transport with it.
    #[cold]
    pub(super) fn close_that_waited(&mut self, consumer: ConsumerIndex) {
        let held_up = &mut self.lives.held_up_closes;
        let Some(place) = held_up.iter().position(|(_, of)| *of == consumer) else {
            return;
        };
        let (connection, _) = held_up.remove(place);
        self.client.close_consumer(consumer, &mut self.shell);
        let id = self.shell.connection(connection);
        for command in std::mem::take(&mut self.connections[connection as usize].behind_close) {
            self.at_client(id, &command);
        }
    }

    // ── crashing ──

    /// A process dies at a fixed time, if it is there.
    pub(super) fn crash_at(&mut self, consumer: ConsumerIndex, crash: u32) {
        self.crash(consumer, crash as usize);
    }

    /// A renewal process kills a life, if that still lasts.
    pub(super) fn crash_of(&mut self, id: ConsumerId, crash: u32) {
        let is_alive = self.lives.phases[id.index as usize] != Phase::Absent
            && self.client.consumers[id.index as usize].id == id;
        if is_alive {
            self.crash(id.index, crash as usize);
        }
    }

    /// The client process dies, with all consumers on its connection: nothing more is sent, and neither library nor
    /// application does anything any more.
    pub(super) fn crash(&mut self, consumer: ConsumerIndex, crash: usize) {
        let connection = self.client.consumers[consumer as usize].connection;
        if self.connections[connection as usize].phase != ConnectionPhase::Up {
            return;
        }
        let detected_after = self.consumers[consumer as usize].detected_after(crash);
        let killed = self.kill(connection);
        self.shell.break_connection(connection, detected_after);
        if let Some(after) = self.consumers[consumer as usize].restarts_after(crash) {
            let state = &mut self.connections[connection as usize];
            state.crashes += 1;
            let number = state.crashes;
            state.restarting.push((number, killed));
            self.shell
                .at(self.shell.now + after, Event::Restart(connection, number));
        }
    }

    /// Everything at the client's end of a connection ends. The consumers that were there.
    fn kill(&mut self, connection: ConnectionIndex) -> Vec<ConsumerIndex> {
        let mut killed = Vec::new();
        for consumer in 0..self.scenario.consumers.len() as ConsumerIndex {
            if self.client.consumers[consumer as usize].connection != connection {
                continue;
            }
            let phase = std::mem::take(&mut self.lives.phases[consumer as usize]);
            if phase != Phase::Absent {
                killed.push(consumer);
            }
            self.kill_consumer(consumer);
        }
        for (session, spec) in self.scenario.sessions.iter().enumerate() {
            if spec.connection == connection as usize {
                self.abandon(WorkerId(session as u32));
                self.lives.ending[session] = None;
                self.lives.closing[session] = None;
                self.lives.take_waiting(session as SessionIndex);
                self.lives.open[session] = 0;
            }
        }
        let state = &mut self.connections[connection as usize];
        state.phase = ConnectionPhase::Down;
        state.waiting.clear();
        self.lives
            .held_up_closes
            .retain(|(of, _)| *of != connection);
        for command in std::mem::take(&mut state.behind_close) {
            self.arrives_at_nobody(&command);
        }
        killed
    }

    fn kill_consumer(&mut self, consumer: ConsumerIndex) {
        self.lives.prepared[consumer as usize] = false;
        self.lives.stops_when_ready[consumer as usize] = false;
        self.consumers[consumer as usize].is_delivering = false;
        if !self.client.consumers[consumer as usize].is_open {
            return;
        }
        self.interrupt(consumer);
        let id = self.client.consumers[consumer as usize].id;
        self.shell.emit(Fact::Crashed { consumer: id });
        self.client.crash(consumer, &mut self.shell);
    }

    /// What a worker does for this consumer ends in the middle.
    fn interrupt(&mut self, consumer: ConsumerIndex) {
        let worker = self.worker_of(consumer);
        let task = self.workers[worker.0 as usize].task;
        let (Task::Working(of, message, _)
        | Task::BeforeEnd(of, message, _)
        | Task::BeforeWork(of, message, _)
        | Task::AfterWork(of, message, _)) = task
        else {
            if worker.0 as usize >= self.scenario.sessions.len() {
                self.abandon(worker);
            }
            return;
        };
        if of != consumer {
            return;
        }
        if let Task::Working(_, _, since) | Task::BeforeEnd(_, _, since) = task {
            let id = self.client.consumers[consumer as usize].id;
            let outcome = Outcome::Interrupted;
            self.shell.emit(Fact::Processed {
                consumer: id,
                message,
                outcome,
                since,
            });
        }
        self.shell.release_message(message);
        self.abandon(worker);
    }

    /// The consumers that a crash took down come back.
    pub(super) fn restart(&mut self, connection: ConnectionIndex, crash: u32) {
        let state = &mut self.connections[connection as usize];
        let Some(place) = state
            .restarting
            .iter()
            .position(|(number, _)| *number == crash)
        else {
            return;
        };
        let (_, consumers) = state.restarting.remove(place);
        for consumer in consumers {
            self.open(consumer);
        }
    }

    /// The broker closed the socket of a consumers' connection.
    pub(super) fn disconnected_by_broker(&mut self, connection: ConnectionIndex) {
        if self.scenario.uses_failover(connection as usize) {
            let id = self.shell.connection(connection);
            self.shell.cut(connection);
            self.network_lost(id);
        } else {
            self.kill(connection);
            self.shell.cut(connection);
        }
    }
}
