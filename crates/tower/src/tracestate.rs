//! Reads `tracestate` by the grammar of W3C Trace Context Level 2. Pure.

use std::sync::Arc;

/// Joins the headers in order and keeps their members, or nothing at all when one of them is illegal.
///
/// Empty members are skipped and of a repeated key the first stays, as the specification asks.
/// A vendor's state that we cannot read is not passed on half: one bad member drops the whole.
pub(crate) fn parse<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Option<Arc<str>> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for header in headers {
        for member in header.split(|&byte| byte == b',') {
            let member = trim(member);
            if member.is_empty() {
                continue;
            }
            let member = std::str::from_utf8(member).ok()?;
            let (key, value) = member.split_once('=')?;
            if !legal_key(key) || !legal_value(value) {
                return None;
            }
            if members.iter().all(|(seen, _)| *seen != key) {
                members.push((key, member));
            }
            if members.len() > MAX_MEMBERS {
                return None;
            }
        }
    }
    if members.is_empty() {
        return None;
    }
    let length = members.iter().map(|(_, member)| member.len() + 1).sum();
    let mut joined = String::with_capacity(length);
    for (_, member) in members {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(member);
    }
    Some(joined.into())
}

/// Strips the optional white space of HTTP: spaces and tabs.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn legal_key(key: &str) -> bool {
    let starts = key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    starts && key.len() <= MAX_LENGTH && key.bytes().all(inner)
}

fn legal_value(value: &str) -> bool {
    let printable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    !value.is_empty() && value.len() <= MAX_LENGTH && value.bytes().all(printable)
}

/// "There can be a maximum of 32 list-members in a list" (3.3.1.1).
const MAX_MEMBERS: usize = 32;
/// The most characters of a key, and of a value (3.3.1.3).
const MAX_LENGTH: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Option<String> {
        parse(headers.iter().map(|header| header.as_bytes())).map(|state| state.to_string())
    }

    #[test]
    fn legal_states_are_kept_and_illegal_ones_dropped_whole() {
        let long = |n: usize| "z".repeat(n);
        let members = |n: usize| {
            (0..n)
                .map(|i| format!("k{i}=1"))
                .collect::<Vec<_>>()
                .join(",")
        };
        let keep = |text: &str| Some(text.to_owned());
        let table: Vec<(String, Option<String>)> = vec![
            ("foo=1".into(), keep("foo=1")),
            ("foo=1,bar=2".into(), keep("foo=1,bar=2")),
            (" foo=1 \t,\t bar=2 ".into(), keep("foo=1,bar=2")),
            ("foo=1,".into(), keep("foo=1")),
            ("foo=1,,bar=2".into(), keep("foo=1,bar=2")),
            ("foo=1,bar=2,foo=3".into(), keep("foo=1,bar=2")),
            ("foo= 1".into(), keep("foo= 1")),
            ("0foo=1".into(), keep("0foo=1")),
            ("tenant@vendor@x=1".into(), keep("tenant@vendor@x=1")),
            ("a0_-*/@=1".into(), keep("a0_-*/@=1")),
            (format!("{}=1", long(256)), Some(format!("{}=1", long(256)))),
            (format!("a={}", long(256)), Some(format!("a={}", long(256)))),
            (members(32), Some(members(32))),
            ("".into(), None),
            (" , ,".into(), None),
            ("foo".into(), None),
            ("foo=".into(), None),
            ("=1".into(), None),
            ("foo =1".into(), None),
            ("FOO=1".into(), None),
            ("foo.bar=1".into(), None),
            ("@foo=1".into(), None),
            ("_foo=1".into(), None),
            ("foo=bar=baz".into(), None),
            ("foo=b\u{7f}".into(), None),
            ("foo=b\u{e9}".into(), None),
            ("good=1,Bad=2".into(), None),
            (format!("{}=1", long(257)), None),
            (format!("a={}", long(257)), None),
            (members(33), None),
        ];
        for (given, expected) in table {
            assert_eq!(read(&[&given]), expected, "of {given:?}");
        }
    }

    #[test]
    fn several_headers_are_one_list_in_order() {
        assert_eq!(
            read(&["foo=1", "", "bar=2,foo=9"]),
            Some("foo=1,bar=2".into())
        );
        assert_eq!(read(&["foo=1", "BAD=2"]), None);
        assert_eq!(read(&[]), None);
    }
}
