//! `acksim man [COMMAND]`

use std::io::{Write, stdout};

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use super::arguments::Arguments;
use super::{Error, Exit};

/// Arguments of `acksim man`.
#[derive(Args, Debug)]
pub struct Man {
    /// The page of this subcommand instead of the one of acksim
    command: Option<String>,
}

impl Man {
    /// Prints a manual page in roff.
    pub fn execute(&self) -> Result<Exit, Error> {
        let mut acksim = Arguments::command().disable_help_subcommand(true);
        acksim.build();
        let command = match &self.command {
            None => acksim,
            Some(name) => subcommand(&acksim, name)?,
        };
        let mut page = Vec::new();
        Page::new(command).render(&mut page)?;
        stdout().write_all(&page)?;
        Ok(Exit::Held)
    }
}

fn subcommand(acksim: &clap::Command, name: &str) -> Result<clap::Command, Error> {
    let found = acksim.find_subcommand(name).cloned();
    found.ok_or_else(|| Error::Message(format!("there is no subcommand '{name}'")))
}
