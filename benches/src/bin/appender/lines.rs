//! Lines that can be recognised, and the search for them in the files.

use std::fs;
use std::io::Read;
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
pub(crate) fn found(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).expect("the directory of this run");
    let mut spans = Vec::new();
    for entry in entries {
        spans.extend(spans_of(&entry.expect("an entry").path()));
    }
    // What their names mean differs, but a line stands in one file, and after those before it.
    spans.sort_by_key(|span| (span.thread, span.first));
    for pair in spans.windows(2) {
        let [one, next] = pair else { continue };
        assert!(
            one.thread != next.thread || one.last < next.first,
            "line {} of thread {} is there twice, or behind {}",
            next.first,
            next.thread,
            one.last
        );
    }
    spans.iter().map(|span| span.lines).sum()
}

/// What a file holds of one thread.
#[derive(Clone, Copy)]
struct Span {
    thread: usize,
    first: u64,
    last: u64,
    lines: u64,
}

fn spans_of(path: &Path) -> Vec<Span> {
    let text = read(path);
    let lines = text.chunks_exact(LENGTH);
    assert!(
        lines.remainder().is_empty(),
        "{}: whole lines only",
        path.display()
    );
    let mut spans: Vec<Option<Span>> = vec![None; 10];
    for line in lines {
        let (thread, number) = parse(line);
        let span = spans[thread].get_or_insert(Span {
            thread,
            first: number,
            last: number,
            lines: 0,
        });
        assert!(
            span.lines == 0 || span.last < number,
            "line {number} of thread {thread} out of order"
        );
        span.last = number;
        span.lines += 1;
    }
    spans.into_iter().flatten().collect()
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file of this run");
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("zst") => zstd::decode_all(&*bytes).expect("a sound archive"),
        Some("gz") => {
            let mut text = Vec::new();
            let mut archive = flate2::read::MultiGzDecoder::new(&*bytes);
            archive.read_to_end(&mut text).expect("a sound archive");
            text
        }
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
