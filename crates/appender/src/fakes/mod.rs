//! A clock that is turned by hand and a disk in memory that fails on demand, for tests.

mod calls;
mod clock;
mod disk;

pub(crate) use clock::ManualClock;
pub(crate) use disk::MemoryDisk;
