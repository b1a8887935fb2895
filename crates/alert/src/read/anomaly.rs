//! Reads what belongs to a rule of the type `anomaly`.

use std::time::Duration;

use crate::error::Error;
use crate::read::kind::count;
use crate::read::limits::bounded;
use crate::read::node::Node;
use crate::rule::Kind;
use crate::usual::WINDOWS;

pub(super) fn anomaly(node: &Node<'_>) -> Result<Kind, Error> {
    if let Some(window) = node.get("window") {
        return Err(window.error("an anomaly has its own windows, of 1, 5 and 15 minutes"));
    }
    let learn = node.get("learn");
    let span = learn.as_ref().map(bounded).transpose()?.unwrap_or(DAY);
    if let Some(learn) = learn.filter(|_| span < DAY) {
        return Err(learn.expected("a day at least, all whose half hours are learned"));
    }
    Ok(Kind::Anomaly {
        learn: span,
        min_count: count(node, "min_count")?.unwrap_or(MIN_UNUSUAL),
    })
}

const DAY: Duration = Duration::from_secs(86_400);

/// The longest of an anomaly's windows.
pub(super) const WIDEST: Duration = Duration::from_secs(900);
const _: () = assert!(WINDOWS[2] * 60 == WIDEST.as_secs(), "as documented");

/// Three of what was never more than one a week are unlikely too, and nobody's incident.
const MIN_UNUSUAL: u64 = 4;
