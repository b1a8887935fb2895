//! The crash ring: the queue's buffer as a mapped file, which outlives a killed process.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod linux;

pub(crate) use self::linux::{Area, Found, RECORD, Ring, create, find, write_out};

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{Appender, Error, look::LOOK};

/// Notes the writes of an area's lines, around each one, while the file is locked.
pub(crate) trait Mark {
    /// A write begins: in the file with this device and inode, which is so long. After an error it
    /// does not: nobody could tell how far it got.
    fn begin(&self, file: (u64, u64), offset: u64) -> io::Result<()>;
    /// So many bytes are in that file.
    fn wrote(&self, bytes: usize);
    /// So many bytes are dealt with, and not in that file.
    fn passed(&self, bytes: usize);
}

/// The queue's buffer as a mapped file, so that `kill -9` of the process loses no accepted line and
/// doubles none: [`NonBlockingBuilder::crash_ring`](crate::NonBlockingBuilder::crash_ring).
///
/// A line is in the ring when the call that logs it returns. The next start of an [`Appender`] for
/// the same path, with or without a ring of its own, finds what the killed process left, compares it
/// with the end of the file, and writes what is missing before anything else;
/// [`Stats::replayed`](crate::Stats::replayed) says how many lines that were.
///
/// [`Appender`]: crate::Appender
///
/// It survives the process, not a power cut: nothing is synced. After a restart of the machine it is
/// replayed only if it fits the end of the file to the byte, and else set aside.
///
/// The file takes twice `max_bytes` (16 MiB by default), three times under `WhenFull::DropOldest`,
/// allocated at the start. It is called `.app.log.000001.ring`, is readable by its owner only, and
/// goes when the log is closed. Leave it alone: its lock is advisory (flock(2)), so that nothing holds
/// another process of the same user from cutting it, which ends this one with a SIGBUS, or from
/// writing into it, which spoils lines. Linux only; elsewhere, and on file systems that cannot keep
/// what they allocated (btrfs, ZFS, network ones), `spawn` returns an error. An overlay, as the root
/// of a container is, hides which file system is under it: where that is btrfs or ZFS, choose a
/// volume or `/dev/shm`, or a full disk ends the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a ring does nothing until it is given to a queue"]
pub struct CrashRing {
    directory: Option<PathBuf>,
}

impl CrashRing {
    /// A ring beside the log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the file lies; made if there is none. Default: beside the log.
    ///
    /// In `/dev/shm` a slow disk never delays a line, because the kernel has nothing to write back
    /// there; a restart of the machine loses it. The memory counts as the service's own. A link
    /// beside the log leads to it.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }
}

/// An appender whose writes are marked in the ring that the lines come from.
pub(crate) struct Ringed {
    appender: Appender,
    ring: Arc<Ring>,
    /// The next look whether the ring is still where a start looks for it, in uptime.
    look_at: Duration,
    /// It is not, and that was told.
    told: bool,
}

impl Ringed {
    pub(crate) fn new(appender: Appender, ring: Arc<Ring>) -> Self {
        // Before the first write: the log ends here.
        appender.lock().mark(&*ring);
        let look_at = appender.inner.household.clock.uptime() + LOOK;
        Self {
            appender,
            ring,
            look_at,
            told: false,
        }
    }

    // After the appender's own look: it makes a directory anew that was moved.
    fn look(&mut self) {
        let uptime = self.appender.inner.household.clock.uptime();
        if uptime < self.look_at {
            return;
        }
        self.look_at = uptime + LOOK;
        let kept = self.ring.keep_name();
        if let (Err(error), false) = (&kept, self.told) {
            let what = format!(
                "the crash ring is not beside its log any more, and until the next start a kill \
                 loses the lines that wait: `{}`",
                self.ring.path().display()
            );
            let error = io::Error::new(error.kind(), error.to_string());
            self.appender
                .inner
                .housekeeper
                .tell(vec![Error::io(what, error)]);
        }
        self.told = kept.is_err();
    }
}

impl io::Write for Ringed {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let written = self.appender.write_lines(lines, Some(&*self.ring));
        self.look();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
