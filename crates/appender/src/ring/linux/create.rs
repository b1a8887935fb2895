//! Makes the ring file of a process: allocated in full, locked, mapped, and only then named.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock, fstatfs};

use super::{
    area::{Area, Ring},
    boot,
    layout::{HEADER, MAGIC, MOST, Roles, VERSION, at, header_check, pack},
    live::Words,
    map::{self, Map},
    place::{Place, UNFINISHED, list},
};
use crate::{
    Error,
    active::failure,
    disk::{Disk as _, RealDisk},
    error::Kind,
    name::Family,
    ring::CrashRing,
};

/// Makes the ring for a queue of `max` bytes: three areas if the oldest lines may be dropped, else two.
pub(crate) fn create(
    ring: &CrashRing,
    family: &Family,
    (max, areas): (usize, usize),
) -> Result<(Arc<Ring>, Area, Area), Error> {
    let Some(bytes) = area_bytes(max) else {
        let what = format!("cannot have a crash ring for {max} bytes: at most {MOST} are possible");
        return Err(Error::new(Kind::Option, what));
    };
    let number = next_number(family)
        .map_err(|error| failure("cannot list log directory", family.directory(), error))?;
    let name = family.ring(number);
    let mut unfinished = name.clone().into_os_string();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    let target = match &ring.directory {
        Some(directory) => elsewhere(directory, &name, &unfinished)?,
        None => unfinished.clone(),
    };
    let made = make(&target, bytes, areas).and_then(|made| {
        #[cfg(test)]
        super::fuse::burn(|| ()).ok_or_else(|| Error::new(Kind::Io, "killed"))?;
        // Never over another one: a process without the log's lock may have made it.
        let named = RealDisk { mode: None }.rename(&unfinished, &name);
        named.map_err(|error| failure("cannot name crash ring", &name, error))?;
        Ok(made)
    });
    let (file, map) = made.inspect_err(|_| {
        #[cfg(test)]
        if super::fuse::is_dead() {
            return;
        }
        // The cause is what is told; what cannot be removed is removed at the next start.
        let _ = (fs::remove_file(&target), fs::remove_file(&unfinished));
    })?;
    let file_path = if target == unfinished {
        name.clone()
    } else {
        target
    };
    let place = Place::new(name, file_path);
    Ok(Ring::new(map, max, (place, file)))
}

/// Whole pages for a queue of `max` bytes.
fn area_bytes(max: usize) -> Option<usize> {
    let bytes = max.checked_next_multiple_of(HEADER)?;
    (bytes <= MOST).then_some(bytes)
}

fn next_number(family: &Family) -> io::Result<u64> {
    Ok(list(family)?.rings.last().map_or(0, |(number, _)| *number) + 1)
}

// A file in another directory; the link to it comes first, so that a kill leaves nothing that no
// later start would find.
fn elsewhere(directory: &Path, name: &Path, unfinished: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(directory)
        .map_err(|error| failure("cannot make crash ring directory", directory, error))?;
    let directory = fs::canonicalize(directory)
        .map_err(|error| failure("cannot find crash ring directory", directory, error))?;
    // Logs of the same name in several directories may share this one.
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let free = (0u32..).find_map(|nth| {
        let path = directory.join(format!("{name}.{}.{nth}", std::process::id()));
        fs::symlink_metadata(&path).is_err().then_some(path)
    });
    let target = free.expect("a directory holds fewer than 2^32 rings");
    // One of an earlier start that was killed: the replay has removed what it pointed to.
    let _ = fs::remove_file(unfinished);
    symlink(&target, unfinished)
        .map_err(|error| failure("cannot link crash ring", unfinished, error))?;
    Ok(target)
}

fn make(path: &Path, bytes: usize, areas: usize) -> Result<(File, Map), Error> {
    // Lines are in it: whoever may not read the log shall not read them here. Never through a link
    // that somebody else put there.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failure("cannot make crash ring", path, error))?;
    refuse_copy_on_write(&file, path)?;
    let length = HEADER as u64 + areas as u64 * bytes as u64;
    // A hole in it would be a SIGBUS at the first line that a full disk has no page for.
    fallocate(&file, FallocateFlags::empty(), 0, length).map_err(|error| {
        let what = format!("cannot allocate {length} bytes for the crash ring");
        failure(&what, path, error.into())
    })?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|error| failure("cannot lock crash ring", path, error.into()))?;
    let map = map::map(&file, areas, bytes)
        .map_err(|error| failure("cannot map crash ring", path, error))?;
    begin(&map.words, (areas, bytes));
    Ok((file, map))
}

/// The words of an empty ring. Its areas are in the epochs 1, 2 and 3.
fn begin(words: &dyn Words, (areas, bytes): (usize, usize)) {
    let [first, second] = boot::id();
    let header = [MAGIC, VERSION, bytes as u64, areas as u64, first, second];
    for (at, word) in header.into_iter().enumerate() {
        words.store(at, word);
    }
    for area in 0..areas {
        words.store(at::count(area), pack(0));
        words.store(at::done(area), pack(0));
        words.store(at::epoch(area), area as u64 + 1);
    }
    words.store(at::ROLES, Roles::FIRST.pack());
    words.store(at::CHECK, header_check(header.into_iter()));
}

// There each write to a page wants a new block, whatever was allocated before: a full disk would end
// the process with a SIGBUS. And a network file system maps what another machine may take away.
fn refuse_copy_on_write(file: &File, path: &Path) -> Result<(), Error> {
    let kind = fstatfs(file)
        .map_err(|error| failure("cannot ask for the file system of", path, error.into()))?;
    let kind = kind.f_type as u32;
    let Some((_, name)) = UNFIT.iter().find(|(unfit, _)| *unfit == kind) else {
        return Ok(());
    };
    let what = format!(
        "cannot have a crash ring at `{}`: on {name} a full disk would end the process; choose a \
         directory on another file system, such as /dev/shm",
        path.display()
    );
    Err(Error::new(Kind::Option, what))
}

/// Numbers of statfs(2), from the kernel's include/uapi/linux/magic.h and the file systems' own.
const UNFIT: &[(u32, &str)] = &[
    (0x9123_683e, "btrfs"),
    (0x2fc1_2fc1, "ZFS"),
    (0xca45_1a4e, "bcachefs"),
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x6573_5546, "FUSE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_has_whole_pages_and_no_more_than_its_reader_takes() {
        for (max, bytes) in [
            (1, Some(4096)),
            (4096, Some(4096)),
            (8 * 1024 * 1024 + 1, Some(8 * 1024 * 1024 + 4096)),
            (MOST - 1, Some(MOST)),
            (MOST, Some(MOST)),
            (MOST + 1, None),
            (usize::MAX, None),
        ] {
            assert_eq!(area_bytes(max), bytes, "{max}");
        }
        assert!(u32::try_from(MOST).is_ok());
    }
}
