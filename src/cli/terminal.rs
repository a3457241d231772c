//! What is said to the person at the terminal, beside the results: errors, warnings, notes.
//!
//! Styles are written always; the streams of `anstream` drop them where the terminal, `--color`, or
//! `NO_COLOR` says so.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::{Args, ColorChoice};

use super::format::printable;

/// Names.
pub const BOLD: Style = Style::new().bold();
/// What is not looked at first.
pub const DIM: Style = Style::new().dimmed();
/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Worth a look.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// A text in a style.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Arguments of every command about what is said and how.
#[derive(Args, Debug)]
pub struct TerminalArguments {
    /// When to use colours (NO_COLOR is honoured)
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more; end with the number of events and their rate
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Show no progress bar
    #[arg(long, global = true)]
    no_progress: bool,
}

/// The person at the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Wants to hear only what went wrong.
    pub quiet: bool,
    /// Wants to hear more.
    pub verbose: bool,
    /// Sees a progress bar.
    pub progress: bool,
}

impl Terminal {
    /// As the arguments have it; there is progress only where somebody can see it.
    pub fn new(arguments: &TerminalArguments) -> Terminal {
        match arguments.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        let seen = std::io::stderr().is_terminal();
        Terminal {
            quiet: arguments.quiet,
            verbose: arguments.verbose,
            progress: seen && !arguments.no_progress && !arguments.quiet,
        }
    }

    /// Something went wrong.
    pub fn error(&self, error: &dyn Display) {
        say(&paint(BAD, "error:"), error);
    }

    /// Something is worth a look.
    pub fn warning(&self, warning: &dyn Display) {
        if !self.quiet {
            say(&paint(WARNING, "warning:"), warning);
        }
    }

    /// Something is good to know.
    pub fn note(&self, note: &dyn Display) {
        if !self.quiet {
            say(&paint(DIM, "note:"), note);
        }
    }
}

/// Writes to standard error; that it may be closed is nobody's concern.
fn say(heading: &str, text: &dyn Display) {
    let text = text.to_string();
    let lines: Vec<String> = text.lines().map(printable).collect();
    let _ = writeln!(anstream::stderr(), "{heading} {}", lines.join("\n"));
}
