//! Reads the log files back, rolled and compressed ones included, as one stream of lines.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use dogwatch_line::{Line, Value};

/// What a whole log holds.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) files: u64,
    pub(crate) lines: u64,
    /// Of lives before the last one; all else is counted of the last one only.
    pub(crate) earlier: u64,
    /// Of these, lines that the last one wrote for the one before, by its own first line.
    pub(crate) replayed: u64,
    /// Lines that stand there twice, to the letter.
    pub(crate) doubled: u64,
    /// What stood there so far.
    seen: HashSet<u64>,
    /// Lines that are not one JSON object with unique keys. There must be none.
    pub(crate) broken: u64,
    pub(crate) closing: u64,
    /// Closing lines of shed requests.
    pub(crate) shed: u64,
    /// How far each trace got on the way of a payment.
    progress: HashMap<String, usize>,
    /// The first trace with a payment that failed.
    pub(crate) failed: Option<String>,
}

impl Book {
    /// Reads all files of the log.
    pub(crate) fn read(dir: &Path) -> io::Result<Book> {
        let mut book = Book::default();
        for file in files(dir)? {
            book.files += 1;
            for line in open(&file)?.lines() {
                book.count(&line?);
            }
        }
        Ok(book)
    }

    /// Traces that hold every step of a payment, in order.
    pub(crate) fn traces_complete(&self) -> u64 {
        self.progress
            .values()
            .filter(|steps| **steps == STEPS.len())
            .count() as u64
    }

    fn count(&mut self, text: &str) {
        let mut hash = DefaultHasher::new();
        text.hash(&mut hash);
        self.doubled += u64::from(!self.seen.insert(hash.finish()));
        let Ok(line) = Line::parse(text) else {
            self.lines += 1;
            self.broken += 1;
            return;
        };
        if is(&line, "target", "dogwatch") && is(&line, "message", "logging started") {
            *self = self.another_life(&line);
        }
        self.lines += 1;
        if is(&line, "target", "dogwatch::request") {
            self.closing += 1;
            self.shed += u64::from(is(&line, "outcome", "shed"));
        }
        let (Some(Value::Str(event)), Some(Value::Str(trace))) =
            (line.field("event"), line.field("trace_id"))
        else {
            return;
        };
        if event == "pay_failed" && self.failed.is_none() {
            self.failed = Some(trace.clone().into_owned());
        }
        if STEPS.contains(&&*event) {
            let steps = self.progress.entry(trace.into_owned()).or_default();
            *steps += usize::from(STEPS.get(*steps) == Some(&&*event));
        }
    }
}

impl Book {
    /// Begins again with what is counted over all lives.
    fn another_life(&mut self, first: &Line<'_>) -> Book {
        let replayed = match first.field("replayed") {
            Some(Value::I64(number)) => number.unsigned_abs(),
            _ => 0,
        };
        Book {
            files: self.files,
            earlier: self.earlier + self.lines,
            replayed,
            doubled: self.doubled,
            broken: self.broken,
            seen: std::mem::take(&mut self.seen),
            ..Book::default()
        }
    }
}

/// The lines of one trace, in the order of the log.
pub(crate) fn trace(dir: &Path, id: &str) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    for file in files(dir)? {
        for text in open(&file)?.lines() {
            let text = text?;
            if text.contains(id) && Line::parse(&text).is_ok_and(|line| is(&line, "trace_id", id)) {
                lines.push(text);
            }
        }
    }
    Ok(lines)
}

/// The log's files, the oldest first: the rolled ones by name, then the one being written.
pub(crate) fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let log = [".log", ".log.gz", ".log.zst"]
            .iter()
            .any(|end| name.ends_with(end));
        if log && name.starts_with("shop.") {
            files.push(name);
        }
    }
    files.sort_by_key(|name| (name == LOG, name.clone()));
    Ok(files.into_iter().map(|name| dir.join(name)).collect())
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let file = File::open(path)?;
    let plain: Box<dyn Read> = match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::new(plain)))
}

fn is(line: &Line<'_>, field: &str, text: &str) -> bool {
    matches!(line.field(field), Some(Value::Str(value)) if value == text)
}

/// The name of the file being written.
pub(crate) const LOG: &str = "shop.log";

/// What a settled payment leaves under its trace, in this order.
const STEPS: [&str; 6] = [
    "order_created",
    "pay_started",
    "pay_requested",
    "pay_settled",
    "ledger_updated",
    "status_notified",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn book(lines: &[(&str, &str)]) -> Book {
        let mut book = Book::default();
        for (trace, event) in lines {
            book.count(&format!(r#"{{"trace_id":"{trace}","event":"{event}"}}"#));
        }
        book
    }

    #[test]
    fn a_trace_is_complete_with_every_step_in_order() {
        let whole: Vec<_> = STEPS.iter().map(|step| ("a", *step)).collect();
        assert_eq!(book(&whole).traces_complete(), 1);
        assert_eq!(book(&whole[..5]).traces_complete(), 0);
        let mut swapped = whole.clone();
        swapped.swap(3, 4);
        assert_eq!(book(&swapped).traces_complete(), 0);
        let mut spread = whole.clone();
        spread[5].0 = "b";
        assert_eq!(book(&spread).traces_complete(), 0);
    }

    #[test]
    fn a_payment_that_failed_first_is_complete_when_it_settles() {
        let steps = [
            "order_created",
            "pay_started",
            "pay_requested",
            "pay_failed",
        ];
        let more = [
            "pay_started",
            "pay_requested",
            "pay_settled",
            "ledger_updated",
        ];
        let lines: Vec<_> = steps
            .iter()
            .chain(&more)
            .chain(["status_notified"].iter())
            .collect();
        let lines: Vec<_> = lines.into_iter().map(|step| ("a", *step)).collect();
        let book = book(&lines);
        assert_eq!(
            (book.traces_complete(), book.failed.as_deref()),
            (1, Some("a"))
        );
    }

    #[test]
    fn every_kind_of_file_is_read_and_no_neighbour() {
        let dir = tempfile::tempdir().unwrap();
        let line = b"{\"target\":\"dogwatch::request\",\"outcome\":\"shed\"}\n";
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gz, line).unwrap();
        fs::write(dir.path().join("shop.1.log.gz"), gz.finish().unwrap()).unwrap();
        let zst = zstd::encode_all(&line[..], 1).unwrap();
        fs::write(dir.path().join("shop.2.log.zst"), zst).unwrap();
        fs::write(dir.path().join("shop.3.log"), line).unwrap();
        fs::write(dir.path().join(LOG), b"not json\n").unwrap();
        for other in ["shop.db", "alerts.jsonl", "shop.log.bak"] {
            fs::write(dir.path().join(other), line).unwrap();
        }
        let book = Book::read(dir.path()).unwrap();
        assert_eq!(
            (book.files, book.lines, book.closing, book.shed, book.broken),
            (4, 4, 3, 3, 1)
        );
    }
}
