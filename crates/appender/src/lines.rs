//! Whole lines on their way: into the file, or into the fallback, with lines of our own before them.

use std::{
    fmt,
    io::{self, Write},
    sync::atomic::Ordering,
};

use crate::{
    Appender, Error,
    active::{Active, Advance, Given},
    appender::Inner,
    error::Kind,
    guarded::guarded,
    ring::Mark,
};

impl Appender {
    /// Writes at least the first of these lines, and tells the `mark` of each write.
    pub(crate) fn write_lines(&self, lines: &[u8], mark: Option<&dyn Mark>) -> io::Result<usize> {
        let (mut written, mut given) = (0, Given::default());
        while written < lines.len() {
            let rest = &lines[written..];
            let wrote = match self.advance(rest, &mut given, mark) {
                Ok(Advance::Wrote(more)) => Ok(more),
                Ok(Advance::Fallback(half)) => self
                    .write_to_fallback(half, rest)
                    .inspect(|&taken| mark.into_iter().for_each(|mark| mark.passed(taken))),
                Ok(wish) => {
                    self.inner.give(&wish, &mut given);
                    Ok(0)
                }
                Err(error) => Err(error),
            };
            match wrote {
                Ok(more) => written += more,
                Err(_) if written > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    fn advance(
        &self,
        lines: &[u8],
        given: &mut Given,
        mark: Option<&dyn Mark>,
    ) -> io::Result<Advance> {
        let advance = |active: &mut Active| {
            let advance = active.advance(lines, given, mark)?;
            if let (Some(syncer), Advance::Wrote(_)) = (&self.inner.syncer, &advance) {
                // First what this write parted from: `wrote` names the file that came after it.
                let failures = syncer.parted(std::mem::take(&mut active.notes.parted));
                active.notes.failures.extend(failures);
                syncer.wrote(|| active.synced());
            }
            Ok(advance)
        };
        self.locked(advance, "cannot write log file")
    }

    fn write_to_fallback(&self, half: Vec<u8>, lines: &[u8]) -> io::Result<usize> {
        let fallback = self.inner.fallback.as_ref();
        let fallback = fallback.expect("lines go to a fallback only where there is one");
        let taken = fallback.write(&half, lines).map_err(|error| {
            let what = "cannot write log lines to the fallback";
            // Whatever its kind: the file itself may heal, though a pipe to a reader will not.
            io::Error::other(Error::io(what, error))
        })?;
        if let Err(error) = fallback.flush() {
            let error = Error::io("cannot flush the fallback of log lines", error);
            self.inner.housekeeper.tell(vec![error]);
        }
        let count = memchr::memchr_iter(b'\n', &lines[..taken]).count() as u64;
        self.inner
            .counts
            .fallback
            .fetch_add(count, Ordering::Relaxed);
        self.lock().went_to_fallback(count);
        Ok(taken)
    }
}

impl Inner {
    /// Tells of lines that went to the fallback when no line follows that would bring the gap line.
    pub(crate) fn tell_last_gap(&self) {
        if self.gap.is_none() || self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut given = Given::default();
        loop {
            let (begun, notes) = {
                let mut active = self.lock();
                if active.detour.gap().is_none() {
                    return;
                }
                let begun = active.begin(&mut given);
                (begun, std::mem::take(&mut active.notes))
            };
            self.tell(notes);
            match begun {
                Ok(Some(wish)) => self.give(&wish, &mut given),
                Ok(None) => return,
                Err(error) => {
                    let what = "lines are in the fallback, and the log cannot say so";
                    return self.housekeeper.tell(vec![Error::io(what, error)]);
                }
            }
        }
    }

    // Lines of our own are made without the lock: a callback may log.
    fn give(&self, wish: &Advance, given: &mut Given) {
        match wish {
            Advance::WantsHeader => {
                let header = self.header.as_ref();
                given.header = Some(self.make("header", header.map(|header| &*header.0)));
            }
            Advance::WantsGap(gap) => {
                let line = self.gap.as_ref();
                let line = line.map(|line| || (line.0)(gap));
                given.gap = Some(self.make("gap", line));
            }
            Advance::Wrote(_) | Advance::Fallback(_) => {}
        }
    }

    fn make(&self, name: &str, callback: Option<impl Fn() -> Vec<u8>>) -> Vec<u8> {
        let Some(callback) = callback else {
            return Vec::new();
        };
        guarded(callback).unwrap_or_else(|| {
            let error = Error::new(Kind::Panic, format!("the `{name}` callback panicked"));
            self.housekeeper.tell(vec![error]);
            Vec::new()
        })
    }
}

impl Write for Appender {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.write_lines(lines, None)
    }

    // In one piece: `writeln!` would otherwise write a line in several calls.
    fn write_fmt(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(fmt::format(line).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for &Appender {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.write_lines(lines, None)
    }

    fn write_fmt(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(fmt::format(line).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
