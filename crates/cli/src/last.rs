//! Finds the last lines of logs without reading what stands before them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use dogwatch_line::Times;
use dogwatch_reader::{Family, Reading};

use crate::input::Input;
use crate::question::Question;
use crate::session::Session;

/// A line with its file.
type Line = (String, PathBuf);

/// The last so many lines that are found, in their order; those of several logs by time.
pub(crate) fn last(
    input: &Input,
    session: &Session,
    question: &Question,
    most: usize,
) -> VecDeque<Line> {
    match input {
        Input::Stream => {
            let mut lines = VecDeque::new();
            let reading = question.search.read_from(io::stdin());
            keep(session, question, reading, None, most, &mut lines);
            lines
        }
        Input::Logs(families) => {
            let logs = families
                .iter()
                .map(|family| of_family(family, session, question, most));
            let mut lines = merged(logs.collect(), &Times::new(session.now()));
            lines.drain(..lines.len().saturating_sub(most));
            lines
        }
    }
}

/// The newest file first, for as long as lines are missing.
fn of_family(
    family: &Family,
    session: &Session,
    question: &Question,
    most: usize,
) -> VecDeque<Line> {
    let mut lines = VecDeque::new();
    for path in family.files().iter().rev() {
        let missing = most - lines.len();
        if missing == 0 {
            break;
        }
        let mut found = VecDeque::new();
        match plain(path) {
            Some(file) => {
                if let Err(error) = of_file(file, path, session, question, missing, &mut found) {
                    session.wrong(&format!(
                        "cannot read `{}` to its end: {error}",
                        path.display()
                    ));
                }
            }
            // Compressed, or gone: the reader knows what to do, or to tell.
            None => {
                let reading = question.search.read_file(path);
                keep(session, question, reading, None, missing, &mut found);
            }
        }
        found.append(&mut lines);
        lines = found;
    }
    lines
}

/// A file that is not compressed (RFC 8878 section 3.1.1, RFC 1952 section 2.3.1).
fn plain(path: &Path) -> Option<File> {
    // A pipe gives its first bytes once.
    let mut file = path.is_file().then(|| File::open(path).ok())??;
    let mut magic = [0; 4];
    let read = file.read(&mut magic).ok()?;
    let compressed = magic[..read].starts_with(&[0x1f, 0x8b])
        || magic == [0x28, 0xb5, 0x2f, 0xfd]
        || (magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18]);
    (!compressed).then_some(file)
}

/// Reads a file from its end, a chunk of whole lines at a time.
fn of_file(
    mut file: File,
    path: &Path,
    session: &Session,
    question: &Question,
    most: usize,
    lines: &mut VecDeque<Line>,
) -> io::Result<()> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut size = CHUNK;
    while end > 0 && lines.len() < most {
        let start = end.saturating_sub(size);
        file.seek(SeekFrom::Start(start))?;
        let mut chunk = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        file.read_exact(&mut chunk)?;
        if start > 0 {
            // The first line begins in the chunk before, and is read with that.
            let Some(at) = chunk[..chunk.len() - 1]
                .iter()
                .position(|byte| *byte == b'\n')
            else {
                // One long line: more of it is needed.
                size *= 2;
                continue;
            };
            chunk.drain(..=at);
        }
        end -= chunk.len() as u64;
        size = CHUNK;
        let mut found = VecDeque::new();
        let missing = most - lines.len();
        let reading = question.search.read_from(Cursor::new(chunk));
        keep(session, question, reading, Some(path), missing, &mut found);
        found.append(lines);
        *lines = found;
    }
    Ok(())
}

/// Keeps the last so many lines of a reading; of the file, if it does not know that itself.
fn keep(
    session: &Session,
    question: &Question,
    mut reading: Reading<'_>,
    file: Option<&Path>,
    most: usize,
    lines: &mut VecDeque<Line>,
) {
    while let Some(next) = reading.next() {
        match next {
            Ok(line) => {
                let path = file.unwrap_or(line.path()).to_owned();
                let text = line.text();
                let Some(text) = question.found(&text) else {
                    continue;
                };
                if lines.len() >= most {
                    lines.pop_front();
                }
                lines.push_back((text.into_owned(), path));
            }
            Err(trouble) => match file {
                Some(file) => session.trouble(&trouble.in_file(file)),
                None => session.trouble(&trouble),
            },
        }
    }
}

/// By time, as `Merged` does it: a line whose time steps back counts with the latest before it.
fn merged(logs: Vec<VecDeque<Line>>, times: &Times) -> VecDeque<Line> {
    if logs.len() < 2 {
        return logs.into_iter().next().unwrap_or_default();
    }
    let mut all = Vec::new();
    for log in logs {
        let mut latest = i128::MIN;
        for line in log {
            latest = latest.max(times.of(&line.0).unwrap_or(i128::MIN));
            all.push((latest, line));
        }
    }
    // Stable: of equals the log that was named first comes first.
    all.sort_by_key(|(latest, _)| *latest);
    all.into_iter().map(|(_, line)| line).collect()
}

/// Some thousands of lines.
const CHUNK: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use dogwatch_line::Query;
    use dogwatch_reader::Family;

    use super::{CHUNK, last};
    use crate::command::{Asked, read};
    use crate::input::Input;
    use crate::question::Question;
    use crate::session::Session;

    #[test]
    fn the_last_lines_are_those_of_a_reading_from_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let (mut old, mut new) = (String::new(), String::new());
        for number in 0..5000 {
            old.push_str(&format!(
                "{{\"n\":{number},\"even\":{}}}\n",
                number % 2 == 0
            ));
        }
        // Longer than a chunk, and more lines than one chunk holds; the last one has no end.
        new.push_str(&format!(
            "{{\"long\":\"{}\"}}\n",
            "x".repeat(CHUNK as usize * 5 / 2)
        ));
        for number in 5000..40_000 {
            new.push_str(&format!(
                "{{\"n\":{number},\"even\":{},\"pad\":\"日志日志日志日志日志\"}}\n",
                number % 2 == 0
            ));
        }
        new.pop();
        std::fs::write(folder.path().join("a.log.1"), old).unwrap();
        std::fs::write(folder.path().join("a.log"), new).unwrap();
        let input = Input::Logs(Family::find(&[folder.path()]).unwrap());
        let Ok(Asked::Run(given)) = read([]) else {
            panic!("no command line");
        };
        let session = Session::open(&given);
        for query in ["", "even=true", "n<10", "long exists", "none"] {
            let query_text = query;
            let query = Query::parse(query).unwrap();
            let question = Question::new(&given, &session, &query, None).unwrap();
            let mut all = Vec::new();
            let every = input.each(&session, &question.search, &mut |line, path| {
                all.push((line.to_owned(), path.to_owned()));
                Ok(())
            });
            assert!(every.is_ok());
            for most in [0, 1, 7, 30_000, 100_000] {
                let found: Vec<_> = last(&input, &session, &question, most).into();
                assert!(
                    found == all[all.len().saturating_sub(most)..],
                    "{query_text} {most}"
                );
            }
        }
    }
}
