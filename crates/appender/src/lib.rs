//! A log file that rolls by size and time, and a bounded non-blocking writer before it.
#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod account;
mod active;
mod appender;
mod batch;
mod builder;
mod clock;
mod compress;
mod current;
mod detour;
mod disk;
mod error;
#[cfg(test)]
mod fakes;
mod fallback;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forks;
mod fsync;
mod gap;
mod guard;
mod guarded;
mod household;
mod housekeeping;
mod keep;
#[cfg(feature = "tracing")]
mod layer;
mod lines;
mod lock;
mod look;
mod name;
mod non_blocking;
mod opening;
mod panics;
mod process;
mod queue;
mod report;
mod retention;
mod ring;
mod roll;
mod rolling;
#[cfg(all(unix, feature = "signals"))]
mod signals;
mod sink;
mod stats;
mod told;
mod watcher;
mod worker;

#[cfg(all(unix, feature = "signals"))]
pub use crate::signals::Signals;
pub use crate::{
    account::{Accounts, Level, Lines, Lost, Refused},
    appender::Appender,
    builder::AppenderBuilder,
    compress::Compress,
    error::Error,
    fsync::Fsync,
    gap::Gap,
    guard::{Drain, Guard, Unwritten},
    keep::Keep,
    lock::WhenLocked,
    non_blocking::{NonBlocking, NonBlockingBuilder, WhenFull},
    ring::CrashRing,
    roll::Roll,
    stats::{Stats, Watch},
};
#[cfg(feature = "tracing")]
pub use crate::{layer::LayerWriter, non_blocking::LevelWriter};
