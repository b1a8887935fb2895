//! Reads how far a count may move, and against when.

use std::time::Duration;

use crate::error::Error;
use crate::read::kind::{MAX_REFERENCE, MIN_SPIKE, count};
use crate::read::limits::window_span;
use crate::read::node::Node;
use crate::rule::Kind;
use crate::shift::{Limits, Way};

/// `threshold: +50%` or `-50%`, `offset`, `min_reference`, and `clear`'s `below: 20%`.
pub(crate) fn read(
    node: &Node<'_>,
    below: Option<&Node<'_>>,
    window: Duration,
) -> Result<Kind, Error> {
    let threshold = node.need("threshold")?;
    let (way, moves) = moved(&threshold)?;
    let calms = match below {
        Some(below) => {
            let text = below.value().as_str().unwrap_or_default();
            let share = percent(text).filter(|share| *share > 0.0 && *share <= moves);
            share.ok_or_else(|| {
                let most = (moves * 1e6).round() / 1e4;
                below.expected(&format!(
                    "a share without a sign, up to {most}%, such as 20%"
                ))
            })?
        }
        None => moves,
    };
    let (fires, good) = match way {
        Way::Rise => (1.0 + moves, 1.0 + calms),
        Way::Fall => (1.0 - moves, 1.0 - calms),
    };
    if window < MIN_SPIKE {
        let at = node.get("window").unwrap_or_else(|| node.clone());
        return Err(at.error("a change needs a window of a second at least"));
    }
    let offset = node.get("offset");
    let span = offset.as_ref().map(window_span).transpose()?;
    let span = span.unwrap_or(window);
    if let Some(offset) = offset.filter(|_| span < window || span > MAX_REFERENCE * window) {
        return Err(offset.error(format!(
            "the offset must be from one window to {MAX_REFERENCE} windows"
        )));
    }
    Ok(Kind::Change {
        limits: Limits { way, fires, good },
        min_reference: count(node, "min_reference")?.unwrap_or(MIN_REFERENCE),
        offset: span,
    })
}

fn moved(node: &Node<'_>) -> Result<(Way, f64), Error> {
    let text = node.value().as_str().unwrap_or_default();
    let read = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rise), _) => percent(rise).map(|share| (Way::Rise, share, 1e4)),
        (_, Some(fall)) => percent(fall).map(|share| (Way::Fall, share, 1.0)),
        _ => None,
    };
    let (way, share, _) = read
        .filter(|(_, share, most)| *share > 0.0 && share <= most)
        .ok_or_else(|| node.expected("a rise such as +50% or a fall up to -100%, with its sign"))?;
    Ok((way, share))
}

fn percent(text: &str) -> Option<f64> {
    let digits = text.strip_suffix('%')?.trim();
    // No second sign, no `inf`.
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent: f64 = digits.parse().ok().filter(|_| plain)?;
    Some(percent / 100.0)
}

/// Against fewer a change says little.
const MIN_REFERENCE: u64 = 20;
