//! What comes behind the pipe: counts, rates, percentiles, charts over time.

use std::fmt;
use std::time::Duration;

use super::literal::Span;
use super::quote::write_field;

/// What is made of the lines that a query finds. It says what to reckon; whoever reads the lines
/// reckons it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Summary {
    /// `count by route`, `p50,p99(latency_ms) by route`: one row for each group.
    Table {
        /// The columns, at least one.
        measures: Vec<Measure>,
        /// The fields whose values make a group; all lines are one group if there are none.
        by: Vec<Box<str>>,
    },
    /// `rate 1m by level`: lines for each stretch of time, on average.
    Rate {
        /// The stretch; a minute if none was given.
        each: Duration,
        /// As for a table.
        by: Vec<Box<str>>,
    },
    /// `top 10 message`: the commonest values.
    Top {
        /// How many; 10 if no number was given.
        most: usize,
        /// The fields whose values are counted together.
        fields: Vec<Box<str>>,
    },
    /// `timechart 1m count by level`: a table for each stretch of time.
    Timechart {
        /// The stretch.
        each: Duration,
        /// As for a table; `count` if none was given.
        measures: Vec<Measure>,
        /// As for a table.
        by: Vec<Box<str>>,
    },
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// How many lines.
    Count,
    /// `p99.9(latency_ms)`: the value that this many thousandths of the values do not exceed.
    Percentile(u16, Box<str>),
    /// The least value.
    Min(Box<str>),
    /// The greatest value.
    Max(Box<str>),
    /// The mean.
    Avg(Box<str>),
    /// The sum.
    Sum(Box<str>),
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Summary::Table { measures, by } => {
                list(f, measures, |f, measure| measure.fmt(f))?;
                write_by(f, by)
            }
            Summary::Rate { each, by } => {
                write!(f, "rate {}", span(*each))?;
                write_by(f, by)
            }
            Summary::Top { most, fields } => {
                write!(f, "top {most} ")?;
                list(f, fields, |f, field| write_field(f, field))
            }
            Summary::Timechart { each, measures, by } => {
                write!(f, "timechart {} ", span(*each))?;
                list(f, measures, |f, measure| measure.fmt(f))?;
                write_by(f, by)
            }
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self {
            Measure::Count => return f.write_str("count"),
            Measure::Percentile(thousandths, field) => {
                write!(f, "p{}", thousandths / 10)?;
                if thousandths % 10 > 0 {
                    write!(f, ".{}", thousandths % 10)?;
                }
                field
            }
            Measure::Min(field) => f.write_str("min").map(|()| field)?,
            Measure::Max(field) => f.write_str("max").map(|()| field)?,
            Measure::Avg(field) => f.write_str("avg").map(|()| field)?,
            Measure::Sum(field) => f.write_str("sum").map(|()| field)?,
        };
        f.write_str("(")?;
        write_field(f, field)?;
        f.write_str(")")
    }
}

fn span(each: Duration) -> Span {
    // It was read from a span, so it fits one.
    Span(u64::try_from(each.as_nanos()).unwrap_or(u64::MAX))
}

fn write_by(f: &mut fmt::Formatter<'_>, by: &[Box<str>]) -> fmt::Result {
    if by.is_empty() {
        return Ok(());
    }
    f.write_str(" by ")?;
    list(f, by, |f, field| write_field(f, field))
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        write(f, item)?;
    }
    Ok(())
}
