//! `acksim compare FILE --vary PATH=V1,V2,…`

use std::io::Write;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use acksim::charts;
use acksim::experiment::statistics::StoppingRule;
use acksim::experiment::{
    Axis, Comparison, Execution, Metric, Replications, Study, axes_of, output, parse_share,
    prepare, simulate,
};
use acksim::output::{Folder, safe_name};
use acksim::scenario::Loaded;
use clap::{Args, ValueHint};
use serde_json::Value;

use super::files::write_files;
use super::format::{WIDTH, printable, wrapped};
use super::input::Input;
use super::progress::StudyProgress;
use super::speed::Speed;
use super::terminal::{BOLD, Terminal, paint};
use super::{Error, Exit, interrupt};

const EXAMPLES: &str = "\
PATH is CONSUMER.FIELD, PRODUCER.FIELD, network.FIELD, broker.FIELD or CONSUMER.OPTION, where OPTION
is one of ActiveMQ's (jms.optimizeAcknowledge, consumer.prefetchSize); * in place of a name means all.
Values are separated by commas; a range is 1..10, 1..10 step 3, or 1..1000 log 7.

Examples:
  acksim compare orders.json --vary worker.prefetchSize=1,10,100,1000 --replications 20
  acksim compare orders.json --vary '*.prefetchSize=1..1000 log 7' --vary network.latency=0.2ms,10ms
  acksim compare orders.json      the study that the file itself holds under \"compare\"

Ctrl-C ends a comparison with what is complete by then, and marks it incomplete.";

/// Replications where neither the command line nor the file says.
const REPLICATIONS: u32 = 10;

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
    #[arg(long, value_name = "N", conflicts_with_all = ["precision", "max_replications"])]
    replications: Option<NonZeroU32>,
    /// Replicate until differences are known so well, as in `5%`
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    precision: Option<f64>,
    /// But not more often than this [default: 1000]
    #[arg(long, value_name = "N", requires = "precision")]
    max_replications: Option<NonZeroU32>,
    /// Differences below this share of the better mean do not matter
    #[arg(long, value_name = "SHARE", value_parser = parse_share, default_value = "5%")]
    practical: f64,
    /// Metrics to compare, as paths into metrics.json; the first decides
    #[arg(long, value_name = "M", num_args = 1.., value_delimiter = ',')]
    metric: Vec<String>,
    /// Where the results go [default: output/NAME-compare]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
    /// Print one JSON document instead of the table
    #[arg(long)]
    json: bool,
    /// Draw no plots
    #[arg(long)]
    no_charts: bool,
    /// Write no files
    #[arg(long)]
    no_files: bool,
    /// Runs at the same time; as many as there are cores by default
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Compare {
    /// Runs the grid and says which setting is better, and why.
    pub fn execute(&self, terminal: &Terminal) -> Result<Exit, Error> {
        let mut speed = Speed::begin();
        let loaded = Input::of(&self.file).load(terminal)?;
        self.limit_threads()?;
        let comparison = self.compare(&loaded, &mut speed, terminal)?;
        if comparison.replications() == 0 {
            terminal.error(&"interrupted before any replication was complete: nothing is written");
            return Ok(Exit::Interrupted);
        }
        let files = self.write(&comparison)?;
        if self.json {
            anstream::stdout().write_all(output::json(&comparison).as_bytes())?;
        } else if !terminal.quiet {
            show(&comparison, &files)?;
        }
        speed.tell(terminal);
        Ok(if comparison.complete {
            Exit::Held
        } else {
            Exit::Interrupted
        })
    }
}

impl Compare {
    fn compare(
        &self,
        loaded: &Loaded,
        speed: &mut Speed,
        terminal: &Terminal,
    ) -> Result<Comparison, Error> {
        let metrics = self.metrics(loaded);
        let study = prepare(
            loaded,
            self.axes(loaded)?,
            metrics,
            self.replications(loaded),
        );
        let study = Study {
            practical: self.practical,
            ..study.map_err(Error::message)?
        };
        let progress = terminal.progress.then(StudyProgress::begin);
        let execution = Execution {
            jobs: self.jobs,
            cancelled: interrupt::asks_for_an_end(),
            progress: &|done, planned| {
                if let Some(progress) = &progress {
                    progress.show(done, planned);
                }
            },
        };
        let simulated = Tally::default();
        let comparison = study.run(&execution, |setting, seed| {
            let run = simulate(setting, seed)?;
            simulated.add(&run.metrics);
            Ok(run)
        });
        speed.add(
            simulated.events.into_inner(),
            simulated.messages.into_inner(),
        );
        comparison.map_err(Error::message)
    }

    /// As many threads as `--jobs` says, for whatever runs on several.
    fn limit_threads(&self) -> Result<(), Error> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.map_or(0, NonZeroUsize::get))
            .build_global();
        threads.map_err(|error| Error::Message(format!("cannot start threads: {error}")))
    }

    /// What the command line varies; else what the file's own study does.
    fn axes(&self, loaded: &Loaded) -> Result<Vec<Axis>, Error> {
        let axes = match &loaded.study {
            Some(study) if self.vary.is_empty() => axes_of(study),
            _ => self.vary.iter().map(|text| Axis::parse(text)).collect(),
        };
        let axes = axes.map_err(Error::message)?;
        if axes.is_empty() {
            let message =
                "nothing is varied: say what with --vary, or under \"compare\" in the file";
            return Err(Error::Message(message.to_owned()));
        }
        Ok(axes)
    }

    fn metrics(&self, loaded: &Loaded) -> Vec<Metric> {
        let of_file = loaded
            .study
            .as_ref()
            .map_or(&[][..], |study| &study.metrics);
        let paths = if self.metric.is_empty() {
            of_file
        } else {
            &self.metric
        };
        paths.iter().map(|path| Metric::at(path)).collect()
    }

    fn replications(&self, loaded: &Loaded) -> Replications {
        if let Some(precision) = self.precision {
            let maximum = self.max_replications.map_or(1000, NonZeroU32::get) as usize;
            return Replications::Sequential(StoppingRule {
                practical: self.practical,
                ..StoppingRule::to_precision(precision, maximum)
            });
        }
        let of_file = loaded.study.as_ref().and_then(|study| study.replications);
        let given = self.replications.map(NonZeroU32::get).or(of_file);
        Replications::Fixed(given.unwrap_or(REPLICATIONS) as usize)
    }

    fn write(&self, comparison: &Comparison) -> Result<Vec<PathBuf>, Error> {
        if self.no_files {
            return Ok(Vec::new());
        }
        let mut folder = match &self.output {
            Some(folder) => Folder::at(folder)?,
            None => {
                let name = safe_name(&format!("{}-compare", comparison.scenario));
                Folder::create(Path::new("output"), &name)?
            }
        };
        folder.write("compare.json", output::json(comparison).as_bytes())?;
        folder.write("compare.csv", output::csv(comparison).as_bytes())?;
        folder.write("compare.md", output::markdown(comparison).as_bytes())?;
        if !self.no_charts {
            for (name, bytes) in charts::comparison::files(comparison) {
                folder.write(&name, &bytes)?;
            }
        }
        Ok(folder.publish()?)
    }
}

/// What was simulated, on whatever thread.
#[derive(Debug, Default)]
struct Tally {
    events: AtomicU64,
    messages: AtomicU64,
}

impl Tally {
    fn add(&self, metrics: &Value) {
        let number = |path: &str| metrics.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        self.events
            .fetch_add(number("/run/events"), Ordering::Relaxed);
        self.messages
            .fetch_add(number("/messages/sent"), Ordering::Relaxed);
    }
}

fn show(comparison: &Comparison, files: &[PathBuf]) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    for line in output::table(comparison).lines() {
        writeln!(out, "{}", styled(&printable(line)))?;
    }
    Ok(write_files(files, &mut out)?)
}

/// Sentences are broken where the terminal ends; rows of the table are not.
fn styled(line: &str) -> String {
    if line.trim_start().contains("  ") {
        return line.to_owned();
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    let lines = wrapped(line.trim_start(), WIDTH - 2);
    let text = format!("{indent}{}", lines.join(&format!("\n{indent}  ")));
    if text.starts_with("Recommended") {
        paint(BOLD, &text)
    } else {
        text
    }
}
