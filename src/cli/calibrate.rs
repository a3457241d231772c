//! `acksim calibrate FILE`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use acksim::experiment::calibration::{Calibration, Measurements, Prediction, calibrate};
use acksim::scenario::limits;
use clap::{Args, ValueHint};
use serde::Serialize;
use serde_json::{Value, json};

use super::format::{count, printable};
use super::table::Table;
use super::{Error, Exit, print_json};

const EXAMPLE: &str = r#"FILE says how fast one consumer without work went on a loaded queue, in messages per second:
  {
    "measured": [
      {"prefetchSize": 1, "perSecond": 12500},
      {"prefetchSize": 300, "optimizeAcknowledge": true, "perSecond": 170000},
      {"prefetchSize": 100, "acknowledgeMode": "SESSION_TRANSACTED", "transactionSize": 10,
       "perSecond": 69000},
      {"prefetchSize": 100, "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledgeEvery": 100,
       "perSecond": 131000}
    ],
    "holdOut": []
  }
What is in "holdOut" is not fitted, but predicted: it shows how far the constants can be trusted."#;

/// Arguments of `acksim calibrate`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct Calibrate {
    /// Measured rates as JSON; `-` means standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Print one JSON document instead of tables
    #[arg(long)]
    json: bool,
}

impl Calibrate {
    /// Fits the constants and prints them.
    pub fn execute(&self) -> Result<Exit, Error> {
        let name = printable(&self.file.display().to_string());
        let problem =
            |problem: &dyn std::fmt::Display| Error::message(format!("{name}: {problem}"));
        let text = read(&self.file).map_err(|error| problem(&error))?;
        let measurements = Measurements::parse(&text).map_err(|error| problem(&error))?;
        let calibration = calibrate(&measurements).map_err(|error| problem(&error))?;
        if self.json {
            print_json(&document(&calibration))?;
        } else {
            show(&calibration)?;
        }
        Ok(Exit::Held)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let input: Box<dyn Read> = match path {
        path if path == Path::new("-") => Box::new(io::stdin().lock()),
        path if fs::metadata(path)?.is_dir() => {
            return Err(io::Error::other("is a directory, not a file"));
        }
        path => Box::new(File::open(path)?),
    };
    let mut text = String::new();
    input.take(limits::FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    #[serde(flatten)]
    prediction: &'a Prediction,
    error_percent: f64,
}

fn document(calibration: &Calibration) -> Value {
    let rows = |predictions: &[Prediction]| -> Value {
        let row = |prediction| {
            json!(Row {
                prediction,
                error_percent: percent(prediction),
            })
        };
        predictions.iter().map(row).collect()
    };
    json!({
        "constants": calibration.constants.json(),
        "processing": calibration.constants.processing_json(),
        "measured": rows(&calibration.fitted),
        "holdOut": rows(&calibration.held_out),
    })
}

/// To a tenth.
fn percent(prediction: &Prediction) -> f64 {
    (1000.0 * prediction.error()).round() / 10.0
}

fn show(calibration: &Calibration) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    table("fitted", &calibration.fitted, &mut out)?;
    if !calibration.held_out.is_empty() {
        table("not fitted, but predicted", &calibration.held_out, &mut out)?;
    }
    let constants = serde_json::to_string_pretty(&calibration.constants.json());
    let constants = constants.map_err(io::Error::from)?;
    writeln!(out, "For a scenario file:\n\n{constants}\n")?;
    let processing = calibration.constants.processing_json();
    let advice = "To add to the processing of each consumer, for the client's own work:";
    Ok(writeln!(out, "{advice}\n\n{processing}")?)
}

fn table(heading: &str, predictions: &[Prediction], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&[heading, "measured/s", "model/s", "error"]);
    for prediction in predictions {
        table.row(vec![
            prediction.rate.label(),
            count(prediction.rate.per_second.round() as u64),
            count(prediction.predicted_per_second.round() as u64),
            format!("{:+.1} %", percent(prediction)),
        ]);
    }
    table.write(out)?;
    writeln!(out)
}
