//! A disk in memory: it counts its calls, fails the one it is told to, and can be full.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, Weak},
    thread::{self, ThreadId},
};

use jiff::Timestamp;

use crate::{
    clock::Clock,
    disk::{Disk, Facts, Lock, Open, Space, Syncs},
};

#[derive(Clone)]
pub(crate) struct MemoryDisk {
    memory: Arc<Mutex<Memory>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Memory {
    names: BTreeMap<PathBuf, Arc<Inode>>,
    inodes: Vec<Weak<Inode>>,
    /// The numbers of files that are locked.
    locks: BTreeSet<u64>,
    links: BTreeMap<PathBuf, PathBuf>,
    synced: Vec<(String, usize)>,
    callers: BTreeSet<String>,
    called: BTreeSet<&'static str>,
    capacity: Option<usize>,
    largest_write: Option<usize>,
    calls: usize,
    fail: Option<Fail>,
}

struct Inode {
    number: u64,
    content: Mutex<(Vec<u8>, Timestamp)>,
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

    /// Without the lock files.
    pub(crate) fn names(&self) -> Vec<String> {
        let memory = self.memory();
        let names = memory
            .names
            .keys()
            .filter_map(|path| path.file_name()?.to_str());
        names
            .filter(|name| !name.starts_with('.'))
            .map(str::to_owned)
            .collect()
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

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn call(&self, name: &'static str) -> io::Result<()> {
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

    fn find(&self, path: &Path) -> io::Result<Arc<Inode>> {
        self.memory()
            .names
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn make(&self, path: &Path, fresh: bool) -> Arc<Inode> {
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

    fn free(&self) -> usize {
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

impl Disk for MemoryDisk {
    fn create_directory(&self, _: &Path) -> io::Result<()> {
        self.call("create_directory")
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        self.call("append")?;
        Ok(Box::new(Handle {
            disk: self.clone(),
            inode: self.make(path, false),
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        self.call("create")?;
        let inode = self.make(path, false);
        inode.content.lock().unwrap().0.clear();
        Ok(Box::new(Handle {
            disk: self.clone(),
            inode,
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.call("read")?;
        let inode = self.find(path)?;
        let content = inode.content.lock().unwrap().0.clone();
        Ok(Box::new(io::Cursor::new(content)))
    }

    fn facts(&self, path: &Path) -> io::Result<Facts> {
        self.call("facts")?;
        Ok(self.find(path)?.facts())
    }

    fn torn(&self, path: &Path) -> io::Result<bool> {
        self.call("torn")?;
        let inode = self.find(path)?;
        let last = inode.content.lock().unwrap().0.last().copied();
        Ok(last.is_some_and(|last| last != b'\n'))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename")?;
        let inode = self.find(from)?;
        if self.find(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut memory = self.memory();
        memory.names.remove(from);
        memory.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call("remove")?;
        let removed = self.memory().names.remove(path);
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        self.call("list")?;
        Ok(self.names())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.call("sync_directory")?;
        let name = path.to_str().unwrap().to_owned();
        self.memory().synced.push((name, 0));
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.call("lock")?;
        let inode = self.make(path, false);
        if !self.memory().locks.insert(inode.number) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(HeldLock {
            disk: self.clone(),
            inode,
        }))
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        self.call("space")?;
        let total = self.memory().capacity.unwrap_or(usize::MAX) as u64;
        let free = self.free() as u64;
        Ok(Space { free, total })
    }

    fn link(&self, file: &Path, link: &Path) -> io::Result<bool> {
        self.call("link")?;
        if self.find(link).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut memory = self.memory();
        let old = memory.links.insert(link.to_owned(), file.to_owned());
        Ok(old.is_none_or(|old| old != file))
    }
}

struct HeldLock {
    disk: MemoryDisk,
    inode: Arc<Inode>,
}

impl Lock for HeldLock {
    fn facts(&self) -> io::Result<Facts> {
        self.disk.call("lock_facts")?;
        Ok(self.inode.facts())
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.disk.memory().locks.remove(&self.inode.number);
    }
}

struct Handle {
    disk: MemoryDisk,
    inode: Arc<Inode>,
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.call("write")?;
        let largest = self.disk.memory().largest_write.unwrap_or(usize::MAX);
        let length = bytes.len().min(self.disk.free()).min(largest);
        if length == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut content = self.inode.content.lock().unwrap();
        content.0.extend_from_slice(&bytes[..length]);
        content.1 = self.disk.clock.now();
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Open for Handle {
    fn facts(&self) -> io::Result<Facts> {
        self.disk.call("fstat")?;
        Ok(self.inode.facts())
    }

    fn syncs(&self) -> Arc<dyn Syncs> {
        Arc::new(Synced {
            disk: self.disk.clone(),
            inode: Arc::clone(&self.inode),
        })
    }
}

struct Synced {
    disk: MemoryDisk,
    inode: Arc<Inode>,
}

impl Syncs for Synced {
    fn sync(&self) -> io::Result<()> {
        self.disk.call("sync")?;
        let length = self.inode.content.lock().unwrap().0.len();
        let mut memory = self.disk.memory();
        let named = memory.names.iter().find_map(|(path, inode)| {
            let same = Arc::ptr_eq(inode, &self.inode);
            same.then(|| path.file_name().unwrap().to_str().unwrap().to_owned())
        });
        memory.synced.push((named.unwrap_or_default(), length));
        Ok(())
    }
}

impl Inode {
    fn facts(&self) -> Facts {
        let content = self.content.lock().unwrap();
        Facts {
            id: Some((1, self.number)),
            length: content.0.len() as u64,
            modified: content.1,
        }
    }
}
