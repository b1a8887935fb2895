//! Reads what a rule asks of a number that its events carry.

use serde_norway::Value;

use crate::error::Error;
use crate::read::kind::count;
use crate::read::node::Node;
use crate::rule::Kind;
use crate::stat::{Limit, Side, Statistic};

/// `field`, `stat`, `threshold`, `min_count`, and `clear`'s `below` or `above`.
pub(crate) fn read(node: &Node<'_>, clear: Option<&Node<'_>>) -> Result<Kind, Error> {
    let field = node.need("field")?.str()?.into();
    let stat = node
        .need("stat")
        .map_err(|_| node.error("`stat` is missing: avg, sum, min, max, or a percentile: p99"))?;
    let of = statistic(&stat)?;
    let threshold = node.need("threshold")?;
    let (side, fires) = limit(&threshold)?;
    if let (Statistic::Percentile(_), true) = (of, fires <= 0.0) {
        return Err(threshold.expected("for a percentile a number above 0"));
    }
    let min_count = count(node, "min_count")?.unwrap_or(match of {
        Statistic::Avg | Statistic::Percentile(_) => MIN_COUNT,
        Statistic::Sum | Statistic::Min | Statistic::Max => 1,
    });
    let good = good(clear, side, fires)?;
    Ok(Kind::FieldStat {
        field,
        of,
        limit: Limit { side, fires, good },
        min_count,
    })
}

fn statistic(node: &Node<'_>) -> Result<Statistic, Error> {
    Ok(match node.str()? {
        "avg" => Statistic::Avg,
        "sum" => Statistic::Sum,
        "min" => Statistic::Min,
        "max" => Statistic::Max,
        other => {
            let percent = other.strip_prefix('p').and_then(|text| text.parse().ok());
            let percent = percent.filter(|percent: &f64| *percent > 0.0 && *percent < 100.0);
            let expected = || node.expected("avg, sum, min, max, or a percentile such as p99.9");
            Statistic::Percentile(percent.ok_or_else(expected)?)
        }
    })
}

/// `800` and `>=800` fire from there on, `<5` below.
fn limit(node: &Node<'_>) -> Result<(Side, f64), Error> {
    let read = match node.value() {
        Value::Number(number) => number.as_f64().map(|number| (Side::AtLeast, number)),
        Value::String(text) => {
            let (side, number) = match text.strip_prefix('<') {
                Some(number) => (Side::Below, number),
                None => (Side::AtLeast, text.strip_prefix(">=").unwrap_or("")),
            };
            number.trim().parse().ok().map(|number| (side, number))
        }
        _ => None,
    };
    read.filter(|(_, number)| number.is_finite())
        .ok_or_else(|| node.expected("a number from which on it fires, such as 800, or '<5'"))
}

fn good(clear: Option<&Node<'_>>, side: Side, fires: f64) -> Result<f64, Error> {
    let of = |key| clear.and_then(|clear| clear.get(key));
    let (own, other, which) = match side {
        Side::AtLeast => (of("below"), of("above"), "`below`: it fires from"),
        Side::Below => (of("above"), of("below"), "`above`: it fires below"),
    };
    if let Some(other) = other {
        return Err(other.error(format!("where it is good again is {which} its threshold")));
    }
    let Some(node) = own else {
        return Ok(fires);
    };
    let good = node.value().as_f64().filter(|good| match side {
        Side::AtLeast => *good <= fires,
        Side::Below => *good >= fires && good.is_finite(),
    });
    good.ok_or_else(|| {
        let to = match side {
            Side::AtLeast => "up to",
            Side::Below => "from",
        };
        node.expected(&format!("a number {to} the threshold, {fires}"))
    })
}

/// Of fewer numbers a mean or a percentile says little.
const MIN_COUNT: u64 = 20;
