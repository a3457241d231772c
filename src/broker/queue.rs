//! Queues: where messages wait, and how passes assign them to consumers (`Queue`).
//!
//! A message arrives at the end of the *cursor*. A *pass* (`Queue.iterate`) moves at most
//! `maxPageSize` messages from the cursor to the *pending list* and assigns what is pending to the
//! consumers. Whatever changes something for a queue (a send, an ack, a consumer that comes or
//! goes) requests passes; they run when the command is done and its answer is on its way. Their
//! number matters, because each pages in a limited number: a consumer with a large window on a
//! loaded queue gets 200 messages at first, and more only as its acks request passes.

use crate::facts::{DeathCause, Fact};
use crate::kernel::Span;
use crate::scenario::Policy;
use crate::wire::{ConnectionId, Message, MessageRef, Messages};

use super::consumers::{Consumers, ListRules};
use super::destination::Kind;
use super::pending::Waiting;
use super::slow::mark_passed_over;
use super::subscription::{Subscription, SubscriptionIndex};
use super::surroundings::release;
use super::{Broker, BrokerTimer, LAST_DELIVERED_UNKNOWN, Surroundings};

/// `maxExpirePageSize`
const MAX_EXPIRE_PAGE_SIZE: usize = 400;
/// How long the first consumer waits for others if the policy doesn't say.
const DEFAULT_WAIT_FOR_CONSUMERS: Span = Span::from_millis(1000);

/// The state of a queue. What is in flight lies in the subscriptions.
#[derive(Debug)]
pub(super) struct Queue {
    /// Paged in or not; not in flight.
    pub waiting: Waiting,
    /// `pagedInMessages.size()`: pending or in flight.
    pub paged_in: usize,
    pub consumers: Consumers,
    start: DispatchStart,
}

/// The wait for more consumers when a first one comes (`consumersBeforeDispatchStarts`).
#[derive(Debug, Default)]
struct DispatchStart {
    /// `Queue.firstConsumer`: the next pass begins with a wait.
    first_consumer: bool,
    /// `consumersBeforeStartsLatch`: how many are missing.
    missing: u32,
    waiting: bool,
    /// Counts the waits: tells timers apart.
    wait: u32,
}

/// What the pass over a message that arrives does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PassAtOnce {
    /// Somebody has room and nothing waits, which is what nearly every message comes upon while
    /// consumers keep up.
    HandsOver(SubscriptionIndex),
    /// Nobody has room.
    PagesIn,
    /// It takes a real pass to see.
    Unknown,
}

impl Queue {
    pub fn new(policy: &Policy) -> Queue {
        Queue {
            waiting: Waiting::new(policy.prioritized_messages),
            paged_in: 0,
            consumers: Consumers::new(ListRules {
                strict_order: policy.strict_order_dispatch,
                sorted: policy.use_consumer_priority,
                all_exclusive: policy.all_consumers_exclusive_by_default,
            }),
            start: DispatchStart::default(),
        }
    }

    /// Who gets a message now. Nobody gets one that is acknowledged in an open transaction.
    #[inline(always)]
    fn select(
        &mut self,
        message: &Message,
        subscriptions: &mut [Subscription],
    ) -> Option<SubscriptionIndex> {
        if message.acked {
            return None;
        }
        self.consumers.select(message.group, subscriptions)
    }

    /// A paged-in message is gone for good.
    #[inline(always)]
    pub fn forget(&mut self, message: MessageRef, s: &mut impl Surroundings) {
        mark_dropped(message, s);
        self.paged_in -= 1;
    }

    /// `willBeInOrder`: the messages that came back last are older than those that came back
    /// before.
    fn will_be_in_order(&self, returned: &[MessageRef], messages: &Messages) -> bool {
        let (Some(head), Some(&last)) = (self.waiting.first_returned(), returned.last()) else {
            return false;
        };
        messages[head].sequence > messages[last].sequence
    }
}

// ── passes ──
impl Broker {
    /// Requests a pass (`Queue.wakeup`).
    #[inline]
    pub(super) fn wakeup(&mut self, destination: usize) {
        self.request_passes(destination, 1);
    }

    #[inline]
    pub(super) fn request_passes(&mut self, destination: usize, passes: u32) {
        let wakeups = &mut self.destinations[destination].wakeups;
        if *wakeups == 0 {
            self.wanted.push(destination);
        }
        *wakeups += passes;
    }

    /// Requests so many passes for what waits already. Without it they would find nothing to do,
    /// which is what most acks come upon, so that they are not even requested.
    #[inline]
    pub(super) fn wakeup_for_waiting(&mut self, destination: usize, passes: u32) {
        let target = &self.destinations[destination];
        if !target.plain || !target.nothing_waits() {
            self.request_passes(destination, passes);
        }
    }

    /// Runs all passes that are wanted, queue by queue in the order of the first request.
    #[inline]
    pub(super) fn run_passes(&mut self, s: &mut impl Surroundings) {
        if !self.wanted.is_empty() {
            self.run_wanted_passes(s);
        }
    }

    #[inline(never)]
    fn run_wanted_passes(&mut self, s: &mut impl Surroundings) {
        let mut done = 0;
        while let Some(&destination) = self.wanted.get(done) {
            done += 1;
            rule!("passes-at-once");
            self.run_passes_of(destination, s);
        }
        self.wanted.clear();
    }

    #[inline(always)]
    fn run_passes_of(&mut self, index: usize, s: &mut impl Surroundings) {
        if self.assign_in_order(index, s) {
            self.destinations[index].wakeups = 0;
            return;
        }
        loop {
            let destination = &mut self.destinations[index];
            if destination.wakeups == 0 || !destination.plain && self.pass_waits(index, s) {
                return;
            }
            if self.passes_do_nothing(index) {
                self.destinations[index].wakeups = 0;
                return;
            }
            self.iterate(index, s);
            self.destinations[index].wakeups -= 1;
        }
    }

    /// Whether there is nothing that a pass could page in or assign, however many are wanted.
    #[inline(always)]
    fn passes_do_nothing(&self, destination: usize) -> bool {
        let destination = &self.destinations[destination];
        let Kind::Queue(queue) = &destination.kind else {
            return true;
        };
        let page = destination.policy.max_page_size as usize;
        queue.waiting.is_empty()
            || destination.plain
                && queue.consumers.nobody_can_take(&self.subscriptions)
                && (queue.waiting.in_cursor() == 0 || queue.waiting.pending() >= page)
    }

    /// The passes over a queue with nothing to page in, as most passes find it after an ack: pending
    /// messages go out in order. Whether no pass has anything left to do; else there is a message
    /// that takes a closer look, for which passes go on where this stopped.
    #[inline(never)]
    pub(super) fn assign_in_order(
        &mut self,
        destination: usize,
        s: &mut impl Surroundings,
    ) -> bool {
        let destination = &mut self.destinations[destination];
        let Kind::Queue(queue) = &mut destination.kind else {
            return false;
        };
        let special = !destination.plain || queue.consumers.has_exclusive();
        if special || queue.waiting.in_cursor() > 0 {
            return false;
        }
        rule!("full-is-passed-over");
        while let Some(taker) = queue.consumers.first_with_room() {
            if queue.waiting.is_empty() {
                return true;
            }
            let first = queue.waiting.take_first_if(|message| {
                let content = &s.messages()[message];
                !content.acked && content.group == 0 && content.expiration == 0
            });
            let Some(message) = first else {
                return false;
            };
            queue.hand_over(message, taker, &mut self.subscriptions, &self.stopping, s);
        }
        true
    }

    /// What a pass begins with where settings want it. Whether it can't go on.
    #[inline(never)]
    fn pass_waits(&mut self, destination: usize, s: &mut impl Surroundings) -> bool {
        self.release_waiting_sends(destination, s);
        self.dispatch_waits(destination, s)
    }

    /// One pass (`Queue.iterate`, `Queue.doDispatch`). Newly paged messages may go out only when
    /// nothing that was there before still waits; otherwise it takes another pass.
    #[inline(always)]
    pub(super) fn iterate(&mut self, destination: usize, s: &mut impl Surroundings) {
        let page = self.destinations[destination].policy.max_page_size as usize;
        self.page_in_and_assign(destination, page, false, s);
        if self.rules.delivered_marks_slow {
            self.mark_stuck_consumers(destination, s);
        }
    }

    /// `Queue.pageInMessages`
    #[inline(always)]
    fn page_in_and_assign(
        &mut self,
        destination: usize,
        page: usize,
        force: bool,
        s: &mut impl Surroundings,
    ) {
        let waiting = &self.destinations[destination].queue().waiting;
        let (pending, prioritized) = (waiting.pending(), waiting.is_prioritized());
        let paged = self.page_in(destination, page, force, s);
        let older_first = pending > 0 && paged > 0 && !prioritized;
        self.assign(
            destination,
            if older_first { pending } else { usize::MAX },
            s,
        );
        if older_first {
            rule!("fresh-waits-for-older");
            self.assign_fresh(destination, paged, s);
        }
    }

    /// Those that were paged in now go out only if all older ones have gone.
    #[inline(never)]
    fn assign_fresh(&mut self, destination: usize, paged: usize, s: &mut impl Surroundings) {
        if self.destinations[destination].queue().waiting.pending() == paged {
            self.assign_up_to(destination, usize::MAX, s);
        } else {
            self.wakeup(destination);
        }
    }

    /// Moves messages from the cursor to the pending list and returns how many
    /// (`Queue.doPageInForDispatch`).
    #[inline(always)]
    fn page_in(
        &mut self,
        destination: usize,
        page: usize,
        force: bool,
        s: &mut impl Surroundings,
    ) -> usize {
        let queue = self.destinations[destination].queue();
        let in_cursor = queue.waiting.in_cursor();
        if in_cursor == 0 {
            return 0;
        }
        if !force && (queue.consumers.is_empty() || queue.waiting.pending() >= page) {
            return 0;
        }
        let mut wanted = page.min(in_cursor);
        if !force && self.destinations[destination].policy.lazy_dispatch {
            rule!("lazy-dispatch");
            wanted = wanted.min(self.count_before_full_of_all(destination));
        }
        rule!("page", wanted == page);
        let mut paged = 0;
        loop {
            let queue = self.destinations[destination].queue();
            let is_expired = |message| s.messages()[message].is_expired(s.now());
            let next = queue.waiting.page_in(wanted - paged, is_expired);
            rule!(
                "queue-by-priority",
                next.count > 0 && queue.waiting.is_prioritized()
            );
            paged += next.count;
            queue.paged_in += next.count;
            let Some(message) = next.expired else {
                return paged;
            };
            queue.paged_in += 1;
            rule!("expired-when-read");
            self.queue_message_expired(destination, message, s);
        }
    }

    /// `Queue.getConsumerMessageCountBeforeFull`
    fn count_before_full_of_all(&mut self, destination: usize) -> usize {
        let consumers = self.destinations[destination].queue().consumers.members();
        let total: i64 = consumers
            .iter()
            .map(|&c| self.subscriptions[c].count_before_full())
            .sum();
        usize::try_from(total).unwrap_or(0)
    }

    /// Offers pending messages in order, at most this many, to the consumers
    /// (`Queue.doActualDispatch`). A message that its group or an exclusive consumer holds back
    /// does not hold back the ones behind it.
    #[inline(always)]
    fn assign(&mut self, destination: usize, limit: usize, s: &mut impl Surroundings) {
        let mut place = 0;
        for _ in 0..limit {
            let queue = self.destinations[destination].queue();
            let subscriptions = &mut self.subscriptions;
            let nobody = queue.consumers.nobody_can_take(subscriptions);
            if nobody && !self.rules.full_queue_consumer_is_slow {
                return;
            }
            rule!("full-is-passed-over");
            let Some(message) = queue.waiting.get(place) else {
                return;
            };
            let taker = queue.select(&s.messages()[message], subscriptions);
            if self.rules.full_queue_consumer_is_slow {
                mark_passed_over(&queue.consumers, subscriptions, taker, s);
            }
            let Some(taker) = taker else {
                if nobody {
                    return;
                }
                place += 1;
                continue;
            };
            queue.waiting.remove_at(place);
            if s.messages()[message].is_expired(s.now()) {
                self.expire_at_hand_over(destination, message, taker, s);
            } else {
                queue.hand_over(message, taker, subscriptions, &self.stopping, s);
            }
        }
    }

    #[inline(never)]
    fn assign_up_to(&mut self, destination: usize, limit: usize, s: &mut impl Surroundings) {
        self.assign(destination, limit, s);
    }

    #[cold]
    fn expire_at_hand_over(
        &mut self,
        destination: usize,
        message: MessageRef,
        taker: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        rule!("expired-at-hand-over");
        self.subscriptions[taker].room_clears_slow(s);
        self.queue_message_expired(destination, message, s);
        let queue = self.destinations[destination].queue();
        queue.consumers.rotate(taker, &mut self.subscriptions);
    }
}

impl Queue {
    /// `PrefetchSubscription.add` and `dispatchPending`, and the rotation of the consumer list.
    #[inline(always)]
    fn hand_over(
        &mut self,
        message: MessageRef,
        taker: SubscriptionIndex,
        subscriptions: &mut [Subscription],
        stopping: &Option<ConnectionId>,
        s: &mut impl Surroundings,
    ) {
        let subscription = &mut subscriptions[taker];
        subscription.room_clears_slow(s);
        let content = &mut s.messages_mut()[message];
        content.locked_by = Some(taker as u32);
        let redelivery_counter = content.redelivery_counter;
        subscription.dispatch(message, redelivery_counter, stopping, s);
        if subscription.is_full() {
            self.consumers.fill(taker, subscriptions, s);
        } else if self.consumers.take_turns() {
            self.consumers.go_last();
        } else {
            self.consumers.rotate(taker, subscriptions);
        }
    }
}

// ── messages come and go ──
impl Broker {
    /// A message takes its place on the queue (`Queue.cursorAdd`, `Queue.messageSent`).
    #[inline(always)]
    pub(super) fn enqueue(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        enqueued(destination, message, s);
        let priority = s.messages()[message].priority;
        self.destinations[destination]
            .queue()
            .waiting
            .push(message, priority);
        self.wakeup(destination);
    }

    /// What the pass over a message does that arrives now at a plain destination and does not expire,
    /// as far as it can be said at once: nothing is to be paged in before it, no pass is wanted, and
    /// neither a group nor an exclusive consumer says more about it.
    #[inline(always)]
    pub(super) fn pass_at_once(&self, destination: usize, group: u32) -> PassAtOnce {
        let destination = &self.destinations[destination];
        let Kind::Queue(queue) = &destination.kind else {
            return PassAtOnce::Unknown;
        };
        if group > 0 || queue.consumers.has_exclusive() || !self.wanted.is_empty() {
            return PassAtOnce::Unknown;
        }
        match queue.consumers.first_with_room() {
            Some(taker) if queue.waiting.is_empty() => PassAtOnce::HandsOver(taker),
            None if queue.waiting.in_cursor() == 0
                && queue.waiting.pending() < destination.policy.max_page_size as usize
                && !queue.consumers.is_empty() =>
            {
                PassAtOnce::PagesIn
            }
            _ => PassAtOnce::Unknown,
        }
    }

    /// The pass that hands a message over as it arrives.
    #[inline(always)]
    pub(super) fn hand_over_at_once(
        &mut self,
        destination: usize,
        message: MessageRef,
        taker: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        let queue = self.destinations[destination].queue();
        rule!("passes-at-once");
        rule!("full-is-passed-over");
        rule!("queue-by-priority", queue.waiting.is_prioritized());
        queue.paged_in += 1;
        queue.hand_over(message, taker, &mut self.subscriptions, &self.stopping, s);
    }

    /// The pass, or the two of them, that page a message in as it arrives and find nobody with room.
    #[inline(always)]
    pub(super) fn page_in_at_once(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let queue = self.destinations[destination].queue();
        rule!("passes-at-once");
        rule!("queue-by-priority", queue.waiting.is_prioritized());
        rule!(
            "fresh-waits-for-older",
            queue.waiting.pending() > 0 && !queue.waiting.is_prioritized()
        );
        queue.paged_in += 1;
        let priority = if queue.waiting.is_prioritized() {
            s.messages()[message].priority
        } else {
            0
        };
        queue.waiting.push_paged_in(message, priority);
    }

    /// Takes a paged-in message off for good (`Queue.removeMessage`, `Queue.dropMessage`).
    #[inline(always)]
    pub(super) fn drop_message(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        self.destinations[destination].queue().forget(message, s);
        self.free_memory(destination, message, s);
        release(s, message);
    }

    /// `Queue.messageExpired`: of a paged-in message that is not in flight.
    #[cold]
    fn queue_message_expired(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        self.message_expired(None, message, s);
        self.drop_message(destination, message, s);
    }

    /// Expiry processing (`RegionBroker.messageExpired`); taking the message off is the caller's
    /// business.
    pub(super) fn message_expired(
        &mut self,
        consumer: Option<SubscriptionIndex>,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let id = consumer.map(|consumer| self.subscriptions[consumer].consumer);
        s.emit(Fact::Expired {
            consumer: id,
            message,
        });
        self.send_to_dead_letter_queue(consumer, message, DeathCause::Expired, s);
    }

    /// The periodic check (`Queue.expireMessages`): browses what is not in flight, for which it
    /// pages in more, which then is dispatched like any other.
    pub(super) fn expire_queue(&mut self, destination: usize, s: &mut impl Surroundings) {
        let queue = self.destinations[destination].queue();
        let attempts = 1 + queue.waiting.in_cursor() / MAX_EXPIRE_PAGE_SIZE;
        for _ in 0..attempts {
            let queue = self.destinations[destination].queue();
            if queue.paged_in >= MAX_EXPIRE_PAGE_SIZE || queue.waiting.in_cursor() == 0 {
                break;
            }
            rule!("check-pages-in");
            let force = !self.destinations[destination].memory.is_full_by(110);
            self.page_in_and_assign(destination, MAX_EXPIRE_PAGE_SIZE, force, s);
        }
        let expired: Vec<MessageRef> = {
            let waiting = &self.destinations[destination].queue().waiting;
            waiting
                .iter_pending()
                .filter(|&message| s.messages()[message].is_expired(s.now()))
                .collect()
        };
        for message in expired {
            self.destinations[destination]
                .queue()
                .waiting
                .remove(message);
            rule!("expired-at-the-check");
            self.queue_message_expired(destination, message, s);
        }
        self.wakeup(destination);
    }
}

// ── consumers come and go ──
impl Broker {
    /// `Queue.addSubscription`
    pub(super) fn add_to_queue(&mut self, destination: usize, new: SubscriptionIndex) {
        let before_start = self.destinations[destination]
            .policy
            .consumers_before_dispatch_starts;
        let queue = self.destinations[destination].queue();
        if queue.consumers.is_empty() {
            queue.start.first_consumer = true;
            queue.start.missing = before_start.saturating_sub(1);
        } else {
            queue.start.missing = queue.start.missing.saturating_sub(1);
            if queue.start.missing == 0 && before_start > 0 {
                self.dispatch_starts(destination);
            }
        }
        let queue = self.destinations[destination].queue();
        queue.consumers.add(new, &mut self.subscriptions);
        self.wakeup(destination);
    }

    /// Whether the queue waits for more consumers before it dispatches to its first one.
    #[inline(never)]
    fn dispatch_waits(&mut self, destination: usize, s: &mut impl Surroundings) -> bool {
        let policy = &self.destinations[destination].policy;
        let (consumers, time) = (
            policy.consumers_before_dispatch_starts,
            policy.time_before_dispatch_starts,
        );
        if (consumers == 0 && time == Span::ZERO) || !self.destinations[destination].is_queue() {
            return false;
        }
        let start = &mut self.destinations[destination].queue().start;
        if start.waiting || !start.first_consumer {
            return start.waiting;
        }
        start.first_consumer = false;
        if consumers > 0 && start.missing == 0 {
            return false;
        }
        rule!("dispatch-waits-for-consumers");
        start.waiting = true;
        start.wait += 1;
        let timer = BrokerTimer::DispatchStarts {
            destination: destination as u32,
            wait: start.wait,
        };
        let length = if time > Span::ZERO {
            time
        } else {
            DEFAULT_WAIT_FOR_CONSUMERS
        };
        s.set_timer(s.now() + length, timer);
        true
    }

    /// The time that the first consumer had to wait is over.
    pub(super) fn dispatch_wait_ends(&mut self, destination: usize, wait: u32) {
        if self.destinations[destination].queue().start.wait == wait {
            self.dispatch_starts(destination);
        }
    }

    /// Passes that were requested meanwhile run now.
    fn dispatch_starts(&mut self, destination: usize) {
        if std::mem::take(&mut self.destinations[destination].queue().start.waiting) {
            self.wanted.push(destination);
        }
    }

    /// `Queue.removeSubscription`: what was in flight goes back, and out again at once if somebody
    /// has room.
    pub(super) fn remove_from_queue(
        &mut self,
        gone: SubscriptionIndex,
        last_delivered: i64,
        s: &mut impl Surroundings,
    ) {
        let destination = self.subscriptions[gone].destination();
        let queue = self.destinations[destination].queue();
        queue.consumers.remove(gone, &mut self.subscriptions);
        let unacked: Vec<MessageRef> = self.subscriptions[gone].dispatched.take_all();
        if !self.stopped {
            count_redeliveries(&unacked, last_delivered, s);
        }
        let consumer = self.subscriptions[gone].consumer;
        for &message in &unacked {
            s.messages_mut()[message].locked_by = None;
            s.emit(Fact::Returned { consumer, message });
        }
        self.add_for_redelivery(destination, &unacked, s.messages());
        if !self.stopped {
            rule!("siblings-get-it-at-once");
            self.assign_up_to(destination, usize::MAX, s);
            self.wakeup(destination);
        }
    }

    /// `QueueDispatchPendingList.addForRedelivery`
    fn add_for_redelivery(
        &mut self,
        destination: usize,
        returned: &[MessageRef],
        messages: &Messages,
    ) {
        let strict_order = self.destinations[destination].policy.strict_order_dispatch;
        let queue = self.destinations[destination].queue();
        let no_consumers = strict_order && queue.consumers.is_empty();
        if no_consumers
            && !queue.waiting.is_prioritized()
            && queue.will_be_in_order(returned, messages)
        {
            return queue.waiting.insert_returned_at_head(returned);
        }
        rule!("returned-go-first");
        for &message in returned {
            queue
                .waiting
                .push_returned(message, messages[message].priority);
        }
    }
}

/// A message is gone for good.
#[inline(always)]
pub(super) fn mark_dropped(message: MessageRef, s: &mut impl Surroundings) {
    let content = &mut s.messages_mut()[message];
    content.acked = true;
    rule!("removal");
    content.dropped = true;
}

/// A message has its place on the queue.
#[inline(always)]
pub(super) fn enqueued(destination: usize, message: MessageRef, s: &mut impl Surroundings) {
    rule!("end-of-the-queue");
    s.emit(Fact::Enqueued {
        message,
        destination: destination as u32,
        copies: 1,
    });
}

/// Which messages count as redelivered: all of them if the broker can't know (the connection
/// broke), else those up to the one that was delivered last. That one is looked for by its exact
/// sequence id, so an id that belongs to another consumer, as the closing of a session sends it,
/// marks nothing.
fn count_redeliveries(unacked: &[MessageRef], last_delivered: i64, s: &mut impl Surroundings) {
    let delivered = if last_delivered == LAST_DELIVERED_UNKNOWN {
        rule!("crash-counts-all");
        unacked.len()
    } else {
        rule!("close-counts-delivered");
        let messages = s.messages();
        let last = unacked
            .iter()
            .position(|&message| messages[message].sequence as i64 == last_delivered);
        last.map_or(0, |last| last + 1)
    };
    for &message in &unacked[..delivered] {
        s.messages_mut()[message].redelivery_counter += 1;
    }
}

// ── restarts ──
impl Broker {
    /// Only persistent messages survive, in order; that they were ever delivered is forgotten
    /// unless `persistJMSRedelivered` stored it.
    pub(super) fn shut_down_queue(&mut self, destination: usize, s: &mut impl Surroundings) {
        let policy = &self.destinations[destination].policy;
        let stored_count = u32::from(policy.persist_jms_redelivered);
        let mut restored = Queue::new(policy);
        let stopped = self.destinations[destination].queue();
        restored.start.wait = stopped.start.wait;
        let mut messages: Vec<MessageRef> = stopped.waiting.iter().collect();
        messages.sort_by_key(|&message| s.messages()[message].sequence);
        for message in messages {
            let content = &mut s.messages_mut()[message];
            if content.persistent {
                content.acked = false;
                content.redelivery_counter = content.redelivery_counter.min(stored_count);
                rule!("broker-restart");
                restored.waiting.push(message, content.priority);
            } else {
                s.emit(Fact::Gone {
                    consumer: None,
                    message,
                });
                self.let_go(destination, message, s);
            }
        }
        *self.destinations[destination].queue() = restored;
    }
}
