//! Sums up logs on one page: their time, levels, services, messages, routes and errors.

mod gather;
mod page;

use std::io::{self, Write as _};

use crate::asked::asked;
use crate::command::Given;
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::question::Question;
use crate::session::{Session, filter, say};
use gather::Gather;

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let (text, paths) = asked(given)?;
    let query = filter(text, "stats")?;
    let question = Question::new(given, &session, &query, None)?;
    let input = Input::find(&paths)?;
    let progress = input.progress(&session);
    let mut gather = Gather::new(session.now());
    Stop::settled(input.each(&session, &question.search, &mut |line, _| {
        if let Some(line) = question.found(line) {
            gather.line(&line);
        }
        Ok(())
    }))?;
    drop(progress);
    let found = gather.lines > 0;
    let page = page::page(&mut gather, &session.read(), &session.zone);
    let written = io::stdout().write_all(page.as_bytes());
    Stop::settled(written.map_err(Stop::Pipe))?;
    question.end();
    gather.shortfalls().iter().for_each(|text| say(text));
    Ok(session.outcome(found))
}
