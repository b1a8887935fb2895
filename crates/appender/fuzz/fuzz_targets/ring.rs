//! Feeds bytes to the reader of crash rings: `cargo +nightly fuzz run ring tests/corpus`.
#![no_main]

#[path = "../../src/ring/linux/layout.rs"]
#[allow(dead_code, reason = "the appender may use more of the layout than its reader does")]
mod layout;
#[path = "../../src/ring/linux/read.rs"]
#[expect(dead_code, reason = "a replay uses more of the contents than this does")]
mod read;

#[path = "../../src/ring/linux/drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| drive::drive(data));
