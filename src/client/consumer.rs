//! One consumer: its buffer, what it has delivered, and when it acknowledges (`ActiveMQMessageConsumer`).

use super::acknowledge::PendingAck;
use super::{Buffer, Delivery, Seen, Session, Style, Surroundings, is_listener};
use crate::facts::Fact;
use crate::kernel::Time;
use crate::rules::Rules;
use crate::scenario::{ClientOptions, DestinationKind, Scenario};
use crate::wire::{
    AckType, Caller, ConnectionIndex, ConsumerId, ConsumerIndex, MessageRef, SessionIndex,
};

/// A consumer of the client library. Its settings stay over its lives, everything else begins anew with each.
pub struct Consumer {
    /// Which life.
    pub id: ConsumerId,
    /// Its session.
    pub session: SessionIndex,
    /// Its connection.
    pub connection: ConnectionIndex,
    /// Options of its connection. In a box, since they are as large as all the rest: what every message asks of them
    /// stands among the rest.
    pub options: Box<ClientOptions>,
    pub(super) style: Style,
    pub(super) kind: DestinationKind,
    pub(super) rules: Rules,
    /// P: what it asked for, and what its thresholds count with.
    pub prefetch: u32,
    is_listener: bool,
    is_optimized: bool,
    /// AUTO as it is by default: an ack for each message consumed.
    acknowledges_each: bool,
    /// Whether what arrives may be a duplicate that the filter of its connection knows.
    pub(super) filters_duplicates: bool,
    /// `jms.consumerExpiryCheckEnabled`
    checks_expiry: bool,
    /// Whether whoever sends an ack waits for its answer, unless it is in a transaction (`jms.sendAcksAsync=false`).
    pub(super) waits_for_acks: bool,
    /// What was delivered more often is not delivered any more (`preDispatchCheck`, transacted only); `u32::MAX`: never.
    most_redeliveries: u32,
    /// From `createConsumer` to its close or crash.
    pub is_open: bool,
    /// The prefetch buffer (`unconsumedMessages`).
    pub unconsumed: Buffer<Option<Delivery>>,
    /// Handed to the application, not yet acknowledged (`deliveredMessages`); the newest last.
    pub delivered: Vec<Delivery>,
    /// Counts towards the next DELIVERED; may go below 0 (`deliveredCounter`).
    pub delivered_counter: i32,
    /// Consumed since the last optimised ack (`ackCounter`).
    pub ack_counter: i32,
    pub(super) pending_ack: Option<PendingAck>,
    /// Millisecond of the last optimised ack (`optimizeAckTimestamp`).
    pub(super) optimize_ack_timestamp: u64,
    /// From when on optimizeAcknowledgeTimeOut asks for the next; never without one.
    pub(super) optimized_ack_due: Time,
    pub(super) redelivery_delay: i64,
    /// Broker sequence id of what was handed over last; -1: nothing (`lastDeliveredSequenceId`).
    pub last_delivered_sequence_id: i64,
    /// 0 makes it pull (`info.getCurrentPrefetchSize`).
    pub current_prefetch: u32,
    /// Takes part in the open transaction (`synchronizationRegistered`).
    pub(super) enlisted: bool,
    /// Article 3: a DELIVERED is out, and nothing was acknowledged since.
    pub(super) delivered_ack_is_out: bool,
    /// The application works on the newest of `delivered`.
    pub(super) is_consuming: bool,
    /// A reconnect has made what was delivered worthless (`clearDeliveredList`).
    pub(super) clears_delivered: bool,
    /// The broker has a prefetch of 0 for it until the listener at work is done.
    pub(super) restores_prefetch: bool,
    pub(super) redeliveries: Vec<(u32, Vec<Delivery>)>,
    pub(super) next_batch: u32,
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
        Consumer {
            id: ConsumerId {
                index: index as ConsumerIndex,
                life: 0,
            },
            session: spec.session as SessionIndex,
            connection: spec.connection as ConnectionIndex,
            is_optimized,
            acknowledges_each: style == Style::AutoEach && !is_optimized,
            filters_duplicates: seen[spec.connection].is_active(),
            checks_expiry: options.consumer_expiry_check_enabled,
            waits_for_acks: !options.send_acks_async,
            most_redeliveries,
            style,
            kind,
            rules,
            prefetch: spec.prefetch_size,
            is_listener: is_listener(spec.receive),
            is_open: false,
            unconsumed: Buffer::new(options.message_priority_supported),
            delivered: Vec::new(),
            delivered_counter: 0,
            ack_counter: 0,
            pending_ack: None,
            optimize_ack_timestamp: 0,
            optimized_ack_due: Time::NEVER,
            redelivery_delay: 0,
            last_delivered_sequence_id: -1,
            current_prefetch: spec.prefetch_size,
            enlisted: false,
            delivered_ack_is_out: false,
            is_consuming: false,
            clears_delivered: false,
            restores_prefetch: false,
            redeliveries: Vec::new(),
            next_batch: 0,
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
        self.delivered_counter = 0;
        self.ack_counter = 0;
        self.note_optimized_ack(now);
        self.redelivery_delay = 0;
        self.last_delivered_sequence_id = -1;
        self.current_prefetch = self.prefetch;
        self.enlisted = false;
        self.delivered_ack_is_out = false;
        self.is_consuming = false;
        self.clears_delivered = false;
        self.restores_prefetch = false;
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
        self.is_listener
    }

    /// Which thread sends its acks.
    pub(super) fn caller(&self) -> Caller {
        if self.is_listener {
            Caller::Session(self.session)
        } else {
            Caller::Consumer(self.id.index)
        }
    }

    /// Whether a message is expired by the client's clock (`consumeExpiredMessage`).
    #[inline]
    pub(super) fn is_expired(&self, delivery: &Delivery, s: &impl Surroundings) -> bool {
        let message = &s.messages()[delivery.message];
        self.checks_expiry && message.is_expired(s.now())
    }

    /// A transacted consumer does not deliver what was delivered too often (`redeliveryExceeded`), unless the
    /// broker's redelivery plugin sent it.
    #[inline]
    pub(super) fn redelivery_exceeded(&self, delivery: &Delivery, s: &impl Surroundings) -> bool {
        delivery.dispatched_counter > self.most_redeliveries
            && !s.messages()[delivery.message].rescheduled
    }

    /// A message is about to be handed to the application (`beforeMessageIsConsumed`).
    #[inline(always)]
    pub(super) fn before_message_is_consumed(
        &mut self,
        delivery: &Delivery,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        self.last_delivered_sequence_id = s.messages()[delivery.message].sequence as i64;
        self.is_consuming = true;
        if self.style != Style::AutoBatch {
            self.delivered.push(*delivery);
        }
        if self.style == Style::Transacted {
            self.take_part(delivery.message, session, s);
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
                && !self.is_in_delivered(message)
        );
        if self.acknowledges_each {
            self.acknowledge_delivered(AckType::Standard, session, s);
        } else {
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
        match self.style {
            Style::Transacted => {}
            Style::AutoEach => self.optimized_ack(session, s),
            Style::AutoBatch => self.ack_later(message, AckType::Standard, session, s),
            Style::Client | Style::Individual => {
                if self.is_in_delivered(message) {
                    self.ack_later(message, AckType::Delivered, session, s);
                }
            }
        }
    }

    /// The application never sees a message because it is expired (`afterMessageIsConsumed` as well).
    pub(super) fn consume_expired(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        if self.ends_consuming(s) {
            self.acknowledge_expired(message, session, s);
        }
    }

    /// What `afterMessageIsConsumed` begins with; whether the consumer is still open to go on.
    #[inline(always)]
    fn ends_consuming(&mut self, s: &mut impl Surroundings) -> bool {
        self.is_consuming = false;
        self.restore_prefetch(s);
        !self.unconsumed.closed
    }

    /// The application holds a message while it works on it, beside `delivered`, which may let go of it meanwhile.
    /// DUPS_OK on a topic never keeps it in `delivered`: there the library's hold becomes the application's.
    #[inline]
    pub(super) fn hold_for_application(&self, delivery: &Delivery, s: &mut impl Surroundings) {
        if self.style != Style::AutoBatch {
            s.messages_mut().retain(delivery.message);
        }
    }

    /// Whether a message is handed over and not yet acknowledged. The newest are looked at first.
    pub(super) fn is_in_delivered(&self, message: MessageRef) -> bool {
        self.delivered
            .iter()
            .rev()
            .any(|delivery| delivery.message == message)
    }

    /// Puts a dispatch into the buffer; None is the broker's answer to a pull that found nothing.
    pub(super) fn buffer(&mut self, delivery: Option<Delivery>, session: &mut Session) {
        session.listeners_may_buffer |= self.is_listener;
        self.unconsumed.enqueue(delivery);
    }

    /// Lets go of everything without a word to the broker.
    pub(super) fn forget_everything(&mut self, s: &mut impl Surroundings) {
        self.is_open = false;
        self.unconsumed.running = false;
        self.unconsumed.closed = true;
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
    #[inline(always)]
    pub(super) fn clear_delivered(&mut self, s: &mut impl Surroundings) {
        // With an ack for each message there is just one.
        if let [only] = *self.delivered {
            self.delivered.clear();
            return s.release(only.message);
        }
        for delivery in &self.delivered {
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
