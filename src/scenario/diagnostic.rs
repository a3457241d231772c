//! What a person is told about a scenario file: where, what, what was expected, and the nearest
//! thing that exists.
//!
//! ```text
//! orders.json:12:7: unknown key `prefetchsize` in consumers.0
//!    |
//! 12 |       "prefetchsize": 10
//!    |       ^^^^^^^^^^^^^^
//!    = did you mean `prefetchSize`?
//! ```

use std::fmt;
use std::sync::OnceLock;

use super::json::Place;
use super::limits;

/// A text to read a scenario from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As shown in errors: a path, or what stands for it.
    pub name: String,
    /// JSON.
    pub text: String,
}

/// A source that knows where its lines begin, once somebody has asked.
#[derive(Debug)]
pub struct Text {
    /// Name and text.
    pub source: Source,
    lines: OnceLock<Vec<u32>>,
}

impl Text {
    /// Takes over a source.
    pub fn new(source: Source) -> Text {
        Text {
            source,
            lines: OnceLock::new(),
        }
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self
                .source
                .text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(breaks.map(|(at, _)| at as u32 + 1))
                .collect()
        })
    }

    /// Line and column from 1; columns count characters.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.lines().partition_point(|start| *start <= offset);
        let start = self.lines()[line - 1] as usize;
        let before = self.source.text.get(start..offset as usize).unwrap_or("");
        (line as u32, before.chars().count() as u32 + 1)
    }

    fn line(&self, number: u32) -> &str {
        let start = self.lines()[number as usize - 1] as usize;
        let rest = &self.source.text[start..];
        let line = rest.split('\n').next().unwrap_or("");
        line.strip_suffix('\r').unwrap_or(line)
    }
}

/// One error of a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Name of the source.
    pub file: String,
    /// From 1; 0 where the error is about the file as a whole.
    pub line: u32,
    /// In characters, from 1; 0 where the error is about the file as a whole.
    pub column: u32,
    /// What is wrong, in one line.
    pub message: String,
    /// What would be right, each in one line.
    pub help: Vec<String>,
    excerpt: Option<Excerpt>,
}

/// A piece of the line at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    indent: usize,
    underlined: usize,
}

impl Diagnostic {
    /// About a file as a whole: it is missing, or no text.
    pub fn of_file(file: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            file: printable(file),
            line: 0,
            column: 0,
            message: told(&message.into()),
            help: Vec::new(),
            excerpt: None,
        }
    }

    /// About these bytes of a text.
    pub fn at(text: &Text, place: Place, message: impl Into<String>) -> Diagnostic {
        let (line, column) = text.position(place.start);
        let width = width_in_line(text, place);
        Diagnostic {
            line,
            column,
            excerpt: Some(Excerpt::new(text.line(line), column as usize - 1, width)),
            ..Diagnostic::of_file(&text.source.name, message)
        }
    }

    /// With one more line of help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(told(&help.into()));
        self
    }
}

/// Characters of a place up to the end of its first line, at least one.
fn width_in_line(text: &Text, place: Place) -> usize {
    let (start, end) = (place.start as usize, place.end as usize);
    let bytes = text.source.text.get(start..end).unwrap_or("");
    bytes.lines().next().unwrap_or("").chars().count().max(1)
}

/// Longest line that is shown whole; of a longer one, a window about the fault.
const SHOWN: usize = 100;

impl Excerpt {
    fn new(line: &str, column: usize, width: usize) -> Excerpt {
        let length = line.chars().count();
        let middle = column.saturating_sub(SHOWN / 2);
        let from = middle.min(length.saturating_sub(SHOWN));
        let mark = |cut: bool| if cut { "…" } else { "" };
        let shown: String = line.chars().skip(from).take(SHOWN).map(visible).collect();
        let rest = length.saturating_sub(from + SHOWN) > 0;
        let before: usize = shown.chars().take(column - from).map(columns_of).sum();
        let under = shown
            .chars()
            .skip(column - from)
            .take(width)
            .map(columns_of)
            .sum();
        Excerpt {
            line: format!("{}{shown}{}", mark(from > 0), mark(rest)),
            indent: before + usize::from(from > 0),
            underlined: std::cmp::max(under, 1),
        }
    }
}

/// What a terminal would act on is shown as a placeholder.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    }
}

/// A message without control characters: names from a file reach the terminal through it.
pub fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// Longest message that is told whole: far above what names and numbers of a sensible file need.
const TOLD: usize = 500;

fn told(message: &str) -> String {
    match message.char_indices().nth(TOLD) {
        None => printable(message),
        Some((end, _)) => printable(&message[..end]) + "…",
    }
}

/// Columns of a terminal: two for East Asian wide characters.
fn columns_of(c: char) -> usize {
    let wide = matches!(c as u32,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD);
    1 + usize::from(wide)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(excerpt) = &self.excerpt else {
            write!(f, "{}: {}", self.file, self.message)?;
            return self
                .help
                .iter()
                .try_for_each(|help| write!(f, "\n  = {help}"));
        };
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let (space, carets) = (" ".repeat(excerpt.indent), "^".repeat(excerpt.underlined));
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        write!(
            f,
            "\n{gutter} |\n{number} | {}\n{gutter} | {space}{carets}",
            excerpt.line
        )?;
        self.help
            .iter()
            .try_for_each(|help| write!(f, "\n{gutter} = {help}"))
    }
}

/// All that is wrong with a file, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    /// At most [`limits::ERRORS`].
    pub list: Vec<Diagnostic>,
}

impl Errors {
    /// How many are printed; the rest is counted.
    const PRINTED: usize = 5;
}

impl From<Diagnostic> for Errors {
    fn from(diagnostic: Diagnostic) -> Errors {
        Errors {
            list: vec![diagnostic],
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.list.len().min(Self::PRINTED);
        for (number, diagnostic) in self.list[..shown].iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n\n" };
            write!(f, "{separator}{diagnostic}")?;
        }
        match self.list.len() - shown {
            0 => Ok(()),
            more if self.list.len() == limits::ERRORS => {
                write!(f, "\n\n{more} or more further errors")
            }
            1 => write!(f, "\n\n1 more error"),
            more => write!(f, "\n\n{more} more errors"),
        }
    }
}

impl std::error::Error for Errors {}

/// Something to know about a scenario that runs all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Name of the source.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// Probably a mistake; else something that ActiveMQ has and that changes nothing here.
    pub warning: bool,
    /// One line.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "note" };
        let Note {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {kind}: {message}")
    }
}
