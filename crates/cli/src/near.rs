//! Shows the lines of one log that a query finds with those around them, found by the fast search.

use std::io;

use dogwatch_reader::Search;

use crate::context::Place;
use crate::input::Input;
use crate::out::Out;
use crate::outcome::Stop;
use crate::session::Session;

/// Shows the lines of a log, of which `search` gives so many around each that is found.
pub(crate) fn near(
    session: &Session,
    input: &Input,
    search: &Search,
    lines: usize,
    out: &mut Out,
) -> Result<(), Stop> {
    match input {
        Input::Stream => shown(session, search.read_from(io::stdin()), lines, out),
        Input::Logs(families) => families
            .iter()
            .try_for_each(|family| shown(session, search.read(family), lines, out)),
    }
}

fn shown(
    session: &Session,
    mut reading: dogwatch_reader::Reading<'_>,
    lines: usize,
    out: &mut Out,
) -> Result<(), Stop> {
    // Behind the last that is asked for, others only stand around it.
    let mut left = lines;
    let mut taken = Ok(());
    while let (Ok(()), Some(next)) = (&taken, reading.next()) {
        let found = match next {
            Ok(found) => found,
            Err(trouble) => {
                session.trouble(&trouble);
                continue;
            }
        };
        let full = out.is_full();
        if full && (left == 0 || found.is_behind_gap()) {
            taken = Err(Stop::Enough);
            continue;
        }
        left -= usize::from(full);
        let place = match full || found.is_around() {
            true => Place::Around,
            false => Place::Found,
        };
        let gap = match found.is_behind_gap() {
            true => out.place(Place::Gap, ""),
            false => Ok(()),
        };
        taken = gap.and_then(|()| out.place(place, &found.text()));
        if taken.is_ok() && out.is_full() && left == 0 {
            taken = Err(Stop::Enough);
        }
    }
    session.add(reading.report());
    taken
}
