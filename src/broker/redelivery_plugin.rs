//! The broker's own redelivery (`RedeliveryPlugin`): instead of dead-lettering a message at once,
//! it sends it again after a delay.

use crate::facts::Fact;
use crate::kernel::Span;
use crate::scenario::RedeliveryPolicy;
use crate::wire::{ConsumerId, Message, MessageRef};

use super::{Broker, BrokerTimer, Surroundings};

/// What the plugin makes of a message that should be dead-lettered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Not its business, or too often already.
    DeadLetter,
    /// It comes again.
    Rescheduled,
    /// Too often already, and not to be dead-lettered.
    Drop,
}

impl Broker {
    /// `RedeliveryPlugin.sendToDeadLetterQueue`: the broker's counter decides, not the client's.
    pub(super) fn ask_redelivery_plugin(
        &mut self,
        consumer: Option<ConsumerId>,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) -> Verdict {
        let (Some(plugin), Some(consumer)) = (&self.redelivery_plugin, consumer) else {
            return Verdict::DeadLetter;
        };
        let content = &s.messages()[message];
        if content.is_expired(s.now()) {
            return Verdict::DeadLetter;
        }
        let count = content.redelivery_counter;
        let again = plugin
            .policy
            .maximum_redeliveries
            .is_none_or(|maximum| count < maximum);
        rule!("redelivery-plugin-gives-up", !again);
        if !again && plugin.send_to_dlq_if_max_retries_exceeded {
            return Verdict::DeadLetter;
        }
        if !again {
            return Verdict::Drop;
        }
        rule!("redelivery-plugin");
        let until = s.now() + redelivery_delay(&plugin.policy, count);
        let copy = Message {
            redelivery_counter: count + 1,
            rescheduled: true,
            ..content.fresh_copy()
        };
        let copy = s.messages_mut().insert(copy);
        s.set_timer(until, BrokerTimer::Redelivery(copy));
        s.emit(Fact::Rescheduled {
            consumer,
            message,
            until,
        });
        Verdict::Rescheduled
    }

    /// The scheduler sends a message again. Its jobs survive a restart of the broker: what was due
    /// meanwhile is late.
    pub(super) fn redeliver(&mut self, message: MessageRef, s: &mut impl Surroundings) {
        if self.stopped {
            self.overdue.push(message);
        } else {
            self.take_in_quietly(message, None, s);
        }
    }
}

/// The initial delay, grown once for each redelivery so far. Collision avoidance is left out: the
/// broker draws no random numbers.
fn redelivery_delay(policy: &RedeliveryPolicy, count: u32) -> Span {
    rule!("redelivery-plugin-is-exact");
    let mut delay = policy.initial_redelivery_delay;
    for _ in 0..count {
        let next = next_redelivery_delay(policy, delay);
        if next == delay {
            break;
        }
        delay = next;
    }
    Span::from_millis(u64::try_from(delay).unwrap_or(0))
}

/// `RedeliveryPolicy.getNextRedeliveryDelay`
fn next_redelivery_delay(policy: &RedeliveryPolicy, previous: i64) -> i64 {
    let grows = previous > 0 && policy.use_exponential_back_off && policy.back_off_multiplier > 1.0;
    if !grows {
        return policy.redelivery_delay;
    }
    let next = (previous as f64 * policy.back_off_multiplier) as i64;
    let maximum = policy.maximum_redelivery_delay;
    if maximum != -1 && next > maximum {
        maximum.max(policy.redelivery_delay)
    } else {
        next
    }
}
