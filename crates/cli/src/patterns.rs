//! Groups lines by what they say, and marks what they did not say before.

use std::io::{self, Write as _};

use dogwatch_line::{Lens, Level, Now, unwrapped};
use dogwatch_reader::Report;
use jiff::tz::TimeZone;

use crate::asked::asked;
use crate::command::{Given, LINES};
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::question::Question;
use crate::safe::one_line;
use crate::session::{Session, filter, say};
use crate::table::{aligned, counted, grouped, moment};
use crate::template::template;
use crate::tops::{MOST, Tops};

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let (text, paths) = asked(given)?;
    let question = Question::new(given, &session, &filter(text, "patterns")?, None)?;
    let input = Input::find(&paths)?;
    let progress = input.progress(&session);
    let mut patterns = Patterns::new(session.now());
    Stop::settled(input.each(&session, &question.search, &mut |line, _| {
        if let Some(line) = question.found(line) {
            patterns.line(&line);
        }
        Ok(())
    }))?;
    drop(progress);
    let most = given.number(&LINES).unwrap_or(MOST_ROWS);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let page = patterns.page(most, &session.zone, &session.read());
    let written = io::stdout().write_all(page.as_bytes());
    Stop::settled(written.map_err(Stop::Pipe))?;
    question.end();
    if patterns.tops.left_out > 0 {
        say(&format!(
            "there are more than {MOST} patterns: {} lines of others are not told",
            patterns.tops.left_out
        ));
    }
    Ok(session.outcome(patterns.lines > 0))
}

struct Patterns {
    lens: Lens,
    lines: u64,
    span: Option<(i128, i128)>,
    tops: Tops<Pattern>,
}

#[derive(Default)]
struct Pattern {
    count: u64,
    /// The gravest.
    level: Option<Level>,
    span: Option<(i128, i128)>,
}

impl Patterns {
    fn new(zone: Now) -> Self {
        Self {
            lens: Lens::new(zone),
            lines: 0,
            span: None,
            tops: Tops::new(),
        }
    }

    fn line(&mut self, line: &str) {
        self.lines += 1;
        let text = unwrapped(line);
        let seen = self.lens.look(&text);
        let target = seen
            .target()
            .map_or_else(String::new, |target| format!("{target}: "));
        // Of what has no message, the whole is one.
        let said = seen
            .message()
            .map_or_else(|| template(&text), |message| template(&message));
        let Some(pattern) = self.tops.entry(&format!("{target}{said}")) else {
            return;
        };
        pattern.count += 1;
        pattern.level = pattern.level.max(seen.level());
        if let Some(nanos) = seen.nanos() {
            for span in [&mut pattern.span, &mut self.span] {
                let (first, last) = span.unwrap_or((nanos, nanos));
                *span = Some((first.min(nanos), last.max(nanos)));
            }
        }
    }

    /// Whether it was first said in the last tenth of the time.
    fn is_new(&self, pattern: &Pattern) -> bool {
        match (self.span, pattern.span) {
            (Some((first, last)), Some((begin, _))) => {
                begin > first && begin >= last - (last - first) / 10
            }
            _ => false,
        }
    }

    fn page(&self, most: usize, zone: &TimeZone, read: &Report) -> String {
        let all = self.tops.first(usize::MAX, |pattern| pattern.count);
        let new = all
            .iter()
            .filter(|(_, pattern)| self.is_new(pattern))
            .count();
        let heading = ["", "count", "level", "first", "last", "pattern"];
        let mut cells = vec![heading.map(str::to_owned).to_vec()];
        for (said, pattern) in all.iter().take(most) {
            let time = |at: Option<i128>| at.map_or_else(|| "-".to_owned(), |at| moment(at, zone));
            cells.push(vec![
                if self.is_new(pattern) { "new" } else { "" }.to_owned(),
                grouped(pattern.count),
                pattern.level.map_or("-", Level::as_str).to_owned(),
                time(pattern.span.map(|(first, _)| first)),
                time(pattern.span.map(|(_, last)| last)),
                one_line(said),
            ]);
        }
        let mut out = format!(
            "{} of {}, {}, {new} of them new in the last tenth of the time\n",
            counted(self.lines, "line"),
            // With an index, lines that cannot match are not read.
            grouped(read.lines + read.skipped),
            counted(all.len() as u64, "pattern")
        );
        if !all.is_empty() {
            out.push('\n');
            out.push_str(&aligned(&cells, |column| column != 1));
        }
        if all.len() > most {
            out.push_str(&format!(
                "and {} more\n",
                grouped((all.len() - most) as u64)
            ));
        }
        out
    }
}

/// Without `--lines`.
const MOST_ROWS: u64 = 40;
