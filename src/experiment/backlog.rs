//! How many messages are under way, over the time of a run: what tells whether it has settled, or
//! never will.

use crate::facts::{Fact, Observer};
use crate::kernel::Time;
use crate::wire::Messages;

/// Samples to a run: a hundred batches of five for MSER-5.
const SAMPLES: u64 = 500;

/// Watches how many messages were sent and have not come to an end; dead letters have.
#[derive(Clone, Debug)]
pub(super) struct Backlog {
    /// Nanoseconds of a sample.
    width: u64,
    /// Message-nanoseconds, sample by sample.
    areas: Vec<u128>,
    now: u64,
    under_way: u64,
}

impl Backlog {
    /// Of a run that ends at `until`.
    pub(super) fn new(until: Time) -> Backlog {
        Backlog {
            width: until.0.div_ceil(SAMPLES).max(1),
            areas: vec![0; SAMPLES as usize],
            now: 0,
            under_way: 0,
        }
    }

    /// The average backlog in each sample, up to the end of the run.
    pub(super) fn series(mut self, until: Time) -> Vec<f64> {
        self.advance(until);
        let average = |area: &u128| *area as f64 / self.width as f64;
        self.areas.iter().map(average).collect()
    }

    /// When a sample begins.
    pub(super) fn start_of(&self, sample: usize) -> Time {
        Time(self.width.saturating_mul(sample as u64))
    }

    fn advance(&mut self, to: Time) {
        while self.now < to.0 {
            let sample = self.now / self.width;
            let end = to.0.min((sample + 1) * self.width);
            if let Some(area) = self.areas.get_mut(sample as usize) {
                *area += u128::from(self.under_way) * u128::from(end - self.now);
            }
            self.now = end;
        }
    }
}

impl Observer for Backlog {
    #[inline]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        match fact {
            Fact::Sending { .. } => {
                self.advance(now);
                self.under_way += 1;
            }
            Fact::Released { message } => {
                let message = &messages[*message];
                if !message.dead_letter && !message.rescheduled {
                    self.advance(now);
                    self.under_way = self.under_way.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Plan, Story, plan};

    #[test]
    fn samples_are_averages_over_time() {
        let scenario = plan().queue("orders").producer("sender", 0);
        let until = Time(500_000_000);
        let mut story = Story::new(&scenario, Backlog::new(until));
        story.at(10.0);
        let first = story.queue(0);
        story.at(12.5);
        let second = story.queue(0);
        story.at(13.0).release(first);
        story.at(499.0).release(second);
        let series = story.observer.series(until);
        assert_eq!(series.len(), 500);
        assert_eq!(series[9..14], [0.0, 1.0, 1.0, 1.5, 1.0]);
        assert_eq!(series[498..], [1.0, 0.0]);
    }

    #[test]
    fn a_dead_letter_is_no_longer_under_way() {
        let scenario = plan()
            .queue("orders")
            .queue("ActiveMQ.DLQ")
            .producer("sender", 0);
        let until = Time(500_000_000);
        let mut story = Story::new(&scenario, Backlog::new(until));
        story.at(10.0);
        let poison = story.queue(0);
        let letter = story.at(20.0).dead_letter(poison, 1);
        story.at(20.0).release(poison);
        story.at(30.0).release(letter);
        story.at(40.0).queue(0);
        let series = story.observer.series(until);
        assert_eq!(
            (series[15], series[25], series[35], series[45]),
            (1.0, 0.0, 0.0, 1.0)
        );
    }
}
