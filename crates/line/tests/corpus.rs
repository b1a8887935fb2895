//! Replays the fuzz target's corpus, and bytes of chance, without a fuzzer.
#![cfg(feature = "query")]

#[path = "support/drive.rs"]
mod drive;

use drive::drive;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn every_input_of_the_corpus_is_read_as_promised() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut inputs = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus stands beside this file") {
        drive(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 40, "{inputs} inputs");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_chance_are_read_as_promised(
        query in "[a-c*=<>~\"\\\\ ()|-]{0,16}|level(=|>=|!=)(warn|err.{0,2})|status(<|=)[0-9]{1,3}",
        lines in vec("[{}\\[\\]\":,\\\\u0-9a-c\\t é.]{0,40}|\\{\"(level|status|log|a)\": ?(\"[\\PC]{0,8}\"|[0-9]{1,3}|\\{.{0,9}\\})\\}?", 0..4),
        rest in vec(any::<u8>(), 0..40),
    ) {
        let mut data = format!("{query}\n{}\n", lines.join("\n")).into_bytes();
        data.extend(rest);
        drive(&data);
    }
}
