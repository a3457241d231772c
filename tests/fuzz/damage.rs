//! Valid files, damaged: bytes, tokens, numbers, keys, values.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One thing that is done to a text.
#[derive(Clone, Debug)]
enum Damage {
    /// Bytes in place of others.
    Bytes(Index, usize, Vec<u8>),
    /// A token becomes something else: a value of another kind, an extreme number, a bracket.
    Token(Index, &'static str),
    /// Two tokens change places.
    Swap(Index, Index),
    /// A number becomes an extreme one.
    Number(Index, &'static str),
    /// A part of the text comes again and again.
    Repeat(Index, Index, usize),
    /// The rest is missing.
    Cut(Index),
}

const EXTREMES: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1e400",
    "-1e400",
    "1e-400",
    "2147483647",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e18",
    "0.5",
    "1e300",
    "NaN",
    "1e",
    "00",
    "\"1ns\"",
    "\"9999999999999h\"",
    "\"0s\"",
    "\"-1s\"",
    "\"1e9s\"",
    "\"8388608tb\"",
];

const OTHERS: &[&str] = &[
    "",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "{}",
    "[]",
    "[[]]",
    "\"\"",
    "\"*\"",
    "\"x\"",
    "\"queue://\"",
    "\"topic://a.>\"",
    "\"queue://a?consumer.prefetchSize=0\"",
    "\"failover:(\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"../x\"",
    "{\"exponential\": {\"mean\": \"0s\"}}",
    "{\"min\": 2, \"max\": 1}",
    "\"a\": 1,",
    "🦀",
];

/// Every scenario of the tree.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["scenarios", "tests/reference", "tests/noted", "tests/bad"] {
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut found,
        );
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.to_string_lossy();
        if path.is_dir() {
            collect(&path, found);
        } else if name.ends_with(".json") && !name.ends_with(".reference.json") {
            found.extend(fs::read_to_string(&path));
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    prop_oneof![
        (index(), 0_usize..6, vec(any::<u8>(), 0..4))
            .prop_map(|(at, length, by)| Damage::Bytes(at, length, by)),
        (index(), select(OTHERS)).prop_map(|(at, by)| Damage::Token(at, by)),
        (index(), index()).prop_map(|(one, other)| Damage::Swap(one, other)),
        (index(), select(EXTREMES)).prop_map(|(at, by)| Damage::Number(at, by)),
        (index(), index(), 2_usize..200)
            .prop_map(|(from, to, times)| Damage::Repeat(from, to, times)),
        index().prop_map(Damage::Cut),
    ]
}

/// A file that was valid, or nearly, before one to four things were done to it.
pub fn damaged_file() -> impl Strategy<Value = Vec<u8>> {
    (select(files()), vec(damage(), 1..5)).prop_map(|(file, damages)| {
        let damaged = damages.into_iter().fold(file.into_bytes(), apply);
        damaged.into_iter().take(1 << 16).collect()
    })
}

fn apply(text: Vec<u8>, damage: Damage) -> Vec<u8> {
    if text.is_empty() {
        return text;
    }
    let mut tokens = tokens(&text);
    match damage {
        Damage::Bytes(at, length, by) => {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            [&text[..at], &by, &text[end..]].concat()
        }
        Damage::Token(at, by) => {
            let at = at.index(tokens.len());
            tokens[at] = by.as_bytes();
            tokens.concat()
        }
        Damage::Swap(one, other) => {
            let (one, other) = (one.index(tokens.len()), other.index(tokens.len()));
            tokens.swap(one, other);
            tokens.concat()
        }
        Damage::Number(at, by) => {
            let is_number = |token: &&[u8]| token[0].is_ascii_digit() || token.starts_with(b"-");
            let numbers: Vec<usize> = (0..tokens.len())
                .filter(|&at| is_number(&tokens[at]))
                .collect();
            if !numbers.is_empty() {
                tokens[numbers[at.index(numbers.len())]] = by.as_bytes();
            }
            tokens.concat()
        }
        Damage::Repeat(from, to, times) => {
            let (from, to) = (from.index(tokens.len()), to.index(tokens.len()));
            let (from, to) = (from.min(to), from.max(to));
            let again = tokens[from..to].concat().repeat(times);
            [tokens[..from].concat(), again, tokens[to..].concat()].concat()
        }
        Damage::Cut(at) => text[..at.index(text.len())].to_vec(),
    }
}

/// Strings, words and numbers, spaces, and every other byte by itself.
fn tokens(text: &[u8]) -> Vec<&[u8]> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let length = match first {
            b'"' => string_length(rest),
            _ => {
                let kind = kind_of(first);
                let same = rest
                    .iter()
                    .take_while(|&&byte| kind > 0 && kind_of(byte) == kind);
                same.count().max(1)
            }
        };
        let (token, behind) = rest.split_at(length);
        tokens.push(token);
        rest = behind;
    }
    tokens
}

fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn kind_of(byte: u8) -> u8 {
    match byte {
        b' ' | b'\n' | b'\t' | b'\r' => 1,
        b'.' | b'-' | b'+' => 2,
        _ if byte.is_ascii_alphanumeric() => 2,
        _ => 0,
    }
}
