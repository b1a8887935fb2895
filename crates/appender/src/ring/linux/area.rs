//! A ring file in use, and its areas: the batches that callers fill and the writer empties.

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    layout::{RECORD, Record, Roles, at, pack},
    live::{Marker, Stage},
    map::{Canary, Map, Mapped, Region},
    place::Place,
};
use crate::ring::Mark;

/// A ring file that this process fills.
pub(crate) struct Ring {
    words: Mapped,
    roles: Mutex<Roles>,
    /// The last epoch that was given to an area.
    epoch: AtomicU64,
    /// What stays is copied here when the oldest lines are dropped.
    spare: Mutex<Option<(usize, Region)>>,
    canary: Canary,
    place: Place,
    /// Keeps the lock.
    file: File,
}

/// One of its areas, as the bytes of a batch.
pub(crate) struct Area {
    ring: Arc<Ring>,
    index: usize,
    epoch: u64,
    region: Region,
    /// So many bytes of it may be taken.
    max: usize,
    bytes: usize,
    /// So many bytes are dealt with.
    at: usize,
    records: usize,
    /// So many records are settled, and so many lines of the next one.
    settled: (usize, u32),
}

impl Ring {
    /// The ring, its first area for those who fill it, and the second for who empties it. A third
    /// one is the spare. They are empty, and the words say so already.
    pub(crate) fn new(
        Map { words, regions }: Map,
        max: usize,
        (place, file): (Place, File),
    ) -> (Arc<Self>, Area, Area) {
        let areas = regions.len();
        let mut regions = regions.into_iter().enumerate();
        let mut next = || regions.next().expect("a ring has two areas at least");
        let (front, back) = (next(), next());
        let ring = Arc::new(Self {
            words,
            roles: Mutex::new(Roles::FIRST),
            epoch: AtomicU64::new(areas as u64),
            spare: Mutex::new(regions.next()),
            canary: Canary::new(),
            place,
            file,
        });
        let area = |(index, region)| Area {
            epoch: ring.words.load(at::epoch(index)),
            ring: Arc::clone(&ring),
            index,
            region,
            max,
            bytes: 0,
            at: 0,
            records: 0,
            settled: (0, 0),
        };
        let (front, back) = (area(front), area(back));
        (ring, front, back)
    }

    /// Whether this is a forked child, if that can be known without a system call.
    pub(crate) fn is_forked(&self) -> Option<bool> {
        self.canary.is_forked()
    }

    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Gives the ring its name back, if that is gone with the directory of the log.
    pub(crate) fn keep_name(&self) -> io::Result<()> {
        self.place.keep(&self.file)
    }

    /// Removes the ring if nothing is left in it; else the next start finds it.
    pub(crate) fn end(&self) -> io::Result<()> {
        let Roles { front, flight } = self.stage().roles();
        if flight.is_none() && self.words.load(at::count(front)) == pack(0) {
            self.place.remove()?;
        }
        Ok(())
    }

    fn stage(&self) -> Stage<'_> {
        Stage {
            words: &self.words,
            roles: &self.roles,
        }
    }

    fn next_epoch(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// For the area in flight, if there is one.
impl Mark for Ring {
    fn begin(&self, file: (u64, u64), offset: u64) -> io::Result<()> {
        self.marker().begin(file, offset)
    }

    fn wrote(&self, bytes: usize) {
        self.marker().wrote(bytes);
    }

    fn passed(&self, bytes: usize) {
        self.marker().passed(bytes);
    }
}

impl Ring {
    fn marker(&self) -> Marker<'_> {
        Marker {
            words: &self.words,
            area: self.stage().roles().flight,
        }
    }
}

impl Area {
    /// How many bytes are not dealt with.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes - self.at
    }

    /// These bytes.
    pub(crate) fn first(&self) -> &[u8] {
        &self.region.bytes()[self.at..self.bytes]
    }

    /// Whether it holds a line whose place among the levels is one of these.
    pub(crate) fn holds(&self, slots: Range<usize>) -> bool {
        let mut records = self.settled.0..self.records;
        records.any(|nth| slots.contains(&Record::read(self.region.bytes(), nth).slot.into()))
    }

    pub(crate) fn cost(&self) -> usize {
        self.bytes + self.records * RECORD
    }

    /// Adds lines: accepted when this returns, whatever happens to the process. There is room: the
    /// queue admitted them.
    pub(crate) fn push(&mut self, slot: usize, count: u64, lines: &[u8]) {
        debug_assert!(self.cost() + lines.len() + RECORD <= self.max);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let record = Record::of(lines, (count, slot as u8), (self.epoch, self.records));
        #[cfg(test)]
        let Some(()) = super::fuse::burn(|| ()) else {
            return;
        };
        let region = self.region.bytes_mut();
        region[self.bytes..][..lines.len()].copy_from_slice(lines);
        let from = region.len() - (self.records + 1) * RECORD;
        region[from..][..RECORD].copy_from_slice(&record.encode());
        self.bytes += lines.len();
        self.records += 1;
        self.commit();
    }

    fn commit(&self) {
        let count = pack(self.records as u32);
        self.ring.words.store(at::count(self.index), count);
    }

    /// Takes the first `lines` out of the count, level by level.
    pub(crate) fn settle(&mut self, mut lines: u64, mut count: impl FnMut(usize, u64)) {
        while lines > 0 && self.settled.0 < self.records {
            let (index, settled) = self.settled;
            let record = Record::read(self.region.bytes(), index);
            let now = lines.min((record.lines - settled).into());
            count(record.slot.into(), now);
            lines -= now;
            self.settled.1 += now as u32;
            if self.settled.1 == record.lines {
                self.settled = (index + 1, 0);
            }
        }
    }

    /// Leaves the next bytes behind: written or given up.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.at += bytes;
        let done = pack(self.at as u32);
        self.ring.words.store(at::done(self.index), done);
    }

    /// Drops the first records, at least `bytes` of them if there are so many. What stays is copied
    /// to the spare area, which takes this one's place at once.
    pub(crate) fn drop_first(&mut self, bytes: usize, mut count: impl FnMut(usize, u64)) {
        let ring = Arc::clone(&self.ring);
        let mut spare = ring.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((index, region)) = spare.take() else {
            return;
        };
        let epoch = ring.next_epoch();
        ring.stage().prepare(index, epoch);
        let old = Self {
            index: std::mem::replace(&mut self.index, index),
            region: std::mem::replace(&mut self.region, region),
            epoch: std::mem::replace(&mut self.epoch, epoch),
            bytes: std::mem::take(&mut self.bytes),
            at: 0,
            records: std::mem::take(&mut self.records),
            settled: (0, 0),
            ring: Arc::clone(&ring),
            max: self.max,
        };
        let mut at = 0;
        for nth in 0..old.records {
            let record = Record::read(old.region.bytes(), nth);
            let lines = &old.first()[at..][..record.bytes as usize];
            if at < bytes {
                count(record.slot.into(), record.lines.into());
            } else {
                self.push(record.slot.into(), record.lines.into(), lines);
            }
            at += lines.len();
        }
        let roles = ring.stage().roles();
        ring.stage().play(Roles {
            front: index,
            ..roles
        });
        *spare = Some((old.index, old.region));
    }

    /// This area goes to the writer, and `other`, which is empty, takes its place.
    pub(crate) fn hand_over_for(&self, other: &Self) {
        self.ring.stage().play(Roles {
            front: other.index,
            flight: Some(self.index),
        });
    }

    /// All is dealt with: the writer's area has no role any more.
    pub(crate) fn clear(&mut self) {
        let stage = self.ring.stage();
        let roles = stage.roles();
        stage.play(Roles {
            flight: None,
            ..roles
        });
        self.epoch = self.ring.next_epoch();
        stage.prepare(self.index, self.epoch);
        (self.bytes, self.at, self.records, self.settled) = (0, 0, 0, (0, 0));
    }
}

/// Where a ring lies, for messages.
impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring")
            .field("path", &PathBuf::from(self.path()))
            .finish_non_exhaustive()
    }
}
