//! Tells from a file's name which log it belongs to and how old it is. Pure.

use std::net::Ipv4Addr;

/// What a file's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The name of the file that is written to.
    pub(crate) log: String,
    pub(crate) age: Age,
    pub(crate) compressed: bool,
}

/// Oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// Rolled at a time that its name has: a sequence number if there is one, then the digits of the
    /// time. Ours goes by the number alone, because a clock may step back.
    Dated(u64, String),
    /// `.1` is the youngest.
    Numbered(std::cmp::Reverse<u64>),
    Current,
}

impl Name {
    /// Reads the names of our appender (`shop.2026-11-24T10-00-00.000123.log`), of logrotate
    /// (`shop.log.1`, `shop.log-20261124`), of `tracing-appender` (`shop.log.2026-11-24`,
    /// `shop.2026-11-24-10.log`), each plain, `.gz` or `.zst`. `None` for a name that is no log's:
    /// hidden, unfinished, locked.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let hidden = name.starts_with('.') || name.ends_with('~');
        if hidden || UNREAD.iter().any(|end| name.ends_with(end)) {
            return None;
        }
        let stem = stem(name);
        let (log, age) = split(stem);
        Some(Self {
            log,
            age,
            compressed: stem.len() < name.len(),
        })
    }
}

/// A file's name without the ending of a compressed form.
pub(crate) fn stem(name: &str) -> &str {
    ["gz", "zst", "zstd"]
        .iter()
        .find_map(|end| name.strip_suffix(end)?.strip_suffix('.'))
        .unwrap_or(name)
}

fn split(name: &str) -> (String, Age) {
    // The date may stand anywhere behind the first part: the rest of the name is the log's.
    for (at, sign) in name.match_indices(['.', '-']) {
        let rest = &name[at + 1..];
        let (digits, length) = date(rest, sign);
        if digits.len() < 8 || at == 0 {
            continue;
        }
        let after = &rest[length..];
        let (sequence, after) = match after.strip_prefix('.').and_then(sequence) {
            Some((sequence, length)) => (sequence, &after[1 + length..]),
            None => (0, after),
        };
        if after.is_empty() || after.starts_with('.') {
            return (
                format!("{}{after}", &name[..at]),
                Age::Dated(sequence, digits),
            );
        }
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        // A host's log by its address, `10.0.0.1`, is no roll of `10.0.0`.
        return (name.to_owned(), Age::Current);
    }
    if let Some((log, number)) = name.rsplit_once('.') {
        if let (false, Ok(number)) = (log.is_empty(), number.parse()) {
            return (log.to_owned(), Age::Numbered(std::cmp::Reverse(number)));
        }
    }
    (name.to_owned(), Age::Current)
}

/// The digits of the date and time that a text begins with, filled up to the second, and how long
/// they are written: `2026-11-24T10-00-00`, `2026-11-24-10`, `20261124`.
fn date(text: &str, sign: &str) -> (String, usize) {
    let mut digits = String::new();
    let mut length = 0;
    for (at, char) in text.char_indices() {
        match char {
            '0'..='9' if digits.len() < 14 => {
                digits.push(char);
                length = at + 1;
            }
            // The parts of a date are told apart; those of `.000123` are another number.
            '-' | 'T' | '_' if digits.len() >= 4 => {}
            _ => break,
        }
    }
    let plausible = matches!(digits.len(), 8 | 10 | 12 | 14)
        && ("1970"..="2999").contains(&&digits[..4])
        && ("01"..="12").contains(&&digits[4..6])
        && ("01"..="31").contains(&&digits[6..8]);
    // A number behind a dash in a service's name is no date: `shop-20261124` is, `shop-2` is not.
    if !plausible || (sign == "-" && length < 8) {
        return (String::new(), 0);
    }
    digits.extend(std::iter::repeat_n('0', 14 - digits.len()));
    (digits, length)
}

/// The number that a text begins with, up to a dot or the end, and its length.
fn sequence(text: &str) -> Option<(u64, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = matches!(text.as_bytes().get(length), None | Some(b'.'));
    let number = text[..length].parse().ok().filter(|_| whole)?;
    Some((number, length))
}

/// Endings of files that stand beside logs and are none.
const UNREAD: [&str; 6] = [".tmp", ".lock", ".swp", ".idx", ".part", ".cursor"];

#[cfg(test)]
mod tests {
    use super::{Age, Name};
    use std::cmp::Reverse;

    #[test]
    fn a_name_says_which_log_and_how_old() {
        let dated = |sequence, digits: &str| Age::Dated(sequence, digits.to_owned());
        for (name, log, age, compressed) in [
            ("shop.log", "shop.log", Age::Current, false),
            ("shop", "shop", Age::Current, false),
            (
                "shop.2026-11-24T10-00-00.000123.log",
                "shop.log",
                dated(123, "20261124100000"),
                false,
            ),
            (
                "shop.2026-11-24T10-00-00.000123.log.zst",
                "shop.log",
                dated(123, "20261124100000"),
                true,
            ),
            (
                "shop.v2.2026-11-24T10-00-00.1000000.log",
                "shop.v2.log",
                dated(1_000_000, "20261124100000"),
                false,
            ),
            (
                "shop.2026-11-24T10-00-00.000123",
                "shop",
                dated(123, "20261124100000"),
                false,
            ),
            ("shop.log.1", "shop.log", Age::Numbered(Reverse(1)), false),
            (
                "shop.log.12.gz",
                "shop.log",
                Age::Numbered(Reverse(12)),
                true,
            ),
            (
                "shop.log-20261124",
                "shop.log",
                dated(0, "20261124000000"),
                false,
            ),
            (
                "shop.log-20261124.gz",
                "shop.log",
                dated(0, "20261124000000"),
                true,
            ),
            (
                "shop.log.2026-11-24",
                "shop.log",
                dated(0, "20261124000000"),
                false,
            ),
            (
                "shop.2026-11-24-10.log",
                "shop.log",
                dated(0, "20261124100000"),
                false,
            ),
            ("shop-2.log", "shop-2.log", Age::Current, false),
            ("日志.log.3", "日志.log", Age::Numbered(Reverse(3)), false),
            ("20261124.log", "20261124.log", Age::Current, false),
            ("10.0.0.1", "10.0.0.1", Age::Current, false),
            ("10.0.0.1.gz", "10.0.0.1", Age::Current, true),
            ("10.0.0.1.2", "10.0.0.1", Age::Numbered(Reverse(2)), false),
            ("10.0.0", "10.0", Age::Numbered(Reverse(0)), false),
        ] {
            let expected = Name {
                log: log.to_owned(),
                age,
                compressed,
            };
            assert_eq!(Name::of(name), Some(expected), "{name}");
        }
        for name in [
            ".shop.log.lock",
            "shop.2026-11-24T10-00-00.000123.log.tmp",
            "shop.log~",
            "shop.log.idx",
        ] {
            assert_eq!(Name::of(name), None, "{name}");
        }
    }

    #[test]
    fn older_files_come_first() {
        let names = [
            "a.2026-11-25T10-00-00.000001.log",
            "a.2026-11-24T10-00-00.000002.log",
            "a.log.10",
            "a.log.9.gz",
            "a.log.1",
            "a.log",
        ];
        let ages: Vec<Age> = names
            .iter()
            .map(|name| Name::of(name).unwrap().age)
            .collect();
        assert!(ages.is_sorted(), "{ages:?}");
    }
}
