//! A small strict JSON parser that remembers where everything stands.
//!
//! Libraries forget positions once a value is built, and a scenario's errors are mostly found long
//! after parsing: a wrong unit, a session that two consumers see differently. So every value and
//! every key keeps the bytes that it came from. Numbers keep their text, because no one type holds
//! both 2^63 and 0.1.
//!
//! Strict means: RFC 8259 to the letter, no duplicate keys, no lone surrogates, and at most
//! [`limits::NESTING`] levels, so that a hundred thousand brackets are an error and not a stack
//! overflow.

use std::collections::BTreeSet;

use super::limits;

/// The bytes that a value came from, and the text that they are bytes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the text: 0 is the file, others are settings laid over it.
    pub text: u32,
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// From its first to its last byte, quotes and brackets included.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// As it was written.
    Number(String),
    /// Escapes resolved.
    String(String),
    /// In order.
    Array(Vec<Node>),
    /// In order; keys are unique.
    Object(Vec<Member>),
}

/// One key of an object with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Escapes resolved.
    pub key: String,
    /// The key with its quotes.
    pub key_place: Place,
    /// What it stands for.
    pub node: Node,
}

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    /// The bytes at fault.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What would be right, if there is more to say.
    pub help: Option<String>,
}

impl Node {
    /// What kind of value this is, as a person would say it.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// The members of an object; of anything else, none.
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of a list; of anything else, none.
    pub fn elements(&self) -> &[Node] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The member with this key.
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.key == key)
    }

    /// The value of this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.node)
    }

    /// How many values there are in it, itself included.
    pub fn size(&self) -> u64 {
        let members: u64 = self.members().iter().map(|member| member.node.size()).sum();
        let elements: u64 = self.elements().iter().map(Node::size).sum();
        1 + members + elements
    }
}

/// Parses a text that is one JSON value. `number` becomes [`Place::text`].
///
/// # Errors
/// The first thing that is not JSON. Texts must be shorter than 4 GiB; the caller limits them to
/// far less.
pub fn parse(text: &str, number: u32) -> Result<Node, SyntaxError> {
    let mut parser = Parser {
        text,
        number,
        at: 0,
        depth: 0,
    };
    parser.skip_space();
    if parser.peek().is_none() {
        return Err(parser.error_here("the file is empty", Some("a scenario is one JSON object")));
    }
    let node = parser.value()?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.error_here("there is more behind the end of the JSON value", None)),
    }
}

/// Where a part of a string stands: `from..to` are bytes of its value, with escapes resolved.
pub fn place_within(text: &str, string: Place, from: usize, to: usize) -> Place {
    let raw = &text[string.start as usize..string.end as usize];
    if !raw.starts_with('"') {
        let shift = |offset: usize| string.start + offset.min(raw.len()) as u32;
        return Place {
            start: shift(from),
            end: shift(to),
            ..string
        };
    }
    Place {
        start: string.start + raw_offset(raw, from) as u32,
        end: string.start + raw_offset(raw, to) as u32,
        ..string
    }
}

/// The byte of a quoted literal at which byte `wanted` of its value begins.
fn raw_offset(literal: &str, wanted: usize) -> usize {
    let bytes = literal.as_bytes();
    let (mut raw, mut decoded) = (1, 0);
    while decoded < wanted && raw + 1 < bytes.len() {
        let (raw_length, decoded_length) = match (bytes[raw], bytes.get(raw + 1)) {
            (b'\\', Some(b'u')) => unicode_escape_lengths(&literal[raw..]),
            (b'\\', _) => (2, 1),
            _ => (1, 1),
        };
        raw += raw_length;
        decoded += decoded_length;
    }
    raw.min(bytes.len().saturating_sub(1))
}

/// Bytes of a `\uXXXX` (or of a pair of them) and of the character that it means.
fn unicode_escape_lengths(escape: &str) -> (usize, usize) {
    let unit = |from: usize| {
        escape
            .get(from..from + 4)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .unwrap_or(0)
    };
    match unit(2) {
        0xD800..=0xDBFF => (12, 4),
        code => (6, char::from_u32(code).map_or(1, char::len_utf8)),
    }
}

struct Parser<'a> {
    text: &'a str,
    number: u32,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn place(&self, start: usize) -> Place {
        Place {
            text: self.number,
            start: start as u32,
            end: self.at as u32,
        }
    }

    fn error(&self, start: usize, end: usize, message: &str, help: Option<&str>) -> SyntaxError {
        let place = Place {
            text: self.number,
            start: start as u32,
            end: end as u32,
        };
        SyntaxError {
            place,
            message: message.to_owned(),
            help: help.map(str::to_owned),
        }
    }

    /// About the character (or word) that stands here.
    fn error_here(&self, message: &str, help: Option<&str>) -> SyntaxError {
        self.error(self.at, self.at + self.word_here().len(), message, help)
    }

    /// The letters and digits that begin here, or the one character.
    fn word_here(&self) -> &'a str {
        let rest: &'a str = &self.text[self.at..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '$');
        let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        &rest[..length.max(first)]
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            _ => self.word()?,
        };
        Ok(Node {
            place: self.place(start),
            value,
        })
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, SyntaxError>,
    ) -> Result<Value, SyntaxError> {
        if self.depth == limits::NESTING {
            let message = format!("nested deeper than {} levels", limits::NESTING);
            return Err(self.error_here(&message, None));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word(&mut self) -> Result<Value, SyntaxError> {
        let value = match self.word_here() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            other => return Err(self.not_a_value(other)),
        };
        self.at += self.word_here().len();
        Ok(value)
    }

    fn not_a_value(&self, found: &str) -> SyntaxError {
        let unsigned = found.trim_start_matches(['+', '-']).to_ascii_lowercase();
        let (message, help) = match found {
            "" => ("the file ends where a value should stand", None),
            "'" => ("strings stand in double quotes", None),
            "/" => ("JSON has no comments", Some("`description` is free text")),
            "," => ("a value is missing before this comma", None),
            "]" | "}" => ("a value is missing here", None),
            _ if matches!(&*unsigned, "nan" | "infinity" | "inf") => (
                "JSON has no such number",
                Some("numbers in a scenario are finite"),
            ),
            _ if found.starts_with(['+', '.']) && found.len() > 1 => {
                ("a number begins with a digit or `-`", None)
            }
            _ if matches!(&*unsigned, "true" | "false" | "null") => {
                ("JSON writes this word in small letters", None)
            }
            _ => (
                "this is no JSON value",
                Some("texts stand in double quotes"),
            ),
        };
        self.error_here(message, help)
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let open = self.at;
        let mut elements = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(elements));
        }
        loop {
            self.skip_space();
            match self.peek() {
                Some(b']') => return Err(self.trailing_comma()),
                Some(b'}') => return Err(self.wrong_bracket(open, ']')),
                _ => elements.push(self.value_within(open)?),
            }
            if self.ends_with(b']', open)? {
                return Ok(Value::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        let open = self.at;
        let mut members: Vec<Member> = Vec::new();
        let mut keys = BTreeSet::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let member = self.a_member(open)?;
            if !keys.insert(member.key.clone()) {
                return Err(self.duplicate(&members, &member));
            }
            members.push(member);
            if self.ends_with(b'}', open)? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn a_member(&mut self, open: usize) -> Result<Member, SyntaxError> {
        let start = self.at;
        let key = match self.peek() {
            Some(b'"') => self.string()?,
            None => return Err(self.unclosed(open)),
            Some(b'}') => return Err(self.trailing_comma()),
            Some(b']') => return Err(self.wrong_bracket(open, '}')),
            Some(b'\'') => return Err(self.error_here("strings stand in double quotes", None)),
            Some(b'/') => return Err(self.not_a_value("/")),
            Some(_) => return Err(self.error_here("keys stand in double quotes", None)),
        };
        let key_place = self.place(start);
        self.skip_space();
        match self.peek() {
            Some(b':') => self.at += 1,
            None => return Err(self.unclosed(open)),
            Some(_) => return Err(self.error_here("a colon is missing behind the key", None)),
        }
        self.skip_space();
        let node = self.value_within(open)?;
        Ok(Member {
            key,
            key_place,
            node,
        })
    }

    fn value_within(&mut self, open: usize) -> Result<Node, SyntaxError> {
        match self.peek() {
            None => Err(self.unclosed(open)),
            Some(_) => self.value(),
        }
    }

    /// Reads what must follow a value: the closing bracket (true) or a comma (false).
    fn ends_with(&mut self, close: u8, open: usize) -> Result<bool, SyntaxError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            None => Err(self.unclosed(open)),
            Some(b'/') => Err(self.not_a_value("/")),
            Some(b']' | b'}') => Err(self.wrong_bracket(open, close.into())),
            Some(_) => Err(self.error_here("a comma is missing before this", None)),
        }
    }

    fn wrong_bracket(&self, open: usize, right: char) -> SyntaxError {
        let message = format!("this does not close the `{}`", &self.text[open..open + 1]);
        self.error_here(&message, Some(&format!("`{right}` would")))
    }

    /// About the last comma: the bracket that closes stands here.
    fn trailing_comma(&self) -> SyntaxError {
        let comma = self.text[..self.at].trim_end().len().saturating_sub(1);
        let help = "JSON allows none behind the last one";
        self.error(comma, comma + 1, "nothing follows this comma", Some(help))
    }

    fn unclosed(&self, open: usize) -> SyntaxError {
        let bracket = &self.text[open..open + 1];
        self.error(
            open,
            open + 1,
            &format!("this `{bracket}` is never closed"),
            None,
        )
    }

    fn duplicate(&self, members: &[Member], member: &Member) -> SyntaxError {
        let first = members.iter().find(|earlier| earlier.key == member.key);
        let before = &self.text[..first.map_or(0, |member| member.key_place.start as usize)];
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        SyntaxError {
            place: member.key_place,
            message: format!("the key `{}` stands twice in this object", member.key),
            help: Some(format!("the first one is in line {line}")),
        }
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        let mut result = String::new();
        self.at += 1;
        loop {
            let plain = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            result.push_str(&self.text[plain..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(result);
                }
                Some(b'\\') => result.push(self.escape()?),
                None | Some(b'\n' | b'\r') => {
                    let message = "this string is not closed on its line";
                    return Err(self.error(start, self.at, message, Some("a line break is \\n")));
                }
                Some(byte) => {
                    let message = format!("a control character (U+{byte:04X}) stands in a string");
                    let help = format!("write it as \\u{byte:04x}");
                    return Err(self.error(self.at, self.at + 1, &message, Some(&help)));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let start = self.at;
        let letter = self.text.as_bytes().get(start + 1).copied();
        self.at += 2;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                let end = self.text[start + 1..]
                    .chars()
                    .next()
                    .map_or(0, char::len_utf8);
                let help = "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX";
                return Err(self.error(start, start + 1 + end, "no such escape", Some(help)));
            }
        })
    }

    /// What follows `\u`: four digits, and four more behind another `\u` for characters above
    /// U+FFFF.
    fn unicode(&mut self, start: usize) -> Result<char, SyntaxError> {
        let first = self.four_digits(start)?;
        let code = match first {
            0xD800..=0xDBFF if self.text[self.at..].starts_with("\\u") => {
                self.at += 2;
                let second = self.four_digits(start)?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.lone_surrogate(start));
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.lone_surrogate(start))
    }

    fn lone_surrogate(&self, start: usize) -> SyntaxError {
        self.error(
            start,
            self.at,
            "half of a surrogate pair is no character",
            None,
        )
    }

    fn four_digits(&mut self, start: usize) -> Result<u32, SyntaxError> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at..self.at + 4)
            .unwrap_or(&[]);
        let value = digits.iter().try_fold(0, |value, digit| {
            Some(value * 16 + (*digit as char).to_digit(16)?)
        });
        match value {
            Some(value) if digits.len() == 4 => {
                self.at += 4;
                Ok(value)
            }
            _ => Err(self.error(start, start + 2, "\\u needs four hexadecimal digits", None)),
        }
    }

    fn number(&mut self) -> Result<String, SyntaxError> {
        let word = self.word_here();
        match number_fault(word) {
            None => {
                self.at += word.len();
                Ok(word.to_owned())
            }
            Some(fault) => {
                let has_unit = word.starts_with(|first: char| first.is_ascii_digit())
                    && word.ends_with(|last: char| last.is_ascii_alphabetic());
                let help = has_unit.then_some("durations and sizes stand in double quotes");
                Err(self.error_here(fault, help))
            }
        }
    }
}

/// What is wrong with a text as a JSON number.
fn number_fault(word: &str) -> Option<&'static str> {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    if unsigned.eq_ignore_ascii_case("infinity") || unsigned.eq_ignore_ascii_case("inf") {
        Some("JSON has no such number")
    } else if !digits(whole) || !exponent_digits.is_none_or(digits) {
        Some("this is no number")
    } else if whole.len() > 1 && whole.starts_with('0') {
        Some("a number does not begin with 0")
    } else if !fraction.is_none_or(digits) {
        Some("digits are missing behind the decimal point")
    } else {
        None
    }
}
