//! Replays the fuzz target's corpus, and bytes of chance, without a fuzzer.

use proptest::prelude::*;

use super::drive::drive;

#[test]
fn every_input_of_the_corpus_is_read_as_promised() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/index");
    let mut inputs = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus stands beside the tests") {
        drive(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 8, "{inputs} inputs");
}

fn record(body: Vec<u8>) -> Vec<u8> {
    [&(body.len() as u16).to_le_bytes()[..], &body].concat()
}

/// The body of a head that has so many parts, of a file as large as they say.
fn head(size: u64, parts: u64) -> Vec<u8> {
    [size, 1, 2, 3, parts].map(u64::to_le_bytes).concat()
}

fn part() -> impl Strategy<Value = (u64, Vec<u8>)> {
    let cells = prop::collection::vec(any::<u8>(), 0..40);
    (
        1..1_000_u64,
        any::<[u64; 9]>(),
        any::<(i64, i64)>(),
        any::<u8>(),
        cells,
    )
        .prop_map(|(stored, numbers, (one, other), flags, cells)| {
            let mut body = stored.to_le_bytes().to_vec();
            body.extend(numbers[..2].iter().flat_map(|number| number.to_le_bytes()));
            body.extend(one.min(other).to_le_bytes());
            body.extend(one.max(other).to_le_bytes());
            body.extend(numbers[2..].iter().flat_map(|number| number.to_le_bytes()));
            body.push(flags);
            body.extend(cells);
            (stored, body)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn bytes_of_chance_are_read_as_promised(data in prop::collection::vec(any::<u8>(), 0..300)) {
        drive(&data);
    }

    #[test]
    fn records_of_chance_are_read_as_promised(
        parts in prop::collection::vec(part(), 0..5),
        size in prop::option::of(0..4_000_u64),
        count in prop::option::of(0..6_u64),
        rest in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let whole: u64 = parts.iter().map(|(stored, _)| stored).sum();
        let count = count.unwrap_or(parts.len() as u64);
        let mut data = record(head(size.unwrap_or(whole), count));
        for (_, body) in parts {
            data.extend(record(body));
        }
        data.extend(rest);
        drive(&data);
    }
}
