//! Lets others see how far a search is, and stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared with a [`Search`](crate::Search), and with whoever draws a progress bar or hears a signal.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("shop.log"), "{\"n\":1}\n{\"n\":2}\n")?;
/// use std::time::SystemTime;
/// use dogwatch_line::{Now, Query};
/// use dogwatch_reader::{Family, Search, Watch};
///
/// let watch = Watch::new();
/// let search = Search::new(&Query::parse("")?, Now::utc(SystemTime::now())).watch(watch.clone());
/// let family = Family::find(&[folder.path()])?.remove(0);
/// let mut reading = search.read(&family);
/// while reading.next().is_some() {}
/// assert_eq!(watch.bytes(), 16);
///
/// watch.stop();
/// assert!(search.read(&family).next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
}

impl Watch {
    /// Nothing was read, nothing is to stop.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every reading of the search before its next block of lines, as if the logs ended there.
    /// One that waits for a stream goes on to wait.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What [`stop`](Self::stop) sets, for a handler of signals, which may set a flag and no more.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    /// How many bytes of files are done with, as they are stored, be it that they were read or could
    /// be skipped. The sum of the files' sizes is where it goes; streams count nothing.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What is told of the file that is being read.
#[derive(Debug, Default)]
pub(crate) struct Told {
    size: u64,
    bytes: u64,
}

impl Told {
    /// Another file begins; the one before is done with.
    pub(crate) fn next(&mut self, watch: &Watch, size: u64) {
        self.at(watch, self.size);
        *self = Self { size, bytes: 0 };
    }

    /// The file was read up to here. One that grew meanwhile counts as it was.
    pub(crate) fn at(&mut self, watch: &Watch, place: u64) {
        let more = place.min(self.size).saturating_sub(self.bytes);
        self.bytes += more;
        watch.add(more);
    }
}
