//! A parsed file on which settings can be laid: what a comparison varies.
//!
//! ```text
//! worker.prefetchSize                        a field of a consumer
//! *.processing.exponential.mean              of all consumers that can have it
//! worker.jms.optimizeAcknowledge             an ActiveMQ option, whatever the URLs say
//! network.latency    seed                    a field of a chapter, or of the top level
//! worker.failures.0.crash.afterDeliveries    elements of a list go by number
//! broker.policies.queue://orders.maxPageSize names with dots are found all the same
//! consumers.worker.start    producers.0.size spelt out, where a consumer and a producer have one name
//! ```

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Errors, Source, Text};
use super::json::{Member, Node, Place, Value, parse};
use super::nearest::nearest;
use super::options::{ActiveMqOption, CONSUMER, JMS, PRODUCER};
use super::shape::{Field, Kind};
use super::values::Fault;
use super::{consumer, file, producer};

/// A parsed scenario file, with settings laid over it.
#[derive(Clone, Debug)]
pub struct Document {
    texts: Vec<Arc<Text>>,
    fallback_name: String,
    root: Node,
    overrides: Vec<Override>,
}

/// An ActiveMQ option that is laid over what the URLs say.
#[derive(Clone, Debug)]
pub struct Override {
    /// Whose option.
    pub target: Target,
    /// Which.
    pub option: &'static ActiveMqOption,
    /// As it was given.
    pub text: String,
    /// Where it was given.
    pub place: Place,
}

/// Whose option is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The broker's URL: defaults of all clients.
    Broker,
    /// An entry of `consumers`, from 0.
    Consumer(usize),
    /// An entry of `producers`, from 0.
    Producer(usize),
}

/// What a path points at.
pub enum Found {
    /// Values of the file: the way to each, which may not be there yet.
    Fields(Vec<Vec<Step>>),
    /// Options.
    Options(&'static ActiveMqOption, Vec<Target>),
}

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an object that has exactly one key.
    OnlyKey(String),
    /// Into a list.
    Element(usize),
}

impl Document {
    /// Parses a file.
    ///
    /// # Errors
    /// Where it is not JSON.
    pub fn parse(source: &Source, fallback_name: &str) -> Result<Document, Errors> {
        let text = Arc::new(Text::new(source.clone()));
        match parse(&source.text, 0) {
            Ok(root) => Ok(Document {
                texts: vec![text],
                fallback_name: fallback_name.to_owned(),
                root,
                overrides: Vec::new(),
            }),
            Err(error) => {
                let diagnostic = Diagnostic::at(&text, error.place, error.message);
                Err(error
                    .help
                    .into_iter()
                    .fold(diagnostic, Diagnostic::with_help)
                    .into())
            }
        }
    }

    /// The texts that places point into.
    pub(super) fn texts(&self) -> &[Arc<Text>] {
        &self.texts
    }

    /// The whole file.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// The name of a scenario that has none.
    pub(super) fn fallback_name(&self) -> &str {
        &self.fallback_name
    }

    /// Options laid over the URLs, in the order in which they were set.
    pub(super) fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// A copy in which the value at a path is another. The value is JSON, or bare text. Whether it
    /// is a good one is found out when the copy is resolved.
    ///
    /// # Errors
    /// Where the path does not exist.
    pub fn set(&self, path: &str, value: &str) -> Result<Document, Errors> {
        let number = self.texts.len() as u32;
        let text = format!("{path}={value}");
        let source = Source {
            name: "setting".to_owned(),
            text,
        };
        let start = path.len() as u32 + 1;
        let place = Place {
            text: number,
            start,
            end: start + value.len() as u32,
        };
        let mut copy = self.clone();
        copy.texts.push(Arc::new(Text::new(source)));
        match self.find(path) {
            Err(fault) => return Err(copy.path_error(path, place, fault)),
            Ok(Found::Options(option, targets)) => {
                let text = value.to_owned();
                let overrides = targets.into_iter().map(|target| Override {
                    target,
                    option,
                    text: text.clone(),
                    place,
                });
                copy.overrides.extend(overrides);
            }
            Ok(Found::Fields(ways)) => {
                for way in ways {
                    let text_only = leaf_kind(&way).is_some_and(Kind::is_text);
                    put(&mut copy.root, &way, node_of(value, place, text_only));
                }
            }
        }
        Ok(copy)
    }

    fn path_error(&self, path: &str, value: Place, fault: Fault) -> Errors {
        let place = Place {
            start: 0,
            end: path.len().max(1) as u32,
            ..value
        };
        let text = &self.texts[value.text as usize];
        let diagnostic = Diagnostic::at(text, place, fault.message);
        fault
            .help
            .into_iter()
            .fold(diagnostic, Diagnostic::with_help)
            .into()
    }

    /// What a path points at.
    ///
    /// # Errors
    /// Where it points at nothing; names the nearest.
    pub(super) fn find(&self, path: &str) -> Result<Found, Fault> {
        if let Some(rest) = path.strip_prefix("*.") {
            return self.find_in_all(rest);
        }
        let (head, rest) = split(path);
        if let Some(rest) = rest.filter(|_| head == "broker")
            && let Some(option) = find_option(rest, &[JMS])?
        {
            return Ok(Found::Options(option, vec![Target::Broker]));
        }
        if matches!(head, "consumers" | "producers") {
            return self.find_spelt_out(head, rest.unwrap_or(""));
        }
        if file::FILE.fields().iter().any(|field| field.key == head) {
            return find_at_top(&self.root, path);
        }
        self.find_client(path)
    }

    fn clients(&self, chapter: Chapter) -> Vec<String> {
        let mut before = 0;
        let name = |(number, node): (usize, &Node)| match chapter {
            Chapter::Producers => producer::name_of(node, number),
            Chapter::Consumers => {
                let name = consumer::name_of(node, before);
                before += node.whole("count").unwrap_or(1u64);
                name
            }
        };
        self.root
            .list(chapter.key())
            .iter()
            .enumerate()
            .map(name)
            .collect()
    }

    /// `consumers.NAME.…`, `producers.3.…`, `consumers.*.…`
    fn find_spelt_out(&self, head: &str, rest: &str) -> Result<Found, Fault> {
        let chapter = if head == "consumers" {
            Chapter::Consumers
        } else {
            Chapter::Producers
        };
        let names = self.clients(chapter);
        let (first, behind) = split(rest);
        if let (true, Some(behind)) = (first == "*", behind) {
            return self.find_where_possible(chapter, names.len(), behind);
        }
        if let Some((number, behind)) = longest_name(&names, rest) {
            return self.find_in_entries(chapter, number..number + 1, behind);
        }
        match (first.parse::<usize>(), behind) {
            (Ok(number), Some(behind)) if number < names.len() => {
                self.find_in_entries(chapter, number..number + 1, behind)
            }
            _ => Err(no_such_name(
                first,
                &names,
                &format!("nothing in `{head}` is"),
            )),
        }
    }

    /// `NAME.…`
    fn find_client(&self, path: &str) -> Result<Found, Fault> {
        let chapters = [Chapter::Consumers, Chapter::Producers];
        let names = chapters.map(|chapter| self.clients(chapter));
        let found = [0, 1].map(|i| longest_name(&names[i], path));
        let [consumer, producer] =
            found.map(|found| found.map(|(number, rest)| (number..number + 1, rest)));
        match (consumer, producer) {
            (Some((number, rest)), None) => self.find_in_entries(Chapter::Consumers, number, rest),
            (None, Some((number, rest))) => self.find_in_entries(Chapter::Producers, number, rest),
            (Some((consumer, rest)), Some((producer, _))) => {
                let as_consumer = self.find_in_entries(Chapter::Consumers, consumer, rest);
                let as_producer = self.find_in_entries(Chapter::Producers, producer, rest);
                match (as_consumer, as_producer) {
                    (Ok(_), Ok(_)) => Err(Fault {
                        message: "there is a consumer and a producer of this name".to_owned(),
                        help: Some(format!("write consumers.{path} or producers.{path}")),
                    }),
                    (Err(_), Ok(found)) => Ok(found),
                    (found, Err(_)) => found,
                }
            }
            (None, None) => Err(self.no_such_client(path, &names)),
        }
    }

    fn no_such_client(&self, path: &str, names: &[Vec<String>; 2]) -> Fault {
        let (head, rest) = split(path);
        let is_copy = |name: &&String| {
            let number = head
                .strip_prefix(name.as_str())
                .and_then(|rest| rest.strip_prefix('-'));
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        if let Some(name) = names[0].iter().find(is_copy) {
            let rest = rest.map_or(String::new(), |rest| format!(".{rest}"));
            return Fault {
                message: format!("`{head}` is one of several alike, which change together"),
                help: Some(format!("write {name}{rest}")),
            };
        }
        let top = file::FILE.fields().iter().map(|field| field.key.to_owned());
        let all: Vec<String> = names.concat().into_iter().chain(top).collect();
        no_such_name(head, &all, "no consumer, producer or chapter is")
    }

    fn find_in_all(&self, rest: &str) -> Result<Found, Fault> {
        let chapters = [Chapter::Consumers, Chapter::Producers];
        let found = chapters.map(|chapter| {
            let count = self.root.list(chapter.key()).len();
            self.find_where_possible(chapter, count, rest)
        });
        match found {
            [Ok(Found::Fields(mut ways)), Ok(Found::Fields(more))] => {
                ways.extend(more);
                Ok(Found::Fields(ways))
            }
            [
                Ok(Found::Options(option, mut targets)),
                Ok(Found::Options(_, more)),
            ] => {
                targets.extend(more);
                Ok(Found::Options(option, targets))
            }
            [Ok(found), _] | [Err(_), Ok(found)] => Ok(found),
            [Err(fault), Err(_)] => Err(fault),
        }
    }

    /// In all entries of a chapter that can have it.
    fn find_where_possible(
        &self,
        chapter: Chapter,
        count: usize,
        rest: &str,
    ) -> Result<Found, Fault> {
        if find_option(chapter.option_name(rest), &chapter.options())?.is_some() {
            return self.find_in_entries(chapter, 0..count, rest);
        }
        let each = (0..count).map(|number| self.find_in_entries(chapter, number..number + 1, rest));
        let mut ways = Vec::new();
        let mut first_fault = None;
        for found in each {
            match found {
                Ok(Found::Fields(found)) => ways.extend(found),
                Ok(Found::Options(..)) => {}
                Err(fault) => first_fault = first_fault.or(Some(fault)),
            }
        }
        match (ways.is_empty(), first_fault) {
            (false, _) => Ok(Found::Fields(ways)),
            (true, Some(fault)) => Err(fault),
            (true, None) => Err(Fault::new(format!("there are no {}", chapter.key()))),
        }
    }

    fn find_in_entries(
        &self,
        chapter: Chapter,
        numbers: std::ops::Range<usize>,
        rest: &str,
    ) -> Result<Found, Fault> {
        if let Some(option) = find_option(chapter.option_name(rest), &chapter.options())? {
            let target = |number| chapter.target(number);
            return Ok(Found::Options(option, numbers.map(target).collect()));
        }
        let nodes = self.root.list(chapter.key());
        let mut ways = Vec::new();
        for number in numbers {
            let mut way = vec![Step::Key(chapter.key().to_owned()), Step::Element(number)];
            find_field(Some(&nodes[number]), &chapter.kind(), rest, &mut way)?;
            ways.push(way);
        }
        Ok(Found::Fields(ways))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chapter {
    Consumers,
    Producers,
}

impl Chapter {
    fn key(self) -> &'static str {
        match self {
            Chapter::Consumers => "consumers",
            Chapter::Producers => "producers",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Chapter::Consumers => Kind::Object(consumer::FIELDS),
            Chapter::Producers => Kind::Object(producer::FIELDS),
        }
    }

    fn options(self) -> [&'static [ActiveMqOption]; 2] {
        match self {
            Chapter::Consumers => [JMS, CONSUMER],
            Chapter::Producers => [JMS, PRODUCER],
        }
    }

    /// `prefetchSize` is a shorthand, and varying it must win over the destination as well.
    fn option_name(self, path: &str) -> &str {
        match (self, path) {
            (Chapter::Consumers, "prefetchSize") => "consumer.prefetchSize",
            _ => path,
        }
    }

    fn target(self, number: usize) -> Target {
        match self {
            Chapter::Consumers => Target::Consumer(number),
            Chapter::Producers => Target::Producer(number),
        }
    }
}

/// The first segment of a path, and what follows its dot.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.')
        .map_or((path, None), |(head, rest)| (head, Some(rest)))
}

/// The longest of these names that the path begins with, and what follows. Names may have dots.
fn longest_name<'a>(names: &[String], path: &'a str) -> Option<(usize, &'a str)> {
    let begins = |(number, name): (usize, &String)| {
        let rest = path.strip_prefix(name.as_str())?.strip_prefix('.')?;
        Some((number, rest))
    };
    names
        .iter()
        .enumerate()
        .filter_map(begins)
        .min_by_key(|(_, rest)| rest.len())
}

fn no_such_name(name: &str, names: &[String], nothing: &str) -> Fault {
    let near = nearest(name, names.iter().map(String::as_str));
    Fault {
        message: format!("{nothing} named `{name}`"),
        help: match near {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => (!names.is_empty() && names.len() <= 20)
                .then(|| format!("known are {}", names.join(", "))),
        },
    }
}

/// An option by its full name; None where the path is not meant as one.
fn find_option(
    path: &str,
    tables: &[&'static [ActiveMqOption]],
) -> Result<Option<&'static ActiveMqOption>, Fault> {
    let all = || tables.iter().flat_map(|table| table.iter());
    let Some(prefix) = all()
        .map(ActiveMqOption::prefix)
        .find(|prefix| path.starts_with(prefix))
    else {
        return Ok(None);
    };
    let found = all().find(|option| option.name == path);
    let near = || nearest(path, all().map(|option| option.name).collect::<Vec<_>>());
    found.map(Some).ok_or_else(|| Fault {
        message: format!("ActiveMQ has no option `{path}`"),
        help: match near() {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => Some(format!("options here begin with `{prefix}`")),
        },
    })
}

/// A field outside of consumers and producers.
fn find_at_top(root: &Node, path: &str) -> Result<Found, Fault> {
    const FIXED: [&str; 6] = [
        "$schema",
        "name",
        "description",
        "expect",
        "reference",
        "compare",
    ];
    let (head, _) = split(path);
    if FIXED.contains(&head) {
        return Err(Fault::new(format!("`{head}` changes nothing in a run")));
    }
    let mut way = Vec::new();
    find_field(Some(root), &file::FILE, path, &mut way)?;
    Ok(Found::Fields(vec![way]))
}

/// Follows a path through the tables of keys, and through the file as far as it goes.
fn find_field(
    node: Option<&Node>,
    kind: &Kind,
    path: &str,
    way: &mut Vec<Step>,
) -> Result<(), Fault> {
    match kind {
        Kind::Named(named) => find_field(node, &named.kind, path, way),
        Kind::List { of, .. } => find_element(node, of, path, way),
        Kind::Map(of) => find_entry(node, of, path, way),
        Kind::Either(kinds) => {
            let has_parts =
                |kind: &&Kind| !kind.fields().is_empty() || matches!(kind, Kind::List { .. });
            match kinds.iter().find(has_parts) {
                Some(kind) => find_field(node, kind, path, way),
                None => Err(no_parts(path)),
            }
        }
        Kind::Object(fields) | Kind::OneOf(fields) => {
            let (key, rest) = split(path);
            let field = find_key(fields, key)?;
            let key = field.key.to_owned();
            way.push(if kind.is_one_of() {
                Step::OnlyKey(key)
            } else {
                Step::Key(key)
            });
            let below = node.and_then(|node| node.get(field.key));
            rest.map_or(Ok(()), |rest| find_field(below, &field.kind, rest, way))
        }
        _ => Err(no_parts(path)),
    }
}

fn no_parts(path: &str) -> Fault {
    Fault::new(format!("there is nothing below this to be called `{path}`"))
}

fn find_key(fields: &'static [Field], key: &str) -> Result<&'static Field, Fault> {
    fields
        .iter()
        .find(|field| field.key == key && !field.unused)
        .ok_or_else(|| {
            let known: Vec<&str> = fields
                .iter()
                .filter(|it| !it.unused)
                .map(|it| it.key)
                .collect();
            Fault {
                message: format!("there is no field `{key}`"),
                help: Some(match nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", known.join(", ")),
                }),
            }
        })
}

fn find_element(
    node: Option<&Node>,
    of: &Kind,
    path: &str,
    way: &mut Vec<Step>,
) -> Result<(), Fault> {
    let (head, rest) = split(path);
    let elements = node.map_or(&[][..], Node::elements);
    let number = head
        .parse::<usize>()
        .ok()
        .filter(|number| *number < elements.len());
    let Some(number) = number else {
        let message = match elements.len() {
            0 => "this list is empty".to_owned(),
            1 => "this list has one element, 0".to_owned(),
            length => format!("this list has the elements 0 to {}", length - 1),
        };
        return Err(Fault::new(message));
    };
    way.push(Step::Element(number));
    rest.map_or(Ok(()), |rest| {
        find_field(Some(&elements[number]), of, rest, way)
    })
}

/// An entry of an object whose keys are free, and may have dots.
fn find_entry(
    node: Option<&Node>,
    of: &Kind,
    path: &str,
    way: &mut Vec<Step>,
) -> Result<(), Fault> {
    let keys: Vec<String> = node
        .map_or(&[][..], Node::members)
        .iter()
        .map(|member| member.key.clone())
        .collect();
    if let Some((number, rest)) = longest_name(&keys, path) {
        way.push(Step::Key(keys[number].clone()));
        return find_field(node.and_then(|node| node.get(&keys[number])), of, rest, way);
    }
    // A new entry: its key ends where a known field begins.
    let dots = path.match_indices('.').map(|(at, _)| at);
    let is_field = |at: &usize| {
        let (key, _) = split(&path[at + 1..]);
        of.fields().iter().any(|field| field.key == key)
    };
    match dots.into_iter().find(is_field) {
        Some(at) => {
            way.push(Step::Key(path[..at].to_owned()));
            find_field(None, of, &path[at + 1..], way)
        }
        None => {
            let (_, last) = path.rsplit_once('.').unwrap_or(("", path));
            Err(find_key(of.fields(), last)
                .err()
                .unwrap_or_else(|| no_parts(path)))
        }
    }
}

/// The kind of the value at the end of a way.
fn leaf_kind(way: &[Step]) -> Option<&'static Kind> {
    way.iter()
        .try_fold(&file::FILE, |kind, step| step_into(kind, step))
}

fn step_into(kind: &'static Kind, step: &Step) -> Option<&'static Kind> {
    match (kind, step) {
        (Kind::Named(named), _) => step_into(&named.kind, step),
        (Kind::Either(kinds), _) => kinds.iter().find_map(|kind| step_into(kind, step)),
        (Kind::List { of, .. }, Step::Element(_)) => Some(of),
        (Kind::Map(of), Step::Key(_)) => Some(of),
        (Kind::Object(fields) | Kind::OneOf(fields), Step::Key(key) | Step::OnlyKey(key)) => fields
            .iter()
            .find(|field| field.key == key)
            .map(|field| &field.kind),
        _ => None,
    }
}

/// A value given as text: JSON where it can be, and where the field is not a text anyway.
fn node_of(value: &str, place: Place, text_only: bool) -> Node {
    let is_quoted = value.trim_start().starts_with('"');
    let parsed = parse(value, place.text)
        .ok()
        .filter(|_| is_quoted || !text_only);
    match parsed {
        Some(node) => shifted(node, place.start),
        None => Node {
            place,
            value: Value::String(value.to_owned()),
        },
    }
}

/// Moves all places: the value stands behind its path.
fn shifted(mut node: Node, by: u32) -> Node {
    let shift = |place: Place| Place {
        start: place.start + by,
        end: place.end + by,
        ..place
    };
    node.place = shift(node.place);
    node.value = match node.value {
        Value::Array(elements) => Value::Array(
            elements
                .into_iter()
                .map(|element| shifted(element, by))
                .collect(),
        ),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|member| Member {
                    key_place: shift(member.key_place),
                    node: shifted(member.node, by),
                    ..member
                })
                .collect(),
        ),
        other => other,
    };
    node
}

/// Puts a value where a way leads, and makes the objects on the way that are not there.
fn put(node: &mut Node, way: &[Step], value: Node) {
    let Some((step, rest)) = way.split_first() else {
        *node = value;
        return;
    };
    match step {
        Step::Element(number) => {
            if let Value::Array(elements) = &mut node.value
                && let Some(element) = elements.get_mut(*number)
            {
                put(element, rest, value);
            }
        }
        Step::Key(key) | Step::OnlyKey(key) => {
            if !matches!(node.value, Value::Object(_)) {
                *node = Node {
                    place: value.place,
                    value: Value::Object(Vec::new()),
                };
            }
            let Value::Object(members) = &mut node.value else {
                return;
            };
            if matches!(step, Step::OnlyKey(_)) {
                members.retain(|member| member.key == *key);
            }
            let number = members.iter().position(|member| member.key == *key);
            let number = number.unwrap_or_else(|| {
                let node = Node {
                    place: value.place,
                    value: Value::Null,
                };
                members.push(Member {
                    key: key.clone(),
                    key_place: value.place,
                    node,
                });
                members.len() - 1
            });
            put(&mut members[number].node, rest, value);
        }
    }
}
