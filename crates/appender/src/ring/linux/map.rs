//! Maps a ring file into memory: the words of its header and its areas, each with one owner.
//!
//! All unsafe code of this crate. What makes it sound: the file is allocated in full before it is
//! mapped, so that no page of it is missing; each byte belongs either to the header, which is only
//! touched through atomics, or to one `Region`, which has one owner as a `Vec` has.
//!
//! What it rests on, and nothing here can hold: no other process writes into the file or cuts it. A
//! replay, which does write, takes the file's lock first, and so do we; but flock(2) binds only who
//! asks for it. Beyond that the file is made anew, is readable and writable by its owner alone, and
//! has a name of its own. Who has its owner's rights and cuts it ends this process with a SIGBUS;
//! who writes into it changes bytes under a slice, as with ptrace(2).

use std::{
    fs::File,
    io,
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use rustix::mm::{self, MapFlags, ProtFlags};

use super::layout::HEADER;

/// Pages of this process until the last part of them goes.
struct Pages {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: `Pages` only keeps the mapping; who may touch which bytes is settled by `Words` and `Region`.
unsafe impl Send for Pages {}
// SAFETY: as above: no method of a shared `Pages` touches its bytes.
unsafe impl Sync for Pages {}

impl Pages {
    fn shared(file: &File, length: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a null hint maps where nothing is mapped yet: no memory that Rust knows changes.
        let start =
            unsafe { mm::mmap(ptr::null_mut(), length, access, MapFlags::SHARED, file, 0) }?;
        Self::at(start.cast(), length)
    }

    fn private(length: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: as above.
        let start =
            unsafe { mm::mmap_anonymous(ptr::null_mut(), length, access, MapFlags::PRIVATE) }?;
        Self::at(start.cast(), length)
    }

    // Only a hint: kernels before Linux 5.14 do not know it.
    fn fetch(&self, header: usize, areas: usize, bytes: usize) {
        for area in 0..areas {
            let first = header + area * bytes;
            let length = bytes.min(FETCHED);
            assert!(first + length <= self.length);
            // SAFETY: within the mapping, as asserted, and nothing changes but where its pages are.
            let _ = unsafe {
                mm::madvise(
                    self.start.as_ptr().add(first).cast(),
                    length,
                    mm::Advice::LinuxPopulateWrite,
                )
            };
        }
    }

    fn at(start: *mut u8, length: usize) -> io::Result<Self> {
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: `start` and `length` are those that mmap gave, and every `Words` and `Region` holds
        // an `Arc` of this value: none is left.
        let unmapped = unsafe { mm::munmap(self.start.as_ptr().cast(), self.length) };
        debug_assert!(unmapped.is_ok());
    }
}

/// The words of the header.
pub(crate) struct Mapped(Arc<Pages>);

/// Some bytes of the map, with one owner.
pub(crate) struct Region {
    pages: Arc<Pages>,
    start: usize,
    length: usize,
}

/// A whole ring, mapped.
pub(crate) struct Map {
    pub(crate) words: Mapped,
    pub(crate) regions: Vec<Region>,
}

/// Maps the header and so many areas of `bytes` each. The file is at least as long.
pub(crate) fn map(file: &File, areas: usize, bytes: usize) -> io::Result<Map> {
    // Beyond this no slice may be either; on 32 bits not every ring that can be written down fits.
    let length = areas
        .checked_mul(bytes)
        .and_then(|bytes| bytes.checked_add(HEADER))
        .filter(|&length| isize::try_from(length).is_ok())
        .ok_or(io::ErrorKind::OutOfMemory)?;
    if file.metadata()?.len() < length as u64 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let pages = Pages::shared(file, length)?;
    // What few lines need is there from the start: a first touch costs microseconds.
    pages.fetch(HEADER, areas, bytes);
    Ok(parts(pages, areas, bytes))
}

fn parts(pages: Pages, areas: usize, bytes: usize) -> Map {
    let pages = Arc::new(pages);
    let region = |area| Region {
        pages: Arc::clone(&pages),
        start: HEADER + area * bytes,
        length: bytes,
    };
    let regions = (0..areas).map(region).collect();
    let words = Mapped(pages);
    Map { words, regions }
}

impl Mapped {
    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at < HEADER / 8, "the header has {} words", HEADER / 8);
        // SAFETY: within the first `HEADER` bytes of the map, as asserted, which `map` made at least
        // that long; on a page border plus a multiple of 8, so aligned; no region overlaps
        // the header, so that these bytes are touched through atomics only.
        unsafe { AtomicU64::from_ptr(self.0.start.as_ptr().cast::<u64>().add(at)) }
    }

    pub(crate) fn load(&self, at: usize) -> u64 {
        self.word(at).load(Ordering::Acquire)
    }

    /// What was written before, here and into the regions, is in place before this word is.
    pub(crate) fn store(&self, at: usize, value: u64) {
        self.word(at).store(value, Ordering::Release);
    }
}

impl Region {
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `map` made the pages long enough for `start + length`, and they live as long as
        // `self`; regions do not overlap, and writing takes `&mut self`; no other process writes here,
        // as the head of this file says. The bytes are initialised: a file's are zero where nothing
        // was written.
        unsafe {
            std::slice::from_raw_parts(self.pages.start.as_ptr().add(self.start), self.length)
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` is the only way to these bytes now.
        unsafe {
            std::slice::from_raw_parts_mut(self.pages.start.as_ptr().add(self.start), self.length)
        }
    }
}

/// Tells a forked child from its parent with one load: a page that the kernel wipes in the child.
pub(crate) struct Canary(Option<Pages>);

impl Canary {
    pub(crate) fn new() -> Self {
        Self(Self::page().ok())
    }

    fn page() -> io::Result<Pages> {
        let page = Pages::private(HEADER)?;
        // SAFETY: the page is ours alone, and a wipe happens in a child only.
        unsafe {
            mm::madvise(
                page.start.as_ptr().cast(),
                page.length,
                mm::Advice::LinuxWipeOnFork,
            )
        }?;
        Self::life(&page).store(ALIVE, Ordering::Relaxed);
        Ok(page)
    }

    fn life(page: &Pages) -> &AtomicU32 {
        // SAFETY: the page has `HEADER` bytes, begins on a page border, lives as long as the borrow,
        // and is touched here only.
        unsafe { AtomicU32::from_ptr(page.start.as_ptr().cast()) }
    }

    /// `None`: this kernel has no such page (before Linux 4.14).
    pub(crate) fn is_forked(&self) -> Option<bool> {
        let page = self.0.as_ref()?;
        Some(Self::life(page).load(Ordering::Relaxed) != ALIVE)
    }
}

const ALIVE: u32 = 1;

/// Of each area: four times what wakes the writer.
const FETCHED: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_written_to_the_map_is_in_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len((HEADER + 2 * 4096) as u64).unwrap();
        let Map { words, mut regions } = map(&file, 2, 4096).unwrap();
        words.store(511, 7);
        regions[0].bytes_mut().fill(1);
        regions[1].bytes_mut()[4095] = 2;
        assert_eq!((words.load(511), regions[1].bytes()[4095]), (7, 2));
        drop(words);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes[HEADER - 8..HEADER], 7u64.to_ne_bytes());
        assert_eq!(bytes[HEADER..HEADER + 4096], [1; 4096]);
        assert_eq!(bytes[HEADER + 4096..][..4095], [0; 4095]);
        assert_eq!(bytes[HEADER + 2 * 4096 - 1], 2);
        assert_eq!(regions[0].bytes(), [1; 4096]);
    }

    // Also for miri, which maps no files: `cargo +nightly miri test --lib parts_of_a_map`.
    #[test]
    fn the_parts_of_a_map_serve_several_threads_at_once() {
        const BYTES: usize = 64;
        let pages = Pages::private(HEADER + 3 * BYTES).unwrap();
        let Map { words, regions } = parts(pages, 3, BYTES);
        let filled = std::thread::scope(|scope| {
            let fill = |(nth, mut region): (usize, Region)| {
                let words = &words;
                scope.spawn(move || {
                    for at in 0..BYTES {
                        region.bytes_mut()[at] = nth as u8 + 1;
                        words.store(nth, at as u64 + 1);
                    }
                    region
                })
            };
            let threads: Vec<_> = regions.into_iter().enumerate().map(fill).collect();
            let regions = threads.into_iter().map(|thread| thread.join().unwrap());
            regions.collect::<Vec<_>>()
        });
        assert_eq!(
            (0..4).map(|at| words.load(at)).collect::<Vec<_>>(),
            [64, 64, 64, 0]
        );
        drop(words);
        for (nth, region) in filled.iter().enumerate() {
            assert_eq!(region.bytes(), [nth as u8 + 1; BYTES]);
        }
    }

    #[test]
    fn a_file_that_is_too_short_is_not_mapped() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(HEADER as u64 + 4095).unwrap();
        let error = map(&file, 1, 4096).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_ring_that_no_address_space_holds_is_not_mapped() {
        let file = tempfile::tempfile().unwrap();
        for (areas, bytes) in [
            (2, usize::MAX / 2 + 1),
            (1, usize::MAX),
            (1, isize::MAX as usize),
        ] {
            let error = map(&file, areas, bytes).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory, "{areas} {bytes}");
        }
    }

    #[test]
    fn the_canary_lives_where_it_was_made() {
        assert!(matches!(Canary::new().is_forked(), None | Some(false)));
    }
}
