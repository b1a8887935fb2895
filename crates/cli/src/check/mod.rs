//! Holds lines against the field dictionary, and tells what is missing, wrong, double or secret.

mod dictionary;
mod findings;
mod judge;
mod secrets;

use std::io::{self, Write as _};

use crate::asked::asked;
use crate::command::Given;
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::session::{Session, filter};
use findings::Findings;

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let (text, paths) = asked(given)?;
    let query = filter(text, "check")?;
    let search = session.search(&query);
    let input = Input::find(&paths)?;
    let progress = input.progress(&session);
    let mut findings = Findings::new();
    Stop::settled(input.each(&session, &search, &mut |line, path| {
        findings.line(line, path);
        Ok(())
    }))?;
    drop(progress);
    let written = io::stdout().write_all(findings.page().as_bytes());
    Stop::settled(written.map_err(Stop::Pipe))?;
    Ok(session.outcome(findings.is_passed()))
}
