//! Shows the lines that a query finds, counts them, follows them, or makes a table of them.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use dogwatch_line::Lens;
use dogwatch_reader::{Family, Search, Start};

use crate::command::{COUNT, FIELDS, FOLLOW, Given, JSON, LINES};
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::reckon::Reckoning;
use crate::session::{Session, query, say};
use crate::show::{Chosen, Show};

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let (text, paths) = given.question(|path| Path::new(path).exists());
    let query = query(text)?;
    let [count, follow, json] = [&COUNT, &FOLLOW, &JSON].map(|option| given.has(option));
    if follow && count {
        return Err("--follow never ends, so that --count has nothing to tell".to_owned());
    }
    let form = match query.summary() {
        Some(_) if follow || json || count => {
            return Err(
                "behind the pipe stands a table, which --follow, --json and --count do not fit"
                    .to_owned(),
            );
        }
        Some(summary) => Form::Table(Box::new(Reckoning::new(
            summary,
            session.now(),
            session.zone.clone(),
        )?)),
        None if count => Form::Count,
        None if json => Form::Json,
        None => Form::Show(Box::new(Show {
            lens: Lens::new(session.now()),
            zone: session.zone.clone(),
            color: session.color,
            chosen: given.value(&FIELDS).map(Chosen::new),
        })),
    };
    let mut out = Out {
        ordered: matches!(form, Form::Show(_) | Form::Json),
        form,
        most: given.number(&LINES),
        writer: BufWriter::new(io::stdout().lock()),
        text: String::new(),
        found: 0,
    };
    let search = session.search(&query);
    let stopped = if out.most == Some(0) {
        Ok(())
    } else if follow {
        self::follow(&session, &search, &paths, &mut out)
    } else {
        lines(&session, &search, &paths, &mut out)
    };
    Stop::settled(stopped)?;
    Stop::settled(out.end())?;
    Ok(session.outcome(out.found > 0))
}

fn lines(session: &Session, search: &Search, paths: &[PathBuf], out: &mut Out) -> Result<(), Stop> {
    let input = Input::find(paths).map_err(Stop::Wrong)?;
    if out.ordered {
        input.by_time(session, search, &mut |line, _| out.line(line))
    } else {
        input.each(session, search, &mut |line, _| out.line(line))
    }
}

fn follow(
    session: &Session,
    search: &Search,
    paths: &[PathBuf],
    out: &mut Out,
) -> Result<(), Stop> {
    let log = followed(paths).map_err(Stop::Wrong)?;
    let mut follow = search.follow(&log, Start::End);
    // Nobody sends: it is a wait that ends in time.
    let (_sender, nothing) = mpsc::channel::<()>();
    loop {
        while let Some(next) = follow.next() {
            match next {
                Ok(line) => out.line(&line.text())?,
                Err(trouble) => session.trouble(&trouble),
            }
        }
        out.writer.flush().map_err(Stop::Pipe)?;
        let _ = nothing.recv_timeout(PAUSE);
    }
}

/// The one log that is followed.
fn followed(paths: &[PathBuf]) -> Result<PathBuf, String> {
    let [path] = paths else {
        return Err("--follow takes the path of one log".to_owned());
    };
    match (path.is_dir(), Family::find(&[path])) {
        (false, _) => Ok(path.clone()),
        (true, Ok(families)) if families.len() == 1 => Ok(families[0].log().to_owned()),
        (true, _) => Err(format!(
            "--follow takes one log, and `{}` is a folder",
            path.display()
        )),
    }
}

/// What is made of a line.
enum Form {
    Show(Box<Show>),
    Json,
    Count,
    Table(Box<Reckoning>),
}

struct Out {
    form: Form,
    /// Whether the order of the lines matters.
    ordered: bool,
    most: Option<u64>,
    writer: BufWriter<io::StdoutLock<'static>>,
    text: String,
    found: u64,
}

impl Out {
    fn line(&mut self, line: &str) -> Result<(), Stop> {
        self.found += 1;
        self.text.clear();
        match &mut self.form {
            Form::Count => {}
            Form::Table(table) => table.line(line),
            Form::Json => {
                self.text.push_str(line);
                self.text.push('\n');
            }
            Form::Show(show) => show.line(line, &mut self.text),
        }
        self.writer
            .write_all(self.text.as_bytes())
            .map_err(Stop::Pipe)?;
        if self.most.is_some_and(|most| self.found >= most) {
            return Err(Stop::Enough);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let text = match &mut self.form {
            Form::Table(table) => {
                if let Some(shortfall) = table.shortfall() {
                    say(&shortfall);
                }
                table.table()
            }
            Form::Count => format!("{}\n", self.found),
            Form::Json | Form::Show(_) => String::new(),
        };
        let written = self.writer.write_all(text.as_bytes());
        written
            .and_then(|()| self.writer.flush())
            .map_err(Stop::Pipe)
    }
}

/// How long nothing is looked at when nothing is new.
const PAUSE: Duration = Duration::from_millis(100);
