//! Where lines for people go: through a pager on a terminal, straight out elsewhere.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::interrupt::Second;

/// Standard output, or a pager before it.
pub(crate) enum Pager {
    /// It is started for the first line: for none it would only be in the way.
    Ready(Second),
    None(io::StdoutLock<'static>),
    Some(Child),
}

impl Pager {
    /// Straight out.
    pub(crate) fn none() -> Self {
        Pager::None(io::stdout().lock())
    }

    /// Starts `$PAGER`, else `less -R` where that is usual; straight out if `PAGER` is empty or `cat`, or
    /// if there is none.
    fn start(second: Second) -> Self {
        let usual = cfg!(unix).then(|| "less -R".to_owned());
        let pager = set("PAGER").or(usual).unwrap_or_default();
        let program = pager.split_whitespace().next().unwrap_or("cat");
        // What the shell cannot find would be told, and all lines lost.
        if program == "cat" || !is_there(program) {
            return Self::none();
        }
        let mut command = command(&pager);
        // As git does it: colours through, no clearing of the screen, and gone where one screen is enough.
        if set("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        match command.stdin(Stdio::piped()).spawn() {
            Ok(child) => {
                second.forget();
                Pager::Some(child)
            }
            Err(_) => Self::none(),
        }
    }

    /// Waits until the pager was read to its end, or quit.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        match self {
            Pager::Ready(_) => Ok(()),
            Pager::None(stdout) => stdout.flush(),
            Pager::Some(child) => {
                drop(child.stdin.take());
                child.wait().map(drop)
            }
        }
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        // An error was told by whoever closed it.
        let _ = self.close();
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Pager::Ready(second) = *self {
            *self = Self::start(second);
        }
        match self {
            Pager::Ready(_) => Ok(0),
            Pager::None(stdout) => stdout.write(bytes),
            Pager::Some(child) => match &mut child.stdin {
                Some(stdin) => stdin.write(bytes),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Pager::Ready(_) => Ok(()),
            Pager::None(stdout) => stdout.flush(),
            Pager::Some(child) => child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.flush()),
        }
    }
}

/// `PAGER` may be more than a program's name, which is for the shell to read.
#[cfg(unix)]
fn command(pager: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", pager]);
    command
}

#[cfg(not(unix))]
fn command(pager: &str) -> Command {
    let mut words = pager.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// A variable that is set, be it to nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "the command's own environment, read at its start"
)]
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn is_there(program: &str) -> bool {
    if !cfg!(unix) {
        // The system adds an ending to the name; a program that is not there does not start.
        return true;
    }
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let paths = set("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}
