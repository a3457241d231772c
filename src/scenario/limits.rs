//! What is too much. Every limit of the file format in one table: beyond it, a file is refused
//! before anything runs, with an error that names the limit.
//!
//! They are far above what a person writes and far below what would exhaust memory or overflow a
//! counter.

/// Bytes of a scenario file: 16 MiB.
pub const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Levels of brackets within brackets.
pub const NESTING: usize = 64;

/// Nanoseconds of a duration or a time: 2^63 - 1, some 292 years.
pub const NANOSECONDS: u64 = i64::MAX as u64;

/// Bytes of a message body: 2^31 - 1, as ActiveMQ's frame size.
pub const MESSAGE_BYTES: u64 = i32::MAX as u64;

/// Messages of one producer or consumer.
pub const MESSAGES: u64 = 1_000_000_000_000_000;

/// Consumers in all, `count` expanded; and producers.
pub const CLIENTS: u64 = 100_000;

/// Values (numbers, texts, lists, objects) of all consumers together, `count` expanded.
pub const EXPANDED_VALUES: u64 = 20_000_000;

/// Arrivals per second of a Poisson process: one a nanosecond.
pub const RATE_PER_SECOND: f64 = 1e9;

/// Bytes per second of a link: 1 TiB.
pub const BYTES_PER_SECOND: u64 = 1 << 40;

/// Stages of an Erlang distribution.
pub const STAGES: u64 = 10_000;

/// Values of an empirical distribution, parts of a mixture.
pub const VALUES: usize = 100_000;

/// Counts that ActiveMQ holds in a 32-bit integer: prefetch, transaction size, page size.
pub const COUNT: u64 = i32::MAX as u64;

/// Milliseconds of an ActiveMQ option: as many as a duration may have.
pub const MILLISECONDS: u64 = NANOSECONDS / 1_000_000;

/// Message ids that an idempotent application remembers.
pub const WINDOW: u64 = 1_000_000_000;

/// Bytes of a name: of a scenario (it becomes a folder), client, connection, session, or
/// destination.
pub const NAME_BYTES: usize = 200;

/// Bytes of a connection URL or a destination with its options.
pub const URL_BYTES: usize = 64 * 1024;

/// Errors that are kept for one file; what is found beyond is not told.
pub const ERRORS: usize = 50;

/// Notes that are kept for one file.
pub const NOTES: usize = 200;

/// Replications of a comparison.
pub const REPLICATIONS: u64 = 100_000;

/// Gauges that a scenario can expect something of during the run.
pub const WATCHES: usize = 100;
