//! The scenario file: what it says (`model`), and how it is read.

pub mod model;

pub use model::*;
