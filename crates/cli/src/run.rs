//! Finds lines and writes them out.

use std::error::Error as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use dogwatch_line::{Lens, Now, Query};
use dogwatch_reader::{Family, Merged, Search, Start, Trouble};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::args::Args;
use crate::reckon::Reckoning;
use crate::show::Show;

/// What the exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Found,
    Nothing,
    Trouble,
}

/// Shows the lines that are asked for.
pub(crate) fn lines(args: &Args, color: bool) -> Result<Outcome, String> {
    let query = Query::parse(&args.query).map_err(|error| pointed(&args.query, &error))?;
    let zone = if args.utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let table = match query.summary() {
        Some(_) if args.follow || args.json || args.count => {
            return Err(
                "behind the pipe stands a table, which --follow, --json and --count do not fit"
                    .to_owned(),
            );
        }
        Some(summary) => Some(Reckoning::new(summary, now(&zone), zone.clone())?),
        None => None,
    };
    let search = Search::new(&query, now(&zone));
    let show = Show {
        lens: Lens::new(now(&zone)),
        zone: zone.clone(),
        color,
    };
    let mut out = Out {
        args,
        show,
        table,
        writer: BufWriter::new(io::stdout().lock()),
        text: String::new(),
        found: 0,
        troubled: false,
    };
    match out.all(&search, &zone) {
        Ok(()) => {}
        // Whoever reads has seen enough.
        Err(Stop::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(Stop::Enough) => {}
        Err(Stop::Pipe(error)) => return Err(format!("cannot write: {error}")),
        Err(Stop::Wrong(message)) => return Err(message),
    }
    out.end()
}

struct Out<'a> {
    args: &'a Args,
    show: Show,
    table: Option<Reckoning>,
    writer: BufWriter<io::StdoutLock<'static>>,
    text: String,
    found: u64,
    troubled: bool,
}

/// Why no more lines are looked for.
enum Stop {
    Enough,
    Pipe(io::Error),
    Wrong(String),
}

impl Out<'_> {
    fn all(&mut self, search: &Search, zone: &TimeZone) -> Result<(), Stop> {
        let mut paths = self.args.paths.clone();
        if paths.is_empty() {
            let logs = Path::new("logs");
            paths.push(if logs.is_dir() {
                logs.into()
            } else {
                "-".into()
            });
        }
        if self.args.lines == Some(0) {
            return Ok(());
        }
        if self.args.follow {
            return self.follow(search, &paths);
        }
        if paths.iter().any(|path| path.as_os_str() == "-") {
            if paths.len() > 1 {
                return Err(Stop::Wrong("standard input, `-`, stands alone".to_owned()));
            }
            return self.reading(search.read_from(io::stdin()));
        }
        let families = Family::find(&paths).map_err(|error| Stop::Wrong(told(&error)))?;
        if let [family] = &*families {
            return self.reading(search.read(family));
        }
        if self.args.count {
            return families
                .iter()
                .try_for_each(|family| self.reading(search.read(family)));
        }
        for line in Merged::new(search, &families, now(zone)) {
            match line {
                Ok(line) => self.line(line.text())?,
                Err(trouble) => self.trouble(&trouble),
            }
        }
        Ok(())
    }

    fn reading(&mut self, mut reading: dogwatch_reader::Reading<'_>) -> Result<(), Stop> {
        while let Some(next) = reading.next() {
            match next {
                Ok(line) => self.line(&line.text())?,
                Err(trouble) => self.trouble(&trouble),
            }
        }
        Ok(())
    }

    fn follow(&mut self, search: &Search, paths: &[PathBuf]) -> Result<(), Stop> {
        let [path] = paths else {
            return Err(Stop::Wrong("--follow takes the path of one log".to_owned()));
        };
        let log = match (path.is_dir(), Family::find(&[path])) {
            (false, _) => path.clone(),
            (true, Ok(families)) if families.len() == 1 => families[0].log().to_owned(),
            (true, _) => {
                return Err(Stop::Wrong(format!(
                    "--follow takes one log, and `{}` is a folder",
                    path.display()
                )));
            }
        };
        let mut follow = search.follow(&log, Start::End);
        // Nobody sends: it is a wait that ends in time.
        let (_sender, nothing) = mpsc::channel::<()>();
        loop {
            while let Some(next) = follow.next() {
                match next {
                    Ok(line) => self.line(&line.text())?,
                    Err(trouble) => self.trouble(&trouble),
                }
            }
            self.writer.flush().map_err(Stop::Pipe)?;
            let _ = nothing.recv_timeout(PAUSE);
        }
    }

    fn line(&mut self, text: &str) -> Result<(), Stop> {
        self.found += 1;
        if let Some(table) = &mut self.table {
            table.line(text);
        } else if !self.args.count {
            self.text.clear();
            if self.args.json {
                self.text.push_str(text);
                self.text.push('\n');
            } else {
                self.show.line(text, &mut self.text);
            }
            self.writer
                .write_all(self.text.as_bytes())
                .map_err(Stop::Pipe)?;
        }
        if self.args.lines.is_some_and(|most| self.found >= most) {
            return Err(Stop::Enough);
        }
        Ok(())
    }

    fn trouble(&mut self, trouble: &Trouble) {
        self.troubled = true;
        // What was found so far comes first.
        let _ = self.writer.flush();
        let why = trouble
            .source()
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        let _ = writeln!(io::stderr(), "dogwatch: {trouble}{why}");
    }

    fn end(mut self) -> Result<Outcome, String> {
        let written = if let Some(table) = &self.table {
            if let Some(shortfall) = table.shortfall() {
                let _ = writeln!(io::stderr(), "dogwatch: {shortfall}");
            }
            self.writer
                .write_all(table.table().as_bytes())
                .and_then(|()| self.writer.flush())
        } else if self.args.count {
            writeln!(self.writer, "{}", self.found).and_then(|()| self.writer.flush())
        } else {
            self.writer.flush()
        };
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(format!("cannot write: {error}"));
            }
            _ => {}
        }
        Ok(match (self.troubled, self.found) {
            (true, _) => Outcome::Trouble,
            (false, 0) => Outcome::Nothing,
            (false, _) => Outcome::Found,
        })
    }
}

/// This moment, in a zone.
fn now(zone: &TimeZone) -> Now {
    let zone = zone.clone();
    Now::zoned(SystemTime::now(), move |seconds| {
        Timestamp::from_second(seconds).map_or(0, |at| zone.to_offset(at).seconds())
    })
}

/// An error of a query under the place that it points at.
fn pointed(query: &str, error: &dogwatch_line::Error) -> String {
    let before = query[..error.offset().min(query.len())].chars().count();
    if query.contains('\n') {
        return error.to_string();
    }
    format!("{error}\n  {query}\n  {}^", " ".repeat(before))
}

fn told(error: &dogwatch_reader::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// How long nothing is looked at when nothing is new.
const PAUSE: Duration = Duration::from_millis(100);
