//! Tells what the bad lines have that the good ones have not.

mod compare;

use std::io::{self, Write as _};
use std::path::PathBuf;

use dogwatch_line::Query;

use crate::command::{BAD, GOOD, Given};
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::session::{Session, filter};
use compare::Compare;

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let wanted = |option, name| {
        given.value(option).ok_or_else(|| {
            format!("`dogwatch diff` needs --{name} with a query; `dogwatch diff --help` shows how")
        })
    };
    let (bad, good) = (wanted(&BAD, "bad")?, wanted(&GOOD, "good")?);
    let paths: Vec<PathBuf> = given.words().map(PathBuf::from).collect();
    let [bad, good] = [filter(bad, "diff")?, filter(good, "diff")?];
    // Only lines that one of the two holds for are of use.
    let either = Query::parse(&format!("({}) or ({})", or_all(&bad), or_all(&good)))
        .map_err(|error| error.to_string())?;
    let (bad, good) = (bad.matcher(session.now()), good.matcher(session.now()));
    let input = Input::find(&paths)?;
    let progress = input.progress(&session);
    let mut compare = Compare::new();
    Stop::settled(
        input.each(&session, &session.search(&either), &mut |line, _| {
            // A line that is both tells nothing apart.
            match (bad.judge(line).holds(), good.judge(line).holds()) {
                (true, false) => compare.bad(line),
                (false, true) => compare.good(line),
                _ => {}
            }
            Ok(())
        }),
    )?;
    drop(progress);
    let written = io::stdout().write_all(compare.page().as_bytes());
    Stop::settled(written.map_err(Stop::Pipe))?;
    Ok(session.outcome(compare.found()))
}

/// The empty query stands for all, also in brackets.
fn or_all(query: &Query) -> String {
    match query.to_string() {
        text if text.is_empty() => "*".to_owned(),
        text => text,
    }
}
