//! What surrounds broker and client: the clock, the event queue, the arena, the links, and whoever watches.

use std::collections::VecDeque;

use super::link::{Arrival, Link, UnderWay, fixed_latency};
use super::{EVENTS_AT_ONE_INSTANT, Event, WorkerId};
use crate::broker::{self, BrokerTimer};
use crate::client::{self, ClientTimer};
use crate::facts::{Fact, Observer};
use crate::kernel::{Due, EventQueue, Lane, Sampler, Span, Stream, Time};
use crate::scenario::Scenario;
use crate::wire::{
    Caller, ConnectionId, ConnectionIndex, ConsumerId, ConsumerIndex, DestinationIndex, MessageAck,
    MessageRef, Messages, ProducerIndex, ToBroker, ToClient,
};

/// The client's end of a connection. So small that those of many connections stay in the processor's cache.
#[derive(Clone, Copy)]
struct ClientEnd {
    life: u32,
    /// A failover transport without a connection holds back what it has to send.
    holds: bool,
    /// While a network is broken, what a client sends goes nowhere.
    is_cut: bool,
}

/// The broker's thread of a connection.
struct BrokerEnd {
    store_stream: Stream,
    acknowledge_stream: Stream,
}

/// Whose lane of the event queue it is: the lowest two bits of its number; above them lies the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(super) enum LaneOf {
    /// A connection, client to broker.
    Up,
    /// A connection, broker to client.
    Down,
    /// A thread of an application that consumes.
    Worker,
    /// A producer's own thread.
    Producer,
}

impl LaneOf {
    fn number(self, index: usize) -> u32 {
        let index = u32::try_from(index).expect("fewer than 2^30 of each kind");
        index << 2 | self as u32
    }

    /// Whose lane has this number, and which of them.
    #[inline]
    pub(super) fn find(lane: u32) -> (LaneOf, u32) {
        let kind = match lane & 3 {
            0 => LaneOf::Up,
            1 => LaneOf::Down,
            2 => LaneOf::Worker,
            _ => LaneOf::Producer,
        };
        (kind, lane >> 2)
    }
}

/// What happens to a thread of an application that consumes. The number guards against an earlier task's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ring {
    /// The application has worked on a delivery.
    WorkEnds(u32),
    /// receive(timeout) has waited long enough, or a pause after receiveNoWait is over.
    WaitEnds(u32),
}

/// Of no task.
impl Default for Ring {
    fn default() -> Ring {
        Ring::WorkEnds(0)
    }
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
    /// Connections: their ends, both directions, and what their clients hold back.
    client_ends: Vec<ClientEnd>,
    broker_ends: Vec<BrokerEnd>,
    up: Vec<Link<ToBroker>>,
    down: Vec<Link<ToClient>>,
    held: Vec<Vec<ToBroker>>,
    /// What everything takes that goes up or down, if that is known beforehand.
    latency_up: Option<Span>,
    latency_down: Option<Span>,
    workers: Vec<Lane<Ring>>,
    producers: Vec<Lane<()>>,
    servers: Vec<DispatchServer>,
    store_latency: Sampler,
    acknowledge_cost: Sampler,
    dispatch_cost: Sampler,
    collision_streams: Vec<Stream>,
    /// How many events in the queue don't keep a run alive.
    background: usize,
    /// How many events followed the first one of the present instant, and how many may follow before it pauses.
    pub(super) events_at_instant: u64,
    pub(super) patience: u64,
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
        let names: Vec<&String> = names.collect();
        let (mut up, mut down, mut broker_ends) = (vec![], vec![], vec![]);
        for (index, name) in names.iter().enumerate() {
            let (network, number) = (&scenario.network, LaneOf::Up.number(index));
            up.push(Link::new(network, stream(name, "latency up"), number));
            let number = LaneOf::Down.number(index);
            down.push(Link::new(network, stream(name, "latency down"), number));
            broker_ends.push(BrokerEnd {
                store_stream: stream(name, "store"),
                acknowledge_stream: stream(name, "acknowledge"),
            });
        }
        let client_end = ClientEnd {
            life: 0,
            holds: false,
            is_cut: false,
        };
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
        // One of the ends takes time for some of what goes through, so what it is matters.
        let costs_up = !costs.store_latency.is_zero() || !costs.acknowledge_cost.is_zero();
        let costs_down = !costs.dispatch_cost.is_zero();
        let latency = fixed_latency(&scenario.network);
        let producers = scenario.producers.len();
        let most = names.len().max(workers).max(producers);
        Shell {
            now: Time::ZERO,
            messages: Messages::default(),
            queue: EventQueue::new(LaneOf::Up.number(most)),
            workers: lanes(LaneOf::Worker, workers),
            producers: lanes(LaneOf::Producer, producers),
            servers: servers.collect(),
            store_latency: Sampler::new(&costs.store_latency),
            acknowledge_cost: Sampler::new(&costs.acknowledge_cost),
            dispatch_cost: Sampler::new(&costs.dispatch_cost),
            collision_streams: collisions.collect(),
            background: 0,
            events_at_instant: 0,
            patience: EVENTS_AT_ONE_INSTANT,
            last_activity: Time::ZERO,
            last_delivered: vec![(ConsumerId::default(), -1); scenario.consumers.len()],
            client_ends: vec![client_end; names.len()],
            broker_ends,
            up,
            down,
            held: vec![vec![]; names.len()],
            latency_up: latency.filter(|_| !costs_up),
            latency_down: latency.filter(|_| !costs_down),
            observer,
        }
    }

    /// What links, broker and the library's collision avoidance draw from.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        let links = self.up.iter().zip(&self.down);
        let wires = links.zip(&self.broker_ends).flat_map(|((up, down), end)| {
            [
                up.stream(),
                down.stream(),
                &end.store_stream,
                &end.acknowledge_stream,
            ]
        });
        let servers = self.servers.iter().map(|server| &server.stream);
        wires.chain(servers).chain(&self.collision_streams)
    }

    /// What happens next, and the clock with it; none if there is nothing, or if it pauses before that.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Due> {
        let (time, due) = self.queue.pop()?;
        self.clock_shows(time);
        Some(due)
    }

    /// The same, whether it should pause or not.
    pub(super) fn pop_first(&mut self) -> Option<Due> {
        let (time, due) = self.queue.pop_first()?;
        self.clock_shows(time);
        Some(due)
    }

    #[inline(always)]
    fn clock_shows(&mut self, time: Time) {
        debug_assert!(time >= self.now, "time runs backwards");
        if time != self.now {
            self.now = time;
            self.events_at_instant = 0;
        } else {
            self.events_at_instant += 1;
            if self.events_at_instant > self.patience {
                self.pause();
            }
        }
    }

    /// It pauses after the present event.
    #[cold]
    #[inline(never)]
    pub(super) fn pause(&mut self) {
        self.queue.pause_before(Time::ZERO);
    }

    /// It pauses before anything that is later than this.
    pub(super) fn pause_after(&mut self, time: Time) {
        self.queue.pause_before(time + Span(1));
    }

    /// A loose event that is due.
    pub(super) fn take_loose(&mut self) -> Event {
        let event = self.queue.take_loose();
        if event.is_background() {
            self.background -= 1;
        }
        event
    }

    /// When that happens; [`Time::NEVER`] if nothing is left.
    pub(super) fn next_time(&mut self) -> Time {
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

    /// A thread of an application has worked on a delivery.
    #[inline]
    pub(super) fn work_ends_at(&mut self, time: Time, worker: WorkerId, turn: u32) {
        let lane = &mut self.workers[worker.0 as usize];
        self.queue.schedule_in(lane, time, Ring::WorkEnds(turn));
    }

    /// A thread of an application has waited long enough.
    pub(super) fn wait_ends_at(&mut self, time: Time, worker: WorkerId, turn: u32) {
        self.background += 1;
        let lane = &mut self.workers[worker.0 as usize];
        self.queue.schedule_in(lane, time, Ring::WaitEnds(turn));
    }

    /// What happens to a thread of an application.
    #[inline]
    pub(super) fn take_ring(&mut self, worker: WorkerId) -> Ring {
        let ring = self.queue.take(&mut self.workers[worker.0 as usize]);
        if let Ring::WaitEnds(_) = ring {
            self.background -= 1;
        }
        ring
    }

    /// A producer's own thread wants to send.
    #[inline]
    pub(super) fn producer_acts_at(&mut self, time: Time, producer: ProducerIndex) {
        let lane = &mut self.producers[producer as usize];
        self.queue.schedule_in(lane, time.max(self.now), ());
    }

    /// A producer's own thread wants to send now.
    #[inline]
    pub(super) fn take_producer(&mut self, producer: ProducerIndex) {
        self.queue.take(&mut self.producers[producer as usize]);
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
            life: self.client_ends[index as usize].life,
        }
    }

    /// A new life of a connection begins; what is under way of the old one still arrives, or is ignored.
    pub(super) fn begin_life(&mut self, index: ConnectionIndex) -> ConnectionId {
        let end = &mut self.client_ends[index as usize];
        end.life += 1;
        end.is_cut = false;
        end.holds = false;
        self.up[index as usize].reset();
        self.down[index as usize].reset();
        self.connection(index)
    }

    /// Nothing a client sends gets through any more.
    pub(super) fn cut(&mut self, index: ConnectionIndex) {
        self.client_ends[index as usize].is_cut = true;
    }

    /// The broker stops: what was on the way to it is lost, even if the broker is back before it would have arrived.
    pub(super) fn lose_under_way(&mut self, index: ConnectionIndex) {
        for command in self.up[index as usize].lose() {
            self.forget_command(&command);
        }
    }

    /// Whether what a client sends gets through.
    pub(super) fn is_connected(&self, index: ConnectionIndex) -> bool {
        !self.client_ends[index as usize].is_cut
    }

    /// The failover transport has noticed: it holds back what it has to send.
    pub(super) fn hold(&mut self, index: ConnectionIndex) {
        self.client_ends[index as usize].holds = true;
    }

    /// What was held back.
    pub(super) fn held(&mut self, index: ConnectionIndex) -> Vec<ToBroker> {
        std::mem::take(&mut self.held[index as usize])
    }

    /// A failover transport without a connection (`FailoverTransport.oneway`): acks and removes are swallowed, with a
    /// made-up answer where somebody waits for one; the rest is kept. Consumers are repeated anyway.
    fn hold_back(&mut self, index: ConnectionIndex, command: ToBroker) {
        match command {
            ToBroker::Ack { reply_to, .. } => {
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
            | ToBroker::Commit { .. } => self.held[index as usize].push(command),
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
        self.goes_down(self.connection(index), self.now, command);
    }

    /// When the broker notices that a connection broke now: behind all that was sent before.
    pub(super) fn break_connection(&mut self, index: ConnectionIndex, after: Option<Span>) {
        self.cut(index);
        let up = &mut self.up[index as usize];
        let arrival = match after {
            None => up.arrival(self.now, 0),
            Some(after) => {
                rule!("silent-partition");
                up.not_before(self.now + after);
                self.now + after
            }
        };
        let broken = UnderWay {
            arrival: Arrival::Broken,
            life: self.client_ends[index as usize].life,
        };
        self.queue.schedule_in(&mut up.lane, arrival, broken);
    }

    /// How long it takes until a connection can be used for the first time: half a round trip for the wire format,
    /// one for ConnectionInfo, and one for the client's own advisory consumer.
    pub(super) fn set_up_time(&mut self, index: ConnectionIndex, watches_advisories: bool) -> Span {
        let latencies = if watches_advisories { 5 } else { 3 };
        let link = &mut self.up[index as usize];
        (0..latencies).fold(Span::ZERO, |sum, _| sum + link.latency())
    }

    /// One latency from the broker to a client.
    pub(super) fn latency_down(&mut self, index: ConnectionIndex) -> Span {
        self.down[index as usize].latency()
    }

    /// What reaches the broker now.
    #[inline(always)]
    pub(super) fn take_up(&mut self, index: ConnectionIndex) -> UnderWay<ToBroker> {
        self.queue.take(&mut self.up[index as usize].lane)
    }

    /// What reaches a client now.
    #[inline(always)]
    pub(super) fn take_down(&mut self, index: ConnectionIndex) -> UnderWay<ToClient> {
        self.queue.take(&mut self.down[index as usize].lane)
    }

    /// A command leaves a client.
    #[inline(never)]
    pub(super) fn send_up(&mut self, index: ConnectionIndex, command: ToBroker) {
        self.leaves_client(index, || command);
    }

    /// A message of a producer leaves its client.
    // Handed over in parts, a command is put together where it is to lie. Copied as a whole while its parts are still
    // being written, it makes the processor wait for all of them.
    #[inline(never)]
    pub(super) fn send_message(&mut self, index: ConnectionIndex, message: MessageRef, sync: bool) {
        self.leaves_client(index, || ToBroker::Message {
            message,
            transaction: None,
            sync,
            lose_reply: false,
        });
    }

    // What is not plain is a function of its own, called last, so that the plain way has nothing to save for afterwards.
    #[inline(always)]
    fn leaves_client(&mut self, index: ConnectionIndex, command: impl Fn() -> ToBroker) {
        let end = self.client_ends[index as usize];
        if end.holds || end.is_cut {
            return self.send_up_in_vain(index, &command());
        }
        if let ToBroker::Ack { ack, .. } = &command() {
            // The wire holds what an ack names.
            self.messages.retain(ack.last);
            if let Some(first) = other_end(ack) {
                self.messages.retain(first);
            }
        }
        let Some(latency) = self.latency_up else {
            return self.send_up_with_costs(index, end.life, &command());
        };
        let link = &mut self.up[index as usize];
        let arrival = link.arrival_of_anything(self.now, latency);
        link.carry(arrival, end.life, command(), &mut self.queue);
    }

    #[inline(never)]
    fn send_up_with_costs(&mut self, index: ConnectionIndex, life: u32, command: &ToBroker) {
        let arrival = self.arrival_at_broker(index, command);
        self.up[index as usize].carry(arrival, life, *command, &mut self.queue);
    }

    /// There is no connection, or the transport has not noticed yet that there is none.
    #[cold]
    #[inline(never)]
    fn send_up_in_vain(&mut self, index: ConnectionIndex, command: &ToBroker) {
        if self.client_ends[index as usize].holds {
            self.hold_back(index, *command);
        } else if !matches!(command, ToBroker::Ack { .. }) {
            self.forget_command(command);
        }
    }

    /// When the broker's thread of this connection is done with a command.
    fn arrival_at_broker(&mut self, index: ConnectionIndex, command: &ToBroker) -> Time {
        let bytes = match command {
            ToBroker::Message { message, .. } => self.messages[*message].size,
            _ => 0,
        };
        let service = self.service_time(index, command);
        let link = &mut self.up[index as usize];
        link.arrival(self.now, bytes);
        link.served_after(service)
    }

    /// What the broker's thread of this connection spends on a command before it takes effect.
    fn service_time(&mut self, index: ConnectionIndex, command: &ToBroker) -> Span {
        let end = &mut self.broker_ends[index as usize];
        match command {
            ToBroker::Message {
                message,
                transaction: None,
                ..
            } if self.messages[*message].persistent => {
                self.store_latency.sample(&mut end.store_stream)
            }
            ToBroker::Commit { .. } => self.store_latency.sample(&mut end.store_stream),
            ToBroker::Ack { .. } => self.acknowledge_cost.sample(&mut end.acknowledge_stream),
            _ => Span::ZERO,
        }
    }

    /// The messages that a command named need not be kept for it any more. A send that never arrived, and that nobody
    /// will repeat, is gone.
    pub(super) fn forget_command(&mut self, command: &ToBroker) {
        match command {
            ToBroker::Ack { ack, .. } => self.forget_ack(ack),
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

    /// The messages that an ack named need not be kept for it any more.
    #[inline]
    pub(super) fn forget_ack(&mut self, ack: &MessageAck) {
        self.release_message(ack.last);
        if let Some(first) = other_end(ack) {
            self.release_message(first);
        }
    }

    #[inline]
    pub(super) fn release_message(&mut self, message: MessageRef) {
        client::Surroundings::release(self, message);
    }

    /// A command leaves the broker: a dispatch perhaps later, when the destination is done with those before it.
    #[inline(never)]
    fn send_down(&mut self, connection: ConnectionId, command: ToClient) {
        self.leaves_broker(connection, || command);
    }

    /// A dispatch, in parts: see [`Self::send_message`].
    #[inline(never)]
    fn send_dispatch(
        &mut self,
        connection: ConnectionId,
        consumer: ConsumerId,
        message: Option<MessageRef>,
        redelivery_counter: u32,
    ) {
        self.leaves_broker(connection, || ToClient::Dispatch {
            consumer,
            message,
            redelivery_counter,
        });
    }

    #[inline(always)]
    fn leaves_broker(&mut self, connection: ConnectionId, command: impl Fn() -> ToClient) {
        let Some(latency) = self.latency_down else {
            return self.send_down_with_costs(connection, &command());
        };
        let link = &mut self.down[connection.index as usize];
        let arrival = link.arrival_of_anything(self.now, latency);
        link.carry(arrival, connection.life, command(), &mut self.queue);
    }

    #[inline(never)]
    fn send_down_with_costs(&mut self, connection: ConnectionId, command: &ToClient) {
        if let ToClient::Dispatch {
            message: Some(message),
            ..
        } = *command
        {
            let destination = self.messages[message].destination;
            let departure = self.dispatch_departure(destination);
            if departure > self.now {
                let server = &mut self.servers[destination as usize];
                server.waiting.push_back((connection, *command));
                return self.at(departure, Event::Departs(destination));
            }
        }
        self.depart(connection, *command);
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

    fn goes_down(&mut self, connection: ConnectionId, arrival: Time, command: ToClient) {
        let link = &mut self.down[connection.index as usize];
        link.carry(arrival, connection.life, command, &mut self.queue);
    }

    fn depart(&mut self, connection: ConnectionId, command: ToClient) {
        let bytes = match command {
            ToClient::Dispatch {
                message: Some(message),
                ..
            } => self.messages[message].size,
            _ => 0,
        };
        let arrival = self.down[connection.index as usize].arrival(self.now, bytes);
        self.goes_down(connection, arrival, command);
    }
}

/// The first message that an ack names, if it is not the last as well.
#[inline]
fn other_end(ack: &MessageAck) -> Option<MessageRef> {
    ack.first.filter(|&first| first != ack.last)
}

fn lanes<T: Copy + Default>(of: LaneOf, count: usize) -> Vec<Lane<T>> {
    (0..count)
        .map(|index| Lane::new(of.number(index)))
        .collect()
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

    #[inline]
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

    #[inline(always)]
    fn send(&mut self, connection: ConnectionId, command: ToClient) {
        match command {
            ToClient::Dispatch {
                consumer,
                message,
                redelivery_counter,
            } => self.send_dispatch(connection, consumer, message, redelivery_counter),
            other => self.send_down(connection, other),
        }
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
