//! Scenario files: which ones a command line means.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use acksim::output::results_in;
use acksim::reference::Reference;
use acksim::scenario::{self, Loaded};
use clap::{Args, ValueHint};

use super::terminal::Terminal;
use super::{Error, Exit};

/// The arguments of a command that takes scenario files.
#[derive(Args, Debug)]
pub struct Files {
    /// Scenario files; a directory means every *.json below it that is no *.reference.json, `-`
    /// means standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
}

/// What became of the files of a command.
#[derive(Debug)]
pub struct Swept {
    /// The worst of all.
    pub exit: Exit,
    /// What could not be run, by its name, and why.
    pub unusable: Vec<(String, String)>,
}

impl Swept {
    /// What to add to a summary.
    pub fn remark(&self) -> String {
        match self.unusable.len() {
            0 => String::new(),
            files => format!(", {files} could not be run"),
        }
    }
}

impl Files {
    /// Reads each scenario and acts on it. What cannot be read or run is reported, and the others
    /// go on.
    pub fn each(
        &self,
        terminal: &Terminal,
        mut action: impl FnMut(&Input, Loaded) -> Result<Exit, Error>,
    ) -> Result<Swept, Error> {
        let mut swept = Swept {
            exit: Exit::Held,
            unusable: Vec::new(),
        };
        for (name, input) in self.inputs() {
            let done = input.and_then(|input| action(&input, input.load(terminal)?));
            let exit = match done {
                Ok(exit) => exit,
                Err(error @ Error::Output(_)) => return Err(error),
                Err(error) => {
                    terminal.error(&error);
                    swept.unusable.push((name, error.to_string()));
                    Exit::Unusable
                }
            };
            swept.exit = swept.exit.max(exit);
        }
        Ok(swept)
    }

    fn inputs(&self) -> Vec<(String, Result<Input, Error>)> {
        let mut inputs = Vec::new();
        for path in &self.files {
            match expand(path) {
                Ok(found) => inputs.extend(found.into_iter().map(|one| (one.name(), Ok(one)))),
                Err(error) => inputs.push((path.display().to_string(), Err(error))),
            }
        }
        inputs
    }
}

/// One scenario to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its file; none for standard input.
    pub path: Option<PathBuf>,
}

impl Input {
    /// What a path on the command line means, if it is not a directory.
    pub fn of(path: &Path) -> Input {
        Input {
            path: (path != Path::new("-")).then(|| path.to_path_buf()),
        }
    }

    /// What to call it in messages.
    pub fn name(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "<stdin>".to_owned(), |path| path.display().to_string())
    }

    /// Where the recording of the real broker lies, if there is one.
    pub fn reference(&self) -> Option<PathBuf> {
        let reference = Reference::path_beside(self.path.as_ref()?);
        reference.exists().then_some(reference)
    }

    /// Reads the scenario and tells what its reader noted.
    pub fn load(&self, terminal: &Terminal) -> Result<Loaded, Error> {
        let loaded = match &self.path {
            None => scenario::read_from(io::stdin().lock(), &self.name(), "stdin")?,
            Some(path) => scenario::read_file(path)?,
        };
        for note in &loaded.notes {
            let text = format!(
                "{}:{}:{}: {}",
                note.file, note.line, note.column, note.message
            );
            if note.warning {
                terminal.warning(&text)
            } else {
                terminal.note(&text)
            }
        }
        Ok(loaded)
    }
}

fn expand(path: &Path) -> Result<Vec<Input>, Error> {
    if !path.is_dir() {
        return Ok(vec![Input::of(path)]);
    }
    let mut files = Vec::new();
    walk(path, &mut files)?;
    if files.is_empty() {
        let message = format!("there is no scenario (*.json) below {}", path.display());
        return Err(Error::Message(message));
    }
    files.sort_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
    Ok(files
        .into_iter()
        .map(|path| Input { path: Some(path) })
        .collect())
}

/// Adds the scenario files below a folder. Links to folders are not followed, since they may lead
/// in circles; what acksim wrote itself is passed over, since a result is no scenario.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable =
        |error: io::Error| Error::Message(format!("cannot read {}: {error}", folder.display()));
    let results = results_in(folder);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type().map_err(unreadable)?.is_dir() {
            walk(&path, files)?;
        } else if is_scenario(&path) && !path.is_dir() {
            let is_result = name.to_str().is_some_and(|name| results.contains(name));
            files.extend((!is_result).then_some(path));
        }
    }
    Ok(())
}

fn is_scenario(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.ends_with(b".json") && !name.ends_with(b".reference.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(inputs: Vec<Input>, root: &Path) -> Vec<String> {
        let relative = |input: Input| {
            let path = input.path.unwrap();
            path.strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        inputs.into_iter().map(relative).collect()
    }

    #[test]
    fn a_directory_means_its_scenarios_in_order_of_path() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["b", "a/deep", "output/run"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in [
            "b/1.json",
            "a/deep/2.json",
            "c.json",
            "c.reference.json",
            "d.txt",
        ] {
            fs::write(root.path().join(file), "{}").unwrap();
        }
        let mut results = acksim::output::Folder::create(&root.path().join("output"), "x").unwrap();
        results.write("metrics.json", b"{}").unwrap();
        results.publish().unwrap();
        let found = expand(root.path()).unwrap();
        assert_eq!(
            paths(found, root.path()),
            ["a/deep/2.json", "b/1.json", "c.json"]
        );
    }

    #[test]
    fn a_directory_without_scenarios_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(expand(root.path()).is_err());
    }
}
