//! `acksim check FILE…`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use acksim::expect::{self, Failure, Miss};
use acksim::scenario::Scenario;
use clap::{Args, ValueHint};
use serde::Serialize;
use serde_json::Value;

use super::format::{plural, printable};
use super::input::{Files, Input, Swept};
use super::junit::{self, Case, CaseResult, Suite};
use super::simulation::{Watch, simulate};
use super::speed::Speed;
use super::terminal::{BAD, GOOD, Terminal, paint};
use super::{Error, Exit, print_json};

/// Arguments of `acksim check`.
#[derive(Args, Debug)]
pub struct Check {
    #[command(flatten)]
    files: Files,
    /// Print one JSON document instead of a line for each scenario
    #[arg(long)]
    json: bool,
    /// Write the results as JUnit's XML, too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
    /// Print failures as annotations for GitHub, too
    #[arg(long, conflicts_with = "json")]
    annotations: bool,
}

impl Check {
    /// Runs the scenarios and tests what they expect.
    pub fn execute(&self, terminal: &Terminal) -> Result<Exit, Error> {
        let mut speed = Speed::begin();
        let mut report = Report::default();
        let swept = self.files.each(terminal, |input, loaded| {
            let scenario = loaded.scenario;
            let simulated = simulate(&scenario, during(), terminal)?;
            let metrics = &simulated.metrics;
            speed.add(metrics.run.events, metrics.messages.sent);
            let numbers = serde_json::to_value(metrics).expect("metrics are plain data");
            let mut failures = failures(input, &scenario, &numbers);
            failures.extend(missed(input, &scenario, simulated.missed));
            if !self.json {
                self.show(&scenario, &failures, terminal)?;
            }
            Ok(report.add(&scenario, failures))
        })?;
        self.finish(report, &swept, terminal)?;
        speed.tell(terminal);
        Ok(swept.exit)
    }

    fn show(
        &self,
        scenario: &Scenario,
        failures: &[Failed],
        terminal: &Terminal,
    ) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        let name = printable(&scenario.name);
        let all = (scenario.expect.len() + scenario.watches.len()) as u64;
        if !failures.is_empty() {
            let of = plural(all, "expectation", "expectations");
            writeln!(
                out,
                "{}  {name}: {} of {of}",
                paint(BAD, "failed"),
                failures.len()
            )?;
        } else if !terminal.quiet {
            let held = plural(all, "expectation", "expectations");
            writeln!(out, "{}  {name}: {held}", paint(GOOD, "passed"))?;
        }
        for failed in failures {
            let Failed {
                file,
                line,
                column,
                message,
                ..
            } = failed;
            writeln!(
                out,
                "        {}",
                printable(&format!("{file}:{line}:{column}: {message}"))
            )?;
            if self.annotations {
                writeln!(out, "{}", annotation(failed))?;
            }
        }
        Ok(())
    }

    fn finish(&self, mut report: Report, swept: &Swept, terminal: &Terminal) -> Result<(), Error> {
        for (file, problem) in &swept.unusable {
            report.suites.push(unusable(file, problem));
            report.unusable.push(file.clone());
        }
        if let Some(path) = &self.junit {
            write_whole(path, &junit::document(&report.suites))?;
        }
        if self.json {
            return print_json(&report);
        }
        if !terminal.quiet {
            writeln!(anstream::stdout(), "{}{}", report.summary(), swept.remark())?;
        }
        Ok(())
    }
}

/// An expectation that failed.
#[derive(Clone, Debug, Serialize)]
struct Failed {
    scenario: String,
    file: String,
    line: u32,
    column: u32,
    path: String,
    found: Option<Value>,
    message: String,
}

fn failures(input: &Input, scenario: &Scenario, metrics: &Value) -> Vec<Failed> {
    let failed = |failure: Failure<'_>| Failed {
        scenario: scenario.name.clone(),
        file: input.name(),
        line: failure.expectation.line,
        column: failure.expectation.column,
        path: failure.expectation.path.clone(),
        message: failure.to_string(),
        found: failure.found,
    };
    expect::failures(scenario, metrics)
        .into_iter()
        .map(failed)
        .collect()
}

/// Only the run itself can tell.
fn during() -> Watch {
    Watch {
        expectations: true,
        ..Watch::default()
    }
}

fn missed(input: &Input, scenario: &Scenario, missed: Vec<Miss>) -> impl Iterator<Item = Failed> {
    missed.into_iter().map(|miss| Failed {
        scenario: scenario.name.clone(),
        file: input.name(),
        line: scenario.watches[miss.watch].line,
        column: scenario.watches[miss.watch].column,
        path: miss.name,
        found: miss.found.map(Value::from),
        message: miss.message,
    })
}

/// What `--json` prints, and what JUnit's XML is made of.
#[derive(Debug, Default, Serialize)]
struct Report {
    passed: Vec<String>,
    failed: Vec<Failed>,
    unusable: Vec<String>,
    #[serde(skip)]
    suites: Vec<Suite>,
}

impl Report {
    fn add(&mut self, scenario: &Scenario, failures: Vec<Failed>) -> Exit {
        self.suites.push(suite(scenario, &failures));
        if failures.is_empty() {
            self.passed.push(scenario.name.clone());
            return Exit::Held;
        }
        self.failed.extend(failures);
        Exit::Failed
    }

    fn summary(&self) -> String {
        let failed = self.suites.len() - self.passed.len() - self.unusable.len();
        format!("{} passed, {failed} failed", self.passed.len())
    }
}

/// A case for each expectation; a scenario that expects nothing is one that ran.
fn suite(scenario: &Scenario, failures: &[Failed]) -> Suite {
    let case = |path: String| {
        let failed = failures.iter().find(|failed| failed.path == path);
        let result = failed.map_or(CaseResult::Passed, |failed| {
            let Failed {
                file,
                line,
                column,
                message,
                ..
            } = failed;
            CaseResult::Failed(format!("{message}\n{file}:{line}:{column}"))
        });
        Case { name: path, result }
    };
    let ends = scenario.expect.iter().map(|it| it.path.clone());
    let watches = scenario.watches.iter().map(acksim::scenario::Watch::name);
    let mut cases: Vec<Case> = ends.chain(watches).map(case).collect();
    if cases.is_empty() {
        cases.push(Case {
            name: "runs".to_owned(),
            result: CaseResult::Passed,
        });
    }
    Suite {
        name: scenario.name.clone(),
        cases,
    }
}

fn unusable(file: &str, problem: &str) -> Suite {
    let result = CaseResult::Error(problem.to_owned());
    Suite {
        name: file.to_owned(),
        cases: vec![Case {
            name: "runs".to_owned(),
            result,
        }],
    }
}

/// A workflow command of GitHub: `::error file=…,line=…,col=…::message`.
fn annotation(failed: &Failed) -> String {
    let Failed {
        file,
        line,
        column,
        message,
        ..
    } = failed;
    let text = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |value: &str| text(value).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::error file={},line={line},col={column}::{}",
        property(file),
        text(message)
    )
}

/// Writes a file that is whole or not there.
fn write_whole(path: &Path, text: &str) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| Error::Message(format!("cannot write {}: {error}", path.display())))
}
