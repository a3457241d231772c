//! Many runs: replications, grids of settings, and what their statistics say.

pub mod statistics;
