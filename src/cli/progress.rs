//! Progress bars for what takes long enough to need one.
//!
//! It is an observer as any other: it sees the facts, and nothing sees it. The clock that decides
//! when to draw is indicatif's.

use std::time::Duration;

use acksim::facts::{Fact, Observer};
use acksim::kernel::Time;
use acksim::scenario::Scenario;
use acksim::wire::Messages;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::format::{cut, printable};

/// Shorter runs show no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Facts between two looks at the clock.
const STRIDE: u64 = 1 << 16;

const STEPS: u64 = 1000;

/// Shows how much of a run is done.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    shown: bool,
    until: Option<Time>,
    /// Steps of messages that there will be: each is sent, and each comes to an end.
    messages: Option<u64>,
    facts: u64,
    steps: u64,
}

impl Progress {
    /// For a run of this scenario.
    pub fn of(scenario: &Scenario) -> Progress {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} %  {eta} left")
            .expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::hidden());
        bar.set_style(style);
        bar.set_prefix(cut(&printable(&scenario.name), 40));
        let sent = scenario
            .producers
            .iter()
            .map(|producer| producer.messages)
            .sum::<Option<u64>>();
        Progress {
            bar,
            shown: false,
            until: scenario.until,
            messages: sent.map(|sent| sent.saturating_mul(2)),
            facts: 0,
            steps: 0,
        }
    }

    fn show(&mut self, now: Time) {
        if self.bar.elapsed() < PATIENCE {
            return;
        }
        if !self.shown {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let by_time = self.until.map(|until| share(now.0, until.0));
        let by_messages = self.messages.map(|messages| share(self.steps, messages));
        self.bar.set_position(by_time.max(by_messages).unwrap_or(0));
    }
}

/// In steps of the bar.
fn share(part: u64, whole: u64) -> u64 {
    let steps = u128::from(part) * u128::from(STEPS) / u128::from(whole.max(1));
    u64::try_from(steps).unwrap_or(STEPS).min(STEPS)
}

impl Observer for Progress {
    fn on(&mut self, now: Time, fact: &Fact, _: &Messages) {
        if matches!(fact, Fact::Sending { .. } | Fact::Released { .. }) {
            self.steps += 1;
        }
        self.facts += 1;
        if self.facts.is_multiple_of(STRIDE) {
            self.show(now);
        }
    }
}

/// Shows how much of a study is done.
#[derive(Debug)]
pub struct StudyProgress(ProgressBar);

impl StudyProgress {
    /// At the beginning.
    pub fn begin() -> StudyProgress {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template = "{bar:30} {pos} of {len} runs  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        StudyProgress(bar)
    }

    /// So many runs of so many are done.
    pub fn show(&self, done: usize, planned: usize) {
        if self.0.is_hidden() && self.0.elapsed() >= PATIENCE {
            self.0.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.0.set_length(planned as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for StudyProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// However the run ended, the bar goes.
impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
