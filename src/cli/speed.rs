//! How fast the simulator itself was: the line that ends standard error with `-v`.
//!
//! One of the two places that look at a clock on the wall; the model cannot see it, and no file
//! holds what it says.

use std::io::Write;
use std::time::Instant;

use super::terminal::Terminal;

/// Counts what a command simulates from its beginning on.
#[derive(Debug)]
pub struct Speed {
    begun: Instant,
    events: u64,
    messages: u64,
}

impl Speed {
    /// Begins to count.
    #[expect(
        clippy::disallowed_methods,
        reason = "measures the program, not the model"
    )]
    pub fn begin() -> Speed {
        Speed {
            begun: Instant::now(),
            events: 0,
            messages: 0,
        }
    }

    /// One run more.
    pub fn add(&mut self, events: u64, messages: u64) {
        self.events += events;
        self.messages += messages;
    }

    /// Says it, if somebody wants to hear it.
    pub fn tell(&self, terminal: &Terminal) {
        if !terminal.verbose {
            return;
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = self.events as f64 / seconds.max(1e-9);
        let (events, messages) = (self.events, self.messages);
        let _ = writeln!(
            anstream::stderr(),
            "{events} events, {messages} messages, wall {seconds:.6} s, {rate:.0} events/s"
        );
    }
}
