//! What the measuring programs share: counting, timing, checking, printing.
//!
//! A program measures one area, ours beside the rivals, in one run: rounds are interleaved, every
//! output is checked inside the run, and rows that we lose are printed like the others. `--quick`
//! runs everything once, as a test; its figures mean nothing.

pub mod allocations;
pub mod callgrind;
pub mod latency;
pub mod machine;
pub mod print;
pub mod process;
pub mod sink;
pub mod time;

/// Whether this run is only a test of the answers.
#[must_use]
pub fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}
