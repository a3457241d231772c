//! The command line: what can be said on it, and what becomes of an error.
//!
//! Results go to standard output, messages to standard error. Each subcommand has a file of its own
//! that holds its arguments and what it does with them.

mod arguments;
mod background;
mod calibrate;
mod check;
mod compare;
mod completions;
mod files;
mod format;
mod input;
mod interrupt;
mod junit;
mod man;
mod progress;
mod run;
mod schema;
mod simulation;
mod speed;
mod table;
mod terminal;
mod verify;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use acksim::output::OutputError;
use acksim::scenario::Errors;
use clap::Parser;
use serde::Serialize;

use arguments::{Arguments, Command};
use terminal::Terminal;

/// What a command comes to; of several, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, and everything held.
    Held = 0,
    /// An expectation failed, a reference differs, a determinism check or an audit failed.
    Failed = 1,
    /// Usage error, or a scenario that cannot be run.
    Unusable = 2,
    /// Ctrl-C.
    Interrupted = 130,
}

/// Why a command, or one of its files, came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard output is gone.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// Something is wrong with a scenario.
    #[error(transparent)]
    Scenario(#[from] Errors),
    /// Results could not be written.
    #[error(transparent)]
    Files(#[from] OutputError),
    /// Said in words.
    #[error("{0}")]
    Message(String),
}

impl Error {
    /// Something went wrong in another room.
    fn message(problem: impl fmt::Display) -> Error {
        Error::Message(problem.to_string())
    }

    fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new(&arguments.terminal);
    let exit = match execute(&arguments.command, &terminal) {
        Ok(exit) => exit,
        // Whoever reads has read enough.
        Err(error) if error.is_broken_pipe() => Exit::Held,
        Err(error) => {
            terminal.error(&error);
            Exit::Unusable
        }
    };
    ExitCode::from(exit as u8)
}

fn execute(command: &Command, terminal: &Terminal) -> Result<Exit, Error> {
    match command {
        Command::Run(run) => run.execute(terminal),
        Command::Verify(verify) => verify.execute(terminal),
        Command::Check(check) => check.execute(terminal),
        Command::Compare(compare) => compare.execute(terminal),
        Command::Calibrate(calibrate) => calibrate.execute(),
        Command::Schema => schema::execute(),
        Command::Completions(completions) => completions.execute(),
        Command::Man(man) => man.execute(),
    }
}

/// Prints one JSON document.
fn print_json(document: &impl Serialize) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}
