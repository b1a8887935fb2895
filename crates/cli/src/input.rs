//! Finds what the paths of a command line mean, and reads it line by line.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use dogwatch_reader::{Family, Merged, Reading, Search};

use crate::outcome::Stop;
use crate::progress::Progress;
use crate::session::{Session, with_source};

/// Where lines come from.
pub(crate) enum Input {
    Stream,
    Logs(Vec<Family>),
}

impl Input {
    /// Without a path: the folder `logs` if it is there, else standard input.
    pub(crate) fn find(paths: &[PathBuf]) -> Result<Self, String> {
        let logs = Path::new("logs");
        let stream = paths.iter().any(|path| path.as_os_str() == "-");
        if stream && paths.len() > 1 {
            return Err("standard input, `-`, stands alone".to_owned());
        }
        if paths.is_empty() && !logs.is_dir() && io::stdin().is_terminal() {
            // Nobody types a log.
            return Err(
                "there is no folder `logs` here: name a path, or `-` for standard input".to_owned(),
            );
        }
        if stream || (paths.is_empty() && !logs.is_dir()) {
            return Ok(Input::Stream);
        }
        let found = if paths.is_empty() {
            Family::find(&[logs])
        } else {
            Family::find(paths)
        };
        found.map(Input::Logs).map_err(|error| {
            let split = paths
                .iter()
                .map(|path| path.to_string_lossy())
                .find(|path| path.contains(['=', '<', '>', '~']));
            match split {
                Some(word) => format!(
                    "{}; if `{word}` belongs to the query, put the whole query in quotes",
                    with_source(&error)
                ),
                None => with_source(&error),
            }
        })
    }

    /// Whether it is one log, or a stream.
    pub(crate) fn is_one(&self) -> bool {
        match self {
            Input::Stream => true,
            Input::Logs(families) => families.len() == 1,
        }
    }

    /// How many bytes the files are long.
    pub(crate) fn size(&self) -> u64 {
        let Input::Logs(families) = self else {
            return 0;
        };
        let files = families.iter().flat_map(Family::files);
        let sizes = files.filter_map(|file| file.metadata().ok());
        sizes.map(|metadata| metadata.len()).sum()
    }

    /// A bar for the time that the reading takes.
    pub(crate) fn progress(&self, session: &Session) -> Progress {
        Progress::start(&session.watch, self.size())
    }

    /// Gives every line that is found, with its file, those of several logs by time.
    pub(crate) fn by_time(
        &self,
        session: &Session,
        search: &Search,
        take: &mut dyn FnMut(&str, &Path) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let Input::Logs(families) = self else {
            return self.each(session, search, take);
        };
        if families.len() == 1 {
            return self.each(session, search, take);
        }
        for line in Merged::new(search, families, session.now()) {
            match line {
                Ok(line) => take(line.text(), line.path())?,
                Err(trouble) => session.trouble(&trouble),
            }
        }
        Ok(())
    }

    /// Gives every line that is found, log by log: for what does not mind the order.
    pub(crate) fn each(
        &self,
        session: &Session,
        search: &Search,
        take: &mut dyn FnMut(&str, &Path) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        match self {
            Input::Stream => drain(session, search.read_from(io::stdin()), take),
            Input::Logs(families) => families
                .iter()
                .try_for_each(|family| drain(session, search.read(family), take)),
        }
    }
}

fn drain(
    session: &Session,
    mut reading: Reading<'_>,
    take: &mut dyn FnMut(&str, &Path) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut taken = Ok(());
    while let (Ok(()), Some(next)) = (&taken, reading.next()) {
        match next {
            Ok(line) => taken = take(&line.text(), line.path()),
            Err(trouble) => session.trouble(&trouble),
        }
    }
    session.add(reading.report());
    taken
}
