//! Finds, searches and merges log files, rolled and compressed, as one stream of lines.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod blocks;
mod error;
mod family;
mod follow;
mod frames;
mod identity;
mod index;
mod merged;
mod name;
mod reading;
mod report;
mod search;
mod sieve;
mod tail;
mod trouble;

pub use blocks::MAX_LINE;
pub use error::Error;
pub use family::Family;
pub use follow::{Follow, Start};
pub use index::Index;
pub use merged::{Line, Merged};
pub use reading::{Found, Reading};
pub use report::Report;
pub use search::Search;
pub use trouble::Trouble;
