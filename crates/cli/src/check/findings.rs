//! Counts findings of one kind together and writes the page of `check`. Pure.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::judge::{Judge, Kind};
use crate::safe::one_line;
use crate::table::{counted, grouped};

/// What was found so far.
pub(crate) struct Findings {
    judge: Judge,
    lines: u64,
    faulty: u64,
    groups: HashMap<(Kind, String, String), Group>,
    /// Findings for whose group there was no room.
    left_out: u64,
}

struct Group {
    count: u64,
    path: PathBuf,
    value: Option<String>,
}

impl Findings {
    pub(crate) fn new() -> Self {
        Self {
            judge: Judge::new(),
            lines: 0,
            faulty: 0,
            groups: HashMap::new(),
            left_out: 0,
        }
    }

    pub(crate) fn line(&mut self, line: &str, path: &Path) {
        self.lines += 1;
        let (groups, left_out, mut faulty) = (&mut self.groups, &mut self.left_out, false);
        self.judge.line(line, &mut |finding| {
            faulty = true;
            let name = (
                finding.kind,
                finding.key.into_owned(),
                finding.why.into_owned(),
            );
            if let Some(group) = groups.get_mut(&name) {
                group.count += 1;
            } else if groups.len() < MOST {
                groups.insert(
                    name,
                    Group {
                        count: 1,
                        path: path.to_owned(),
                        value: finding.value.map(|value| shortened(&value)),
                    },
                );
            } else {
                *left_out += 1;
            }
        });
        self.faulty += u64::from(faulty);
    }

    /// Whether lines were there, and none was found fault with.
    pub(crate) fn is_passed(&self) -> bool {
        self.lines > 0 && self.faulty == 0
    }

    /// The page: what was found by kind, the commonest first, each with its first place.
    pub(crate) fn page(&self) -> String {
        let mut out = match self.lines {
            0 => return "no line was there to check\n".to_owned(),
            lines => format!(
                "{}, {} with findings\n",
                counted(lines, "line"),
                grouped(self.faulty)
            ),
        };
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(name, group)| (name.0, std::cmp::Reverse(group.count), *name));
        let width = groups
            .iter()
            .map(|(_, group)| group.count.to_string().len())
            .max();
        let width = width.unwrap_or(0);
        let mut last = None;
        for ((kind, key, why), group) in groups {
            // Writing to a string does not fail.
            if last != Some(*kind) {
                let _ = writeln!(out, "\n{}", heading(*kind));
                last = Some(*kind);
            }
            let _ = write!(out, "  {:>width$}  ", group.count);
            if !key.is_empty() {
                let _ = write!(out, "`{}` ", shortened(&one_line(key)));
            }
            let place = match group.path.as_os_str().is_empty() {
                true => "standard input".to_owned(),
                false => group.path.display().to_string(),
            };
            let _ = write!(out, "{}, first in {}", one_line(why), one_line(&place));
            if let Some(value) = &group.value {
                let _ = write!(out, ": {}", one_line(value));
            }
            out.push('\n');
        }
        if self.left_out > 0 {
            let _ = writeln!(
                out,
                "\n{} findings of other kinds than the first {MOST} are not told",
                self.left_out
            );
        }
        out
    }
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::NoJson => "no JSON",
        Kind::Duplicate => "double",
        Kind::Missing => "missing",
        Kind::Type => "wrong type",
        Kind::Form => "wrong form",
        Kind::Case => "wrong case",
        Kind::Secret => "secrets in clear",
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Nobody reads more.
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Findings, MOST};

    #[test]
    fn what_has_no_room_is_counted() {
        let mut findings = Findings::new();
        for number in 0..MOST + 2 {
            let line = format!(
                r#"{{"@timestamp":"2026-11-24T10:00:00Z","level":"INFO","logger":"a","msg":"x","k{number}_pin":1}}"#
            );
            findings.line(&line, Path::new("a.log"));
        }
        assert_eq!(findings.groups.len(), MOST);
        assert!(
            findings
                .page()
                .ends_with("\n2 findings of other kinds than the first 1000 are not told\n")
        );
        assert!(!findings.is_passed());
    }
}
