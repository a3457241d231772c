//! A directory of its own for each test, and the program run inside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Three messages, one worker.
pub const ORDERS: &str = r#"{
  "description": "three orders for one worker",
  "producers": [{"name": "orders", "destination": "queue://orders", "messages": 3}],
  "consumers": [{"name": "worker", "destination": "queue://orders", "processing": "5ms"}]
}"#;

/// A directory that goes with the test.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn with(file: &str, text: &str) -> Place {
        Place::new().and(file, text)
    }

    pub fn and(self, file: &str, text: &str) -> Place {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Everything below the directory, sorted; folders end with `/`.
    pub fn tree(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(self.0.path(), self.0.path(), &mut found);
        found.sort();
        found
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("acksim"));
        command.args(arguments).current_dir(self.0.path());
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    pub fn acksim(&self, arguments: &[&str]) -> Done {
        Done::from(
            self.command(arguments)
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    }

    pub fn acksim_reading(&self, arguments: &[&str], input: &str) -> Done {
        let input_file = self.path("standard-input");
        fs::write(&input_file, input).unwrap();
        let from = fs::File::open(&input_file).unwrap();
        fs::remove_file(&input_file).unwrap();
        Done::from(self.command(arguments).stdin(from).output().unwrap())
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if path.is_dir() {
            found.push(format!("{name}/"));
            walk(root, &path, found);
        } else {
            found.push(name);
        }
    }
}

/// How the program ended.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        Done {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// Ended with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Done {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Standard output holds this text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Done {
        assert!(
            self.stdout.contains(text),
            "no {text:?} in:\n{}",
            self.stdout
        );
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Done {
        assert!(
            self.stderr.contains(text),
            "no {text:?} in:\n{}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub fn prints_nothing(self) -> Done {
        assert_eq!(self.stdout, "");
        self
    }

    #[track_caller]
    pub fn says_nothing(self) -> Done {
        assert_eq!(self.stderr, "");
        self
    }

    /// Standard output is one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("standard output is one JSON document")
    }
}
