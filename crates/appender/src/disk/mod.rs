//! The disk as the appender sees it. Tests swap it for one that fails on demand.

mod link;
mod real;

pub(crate) use real::RealDisk;

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;

/// Every call that reaches the file system.
pub(crate) trait Disk: Send + Sync + 'static {
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Opens for appending, making the file if there is none.
    fn append(&self, path: &Path) -> io::Result<Box<dyn Open>>;
    /// Opens an empty file for writing.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>>;
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>>;
    fn facts(&self, path: &Path) -> io::Result<Facts>;
    /// Whether the file ends within a line.
    fn torn(&self, path: &Path) -> io::Result<bool>;
    /// Renames; `AlreadyExists` if something has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory that are UTF-8.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Makes renames and removals in this directory durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
    /// Held until dropped; `WouldBlock` while somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
    /// How much room the file system of this directory has; `Unsupported` where nobody tells.
    fn space(&self, directory: &Path) -> io::Result<Space>;
    /// Makes `link` a relative symbolic link to `file`, in one step; false if it is one already.
    /// `AlreadyExists` if something else has its name.
    fn link(&self, file: &Path, link: &Path) -> io::Result<bool>;
}

/// A file open for writing.
pub(crate) trait Open: Write + Send {
    fn facts(&self) -> io::Result<Facts>;
    /// Syncs the file without keeping a write waiting.
    fn syncs(&self) -> Arc<dyn Syncs>;

    fn sync(&self) -> io::Result<()> {
        self.syncs().sync()
    }
}

/// What makes the bytes of an open file durable.
pub(crate) trait Syncs: Send + Sync {
    fn sync(&self) -> io::Result<()>;
}

/// A lock that is held.
pub(crate) trait Lock: Send + Sync {
    /// Of the file that is locked, whatever its name is now.
    fn facts(&self) -> io::Result<Facts>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Device and inode, where there are such.
    pub(crate) id: Option<(u64, u64)>,
    pub(crate) length: u64,
    pub(crate) modified: Timestamp,
}

/// The room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// For this user.
    pub(crate) free: u64,
    pub(crate) total: u64,
}
