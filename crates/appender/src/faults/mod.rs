//! Every fault of the disk and the clock, on a disk in memory.

mod accounts;
mod fallback;
mod halves;
mod locks;
mod place;
mod rolls;
mod room;
mod sweep;
mod syncs;
mod tidying;
mod told;
mod writes;

use std::{
    io::{self, Write as _},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use self::place::{Place, gap_line};
use crate::{
    Accounts, Appender, AppenderBuilder, Compress, Drain, Keep, NonBlocking, Roll, WhenLocked,
    fakes::{ManualClock, MemoryDisk},
};

const LONG: Duration = Duration::from_secs(60);

#[cfg(feature = "gzip")]
const COMPRESS: Compress = Compress::Gzip;
#[cfg(not(feature = "gzip"))]
const COMPRESS: Compress = Compress::None;
const FORM: &str = if cfg!(feature = "gzip") {
    ".log.gz"
} else {
    ".log"
};

struct Machine {
    disk: MemoryDisk,
    clock: Arc<ManualClock>,
    errors: Arc<Mutex<Vec<String>>>,
}

impl Machine {
    fn at(now: &str) -> Self {
        let clock = Arc::new(ManualClock::at(now));
        Self {
            disk: MemoryDisk::new(clock.clone()),
            clock,
            errors: Arc::default(),
        }
    }

    fn builder(&self) -> AppenderBuilder {
        let errors = Arc::clone(&self.errors);
        Appender::builder("logs/app.log")
            .on(Arc::new(self.disk.clone()), self.clock.clone())
            .on_error(move |error| errors.lock().unwrap().push(error.to_string()))
    }

    fn files(&self) -> Vec<(String, String)> {
        let names = self.disk.names();
        names
            .into_iter()
            .map(|name| (name.clone(), self.decoded(&name)))
            .collect()
    }

    /// All lines, in the order of the files' numbers.
    fn lines(&self) -> String {
        self.files().into_iter().map(|(_, text)| text).collect()
    }

    fn decoded(&self, name: &str) -> String {
        let content = self.disk.content(name);
        #[cfg(feature = "gzip")]
        if name.ends_with(".gz") {
            let mut text = String::new();
            let mut decoder = flate2::read::MultiGzDecoder::new(&content[..]);
            io::Read::read_to_string(&mut decoder, &mut text).unwrap();
            return text;
        }
        String::from_utf8(content).unwrap()
    }
}

fn texts(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}
