//! Makes a tree of spans of the lines of one trace. Pure.

use std::collections::HashMap;

use dogwatch_line::{Columns, Now, Times, Value};

/// The lines of one trace, as they come; [`tree`](Self::tree) joins them.
pub(crate) struct Lines {
    columns: Columns,
    times: Times,
    spans: Vec<Span>,
    by_id: HashMap<String, usize>,
    /// Lines that were not kept.
    pub(crate) left_out: u64,
    pub(crate) lines: u64,
}

/// A span with its lines, or one that others name as their parent and that has none here.
#[derive(Debug, Default)]
pub(crate) struct Span {
    pub(crate) id: String,
    /// As its lines name it.
    parent: Option<String>,
    pub(crate) children: Vec<usize>,
    /// In their order, without the closing line.
    pub(crate) lines: Vec<Entry>,
    /// The line that says how long it took.
    pub(crate) closing: Option<Entry>,
    pub(crate) service: Option<String>,
    /// In milliseconds, as its closing line says.
    pub(crate) took: Option<f64>,
    /// When it began and ended, as far as the lines tell.
    pub(crate) time: Option<(i128, i128)>,
    /// Whether it is one of those that took longest, from the root on.
    pub(crate) slowest: bool,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Option<i128>,
    pub(crate) text: String,
}

/// The spans of a trace; each but the roots is the child of one.
pub(crate) struct Tree {
    pub(crate) spans: Vec<Span>,
    pub(crate) roots: Vec<usize>,
}

impl Lines {
    pub(crate) fn new(zone: Now) -> Self {
        Self {
            columns: Columns::new(["span_id", "parent_span_id", "service", "latency_ms"]),
            times: Times::new(zone),
            spans: Vec::new(),
            by_id: HashMap::new(),
            left_out: 0,
            lines: 0,
        }
    }

    /// Takes in a line. Lines without a span belong to one without an id.
    pub(crate) fn add(&mut self, line: &str) {
        self.lines += 1;
        if self.lines > MOST_LINES {
            self.left_out += 1;
            return;
        }
        let mut values = self.columns.of(line).into_iter();
        let [id, parent, service, took] = std::array::from_fn(|_| values.next().flatten());
        let index = self.span(&id.map(|id| id.to_string()).unwrap_or_default());
        let span = &mut self.spans[index];
        let parent = parent.map(|parent| parent.to_string());
        span.parent = span.parent.take().or(parent);
        let service = service.map(|service| service.to_string());
        span.service = span.service.take().or(service);
        let entry = Entry {
            at: self.times.of(line),
            text: line.to_owned(),
        };
        match took.and_then(millis) {
            // Of a call that was tried again in one span, the one that took longest tells.
            Some(took) if span.took.is_none_or(|known| took > known) && !span.id.is_empty() => {
                span.took = Some(took);
                span.lines.extend(span.closing.replace(entry));
            }
            _ => span.lines.push(entry),
        }
    }

    fn span(&mut self, id: &str) -> usize {
        if let Some(index) = self.by_id.get(id) {
            return *index;
        }
        self.by_id.insert(id.to_owned(), self.spans.len());
        self.spans.push(Span {
            id: id.to_owned(),
            ..Span::default()
        });
        self.spans.len() - 1
    }

    /// Joins the spans, finds when each began and ended, and which path took longest.
    pub(crate) fn tree(mut self) -> Tree {
        let mut parents: Vec<Option<usize>> = Vec::new();
        for index in 0..self.spans.len() {
            let parent = self.spans[index].parent.clone();
            parents.push(parent.map(|parent| self.span(&parent)));
        }
        // Those that are only named have none themselves.
        parents.resize(self.spans.len(), None);
        uncircled(&mut parents);
        let mut spans = self.spans;
        for (index, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                spans[*parent].children.push(index);
            }
        }
        let mut roots: Vec<usize> = (0..spans.len())
            .filter(|index| parents[*index].is_none())
            .collect();
        time(&mut spans, &roots);
        let begun = |spans: &[Span], index: usize| spans[index].time.map(|(start, _)| start);
        roots.sort_by_key(|index| begun(&spans, *index));
        for index in 0..spans.len() {
            let mut children = std::mem::take(&mut spans[index].children);
            children.sort_by_key(|child| begun(&spans, *child));
            spans[index].children = children;
        }
        mark(&mut spans, &roots);
        Tree { spans, roots }
    }
}

impl Span {
    /// Whether it is more than a name.
    pub(crate) fn has_lines(&self) -> bool {
        !self.id.is_empty() && (self.closing.is_some() || !self.lines.is_empty())
    }

    /// How long it took in nanoseconds: as it says, or from its first line to its last.
    pub(crate) fn nanos(&self) -> i128 {
        match (self.took, self.time) {
            (Some(took), _) => (took * 1e6) as i128,
            (None, Some((start, end))) => end - start,
            (None, None) => 0,
        }
    }
}

/// Takes from a circle of parents one, so that none is its own ancestor.
fn uncircled(parents: &mut [Option<usize>]) {
    // The walk in which each was met.
    let mut met = vec![0; parents.len()];
    for start in 0..parents.len() {
        let mut at = start;
        while let Some(parent) = parents[at].filter(|_| met[at] == 0) {
            met[at] = start + 1;
            if met[parent] == start + 1 {
                parents[at] = None;
            }
            at = parent;
        }
    }
}

/// Children before their parents, without recursion: a trace may be deep.
fn inside_out(spans: &[Span], roots: &[usize]) -> Vec<usize> {
    let mut order = roots.to_vec();
    let mut at = 0;
    while at < order.len() {
        order.extend_from_slice(&spans[order[at]].children);
        at += 1;
    }
    order.reverse();
    order
}

fn time(spans: &mut [Span], roots: &[usize]) {
    for index in inside_out(spans, roots) {
        let span = &spans[index];
        let closed = span.closing.as_ref().and_then(|closing| closing.at);
        let own = closed.map(|end| (end - span.nanos(), end));
        let lines = span
            .lines
            .iter()
            .filter_map(|line| Some((line.at?, line.at?)));
        let children = span.children.iter().filter_map(|child| spans[*child].time);
        let within = lines.chain(children);
        // A child may outlive its parent; where a span says itself when it was, that is it.
        let joined =
            |one: (i128, i128), other: (i128, i128)| (one.0.min(other.0), one.1.max(other.1));
        let time = own.or_else(|| within.reduce(joined));
        spans[index].time = time;
    }
}

/// From the root that took longest on: of each the child that took longest.
fn mark(spans: &mut [Span], roots: &[usize]) {
    let slowest = |spans: &[Span], among: &[usize]| {
        let mut real = among
            .iter()
            .copied()
            .filter(|index| !spans[*index].id.is_empty());
        let first = real.next()?;
        Some(real.fold(first, |best, next| {
            if spans[next].nanos() > spans[best].nanos() {
                next
            } else {
                best
            }
        }))
    };
    let mut next = slowest(spans, roots);
    while let Some(index) = next {
        spans[index].slowest = true;
        next = slowest(spans, &spans[index].children);
    }
}

fn millis(value: Value<'_>) -> Option<f64> {
    match value {
        Value::F64(millis) => Some(millis),
        Value::I64(millis) => Some(millis as f64),
        Value::U64(millis) => Some(millis as f64),
        _ => None,
    }
    .filter(|millis| (0.0..1e15).contains(millis))
}

/// Of a trace with more the first are shown, and it is told.
pub(crate) const MOST_LINES: u64 = 10_000;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use dogwatch_line::Now;

    use super::{Lines, Tree, uncircled};

    fn tree(lines: &[String]) -> Tree {
        let mut found = Lines::new(Now::utc(UNIX_EPOCH));
        for line in lines {
            found.add(line);
        }
        found.tree()
    }

    /// Each span as `id(children)`, the slowest path with a star.
    fn written(tree: &Tree, indexes: &[usize]) -> String {
        let spans = indexes.iter().map(|index| {
            let span = &tree.spans[*index];
            let inside = written(tree, &span.children);
            let star = if span.slowest { "*" } else { "" };
            let inside = if inside.is_empty() {
                inside
            } else {
                format!("({inside})")
            };
            format!("{}{star}{inside}", span.id)
        });
        spans.collect::<Vec<_>>().join(" ")
    }

    fn line(seconds: u32, span: &str, parent: &str, more: &str) -> String {
        format!(
            r#"{{"timestamp":"2026-11-24T10:00:{seconds:02}Z","span_id":"{span}","parent_span_id":"{parent}"{more}}}"#
        )
    }

    #[test]
    fn spans_hang_under_their_parents_and_the_longest_way_is_marked() {
        let tree = tree(&[
            line(1, "a1", "a", ""),
            line(2, "a", "caller", r#","latency_ms":1500"#),
            line(3, "b2", "b", ""),
            line(5, "b2", "b", ""),
            line(6, "b1", "b", r#","latency_ms":500"#),
            line(9, "b", "caller", r#","latency_ms":7000"#),
        ]);
        assert_eq!(written(&tree, &tree.roots), "caller*(a(a1) b*(b2* b1))");
        let b = &tree.spans[tree.spans[tree.roots[0]].children[1]];
        let at = |second: i128| (1_795_514_400 + second) * 1_000_000_000;
        assert_eq!(b.time, Some((at(2), at(9))));
        assert_eq!((b.lines.len(), b.closing.is_some()), (0, true));
        assert_eq!(
            tree.spans[tree.roots[0]].time,
            Some((at(0) + 500_000_000, at(9)))
        );
    }

    #[test]
    fn no_line_is_lost_though_parents_go_in_circles_or_spans_have_no_id() {
        let tree = tree(&[
            line(1, "a", "b", ""),
            line(1, "b", "c", ""),
            line(1, "c", "a", ""),
            line(1, "d", "d", ""),
            "{\"trace_id\":\"x\"}".to_owned(),
            "{\"latency_ms\":5}".to_owned(),
        ]);
        assert_eq!(
            written(&tree, &tree.roots)
                .matches(['a', 'b', 'c', 'd'])
                .count(),
            4
        );
        let lines: usize = tree.spans.iter().map(|span| span.lines.len()).sum();
        assert_eq!(lines, 6);
        let mut parents = [Some(0), Some(2), Some(1), Some(1), None];
        uncircled(&mut parents);
        assert_eq!(parents, [None, Some(2), None, Some(1), None]);
    }

    #[test]
    fn a_trace_as_deep_as_it_has_lines_is_joined() {
        let lines: Vec<String> = (1..9_000)
            .map(|number| line(1, &number.to_string(), &(number - 1).to_string(), ""))
            .collect();
        let tree = tree(&lines);
        assert_eq!(tree.roots.len(), 1);
        assert!(tree.spans.iter().all(|span| span.slowest));
    }
}
