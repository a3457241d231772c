//! What queues and topics have in common (`BaseDestination`).

use std::collections::VecDeque;

use crate::kernel::Span;
use crate::rules::Rules;
use crate::scenario::{DestinationKind, Policy};

use super::memory::MemoryUsage;
use super::producer::{BlockedSend, ParkedSend};
use super::queue::Queue;
use super::slow::SlowStrategy;
use super::topic::Topic;

/// A queue or topic with what waits for its memory.
#[derive(Debug)]
pub(super) struct Destination {
    pub policy: Policy,
    pub kind: Kind,
    /// Whether no setting and no rule makes its passes do more than to page in and assign: no sends
    /// wait for space, no dispatch for consumers, no message for room before it is paged in, a page
    /// is more than one message, and nobody is found slow.
    pub plain: bool,
    pub memory: MemoryUsage,
    /// Sends that wait for space without stopping their connection (`messagesWaitingForSpace`).
    pub parked: VecDeque<ParkedSend>,
    /// Sends that wait for space in the thread of their connection (`waitForSpace`).
    pub blocked: VecDeque<BlockedSend>,
    /// How many passes are wanted (`Queue.pendingWakeups`).
    pub wakeups: u32,
    pub slow_strategy: Option<SlowStrategy>,
}

/// The two classes of destinations.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few destinations, and every message looks at its queue several times"
)]
pub(super) enum Kind {
    Queue(Queue),
    Topic(Topic),
}

impl Destination {
    pub fn new(kind: DestinationKind, policy: &Policy, rules: Rules) -> Destination {
        Destination {
            kind: match kind {
                DestinationKind::Queue => Kind::Queue(Queue::new(policy)),
                DestinationKind::Topic => Kind::Topic(Topic::default()),
            },
            memory: MemoryUsage::new(policy.memory_limit),
            parked: VecDeque::new(),
            blocked: VecDeque::new(),
            wakeups: 0,
            plain: policy.memory_limit.is_none()
                && policy.consumers_before_dispatch_starts == 0
                && policy.time_before_dispatch_starts == Span::ZERO
                && !policy.lazy_dispatch
                && policy.max_page_size > 1
                && !rules.full_queue_consumer_is_slow
                && !rules.delivered_marks_slow,
            slow_strategy: policy.slow_consumer_strategy.map(SlowStrategy::new),
            policy: policy.clone(),
        }
    }

    pub fn is_queue(&self) -> bool {
        matches!(self.kind, Kind::Queue(_))
    }

    /// The queue that it is. Only for what happens on queues alone.
    #[inline]
    pub fn queue(&mut self) -> &mut Queue {
        match &mut self.kind {
            Kind::Queue(queue) => queue,
            Kind::Topic(_) => unreachable!("only queues get here"),
        }
    }

    /// The topic that it is. Only for what happens on topics alone.
    pub fn topic(&mut self) -> &mut Topic {
        match &mut self.kind {
            Kind::Topic(topic) => topic,
            Kind::Queue(_) => unreachable!("only topics get here"),
        }
    }

    /// Whether there is nothing that a pass could dispatch. A topic has no passes: it only releases
    /// sends.
    #[inline]
    pub fn nothing_waits(&self) -> bool {
        match &self.kind {
            Kind::Queue(queue) => queue.waiting.is_empty(),
            Kind::Topic(_) => true,
        }
    }

    /// Whether anybody waits for space that there is.
    pub fn can_release_sends(&self) -> bool {
        (!self.parked.is_empty() || !self.blocked.is_empty()) && !self.memory.is_full()
    }
}
