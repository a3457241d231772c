//! `acksim verify FILE…`

use std::io::{self, Write};
use std::path::Path;

use acksim::reference::{Difference, Recorder, Reference};
use acksim::scenario::Scenario;
use clap::Args;
use serde::Serialize;

use super::format::printable;
use super::input::Files;
use super::simulation::run;
use super::terminal::{BAD, DIM, GOOD, Terminal, paint};
use super::{Error, Exit, print_json};

/// Arguments of `acksim verify`.
#[derive(Args, Debug)]
pub struct Verify {
    #[command(flatten)]
    files: Files,
    /// Print one JSON document instead of a line for each scenario
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Holds the scenarios against the recordings beside them.
    pub fn execute(&self, terminal: &Terminal) -> Result<Exit, Error> {
        let mut report = Report::default();
        let swept = self.files.each(terminal, |input, loaded| {
            let scenario = &loaded.scenario;
            let differences = match input.reference() {
                None => None,
                Some(reference) => Some(differences(scenario, &reference)?),
            };
            if !self.json {
                show(&scenario.name, differences.as_deref(), terminal)?;
            }
            Ok(report.add(&scenario.name, differences))
        })?;
        if self.json {
            print_json(&report)?;
        } else if !terminal.quiet {
            writeln!(anstream::stdout(), "{}{}", report.summary(), swept.remark())?;
        }
        Ok(swept.exit)
    }
}

fn differences(scenario: &Scenario, reference: &Path) -> Result<Vec<Difference>, Error> {
    let reference = Reference::read(reference).map_err(Error::message)?;
    let mut recorder = Recorder::new(scenario);
    let end = run(scenario, &mut recorder)?;
    Ok(reference.differences(&recorder.finish(end.ended_at, &end.messages)))
}

fn show(name: &str, differences: Option<&[Difference]>, terminal: &Terminal) -> io::Result<()> {
    let name = printable(name);
    let mut out = anstream::stdout().lock();
    match differences {
        Some([]) if !terminal.quiet => writeln!(out, "{}  {name}", paint(GOOD, "matched")),
        None if !terminal.quiet => {
            writeln!(
                out,
                "{}  {name}: no reference beside it",
                paint(DIM, "skipped")
            )
        }
        None | Some([]) => Ok(()),
        Some(differences) => {
            writeln!(out, "{}  {name}", paint(BAD, "differs"))?;
            differences.iter().try_for_each(|difference| {
                writeln!(out, "         {}", printable(&difference.to_string()))
            })
        }
    }
}

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
struct Report {
    matched: Vec<String>,
    differing: Vec<Differing>,
    skipped: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Differing {
    scenario: String,
    #[serde(flatten)]
    difference: Difference,
}

impl Report {
    fn add(&mut self, scenario: &str, differences: Option<Vec<Difference>>) -> Exit {
        let scenario = scenario.to_owned();
        match differences {
            None => self.skipped.push(scenario),
            Some(none) if none.is_empty() => self.matched.push(scenario),
            Some(differences) => {
                self.differing
                    .extend(differences.into_iter().map(|difference| Differing {
                        scenario: scenario.clone(),
                        difference,
                    }));
                return Exit::Failed;
            }
        }
        Exit::Held
    }

    fn summary(&self) -> String {
        let mut differing: Vec<&String> = self.differing.iter().map(|one| &one.scenario).collect();
        differing.dedup();
        let (matched, skipped) = (self.matched.len(), self.skipped.len());
        format!(
            "{matched} matched, {} differ, {skipped} skipped",
            differing.len()
        )
    }
}
