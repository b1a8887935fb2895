//! Follows several logs at once, and merges by time what they have at each look.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use dogwatch_line::Times;
use dogwatch_reader::{Cursor, Family, Follow, Start};

use crate::outcome::Stop;
use crate::question::Question;
use crate::session::{Session, say, with_source};

/// Logs that are followed, to what is there now or for as long as anything comes.
///
/// Of what is there at one look the earliest line comes first, as when the same files are read to their
/// end. What is written after the look is later, whatever its time.
pub(crate) struct Following<'a> {
    logs: Vec<Log<'a>>,
    question: &'a Question,
    times: Times,
    /// Where the first log, then the only one, was read to.
    cursor: Option<Cursor>,
    /// Nobody sends: it is a wait that ends in time.
    nothing: (mpsc::Sender<()>, mpsc::Receiver<()>),
}

struct Log<'a> {
    follow: Follow<'a>,
    line: Option<String>,
    latest: i128,
    /// Whether nothing was new at this look.
    idle: bool,
}

impl<'a> Following<'a> {
    /// Begins at the end of each log.
    pub(crate) fn new(session: &Session, question: &'a Question, logs: &[PathBuf]) -> Self {
        let log = |log: &PathBuf| Log::new(question.search.follow(log, Start::End));
        Self {
            logs: logs.iter().map(log).collect(),
            question,
            times: Times::new(session.now()),
            cursor: None,
            nothing: mpsc::channel(),
        }
    }

    /// Begins where a cursor stands, or, if it is new, with the oldest file of the log.
    pub(crate) fn on_from(
        session: &Session,
        question: &'a Question,
        logs: &[PathBuf],
        cursor: &str,
    ) -> Result<Self, String> {
        let [log] = logs else {
            return Err(format!(
                "--cursor is for one log, and here are {}: name one, and give each a cursor of its own",
                logs.len()
            ));
        };
        let cursor = Cursor::open(cursor).map_err(|error| with_source(&error))?;
        let follow = question.search.resume(log, &cursor, Start::Beginning);
        Ok(Self {
            logs: vec![Log::new(follow)],
            question,
            times: Times::new(session.now()),
            cursor: Some(cursor),
            nothing: mpsc::channel(),
        })
    }

    /// Keeps, if there is a cursor, that all lines which were given are dealt with.
    pub(crate) fn save(&mut self) -> Result<(), String> {
        match (&mut self.cursor, &*self.logs) {
            (Some(cursor), [log]) => cursor
                .save(&log.follow)
                .map_err(|error| with_source(&error)),
            _ => Ok(()),
        }
    }

    /// Gives what is new, the earliest first; whether there was anything. A look ends, so that others are
    /// looked at again, when nothing more is there or after many lines.
    pub(crate) fn pass(
        &mut self,
        session: &Session,
        take: &mut dyn FnMut(&str) -> Result<(), Stop>,
    ) -> Result<bool, Stop> {
        for log in &mut self.logs {
            log.idle = false;
        }
        let alone = self.logs.len() == 1;
        let mut any = false;
        for _ in 0..TURN {
            for log in &mut self.logs {
                let times = (!alone).then_some((&self.times, self.question));
                any |= log.look(session, times);
            }
            let waiting = self.logs.iter_mut().filter(|log| log.line.is_some());
            // Of equals the log that comes first.
            let Some(log) = waiting.min_by_key(|log| log.latest) else {
                break;
            };
            // One that is alone has none waiting behind that: a cursor stands behind what was taken.
            if let Some(line) = log.line.take() {
                any = true;
                take(&line)?;
            }
        }
        Ok(any)
    }

    /// Waits until it is time for another look.
    pub(crate) fn wait(&self) {
        let _ = self.nothing.1.recv_timeout(PAUSE);
    }
}

impl<'a> Log<'a> {
    fn new(follow: Follow<'a>) -> Self {
        Self {
            follow,
            line: None,
            latest: i128::MIN,
            idle: false,
        }
    }

    /// Has the next line wait, if there is one; whether anything was new.
    fn look(&mut self, session: &Session, times: Option<(&Times, &Question)>) -> bool {
        let mut any = false;
        while self.line.is_none() && !self.idle {
            match self.follow.next() {
                None => self.idle = true,
                Some(Err(trouble)) => {
                    session.trouble(&trouble);
                    any = true;
                }
                Some(Ok(found)) => {
                    let text = found.text().into_owned();
                    if let Some((times, question)) = times {
                        let nanos = times.of(&question.made(&text));
                        self.latest = self.latest.max(nanos.unwrap_or(i128::MIN));
                    }
                    self.line = Some(text);
                    any = true;
                }
            }
        }
        any
    }
}

/// The logs at these paths.
pub(crate) fn followed(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let folder = PathBuf::from("logs");
    let paths = match paths {
        [] if folder.is_dir() => &[folder][..],
        [] => return Err("there is no folder `logs` here: name the log to follow".to_owned()),
        paths => paths,
    };
    let mut logs = Vec::new();
    for path in paths {
        let pattern = path.to_string_lossy().contains(['*', '?']) && !path.exists();
        if path.as_os_str() == "-" {
            return Err("standard input is read to its end without --follow".to_owned());
        }
        match Family::find(&[path]) {
            Ok(families) if pattern || path.is_dir() => {
                logs.extend(families.iter().map(|family| family.log().to_owned()));
            }
            Err(error) if pattern || path.is_dir() || error.is_denied() => {
                return Err(with_source(&error));
            }
            found => {
                // The path itself and not where a link leads: it may lead elsewhere tomorrow.
                logs.push(path.clone());
                if found.is_err() {
                    say(&format!(
                        "`{}` is not there yet: waiting for it",
                        path.display()
                    ));
                }
            }
        }
    }
    logs.sort();
    logs.dedup();
    Ok(logs)
}

/// A look ends after so many lines.
const TURN: usize = 1000;

/// How long nothing is looked at when nothing is new.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;
    use std::path::Path;

    use dogwatch_line::Query;

    use super::{Following, TURN};
    use crate::command::{Asked, read};
    use crate::question::Question;
    use crate::session::Session;

    fn line(log: &str, second: usize) -> String {
        format!("{{\"timestamp\":{second},\"log\":\"{log}\"}}\n")
    }

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The lines of so many looks at two logs, in which a text each was written at once.
    fn shown(words: &[&str], texts: [&str; 2], looks: usize) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let logs = ["a.log", "b.log"].map(|name| folder.path().join(name));
        for log in &logs {
            fs::write(log, line("old", 0)).unwrap();
        }
        let Ok(Asked::Run(given)) = read(words.iter().map(|word| (*word).to_owned())) else {
            panic!("no command line");
        };
        let session = Session::open(&given);
        let query = Query::parse("").unwrap();
        let question = Question::new(&given, &session, &query, None).unwrap();
        let mut following = Following::new(&session, &question, &logs);
        for (log, text) in logs.iter().zip(texts) {
            append(log, text);
        }
        let mut lines = Vec::new();
        for _ in 0..looks {
            let mut take = |line: &str| {
                lines.push(line.to_owned() + "\n");
                Ok(())
            };
            assert!(following.pass(&session, &mut take).unwrap());
        }
        assert!(
            !following
                .pass(&session, &mut |line| panic!("{line}"))
                .unwrap()
        );
        lines
    }

    #[test]
    fn what_several_logs_have_at_one_look_is_merged_by_time() {
        // One without a time, and one that steps back, count with the latest before them.
        let a = [
            line("a", 1),
            line("a", 5),
            "text\n".to_owned(),
            line("a", 2),
            line("a", 9),
        ];
        let b = [line("b", 1), line("b", 4), line("b", 6)];
        let expected = [&a[0], &b[0], &b[1], &a[1], &a[2], &a[3], &b[2], &a[4]].map(String::clone);
        // Half a line waits for its end.
        let halved = b.concat() + "{\"timestamp\":7";
        assert_eq!(shown(&[], [&a.concat(), &halved], 1), expected);
    }

    #[test]
    fn a_look_ends_after_many_lines_and_the_next_goes_on_in_order() {
        let a: String = (1..=TURN).map(|second| line("a", 2 * second)).collect();
        let b: String = (1..=TURN).map(|second| line("b", 2 * second + 1)).collect();
        let expected: Vec<String> = (1..=TURN)
            .flat_map(|second| [line("a", 2 * second), line("b", 2 * second + 1)])
            .collect();
        assert!(shown(&[], [&a, &b], 2) == expected);
    }

    #[test]
    fn the_times_of_text_are_those_that_extract_makes() {
        let words = ["--extract", "^(?<timestamp>[0-9]+) "];
        let expected = ["1 b\n", "2 a\n", "3 b\n"];
        assert_eq!(shown(&words, ["2 a\n", "1 b\n3 b\n"], 1), expected);
    }
}
