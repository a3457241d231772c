//! What happened, as plain data. The model emits facts and never reads them back; everything a person sees is a fold
//! over them.

use crate::kernel::{Span, Time};
use crate::wire::{
    ConnectionId, ConsumerId, ConsumerIndex, DestinationIndex, MessageAck, MessageRef, Messages,
    ProducerIndex, TransactionId,
};

/// Receives the facts of a run in order of time. `messages` holds every message that a fact names.
pub trait Observer {
    /// One fact.
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages);
}

/// Nobody watches.
impl Observer for () {
    fn on(&mut self, _: Time, _: &Fact, _: &Messages) {}
}

impl<O: Observer + ?Sized> Observer for &mut O {
    #[inline(always)]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        (**self).on(now, fact, messages);
    }
}

/// Watches if there.
impl<O: Observer> Observer for Option<O> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        if let Some(observer) = self {
            observer.on(now, fact, messages);
        }
    }
}

/// Two watch.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        self.0.on(now, fact, messages);
        self.1.on(now, fact, messages);
    }
}

/// How a processing ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// To the end.
    Done,
    /// It failed at its end.
    Failed,
    /// A repeat that an idempotent application skipped.
    Skipped,
    /// The process died, or the run was cut off, before the end.
    Interrupted,
}

/// Why a consumer's subscription ended at the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// A clean remove by the client, or by the broker itself after it asked the client to close.
    Close,
    /// The broker saw the connection break, or stopped itself.
    Lost,
}

/// Why a message was dead-lettered, or dropped where no dead-letter queue takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeathCause {
    /// A POISON ack.
    Poison,
    /// Expired.
    Expired,
    /// Evicted from a full topic subscription.
    Evicted,
}

/// One thing that happened.
// With a tag of its own: one that hides in the spare values of a field is unknown to the compiler where a fact is made.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub enum Fact {
    // ── the producing application ──
    /// It calls send (a resend of the same message is not a new send).
    Sending {
        /// Which message; its `wanted_at` says when the application wanted to.
        message: MessageRef,
    },
    /// send returned: at once if async, with the broker's answer if sync.
    SendReturned {
        /// Who.
        producer: ProducerIndex,
        /// When it had called.
        called_at: Time,
        /// How many of the calls since the last of these facts failed or lost their answer: 0 or 1.
        failed: bool,
    },
    /// The producer ended a transaction.
    ProducerTransaction {
        /// Which.
        transaction: TransactionId,
        /// Committed, else rolled back.
        committed: bool,
    },

    // ── the broker, about messages ──
    /// A message took its place on a queue, or was fanned out to the subscriptions of a topic.
    Enqueued {
        /// Which.
        message: MessageRef,
        /// Where.
        destination: DestinationIndex,
        /// For how many subscriptions: 1 on a queue.
        copies: u32,
    },
    /// A message ended in the broker without having been enqueued: rolled back, or a repeat that was recognised.
    NotEnqueued {
        /// Which.
        message: MessageRef,
        /// A repeat of an id that is there already, else rolled back.
        repeated: bool,
    },
    /// The broker handed it to the connection of a consumer.
    Dispatched {
        /// To whom.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
        /// As the dispatch carries it.
        redelivery_counter: u32,
    },
    /// A message in flight went back: onto its queue, or to its durable subscription.
    Returned {
        /// From whom.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
    },
    /// Taken off for good because a consumer acknowledged it (in a transaction: at its commit). Once per subscription.
    Acknowledged {
        /// By whom.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
    },
    /// On its way to a dead-letter queue: emitted before the copy is enqueued there.
    DeadLettered {
        /// Who had it, if anybody.
        consumer: Option<ConsumerId>,
        /// The original.
        message: MessageRef,
        /// Why.
        cause: DeathCause,
        /// The dead-letter queue.
        queue: DestinationIndex,
    },
    /// Expired, at the broker or by a client's EXPIRED ack.
    Expired {
        /// Whose it was, if in flight or on a topic subscription.
        consumer: Option<ConsumerId>,
        /// Which.
        message: MessageRef,
    },
    /// Thrown away: evicted from a topic subscription, or poisoned and no dead-letter queue would have it.
    Discarded {
        /// Whose it was.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
        /// Why.
        cause: DeathCause,
    },
    /// Gone without anybody having taken it off: with a non-durable topic subscription that ended, or with a broker
    /// that stopped (not persistent, or sent asynchronously and still on its way).
    Gone {
        /// Whose copy it was, on a topic.
        consumer: Option<ConsumerId>,
        /// Which.
        message: MessageRef,
    },
    /// The broker's redelivery plugin keeps a poisoned message and sends it again later.
    Rescheduled {
        /// Who poisoned it.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
        /// When.
        until: Time,
    },
    /// The last party let go of a message: nobody will name it again.
    Released {
        /// Which; still readable.
        message: MessageRef,
    },

    // ── the broker, about consumers ──
    /// A subscription was added.
    Subscribed {
        /// Whose.
        consumer: ConsumerId,
        /// Whether a failover transport repeated it after a reconnect.
        replayed: bool,
    },
    /// A subscription ended.
    Unsubscribed {
        /// Whose.
        consumer: ConsumerId,
        /// Why.
        removal: Removal,
    },
    /// An ack command reached the broker, before it acts on it.
    AckArrived {
        /// Which.
        ack: MessageAck,
    },
    /// The broker refused an ack.
    AckRejected {
        /// Which.
        ack: MessageAck,
    },
    /// A pull reached the broker.
    PullArrived {
        /// Whose.
        consumer: ConsumerId,
        /// Milliseconds; 0: until a message comes; -1: answer at once.
        timeout: i64,
    },
    /// A transaction command of a session of consumers reached the broker.
    TransactionArrived {
        /// Which.
        transaction: TransactionId,
        /// Which command.
        command: TransactionCommand,
    },
    /// The window of a subscription became full, or has room again.
    WindowFull {
        /// Whose.
        consumer: ConsumerId,
        /// Which of both.
        full: bool,
    },
    /// The slow flag of a subscription changed.
    Slow {
        /// Whose.
        consumer: ConsumerId,
        /// Which of both.
        slow: bool,
    },
    /// A slow-consumer strategy looked at a consumer that it has in its table.
    SlowChecked {
        /// Whom.
        consumer: ConsumerId,
        /// How many checks found it slow so far.
        marks: u32,
        /// Whether that is enough to abort it now.
        aborted: bool,
    },
    /// The broker stopped, or came back.
    BrokerUp {
        /// Which of both.
        up: bool,
    },

    // ── the client library ──
    /// A dispatch arrived at the library.
    Received {
        /// Whose.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
    },
    /// A dispatch arrived for a consumer that is no more, or one that is closed, and was dropped; or the buffer of a
    /// consumer that closes, or reconnects, was cleared of it. Only after `Received`.
    Dropped {
        /// Whose.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
    },
    /// An ack left the library.
    AckSent {
        /// Which.
        ack: MessageAck,
    },
    /// The library redelivers locally: a message goes back from "delivered" into the buffer.
    RedeliveryScheduled {
        /// Whose.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
        /// When it may be delivered again.
        until: Time,
    },

    // ── the consuming application ──
    /// The library hands a message to the application, which begins to work on it.
    Delivered {
        /// Whose.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
        /// `JMSXDeliveryCount`: 1 the first time.
        count: u32,
    },
    /// The application's work on a delivery ended.
    Processed {
        /// Whose.
        consumer: ConsumerId,
        /// Which.
        message: MessageRef,
        /// How.
        outcome: Outcome,
        /// When it had begun.
        since: Time,
    },
    /// The application calls createConsumer.
    Subscribing {
        /// Which life begins.
        consumer: ConsumerId,
    },
    /// The consumer is ready: messages may be handed over from now on.
    Started {
        /// Whose.
        consumer: ConsumerId,
    },
    /// The application closed the consumer cleanly.
    Closed {
        /// Whose.
        consumer: ConsumerId,
    },
    /// The process died, and with it this consumer.
    Crashed {
        /// Whose.
        consumer: ConsumerId,
    },
    /// A delivery hangs.
    Hangs {
        /// Whose.
        consumer: ConsumerId,
        /// None: for ever.
        length: Option<Span>,
    },
    /// The network of a connection broke, or is back.
    Network {
        /// Whose.
        connection: ConnectionId,
        /// Which of both.
        up: bool,
    },
    /// The application's commit was refused; the library rolled back.
    CommitFailed {
        /// The first consumer of the session.
        consumer: ConsumerIndex,
    },
}

/// Commands about a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionCommand {
    /// BEGIN
    Begin,
    /// COMMIT_ONE_PHASE
    Commit,
    /// ROLLBACK
    Rollback,
}
