//! What stands beside a file, so that a search need not read all of it.

#[cfg(test)]
mod drive;
mod filter;
mod format;
#[cfg(test)]
mod fuzzed;
mod ids;
mod make;
mod part;
mod plan;
#[cfg(all(test, feature = "gzip", feature = "zstd"))]
mod same;
mod stale;
mod tie;
mod xxh64;

pub use make::Index;
pub(crate) use make::path_of;
pub(crate) use plan::{Plan, helps};
pub(crate) use tie::looks;
