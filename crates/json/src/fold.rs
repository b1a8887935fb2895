//! Makes objects of dotted keys, in a line that is written: `"http.method":…` into `"http":{"method":…}`.
//!
//! A line is written flat, so that everything else about it (which value wins, what is a secret, what
//! has room) is decided by whole keys. Nothing of this file runs unless the option is on.

use crate::form::Form;
use std::ops::Range;

/// What a thread keeps to fold its lines.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    out: Vec<u8>,
    members: Vec<Member>,
}

/// A field of an object.
#[derive(Debug)]
struct Member {
    key: Range<usize>,
    value: Range<usize>,
    /// Its key has dots, and something before, between and behind them.
    dotted: bool,
    done: bool,
}

impl Folder {
    /// The line with objects instead of dotted keys; `None` if it stays as it is: it has none, or no
    /// room for the braces.
    pub(crate) fn fold(&mut self, line: &[u8], form: &Form) -> Option<&[u8]> {
        self.out.clear();
        self.members.clear();
        let object = line.strip_suffix(b"\n")?;
        self.object(object, form, true)?;
        self.out.push(b'\n');
        (self.out != line && self.out.len() <= form.settled.bounds.max).then_some(&*self.out)
    }

    /// Bytes that are kept between lines.
    pub(crate) fn shrink(&mut self, most: usize) {
        if self.out.capacity() > most {
            self.out = Vec::new();
        }
    }

    /// Appends an object; in the line itself, some of its values are folded too.
    fn object(&mut self, object: &[u8], form: &Form, is_line: bool) -> Option<()> {
        let first = self.members.len();
        let mut rest = inside(object, b'{', b'}')?;
        while rest.start < rest.end {
            let key = string(object, rest.start)?;
            let value = value(object, key.end + 2)?;
            rest.start = value.end + 1;
            self.members.push(Member {
                dotted: is_dotted(&object[key.clone()]) && !is_whole(&object[key.clone()], form),
                key,
                value,
                done: false,
            });
        }
        let members = first..self.members.len();
        self.out.push(b'{');
        self.level(object, members, b"", (form, is_line))?;
        self.out.push(b'}');
        self.members.truncate(first);
        Some(())
    }

    /// Appends the fields whose keys begin with `prefix`.
    fn level(
        &mut self,
        object: &[u8],
        members: Range<usize>,
        prefix: &[u8],
        (form, is_line): (&Form, bool),
    ) -> Option<()> {
        let mut comma = false;
        for at in members.clone() {
            let Member {
                ref key,
                ref value,
                dotted,
                done,
            } = self.members[at];
            let (key, value) = (&object[key.clone()], value.clone());
            if done || !key.starts_with(prefix) || !(dotted || prefix.is_empty()) {
                continue;
            }
            self.out
                .extend_from_slice(if comma { b",\"" } else { b"\"" });
            comma = true;
            if let Some(end) = self.head(object, members.clone(), (key, prefix.len()), dotted) {
                self.out.extend_from_slice(&key[prefix.len()..end]);
                self.out.extend_from_slice(b"\":{");
                self.level(object, members.clone(), &key[..=end], (form, false))?;
                self.out.push(b'}');
                continue;
            }
            self.members[at].done = true;
            self.out.extend_from_slice(&key[prefix.len()..]);
            self.out.extend_from_slice(b"\":");
            self.value(key, &object[value], (form, is_line))?;
        }
        Some(())
    }

    /// Where the name of the object ends that a key stands in; `None`: the rest of it keeps its dots.
    fn head(
        &self,
        object: &[u8],
        mut members: Range<usize>,
        (key, from): (&[u8], usize),
        dotted: bool,
    ) -> Option<usize> {
        if !dotted || key[..from].iter().filter(|&&b| b == b'.').count() >= DEEPEST {
            return None;
        }
        let end = from + key[from..].iter().position(|&b| b == b'.')?;
        // What has a value of its own is no object.
        let is_value = members.any(|at| object[self.members[at].key.clone()] == key[..end]);
        (!is_value).then_some(end)
    }

    /// Appends a value; those that hold the line's own fields are folded too.
    fn value(&mut self, key: &[u8], value: &[u8], (form, is_line): (&Form, bool)) -> Option<()> {
        let mut holders = form.settled.holders.iter();
        if !is_line || !holders.any(|holder| **holder == *key) {
            self.out.extend_from_slice(value);
            return Some(());
        }
        if value.starts_with(b"{") {
            return self.object(value, form, false);
        }
        let mut rest = inside(value, b'[', b']')?;
        self.out.push(b'[');
        while rest.start < rest.end {
            let item = self::value(value, rest.start)?;
            rest.start = item.end + 1;
            self.object(&value[item], form, false)?;
            self.out
                .extend_from_slice(if rest.start < rest.end { b"," } else { b"" });
        }
        self.out.push(b']');
        Some(())
    }
}

/// True for a key that the schema wants with its dots.
fn is_whole(key: &[u8], form: &Form) -> bool {
    form.settled.whole.iter().any(|whole| **whole == *key)
}

fn is_dotted(key: &[u8]) -> bool {
    key.contains(&b'.') && key.split(|&b| b == b'.').all(|segment| !segment.is_empty())
}

/// What stands between the brackets of a whole value.
fn inside(value: &[u8], open: u8, close: u8) -> Option<Range<usize>> {
    (value.len() >= 2 && value[0] == open && value[value.len() - 1] == close)
        .then(|| 1..value.len() - 1)
}

/// The string whose first quote is at `at`, without its quotes.
fn string(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at + 1;
    let mut end = start;
    loop {
        match text.get(end)? {
            b'"' => return Some(start..end),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

/// The value that begins at `at`, up to the comma or bracket behind it.
fn value(text: &[u8], at: usize) -> Option<Range<usize>> {
    let (mut end, mut depth) = (at, 0_usize);
    while let Some(b) = text.get(end) {
        match b {
            b'"' => end = string(text, end)?.end,
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => break,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        end += 1;
    }
    Some(at..end)
}

/// Objects inside each other that keys are folded into.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(object: &str) -> String {
        let line = format!("{object}\n");
        let mut folder = Folder::default();
        let out = folder.fold(line.as_bytes(), &Form::default());
        String::from_utf8(out.unwrap_or(line.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn keys_are_folded_where_their_first_stands_and_what_is_a_value_keeps_the_dots() {
        for (flat, expected) in [
            (r#"{}"#, r#"{}"#),
            (r#"{"a":1,"b":"x.y"}"#, r#"{"a":1,"b":"x.y"}"#),
            (r#"{"a.b":1}"#, r#"{"a":{"b":1}}"#),
            (
                r#"{"a.b":1,"c":[1,{"d.e":"}]"}],"a.d.e":"\",","a.d.f":null}"#,
                r#"{"a":{"b":1,"d":{"e":"\",","f":null}},"c":[1,{"d.e":"}]"}]}"#,
            ),
            (r#"{"a":1,"a.b":2}"#, r#"{"a":1,"a.b":2}"#),
            (r#"{"a.b":2,"a":{"b":1}}"#, r#"{"a.b":2,"a":{"b":1}}"#),
            (
                r#"{"a.b.c":1,"a.b":2,"a.d":3,"a.b.c.d":4}"#,
                r#"{"a":{"b.c":1,"b":2,"d":3,"b.c.d":4}}"#,
            ),
            (
                r#"{"a.x":1,"a..b":2,".a":3,"a.":4,".":5,"a.y":6}"#,
                r#"{"a":{"x":1,"y":6},"a..b":2,".a":3,"a.":4,".":5}"#,
            ),
            (r#"{"a\".b":1,"a\".c":2}"#, r#"{"a\"":{"b":1,"c":2}}"#),
            (r#"{"a\\.b":1,"é.b":2}"#, r#"{"a\\":{"b":1},"é":{"b":2}}"#),
        ] {
            assert_eq!(folded(flat), format!("{expected}\n"));
        }
        let deep = format!("{{\"{}x\":1}}", "a.".repeat(20));
        let open = "{\"a\":".repeat(16);
        assert_eq!(
            folded(&deep),
            format!("{open}{{\"a.a.a.a.x\":1}}{}\n", "}".repeat(16))
        );
    }

    #[test]
    fn what_is_no_object_stays_as_it_is() {
        for text in ["", "x", "{", "{\"a.b", "{\"a.b\":\"}", "[\"a.b\"]"] {
            assert_eq!(folded(text), format!("{text}\n"));
        }
    }
}
