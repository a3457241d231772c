//! The rules of ActiveMQ Classic 5.17.2, one small scenario each, with the sequence of commands that the rule
//! demands. The first number is a chapter of `docs/fidelity.md`; `example_12_4` is a worked example, most of which were recorded
//! on a running broker. What stands in a test as expected was derived from the rule, never from the simulator.
//!
//! In most scenarios a producer `m` sends `m:1`, `m:2`, … and a consumer `c` that starts later finds them waiting.

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod consumer;
mod corners;
mod examples_auto;
mod examples_broker;
mod examples_client;
mod examples_redelivery;
mod examples_transacted;
mod producers;
mod queues;
mod redelivery;
mod semantics;
mod settings;
mod slow;
mod topics;
mod transactions;
