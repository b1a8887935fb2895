//! Writes what stands in a line before the event's own: level, constants, fixed fields, where it
//! was logged.

use crate::form::{Form, write_name};
use crate::key::encoded_key;
use crate::levels::Severity;
use crate::schema::Layout;

/// Where something was logged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin<'a> {
    pub(crate) target: &'a str,
    pub(crate) file: Option<&'a str>,
    pub(crate) line: Option<u64>,
}

/// The parts of a line's head, `,"key":value` each.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// What ends the timestamp, then the level.
    pub(crate) level: Vec<u8>,
    /// The fields at the top.
    pub(crate) top: Vec<u8>,
    /// The fields that stand in the object of the event's fields.
    pub(crate) inner: Vec<u8>,
}

/// An encoded field, and the object that it stands in.
type Member = (Option<&'static str>, Vec<u8>);

impl Form {
    pub(crate) fn head(&self, severity: Severity, origin: Option<Origin<'_>>) -> Head {
        let mut head = Head {
            level: self.level(severity),
            ..Head::default()
        };
        for (key, json) in self.schema.constants {
            head.top.extend_from_slice(&encoded_key(key));
            head.top.extend_from_slice(json.as_bytes());
        }
        let fixed = self.settled.fixed.iter();
        let mut members: Vec<Member> = fixed
            .map(|fixed| {
                (
                    fixed.within,
                    [encoded_key(&fixed.key), fixed.json.clone()].concat(),
                )
            })
            .collect();
        if let Some(origin) = origin {
            members.extend(self.origin(origin));
        }
        self.join(&members, &mut head.top, &mut head.inner);
        head
    }

    /// The origin alone, for records whose origin is told late: at the top, and in the object.
    pub(crate) fn write_origin(&self, top: &mut Vec<u8>, inner: &mut Vec<u8>, origin: Origin<'_>) {
        self.join(&self.origin(origin), top, inner);
    }

    fn level(&self, severity: Severity) -> Vec<u8> {
        let mut out = self.schema.timestamp.after().into_bytes();
        out.extend_from_slice(&encoded_key(self.schema.key("level")));
        out.extend_from_slice(self.schema.level.json(severity).as_bytes());
        if let Some(key) = self.schema.severity_number {
            let number = crate::levels::LevelStyle::Number.json(severity);
            out.extend_from_slice(&encoded_key(key));
            out.extend_from_slice(number.as_bytes());
        }
        out
    }

    fn origin(&self, origin: Origin<'_>) -> Vec<Member> {
        let mut members = vec![self.named_text("target", origin.target)];
        if !self.file_and_line {
            return members;
        }
        members.extend(origin.file.map(|file| self.named_text("file", file)));
        members.extend(origin.line.map(|line| {
            let within = self.schema.within("line");
            let key = encoded_key(self.schema.key("line"));
            let quote = if within.is_some() && self.schema.text_within {
                "\""
            } else {
                ""
            };
            let value = format!("{quote}{line}{quote}");
            (within, [key, value.into_bytes()].concat())
        }));
        members
    }

    fn named_text(&self, field: &str, text: &str) -> Member {
        let mut out = encoded_key(self.schema.key(field));
        out.push(b'"');
        write_name(&mut out, text);
        out.push(b'"');
        (self.schema.within(field), out)
    }

    /// Writes fields in their order, those of one object together.
    fn join(&self, members: &[Member], top: &mut Vec<u8>, inner: &mut Vec<u8>) {
        for (at, (within, member)) in members.iter().enumerate() {
            let Some(object) = within else {
                top.extend_from_slice(member);
                continue;
            };
            if self.schema.layout == Layout::Gathered(object) {
                inner.extend_from_slice(member);
                continue;
            }
            if members[..at].iter().any(|(other, _)| other == within) {
                continue;
            }
            let all = members.iter().filter(|(other, _)| other == within);
            let all: Vec<u8> = all.flat_map(|(_, member)| member.iter().copied()).collect();
            top.extend_from_slice(&encoded_key(object));
            top.push(b'{');
            top.extend_from_slice(&all[1..]);
            top.push(b'}');
        }
    }
}
