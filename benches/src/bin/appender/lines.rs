//! Lines that can be recognised, and the search for them in the files.

use std::fs;
use std::path::Path;

pub(crate) const LENGTH: usize = 200;

/// A line of 200 bytes whose thread and number stand at its front.
#[derive(Clone)]
pub(crate) struct Line([u8; LENGTH]);

impl Line {
    pub(crate) fn of_thread(thread: u64) -> Self {
        let mut text = [b'x'; LENGTH];
        let head = format!("{{\"thread\":{thread},\"number\":0000000000,\"message\":\"");
        text[..head.len()].copy_from_slice(head.as_bytes());
        text[LENGTH - 3..].copy_from_slice(b"\"}\n");
        Self(text)
    }

    /// The same bytes but for the digits, so that making it costs next to nothing.
    pub(crate) fn number(&mut self, mut number: u64) -> &[u8] {
        for digit in self.0[DIGITS].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        &self.0
    }
}

/// How many lines of all threads are in the files of a directory, each once, whole, and in the order
/// of its thread. Anything else in them stops the run.
pub(crate) fn found(directory: &Path, threads: u64) -> u64 {
    let mut last = vec![None; threads as usize];
    let mut found = 0;
    let entries = fs::read_dir(directory).expect("the directory of this run");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    // Rolled names carry a growing number; the current file has none and comes last.
    files.sort_by_key(|path| (path.ends_with("app.log"), path.clone()));
    for path in files {
        let text = read(&path);
        let lines = text.chunks_exact(LENGTH);
        assert!(
            lines.remainder().is_empty(),
            "{}: whole lines only",
            path.display()
        );
        for line in lines {
            let (thread, number) = parse(line);
            assert!(
                last[thread] < Some(number),
                "line {number} of thread {thread} out of order"
            );
            last[thread] = Some(number);
            found += 1;
        }
    }
    found
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file of this run");
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("zst") => zstd::decode_all(&*bytes).expect("a sound archive"),
        // A lock is no log.
        Some("lock") => Vec::new(),
        _ => bytes,
    }
}

fn parse(line: &[u8]) -> (usize, u64) {
    let thread = usize::from(line[10] - b'0');
    let mut expected = Line::of_thread(thread as u64);
    let number = line[DIGITS]
        .iter()
        .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'));
    assert_eq!(line, expected.number(number), "a line as it was written");
    (thread, number)
}

/// Where the number stands: after `{"thread":0,"number":`.
const DIGITS: std::ops::Range<usize> = 21..31;
