//! A disk in memory: it counts its calls, fails the one it is told to, and can be full.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, Weak},
    thread::{self, ThreadId},
};

use jiff::Timestamp;

use crate::{clock::Clock, disk::Facts};

#[derive(Clone)]
pub(crate) struct MemoryDisk {
    memory: Arc<Mutex<Memory>>,
    pub(super) clock: Arc<dyn Clock>,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) names: BTreeMap<PathBuf, Arc<Inode>>,
    inodes: Vec<Weak<Inode>>,
    /// The numbers of files that are locked.
    pub(super) locks: BTreeSet<u64>,
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
    /// Files that cannot be removed.
    pub(super) immutable: BTreeSet<PathBuf>,
    pub(super) synced: Vec<(String, usize)>,
    callers: BTreeSet<String>,
    called: BTreeSet<&'static str>,
    pub(super) capacity: Option<usize>,
    pub(super) largest_write: Option<usize>,
    calls: usize,
    fail: Option<Fail>,
}

pub(super) struct Inode {
    pub(super) number: u64,
    pub(super) content: Mutex<(Vec<u8>, Timestamp)>,
}

/// Which call fails. A call that has no kind in mind fails as an I/O error does.
#[derive(Clone)]
struct Fail {
    at: usize,
    for_good: bool,
    only: Option<&'static str>,
    kind: io::ErrorKind,
}

impl MemoryDisk {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            memory: Arc::default(),
            clock,
        }
    }

    /// The call with this number, from now on, fails: once, or it and all after it.
    pub(crate) fn fail_call(&self, at: usize, for_good: bool) {
        let mut memory = self.memory();
        let at = memory.calls + at;
        memory.fail = Some(Fail {
            at,
            for_good,
            only: None,
            kind: io::ErrorKind::Other,
        });
    }

    /// All calls of this name fail.
    pub(crate) fn fail_all(&self, only: &'static str, kind: io::ErrorKind) {
        let mut memory = self.memory();
        memory.fail = Some(Fail {
            at: memory.calls,
            for_good: true,
            only: Some(only),
            kind,
        });
    }

    pub(crate) fn heal(&self) {
        self.memory().fail = None;
    }

    /// Nobody can remove this file until `mutable`.
    pub(crate) fn immutable(&self, path: &str) {
        self.memory().immutable.insert(path.into());
    }

    pub(crate) fn mutable(&self) {
        self.memory().immutable.clear();
    }

    /// The process is dead: it died after the call before the one that fails for good.
    pub(crate) fn is_dead(&self) -> bool {
        let memory = self.memory();
        let dead = |fail: &Fail| fail.for_good && fail.only.is_none() && memory.calls >= fail.at;
        memory.fail.as_ref().is_some_and(dead)
    }

    pub(crate) fn calls(&self) -> usize {
        self.memory().calls
    }

    /// The names of all calls so far.
    pub(crate) fn called(&self) -> BTreeSet<&'static str> {
        self.memory().called.clone()
    }

    /// Full beyond so many bytes, in files that have a name or are open.
    pub(crate) fn capacity(&self, bytes: Option<usize>) {
        self.memory().capacity = bytes;
    }

    pub(crate) fn largest_write(&self, bytes: usize) {
        self.memory().largest_write = Some(bytes);
    }

    /// Without the dot files: the lock, and what callbacks were called with.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.all_names();
        names.retain(|name| !name.starts_with('.'));
        names
    }

    pub(crate) fn all_names(&self) -> Vec<String> {
        let memory = self.memory();
        let paths = memory.names.keys();
        let names = paths.filter_map(|path| path.file_name()?.to_str());
        names.map(str::to_owned).collect()
    }

    /// Each file and directory that was synced, with its name and length then.
    pub(crate) fn synced(&self) -> Vec<(String, usize)> {
        self.memory().synced.clone()
    }

    pub(crate) fn link_at(&self, link: &str) -> Option<PathBuf> {
        self.memory().links.get(Path::new(link)).cloned()
    }

    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let memory = self.memory();
        let inode = memory.names.iter().find(|(path, _)| path.ends_with(name));
        inode
            .unwrap_or_else(|| panic!("no file {name}"))
            .1
            .content
            .lock()
            .unwrap()
            .0
            .clone()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.content(name)).unwrap()
    }

    /// Puts a file there, as another process would.
    pub(crate) fn put(&self, path: &str, content: &str) {
        self.put_bytes(path, content.as_bytes());
    }

    pub(crate) fn put_bytes(&self, path: &str, content: &[u8]) {
        let inode = self.make(Path::new(path), true);
        *inode.content.lock().unwrap() = (content.into(), self.clock.now());
    }

    /// Takes a name away, as another process would.
    pub(crate) fn take(&self, path: &str) {
        self.memory().names.remove(Path::new(path)).unwrap();
    }

    /// Renames a directory with all that is in it, as another process would.
    pub(crate) fn move_directory(&self, from: &str, to: &str) {
        let mut memory = self.memory();
        memory.names = std::mem::take(&mut memory.names)
            .into_iter()
            .map(|(path, inode)| match path.strip_prefix(from) {
                Ok(rest) => (Path::new(to).join(rest), inode),
                Err(_) => (path, inode),
            })
            .collect();
    }

    /// Whether this thread ever called the disk.
    pub(crate) fn was_called_by(&self, thread: ThreadId) -> bool {
        self.memory().callers.contains(&format!("{thread:?}"))
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    pub(super) fn call(&self, name: &'static str) -> io::Result<()> {
        let mut memory = self.memory();
        memory
            .callers
            .insert(format!("{:?}", thread::current().id()));
        memory.called.insert(name);
        let call = memory.calls;
        memory.calls += 1;
        let Some(fail) = &memory.fail else {
            return Ok(());
        };
        let hit = call == fail.at || (fail.for_good && call > fail.at);
        match hit && fail.only.is_none_or(|only| only == name) {
            true => Err(io::Error::new(
                fail.kind,
                format!("call {call}, {name}, fails"),
            )),
            false => Ok(()),
        }
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<Arc<Inode>> {
        self.memory()
            .names
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn make(&self, path: &Path, fresh: bool) -> Arc<Inode> {
        let mut memory = self.memory();
        if let (Some(inode), false) = (memory.names.get(path), fresh) {
            return Arc::clone(inode);
        }
        let number = memory.inodes.len() as u64;
        let inode = Arc::new(Inode {
            number,
            content: Mutex::new((Vec::new(), self.clock.now())),
        });
        memory.inodes.push(Arc::downgrade(&inode));
        memory.names.insert(path.to_owned(), Arc::clone(&inode));
        inode
    }

    pub(super) fn free(&self) -> usize {
        let memory = self.memory();
        let alive: Vec<_> = memory.inodes.iter().filter_map(Weak::upgrade).collect();
        let used: usize = alive
            .iter()
            .map(|inode| inode.content.lock().unwrap().0.len())
            .sum();
        memory
            .capacity
            .map_or(usize::MAX, |capacity| capacity.saturating_sub(used))
    }
}

impl Inode {
    pub(super) fn facts(&self) -> Facts {
        let content = self.content.lock().unwrap();
        Facts {
            id: Some((1, self.number)),
            length: content.0.len() as u64,
            modified: content.1,
        }
    }
}
