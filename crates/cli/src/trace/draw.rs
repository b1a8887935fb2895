//! Draws the tree of a trace: when, how long, what, and the lines of each span under it. Pure.

use std::fmt::Write as _;

use dogwatch_line::Lens;

use super::tree::{Entry, Span, Tree};
use super::words::Words;

/// How it is drawn.
pub(crate) struct Draw {
    words: Words,
    color: bool,
}

/// Something that is drawn below a span.
enum Item<'a> {
    Span(usize),
    Line(&'a Entry),
}

/// What is still to be drawn, the next last.
struct Rest<'a> {
    item: Item<'a>,
    /// What stands before it.
    lead: String,
    /// Whether it is the last span of its parent.
    last: bool,
    depth: usize,
    /// Of the parent.
    service: Option<&'a str>,
}

impl Draw {
    pub(crate) fn new(lens: Lens, color: bool) -> Self {
        Self {
            words: Words::new(lens, color),
            color,
        }
    }

    /// The tree, row by row.
    pub(crate) fn tree(&self, tree: &Tree, out: &mut String) {
        let starts = tree.roots.iter().filter_map(|root| tree.spans[*root].time);
        let begin = starts.map(|(start, _)| start).min();
        let single = tree.roots.len() == 1;
        let mut rest: Vec<Rest<'_>> = Vec::new();
        for (index, root) in tree.roots.iter().enumerate().rev() {
            rest.push(Rest {
                item: Item::Span(*root),
                lead: String::new(),
                last: index + 1 == tree.roots.len(),
                depth: usize::from(!single),
                service: None,
            });
        }
        while let Some(next) = rest.pop() {
            match next.item {
                Item::Line(entry) => {
                    self.row(entry.at, None, begin, out);
                    out.push_str(&next.lead);
                    self.words.line(&entry.text, out);
                }
                Item::Span(index) => self.span(tree, index, next, begin, &mut rest, out),
            }
        }
    }

    fn span<'a>(
        &self,
        tree: &'a Tree,
        index: usize,
        own: Rest<'a>,
        begin: Option<i128>,
        rest: &mut Vec<Rest<'a>>,
        out: &mut String,
    ) {
        let span = &tree.spans[index];
        let (branch, below) = match (own.depth, own.last) {
            (0, _) => ("", ""),
            (MOST_DEPTH.., _) => ("╌ ", ""),
            (_, false) => ("├─ ", "│  "),
            (_, true) => ("└─ ", "   "),
        };
        let lead = format!("{}{below}", own.lead);
        let service = span.service.as_deref();
        // Lines without a span stand at the top, without a row for what they have not.
        let nameless = span.id.is_empty();
        if !nameless {
            self.row(span.time.map(|(start, _)| start), Some(span), begin, out);
            let _ = write!(out, "{}{branch}", own.lead);
            self.words
                .title(span, service.filter(|_| service != own.service), out);
            out.push('\n');
        }
        let items = items(tree, span);
        let spans = items
            .iter()
            .filter(|item| matches!(item, Item::Span(_)))
            .count();
        let mut seen = 0;
        let mut below: Vec<Rest<'a>> = Vec::new();
        for item in items {
            let lead = match item {
                Item::Span(_) => {
                    seen += 1;
                    lead.clone()
                }
                Item::Line(_) if nameless => lead.clone(),
                Item::Line(_) => format!("{lead}{}", if seen < spans { "│  " } else { "   " }),
            };
            below.push(Rest {
                item,
                lead,
                last: seen == spans,
                depth: own.depth + 1,
                service: service.or(own.service),
            });
        }
        rest.extend(below.into_iter().rev());
    }

    /// When, since the trace began, and how long.
    fn row(&self, at: Option<i128>, span: Option<&Span>, begin: Option<i128>, out: &mut String) {
        let since = match (at, begin) {
            (Some(at), Some(begin)) => format!("+{}", long(at - begin)),
            _ => String::new(),
        };
        let took = match span {
            // From line to line it took at least that.
            Some(span) if span.took.is_none() && span.nanos() > 0 => {
                format!("≥ {}", long(span.nanos()))
            }
            Some(span) if span.took.is_some() => long(span.nanos()),
            _ => String::new(),
        };
        let mark = if span.is_some_and(|span| span.slowest) {
            '▶'
        } else {
            ' '
        };
        let slow = self.color && mark == '▶';
        let (on, off) = if slow {
            ("\u{1b}[1;33m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        let _ = write!(out, "{since:>11} {on}{took:>11} {mark}{off} ");
    }
}

/// Lines and spans below a span, by time; a line without one stays behind the line before it.
fn items<'a>(tree: &'a Tree, span: &'a Span) -> Vec<Item<'a>> {
    let mut items: Vec<(i128, Item<'a>)> = Vec::new();
    let mut latest = i128::MIN;
    for entry in &span.lines {
        latest = latest.max(entry.at.unwrap_or(latest));
        items.push((latest, Item::Line(entry)));
    }
    for child in &span.children {
        let start = tree.spans[*child]
            .time
            .map_or(i128::MIN, |(start, _)| start);
        items.push((start, Item::Span(*child)));
    }
    // Stable: a line before a span that began with it.
    items.sort_by_key(|(at, _)| *at);
    items.into_iter().map(|(_, item)| item).collect()
}

/// `0.488 ms`, `365.6 ms`, `1.01 s`.
pub(crate) fn long(nanos: i128) -> String {
    let millis = nanos as f64 / 1e6;
    match millis.abs() {
        0.0..10.0 => format!("{millis:.3} ms"),
        10.0..1_000.0 => format!("{millis:.1} ms"),
        1_000.0..100_000.0 => format!("{:.3} s", millis / 1e3),
        _ => format!("{:.0} s", millis / 1e3),
    }
}

/// Deeper spans are drawn one below the other.
const MOST_DEPTH: usize = 24;
