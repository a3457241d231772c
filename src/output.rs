//! Result folders: each appears whole or not at all, inside the directory that was asked for, and
//! takes the place of nothing that acksim did not write.
//!
//! The files of a folder are written into a hidden sibling, which is renamed at the end: a full
//! disk, a crash or Ctrl-C leaves no half of a result behind. Every folder holds a manifest
//! ([`MANIFEST`]) of its files. When a folder is there already, the files of its manifest are
//! replaced, everything else in it stays, and a file in the way that the manifest does not name is
//! an error.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, FileType};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file in a result folder that lists the others, one to a line below a heading.
pub const MANIFEST: &str = ".acksim";

const HEADING: &str = "Files written by acksim, which may replace them:";

/// Longest folder name in bytes: room for a suffix below the 255 of common file systems.
const LONGEST_NAME: usize = 120;

/// Why results could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file system refused.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A file stands where a directory should be.
    #[error("{} can be no directory, for a file is in the way: choose another one with -o", path.display())]
    NoDirectory {
        /// Which directory.
        path: PathBuf,
    },
    /// Something that acksim did not write is in the way.
    #[error(
        "{} was not written by acksim and is left as it is: move it away, or choose another \
         directory with -o",
        path.display()
    )]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_path_buf();
    move |source| OutputError::Io { path, source }
}

/// Gives every scenario of one command a folder name of its own.
#[derive(Debug, Default)]
pub struct FolderNames {
    taken: BTreeSet<String>,
}

impl FolderNames {
    /// A folder name for the scenario of this name: the name itself where that is safe and free.
    /// Names that differ only in case count as the same, since some file systems cannot tell them
    /// apart.
    pub fn claim(&mut self, scenario: &str) -> String {
        let name = safe_name(scenario);
        let mut candidate = name.clone();
        let mut number = 1;
        while !self.taken.insert(candidate.to_lowercase()) {
            number += 1;
            candidate = format!("{name}-{number}");
        }
        candidate
    }
}

/// A name that is one ordinary folder on every system, whatever is asked for: no separators,
/// control characters, leading or trailing dots, device names; at most 120 bytes.
pub fn safe_name(name: &str) -> String {
    let plain: String = name.chars().map(safe_character).collect();
    let trimmed = plain.trim_matches(['.', ' ']);
    let safe = match trimmed {
        "" => "scenario".to_owned(),
        device if is_device(device) => format!("_{device}"),
        option if option.starts_with('-') => format!("_{option}"),
        plain => plain.to_owned(),
    };
    shortened(&safe, name)
}

fn safe_character(character: char) -> char {
    let safe = character.is_alphanumeric() || " -_.,+=@#()".contains(character);
    if safe { character } else { '_' }
}

/// The names that Windows keeps for devices, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or(name)
        .trim_end()
        .to_uppercase();
    let numbered = |prefix| {
        stem.strip_prefix(prefix)
            .is_some_and(|number: &str| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

/// Cut where it is too long; a hash of the whole name keeps two long names apart.
fn shortened(safe: &str, whole: &str) -> String {
    if safe.len() <= LONGEST_NAME {
        return safe.to_owned();
    }
    let mut end = LONGEST_NAME - 17;
    while !safe.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{:016x}", &safe[..end], fnv1a(whole.as_bytes()))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The names of the files in a folder that acksim wrote: results, not scenarios.
pub fn results_in(folder: &Path) -> BTreeSet<String> {
    manifest(folder).unwrap_or_default()
}

/// The names in a folder's manifest, if it has one that acksim wrote. Only plain names count: a
/// manifest cannot point outside its folder.
fn manifest(folder: &Path) -> Option<BTreeSet<String>> {
    let text = fs::read_to_string(folder.join(MANIFEST)).ok()?;
    let names = text.strip_prefix(HEADING)?.lines();
    let plain = names.filter(|name| {
        Path::new(name)
            .file_name()
            .is_some_and(|file| file == *name)
    });
    Some(
        plain
            .map(str::to_owned)
            .chain([MANIFEST.to_owned()])
            .collect(),
    )
}

/// Staging folders of this process.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what is not published, for a process that ends now: nothing can be published any more.
pub fn abandon() {
    let folders = unfinished();
    for folder in folders.iter() {
        let _ = fs::remove_dir_all(folder);
    }
    std::mem::forget(folders);
}

/// A result folder in the making. Dropped without [`Folder::publish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    staging: PathBuf,
    files: BTreeSet<String>,
}

impl Folder {
    /// Begins the folder `name` below `root`, which is created if it is not there.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(root: &Path, name: &str) -> Result<Folder, OutputError> {
        make_root(root)?;
        let staging = new_folder(root, &format!(".{name}.acksim"))?;
        Ok(Folder::staged(root.join(name), staging))
    }

    /// Begins a folder that may be there already, with files that stay.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn at(target: &Path) -> Result<Folder, OutputError> {
        let there = target.is_dir();
        let root = if there { Some(target) } else { target.parent() };
        let root = root
            .filter(|root| !root.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        make_root(root)?;
        let staging = new_folder(root, ".acksim")?;
        Ok(Folder::staged(target.to_path_buf(), staging))
    }

    fn staged(target: PathBuf, staging: PathBuf) -> Folder {
        unfinished().insert(staging.clone());
        Folder {
            target,
            staging,
            files: BTreeSet::new(),
        }
    }

    /// Opens a file of the folder for writing.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn open(&mut self, file: &str) -> Result<File, OutputError> {
        let path = self.staging.join(file);
        let opened = File::create_new(&path).map_err(at(&self.target.join(file)))?;
        self.files.insert(file.to_owned());
        Ok(opened)
    }

    /// Writes a file of the folder.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&mut self, file: &str, bytes: &[u8]) -> Result<(), OutputError> {
        let mut opened = self.open(file)?;
        opened.write_all(bytes).map_err(at(&self.target.join(file)))
    }

    /// Makes the folder appear, and says which files are in it, in order of their names.
    ///
    /// # Errors When something foreign is in the way: nothing has changed then; or when the file
    /// system refuses.
    pub fn publish(mut self) -> Result<Vec<PathBuf>, OutputError> {
        let files = self.files.clone();
        self.write_manifest(&files)?;
        let undisturbed = unfinished();
        if self.target.symlink_metadata().is_err() {
            fs::rename(&self.staging, &self.target).map_err(at(&self.target))?;
        } else {
            let ours = self.replaceable()?;
            if holds_more_than(&self.target, &ours)? {
                self.replace_files(&ours)?;
            } else {
                self.replace_folder(&ours)?;
            }
        }
        drop(undisturbed);
        Ok(files.iter().map(|file| self.target.join(file)).collect())
    }

    fn write_manifest(&mut self, files: &BTreeSet<String>) -> Result<(), OutputError> {
        let listed: String = files.iter().map(|file| format!("\n{file}")).collect();
        self.write(MANIFEST, format!("{HEADING}{listed}\n").as_bytes())
    }

    /// The files in the folder that acksim wrote, if nothing foreign is in the way of the new ones.
    fn replaceable(&self) -> Result<BTreeSet<String>, OutputError> {
        let foreign = |path| Err(OutputError::Foreign { path });
        if !is(&self.target, FileType::is_dir) {
            return foreign(self.target.clone());
        }
        let mut ours = manifest(&self.target).unwrap_or_default();
        ours.retain(|file| is(&self.target.join(file), FileType::is_file));
        let in_the_way = |file: &&String| {
            let path = self.target.join(file);
            !ours.contains(*file) && path.symlink_metadata().is_ok()
        };
        match self.files.iter().find(in_the_way) {
            Some(file) => foreign(self.target.join(file)),
            None => Ok(ours),
        }
    }

    /// The new folder takes the place of the old one, in which there was nothing else.
    fn replace_folder(&self, ours: &BTreeSet<String>) -> Result<(), OutputError> {
        let name = self
            .staging
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let old = new_folder(self.staging.parent().unwrap_or(Path::new(".")), &name)?;
        fs::remove_dir(&old).map_err(at(&old))?;
        fs::rename(&self.target, &old).map_err(at(&self.target))?;
        if let Err(source) = fs::rename(&self.staging, &self.target) {
            let _ = fs::rename(&old, &self.target);
            return Err(at(&self.target)(source));
        }
        remove_files(&old, ours.iter())?;
        fs::remove_dir(&old).map_err(at(&old))
    }

    /// The new files take the place of the old ones, beside what else is there. The manifest comes
    /// first: whatever is there if we are killed in the middle is known to be ours.
    fn replace_files(&self, ours: &BTreeSet<String>) -> Result<(), OutputError> {
        let manifest_first = [MANIFEST]
            .into_iter()
            .chain(self.files.iter().map(String::as_str));
        for file in manifest_first.filter(|file| self.staging.join(file).exists()) {
            let to = self.target.join(file);
            fs::rename(self.staging.join(file), &to).map_err(at(&to))?;
        }
        remove_files(&self.target, ours.difference(&self.files))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut folders = unfinished();
        let _ = fs::remove_dir_all(&self.staging);
        folders.remove(&self.staging);
    }
}

/// Makes a folder of a name that is not taken yet.
fn new_folder(root: &Path, prefix: &str) -> Result<PathBuf, OutputError> {
    let mut number = 1;
    loop {
        let path = root.join(format!("{prefix}-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                number += 1
            }
            Err(source) => return Err(at(root)(source)),
        }
    }
}

/// Makes the directory that was asked for, if it is not there.
fn make_root(root: &Path) -> Result<(), OutputError> {
    use io::ErrorKind::{AlreadyExists, NotADirectory};
    fs::create_dir_all(root).map_err(|error| match error.kind() {
        AlreadyExists | NotADirectory => OutputError::NoDirectory {
            path: root.to_path_buf(),
        },
        _ => at(root)(error),
    })
}

fn is(path: &Path, what: impl Fn(&FileType) -> bool) -> bool {
    path.symlink_metadata()
        .is_ok_and(|found| what(&found.file_type()))
}

fn holds_more_than(folder: &Path, files: &BTreeSet<String>) -> Result<bool, OutputError> {
    let mut entries = fs::read_dir(folder).map_err(at(folder))?;
    let other = |name: &OsStr| !name.to_str().is_some_and(|name| files.contains(name));
    Ok(entries.any(|entry| entry.is_ok_and(|entry| other(&entry.file_name()))))
}

fn remove_files<'a>(
    folder: &Path,
    files: impl Iterator<Item = &'a String>,
) -> Result<(), OutputError> {
    for file in files {
        let path = folder.join(file);
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, files: &[(&str, &str)]) -> Result<Vec<PathBuf>, OutputError> {
        let mut folder = Folder::create(root, name)?;
        for (file, text) in files {
            folder.write(file, text.as_bytes())?;
        }
        folder.publish()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn ordinary_names_are_kept() {
        for name in ["prefetch-10", "Drei Arbeiter (v1.2)", "慢消费者", "été"] {
            assert_eq!(safe_name(name), name);
        }
    }

    #[test]
    fn hostile_names_become_one_plain_folder() {
        for (name, folder) in [
            ("../x", "_x"),
            ("..", "scenario"),
            (".", "scenario"),
            ("", "scenario"),
            ("/etc/passwd", "_etc_passwd"),
            ("C:\\Windows", "C__Windows"),
            ("a\0b\nc", "a_b_c"),
            ("nul", "_nul"),
            ("COM1.txt", "_COM1.txt"),
            ("-rf", "_-rf"),
            (" .hidden. ", "hidden"),
            ("\u{202e}gnp", "_gnp"),
        ] {
            assert_eq!(safe_name(name), folder, "{name:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let one = safe_name(&"é".repeat(10_000));
        let other = safe_name(&format!("{}x", "é".repeat(9_999)));
        assert!(one.len() <= LONGEST_NAME && other.len() <= LONGEST_NAME);
        assert_ne!(one, other);
    }

    #[test]
    fn the_same_name_twice_gives_two_folders() {
        let mut folders = FolderNames::default();
        let claimed = ["a", "A", "b", "a", "a-2"].map(|name| folders.claim(name));
        assert_eq!(claimed, ["a", "A-2", "b", "a-3", "a-2-2"]);
    }

    #[test]
    fn nothing_is_there_before_publish_or_without_it() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = Folder::create(root.path(), "run").unwrap();
        folder.write("metrics.json", b"{}").unwrap();
        assert!(!root.path().join("run").exists());
        drop(folder);
        assert_eq!(names(root.path()), Vec::<String>::new());
    }

    #[test]
    fn a_second_run_replaces_what_the_first_wrote() {
        let root = tempfile::tempdir().unwrap();
        write(
            root.path(),
            "run",
            &[("metrics.json", "1"), ("old.svg", "1")],
        )
        .unwrap();
        let written = write(root.path(), "run", &[("metrics.json", "2")]).unwrap();
        let run = root.path().join("run");
        assert_eq!(written, [run.join("metrics.json")]);
        assert_eq!(names(&run), [MANIFEST, "metrics.json"]);
        assert_eq!(fs::read_to_string(run.join("metrics.json")).unwrap(), "2");
        assert_eq!(names(root.path()), ["run"]);
    }

    #[test]
    fn foreign_files_in_a_result_folder_stay() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        write(root.path(), "run", &[("metrics.json", "1")]).unwrap();
        fs::write(run.join("notes.md"), "mine").unwrap();
        fs::create_dir(run.join("sub")).unwrap();
        write(root.path(), "run", &[("metrics.json", "2")]).unwrap();
        assert_eq!(names(&run), [MANIFEST, "metrics.json", "notes.md", "sub"]);
        assert_eq!(fs::read_to_string(run.join("notes.md")).unwrap(), "mine");
    }

    #[test]
    fn a_foreign_file_in_the_way_is_not_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::write(run.join("metrics.json"), "mine").unwrap();
        let refused = write(root.path(), "run", &[("metrics.json", "2")]);
        assert!(
            matches!(refused, Err(OutputError::Foreign { path }) if path.ends_with("metrics.json"))
        );
        assert_eq!(
            fs::read_to_string(run.join("metrics.json")).unwrap(),
            "mine"
        );
        assert_eq!(names(root.path()), ["run"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_in_the_way_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("run")).unwrap();
        let refused = write(root.path(), "run", &[("metrics.json", "2")]);
        assert!(matches!(refused, Err(OutputError::Foreign { .. })));
        assert_eq!(names(elsewhere.path()), Vec::<String>::new());
    }

    #[test]
    fn a_manifest_cannot_reach_out_of_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::write(root.path().join("precious"), "mine").unwrap();
        fs::write(run.join(MANIFEST), format!("{HEADING}\n../precious\n")).unwrap();
        write(root.path(), "run", &[("metrics.json", "1")]).unwrap();
        assert_eq!(names(root.path()), ["precious", "run"]);
    }

    #[test]
    fn a_directory_that_is_there_already_takes_results_in() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes.md"), "mine").unwrap();
        for (number, file) in ["old.csv", "compare.csv"].iter().enumerate() {
            let mut folder = Folder::at(root.path()).unwrap();
            folder.write(file, number.to_string().as_bytes()).unwrap();
            folder
                .write("compare.json", number.to_string().as_bytes())
                .unwrap();
            folder.publish().unwrap();
        }
        assert_eq!(
            names(root.path()),
            [MANIFEST, "compare.csv", "compare.json", "notes.md"]
        );
        assert_eq!(
            fs::read_to_string(root.path().join("compare.json")).unwrap(),
            "1"
        );
    }

    #[test]
    fn a_directory_that_is_not_there_is_made() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = Folder::at(&root.path().join("a/b")).unwrap();
        folder.write("compare.json", b"{}").unwrap();
        folder.publish().unwrap();
        assert_eq!(names(&root.path().join("a/b")), [MANIFEST, "compare.json"]);
        assert_eq!(names(&root.path().join("a")), ["b"]);
    }
}
