//! Reads what comes behind the pipe.

use std::time::Duration;

use super::cursor::{Cursor, Word};
use super::literal::{Span, is_number};
use super::suggest::suggest;
use super::summary::{Measure, Summary};
use crate::Error;

impl Summary {
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let start = cursor.at();
        let word = cursor.word()?;
        match word.text.to_lowercase().as_str() {
            "rate" => {
                let each = if cursor.peek().is_some_and(|char| char.is_ascii_digit()) {
                    stretch(cursor)?
                } else {
                    MINUTE
                };
                Ok(Summary::Rate {
                    each,
                    by: by(cursor)?,
                })
            }
            "top" => {
                let most = if cursor.peek().is_some_and(|char| char.is_ascii_digit()) {
                    number(cursor)?
                } else {
                    10
                };
                Ok(Summary::Top {
                    most,
                    fields: names(cursor)?,
                })
            }
            "timechart" => {
                let each = stretch(cursor)?;
                let measured = cursor.peek().is_some() && !cursor.at_keyword("by");
                let measures = if measured {
                    let (start, word) = (cursor.at(), cursor.word()?);
                    measures(cursor, start, word)?
                } else {
                    vec![Measure::Count]
                };
                Ok(Summary::Timechart {
                    each,
                    measures,
                    by: by(cursor)?,
                })
            }
            _ => {
                let measures = measures(cursor, start, word)?;
                Ok(Summary::Table {
                    measures,
                    by: by(cursor)?,
                })
            }
        }
    }
}

/// `count`, `p50,p90(latency_ms)`: functions without a field of their own share the next one's.
fn measures(cursor: &mut Cursor<'_>, start: usize, first: Word) -> Result<Vec<Measure>, Error> {
    let mut found = Vec::new();
    let mut waiting: Vec<Word> = vec![first];
    loop {
        if cursor.eat('(') {
            let field: Box<str> = cursor.word()?.text.into();
            if !cursor.eat(')') {
                return Err(cursor.here("expected `)` behind the field"));
            }
            for word in waiting.drain(..) {
                found.push(measure(cursor, &word, Some(&field))?);
            }
        }
        if !cursor.eat(',') {
            break;
        }
        // A count before the comma has no field to wait for.
        for word in std::mem::take(&mut waiting) {
            if word.text.eq_ignore_ascii_case("count") {
                found.push(Measure::Count);
            } else {
                waiting.push(word);
            }
        }
        waiting.push(cursor.word()?);
    }
    for word in &waiting {
        found.push(measure(cursor, word, None)?);
    }
    if found.is_empty() {
        return Err(cursor.error(start, "nothing to reckon"));
    }
    Ok(found)
}

fn measure(cursor: &Cursor<'_>, word: &Word, field: Option<&str>) -> Result<Measure, Error> {
    let name = word.text.to_lowercase();
    let of = || {
        field.map(Box::from).ok_or_else(|| {
            cursor.error(
                word.at,
                format!("`{name}` of what? Write `{name}(latency_ms)`"),
            )
        })
    };
    match name.as_str() {
        "count" => Ok(Measure::Count),
        "min" => of().map(Measure::Min),
        "max" => of().map(Measure::Max),
        "avg" => of().map(Measure::Avg),
        "sum" => of().map(Measure::Sum),
        other => match percentile(other) {
            Some(thousandths) => of().map(|field| Measure::Percentile(thousandths, field)),
            None => Err(cursor.error(
                word.at,
                format!("unknown summary `{}`{}", word.text, nearest(other)),
            )),
        },
    }
}

fn nearest(name: &str) -> String {
    match suggest(name, &SUMMARIES) {
        none if none.is_empty() => format!("; there are {} and p0 to p100", SUMMARIES.join(", ")),
        some => some,
    }
}

/// `p50` and `p99.9`, in thousandths.
fn percentile(name: &str) -> Option<u16> {
    let number = name.strip_prefix('p')?;
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    if !is_number(whole) || tenth.len() != 1 {
        return None;
    }
    let thousandths = whole.parse::<u16>().ok()?.checked_mul(10)? + tenth.parse::<u16>().ok()?;
    (thousandths <= 1000).then_some(thousandths)
}

fn by(cursor: &mut Cursor<'_>) -> Result<Vec<Box<str>>, Error> {
    if cursor.eat_keyword("by") {
        names(cursor)
    } else {
        Ok(Vec::new())
    }
}

fn names(cursor: &mut Cursor<'_>) -> Result<Vec<Box<str>>, Error> {
    let mut names = Vec::new();
    loop {
        names.push(cursor.word()?.text.into());
        if !cursor.eat(',') {
            return Ok(names);
        }
    }
}

fn stretch(cursor: &mut Cursor<'_>) -> Result<Duration, Error> {
    let word = cursor.word()?;
    match Span::parse(&word.text) {
        Some(Span(nanos)) if nanos > 0 => Ok(Duration::from_nanos(nanos)),
        _ => Err(cursor.error(
            word.at,
            format!("`{}` is no duration; write `1m`", word.text),
        )),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    let word = cursor.word()?;
    let number = word.text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| cursor.error(word.at, format!("`{}` is no number of rows", word.text)))
}

const MINUTE: Duration = Duration::from_secs(60);

const SUMMARIES: [&str; 8] = [
    "count",
    "rate",
    "top",
    "timechart",
    "min",
    "max",
    "avg",
    "sum",
];
