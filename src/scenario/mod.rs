//! The scenario file: what it says (`model`), and how it is read.
//!
//! ```text
//! text ──json──▶ values with places ──shape──▶ checked ──chapters──▶ Scenario, notes
//!                        ▲
//!                  document: settings of a comparison are laid over the values
//! ```
//!
//! A file is read in two passes. The first holds every value against the tables of keys (`shape`)
//! and finds whatever one value alone can do wrong. The second, one module for each chapter of the
//! file, takes values out, looks at what they have to do with each other, and decides options by
//! precedence. Every error of a pass is told at once, with its line and column; notes are about
//! what is read and changes nothing, or is probably not meant so.

mod broker;
mod checks;
mod client;
mod consumer;
mod destinations;
mod diagnostic;
mod document;
mod expect;
mod failures;
mod file;
mod json;
pub mod limits;
pub mod model;
mod nearest;
mod network;
mod options;
mod policy;
mod producer;
mod report;
mod resolve;
mod schema;
mod shape;
mod sharing;
mod study;
mod url;
mod values;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use diagnostic::{Diagnostic, Errors, Note, Source};
pub use document::Document;
pub use model::*;
pub use resolve::resolve;
pub use schema::schema;
pub use study::{Study, Values, Variation};
pub(crate) use values::{parse_duration, parse_size};

/// A scenario that can be run, and what else came of reading it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Resolved and valid.
    pub scenario: Scenario,
    /// What to know about it, in the order of the file.
    pub notes: Vec<Note>,
    /// The comparison that the file brings along.
    pub study: Option<Study>,
    /// The file itself, to vary it.
    pub document: Document,
}

/// Reads a scenario. `fallback_name` is its name where the file gives none: the file's stem.
///
/// # Errors
/// All that is wrong with it, in the order of the file.
pub fn read(source: &Source, fallback_name: &str) -> Result<Loaded, Errors> {
    resolve(Document::parse(source, fallback_name)?)
}

/// Reads a scenario file.
///
/// # Errors
/// Where there is no such file, it is not one, it is too large, it is not UTF-8, and as [`read`].
pub fn read_file(path: &Path) -> Result<Loaded, Errors> {
    let name = path.display().to_string();
    let fail = |message: String| Errors::from(Diagnostic::of_file(&name, message));
    let cannot = |error: std::io::Error| fail(format!("cannot be read: {error}"));
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => fail("there is no such file".to_owned()),
        _ => cannot(error),
    })?;
    if metadata.is_dir() {
        return Err(fail("is a directory, not a scenario file".to_owned()));
    }
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let file = File::open(path).map_err(cannot)?;
    read_from(file, &name, &stem.unwrap_or_default())
}

/// Reads a scenario from a stream, such as standard input.
///
/// # Errors
/// As [`read_file`].
pub fn read_from(input: impl Read, name: &str, fallback_name: &str) -> Result<Loaded, Errors> {
    let mut bytes = Vec::new();
    let limited = input.take(limits::FILE_BYTES + 1).read_to_end(&mut bytes);
    if let Err(error) = limited {
        return Err(Diagnostic::of_file(name, format!("cannot be read: {error}")).into());
    }
    read_bytes(bytes, name, fallback_name)
}

/// Reads a scenario from bytes.
///
/// # Errors
/// Where they are too many or not UTF-8, and as [`read`].
pub fn read_bytes(bytes: Vec<u8>, name: &str, fallback_name: &str) -> Result<Loaded, Errors> {
    let fail = |message: &str| Err(Diagnostic::of_file(name, message).into());
    if bytes.len() as u64 > limits::FILE_BYTES {
        return fail(&format!("is larger than {} MiB", limits::FILE_BYTES >> 20));
    }
    match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => {
            return fail("begins with a byte order mark: save it as UTF-8 without one");
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return fail("is UTF-16: save it as UTF-8"),
        _ => {}
    }
    match String::from_utf8(bytes) {
        Ok(text) => read(
            &Source {
                name: name.to_owned(),
                text,
            },
            fallback_name,
        ),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            fail(&format!(
                "is not UTF-8: a byte in line {line} belongs to no character"
            ))
        }
    }
}

#[cfg(test)]
mod tests;
