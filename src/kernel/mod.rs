//! Virtual time, the event queue and named random streams. Would serve any simulation: knows
//! nothing of messaging.
//!
//! # What happens next
//!
//! A run is a loop: [`EventQueue::pop`] says what is [`Due`], which is taken from its lane or from
//! the queue, changes the world, and schedules what follows from it. [`Time`] is integer
//! nanoseconds; between two events nothing happens and no time is spent.
//!
//! Two events at the same nanosecond happen **in the order in which they were scheduled**. That is
//! the only tie rule: there are no priorities, and no address, hash or thread has a say. An event
//! that is scheduled for the present instant therefore happens after everything that is already
//! scheduled for it. If a model wants another order, it schedules in that order.
//!
//! A [`Lane`] is a promise of a source of events to schedule mostly in order of time: one direction
//! of a link, or an actor with one thing to do at a time. It holds the source's events, of its own
//! kind, makes the queue faster and changes nothing else: an event that breaks the promise takes
//! the slower way and is popped at its proper place.
//!
//! # Chance
//!
//! Every actor draws from a [`Stream`] of its own for each purpose, named by (seed, actor,
//! purpose). What one actor draws, or that it exists at all, moves no other actor's draws, so two
//! settings of a model can be compared on the same arrivals and the same processing times. A
//! [`Sampler`] turns such draws into the durations of a [`Distribution`], to the same bit on every
//! machine.

mod calendar;
mod distribution;
mod fifo;
mod queue;
mod random;
mod sampler;
mod time;
mod ziggurat;

pub use distribution::Distribution;
pub use fifo::Fifo;
pub use queue::{Due, EventQueue, Lane};
pub use random::{Stream, print_of_draws};
pub use sampler::Sampler;
pub use time::{Span, Time};
