//! A query made ready for a moment, and asked of lines and of anything else that has fields.

use super::check::Check;
use super::expr::{Expr, Op, Test};
use super::names::Names;
use super::now::Now;
use super::probe::Probe;
use super::source::{Asked, Plain, Source, Walked};
use super::walk::{Found, Index};
use super::wrapped;
use crate::scan::Scan;
use crate::{Fields, Query};

/// What a query says of one line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// The line is no JSON object; whether the query holds for it as plain text: bare words are
    /// looked for in the whole of it, and it has no fields.
    Text {
        /// Whether the query holds.
        holds: bool,
    },
}

impl Verdict {
    /// Whether the query holds, for JSON or for text.
    pub fn holds(self) -> bool {
        matches!(self, Self::Holds | Self::Text { holds: true })
    }
}

/// A [`Query`] with its times resolved and its names looked up; made by [`Query::matcher`].
///
/// It can be shared between threads and asked any number of times.
#[derive(Debug)]
pub struct Matcher {
    pub(super) root: Node,
    pub(super) slots: Vec<Names>,
    index: Index,
    pub(super) now: Now,
}

#[derive(Debug)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Asks one field; turned round if it is `!=`, but never of a field that is not there.
    Field {
        slot: usize,
        check: Check,
        isnt: bool,
    },
    Anywhere {
        check: Check,
        probe: Probe,
    },
}

impl Matcher {
    pub(super) fn new(query: &Query, now: Now) -> Self {
        let mut slots = Vec::new();
        let root = Node::new(query.expr(), &mut slots, &now);
        let index = Index::new(&slots);
        Self {
            root,
            slots,
            index,
            now,
        }
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    pub(super) fn slots(&self) -> &[Names] {
        &self.slots
    }

    /// Whether the query holds for something with fields: a live event, a [`Line`](crate::Line).
    ///
    /// A field is asked for by each of its names until one is there; bare words are asked by
    /// [`Fields::any`].
    pub fn holds(&self, fields: &(impl Fields + ?Sized)) -> bool {
        self.root.holds(
            &Asked {
                fields,
                slots: &self.slots,
            },
            &self.now,
        )
    }

    /// Whether the query holds for one line of a log, whoever wrote it.
    ///
    /// The line is walked once and only as far as it decides; what a walk does not reach is not
    /// checked, unless the query holds: then the whole line is. A key that stands twice counts with
    /// its first value. Fields below `fields`, `attributes`, `jsonPayload`, `labels`, `span` and in
    /// `spans` are found as if they stood at the top, after those that do. A line in the wrapper of
    /// Docker's json-file driver is judged as the line within.
    pub fn judge(&self, line: &str) -> Verdict {
        match wrapped::inner(line) {
            Some(inner) => self.judge_bare(&inner),
            None => self.judge_bare(line),
        }
    }

    fn judge_bare(&self, line: &str) -> Verdict {
        if !line.trim_ascii_start().starts_with('{') {
            return self.judge_text(line);
        }
        // A text is looked for value by value, and a torn line has none behind the tear.
        let checked = self.root.looks_into(line);
        if checked && Scan::check_repeating(line).is_err() {
            return self.judge_text(line);
        }
        // Most queries ask for few fields: these need no allocation.
        let mut few = [None; 4];
        let mut many = Vec::new();
        let found: &mut [Option<Found<'_>>] = if self.slots.len() <= few.len() {
            &mut few[..self.slots.len()]
        } else {
            many.resize(self.slots.len(), None);
            &mut many
        };
        if self.index.walk(line, &self.slots, found).is_err() {
            return self.judge_text(line);
        }
        let holds = self.root.holds(
            &Walked {
                line,
                found,
                slots: &self.slots,
            },
            &self.now,
        );
        if !holds {
            Verdict::Fails
        } else if checked || Scan::check_repeating(line).is_ok() {
            Verdict::Holds
        } else {
            self.judge_text(line)
        }
    }

    fn judge_text(&self, line: &str) -> Verdict {
        Verdict::Text {
            holds: self.root.holds(&Plain(line), &self.now),
        }
    }
}

impl Node {
    fn new(expr: &Expr, slots: &mut Vec<Names>, now: &Now) -> Self {
        match expr {
            Expr::And(parts) => Node::And(
                parts
                    .iter()
                    .map(|part| Node::new(part, slots, now))
                    .collect(),
            ),
            Expr::Or(parts) => Node::Or(
                parts
                    .iter()
                    .map(|part| Node::new(part, slots, now))
                    .collect(),
            ),
            Expr::Not(inner) => Node::Not(Box::new(Node::new(inner, slots, now))),
            Expr::Test(Test::Anywhere(text)) => Node::Anywhere {
                check: Check::anywhere(text),
                probe: Probe::of(expr),
            },
            Expr::Test(Test::Exists(field)) => Node::Field {
                slot: slot(Names::of(field), slots),
                check: Check::Exists,
                isnt: false,
            },
            Expr::Test(Test::Compare(field, op, literal)) => {
                let names = Names::of(field);
                let bound = match &**field {
                    "since" => Op::AtLeast,
                    "until" => Op::Less,
                    _ => *op,
                };
                let check = Check::new(&names, bound, literal, now);
                Node::Field {
                    slot: slot(names, slots),
                    check,
                    isnt: *op == Op::Isnt,
                }
            }
            Expr::Test(Test::In(field, literals)) => {
                let names = Names::of(field);
                let checks = literals
                    .iter()
                    .map(|literal| Check::new(&names, Op::Is, literal, now));
                let check = Check::Any(checks.collect());
                Node::Field {
                    slot: slot(names, slots),
                    check,
                    isnt: false,
                }
            }
        }
    }

    /// Whether some text may be in the line, so that its values are asked for it.
    fn looks_into(&self, line: &str) -> bool {
        match self {
            Node::And(parts) | Node::Or(parts) => parts.iter().any(|part| part.looks_into(line)),
            Node::Not(inner) => inner.looks_into(line),
            Node::Field { .. } => false,
            Node::Anywhere { probe, .. } => probe.may_be_in(line),
        }
    }

    fn holds(&self, source: &impl Source, now: &Now) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.holds(source, now)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(source, now)),
            Node::Not(inner) => !inner.holds(source, now),
            Node::Field { slot, check, isnt } => source
                .value(*slot)
                .is_some_and(|(value, unit)| check.holds(&value, unit, now) != *isnt),
            Node::Anywhere { check, probe } => {
                source.may_have(probe) && source.any(&mut |value| check.holds(value, 1.0, now))
            }
        }
    }
}

fn slot(names: Names, slots: &mut Vec<Names>) -> usize {
    slots
        .iter()
        .position(|known| *known == names)
        .unwrap_or_else(|| {
            slots.push(names);
            slots.len() - 1
        })
}
