//! `acksim completions SHELL`

use std::io::{Write, stdout};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::arguments::Arguments;
use super::{Error, Exit};

/// Arguments of `acksim completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Prints a completion script.
    pub fn execute(&self) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "acksim", &mut script);
        stdout().write_all(&script)?;
        Ok(Exit::Held)
    }
}
