//! Shows the lines that a query finds, counts them, follows them, or makes a table of them.

use std::path::{Path, PathBuf};

use dogwatch_line::{Lens, Query};

use crate::asked::asked;
use crate::command::{
    CONTEXT, COUNT, CSV, CURSOR, FIELDS, FOLLOW, Given, JSON, LINES, NO_PAGER, Opt, TAIL,
};
use crate::context::Context;
use crate::csv::Rows;
use crate::follow::{Following, followed};
use crate::input::Input;
use crate::last::last;
use crate::near::near;
use crate::out::{Form, Out};
use crate::outcome::{Outcome, Stop};
use crate::pager::Pager;
use crate::paint::Paint;
use crate::question::Question;
use crate::reckon::Reckoning;
use crate::session::{Session, query};
use crate::show::{Chosen, Show};

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let (text, paths) = asked(given)?;
    let query = query(text)?;
    refuse(given, query.summary().is_some())?;
    let lines = |lines| usize::try_from(lines).unwrap_or(usize::MAX);
    let context = given.number(&CONTEXT).map(lines);
    let question = Question::new(given, &session, &query, context)?;
    let mut view = View {
        context: context.map(Context::new),
        out: Out::new(
            form(given, &session, &query)?,
            given.number(&LINES),
            pager(given, &session, &query),
            session.terminal,
        ),
    };
    let mut following = following(given, &session, &question, &paths)?;
    let stopped = match &mut following {
        _ if given.number(&LINES) == Some(0) => Ok(()),
        Some(following) => view.follow(&session, &question, following, given.follows()),
        None => view.lines(&session, &question, &paths, given.number(&TAIL)),
    };
    let ended = view.out.end();
    // What nobody saw is shown again by the next run.
    let seen = matches!(stopped, Ok(()) | Err(Stop::Enough)) && ended.is_ok();
    if let (Some(following), true) = (&mut following, seen) {
        following.save()?;
    }
    Stop::settled(stopped)?;
    Stop::settled(ended)?;
    question.end();
    Ok(session.outcome(view.out.found > 0))
}

/// What is read with a place to go on from, if it is.
fn following<'a>(
    given: &Given,
    session: &Session,
    question: &'a Question,
    paths: &[PathBuf],
) -> Result<Option<Following<'a>>, String> {
    match given.value(&CURSOR) {
        Some(cursor) => {
            // To wait for a log that is not there is for those who follow.
            if !given.follows() {
                if let Input::Stream = Input::find(paths)? {
                    return Err("--cursor is for a log, and standard input is none".to_owned());
                }
            }
            let logs = followed(paths)?;
            Following::on_from(session, question, &logs, cursor).map(Some)
        }
        None if given.follows() => Ok(Some(Following::new(session, question, &followed(paths)?))),
        None => Ok(None),
    }
}

/// Refuses what does not go together.
fn refuse(given: &Given, table: bool) -> Result<(), String> {
    let pairs: [(&Opt, &[&Opt]); 5] = [
        (&CURSOR, &[&TAIL]),
        (&CSV, &[&COUNT, &JSON]),
        (&FOLLOW, &[&COUNT, &TAIL]),
        (&CONTEXT, &[&COUNT, &TAIL]),
        (&LINES, &[&TAIL]),
    ];
    for (option, others) in pairs.iter().filter(|(option, _)| given.has(option)) {
        if let Some(other) = others.iter().find(|other| given.has(other)) {
            return Err(format!(
                "--{} and --{} do not go together",
                option.long, other.long
            ));
        }
    }
    let lines: [&Opt; 5] = [&FOLLOW, &JSON, &COUNT, &CONTEXT, &FIELDS];
    match lines.iter().find(|option| table && given.has(option)) {
        Some(option) => Err(format!(
            "behind the pipe stands a table, which --{} does not fit",
            option.long
        )),
        None if table && given.follows() => Err(
            "behind the pipe stands a table, and what is followed has no end to make one at"
                .to_owned(),
        ),
        None => Ok(()),
    }
}

/// Lines for people on a terminal may be many.
fn pager(given: &Given, session: &Session, query: &Query) -> Pager {
    let lines = query.summary().is_none() && !given.has(&COUNT) && !given.follows();
    match lines && session.terminal && !given.has(&NO_PAGER) {
        true => Pager::Ready(session.second),
        false => Pager::none(),
    }
}

fn form(given: &Given, session: &Session, query: &Query) -> Result<Form, String> {
    Ok(match query.summary() {
        Some(summary) => Form::Table {
            table: Box::new(Reckoning::new(
                summary,
                session.now(),
                session.zone.clone(),
            )?),
            terminal: session.terminal,
            csv: given.has(&CSV),
        },
        None if given.has(&CSV) => Form::Csv {
            rows: Box::new(Rows::new(given.value(&FIELDS).unwrap_or_default())),
            terminal: session.terminal,
            begun: false,
        },
        None if given.has(&COUNT) => Form::Count,
        None if given.has(&JSON) => Form::Json {
            terminal: session.terminal,
        },
        None => Form::Show(Box::new(Show {
            lens: Lens::new(session.now()),
            zone: session.zone.clone(),
            paint: Paint { on: session.color },
            chosen: given.value(&FIELDS).map(Chosen::new),
        })),
    })
}

struct View {
    /// Lines around those that are found.
    context: Option<Context>,
    out: Out,
}

impl View {
    fn lines(
        &mut self,
        session: &Session,
        question: &Question,
        paths: &[PathBuf],
        tail: Option<u64>,
    ) -> Result<(), Stop> {
        let View { context, out } = self;
        let input = Input::find(paths).map_err(Stop::Wrong)?;
        // Where lines are shown, they show how far it is.
        let progress = (!session.terminal || !out.is_ordered()).then(|| input.progress(session));
        if let Some(most) = tail {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let lines = last(&input, session, question, most);
            drop(progress);
            return lines.iter().try_for_each(|(line, _)| out.line(line));
        }
        if let (Some((search, lines)), true) = (&question.near, input.is_one()) {
            return near(session, &input, search, *lines, out);
        }
        let ordered = out.is_ordered() && !question.makes_fields();
        let mut take = |line: &str, _: &Path| each(question, context, out, line);
        // The time of a text is known only when its fields are made: then log stands behind log.
        if ordered {
            input.by_time(session, &question.search, &mut take)
        } else {
            input.each(session, &question.search, &mut take)
        }
    }

    /// Shows what is there, and, if there is no end to it, what comes.
    fn follow(
        &mut self,
        session: &Session,
        question: &Question,
        following: &mut Following<'_>,
        on: bool,
    ) -> Result<(), Stop> {
        let View { context, out } = self;
        loop {
            let any = following.pass(session, &mut |line| each(question, context, out, line))?;
            if session.watch.is_stopped() {
                return Ok(());
            }
            if on {
                out.flush()?;
                following.save().map_err(Stop::Wrong)?;
            }
            match (any, on) {
                (true, _) => {}
                (false, true) => following.wait(),
                (false, false) => return Ok(()),
            }
        }
    }
}

/// Takes a line that the search gave.
fn each(
    question: &Question,
    context: &mut Option<Context>,
    out: &mut Out,
    line: &str,
) -> Result<(), Stop> {
    let Some(context) = context else {
        if let Some(line) = question.found(line) {
            out.line(&line)?;
        }
        return if out.is_full() {
            Err(Stop::Enough)
        } else {
            Ok(())
        };
    };
    let line = question.made(line);
    // Behind the last that is asked for, others only stand around it.
    let found = !out.is_full() && question.matcher.judge(&line).holds();
    context.line(&line, found, &mut |place, line| out.place(place, line))?;
    if out.is_full() && context.is_complete() {
        return Err(Stop::Enough);
    }
    Ok(())
}
