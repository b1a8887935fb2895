//! Feeds bytes to the reader of indexes: `cargo +nightly fuzz run index ../tests/corpus/index`.
#![no_main]

#[path = "../../src/blocks.rs"]
#[expect(dead_code, reason = "a reading uses more of it than an index does")]
mod blocks;
#[path = "../../src/index/filter.rs"]
mod filter;
#[path = "../../src/index/format.rs"]
mod format;
#[path = "../../src/index/ids.rs"]
mod ids;
#[path = "../../src/index/part.rs"]
#[expect(dead_code, reason = "no index is made here")]
mod part;
#[path = "../../src/index/tie.rs"]
#[expect(dead_code, reason = "there is no file here")]
mod tie;
#[path = "../../src/index/xxh64.rs"]
mod xxh64;

#[path = "../../src/index/drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| drive::drive(data));
