//! Reads the log files back, rolled and compressed ones included, as one stream of lines of any
//! schema.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use dogwatch_line::{Columns, Line, Value};

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
        let columns = Columns::new(COUNTED);
        for file in files(dir)? {
            book.files += 1;
            for line in open(&file)?.lines() {
                book.count(&columns, &line?);
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

    fn count(&mut self, columns: &Columns, text: &str) {
        let mut hash = DefaultHasher::new();
        text.hash(&mut hash);
        self.doubled += u64::from(!self.seen.insert(hash.finish()));
        if Line::parse(text).is_err() {
            self.lines += 1;
            self.broken += 1;
            return;
        }
        let fields = columns.of(text);
        let [target, message, outcome, event, trace, replayed] = fields.as_slice() else {
            unreachable!("one value for each of COUNTED");
        };
        if is(target, "dogwatch") && is(message, "logging started") {
            *self = self.another_life(replayed.as_ref());
        }
        self.lines += 1;
        if is(target, "dogwatch::request") {
            self.closing += 1;
            self.shed += u64::from(is(outcome, "shed"));
        }
        if let (Some(Value::Str(event)), Some(Value::Str(trace))) = (event, trace) {
            self.step(event, trace);
        }
    }

    /// A business event of a trace.
    fn step(&mut self, event: &str, trace: &str) {
        if event == "pay_failed" && self.failed.is_none() {
            self.failed = Some(trace.to_owned());
        }
        if STEPS.contains(&event) {
            let steps = self.progress.entry(trace.to_owned()).or_default();
            *steps += usize::from(STEPS.get(*steps) == Some(&event));
        }
    }

    /// Begins again with what is counted over all lives.
    fn another_life(&mut self, replayed: Option<&Value<'_>>) -> Book {
        let replayed = match replayed {
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
    let columns = Columns::new(["trace_id"]);
    for file in files(dir)? {
        for text in open(&file)?.lines() {
            let text = text?;
            if text.contains(id) && is(&columns.of(&text)[0], id) {
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

fn is(field: &Option<Value<'_>>, text: &str) -> bool {
    matches!(field, Some(Value::Str(value)) if value == text)
}

/// The fields that count, by the dictionary's names.
const COUNTED: [&str; 6] = [
    "target", "message", "outcome", "event", "trace_id", "replayed",
];

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
        let columns = Columns::new(COUNTED);
        for (trace, event) in lines {
            book.count(
                &columns,
                &format!(r#"{{"trace_id":"{trace}","event":"{event}"}}"#),
            );
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
    fn a_line_counts_under_the_names_of_any_schema() {
        let lines = [
            r#"{"log.logger":"dogwatch::request","outcome":"shed"}"#,
            r#"{"target":"dogwatch::request","fields":{"outcome":"shed"}}"#,
            r#"{"InstrumentationScope":{"Name":"dogwatch::request"},"Attributes":{"outcome":"shed"}}"#,
            r#"{"event.action":"pay_failed","trace.id":"a"}"#,
        ];
        let (mut book, columns) = (Book::default(), Columns::new(COUNTED));
        for line in lines {
            book.count(&columns, line);
        }
        assert_eq!(
            (book.lines, book.closing, book.shed, book.failed.as_deref()),
            (4, 3, 3, Some("a"))
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
