//! The calls of the disk in memory.

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use super::disk::{Inode, MemoryDisk};
use crate::disk::{Disk, Facts, Lock, Open, Space, Syncs};

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
        if self.memory().immutable.contains(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let removed = self.memory().names.remove(path);
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        self.call("list")?;
        Ok(self.all_names())
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
