//! Feeds bytes to the JSON layer as options, spans and events: `cargo +nightly fuzz run line tests/corpus`.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::drive::drive(data));
