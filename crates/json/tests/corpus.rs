//! Replays the fuzz target's corpus, and bytes of chance, without a fuzzer.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::drive::drive;

#[test]
fn every_input_of_the_corpus_makes_lines_as_promised() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut inputs = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus stands beside this file") {
        drive(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 100, "{inputs} inputs");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_chance_make_lines_as_promised(data in vec(any::<u8>(), 0..600)) {
        drive(&data);
    }
}
