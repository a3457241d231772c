//! `acksim compare FILE --vary PATH=V1,V2,…`

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::terminal::Terminal;
use super::{Error, Exit};

const EXAMPLES: &str = "\
PATH is CONSUMER.FIELD, PRODUCER.FIELD, network.FIELD, broker.FIELD or CONSUMER.OPTION, where OPTION
is one of ActiveMQ's (jms.optimizeAcknowledge, consumer.prefetchSize); * in place of a name means all.

Examples:
  acksim compare orders.json --vary worker.prefetchSize=1,10,100,1000 --replications 20
  acksim compare orders.json --vary '*.prefetchSize=1..1000 log 7' --vary network.latency=0.2ms,10ms";

/// Arguments of `acksim compare`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// A scenario file; `-` means standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// A setting and its values; several make a grid
    #[arg(long, value_name = "PATH=V1,V2,…")]
    vary: Vec<String>,
    /// Runs of each setting, with the same seeds in every setting
    #[arg(long, value_name = "N")]
    replications: Option<NonZeroU32>,
    /// Metrics to compare, as paths into metrics.json
    #[arg(long, value_name = "M", num_args = 1.., value_delimiter = ',')]
    metric: Vec<String>,
    /// Where the results go
    #[arg(short, long, value_name = "DIR", default_value = "output", value_hint = ValueHint::DirPath)]
    output: PathBuf,
    /// Print one JSON document instead of the table
    #[arg(long)]
    json: bool,
    /// Runs at the same time; as many as there are cores by default
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Compare {
    /// Runs the grid and says which setting is better, and why.
    pub fn execute(&self, _terminal: &Terminal) -> Result<Exit, Error> {
        Err(Error::Message("comparing is not built yet".to_owned()))
    }
}
