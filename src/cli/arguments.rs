//! What can be said on the command line.

use clap::{Parser, Subcommand};

use super::calibrate::Calibrate;
use super::check::Check;
use super::compare::Compare;
use super::completions::Completions;
use super::man::Man;
use super::run::Run;
use super::terminal::TerminalArguments;
use super::verify::Verify;

const LONG_ABOUT: &str = "\
Simulates, in virtual time, how ActiveMQ Classic pushes, acknowledges and redelivers messages.

A scenario file describes producers, a broker and consumers; acksim says what ActiveMQ 5.17.2 would \
do with them: who gets which message, which acknowledgements travel, what a crash repeats or \
loses, who starves beside a full prefetch buffer. The same file and seed give the same bytes on \
every machine.";

const EXIT_CODES: &str = "\
Exit codes:
  0    done, and every expectation or comparison held
  1    an expectation failed, a reference differs, a determinism check or an audit failed
  2    usage error, or a scenario that cannot be run
  130  Ctrl-C";

const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nmodel: ActiveMQ Classic 5.17.2\nscenario format: 1"
);

/// Simulates how ActiveMQ Classic pushes, acknowledges and redelivers messages
#[derive(Parser, Debug)]
#[command(name = "acksim", version, long_version = LONG_VERSION, long_about = LONG_ABOUT)]
#[command(after_help = EXIT_CODES, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to say it.
    #[command(flatten, next_help_heading = "Terminal")]
    pub terminal: TerminalArguments,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run scenarios: a table on the terminal, metrics and charts in a folder
    Run(Run),
    /// Hold scenarios against recordings of the real broker
    Verify(Verify),
    /// Test the expectations of scenarios, as in continuous integration
    Check(Check),
    /// Compare settings over many paired runs
    Compare(Compare),
    /// Find out from measured rates what broker and network cost
    Calibrate(Calibrate),
    /// Print the JSON Schema of scenario files
    Schema,
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print a manual page
    Man(Man),
}
