//! Finds, searches and merges log files, rolled and compressed, as one stream of lines.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod ahead;
mod around;
mod blocks;
mod codec;
mod cursor;
mod cursors;
mod error;
mod family;
mod follow;
mod frames;
mod half;
mod identity;
mod index;
mod kin;
mod known;
mod lock;
mod merged;
mod name;
mod opened;
mod pattern;
mod place;
mod reading;
mod report;
mod search;
mod serial;
mod sieve;
mod stream;
mod tail;
#[cfg(feature = "zstd")]
mod torn;
mod trouble;
mod twin;
mod watch;

pub use blocks::MAX_LINE;
pub use cursor::Cursor;
pub use cursors::Cursors;
pub use error::Error;
pub use family::Family;
pub use follow::{Follow, Start};
pub use index::Index;
pub use merged::{Line, Merged};
pub use reading::{Found, Reading};
pub use report::Report;
pub use search::Search;
pub use trouble::Trouble;
pub use watch::Watch;
