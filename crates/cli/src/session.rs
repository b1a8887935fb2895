//! Holds what a run of any command needs: this moment, the user's zone, colour, and whether anything
//! could not be read.

use std::cell::Cell;
use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::SystemTime;

use dogwatch_line::{Now, Query};
use dogwatch_reader::{Report, Search, Trouble, Watch};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::command::{COLOR, Given, UTC};
use crate::interrupt::Second;
use crate::outcome::Outcome;
use crate::safe::one_line;

/// One run.
pub(crate) struct Session {
    pub(crate) zone: TimeZone,
    pub(crate) color: bool,
    /// Whether a terminal shows what is written.
    pub(crate) terminal: bool,
    /// Stopped by Ctrl-C.
    pub(crate) watch: Watch,
    pub(crate) second: Second,
    moment: SystemTime,
    troubled: Cell<bool>,
    read: Cell<Report>,
}

impl Session {
    pub(crate) fn open(given: &Given) -> Self {
        let watch = Watch::new();
        Self {
            second: Second::hear(&watch),
            watch,
            zone: if given.has(&UTC) {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
            color: colored(given.value(&COLOR)),
            terminal: io::stdout().is_terminal(),
            moment: SystemTime::now(),
            troubled: Cell::new(false),
            read: Cell::default(),
        }
    }

    /// The moment at which the run began, in the user's zone.
    pub(crate) fn now(&self) -> Now {
        let zone = self.zone.clone();
        Now::zoned(self.moment, move |seconds| {
            Timestamp::from_second(seconds).map_or(0, |at| zone.to_offset(at).seconds())
        })
    }

    /// The moment at which the run began.
    pub(crate) fn moment(&self) -> Timestamp {
        Timestamp::try_from(self.moment).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(crate) fn search(&self, query: &Query) -> Search {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Search::new(query, self.now())
            .watch(self.watch.clone())
            .threads(cores)
    }

    /// Tells what could not be read; the exit code will say so too.
    pub(crate) fn trouble(&self, trouble: &Trouble) {
        // Without its index a file is read whole, and a service that lives may be writing its last
        // line: no line is missing.
        if trouble.is_index() || trouble.is_torn() {
            say(&with_source(trouble));
        } else {
            self.wrong(&with_source(trouble));
        }
    }

    pub(crate) fn wrong(&self, message: &str) {
        self.troubled.set(true);
        say(message);
    }

    /// Adds what a reading read.
    pub(crate) fn add(&self, report: &Report) {
        let mut read = self.read.get();
        read.add(report);
        self.read.set(read);
    }

    /// What was read so far.
    pub(crate) fn read(&self) -> Report {
        self.read.get()
    }

    pub(crate) fn outcome(&self, found: bool) -> Outcome {
        if self.watch.is_stopped() {
            return Outcome::Interrupted;
        }
        match (self.troubled.get(), found) {
            (true, _) => Outcome::Trouble,
            (false, true) => Outcome::Found,
            (false, false) => Outcome::Nothing,
        }
    }
}

/// Reads a query that is not followed by a pipe.
pub(crate) fn filter(text: &str, command: &str) -> Result<Query, String> {
    let query = query(text)?;
    match query.summary() {
        Some(_) => Err(format!(
            "`{command}` takes a query without a pipe: it reckons by itself"
        )),
        None => Ok(query),
    }
}

/// Reads a query; the error stands under the place that it points at. Of a long query only what is around
/// that is shown.
pub(crate) fn query(text: &str) -> Result<Query, String> {
    Query::parse(text).map_err(|error| {
        let message = shortened(&error.to_string());
        if text.contains('\n') {
            return message;
        }
        let (before, behind) = text.split_at_checked(error.offset()).unwrap_or((text, ""));
        let skipped = before.chars().count().saturating_sub(AROUND);
        let mut shown: String = before.chars().skip(skipped).collect();
        if skipped > 0 {
            shown.insert(0, '…');
        }
        let caret = " ".repeat(shown.chars().count());
        shown.extend(behind.chars().take(AROUND));
        if behind.chars().nth(AROUND).is_some() {
            shown.push('…');
        }
        format!("{message}\n  {shown}\n  {caret}^")
    })
}

/// A message in which a long word of a query may stand, without its middle.
pub(crate) fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= 5 * AROUND {
        return text.to_owned();
    }
    let begin = text.chars().take(3 * AROUND);
    let end = text.chars().skip(count - AROUND);
    begin.chain(['…']).chain(end).collect()
}

/// How many characters before and behind a fault are shown.
const AROUND: usize = 60;

/// Writes a message to standard error, also if the name of a file in it would move the cursor. Nobody
/// is left to tell if that fails.
pub(crate) fn say(message: &str) {
    let lines: Vec<String> = message.lines().map(one_line).collect();
    let _ = writeln!(io::stderr(), "dogwatch: {}", lines.join("\n"));
}

pub(crate) fn with_source(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// <https://no-color.org> and <https://bixense.com/clicolors>.
fn colored(when: Option<&str>) -> bool {
    let set = |name: &str| variable(name).is_some_and(|value| value != "0");
    match when {
        Some("always") => true,
        Some("never") => false,
        _ => {
            variable("NO_COLOR").is_none()
                && (set("CLICOLOR_FORCE")
                    || (io::stdout().is_terminal() && variable("TERM").as_deref() != Some("dumb")))
        }
    }
}

/// A variable that is set to something.
#[expect(
    clippy::disallowed_methods,
    reason = "the command's own environment, read at its start"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
