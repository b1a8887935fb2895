//! Finds all fields that a query asks for in one walk over a line, and stops when it has them.

use super::names::{HOLDERS, Names};
use super::skim::{Skim, Torn};
use super::source::fits;
use crate::Value;
use crate::line::find;
use crate::members::Elements;
use crate::scan::{Scan, Token};

/// The best value so far for one field, and how good its name is: the least rank is best.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) token: Token<'a>,
    rank: u32,
}

impl Found<'_> {
    /// Which of the field's names it was found by.
    pub(crate) fn name(self) -> usize {
        (self.rank >> 16) as usize
    }

    fn holder(self) -> usize {
        (self.rank >> 12 & 0xf) as usize
    }
}

/// Every key of a line that means something to the query, by its length.
#[derive(Debug)]
pub(crate) struct Index {
    by_length: Vec<Keys>,
}

/// The keys of one length.
#[derive(Debug, Default)]
struct Keys {
    /// One bit for the low five bits of each first letter: most keys of a line are none of these.
    first_letters: u32,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    key: Box<str>,
    leads: Leads,
}

#[derive(Debug)]
enum Leads {
    /// To a field, or to an object within which the rest of its name is looked for.
    Field {
        slot: usize,
        name: usize,
        rest: Option<Box<str>>,
    },
    /// To an object whose fields count as the line's own.
    Holder(usize),
    Spans,
}

impl Index {
    pub(crate) fn new(slots: &[Names]) -> Self {
        let mut index = Self {
            by_length: Vec::new(),
        };
        if slots.is_empty() {
            return index;
        }
        for (slot, names) in slots.iter().enumerate() {
            for (name, path) in names.names.iter().map(|name| &*name.path).enumerate() {
                index.add(
                    path,
                    Leads::Field {
                        slot,
                        name,
                        rest: None,
                    },
                );
                for (dot, _) in path.match_indices('.') {
                    let rest = Some(path[dot + 1..].into());
                    index.add(&path[..dot], Leads::Field { slot, name, rest });
                }
            }
        }
        for (place, holder) in HOLDERS.iter().enumerate() {
            index.add(holder, Leads::Holder(place + 1));
        }
        index.add("spans", Leads::Spans);
        index
    }

    fn add(&mut self, key: &str, leads: Leads) {
        if self.by_length.len() <= key.len() {
            self.by_length.resize_with(key.len() + 1, Keys::default);
        }
        let keys = &mut self.by_length[key.len()];
        keys.first_letters |= first_letter(key.as_bytes());
        keys.entries.push(Entry {
            key: key.into(),
            leads,
        });
    }

    /// What a key means.
    #[inline(always)]
    fn entries(&self, key: &[u8]) -> &[Entry] {
        match self.by_length.get(key.len()) {
            Some(keys) if keys.first_letters & first_letter(key) != 0 => &keys.entries,
            _ => &[],
        }
    }

    /// Fills in what the line has, up to where nothing better can follow.
    pub(crate) fn walk<'a>(
        &self,
        line: &'a str,
        slots: &[Names],
        found: &mut [Option<Found<'a>>],
    ) -> Result<(), Torn> {
        let mut skim = Skim::inside(line);
        let mut missing = found.len();
        while missing > 0 {
            let Some(key) = skim.key()? else {
                return Ok(());
            };
            let value = skim.value()?;
            let used = if key.is_escaped() {
                let key = skim.text(key)?.decode();
                let entries = self.entries(key.as_bytes());
                !entries.is_empty()
                    && self.member(entries, key.as_bytes(), skim.token(value)?, 0, slots, found)
            } else {
                let key = skim.bytes(key);
                let entries = self.entries(key);
                !entries.is_empty()
                    && self.member(entries, key, skim.token(value)?, 0, slots, found)
            };
            if used {
                missing = found
                    .iter()
                    .filter(|found| found.is_none_or(|found| found.rank > 0))
                    .count();
            }
        }
        Ok(())
    }

    /// Whether the member was of use.
    fn member<'a>(
        &self,
        entries: &[Entry],
        key: &[u8],
        token: Token<'a>,
        holder: usize,
        slots: &[Names],
        found: &mut [Option<Found<'a>>],
    ) -> bool {
        let mut used = false;
        for entry in entries.iter().filter(|entry| entry.key.as_bytes() == key) {
            used = true;
            match &entry.leads {
                Leads::Field { slot, name, rest } => {
                    let token = match rest {
                        None => Some((token, 0)),
                        // A longer beginning of the name is better, as in `Line::field`.
                        Some(rest) => object(token)
                            .and_then(|json| find(json, rest))
                            .map(|token| (token, MAX_KEY - key.len().min(MAX_KEY - 1))),
                    };
                    if let Some((token, short)) = token {
                        offer(
                            token,
                            rank(*name, holder, short),
                            &slots[*slot],
                            &mut found[*slot],
                        );
                    }
                }
                Leads::Holder(place) if holder == 0 => {
                    if let Some(json) = object(token) {
                        self.within(json, *place, slots, found);
                    }
                }
                Leads::Spans if holder == 0 => {
                    if let Token::Nested(json) = token {
                        for element in Elements::of(json) {
                            if let Value::Raw(span) = element {
                                self.within(span, SPANS, slots, found);
                            }
                        }
                    }
                }
                Leads::Holder(_) | Leads::Spans => {}
            }
        }
        used
    }

    fn within<'a>(
        &self,
        json: &'a str,
        holder: usize,
        slots: &[Names],
        found: &mut [Option<Found<'a>>],
    ) {
        if !json.starts_with('{') {
            return;
        }
        let mut scan = Scan::inside(json);
        let mut first = true;
        // Text that is no object gives what it has; the line is checked before it matches.
        while let Ok(Some((key, token))) = scan.member(first, 0) {
            first = false;
            let key = key.decode();
            let key = key.as_bytes();
            self.member(self.entries(key), key, token, holder, slots, found);
        }
    }
}

/// A better name counts first, then a place nearer the top, then the longer key.
fn rank(name: usize, holder: usize, short: usize) -> u32 {
    ((name << 16) | (holder << 12) | short) as u32
}

fn offer<'a>(token: Token<'a>, rank: u32, names: &Names, best: &mut Option<Found<'a>>) {
    let found = Found { token, rank };
    let better = match best {
        None => true,
        // Of spans the innermost is the last.
        Some(old) => rank < old.rank || (rank == old.rank && found.holder() == SPANS),
    };
    if better && fits(names, found.name(), token) {
        *best = Some(found);
    }
}

fn first_letter(key: &[u8]) -> u32 {
    1 << (key.first().unwrap_or(&0) & 31)
}

fn object(token: Token<'_>) -> Option<&str> {
    match token {
        Token::Nested(json) if json.starts_with('{') => Some(json),
        _ => None,
    }
}

/// Longer beginnings of names are told apart no further.
const MAX_KEY: usize = 0xfff;

/// The place of each holder of fields, `spans` behind the last.
pub(crate) const SPANS: usize = HOLDERS.len() + 1;
