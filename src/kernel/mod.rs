//! Virtual time, the event queue and named random streams. Would serve any simulation: knows nothing of messaging.

mod distribution;
mod time;

pub use distribution::Distribution;
pub use time::{Span, Time};
