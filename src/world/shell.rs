//! What surrounds broker and client: the clock, the event queue, the arena, the links, and whoever watches.

use std::collections::VecDeque;

use super::link::Link;
use super::{Event, WorkerId};
use crate::broker::{self, BrokerTimer};
use crate::client::{self, ClientTimer};
use crate::facts::{Fact, Observer};
use crate::kernel::{EventQueue, Lane, Sampler, Span, Stream, Time};
use crate::scenario::Scenario;
use crate::wire::{
    Caller, ConnectionId, ConnectionIndex, ConsumerId, ConsumerIndex, DestinationIndex, Messages,
    ProducerIndex, ToBroker, ToClient,
};

/// Both directions of a connection.
struct Wire {
    up: Link<ToBroker>,
    down: Link<ToClient>,
    life: u32,
    /// A failover transport without a connection holds back what it has to send.
    holds: bool,
    held: Vec<ToBroker>,
    /// False while a network is broken: what a client sends then goes nowhere.
    is_connected: bool,
    store_stream: Stream,
    acknowledge_stream: Stream,
}

/// The broker spends time on each dispatch of a destination, one after the other.
struct DispatchServer {
    stream: Stream,
    free_at: Time,
    waiting: VecDeque<(ConnectionId, ToClient)>,
}

pub(super) struct Shell<'a, O> {
    pub(super) now: Time,
    pub(super) messages: Messages,
    queue: EventQueue<Event>,
    wires: Vec<Wire>,
    servers: Vec<DispatchServer>,
    store_latency: Sampler,
    acknowledge_cost: Sampler,
    dispatch_cost: Sampler,
    collision_streams: Vec<Stream>,
    has_costs: bool,
    has_dispatch_cost: bool,
    /// How many events in the queue don't keep a run alive.
    background: usize,
    /// When something happened last that a recording would wait for.
    pub(super) last_activity: Time,
    /// Broker sequence ids of what was handed over last, by consumer and life.
    pub(super) last_delivered: Vec<(ConsumerId, i64)>,
    observer: &'a mut O,
}

impl<'a, O: Observer> Shell<'a, O> {
    pub(super) fn new(scenario: &Scenario, workers: usize, observer: &'a mut O) -> Shell<'a, O> {
        let stream = |actor: &str, purpose| Stream::new(scenario.seed, actor, purpose);
        let names = scenario
            .connections
            .iter()
            .map(|connection| &connection.name);
        let names = names.chain(scenario.producers.iter().map(|producer| &producer.name));
        let wires: Vec<Wire> = names
            .map(|name| Wire {
                up: Link::new(&scenario.network, stream(name, "latency up")),
                down: Link::new(&scenario.network, stream(name, "latency down")),
                life: 0,
                holds: false,
                held: Vec::new(),
                is_connected: true,
                store_stream: stream(name, "store"),
                acknowledge_stream: stream(name, "acknowledge"),
            })
            .collect();
        let servers = scenario
            .destinations
            .iter()
            .map(|destination| DispatchServer {
                stream: stream(&destination.uri(), "dispatch"),
                free_at: Time::ZERO,
                waiting: VecDeque::new(),
            });
        let collisions = scenario
            .consumers
            .iter()
            .map(|consumer| stream(&consumer.name, "collision"));
        let costs = &scenario.broker;
        Shell {
            now: Time::ZERO,
            messages: Messages::default(),
            queue: EventQueue::new(2 * wires.len() + workers + scenario.producers.len()),
            servers: servers.collect(),
            store_latency: Sampler::new(&costs.store_latency),
            acknowledge_cost: Sampler::new(&costs.acknowledge_cost),
            dispatch_cost: Sampler::new(&costs.dispatch_cost),
            collision_streams: collisions.collect(),
            has_costs: !costs.store_latency.is_zero() || !costs.acknowledge_cost.is_zero(),
            has_dispatch_cost: !costs.dispatch_cost.is_zero(),
            background: 0,
            last_activity: Time::ZERO,
            last_delivered: vec![(ConsumerId::default(), -1); scenario.consumers.len()],
            wires,
            observer,
        }
    }

    /// What links, broker and the library's collision avoidance draw from.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        let wires = self.wires.iter().flat_map(|wire| {
            [
                wire.up.stream(),
                wire.down.stream(),
                &wire.store_stream,
                &wire.acknowledge_stream,
            ]
        });
        let servers = self.servers.iter().map(|server| &server.stream);
        wires.chain(servers).chain(&self.collision_streams)
    }

    /// The next event, and the clock with it.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Event> {
        let (time, event) = self.queue.pop()?;
        debug_assert!(time >= self.now, "time runs backwards");
        self.now = time;
        if event.is_background() {
            self.background -= 1;
        }
        Some(event)
    }

    /// When that happens; [`Time::NEVER`] if nothing is left.
    pub(super) fn next_time(&self) -> Time {
        self.queue.next_time()
    }

    /// How many events there were so far.
    pub(super) fn events(&self) -> u64 {
        self.queue.popped()
    }

    /// Whether nothing is left to happen but what goes on by itself for ever.
    pub(super) fn is_quiet(&self) -> bool {
        self.queue.len() == self.background
    }

    /// Something happens at any time.
    pub(super) fn at(&mut self, time: Time, event: Event) {
        self.background += usize::from(event.is_background());
        self.queue.schedule(time.max(self.now), event);
    }

    /// Something happens to a thread of an application, which waits for one thing at a time.
    pub(super) fn for_worker(&mut self, time: Time, worker: WorkerId, event: Event) {
        self.background += usize::from(event.is_background());
        let lane = EventQueue::<Event>::lane(2 * self.wires.len() + worker.0 as usize);
        self.queue.schedule_in(lane, time, event);
    }

    fn up_lane(connection: ConnectionIndex) -> Lane {
        EventQueue::<Event>::lane(2 * connection as usize)
    }

    fn down_lane(connection: ConnectionIndex) -> Lane {
        EventQueue::<Event>::lane(2 * connection as usize + 1)
    }

    #[inline(always)]
    pub(super) fn emit(&mut self, fact: Fact) {
        if !matches!(fact, Fact::PullArrived { .. }) {
            self.last_activity = self.now;
        }
        self.observer.on(self.now, &fact, &self.messages);
    }

    /// The present life of a connection.
    pub(super) fn connection(&self, index: ConnectionIndex) -> ConnectionId {
        ConnectionId {
            index,
            life: self.wires[index as usize].life,
        }
    }

    /// A new life of a connection begins; what is under way of the old one still arrives, or is ignored.
    pub(super) fn begin_life(&mut self, index: ConnectionIndex) -> ConnectionId {
        let wire = &mut self.wires[index as usize];
        wire.life += 1;
        wire.is_connected = true;
        wire.holds = false;
        wire.up.reset();
        wire.down.reset();
        self.connection(index)
    }

    /// Nothing a client sends gets through any more.
    pub(super) fn cut(&mut self, index: ConnectionIndex) {
        self.wires[index as usize].is_connected = false;
    }

    /// The broker stops: what was on the way to it is lost, even if the broker is back before it would have arrived.
    pub(super) fn lose_under_way(&mut self, index: ConnectionIndex) {
        for (_, command) in self.wires[index as usize].up.lose() {
            self.forget_command(&command);
        }
    }

    /// Whether what a client sends gets through.
    pub(super) fn is_connected(&self, index: ConnectionIndex) -> bool {
        self.wires[index as usize].is_connected
    }

    /// The failover transport has noticed: it holds back what it has to send.
    pub(super) fn hold(&mut self, index: ConnectionIndex) {
        self.wires[index as usize].holds = true;
    }

    /// What was held back.
    pub(super) fn held(&mut self, index: ConnectionIndex) -> Vec<ToBroker> {
        std::mem::take(&mut self.wires[index as usize].held)
    }

    /// A failover transport without a connection (`FailoverTransport.oneway`): acks and removes are swallowed, with a
    /// made-up answer where somebody waits for one; the rest is kept. Consumers are repeated anyway.
    fn hold_back(&mut self, index: ConnectionIndex, command: ToBroker) {
        match command {
            ToBroker::Ack { reply_to, .. } => {
                self.forget_command(&command);
                rule!("failover-swallows-acks");
                self.make_up_answer(index, reply_to);
            }
            ToBroker::Rollback { reply_to, .. } => self.make_up_answer(index, Some(reply_to)),
            ToBroker::RemoveConnection { .. } => {
                self.make_up_answer(index, Some(Caller::Connection));
            }
            ToBroker::Pull { consumer, timeout } if timeout != 0 => {
                let nothing = ToClient::Dispatch {
                    consumer,
                    message: None,
                    redelivery_counter: 0,
                };
                self.make_up(index, nothing);
            }
            ToBroker::AddConsumer { .. }
            | ToBroker::RemoveConsumer { .. }
            | ToBroker::RemoveSession { .. }
            | ToBroker::Prefetch { .. } => {}
            ToBroker::Pull { .. }
            | ToBroker::Message { .. }
            | ToBroker::Begin(_)
            | ToBroker::Commit { .. } => self.wires[index as usize].held.push(command),
        }
    }

    fn make_up_answer(&mut self, index: ConnectionIndex, to: Option<Caller>) {
        if let Some(to) = to {
            let answer = ToClient::Response { to, failed: false };
            self.make_up(index, answer);
        }
    }

    /// What the transport itself tells the client, at once.
    fn make_up(&mut self, index: ConnectionIndex, command: ToClient) {
        let connection = self.connection(index);
        self.wires[index as usize]
            .down
            .put(connection.life, command);
        self.at(self.now, Event::AtClient(connection));
    }

    /// When the broker notices that a connection broke now: behind all that was sent before.
    pub(super) fn break_connection(&mut self, index: ConnectionIndex, after: Option<Span>) {
        let connection = self.connection(index);
        let wire = &mut self.wires[index as usize];
        wire.is_connected = false;
        let arrival = match after {
            None => wire.up.arrival(self.now, 0),
            Some(after) => {
                rule!("silent-partition");
                wire.up.not_before(self.now + after);
                self.now + after
            }
        };
        self.queue
            .schedule_in(Self::up_lane(index), arrival, Event::Lost(connection));
    }

    /// How long it takes until a connection can be used for the first time: half a round trip for the wire format,
    /// one for ConnectionInfo, and one for the client's own advisory consumer.
    pub(super) fn set_up_time(&mut self, index: ConnectionIndex, watches_advisories: bool) -> Span {
        let latencies = if watches_advisories { 5 } else { 3 };
        let link = &mut self.wires[index as usize].up;
        (0..latencies).fold(Span::ZERO, |sum, _| sum + link.latency())
    }

    /// One latency from the broker to a client.
    pub(super) fn latency_down(&mut self, index: ConnectionIndex) -> Span {
        self.wires[index as usize].down.latency()
    }

    /// The command that reaches the broker.
    pub(super) fn take_up(&mut self, connection: ConnectionId) -> Option<ToBroker> {
        self.wires[connection.index as usize]
            .up
            .take(connection.life)
    }

    /// The command that reaches a client.
    pub(super) fn take_down(&mut self, connection: ConnectionId) -> Option<ToClient> {
        self.wires[connection.index as usize]
            .down
            .take(connection.life)
    }

    /// A command leaves a client.
    #[inline]
    pub(super) fn send_up(&mut self, index: ConnectionIndex, command: ToBroker) {
        if let ToBroker::Ack { ack, .. } = &command {
            self.messages.retain(ack.last);
            if let Some(first) = ack.first {
                self.messages.retain(first);
            }
        }
        if self.wires[index as usize].holds {
            return self.hold_back(index, command);
        }
        if !self.wires[index as usize].is_connected {
            return self.forget_command(&command);
        }
        let bytes = match &command {
            ToBroker::Message { message, .. } => self.messages[*message].size,
            _ => 0,
        };
        let service = if self.has_costs {
            self.service_time(index, &command)
        } else {
            Span::ZERO
        };
        let wire = &mut self.wires[index as usize];
        let arrival = wire.up.arrival_after_service(self.now, bytes, service);
        wire.up.put(wire.life, command);
        let connection = ConnectionId {
            index,
            life: wire.life,
        };
        self.queue
            .schedule_in(Self::up_lane(index), arrival, Event::AtBroker(connection));
    }

    /// What the broker's thread of this connection spends on a command before it takes effect.
    fn service_time(&mut self, index: ConnectionIndex, command: &ToBroker) -> Span {
        let wire = &mut self.wires[index as usize];
        match command {
            ToBroker::Message {
                message,
                transaction: None,
                ..
            } if self.messages[*message].persistent => {
                self.store_latency.sample(&mut wire.store_stream)
            }
            ToBroker::Commit { .. } => self.store_latency.sample(&mut wire.store_stream),
            ToBroker::Ack { .. } => self.acknowledge_cost.sample(&mut wire.acknowledge_stream),
            _ => Span::ZERO,
        }
    }

    /// The messages that a command named need not be kept for it any more. A send that never arrived, and that nobody
    /// will repeat, is gone.
    pub(super) fn forget_command(&mut self, command: &ToBroker) {
        match command {
            ToBroker::Ack { ack, .. } => {
                self.release_message(ack.last);
                if let Some(first) = ack.first {
                    self.release_message(first);
                }
            }
            ToBroker::Message { message, .. } => {
                if self.messages.is_last_holder(*message) {
                    let (consumer, message) = (None, *message);
                    self.emit(Fact::Gone { consumer, message });
                }
                self.release_message(*message);
            }
            _ => {}
        }
    }

    #[inline]
    pub(super) fn release_message(&mut self, message: crate::wire::MessageRef) {
        client::Surroundings::release(self, message);
    }

    /// A command leaves the broker: a dispatch perhaps later, when the destination is done with those before it.
    #[inline]
    fn send_down(&mut self, connection: ConnectionId, command: ToClient) {
        if self.has_dispatch_cost
            && let ToClient::Dispatch {
                message: Some(message),
                ..
            } = command
        {
            let destination = self.messages[message].destination;
            let departure = self.dispatch_departure(destination);
            if departure > self.now {
                let server = &mut self.servers[destination as usize];
                server.waiting.push_back((connection, command));
                return self.at(departure, Event::Departs(destination));
            }
        }
        self.depart(connection, command);
    }

    fn dispatch_departure(&mut self, destination: DestinationIndex) -> Time {
        let server = &mut self.servers[destination as usize];
        server.free_at =
            server.free_at.max(self.now) + self.dispatch_cost.sample(&mut server.stream);
        server.free_at
    }

    /// A destination is done with its next dispatch.
    pub(super) fn next_departs(&mut self, destination: DestinationIndex) {
        let waiting = self.servers[destination as usize].waiting.pop_front();
        if let Some((connection, command)) = waiting {
            self.depart(connection, command);
        }
    }

    #[inline]
    fn depart(&mut self, connection: ConnectionId, command: ToClient) {
        let bytes = match command {
            ToClient::Dispatch {
                message: Some(message),
                ..
            } => self.messages[message].size,
            _ => 0,
        };
        let link = &mut self.wires[connection.index as usize].down;
        let arrival = link.arrival(self.now, bytes);
        link.put(connection.life, command);
        let lane = Self::down_lane(connection.index);
        self.queue
            .schedule_in(lane, arrival, Event::AtClient(connection));
    }

    /// The lane of a producer's own thread.
    pub(super) fn for_producer(&mut self, time: Time, producer: ProducerIndex, workers: usize) {
        let lane = 2 * self.wires.len() + workers + producer as usize;
        let event = Event::Producer(producer);
        self.queue
            .schedule_in(EventQueue::<Event>::lane(lane), time.max(self.now), event);
    }
}

impl<O: Observer> client::Surroundings for Shell<'_, O> {
    fn now(&self) -> Time {
        self.now
    }

    fn messages(&self) -> &Messages {
        &self.messages
    }

    fn messages_mut(&mut self) -> &mut Messages {
        &mut self.messages
    }

    fn send(&mut self, connection: ConnectionIndex, command: ToBroker) {
        self.send_up(connection, command);
    }

    fn set_timer(&mut self, at: Time, timer: ClientTimer) {
        self.at(at, Event::Client(timer));
    }

    #[inline(always)]
    fn emit(&mut self, fact: Fact) {
        Shell::emit(self, fact);
    }

    fn collision(&mut self, consumer: ConsumerIndex) -> f64 {
        let stream = &mut self.collision_streams[consumer as usize];
        let sign = if stream.uniform_below(2) == 0 {
            1.0
        } else {
            -1.0
        };
        sign * stream.unit()
    }
}

impl<O: Observer> broker::Surroundings for Shell<'_, O> {
    fn now(&self) -> Time {
        self.now
    }

    fn messages(&self) -> &Messages {
        &self.messages
    }

    fn messages_mut(&mut self) -> &mut Messages {
        &mut self.messages
    }

    fn send(&mut self, connection: ConnectionId, command: ToClient) {
        self.send_down(connection, command);
    }

    fn set_timer(&mut self, at: Time, timer: BrokerTimer) {
        self.at(at, Event::Broker(timer));
    }

    #[inline(always)]
    fn emit(&mut self, fact: Fact) {
        Shell::emit(self, fact);
    }

    fn last_delivered(&self, consumer: ConsumerId) -> i64 {
        let (id, sequence) = self.last_delivered[consumer.index as usize];
        if id == consumer { sequence } else { -1 }
    }
}
