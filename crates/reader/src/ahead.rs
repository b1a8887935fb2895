//! Reads the files of one log ahead on several threads, and gives what is found in the files' order.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::search::{Hit, Place, Search};
use crate::serial::Serial;
use crate::{Found, Report, Trouble};

/// A reading whose work others do.
pub(crate) struct Ahead {
    shared: Arc<Shared>,
    /// What each piece of work has found, in the order of the files.
    pieces: VecDeque<Receiver<Message>>,
    threads: Vec<JoinHandle<()>>,
    batch: Batch,
    /// Of the batch, what was given.
    given: usize,
    report: Report,
}

struct Shared {
    search: Search,
    /// In the order in which they are given, so that the piece that is waited for is never behind one
    /// that a thread cannot hand on yet: two files that are shared at once would lock each other.
    work: Mutex<VecDeque<Piece>>,
    stopped: AtomicBool,
}

/// A file, or some parts of one.
struct Piece {
    /// The number of the file.
    file: usize,
    path: PathBuf,
    parts: Option<Parts>,
    out: SyncSender<Message>,
}

/// Parts of a file, and what it looked like when they were chosen.
pub(crate) struct Parts {
    pub(crate) ranges: VecDeque<Range<u64>>,
    pub(crate) looks: (u64, i64),
}

enum Message {
    Lines(Batch),
    Trouble(Trouble),
    /// What was read since the last such message.
    Read(Report),
    /// Nothing more; what the others have found in the rest of the file comes next.
    End(Vec<Receiver<Message>>),
}

/// Some lines of a file.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    hits: Vec<Hit>,
    path: PathBuf,
}

impl Ahead {
    /// `None` if the system gives no thread.
    pub(crate) fn new(search: &Search, files: &[PathBuf], threads: usize) -> Option<Self> {
        let mut work = VecDeque::new();
        let mut pieces = VecDeque::new();
        for (file, path) in files.iter().enumerate() {
            let (out, piece) = sync_channel(BATCHES);
            work.push_back(Piece {
                file,
                path: path.clone(),
                parts: None,
                out,
            });
            pieces.push_back(piece);
        }
        let shared = Arc::new(Shared {
            search: search.clone(),
            work: Mutex::new(work),
            stopped: AtomicBool::new(false),
        });
        let spawn = |_| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().spawn(move || shared.work()).ok()
        };
        let threads: Vec<JoinHandle<()>> = (0..threads).filter_map(spawn).collect();
        (!threads.is_empty()).then(|| Self {
            threads,
            shared,
            pieces,
            batch: Batch::default(),
            given: 0,
            report: Report::default(),
        })
    }

    pub(crate) fn next(&mut self) -> Option<Result<Found<'_>, Trouble>> {
        while self.given == self.batch.hits.len() {
            if self.shared.search.is_stopped() {
                return None;
            }
            match self.receive()? {
                Ok(batch) => (self.batch, self.given) = (batch, 0),
                Err(trouble) => return Some(Err(trouble)),
            }
        }
        let hit = self.batch.hits[self.given];
        self.given += 1;
        let bytes = &self.batch.bytes[hit.start..hit.end];
        Some(Ok(Found::of(hit, bytes, &self.batch.path)))
    }

    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    fn receive(&mut self) -> Option<Result<Batch, Trouble>> {
        loop {
            match self.pieces.front()?.recv() {
                Ok(Message::Lines(batch)) => return Some(Ok(batch)),
                Ok(Message::Trouble(trouble)) => return Some(Err(trouble)),
                Ok(Message::Read(report)) => self.report.add(&report),
                Ok(Message::End(rest)) => {
                    self.pieces.pop_front();
                    for piece in rest.into_iter().rev() {
                        self.pieces.push_front(piece);
                    }
                }
                // Not a line may be missing without a word.
                Err(_) => panic!("a thread that reads ahead panicked"),
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Whoever waits to hand on what it has finds nobody.
        self.pieces.clear();
        for thread in self.threads.drain(..) {
            // A panic was told by itself.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn pieces(&self) -> MutexGuard<'_, VecDeque<Piece>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread: piece after piece, until there is none or nobody wants them.
    fn work(&self) {
        while !self.stopped.load(Ordering::Relaxed) {
            let Some(piece) = self.pieces().pop_front() else {
                return;
            };
            // Nobody listens any more: then nothing is told.
            let _ = self.read(piece);
        }
    }

    /// Reads a piece and hands on what it has; `None` if nobody wants it.
    fn read(&self, piece: Piece) -> Option<()> {
        let Piece {
            file,
            path,
            parts,
            out,
        } = piece;
        let mut rest = Vec::new();
        let mut reading = match parts {
            Some(parts) => Serial::of_parts(&self.search, path.clone(), parts),
            None => Serial::of_files(&self.search, vec![path.clone()]),
        };
        let mut batch = Batch::default();
        let mut known = Report::default();
        for step in 0_u32.. {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            // As if the file ended here: what was found so far is handed on.
            let stepped = if self.search.is_stopped() {
                Ok(false)
            } else {
                reading.step()
            };
            if let Ok(true) = stepped {
                rest.extend(self.share(file, &path, &mut reading));
            }
            batch.take(&mut reading);
            let ended = matches!(stepped, Ok(false));
            let pauses = ended || stepped.is_err();
            if (pauses || batch.bytes.len() >= BATCH) && !batch.hits.is_empty() {
                out.send(Message::Lines(std::mem::take(&mut batch))).ok()?;
            }
            if pauses || step % STEPS == 0 {
                let report = *reading.report();
                out.send(Message::Read(report.since(&known))).ok()?;
                known = report;
            }
            match stepped {
                Ok(true) => {}
                Ok(false) => break,
                Err(trouble) => out.send(Message::Trouble(trouble)).ok()?,
            }
        }
        out.send(Message::End(rest)).ok()
    }

    /// Gives the parts of a file behind the first to whoever is free.
    fn share(&self, file: usize, path: &Path, reading: &mut Serial<'_>) -> Vec<Receiver<Message>> {
        let mut work = Vec::new();
        let mut rest = Vec::new();
        for parts in reading.rest_of_parts() {
            let (out, piece) = sync_channel(BATCHES);
            work.push(Piece {
                file,
                path: path.to_owned(),
                parts: Some(parts),
                out,
            });
            rest.push(piece);
        }
        if work.is_empty() {
            return rest;
        }
        let mut pieces = self.pieces();
        // A file is shared once, by the thread that began it: what else waits is of other files.
        let behind = pieces.partition_point(|piece| piece.file < file);
        for piece in work.into_iter().rev() {
            pieces.insert(behind, piece);
        }
        rest
    }
}

impl Batch {
    /// Takes what the reading has found in the block that it stands at.
    fn take(&mut self, reading: &mut Serial<'_>) {
        while let Some(found) = reading.found() {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(found.bytes);
            if self.path != found.path {
                self.path = found.path.to_owned();
            }
            self.hits.push(Hit {
                start,
                end: self.bytes.len(),
                verdict: found.verdict,
                place: Place::Found,
                gap: false,
            });
        }
    }
}

/// Bytes of lines that are handed on at once, about.
const BATCH: usize = 64 << 10;

/// A thread may be so many batches ahead of whoever takes them.
const BATCHES: usize = 2;

/// What was read is told each mebibyte or so, also where nothing is found.
const STEPS: u32 = 8;
