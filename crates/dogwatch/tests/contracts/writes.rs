//! The seam between a layer and its writer: one writer and one write an event, of one whole line.

use std::io;
use std::sync::{Arc, Mutex};

use dogwatch_json::JsonLayer;
use dogwatch_line::Line;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// What a layer did with its writers, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Make,
    MakeFor(Level),
    Write,
    WriteAll(String),
    Flush,
}

/// Notes each call.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<Call>>>);

impl Noted {
    fn note(&self, call: Call) {
        self.0.lock().unwrap().push(call);
    }

    fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl MakeWriter<'_> for Noted {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.note(Call::Make);
        self.clone()
    }

    fn make_writer_for(&self, metadata: &Metadata<'_>) -> Self {
        self.note(Call::MakeFor(*metadata.level()));
        self.clone()
    }
}

impl io::Write for Noted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.note(Call::Write);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = String::from_utf8(bytes.to_vec()).expect("a line is UTF-8");
        self.note(Call::WriteAll(text));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.note(Call::Flush);
        Ok(())
    }
}

fn logging<W>(writer: W, run: impl FnOnce())
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let subscriber = tracing_subscriber::registry().with(JsonLayer::new(writer));
    tracing::subscriber::with_default(subscriber, run);
}

/// The message of each line, if the calls are one writer and one whole line in turn.
#[track_caller]
fn messages(calls: &[Call]) -> Vec<(Level, String)> {
    let pairs = calls.chunks(2).map(|pair| match pair {
        [Call::MakeFor(level), Call::WriteAll(text)] => {
            assert_eq!(text.find('\n'), Some(text.len() - 1), "{text}");
            let line = Line::parse(text).expect("valid");
            (*level, line.message().expect("there").into_owned())
        }
        other => panic!("{other:?}"),
    });
    pairs.collect()
}

#[test]
fn an_event_asks_for_one_writer_and_writes_one_whole_line_at_once() {
    let noted = Noted::default();
    let long = "长\n".repeat(1 << 20);
    logging(noted.clone(), || {
        let span = tracing::info_span!("work", order = 7, late = tracing::field::Empty);
        span.record("late", "ünd \"so\"\r\n");
        let _within = span.enter();
        assert_eq!(noted.calls(), [], "a span writes nothing");
        tracing::error!("a");
        tracing::warn!(field = "two\nlines", "b\n");
        tracing::info!(
            long,
            error = &io::Error::other("x\ny") as &dyn std::error::Error,
            "c"
        );
        tracing::debug!("");
        tracing::trace!(n = 1);
    });
    let expected = [
        (Level::ERROR, "a"),
        (Level::WARN, "b\n"),
        (Level::INFO, "c"),
        (Level::DEBUG, ""),
        (Level::TRACE, ""),
    ];
    let expected = expected.map(|(level, message)| (level, message.to_owned()));
    assert_eq!(messages(&noted.calls()), expected);
}

/// Takes three bytes at a time, and is interrupted in between.
#[derive(Clone, Default)]
struct Short(Arc<Mutex<(Vec<u8>, bool)>>);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (taken, interrupt) = &mut *self.0.lock().unwrap();
        *interrupt = !*interrupt;
        if *interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let few = bytes.len().min(3);
        taken.extend_from_slice(&bytes[..few]);
        Ok(few)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_writes_short_is_continued_and_never_sent_a_byte_twice() {
    let short = Short::default();
    let writer = short.clone();
    logging(
        move || writer.clone(),
        || (0..3).for_each(|n| tracing::info!(n, "short")),
    );
    let text = String::from_utf8(short.0.lock().unwrap().0.clone()).unwrap();
    assert!(text.ends_with('\n'));
    let numbers: Vec<_> = text
        .lines()
        .map(|line| {
            Line::parse(line)
                .expect("whole")
                .field("n")
                .expect("there")
                .to_string()
        })
        .collect();
    assert_eq!(numbers, ["0", "1", "2"]);
}

/// Takes nothing.
#[derive(Clone, Default)]
struct Full(Noted);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_line_that_the_writer_does_not_take_is_counted_and_not_tried_again() {
    let full = Full::default();
    let writer = full.clone();
    let layer = JsonLayer::new(move || writer.clone()).on_error(|_| {});
    let lost = layer.lost_lines();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("first");
        tracing::info!("second");
    });
    let calls = full.0.calls();
    let texts = calls.iter().map(|call| match call {
        Call::WriteAll(text) => Line::parse(text).expect("whole").message().expect("there"),
        other => panic!("{other:?}"),
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(lost.count(), 2);
}
