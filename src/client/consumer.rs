//! One consumer: its buffer, what it has delivered, and when it acknowledges (`ActiveMQMessageConsumer`).

use super::acknowledge::PendingAck;
use super::{Buffer, Delivered, Delivery, Seen, Session, Style, Surroundings, is_listener};
use crate::facts::Fact;
use crate::kernel::Time;
use crate::rules::Rules;
use crate::scenario::{ClientOptions, DestinationKind, Scenario};
use crate::wire::{
    AckType, Caller, ConnectionIndex, ConsumerId, ConsumerIndex, Message, MessageRef, SessionIndex,
};

/// What may stand between a dispatch and the listener: nearly always nothing, which is then one question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Obstacles(u8);

impl Obstacles {
    /// There is no listener, the application calls receive.
    pub(super) const RECEIVES: Obstacles = Obstacles(1);
    /// Nothing may be taken out of the buffer.
    pub(super) const STOPPED: Obstacles = Obstacles(2);
    /// The buffer is closed.
    pub(super) const CLOSED: Obstacles = Obstacles(4);
    /// What arrives may be a duplicate that the filter of its connection knows.
    pub(super) const DUPLICATES: Obstacles = Obstacles(8);
    /// A reconnect has made what was delivered worthless (`clearDeliveredList`).
    pub(super) const CLEARS_DELIVERED: Obstacles = Obstacles(16);
    /// The broker has a prefetch of 0 for it until the listener at work is done.
    pub(super) const RESTORES_PREFETCH: Obstacles = Obstacles(32);

    /// Whether nothing stands in the way.
    #[inline]
    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether one of those does.
    #[inline]
    pub(super) fn have(self, some: Obstacles) -> bool {
        self.0 & some.0 != 0
    }

    pub(super) fn set(&mut self, which: Obstacles, is_there: bool) {
        self.0 = self.0 & !which.0 | if is_there { which.0 } else { 0 };
    }
}

impl std::ops::BitOr for Obstacles {
    type Output = Obstacles;

    fn bitor(self, other: Obstacles) -> Obstacles {
        Obstacles(self.0 | other.0)
    }
}

/// A consumer of the client library. Its settings stay over its lives, everything else begins anew with each.
// What a message to a plain AUTO listener needs lies in the first cache line, what its counters need in the second.
#[repr(C, align(64))]
pub struct Consumer {
    /// Which life.
    pub id: ConsumerId,
    /// Its session.
    pub session: SessionIndex,
    /// Its connection.
    pub connection: ConnectionIndex,
    /// Broker sequence id of what was handed over last; -1: nothing (`lastDeliveredSequenceId`).
    pub last_delivered_sequence_id: i64,
    /// What was delivered more often is not delivered any more (`preDispatchCheck`, transacted only); `u32::MAX`: never.
    most_redeliveries: u32,
    /// P: what it asked for, and what its thresholds count with.
    pub prefetch: u32,
    pub(super) obstacles: Obstacles,
    pub(super) style: Style,
    /// AUTO as it is by default: an ack for each message consumed.
    acknowledges_each: bool,
    /// `jms.consumerExpiryCheckEnabled`
    checks_expiry: bool,
    /// Whether whoever sends an ack waits for its answer, unless it is in a transaction (`jms.sendAcksAsync=false`).
    pub(super) waits_for_acks: bool,
    /// From `createConsumer` to its close or crash.
    pub is_open: bool,
    /// The application works on the newest of `delivered`.
    pub(super) is_consuming: bool,
    /// AUTO with optimizeAcknowledge in effect: acks by the 0.65 rule.
    is_optimized: bool,
    /// Handed to the application, not yet acknowledged (`deliveredMessages`).
    pub delivered: Delivered,
    /// Counts towards the next DELIVERED; may go below 0 (`deliveredCounter`).
    pub delivered_counter: i32,
    /// Consumed since the last optimised ack (`ackCounter`).
    pub ack_counter: i32,
    /// With so many delivered and consumed an optimised ack is due: the 0.65 rule.
    pub(super) optimized_ack_after: i64,
    /// From when on optimizeAcknowledgeTimeOut asks for the next; never without one.
    pub(super) optimized_ack_due: Time,
    pub(super) pending_ack: Option<PendingAck>,
    /// Takes part in the open transaction (`synchronizationRegistered`).
    pub(super) enlisted: bool,
    /// Article 3: a DELIVERED is out, and nothing was acknowledged since.
    pub(super) delivered_ack_is_out: bool,
    pub(super) rules: Rules,
    pub(super) kind: DestinationKind,
    /// The prefetch buffer (`unconsumedMessages`).
    pub unconsumed: Buffer<Option<Delivery>>,
    /// Options of its connection. In a box, since they are as large as all the rest: what every message asks of them
    /// stands among the rest.
    pub options: Box<ClientOptions>,
    /// Millisecond of the last optimised ack (`optimizeAckTimestamp`).
    pub(super) optimize_ack_timestamp: u64,
    pub(super) redelivery_delay: i64,
    pub(super) redeliveries: Vec<(u32, Vec<Delivery>)>,
    pub(super) next_batch: u32,
    /// 0 makes it pull (`info.getCurrentPrefetchSize`).
    pub current_prefetch: u32,
    /// Time-out of the last pull, which a failover transport repeats over a new connection even if it was answered
    /// (`ConnectionStateTracker.processMessagePull`).
    pub(super) last_pull: Option<i64>,
    /// Answers to synchronous acks that the receiving thread waits for.
    pub awaiting: u32,
}

impl Consumer {
    /// Settings of a consumer; not open yet.
    pub(super) fn new(scenario: &Scenario, index: usize, rules: Rules, seen: &[Seen]) -> Consumer {
        let spec = &scenario.consumers[index];
        let session = &scenario.sessions[spec.session];
        let kind = scenario.destinations[spec.destination].kind;
        let options = Box::new(scenario.connections[spec.connection].options.clone());
        let style = Style::of(session.mode, kind);
        let is_auto = session.mode == crate::scenario::AcknowledgeMode::Auto;
        let dups_ok_too =
            rules.dups_ok_optimizes_on_queues && style == Style::AutoEach && spec.prefetch_size > 1;
        let needs_prefetch = !rules.optimize_counts_unacknowledged || spec.prefetch_size > 0;
        let is_optimized =
            options.optimize_acknowledge && (is_auto || dups_ok_too) && needs_prefetch;
        let policy = &options.redelivery_policy;
        let checks_redeliveries = style == Style::Transacted && policy.pre_dispatch_check;
        let most_redeliveries = policy
            .maximum_redeliveries
            .filter(|_| checks_redeliveries)
            .unwrap_or(u32::MAX);
        rule!("article-2", dups_ok_too);
        rule!(
            "optimize-auto-only",
            options.optimize_acknowledge && !is_auto
        );
        let mut obstacles = Obstacles::STOPPED;
        obstacles.set(Obstacles::RECEIVES, !is_listener(spec.receive));
        obstacles.set(Obstacles::DUPLICATES, seen[spec.connection].is_active());
        Consumer {
            id: ConsumerId {
                index: index as ConsumerIndex,
                life: 0,
            },
            session: spec.session as SessionIndex,
            connection: spec.connection as ConnectionIndex,
            last_delivered_sequence_id: -1,
            most_redeliveries,
            prefetch: spec.prefetch_size,
            obstacles,
            style,
            acknowledges_each: style == Style::AutoEach && !is_optimized,
            checks_expiry: options.consumer_expiry_check_enabled,
            waits_for_acks: !options.send_acks_async,
            is_open: false,
            is_consuming: false,
            is_optimized,
            delivered: Delivered::default(),
            delivered_counter: 0,
            ack_counter: 0,
            optimized_ack_after: (13 * i64::from(spec.prefetch_size) + 19) / 20,
            optimized_ack_due: Time::NEVER,
            pending_ack: None,
            enlisted: false,
            delivered_ack_is_out: false,
            rules,
            kind,
            unconsumed: Buffer::new(options.message_priority_supported),
            optimize_ack_timestamp: 0,
            redelivery_delay: 0,
            redeliveries: Vec::new(),
            next_batch: 0,
            current_prefetch: spec.prefetch_size,
            last_pull: None,
            awaiting: 0,
            options,
        }
    }

    /// A new life (the constructor of `ActiveMQMessageConsumer`).
    pub(super) fn open(&mut self, id: ConsumerId, now: Time) {
        self.id = id;
        self.is_open = true;
        self.unconsumed = Buffer::new(self.options.message_priority_supported);
        self.run(false);
        self.obstacles.set(Obstacles::CLOSED, false);
        self.delivered_counter = 0;
        self.ack_counter = 0;
        self.note_optimized_ack(now);
        self.redelivery_delay = 0;
        self.last_delivered_sequence_id = -1;
        self.current_prefetch = self.prefetch;
        self.enlisted = false;
        self.delivered_ack_is_out = false;
        self.is_consuming = false;
        self.obstacles.set(Obstacles::CLEARS_DELIVERED, false);
        self.obstacles.set(Obstacles::RESTORES_PREFETCH, false);
        self.last_pull = None;
        self.awaiting = 0;
    }

    /// Whether optimizeAcknowledge has an effect (`isOptimizeAcknowledge`).
    pub fn optimize(&self) -> bool {
        self.is_optimized
    }

    /// Whether the library calls the application.
    #[inline]
    pub fn is_listener(&self) -> bool {
        !self.obstacles.have(Obstacles::RECEIVES)
    }

    /// Whether anything may be taken out of the buffer.
    #[inline]
    pub fn is_running(&self) -> bool {
        !self.obstacles.have(Obstacles::STOPPED)
    }

    /// Whether anything may be taken out of the buffer from now on.
    pub(super) fn run(&mut self, runs: bool) {
        self.obstacles.set(Obstacles::STOPPED, !runs);
    }

    /// Whether its buffer is closed.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.obstacles.have(Obstacles::CLOSED)
    }

    /// Its buffer takes part in nothing any more.
    pub(super) fn close_buffer(&mut self) {
        self.run(false);
        self.obstacles.set(Obstacles::CLOSED, true);
    }

    /// Which thread sends its acks.
    pub(super) fn caller(&self) -> Caller {
        if self.is_listener() {
            Caller::Session(self.session)
        } else {
            Caller::Consumer(self.id.index)
        }
    }

    /// Whether a message is expired by the client's clock (`consumeExpiredMessage`).
    #[inline(always)]
    pub(super) fn is_expired(&self, delivery: &Delivery, s: &impl Surroundings) -> bool {
        // Few messages expire at all, so that is asked first, and the rest elsewhere.
        let message = &s.messages()[delivery.message];
        message.expiration > 0 && self.finds_expired(message, s.now())
    }

    #[inline(never)]
    fn finds_expired(&self, message: &Message, now: Time) -> bool {
        self.checks_expiry && message.is_expired(now)
    }

    /// A transacted consumer does not deliver what was delivered too often (`redeliveryExceeded`), unless the
    /// broker's redelivery plugin sent it.
    #[inline]
    pub(super) fn redelivery_exceeded(&self, delivery: &Delivery, s: &impl Surroundings) -> bool {
        delivery.dispatched_counter > self.most_redeliveries
            && !s.messages()[delivery.message].rescheduled
    }

    /// Whether what arrives is for its listener, and nothing keeps it from that.
    #[inline]
    pub(super) fn takes_plainly(&self, delivery: &Delivery, s: &impl Surroundings) -> bool {
        self.obstacles.is_none()
            && !self.redelivery_exceeded(delivery, s)
            && !self.is_expired(delivery, s)
    }

    /// A message is about to be handed to the application (`beforeMessageIsConsumed`), which holds it while it works on it:
    /// beside `delivered`, which may let go of it meanwhile. DUPS_OK on a topic never keeps it in `delivered`: there the
    /// library's hold becomes the application's.
    // The delivery stays where it is until it is copied as a whole.
    #[inline(always)]
    pub(super) fn before_message_is_consumed(
        &mut self,
        delivery: &Delivery,
        s: &mut impl Surroundings,
    ) {
        let sequence = s.messages()[delivery.message].sequence;
        if self.acknowledges_each {
            s.messages_mut().retain(delivery.message);
            self.delivered.put(delivery);
        } else if self.style != Style::AutoBatch {
            s.messages_mut().retain(delivery.message);
            self.delivered.push(delivery);
        }
        self.last_delivered_sequence_id = sequence as i64;
        self.is_consuming = true;
    }

    /// The end of `beforeMessageIsConsumed`.
    #[inline]
    pub(super) fn in_transaction(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        if self.style == Style::Transacted {
            self.take_part(message, session, s);
        }
    }

    /// A message is about to be handed over within the session's transaction.
    #[inline(never)]
    fn take_part(&mut self, message: MessageRef, session: &mut Session, s: &mut impl Surroundings) {
        session.transaction.begin(self.connection, s);
        if self.options.transacted_individual_ack {
            self.transacted_individual_ack(message, session, s);
        } else {
            self.ack_later(message, AckType::Delivered, session, s);
        }
    }

    /// The application is done with a message (`afterMessageIsConsumed`).
    #[inline(always)]
    pub(super) fn after_message_is_consumed(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        if !self.ends_consuming(s) {
            return;
        }
        rule!(
            "acknowledged-inside-is-not-counted",
            matches!(self.style, Style::Client | Style::Individual)
                && !self.delivered.contains(message)
        );
        if self.acknowledges_each {
            self.acknowledge_this(session, s);
        } else if self.is_optimized {
            self.optimized_ack(session, s);
        } else if self.style != Style::Transacted {
            self.count_consumed(message, session, s);
        }
    }

    /// What is consumed without an ack at once.
    #[inline(never)]
    fn count_consumed(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let ack_type = match self.style {
            Style::AutoBatch => AckType::Standard,
            Style::Client | Style::Individual if self.delivered.contains(message) => {
                AckType::Delivered
            }
            _ => return,
        };
        self.ack_later(message, ack_type, session, s);
    }

    /// The application never sees a message because it is expired: it is consumed all the same.
    pub(super) fn consume_expired(
        &mut self,
        delivery: &Delivery,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let message = delivery.message;
        self.before_message_is_consumed(delivery, s);
        self.in_transaction(message, session, s);
        if self.style != Style::AutoBatch {
            s.release(message);
        }
        if self.ends_consuming(s) {
            self.acknowledge_expired(message, session, s);
        }
    }

    /// What `afterMessageIsConsumed` begins with; whether the consumer is still open to go on.
    #[inline(always)]
    fn ends_consuming(&mut self, s: &mut impl Surroundings) -> bool {
        self.is_consuming = false;
        let rare = Obstacles::CLOSED | Obstacles::RESTORES_PREFETCH;
        !self.obstacles.have(rare) || self.ends_consuming_with_care(s)
    }

    #[cold]
    fn ends_consuming_with_care(&mut self, s: &mut impl Surroundings) -> bool {
        self.restore_prefetch(s);
        !self.is_closed()
    }

    /// Puts a dispatch into the buffer; None is the broker's answer to a pull that found nothing.
    pub(super) fn buffer(&mut self, delivery: Option<Delivery>, session: &mut Session) {
        session.listeners_may_buffer |= self.is_listener();
        self.unconsumed.enqueue(delivery);
    }

    /// Lets go of everything without a word to the broker.
    pub(super) fn forget_everything(&mut self, s: &mut impl Surroundings) {
        self.is_open = false;
        self.close_buffer();
        self.drop_buffer(s);
        self.clear_delivered(s);
        self.forget_pending_ack(s);
        self.forget_redeliveries(s);
    }

    /// Drops what waits in the buffer.
    pub(super) fn drop_buffer(&mut self, s: &mut impl Surroundings) {
        while let Some(item) = self.unconsumed.dequeue() {
            if let Some(delivery) = item {
                s.emit(Fact::Dropped {
                    consumer: self.id,
                    message: delivery.message,
                });
                s.release(delivery.message);
            }
        }
    }

    /// Lets go of what was delivered.
    pub(super) fn clear_delivered(&mut self, s: &mut impl Surroundings) {
        for delivery in self.delivered.iter() {
            s.release(delivery.message);
        }
        self.delivered.clear();
    }

    /// Lets go of what waits for its redelivery.
    pub(super) fn forget_redeliveries(&mut self, s: &mut impl Surroundings) {
        for (_, batch) in std::mem::take(&mut self.redeliveries) {
            for delivery in batch {
                s.emit(Fact::Dropped {
                    consumer: self.id,
                    message: delivery.message,
                });
                s.release(delivery.message);
            }
        }
    }
}
