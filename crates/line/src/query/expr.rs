//! A query as it was meant: what is tested, joined by and, or, not; and how it is written out.

use std::fmt;

use regex::Regex;

use super::glob::Glob;
use super::literal::Literal;
use super::quote::{write_field, write_value, write_word};
use crate::Level;

/// A tree of tests. `And` of nothing holds always; neither `And` nor `Or` holds its own kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Compare(Box<str>, Op, Literal),
    In(Box<str>, Vec<Literal>),
    Exists(Box<str>),
    /// In the value of any field.
    Anywhere(Text),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Text {
    Contains(Box<str>),
    Like(Glob),
    Matches(Pattern),
}

/// A compiled regular expression; two of the same text are one.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(pub(crate) Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Is,
    Isnt,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Op {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Op::Is => "=",
            Op::Isnt => "!=",
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::More => ">",
            Op::AtLeast => ">=",
        }
    }

    /// Whether it asks for more or less, not for the same.
    pub(crate) fn is_order(self) -> bool {
        !matches!(self, Op::Is | Op::Isnt)
    }

    /// Whether `a op b` holds, by how `a` stands to `b`.
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Op::Is => order.is_eq(),
            Op::Isnt => order.is_ne(),
            Op::Less => order.is_lt(),
            Op::AtMost => order.is_le(),
            Op::More => order.is_gt(),
            Op::AtLeast => order.is_ge(),
        }
    }
}

impl Expr {
    pub(crate) fn all() -> Self {
        Expr::And(Vec::new())
    }

    /// Joins by and; one alone stays itself, and what is an `And` already is taken apart.
    pub(crate) fn and(parts: Vec<Expr>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Expr::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 {
            flat.remove(0)
        } else {
            Expr::And(flat)
        }
    }

    /// Joins by or, of at least one.
    pub(crate) fn or(parts: Vec<Expr>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Expr::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 {
            flat.remove(0)
        } else {
            Expr::Or(flat)
        }
    }

    /// Writes it so that it stands as one term: an `Or` in brackets, an `And` too below a `not`.
    fn write_term(&self, f: &mut fmt::Formatter<'_>, below_not: bool) -> fmt::Result {
        let bare = match self {
            Expr::And(parts) => parts.is_empty() || !below_not,
            Expr::Or(_) => false,
            Expr::Not(_) | Expr::Test(_) => true,
        };
        if bare {
            write!(f, "{self}")
        } else {
            write!(f, "({self})")
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::And(parts) if parts.is_empty() => f.write_str("*"),
            Expr::And(parts) => joined(f, parts, " "),
            Expr::Or(parts) => joined(f, parts, " or "),
            Expr::Not(inner) => {
                f.write_str("-")?;
                inner.write_term(f, true)
            }
            Expr::Test(test) => test.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expr], between: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        part.write_term(f, false)?;
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Compare(field, op, literal) => {
                write_field(f, field)?;
                match (op, literal) {
                    (Op::Isnt, Literal::Pattern(_)) => f.write_str("!~")?,
                    (_, Literal::Pattern(_)) => f.write_str("~")?,
                    _ => f.write_str(op.as_str())?,
                }
                literal.fmt(f)
            }
            Test::In(field, literals) => {
                write_field(f, field)?;
                f.write_str(" in (")?;
                for (index, literal) in literals.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{literal}")?;
                }
                f.write_str(")")
            }
            Test::Exists(field) => {
                write_field(f, field)?;
                f.write_str(" exists")
            }
            Test::Anywhere(Text::Contains(text)) => write_word(f, text),
            Test::Anywhere(Text::Like(glob)) => f.write_str(glob.as_str()),
            Test::Anywhere(Text::Matches(pattern)) => {
                f.write_str("*~")?;
                write_value(f, pattern.0.as_str())
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Text(text) => write_value(f, text),
            Literal::Number(text) => f.write_str(text),
            Literal::Like(glob) => f.write_str(glob.as_str()),
            Literal::Pattern(pattern) => write_value(f, pattern.0.as_str()),
            Literal::Level(level) => f.write_str(level_word(*level)),
            Literal::Span(span) => span.fmt(f),
            Literal::Size(size) => size.fmt(f),
            Literal::When(when) => when.fmt(f),
        }
    }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}
