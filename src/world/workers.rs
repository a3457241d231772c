//! Workers: the threads that consume. Each does one thing after the other, and waits where the real one waits.

use super::{Event, WorkerId, World};
use crate::application::{Verdict, WorkEnd};
use crate::client::{Commit, Job, Received, Step, Surroundings};
use crate::facts::{Fact, Observer, Outcome};
use crate::kernel::{Span, Time};
use crate::scenario::{Acknowledge, AcknowledgeMode, OnFailure, Receive};
use crate::wire::{Caller, ConsumerId, ConsumerIndex, MessageRef, SessionIndex};

/// A loop of timed pulls spins while there is no connection. Each round takes the application a while, here the
/// finest time-out there is: otherwise no time would pass.
const BUSY_LOOP: Span = Span(1_000_000);

/// What a worker is at.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) enum Task {
    /// Nothing; a session's worker waits for dispatches.
    #[default]
    Idle,
    /// In `receive`, until this instant if it has a time-out.
    Receiving(Option<Time>),
    /// In the pause after an empty receiveNoWait.
    Pausing,
    /// The application works on a delivery since then.
    Working(ConsumerIndex, MessageRef, Time),
    /// Waits for the broker's answers; then the application gets the message.
    BeforeWork(ConsumerIndex, MessageRef, u32),
    /// The application has worked on a delivery since then, and would go on with its session, for which another thread
    /// waits for the end of a transaction.
    BeforeEnd(ConsumerIndex, MessageRef, Time),
    /// Waits for the broker's answers to what the application called; then the delivery is done with.
    AfterWork(ConsumerIndex, MessageRef, Ending),
    /// Waits for the broker's answers to what the library sent; then it goes on.
    BeforeNext,
}

/// How the application's code ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    Returns,
    Throws,
}

/// How a worker goes on that has worked on a delivery.
enum Onward {
    /// It waits, or it is not a session's and has gone on by itself.
    NotNow,
    /// It is a session's and free for the next step: which, if that was found already.
    Free(Option<Step>),
}

// Aligned, none lies in two cache lines.
#[derive(Default)]
#[repr(align(32))]
pub(super) struct Worker {
    pub(super) task: Task,
    /// Guards against events that were meant for an earlier task.
    pub(super) turn: u32,
}

impl<O: Observer> World<'_, O> {
    /// The worker that delivers to a consumer.
    pub(super) fn worker_of(&self, consumer: ConsumerIndex) -> WorkerId {
        let this = &self.client.consumers[consumer as usize];
        if this.is_listener() && !self.rules.session_works_in_parallel {
            WorkerId(this.session)
        } else {
            WorkerId(self.scenario.sessions.len() as u32 + consumer)
        }
    }

    fn task(&mut self, worker: WorkerId) -> &mut Task {
        &mut self.workers[worker.0 as usize].task
    }

    /// What a worker was at is over, whatever may still ring for it.
    pub(super) fn abandon(&mut self, worker: WorkerId) {
        if let Some(session) = self.client.sessions.get_mut(worker.0 as usize) {
            session.abandon();
        }
        let worker = &mut self.workers[worker.0 as usize];
        worker.turn += 1;
        worker.task = Task::Idle;
    }

    /// Answers that a worker waits for.
    #[inline]
    fn awaiting(&mut self, worker: WorkerId) -> &mut u32 {
        let sessions = self.client.sessions.len();
        match self.client.sessions.get_mut(worker.0 as usize) {
            Some(session) => &mut session.awaiting,
            None => &mut self.client.consumers[worker.0 as usize - sessions].awaiting,
        }
    }

    fn caller(&self, consumer: ConsumerIndex) -> Caller {
        let this = &self.client.consumers[consumer as usize];
        if this.is_listener() && !self.rules.session_works_in_parallel {
            Caller::Session(this.session)
        } else {
            Caller::Consumer(consumer)
        }
    }

    // ── finding work ──

    /// Something arrived for a consumer of this session.
    #[inline(always)]
    pub(super) fn wake_session(&mut self, session: SessionIndex) {
        if self.rules.session_works_in_parallel {
            self.wake_session_of_the_article(session);
        } else if matches!(self.task(WorkerId(session)), Task::Idle) {
            self.run_session(session);
        }
    }

    /// The worker of a session works until there is nothing to do, or a listener is called.
    #[inline(always)]
    fn run_session(&mut self, session: SessionIndex) {
        self.work(WorkerId(session), None);
    }

    /// A worker may be done with a delivery, that of this turn. A session's worker then works until there is nothing to do,
    /// or a listener is called: nearly always in one step.
    // One function for both, since for a busy listener the end of a delivery is the beginning of the next.
    #[inline(never)]
    fn work(&mut self, worker: WorkerId, ended: Option<u32>) {
        let step = match ended {
            Some(turn) => match self.delivery_ends(worker, turn) {
                Onward::Free(step) => step,
                Onward::NotNow => return,
            },
            None => {
                let session = &mut self.client.sessions[worker.0 as usize];
                session.iterate_plainly(&mut self.client.consumers, &mut self.shell)
            }
        };
        match step {
            Some(Step::Call(job)) => self.begin_work(worker, job),
            Some(_) => *self.task(worker) = Task::Idle,
            None => self.take_steps(worker),
        }
    }

    /// Not so plainly: a step may lead to nothing, and to the next.
    #[inline(never)]
    fn take_steps(&mut self, worker: WorkerId) {
        *self.task(worker) = Task::Idle;
        while matches!(self.task(worker), Task::Idle) && self.step(worker) {}
    }

    /// One step of a session's worker; whether there may be more to do.
    fn step(&mut self, worker: WorkerId) -> bool {
        match self.client.iterate(worker.0, &mut self.shell) {
            Step::Call(job) => {
                self.begin_other_work(worker, job);
                false
            }
            Step::Buffered(consumer) => {
                self.wake_receiver(consumer);
                true
            }
            Step::Kept => true,
            Step::Nothing => false,
        }
    }

    /// Article 6: every listener has a worker of its own.
    #[cold]
    fn wake_session_of_the_article(&mut self, session: SessionIndex) {
        rule!("article-6");
        self.client.sort_into_buffers(session);
        for place in 0..self.client.sessions[session as usize].consumers.len() {
            let consumer = self.client.sessions[session as usize].consumers[place];
            if !self.client.consumers[consumer as usize].is_listener() {
                self.wake_receiver(consumer);
                continue;
            }
            let worker = self.worker_of(consumer);
            if *self.task(worker) == Task::Idle
                && let Step::Call(job) = self.client.iterate_alone(consumer, &mut self.shell)
            {
                self.begin_other_work(worker, job);
            }
        }
    }

    /// A consumer's buffer may have something.
    pub(super) fn wake_consumer(&mut self, consumer: ConsumerIndex) {
        self.wake_session(self.client.session_of(consumer));
        if !self.client.consumers[consumer as usize].is_listener() {
            self.wake_receiver(consumer);
        }
    }

    /// A thread that waits in `receive` looks again.
    fn wake_receiver(&mut self, consumer: ConsumerIndex) {
        let worker = self.worker_of(consumer);
        if let Task::Receiving(deadline) = *self.task(worker)
            && !self.awaits_for_itself(worker, consumer)
        {
            self.take(consumer, deadline);
        }
    }

    /// Whether a thread that receives waits for answers: not for that to a transaction which a timer ends beside it
    /// (`commitWhenIdle`).
    fn awaits_for_itself(&mut self, worker: WorkerId, consumer: ConsumerIndex) -> bool {
        let session = self.client.session_of(consumer);
        let ending = self.lives.ending[session as usize];
        let beside = ending.is_some_and(|(by, _)| by == consumer);
        *self.awaiting(worker) > u32::from(beside)
    }

    /// The application calls `receive` (again).
    pub(super) fn receive(&mut self, consumer: ConsumerIndex) {
        let app = &self.consumers[consumer as usize];
        let (timeout, deadline) = match app.receive {
            Receive::Listener => return,
            Receive::Blocking => (0, None),
            Receive::Timeout(length) => (
                length.as_millis().max(1) as i64,
                Some(self.shell.now + length),
            ),
            Receive::NoWait { .. } => (-1, Some(self.shell.now)),
        };
        // With prefetch 0 it is the broker that says when the time is over.
        let pulls = self.client.consumers[consumer as usize].prefetch == 0;
        let deadline = if pulls { None } else { deadline };
        let worker = self.worker_of(consumer);
        self.client.pull(consumer, timeout, &mut self.shell);
        self.workers[worker.0 as usize].turn += 1;
        *self.task(worker) = Task::Receiving(deadline);
        self.take(consumer, deadline);
        if let Some(deadline) = deadline
            && *self.task(worker) == Task::Receiving(Some(deadline))
        {
            let turn = self.workers[worker.0 as usize].turn;
            self.shell.wait_ends_at(deadline, worker, turn);
        }
    }

    fn take(&mut self, consumer: ConsumerIndex, deadline: Option<Time>) {
        let worker = self.worker_of(consumer);
        let remaining = match deadline {
            Some(deadline) => (deadline.since(self.shell.now).as_millis() as i64).max(1),
            None if matches!(
                self.consumers[consumer as usize].receive,
                Receive::NoWait { .. }
            ) =>
            {
                -1
            }
            None => 0,
        };
        match self.client.receive(consumer, remaining, &mut self.shell) {
            Received::Message(delivery) => {
                let job = Job {
                    id: self.client.consumers[consumer as usize].id,
                    message: delivery.message,
                    count: delivery.redelivery_counter + 1,
                };
                if self.awaits_for_itself(worker, consumer) {
                    *self.task(worker) = Task::BeforeWork(consumer, job.message, job.count);
                } else {
                    self.begin_other_work(worker, job);
                }
            }
            Received::Nothing => self.receive_returned_nothing(consumer),
            Received::Wait if deadline == Some(self.shell.now) => {
                self.receive_returned_nothing(consumer);
            }
            Received::Wait => {}
        }
    }

    /// `receive` returned null: a loop with a time-out calls it again, a polling one after its pause. An application
    /// that waits without limit takes null for a closed consumer, and asks no more.
    fn receive_returned_nothing(&mut self, consumer: ConsumerIndex) {
        let worker = self.worker_of(consumer);
        let pause = match self.consumers[consumer as usize].receive {
            Receive::NoWait { poll_interval } => poll_interval,
            Receive::Timeout(_) if self.pulls_in_vain(consumer) => BUSY_LOOP,
            Receive::Timeout(_) => Span::ZERO,
            Receive::Blocking | Receive::Listener => return self.abandon(worker),
        };
        *self.task(worker) = Task::Pausing;
        self.workers[worker.0 as usize].turn += 1;
        let turn = self.workers[worker.0 as usize].turn;
        self.shell
            .wait_ends_at(self.shell.now + pause, worker, turn);
    }

    /// Whether the transport answers pulls with null at once, since it has no connection (`FailoverTransport.oneway`).
    fn pulls_in_vain(&self, consumer: ConsumerIndex) -> bool {
        let this = &self.client.consumers[consumer as usize];
        this.current_prefetch == 0 && !self.shell.is_connected(this.connection)
    }

    /// The time of a `receive` is over, or the pause after one.
    pub(super) fn wait_ends(&mut self, worker: WorkerId, turn: u32) {
        if self.workers[worker.0 as usize].turn != turn {
            return;
        }
        let consumer = worker.0 - self.scenario.sessions.len() as u32;
        match *self.task(worker) {
            Task::Receiving(_) => self.receive_returned_nothing(consumer),
            Task::Pausing => self.receive(consumer),
            _ => {}
        }
    }

    // ── working ──

    /// A message is handed to the application. For a listener of a session this is one piece with the dispatch.
    #[inline(always)]
    fn begin_work(&mut self, worker: WorkerId, job: Job) {
        let Job { id, message, count } = job;
        let consumer = id.index as usize;
        if self.rules.crash_counts_delivered_only {
            let sequence = self.shell.messages[message].sequence;
            self.shell.last_delivered[consumer] = (id, sequence as i64);
        }
        let app = &mut self.consumers[consumer];
        if app.is_counted {
            let session = self.client.session_of(id.index);
            self.sessions[session as usize].begin_delivery();
        }
        self.shell.emit(Fact::Delivered {
            consumer: id,
            message,
            count,
        });
        let processing = app.begin();
        let length = if app.is_flawless {
            Some(processing)
        } else {
            self.length_of_work(id, message, processing)
        };
        let since = self.shell.now;
        let this = &mut self.workers[worker.0 as usize];
        this.turn += 1;
        this.task = Task::Working(id.index, message, since);
        if let Some(length) = length {
            self.shell.work_ends_at(since + length, worker, this.turn);
        }
    }

    /// The same for all others: one copy is enough for them.
    #[inline(never)]
    fn begin_other_work(&mut self, worker: WorkerId, job: Job) {
        self.begin_work(worker, job);
    }

    /// How long an application with failures works on a message; None: for ever.
    #[inline(never)]
    fn length_of_work(
        &mut self,
        id: ConsumerId,
        message: MessageRef,
        processing: Span,
    ) -> Option<Span> {
        let content = &self.shell.messages[message];
        let name = (content.producer, content.number);
        let work = self.consumers[id.index as usize].work(name, processing);
        if let Some(length) = work.hang {
            self.shell.emit(Fact::Hangs {
                consumer: id,
                length,
            });
        }
        work.length
    }

    /// The application has worked on a delivery.
    #[inline(always)]
    pub(super) fn work_ends(&mut self, worker: WorkerId, turn: u32) {
        self.work(worker, Some(turn));
    }

    /// The application has worked on a delivery. A session's worker that is free after that may find its next step here,
    /// whatever its task still says.
    #[inline(always)]
    fn delivery_ends(&mut self, worker: WorkerId, turn: u32) -> Onward {
        let this = &self.workers[worker.0 as usize];
        if this.turn != turn {
            return Onward::NotNow;
        }
        let Task::Working(consumer, message, since) = this.task else {
            return Onward::NotNow;
        };
        let mut session = match self.client.sessions.get_mut(worker.0 as usize) {
            Some(session) if session.awaiting == 0 && !self.lives.a_close_waits() => session,
            _ => return self.delivery_ends_with_care(worker, consumer, message, since),
        };
        let app = &mut self.consumers[consumer as usize];
        if !app.ends_plainly() {
            return self.delivery_ends_with_care(worker, consumer, message, since);
        }
        let this = &mut self.client.consumers[consumer as usize];
        self.shell.emit(Fact::Processed {
            consumer: this.id,
            message,
            outcome: Outcome::Done,
            since,
        });
        if app.is_silent {
            app.is_delivering = false;
            this.listener_returned(message, session, &mut self.shell);
            self.shell.release(message);
        } else {
            self.application_succeeds(worker, consumer, message);
            session = &mut self.client.sessions[worker.0 as usize];
        }
        if session.awaiting > 0 || self.lives.some_wait() {
            return self.goes_on_with_care(worker);
        }
        Onward::Free(session.iterate_plainly(&mut self.client.consumers, &mut self.shell))
    }

    /// An application that acknowledges or commits does so, and returns.
    #[inline(never)]
    fn application_succeeds(
        &mut self,
        worker: WorkerId,
        consumer: ConsumerIndex,
        message: MessageRef,
    ) {
        self.succeeded(worker.0, consumer, message);
        let session = &mut self.client.sessions[worker.0 as usize];
        if session.awaiting > 0 {
            return self.await_answers(worker, Ending::Returns);
        }
        self.consumers[consumer as usize].is_delivering = false;
        let this = &mut self.client.consumers[consumer as usize];
        this.listener_returned(message, session, &mut self.shell);
        self.shell.release(message);
    }

    /// A session's worker waits for answers, or it is free and some consumer has waited for that.
    #[cold]
    fn goes_on_with_care(&mut self, worker: WorkerId) -> Onward {
        if self.client.sessions[worker.0 as usize].awaiting == 0 {
            self.subscribe_waiting(worker.0);
            return Onward::Free(None);
        }
        let task = self.task(worker);
        if matches!(task, Task::Working(..)) {
            *task = Task::BeforeNext;
        }
        Onward::NotNow
    }

    /// The same for an application that may fail or close; for a thread that receives; and if something waits.
    #[inline(never)]
    fn delivery_ends_with_care(
        &mut self,
        worker: WorkerId,
        consumer: ConsumerIndex,
        message: MessageRef,
        since: Time,
    ) -> Onward {
        let session = self.client.session_of(consumer);
        if self.lives.ending[session as usize].is_some() {
            *self.task(worker) = Task::BeforeEnd(consumer, message, since);
            return Onward::NotNow;
        }
        let app = &mut self.consumers[consumer as usize];
        let WorkEnd { outcome, crash } = if app.is_flawless {
            WorkEnd::DONE
        } else {
            let content = &self.shell.messages[message];
            app.end((content.producer, content.number))
        };
        self.shell.emit(Fact::Processed {
            consumer: self.client.consumers[consumer as usize].id,
            message,
            outcome,
            since,
        });
        if let Some(crash) = crash {
            self.await_answers(worker, Ending::Returns);
            self.crash(consumer, crash);
            return Onward::NotNow;
        }
        let ending = if outcome == Outcome::Failed {
            self.failed(session, consumer, message)
        } else {
            self.succeeded(session, consumer, message)
        };
        if *self.awaiting(worker) > 0 {
            self.await_answers(worker, ending);
            return Onward::NotNow;
        }
        if self.end_delivery(worker, consumer, message, ending) {
            Onward::Free(None)
        } else {
            Onward::NotNow
        }
    }

    /// A worker is done with its work, but not with what that asked of the broker.
    #[inline(never)]
    fn await_answers(&mut self, worker: WorkerId, ending: Ending) {
        let task = self.task(worker);
        if let Task::Working(consumer, message, _) = *task {
            *task = Task::AfterWork(consumer, message, ending);
        }
    }

    /// What the application does after a failure.
    #[inline(never)]
    fn failed(
        &mut self,
        session: SessionIndex,
        consumer: ConsumerIndex,
        message: MessageRef,
    ) -> Ending {
        match self.consumers[consumer as usize].on_failure {
            OnFailure::Swallow => self.succeeded(session, consumer, message),
            OnFailure::Throw => Ending::Throws,
            OnFailure::Rollback => self.application_rolls_back(session, consumer),
            OnFailure::Recover => self.application_recovers(session),
        }
    }

    /// What the application does after a success: acknowledges or commits, by its counts.
    #[inline(always)]
    fn succeeded(
        &mut self,
        session: SessionIndex,
        consumer: ConsumerIndex,
        message: MessageRef,
    ) -> Ending {
        let app = &mut self.sessions[session as usize];
        match (app.mode, app.acknowledge) {
            (AcknowledgeMode::SessionTransacted, _) => {
                if let Some(verdict) = app.processed_in_transaction() {
                    self.end_transaction(session, consumer, verdict);
                } else if let Some((idle, deliveries)) = app.commits_when_idle() {
                    self.shell
                        .at(self.shell.now + idle, Event::Idle(session, deliveries));
                }
            }
            (_, Acknowledge::EveryConsumer(_)) => {
                let acknowledge = app.acknowledge;
                if self.consumers[consumer as usize].acknowledges_now(acknowledge) {
                    self.client.acknowledge_consumer(consumer, &mut self.shell);
                }
            }
            (AcknowledgeMode::Individual, _) => {
                if app.acknowledges_now() {
                    self.client
                        .acknowledge_message(consumer, message, &mut self.shell);
                }
            }
            (AcknowledgeMode::Client, _) => {
                if app.acknowledges_now() {
                    self.client.acknowledge_session(session, &mut self.shell);
                }
            }
            (AcknowledgeMode::Auto | AcknowledgeMode::DupsOk, _) => {}
        }
        Ending::Returns
    }

    fn application_rolls_back(&mut self, session: SessionIndex, consumer: ConsumerIndex) -> Ending {
        self.sessions[session as usize].rolls_back();
        self.roll_back(session, consumer);
        Ending::Returns
    }

    fn application_recovers(&mut self, session: SessionIndex) -> Ending {
        self.sessions[session as usize].recovers();
        self.client.recover(session, &mut self.shell);
        Ending::Returns
    }

    // ── transactions ──

    #[inline(never)]
    fn end_transaction(&mut self, session: SessionIndex, by: ConsumerIndex, verdict: Verdict) {
        match verdict {
            Verdict::RollBack => self.roll_back(session, by),
            Verdict::Commit => match self
                .client
                .commit(session, self.caller(by), &mut self.shell)
            {
                Commit::Sent => self.await_end(session, by, true),
                Commit::Nothing => {}
                Commit::Refused => {
                    self.shell.emit(Fact::CommitFailed { consumer: by });
                    let caller = self.caller(by);
                    if self
                        .client
                        .rollback(session, caller, false, &mut self.shell)
                    {
                        self.await_end(session, by, false);
                    }
                }
            },
        }
    }

    fn roll_back(&mut self, session: SessionIndex, by: ConsumerIndex) {
        if self
            .client
            .rollback(session, self.caller(by), true, &mut self.shell)
        {
            self.await_end(session, by, false);
        }
    }

    fn await_end(&mut self, session: SessionIndex, by: ConsumerIndex, commits: bool) {
        let worker = self.worker_of(by);
        *self.awaiting(worker) += 1;
        self.lives.ending[session as usize] = Some((by, commits));
    }

    /// `commitWhenIdle`: nobody has delivered anything since.
    pub(super) fn session_is_idle(&mut self, session: SessionIndex, deliveries: u64) {
        let Some(&consumer) = self.client.sessions[session as usize].consumers.first() else {
            return;
        };
        if self.lives.ending[session as usize].is_some() {
            return;
        }
        if let Some(verdict) = self.sessions[session as usize].idle(deliveries) {
            self.end_transaction(session, consumer, verdict);
            let worker = self.worker_of(consumer);
            if *self.awaiting(worker) > 0 && *self.task(worker) == Task::Idle {
                *self.task(worker) = Task::BeforeNext;
            }
        }
    }

    // ── answers ──

    /// An answer for a session's worker.
    pub(super) fn session_answered(&mut self, session: SessionIndex, failed: bool) {
        let awaiting = &mut self.client.sessions[session as usize].awaiting;
        *awaiting = awaiting.saturating_sub(1);
        if *awaiting > 0 {
            return;
        }
        self.transaction_answered(session, failed);
        if self.lives.closing[session as usize].is_some() {
            return self.session_rolled_back(session);
        }
        self.go_on(WorkerId(session));
    }

    /// An answer for a thread that receives or subscribes.
    pub(super) fn consumer_answered(&mut self, consumer: ConsumerIndex, failed: bool) {
        if self.is_subscribing(consumer) {
            return self.subscribed(consumer);
        }
        let worker = self.worker_of(consumer);
        let awaiting = self.awaiting(worker);
        *awaiting = awaiting.saturating_sub(1);
        if *awaiting > 0 {
            return;
        }
        let session = self.client.session_of(consumer);
        let ends = self.lives.ending[session as usize].is_some();
        self.transaction_answered(session, failed);
        self.go_on(worker);
        if ends {
            // A copy, since a consumer may close as it goes on.
            for other in self.client.sessions[session as usize].consumers.clone() {
                self.end_after_all(self.worker_of(other));
            }
        }
    }

    /// What waited for the end of its session's transaction goes on, unless the next has begun to end.
    fn end_after_all(&mut self, worker: WorkerId) {
        let Task::BeforeEnd(consumer, message, since) = *self.task(worker) else {
            return;
        };
        let session = self.client.session_of(consumer);
        if self.lives.ending[session as usize].is_none() {
            *self.task(worker) = Task::Working(consumer, message, since);
            let turn = self.workers[worker.0 as usize].turn;
            self.work_ends(worker, turn);
        }
    }

    fn transaction_answered(&mut self, session: SessionIndex, failed: bool) {
        let Some((by, commits)) = self.lives.ending[session as usize].take() else {
            return;
        };
        if commits && failed {
            rule!("failed-commit-redelivers");
            self.shell.emit(Fact::CommitFailed { consumer: by });
        }
        self.client
            .transaction_ended(session, commits && !failed, &mut self.shell);
        let is_closing = self.lives.closing[session as usize].is_some();
        if !is_closing && self.workers[session as usize].task == Task::Idle {
            self.subscribe_waiting(session);
        }
    }

    /// All answers are there.
    fn go_on(&mut self, worker: WorkerId) {
        match *self.task(worker) {
            Task::BeforeWork(consumer, message, count) => {
                let id = self.client.consumers[consumer as usize].id;
                self.begin_other_work(worker, Job { id, message, count });
            }
            Task::AfterWork(consumer, message, ending) => {
                if self.end_delivery(worker, consumer, message, ending) {
                    self.run_session(worker.0);
                }
            }
            Task::BeforeNext => self.next(worker),
            Task::Receiving(deadline) => {
                let consumer = worker.0 - self.scenario.sessions.len() as u32;
                self.take(consumer, deadline);
            }
            Task::Idle | Task::Pausing | Task::Working(..) | Task::BeforeEnd(..) => {}
        }
    }

    // ── after the work ──

    /// The application's code has returned, or thrown: the library has its say, then the consumer may close. Whether the
    /// worker is a session's that is free for the next.
    fn end_delivery(
        &mut self,
        worker: WorkerId,
        consumer: ConsumerIndex,
        message: MessageRef,
        ending: Ending,
    ) -> bool {
        *self.task(worker) = Task::BeforeNext;
        let (this, session) = self.client.pair(consumer);
        if this.is_listener() {
            match ending {
                Ending::Returns => this.listener_returned(message, session, &mut self.shell),
                Ending::Throws => self
                    .client
                    .listener_threw(consumer, message, &mut self.shell),
            }
        }
        self.shell.release(message);
        if self.lives.a_close_waits() {
            self.close_that_waited(consumer);
        }
        if let Some(restart_after) = self.consumers[consumer as usize].end_delivery() {
            self.close_after_delivery(consumer, restart_after);
        }
        *self.awaiting(worker) == 0 && self.is_free(worker)
    }

    #[cold]
    fn close_after_delivery(&mut self, consumer: ConsumerIndex, restart_after: Option<Span>) {
        self.client.stop(consumer);
        self.close(consumer, restart_after);
    }

    /// The worker is free: the next receive, or the next dispatch.
    fn next(&mut self, worker: WorkerId) {
        if self.is_free(worker) {
            self.run_session(worker.0);
        }
    }

    /// The worker is free: a thread that receives goes on with that. Whether it is a session's instead, that may be run.
    fn is_free(&mut self, worker: WorkerId) -> bool {
        *self.task(worker) = Task::Idle;
        let sessions = self.client.sessions.len() as u32;
        if worker.0 < sessions {
            self.subscribe_waiting(worker.0);
            return true;
        }
        self.next_of_consumer(worker.0 - sessions);
        false
    }

    #[inline(never)]
    fn next_of_consumer(&mut self, consumer: ConsumerIndex) {
        if self.client.consumers[consumer as usize].is_listener() {
            self.wake_session(self.client.session_of(consumer));
        } else if self.is_active(consumer) {
            self.receive(consumer);
        }
    }
}
