//! The commands that client and broker exchange, in OpenWire's vocabulary, and the arena of messages.

use std::num::NonZeroU32;

use crate::kernel::Time;

/// Index of a producer in the scenario.
pub type ProducerIndex = u32;
/// Index of a consumer in the scenario.
pub type ConsumerIndex = u32;
/// Index of a session in the scenario.
pub type SessionIndex = u32;
/// Index of a connection: the scenario's connections, then one for each producer.
pub type ConnectionIndex = u32;
/// Index of a destination in the scenario.
pub type DestinationIndex = u32;

/// One life of a connection: a restart after a crash is a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ConnectionId {
    /// Which connection of the scenario.
    pub index: ConnectionIndex,
    /// From 1.
    pub life: u32,
}

/// One life of a consumer: what OpenWire calls ConsumerId.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ConsumerId {
    /// Which consumer of the scenario.
    pub index: ConsumerIndex,
    /// From 1.
    pub life: u32,
}

/// A local transaction; ids are made by the client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TransactionId {
    /// Who began it.
    pub owner: TransactionOwner,
    /// From 1, over all lives of the owner.
    pub number: u32,
}

/// Transactions belong to a session; a producer has one of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TransactionOwner {
    /// Of consumers.
    Session(SessionIndex),
    /// Of a producer.
    Producer(ProducerIndex),
}

/// A message in the arena. Stays valid as long as somebody holds it ([`Messages::retain`]); never confused with a later
/// message in the same place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MessageRef {
    slot: u32,
    /// Never 0, so that an optional one is no larger.
    generation: NonZeroU32,
}

impl MessageRef {
    /// The place in the arena: a small index for tables beside the arena.
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// What type of acknowledgement (`MessageAck.ackType`). The discriminants are OpenWire's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum AckType {
    /// Handed to the application, not acknowledged yet: widens the window.
    Delivered = 0,
    /// Not to be delivered again: to the dead-letter queue.
    Poison = 1,
    /// Done.
    Standard = 2,
    /// Redelivered locally once more.
    Redelivered = 3,
    /// One message done, out of order.
    Individual = 4,
    /// Never on the wire.
    Unmatched = 5,
    /// Expired in the client's buffer.
    Expired = 6,
}

impl AckType {
    /// All types by number.
    pub const ALL: [AckType; 7] = [
        AckType::Delivered,
        AckType::Poison,
        AckType::Standard,
        AckType::Redelivered,
        AckType::Individual,
        AckType::Unmatched,
        AckType::Expired,
    ];

    /// As recordings and metrics write it: `STANDARD`.
    pub const fn name(self) -> &'static str {
        match self {
            AckType::Delivered => "DELIVERED",
            AckType::Poison => "POISON",
            AckType::Standard => "STANDARD",
            AckType::Redelivered => "REDELIVERED",
            AckType::Individual => "INDIVIDUAL",
            AckType::Unmatched => "UNMATCHED",
            AckType::Expired => "EXPIRED",
        }
    }
}

/// `MessageAck`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageAck {
    /// Whose.
    pub consumer: ConsumerId,
    /// Of which type.
    pub ack_type: AckType,
    /// The oldest of the range; none in INDIVIDUAL acks.
    pub first: Option<MessageRef>,
    /// The newest of the range.
    pub last: MessageRef,
    /// What the client says the range counts: may be wrong, 0 or larger than the range.
    pub count: i32,
    /// Inside this transaction.
    pub transaction: Option<TransactionId>,
}

/// Who waits for the answer to a synchronous command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// The application's thread that sends.
    Producer(ProducerIndex),
    /// The worker of a session.
    Session(SessionIndex),
    /// The thread that receives, or that is subscribing.
    Consumer(ConsumerIndex),
    /// Whoever closes or connects a connection.
    Connection,
}

/// Client to broker.
// With a tag of its own, which is read with one comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ToBroker {
    /// `ConsumerInfo`, answered. What else it says stands in the scenario.
    AddConsumer {
        /// Whose.
        consumer: ConsumerId,
        /// The prefetch it asks for: 0 while a failover transport clears its buffers.
        prefetch: u32,
        /// Whether the failover transport repeats it after a reconnect.
        replayed: bool,
    },
    /// `RemoveInfo` of a consumer.
    RemoveConsumer {
        /// Whose.
        consumer: ConsumerId,
        /// Broker sequence id of what was handed to the application last; -1: nothing.
        last_delivered: i64,
    },
    /// `RemoveInfo` of a session: removes all its consumers that are left.
    RemoveSession {
        /// Which.
        session: SessionIndex,
        /// Largest over its consumers.
        last_delivered: i64,
    },
    /// `RemoveInfo` of the connection, answered, and `ShutdownInfo`.
    RemoveConnection {
        /// Largest over its sessions.
        last_delivered: i64,
    },
    /// A send. Answered if `sync`.
    Message {
        /// The message; the sender holds it for the wire, the broker lets go of it if it does not keep it.
        message: MessageRef,
        /// Inside this transaction.
        transaction: Option<TransactionId>,
        /// Whether the producer waits.
        sync: bool,
        /// Whether the answer gets lost and the connection with it.
        lose_reply: bool,
    },
    /// `MessageAck`
    Ack {
        /// The ack.
        ack: MessageAck,
        /// Who waits, with `sendAcksAsync=false`.
        reply_to: Option<Caller>,
        /// Article semantics only: milliseconds after which the broker puts REDELIVERED messages back.
        redeliver_after: u32,
    },
    /// `MessagePull` of a consumer with prefetch 0.
    Pull {
        /// Whose.
        consumer: ConsumerId,
        /// Milliseconds; 0: until a message comes; -1: answer at once.
        timeout: i64,
    },
    /// `TransactionInfo` BEGIN.
    Begin(TransactionId),
    /// `TransactionInfo` COMMIT_ONE_PHASE, answered.
    Commit {
        /// Which.
        transaction: TransactionId,
        /// Who waits.
        reply_to: Caller,
    },
    /// `TransactionInfo` ROLLBACK, answered.
    Rollback {
        /// Which.
        transaction: TransactionId,
        /// Who waits.
        reply_to: Caller,
    },
    /// `ConsumerControl` of a failover transport: the prefetch after clearing.
    Prefetch {
        /// Whose.
        consumer: ConsumerId,
        /// The consumer's own.
        prefetch: u32,
    },
}

/// Broker to client.
// With a tag of its own, as above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ToClient {
    /// `MessageDispatch`
    Dispatch {
        /// To whom.
        consumer: ConsumerId,
        /// None: nothing for your pull. The wire holds it.
        message: Option<MessageRef>,
        /// The broker's counter.
        redelivery_counter: u32,
    },
    /// `Response` or `ExceptionResponse`
    Response {
        /// Who waits for it.
        to: Caller,
        /// Whether the broker refused.
        failed: bool,
    },
    /// `ProducerAck`: so many bytes of the window are free again.
    ProducerAck {
        /// To whom.
        producer: ProducerIndex,
        /// Bytes.
        size: u32,
    },
    /// `ConsumerControl` close: a slow-consumer strategy wants it gone.
    CloseConsumer(ConsumerId),
    /// `ConsumerControl` prefetch: a policy made it 0.
    Prefetch {
        /// To whom.
        consumer: ConsumerId,
        /// The new value.
        prefetch: u32,
    },
    /// The broker closes the socket.
    Disconnect,
}

/// One message: what its producer made of it, and what the broker notes on its own copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message {
    /// Who sent it.
    pub producer: ProducerIndex,
    /// From 1, in the order in which the producer sends.
    pub number: u64,
    /// Where it was sent to; for a dead letter, the dead-letter queue.
    pub destination: DestinationIndex,
    /// When the application wanted to send it: what latencies count from.
    pub wanted_at: Time,
    /// When the application called send.
    pub sent_at: Time,
    /// Millisecond after which it is expired; 0: never.
    pub expiration: u64,
    /// Body size in bytes.
    pub size: u32,
    /// Message group from 1; 0: none.
    pub group: u32,
    /// 0 to 9.
    pub priority: u8,
    /// PERSISTENT.
    pub persistent: bool,
    /// Whether it is a dead letter: a copy in a dead-letter queue.
    pub dead_letter: bool,
    /// Whether the broker's redelivery plugin sent it (property `redeliveryDelay`).
    pub rescheduled: bool,
    /// Whether the application sent it a second time under a new id (`sendAsNew`).
    pub copy: bool,
    /// Broker sequence id, given on arrival at its destination; 0 before.
    pub sequence: u64,
    /// The broker's redelivery counter (of queues; durable subscriptions keep their own).
    pub redelivery_counter: u32,
    /// Queue: the subscription it is in flight to (the broker's own number).
    pub locked_by: Option<u32>,
    /// Queue: acknowledged, perhaps in an open transaction.
    pub acked: bool,
    /// Removed for good.
    pub dropped: bool,
}

impl Message {
    /// What the message counts for in a destination's memory and a producer's window, in bytes (`Message.getSize`).
    pub fn memory_size(&self) -> u64 {
        /// `Message.DEFAULT_MINIMUM_MESSAGE_SIZE`: added to the body, in spite of its name.
        const OVERHEAD: u64 = 1024;
        OVERHEAD + u64::from(self.size)
    }

    /// The same message as nobody had it yet.
    pub fn fresh_copy(&self) -> Message {
        Message {
            sequence: 0,
            redelivery_counter: 0,
            locked_by: None,
            acked: false,
            dropped: false,
            ..*self
        }
    }

    /// Expired by a clock of whole milliseconds: strictly after its expiration.
    pub fn is_expired(&self, now: Time) -> bool {
        self.expiration > 0 && now.as_millis() > self.expiration
    }
}

/// The arena: messages that anybody still holds. Its size follows what is in flight, not what was sent.
#[derive(Debug, Default)]
pub struct Messages {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: NonZeroU32,
    holders: u32,
    message: Message,
}

impl Messages {
    /// Takes in a message; the caller is its first holder.
    // Inlined, a message is put together where it is to lie: nothing else here takes it.
    #[inline(always)]
    pub fn insert(&mut self, message: Message) -> MessageRef {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.add_slot(),
        };
        let place = &mut self.slots[slot as usize];
        place.holders = 1;
        place.message = message;
        MessageRef {
            slot,
            generation: place.generation,
        }
    }

    #[cold]
    #[inline(never)]
    fn add_slot(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 messages are in flight");
        self.slots.push(Slot {
            generation: NonZeroU32::MIN,
            holders: 0,
            message: Message::default(),
        });
        slot
    }

    /// How many messages are held.
    pub fn held(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// One more party is interested.
    pub fn retain(&mut self, message: MessageRef) {
        self.slot_mut(message).holders += 1;
    }

    /// One party less; true if it was the last and the message is gone.
    pub fn release(&mut self, message: MessageRef) -> bool {
        let is_last = !self.release_but_last(message);
        if is_last {
            self.remove(message);
        }
        is_last
    }

    /// One party less, unless it is the last: then false, and the message stays until it is removed.
    #[inline]
    pub fn release_but_last(&mut self, message: MessageRef) -> bool {
        let slot = self.slot_mut(message);
        if slot.holders == 1 {
            return false;
        }
        slot.holders -= 1;
        true
    }

    /// The last party lets go.
    pub fn remove(&mut self, message: MessageRef) {
        let slot = self.slot_mut(message);
        slot.holders = 0;
        slot.generation = slot.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        self.free.push(message.slot);
    }

    /// Whether a release by the only holder would end it.
    pub fn is_last_holder(&self, message: MessageRef) -> bool {
        self.slots[message.slot()].holders == 1
    }

    /// Whether the message is still in the arena.
    pub fn contains(&self, message: MessageRef) -> bool {
        let slot = &self.slots[message.slot()];
        slot.generation == message.generation && slot.holders > 0
    }

    /// How many messages are in the arena.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether nobody holds anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn slot_mut(&mut self, message: MessageRef) -> &mut Slot {
        let slot = &mut self.slots[message.slot as usize];
        debug_assert_eq!(
            slot.generation, message.generation,
            "a message outlives its holders"
        );
        slot
    }
}

impl std::ops::Index<MessageRef> for Messages {
    type Output = Message;
    fn index(&self, message: MessageRef) -> &Message {
        let slot = &self.slots[message.slot as usize];
        debug_assert_eq!(
            slot.generation, message.generation,
            "a message outlives its holders"
        );
        &slot.message
    }
}

impl std::ops::IndexMut<MessageRef> for Messages {
    fn index_mut(&mut self, message: MessageRef) -> &mut Message {
        &mut self.slot_mut(message).message
    }
}
