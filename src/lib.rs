//! acksim: a deterministic discrete-event simulator of how ActiveMQ Classic pushes, acknowledges and redelivers
//! messages.
//!
//! ```text
//! scenario file ──parse──▶ Scenario ──build──▶ World ──run──▶ facts ──▶ metrics ──▶ tables, charts, reports
//!                                                ▲  │            ├────▶ trace
//!                                         kernel └──┘            └────▶ reference views
//! ```
//!
//! One direction, no way back: a run is a pure function of (scenario, seed), and everything a person sees is a fold
//! over the one stream of facts.

#[macro_use]
mod fidelity;

pub mod application;
pub mod broker;
pub mod charts;
pub mod client;
pub mod expect;
pub mod experiment;
pub mod facts;
pub mod judges;
pub mod kernel;
pub mod metrics;
pub mod output;
pub mod reference;
pub mod rules;
pub mod scenario;
#[cfg(test)]
mod story;
pub mod trace;
pub mod wire;
pub mod world;
