//! Writes lines out in the form that was asked for, and counts them.

use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use crate::context::Place;
use crate::csv::Rows;
use crate::outcome::Stop;
use crate::pager::Pager;
use crate::reckon::Reckoning;
use crate::safe::safe;
use crate::session::say;
use crate::show::Show;

/// What is made of a line.
pub(crate) enum Form {
    Show(Box<Show>),
    /// As it stands in the file; for a terminal without what it would act on.
    Json {
        terminal: bool,
    },
    Count,
    /// Rows of values, with the heading still to write.
    Csv {
        rows: Box<Rows>,
        terminal: bool,
        begun: bool,
    },
    Table {
        table: Box<Reckoning>,
        terminal: bool,
        csv: bool,
    },
}

/// Standard output.
pub(crate) struct Out {
    form: Form,
    most: Option<u64>,
    writer: BufWriter<Pager>,
    /// Somebody waits for the first lines; the rest need not be flushed one by one.
    eager: bool,
    flushed: Instant,
    text: String,
    pub(crate) found: u64,
}

impl Out {
    /// `terminal` if somebody looks on, with a pager or not.
    pub(crate) fn new(form: Form, most: Option<u64>, pager: Pager, terminal: bool) -> Self {
        Self {
            form,
            most,
            writer: BufWriter::new(pager),
            eager: terminal,
            flushed: Instant::now(),
            text: String::new(),
            found: 0,
        }
    }

    /// Whether the order of the lines matters.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(
            self.form,
            Form::Show(_) | Form::Json { .. } | Form::Csv { .. }
        )
    }

    /// Whether all that was asked for is there.
    pub(crate) fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.found >= most)
    }

    /// Takes a line that was found.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Stop> {
        self.found += 1;
        self.write("", line)
    }

    /// Takes a line among those around it.
    pub(crate) fn place(&mut self, place: Place, line: &str) -> Result<(), Stop> {
        let is_shown = matches!(self.form, Form::Show(_));
        self.found += u64::from(place == Place::Found);
        match place {
            Place::Gap if is_shown => self.writer.write_all(b"--\n").map_err(Stop::Pipe),
            Place::Gap => Ok(()),
            Place::Found if is_shown => self.write("> ", line),
            Place::Around if is_shown => self.write("  ", line),
            Place::Found | Place::Around => self.write("", line),
        }
    }

    fn write(&mut self, mark: &str, line: &str) -> Result<(), Stop> {
        self.text.clear();
        self.text.push_str(mark);
        match &mut self.form {
            Form::Count => return Ok(()),
            Form::Table { table, .. } => {
                table.line(line);
                return Ok(());
            }
            Form::Json { terminal } => {
                match terminal {
                    true => safe(line, false, &mut self.text),
                    false => self.text.push_str(line),
                }
                self.text.push('\n');
            }
            Form::Csv {
                rows,
                terminal,
                begun,
            } => {
                if !std::mem::replace(begun, true) {
                    self.text.push_str(&rows.heading());
                }
                let row = rows.line(line);
                match terminal {
                    true => {
                        safe(row.trim_end(), false, &mut self.text);
                        self.text.push('\n');
                    }
                    false => self.text.push_str(&row),
                }
            }
            Form::Show(show) => show.line(line, &mut self.text),
        }
        self.writer
            .write_all(self.text.as_bytes())
            .map_err(Stop::Pipe)?;
        if self.eager && (self.found <= EAGER || self.flushed.elapsed() >= PAUSE) {
            self.flush()?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.writer.flush().map_err(Stop::Pipe)
    }

    /// Writes what is known only now.
    pub(crate) fn end(&mut self) -> Result<(), Stop> {
        let text = match &mut self.form {
            Form::Table {
                table,
                terminal,
                csv,
            } => {
                if let Some(shortfall) = table.shortfall() {
                    say(&shortfall);
                }
                match (csv, terminal) {
                    (true, true) => table.csv().lines().fold(String::new(), |mut out, row| {
                        safe(row, false, &mut out);
                        out + "\n"
                    }),
                    (true, false) => table.csv(),
                    (false, terminal) => table.table(*terminal),
                }
            }
            Form::Count => format!("{}\n", self.found),
            Form::Json { .. } | Form::Csv { .. } | Form::Show(_) => String::new(),
        };
        let written = self.writer.write_all(text.as_bytes());
        let written = written.and_then(|()| self.writer.flush());
        // Whatever came of it, the pager is waited for.
        let closed = self.writer.get_mut().close();
        written.and(closed).map_err(Stop::Pipe)
    }
}

/// A screen or two.
const EAGER: u64 = 200;

/// Longer than this no line waits for the next.
const PAUSE: Duration = Duration::from_millis(50);
