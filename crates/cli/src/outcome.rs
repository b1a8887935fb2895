//! Says how a command ended, as the exit code tells it, and why it stopped early.

use std::io;

/// What the exit code tells: as grep's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: a line was found, a check passed.
    Found,
    /// 1: none was, it did not.
    Nothing,
    /// 2: something could not be read; what could be read was shown.
    Trouble,
    /// 130: Ctrl-C; what was found before it was shown.
    Interrupted,
}

/// Why no more lines are looked for.
#[derive(Debug)]
pub(crate) enum Stop {
    Enough,
    Pipe(io::Error),
    Wrong(String),
}

impl Stop {
    /// What is left of it for `main`: whoever closes a pipe, or has enough, has seen enough.
    pub(crate) fn settled(stopped: Result<(), Stop>) -> Result<(), String> {
        match stopped {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(Stop::Pipe(error)) => Err(format!("cannot write: {error}")),
            Err(Stop::Wrong(message)) => Err(message),
        }
    }
}
