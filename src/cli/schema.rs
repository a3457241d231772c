//! `acksim schema`

use super::{Error, Exit, print_json};

/// Prints the JSON Schema of scenario files.
pub fn execute() -> Result<Exit, Error> {
    print_json(&acksim::scenario::schema())?;
    Ok(Exit::Held)
}
