//! The writer's side: a batch in hand and how far it got.

use std::io::{self, Write};

use crate::{
    Gap, Level,
    account::{Reason, slots_from},
    batch::{Batch, PIECE},
    guarded::guarded,
    queue::{Order, Queue},
    ring::Area,
    roll::first_line,
};

/// The writer and the batch it is at. Only the writer thread locks it, and a drain on that thread.
pub(crate) struct Sink {
    writer: Option<Box<dyn Write + Send>>,
    batch: Batch,
    /// So many bytes it had when it was taken.
    taken: usize,
    /// It takes part of the queue's bound.
    in_hand: bool,
    order: Option<Order>,
    gap_line: Vec<u8>,
    sync_at: Option<SyncAt>,
    /// The batch holds a line that is to be synced.
    sync_due: bool,
}

/// What syncs what was written, after a line of this level or above.
pub(crate) struct SyncAt {
    pub(crate) level: Level,
    pub(crate) sync: Box<dyn FnMut() -> io::Result<()> + Send>,
}

/// How an attempt ended.
pub(crate) enum Attempt {
    /// All that was taken is written.
    Complete,
    /// The same, but it could not be synced.
    Unsynced(io::Error),
    /// A line is wanted that tells of this gap.
    Gap(Gap),
    /// To be tried again.
    Failed(io::Error),
    /// Not to be tried again: the lines are lost.
    Broken(io::Error),
    /// The writer panicked. The line it was given first is lost: perhaps it is the cause.
    Panicked,
}

impl Sink {
    pub(crate) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self {
            writer: Some(writer),
            batch: Batch::default(),
            taken: 0,
            in_hand: false,
            order: None,
            gap_line: Vec::new(),
            sync_at: None,
            sync_due: false,
        }
    }

    /// Takes batches out of a ring, this area first.
    pub(crate) fn out_of_ring(mut self, area: Area) -> Self {
        self.batch = Batch::in_ring(area);
        self
    }

    pub(crate) fn sync_at(mut self, sync_at: Option<SyncAt>) -> Self {
        self.sync_at = sync_at;
        self
    }

    /// The line for the gap that was last asked about.
    pub(crate) fn tell(&mut self, gap_line: Vec<u8>) {
        self.gap_line = gap_line;
    }

    /// What may hold files open.
    pub(crate) fn take_writer(&mut self) -> (Option<SyncAt>, Option<Box<dyn Write + Send>>) {
        (self.sync_at.take(), self.writer.take())
    }

    /// How much was taken last.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// How much of it is not dealt with.
    pub(crate) fn left(&self) -> usize {
        self.batch.bytes()
    }

    /// Writes what is in hand, or takes more and writes that.
    pub(crate) fn attempt(&mut self, queue: &Queue) -> Attempt {
        let Some(writer) = &mut self.writer else {
            return Attempt::Complete;
        };
        let order = self.order.get_or_insert_with(|| {
            let order = queue.take(&mut self.batch);
            self.taken = self.batch.bytes();
            self.in_hand = self.taken > 0;
            let levels = self.sync_at.as_ref().map(|at| slots_from(at.level));
            self.sync_due |= levels.is_some_and(|levels| self.batch.holds(levels));
            order
        });
        while !self.batch.is_empty() {
            let rest = chunk(self.batch.first());
            let (passed, loss, end) = match put(&mut **writer, rest) {
                Put::Wrote(written) => (written, None, None),
                Put::Failed(error) => return Attempt::Failed(error),
                Put::Broken(error) => (rest.len(), Some(Reason::Io), Some(Attempt::Broken(error))),
                Put::Panicked => {
                    queue.counters.panic();
                    (
                        first_line(rest),
                        Some(Reason::Panic),
                        Some(Attempt::Panicked),
                    )
                }
            };
            let lines = memchr::memchr_iter(b'\n', &rest[..passed]).count() as u64;
            if !queue.settle(&mut self.batch, (lines, passed), loss) {
                return Attempt::Complete;
            }
            if let Some(end) = end {
                return end;
            }
        }
        if std::mem::take(&mut self.in_hand) {
            queue.release(&mut self.batch);
        }
        if let Some(gap) = order.gap.take() {
            return Attempt::Gap(gap);
        }
        if let Some(end) = write_gap(&mut **writer, &mut self.gap_line, queue) {
            return end;
        }
        match guarded(|| writer.flush()) {
            Some(Ok(())) => {}
            Some(Err(error)) if is_final(&error) => {}
            Some(Err(error)) => return Attempt::Failed(error),
            // It is not called again for this batch: it would panic again.
            None => queue.counters.panic(),
        }
        // Before the flush is served: whoever waits for one finds the line synced.
        let synced = match &mut self.sync_at {
            Some(at) if std::mem::take(&mut self.sync_due) => guarded(&mut at.sync),
            _ => Some(Ok(())),
        };
        queue.served(order.flush);
        self.order = None;
        match synced {
            Some(Ok(())) => Attempt::Complete,
            Some(Err(error)) => Attempt::Unsynced(error),
            None => {
                queue.counters.panic();
                Attempt::Unsynced(io::Error::other("the `sync_at` callback panicked"))
            }
        }
    }
}

/// Whole lines, as many as are worth one write: room is made while the next ones are written.
pub(crate) fn chunk(lines: &[u8]) -> &[u8] {
    if lines.len() <= PIECE {
        return lines;
    }
    let border = memchr::memrchr(b'\n', &lines[..PIECE]);
    &lines[..border.map_or_else(|| first_line(lines), |border| border + 1)]
}

fn write_gap(writer: &mut dyn Write, line: &mut Vec<u8>, queue: &Queue) -> Option<Attempt> {
    let due = !line.is_empty();
    while !line.is_empty() {
        match put(writer, line) {
            Put::Wrote(written) => drop(line.drain(..written)),
            Put::Failed(error) => return Some(Attempt::Failed(error)),
            Put::Broken(error) => {
                line.clear();
                return Some(Attempt::Broken(error));
            }
            Put::Panicked => {
                line.clear();
                queue.counters.panic();
                return Some(Attempt::Panicked);
            }
        }
    }
    if due {
        queue.counters.gap_line();
    }
    None
}

enum Put {
    Wrote(usize),
    Failed(io::Error),
    Broken(io::Error),
    Panicked,
}

fn put(writer: &mut dyn Write, bytes: &[u8]) -> Put {
    loop {
        return match guarded(|| writer.write(bytes)) {
            Some(Ok(0)) => Put::Failed(io::ErrorKind::WriteZero.into()),
            // A writer that claims more than it was given is not believed.
            Some(Ok(written)) => Put::Wrote(written.min(bytes.len())),
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            Some(Err(error)) if is_final(&error) => Put::Broken(error),
            Some(Err(error)) => Put::Failed(error),
            None => Put::Panicked,
        };
    }
}

/// Nobody will ever read from a closed pipe again; a full disk may heal.
fn is_final(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
