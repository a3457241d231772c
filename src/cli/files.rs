//! The list of written files at the end of a report.

use std::io::{self, Write};
use std::path::{MAIN_SEPARATOR, PathBuf};

use super::format::{WIDTH, printable, wrapped};
use super::terminal::{DIM, paint};

/// Writes the folder, and the names of the files in it.
pub fn write_files(files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
    let Some(folder) = files.first().and_then(|file| file.parent()) else {
        return Ok(());
    };
    let names: Vec<String> = files
        .iter()
        .filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let folder = format!(
        "{}{}",
        printable(&folder.display().to_string()),
        MAIN_SEPARATOR
    );
    writeln!(out, "\n  {folder}")?;
    let names = wrapped(&names.join("  "), WIDTH - 4);
    writeln!(out, "    {}", paint(DIM, &names.join("\n    ")))
}
