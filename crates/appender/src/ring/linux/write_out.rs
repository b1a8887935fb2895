//! Writes what killed processes left into the log, marked in their rings like any write.

use std::io;

use super::{
    live::{Marker, Words as _},
    replay::{Found, Left},
    tail::Missing,
};
use crate::{Appender, Error, active::failure, error::Kind, sink::chunk};

/// Writes all of it, oldest first, and removes each ring that is done. What cannot be written is told
/// and stays for the next start, and so does what came later: order is kept.
pub(crate) fn write_out(found: Found, appender: &Appender) {
    let mut failures = found.failures;
    for ring in found.rings {
        let done = ring.write_out(appender, &mut failures);
        let path = ring.file.path();
        if let Err(error) = done {
            let what = "cannot write the lines of a killed process, the next start will, from";
            failures.push(failure(what, path, error));
            break;
        }
        if let Err(error) = ring.file.remove() {
            failures.push(failure("cannot remove crash ring", path, error));
            break;
        }
    }
    appender.inner.housekeeper.tell(failures);
}

impl Left {
    fn write_out(&self, appender: &Appender, failures: &mut Vec<Error>) -> io::Result<()> {
        let (mut doubtful, mut torn) = (0, 0);
        for missing in &self.held {
            let (runs, bad) = missing.lines.sound(missing.from);
            torn += bad;
            doubtful += missing.doubtful;
            appender.inner.counts.replay(0, missing.doubtful, bad);
            for run in runs {
                self.write_run(missing, run, appender)?;
            }
            self.pass(missing.lines.area, missing.lines.bytes.len());
            self.file.sound()?;
        }
        let path = self.file.path().display();
        for (count, what) in [
            (
                torn,
                "records fail their check and are not written: the machine lost power, or the \
                 file was changed",
            ),
            (
                doubtful,
                "lines may be in the log twice: the file that they went to is gone",
            ),
        ] {
            if count > 0 {
                let what = format!("crash ring `{path}`: {count} {what}");
                failures.push(Error::new(Kind::Loss, what));
            }
        }
        Ok(())
    }

    fn write_run(
        &self,
        missing: &Missing,
        run: std::ops::Range<usize>,
        appender: &Appender,
    ) -> io::Result<()> {
        let held = &missing.lines;
        let marker = Marker {
            words: &self.file,
            area: Some(held.area),
        };
        let mut at = run.start;
        self.pass(held.area, at);
        while at < run.end {
            self.file.sound()?;
            let lines = chunk(&held.bytes[at..run.end]);
            let written = appender.write_lines(lines, Some(&marker))?;
            let count = memchr::memchr_iter(b'\n', &lines[..written]).count() as u64;
            appender.inner.counts.replay(count, 0, 0);
            at += written;
        }
        Ok(())
    }
}
