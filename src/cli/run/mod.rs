//! `acksim run FILE…`

mod advice;
mod determinism;
mod report;
mod warning;

use std::path::PathBuf;

use acksim::metrics::Metrics;
use acksim::output::{Folder, FolderNames};
use acksim::scenario::{Loaded, Scenario};
use clap::{Args, ValueHint};
use serde::Serialize;

use super::format::{cut, printable};
use super::input::{Files, Input};
use super::simulation::{Simulated, Watch, simulate};
use super::speed::Speed;
use super::terminal::Terminal;
use super::{Error, Exit, interrupt, print_json};
use report::Report;
use warning::Warning;

/// Arguments of `acksim run`.
#[derive(Args, Debug)]
pub struct Run {
    #[command(flatten)]
    files: Files,
    /// Where the results go: a folder for each scenario, named after it
    #[arg(short, long, value_name = "DIR", default_value = "output", value_hint = ValueHint::DirPath)]
    output: PathBuf,
    /// Seed of the random streams, in place of the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one JSON document instead of the tables
    #[arg(long)]
    json: bool,
    /// Write trace.jsonl as well: a line for everything that happens
    #[arg(long)]
    trace: bool,
    /// Draw no charts
    #[arg(long)]
    no_charts: bool,
    /// Write no files
    #[arg(long)]
    no_files: bool,
    /// Watch each run with judges of conservation, windows, order and Little's law; a breach is an error
    #[arg(long)]
    audit: bool,
    /// Run each scenario twice and compare everything that happened
    #[arg(long)]
    check_determinism: bool,
}

/// What `--json` prints of each scenario.
#[derive(Debug, Serialize)]
struct Document {
    scenario: String,
    metrics: Metrics,
    warnings: Vec<Warning>,
}

impl Run {
    /// Runs the scenarios.
    pub fn execute(&self, terminal: &Terminal) -> Result<Exit, Error> {
        if self.trace && self.no_files {
            terminal.note(&"--trace has no effect with --no-files");
        }
        if !self.no_files {
            interrupt::ends_the_program();
        }
        let mut speed = Speed::begin();
        let mut names = FolderNames::default();
        let mut documents = Vec::new();
        let swept = self.files.each(terminal, |input, loaded| {
            let run = self.run(input, loaded, &mut names, terminal)?;
            speed.add(run.metrics.run.events, run.metrics.messages.sent);
            let exit = run.exit;
            if self.json {
                documents.push(Document::of(run));
            }
            Ok(exit)
        })?;
        if self.json {
            print_json(&documents)?;
        }
        speed.tell(terminal);
        Ok(swept.exit)
    }
}

/// One scenario that has run, and whose results are out.
struct Done {
    scenario: Scenario,
    metrics: Metrics,
    warnings: Vec<Warning>,
    exit: Exit,
}

impl Document {
    fn of(done: Done) -> Document {
        let Done {
            scenario,
            metrics,
            warnings,
            ..
        } = done;
        Document {
            scenario: scenario.name,
            metrics,
            warnings,
        }
    }
}

impl Run {
    fn run(
        &self,
        input: &Input,
        loaded: Loaded,
        names: &mut FolderNames,
        terminal: &Terminal,
    ) -> Result<Done, Error> {
        let mut scenario = loaded.scenario;
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        let mut folder = self.folder(&scenario, names, terminal)?;
        let simulated = self.simulate(&scenario, folder.as_mut(), terminal)?;
        let files = folder
            .map(|folder| write_files(folder, &simulated))
            .transpose()?;
        let warnings = advice::warnings(&scenario, &simulated.metrics);
        if !self.json && !terminal.quiet {
            let files = files.as_deref();
            let metrics = &simulated.metrics;
            let report = Report {
                scenario: &scenario,
                metrics,
                warnings: &warnings,
                files,
            };
            report.write(&mut anstream::stdout().lock())?;
        }
        let exit = self.judge(input, &scenario, &simulated, terminal)?;
        Ok(Done {
            scenario,
            metrics: simulated.metrics,
            warnings,
            exit,
        })
    }

    fn folder(
        &self,
        scenario: &Scenario,
        names: &mut FolderNames,
        terminal: &Terminal,
    ) -> Result<Option<Folder>, Error> {
        if self.no_files {
            return Ok(None);
        }
        let name = names.claim(&scenario.name);
        if name != scenario.name {
            let scenario = cut(&printable(&scenario.name), 40);
            terminal.note(&format!(
                "the results of '{scenario}' go to the folder '{name}'"
            ));
        }
        Ok(Some(Folder::create(&self.output, &name)?))
    }

    fn simulate(
        &self,
        scenario: &Scenario,
        folder: Option<&mut Folder>,
        terminal: &Terminal,
    ) -> Result<Simulated, Error> {
        let mut watch = Watch {
            audit: self.audit,
            ..Watch::default()
        };
        if let Some(folder) = folder {
            watch.charts = !self.no_charts;
            watch.trace = self.trace.then(|| folder.open("trace.jsonl")).transpose()?;
        }
        simulate(scenario, watch, terminal)
    }

    /// What the audit and the determinism check say.
    fn judge(
        &self,
        input: &Input,
        scenario: &Scenario,
        simulated: &Simulated,
        terminal: &Terminal,
    ) -> Result<Exit, Error> {
        let mut exit = Exit::Held;
        for breach in &simulated.breaches {
            terminal.error(&format!("{}: {breach}", input.name()));
            exit = Exit::Failed;
        }
        let again = || determinism::difference(scenario, &simulated.metrics);
        let difference = self.check_determinism.then(again).transpose()?.flatten();
        if let Some(difference) = difference {
            terminal.error(&format!("{}: two runs differ: {difference}", input.name()));
            exit = Exit::Failed;
        }
        Ok(exit)
    }
}

/// Makes the folder appear with everything in it.
fn write_files(mut folder: Folder, simulated: &Simulated) -> Result<Vec<PathBuf>, Error> {
    let mut metrics =
        serde_json::to_vec_pretty(&simulated.metrics).expect("metrics are plain data");
    metrics.push(b'\n');
    folder.write("metrics.json", &metrics)?;
    let mut written = Ok(());
    if let Some(charts) = &simulated.charts {
        charts.write(&mut |name, bytes| {
            if written.is_ok() {
                written = folder.write(name, &bytes);
            }
        });
    }
    written?;
    Ok(folder.publish()?)
}
