//! Feeds bytes to the query language as a query and lines: `cargo +nightly fuzz run query tests/corpus`.
#![no_main]

#[path = "../../tests/support/drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| drive::drive(data));
