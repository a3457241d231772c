//! What users' code does: when it wants to send, how long it works on a delivery, when it acknowledges, commits,
//! throws, crashes and closes. It decides; carrying it out in virtual time is the world's business.

mod consumer;
mod producer;
mod session;

pub use consumer::{ConsumerApp, Work, WorkEnd};
pub use producer::ProducerApp;
pub use session::{SessionApp, Verdict};
