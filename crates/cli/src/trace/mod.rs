//! Shows a trace as a tree: its spans with their durations, their lines inline, the slowest path marked.

mod draw;
mod id;
mod tree;
mod words;

use std::io::{self, Write as _};

use dogwatch_line::{Columns, Lens};
use jiff::Timestamp;

use crate::command::{Given, JSON};
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::session::{Session, query, say};
use draw::Draw;
use id::Id;
use tree::{Lines, MOST_LINES};

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let (id, paths) = given.first_and_paths();
    let id = Id::read(
        id.ok_or("`dogwatch trace` needs a trace id; `dogwatch trace --help` shows how")?,
    )?;
    let search = session.search(&query(&id.query())?);
    let ids = Columns::new(["trace_id"]);
    let (mut lines, mut traces, mut json) = (Lines::new(session.now()), Vec::new(), String::new());
    let found = Input::find(&paths)?.by_time(&session, &search, &mut |line, _| {
        if let Some(Some(trace)) = ids
            .of(line)
            .into_iter()
            .next()
            .map(|id| id.map(|id| id.to_string()))
        {
            if !traces.contains(&trace) && traces.len() < MOST_TRACES {
                traces.push(trace);
            }
        }
        if given.has(&JSON) && lines.lines < MOST_LINES {
            json.push_str(line);
            json.push('\n');
        }
        lines.add(line);
        Ok(())
    });
    Stop::settled(found)?;
    if traces.len() > 1 && !id.is_whole() {
        return Err(several(&id, &traces));
    }
    if lines.lines == 0 {
        say(&format!("no line has the trace id `{id}`"));
        return Ok(session.outcome(false));
    }
    if lines.left_out > 0 {
        say(&format!(
            "the first {MOST_LINES} of {} lines are shown",
            lines.lines
        ));
    }
    let out = if given.has(&JSON) {
        json
    } else {
        drawn(
            &session,
            traces.first().map_or(id.as_str(), |trace| trace),
            lines,
        )
    };
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(out.as_bytes())
        .and_then(|()| stdout.flush());
    Stop::settled(written.map_err(Stop::Pipe))?;
    Ok(session.outcome(true))
}

fn drawn(session: &Session, trace: &str, lines: Lines) -> String {
    let count = lines.lines;
    let tree = lines.tree();
    let times = tree.spans.iter().filter_map(|span| span.time);
    let time = times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let named = tree.spans.iter().filter(|span| span.has_lines());
    let named = named.count();
    let mut out = format!("trace {trace}: {count} lines, {named} spans");
    let begin = time.and_then(|(start, _)| Timestamp::from_nanosecond(start).ok());
    if let (Some(begin), Some((start, end))) = (begin, time) {
        let begin = begin.to_zoned_datetime(session.zone.clone());
        out.push_str(&format!(
            ", {} from {}",
            draw::long(end - start),
            begin.strftime("%Y-%m-%d %H:%M:%S%.3f %:z")
        ));
    }
    out.push('\n');
    Draw::new(Lens::new(session.now()), session.color).tree(&tree, &mut out);
    out
}

fn several(id: &Id, traces: &[String]) -> String {
    let more = if traces.len() == MOST_TRACES {
        " or more"
    } else {
        ""
    };
    format!(
        "`{id}` begins {}{more} trace ids, give more of one: {}",
        traces.len(),
        traces.join(", ")
    )
}

/// So many are told to choose from.
const MOST_TRACES: usize = 10;
