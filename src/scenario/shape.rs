//! What a scenario file may contain, as data: one table of keys for each object, next to its
//! reader.
//!
//! The same tables check a file ([`check`]), name the nearest key, find the target of a varied
//! setting ([`super::document`]) and make the JSON Schema ([`super::schema`]), so none of these can
//! drift apart. Checking comes first and covers whatever one value alone can say: type, range,
//! unknown and missing keys. Readers then take values out without looking back, and check what
//! values have to do with each other.

use std::fmt;

use super::json::{Member, Node, Place, Value};
use super::limits;
use super::nearest::nearest;
use super::report::Report;
use super::values::{Fault, parse_duration, parse_number, parse_size, parse_whole};

/// One key of an object.
#[derive(Debug)]
pub struct Field {
    /// As it is written.
    pub key: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What leaving it out means, as JSON; empty where that has no value.
    pub default: &'static str,
    /// One or two sentences for the schema.
    pub about: &'static str,
    /// ActiveMQ has it, and nothing here depends on it.
    pub unused: bool,
}

impl Field {
    /// An optional key without a default value.
    pub const fn new(key: &'static str, kind: Kind, about: &'static str) -> Field {
        Field {
            key,
            kind,
            required: false,
            default: "",
            about,
            unused: false,
        }
    }

    /// A key that is accepted, with a note that says it has no effect.
    pub const fn unused(key: &'static str, about: &'static str) -> Field {
        Field {
            unused: true,
            ..Field::new(key, Kind::Any, about)
        }
    }

    /// It must be there.
    pub const fn required(self) -> Field {
        Field {
            required: true,
            ..self
        }
    }

    /// What leaving it out means, as JSON.
    pub const fn default(self, default: &'static str) -> Field {
        Field { default, ..self }
    }
}

/// What a value may be.
#[derive(Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that names something: not empty, not long, no control characters.
    Name,
    /// A name that can be a folder's.
    FolderName,
    /// `"queue://NAME"`, with options behind a question mark.
    Destination,
    /// A connection URL.
    Url,
    /// `true` or `false`
    Flag,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number.
    Whole {
        /// The smallest.
        least: i64,
        /// The largest.
        most: u64,
    },
    /// A number.
    Number {
        /// It must be greater than this.
        above: f64,
        /// The largest.
        most: f64,
    },
    /// From 0 to 1, both included.
    Chance,
    /// A duration with a unit.
    Duration,
    /// A duration above zero.
    PositiveDuration,
    /// An option of ActiveMQ that is a time: milliseconds, or a duration.
    Millis {
        /// The smallest: 0, or -1 where ActiveMQ gives that a meaning.
        least: i64,
    },
    /// Bytes, or a size with a unit.
    Size {
        /// Smallest number of bytes.
        least: u64,
        /// Largest number of bytes.
        most: u64,
    },
    /// An object with these keys.
    Object(&'static [Field]),
    /// An object with exactly one of these keys.
    OneOf(&'static [Field]),
    /// An object with keys of the user's choice.
    Map(&'static Kind),
    /// An object with these keys, and with others of the user's choice.
    MapBeside {
        /// Optional keys.
        fields: &'static [Field],
        /// Of what the others are.
        others: &'static Kind,
    },
    /// A list.
    List {
        /// Of what.
        of: &'static Kind,
        /// How many at least.
        least: usize,
        /// How many at most.
        most: usize,
    },
    /// The first of these that is of the JSON type found.
    Either(&'static [Kind]),
    /// A kind that is used in several places, or in itself.
    Named(&'static Named),
    /// Anything.
    Any,
}

/// A kind with a name of its own in the schema.
#[derive(Debug)]
pub struct Named {
    /// In the schema's `$defs`.
    pub name: &'static str,
    /// As errors describe it.
    pub about: &'static str,
    /// What it is.
    pub kind: Kind,
}

impl Kind {
    /// Whether a value's JSON type fits, whatever else may be wrong with it.
    fn fits(&self, node: &Node) -> bool {
        match (self, &node.value) {
            (Kind::Any, _) => true,
            (Kind::Named(named), _) => named.kind.fits(node),
            (Kind::Either(kinds), _) => kinds.iter().any(|kind| kind.fits(node)),
            (Kind::Millis { .. } | Kind::Size { .. }, Value::String(_) | Value::Number(_)) => true,
            (Kind::Flag, Value::Bool(_)) => true,
            (Kind::Whole { .. } | Kind::Number { .. } | Kind::Chance, Value::Number(_)) => true,
            (Kind::Object(_) | Kind::OneOf(_), Value::Object(_)) => true,
            (Kind::Map(_) | Kind::MapBeside { .. }, Value::Object(_)) => true,
            (Kind::List { .. }, Value::Array(_)) => true,
            (kind, Value::String(_)) => kind.is_text(),
            _ => false,
        }
    }

    /// Whether a text is none of the choices, and no slip of the finger either.
    fn has_nothing_near(&self, node: &Node) -> bool {
        match (self, &node.value) {
            (Kind::Choice(choices), Value::String(text)) => {
                nearest(text, choices.iter().copied()).is_none()
            }
            _ => false,
        }
    }

    /// Whether it is always written as a JSON string.
    pub fn is_text(&self) -> bool {
        match self {
            Kind::Text | Kind::Name | Kind::FolderName | Kind::Destination | Kind::Url => true,
            Kind::Choice(_) | Kind::Duration | Kind::PositiveDuration => true,
            Kind::Named(named) => named.kind.is_text(),
            _ => false,
        }
    }

    /// The fields of an object, or of one that is among the alternatives.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Kind::Object(fields) | Kind::OneOf(fields) => fields,
            Kind::Either(kinds) => kinds
                .iter()
                .map(Kind::fields)
                .find(|fields| !fields.is_empty())
                .unwrap_or(&[]),
            Kind::Named(named) => named.kind.fields(),
            _ => &[],
        }
    }

    /// Whether an object of this kind has exactly one key.
    pub fn is_one_of(&self) -> bool {
        match self {
            Kind::OneOf(_) => true,
            Kind::Either(kinds) => kinds.iter().any(Kind::is_one_of),
            Kind::Named(named) => named.kind.is_one_of(),
            _ => false,
        }
    }
}

/// As errors describe what was expected.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Text => write!(f, "a string"),
            Kind::Name | Kind::FolderName => write!(f, "a name in double quotes"),
            Kind::Destination => write!(f, "a destination such as \"queue://orders\""),
            Kind::Url => write!(f, "a connection URL such as \"tcp://localhost:61616\""),
            Kind::Flag => write!(f, "true or false"),
            Kind::Choice(choices) => write!(f, "{}", one_of(choices)),
            Kind::Whole { .. } => write!(f, "a whole number"),
            Kind::Number { .. } => write!(f, "a number"),
            Kind::Chance => write!(f, "a number from 0 to 1"),
            Kind::Duration | Kind::PositiveDuration => {
                write!(f, "a duration such as \"250us\" or \"1.5s\"")
            }
            Kind::Millis { .. } => write!(
                f,
                "a number of milliseconds, or a duration such as \"1.5s\""
            ),
            Kind::Size { .. } => write!(f, "a number of bytes, or a size such as \"64kb\""),
            Kind::Object(_) | Kind::Map(_) | Kind::MapBeside { .. } => {
                write!(f, "an object")
            }
            Kind::OneOf(fields) => write!(f, "an object with one of {}", keys(fields)),
            Kind::List { .. } => write!(f, "a list"),
            Kind::Either(kinds) => {
                let kinds: Vec<String> = kinds.iter().map(Kind::to_string).collect();
                write!(f, "{}", kinds.join(", or "))
            }
            Kind::Named(named) => write!(f, "{}", named.about),
            Kind::Any => write!(f, "anything"),
        }
    }
}

fn one_of(choices: &[&str]) -> String {
    let quoted: Vec<String> = choices
        .iter()
        .map(|choice| format!("\"{choice}\""))
        .collect();
    match quoted.as_slice() {
        [only] => only.clone(),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

/// The keys of a table, as a list for a person; without those that do nothing.
pub fn keys(fields: &[Field]) -> String {
    let used = fields
        .iter()
        .filter(|field| !field.unused)
        .map(|field| field.key);
    used.collect::<Vec<_>>().join(", ")
}

/// The way from the root of a file to a value.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Element(usize, &'a Node),
}

impl<'a> Path<'a> {
    /// The whole file.
    pub const ROOT: Path<'static> = Path {
        above: None,
        step: Step::Root,
    };

    fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            above: Some(self),
            step: Step::Key(key),
        }
    }

    fn element(&'a self, number: usize, node: &'a Node) -> Path<'a> {
        Path {
            above: Some(self),
            step: Step::Element(number, node),
        }
    }
}

/// `consumers.worker.failures.0`; elements that have a name go by it.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
            if above.above.is_some() {
                write!(f, ".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => write!(f, "{key}"),
            Step::Element(number, node) => match node.text("name") {
                Some(name) if check_name(name).is_ok() => write!(f, "{name}"),
                _ => write!(f, "{number}"),
            },
        }
    }
}

/// Checks all that a value alone can say, and everything below it.
pub fn check(node: &Node, kind: &Kind, path: &Path, report: &mut Report) {
    match (kind, &node.value) {
        (Kind::Any, _) => {}
        (Kind::Named(named), _) if !kind.fits(node) => wrong_type(node, named.about, path, report),
        (Kind::Named(named), _) => check(node, &named.kind, path, report),
        (Kind::Either(kinds), _) => match kinds.iter().find(|kind| kind.fits(node)) {
            Some(choice @ Kind::Choice(_)) if choice.has_nothing_near(node) => {
                wrong_type(node, &kind.to_string(), path, report);
            }
            Some(kind) => check(node, kind, path, report),
            None => wrong_type(node, &kind.to_string(), path, report),
        },
        _ if !kind.fits(node) => wrong_type(node, &kind.to_string(), path, report),
        (Kind::Object(fields), _) => check_object(node, fields, path, report),
        (Kind::OneOf(fields), _) => check_one_of(node, fields, path, report),
        (Kind::Map(of), _) => {
            for member in node.members() {
                check(&member.node, of, &path.key(&member.key), report);
            }
        }
        (Kind::MapBeside { fields, others }, _) => {
            for member in node.members() {
                check_beside(member, fields, others, path, report);
            }
        }
        (Kind::List { of, least, most }, _) => check_list(node, of, (*least, *most), path, report),
        (_, Value::Number(text)) => tell(check_number(text, kind), node, path, report),
        (_, Value::String(text)) => tell(check_text(text, kind), node, path, report),
        _ => {}
    }
}

fn tell(result: Result<(), Fault>, node: &Node, path: &Path, report: &mut Report) {
    if let Err(fault) = result {
        report.error_with(
            node.place,
            format!("`{path}` {}", fault.message),
            fault.help,
        );
    }
}

fn wrong_type(node: &Node, expected: &str, path: &Path, report: &mut Report) {
    let subject = match path.step {
        Step::Root => "a scenario".to_owned(),
        _ => format!("`{path}`"),
    };
    let message = format!("{subject} must be {expected}, but is {}", node.kind());
    let help = match &node.value {
        Value::Null => Some("leave the key out instead".to_owned()),
        Value::Number(text) if expected.starts_with("a duration") => {
            Some(format!("durations have a unit: did you mean \"{text}ms\"?"))
        }
        Value::String(text) if expected == "true or false" => {
            matches!(text.as_str(), "true" | "false")
                .then(|| format!("write {text} without quotes"))
        }
        Value::String(text) if expected.ends_with("number") => text
            .parse::<f64>()
            .is_ok()
            .then(|| format!("write {text} without quotes")),
        _ => None,
    };
    report.error_with(node.place, message, help);
}

fn check_object(node: &Node, fields: &[Field], path: &Path, report: &mut Report) {
    let mut meant = Vec::new();
    for member in node.members() {
        match fields.iter().find(|field| field.key == member.key) {
            None => {
                let near = nearest(&member.key, fields.iter().map(|field| field.key));
                unknown_key(&member.key, member.key_place, near, fields, path, report);
                meant.extend(near);
            }
            Some(field) if field.unused => {
                let message = format!("`{}` has no effect here: {}", field.key, field.about);
                report.note(member.key_place, message);
            }
            Some(field) => check(&member.node, &field.kind, &path.key(field.key), report),
        }
    }
    let required = fields.iter().filter(|field| field.required);
    for field in required.filter(|it| node.get(it.key).is_none() && !meant.contains(&it.key)) {
        let message = match path.step {
            Step::Root => format!("`{}` is missing", field.key),
            _ => format!("`{}` is missing in `{path}`", field.key),
        };
        report.error_with(opening(node), message, [format!("it is {}", field.kind)]);
    }
}

/// A key that is nearly one of the fields, and holds an object that would be wrong for any other
/// key, is a slip.
fn check_beside(
    member: &Member,
    fields: &[Field],
    others: &Kind,
    path: &Path,
    report: &mut Report,
) {
    let field = fields.iter().find(|field| field.key == member.key);
    let kind = field.map_or(others, |field| &field.kind);
    let near = nearest(&member.key, fields.iter().map(|field| field.key));
    let holds_objects = |node: &Node| {
        let mut below = node.members().iter();
        below.any(|member| matches!(member.node.value, Value::Object(_)))
    };
    if field.is_none() && near.is_some() && holds_objects(&member.node) {
        unknown_key(&member.key, member.key_place, near, fields, path, report);
    } else {
        check(&member.node, kind, &path.key(&member.key), report);
    }
}

fn check_one_of(node: &Node, fields: &[Field], path: &Path, report: &mut Report) {
    check_object(node, fields, path, report);
    if node.members().len() != 1 {
        let message = format!("`{path}` must have exactly one key");
        report.error_with(opening(node), message, [format!("one of {}", keys(fields))]);
    }
}

/// The bracket with which an object or list begins.
pub fn opening(node: &Node) -> Place {
    Place {
        end: node.place.end.min(node.place.start + 1),
        ..node.place
    }
}

fn unknown_key(
    key: &str,
    place: Place,
    near: Option<&str>,
    fields: &[Field],
    path: &Path,
    report: &mut Report,
) {
    let message = match path.step {
        Step::Root => format!("unknown key `{key}`"),
        _ => format!("unknown key `{key}` in `{path}`"),
    };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known keys are {}", keys(fields)),
    };
    report.error_with(place, message, [help]);
}

fn check_list(
    node: &Node,
    of: &Kind,
    (least, most): (usize, usize),
    path: &Path,
    report: &mut Report,
) {
    let elements = node.elements();
    if elements.len() < least {
        report.error(node.place, format!("`{path}` must not be empty"));
    }
    if elements.len() > most {
        let message = format!("`{path}` has {} elements, more than {most}", elements.len());
        report.error(opening(node), message);
    }
    for (number, element) in elements.iter().enumerate().take(most) {
        check(element, of, &path.element(number, element), report);
    }
}

fn check_number(text: &str, kind: &Kind) -> Result<(), Fault> {
    match *kind {
        Kind::Whole { least, most } => between(parse_whole(text)?, least.into(), most.into()),
        Kind::Millis { least } => between(
            parse_whole(text)?,
            least.into(),
            limits::MILLISECONDS.into(),
        ),
        Kind::Size { least, most } => between(parse_whole(text)?, least.into(), most.into()),
        Kind::Number { above, most } => match parse_number(text)? {
            value if value <= above => Err(Fault::new(format!("must be above {above}"))),
            value if value > most => Err(Fault::new(format!("must be at most {most}"))),
            _ => Ok(()),
        },
        Kind::Chance => match parse_number(text)? {
            value if (0.0..=1.0).contains(&value) => Ok(()),
            _ => Err(Fault::new("must be a chance from 0 to 1")),
        },
        _ => Ok(()),
    }
}

/// Whether a whole number is in its range.
///
/// # Errors
/// Says which bound is broken.
pub fn between(value: i128, least: i128, most: i128) -> Result<(), Fault> {
    if value < least && least == 0 {
        Err(Fault::new("must not be negative"))
    } else if value < least {
        Err(Fault::new(format!("must be at least {least}")))
    } else if value > most {
        Err(Fault::new(format!("must be at most {most}")))
    } else {
        Ok(())
    }
}

fn check_text(text: &str, kind: &Kind) -> Result<(), Fault> {
    match *kind {
        Kind::Name => check_name(text),
        Kind::FolderName => check_name(text).and_then(|()| check_folder_name(text)),
        Kind::Choice(choices) if !choices.contains(&text) => Err(Fault {
            message: format!("must be {}, but is \"{text}\"", one_of(choices)),
            help: nearest(text, choices.iter().copied())
                .map(|choice| format!("did you mean \"{choice}\"?")),
        }),
        Kind::Duration => parse_duration(text).map(|_| ()),
        Kind::PositiveDuration => match parse_duration(text)?.0 {
            0 => Err(Fault::new("must be longer than zero")),
            _ => Ok(()),
        },
        Kind::Millis { .. } => match parse_duration(text)?.0 {
            nanos if nanos % 1_000_000 == 0 => Ok(()),
            _ => Err(Fault::new(
                "must be whole milliseconds: ActiveMQ has nothing finer",
            )),
        },
        Kind::Size { least, most } => between(parse_size(text)?.into(), least.into(), most.into()),
        _ => Ok(()),
    }
}

fn check_name(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        Err(Fault::new("must not be empty"))
    } else if text.len() > limits::NAME_BYTES {
        Err(Fault::new(format!(
            "is longer than {} bytes",
            limits::NAME_BYTES
        )))
    } else if text.chars().any(char::is_control) {
        Err(Fault::new("must not contain control characters"))
    } else {
        Ok(())
    }
}

fn check_folder_name(text: &str) -> Result<(), Fault> {
    let reserved = text.contains(['/', '\\', ':']) || text.starts_with('.');
    let help = "it names the output folder: no `/`, `\\` or `:`, and no `.` in front";
    match reserved {
        true => Err(Fault {
            message: "cannot name a folder".to_owned(),
            help: Some(help.to_owned()),
        }),
        false => Ok(()),
    }
}
