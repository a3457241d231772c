//! Numbers as a person reads them.

/// Columns of the terminal that a report uses.
pub const WIDTH: usize = 100;

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Three digits that matter, without trailing zeros behind the point; thousands grouped.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        100.0.. => return grouped(value),
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    // Rounding may have made it one digit longer: 9.996 is 10.
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn grouped(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

/// Milliseconds in the unit that suits them: `250 µs`, `4.2 ms`, `1.53 s`, `2 m 3 s`.
pub fn duration(millis: f64) -> String {
    match millis.abs() {
        0.0 => "0 ms".to_owned(),
        ..0.001 => format!("{} ns", number(millis * 1e6)),
        ..1.0 => format!("{} µs", number(millis * 1e3)),
        ..1e3 => format!("{} ms", number(millis)),
        ..60e3 => format!("{} s", number(millis / 1e3)),
        _ => long(millis),
    }
}

fn long(millis: f64) -> String {
    let seconds = (millis / 1e3).round() as u64;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} m {rest} s"),
        (0, _) => format!("{hours} h {minutes} m"),
        _ => format!("{} d {hours} h", count(days)),
    }
}

/// A share from 0 to 1 as `37 %`; small ones keep a digit, and only what is nothing is `0 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        ..0.1 => "< 0.1 %".to_owned(),
        ..9.95 => format!("{percent:.1} %"),
        // 99.6 % busy is not 100 %.
        99.5..100.0 => "> 99 %".to_owned(),
        _ => format!("{percent:.0} %"),
    }
}

/// `1 message`, `2 messages`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`; beyond `most` names, how many others.
pub fn names(names: &[&str], most: usize) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(most)
        .map(|name| printable(name))
        .collect();
    match (shown.split_last(), names.len().saturating_sub(most)) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, before)), 0) => format!("{} and {last}", before.join(", ")),
        (_, others) => format!("{} and {} others", shown.join(", "), count(others as u64)),
    }
}

/// Text from a file without what a terminal would obey: control characters are shown as escapes.
pub fn printable(text: &str) -> String {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if hidden(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The first `width` columns of a text, with `…` where it was cut.
pub fn cut(text: &str, width: usize) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let mut kept = String::new();
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

/// Lines of at most so many columns, broken at spaces where there are any.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.0, 0.0123, 3.14259, 42.0, 99.04, 1234.5].map(number);
        assert_eq!(shown, ["0", "0.012", "3.14", "42", "99", "1,235"]);
    }

    #[test]
    fn durations_choose_their_unit() {
        let shown = [0.0, 0.0005, 0.25, 4.2, 1530.0, 123_000.0, 7_500_000.0, 1e9].map(duration);
        assert_eq!(
            shown,
            [
                "0 ms",
                "500 ns",
                "250 µs",
                "4.2 ms",
                "1.53 s",
                "2 m 3 s",
                "2 h 5 m",
                "11 d 13 h"
            ]
        );
    }

    #[test]
    fn percentages_do_not_round_to_all_or_nothing() {
        let shown = [0.0, 0.0001, 0.031, 0.376, 0.999, 1.0].map(percent);
        assert_eq!(
            shown,
            ["0 %", "< 0.1 %", "3.1 %", "38 %", "> 99 %", "100 %"]
        );
    }

    #[test]
    fn names_are_listed_as_one_says_them() {
        assert_eq!(names(&["a"], 3), "a");
        assert_eq!(names(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(names(&["a", "b", "c", "d", "e"], 3), "a, b, c and 2 others");
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_file_says() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(printable("\u{202e}gnp"), "\\u{202e}gnp");
        assert_eq!(printable("慢 é"), "慢 é");
    }

    #[test]
    fn long_text_is_cut_by_width() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("too long", 5), "too…");
        assert_eq!(cut("慢消费者", 5), "慢消…");
    }
}
