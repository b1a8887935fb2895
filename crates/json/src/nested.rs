//! Lets a value that is formatted with `Debug` hand over JSON instead of text, to a writer that asks.
//!
//! Of such a value `tracing` shows a layer a `&dyn Debug` and nothing else. So the value knocks first:
//! it writes an empty text that stands at an address of our own. Every other writer gets nothing of
//! it. Ours knows the address and leaves a question on the thread's desk; the value takes it, leaves
//! its answer there and says so with another empty text.

use crate::plan::Shape;
use crate::redact::Redact;
use crate::schema::ErrorForm;
use crate::shield::shielded;
use std::cell::Cell;
use std::fmt::{self, Write as _};

/// What a writer wants to have.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The field's name as it was logged, for redaction by path.
    pub(crate) key: String,
    pub(crate) redact: Redact,
    /// The longest answer in bytes.
    pub(crate) max_bytes: usize,
    /// The longest text in it.
    pub(crate) max_field: usize,
    /// What the field is written as. An answer is a text where a text is wanted.
    pub(crate) shape: Shape,
    /// How an error is written.
    pub(crate) error: ErrorForm,
}

/// What it gets: one JSON value without line breaks.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) json: Vec<u8>,
    /// Nothing was cut or left out.
    pub(crate) whole: bool,
    /// It is an object as `error` has it.
    pub(crate) is_error: bool,
}

/// What an empty text may mean.
#[derive(Debug, PartialEq)]
pub(crate) enum Mark {
    /// "I can give JSON."
    Knock,
    /// "It lies on the desk."
    HandOver,
}

impl Answer {
    /// Whether it stands in a field of this shape as it is.
    pub(crate) fn fits(&self, shape: Shape) -> bool {
        shape == Shape::Plain || (shape == Shape::Error && self.is_error)
    }
}

/// The answer of a value that has one, if it is asked at all; it is asked for nothing else.
pub(crate) fn probe(ask: &dyn Fn() -> Option<Ask>, value: &dyn fmt::Debug) -> Option<Answer> {
    let mut probe = Probe { ask, answer: None };
    // A value that writes text is stopped at its first word: it has no answer.
    let result = shielded(|| write!(probe, "{value:?}"));
    probe.answer.filter(|_| matches!(result, Some(Ok(()))))
}

struct Probe<'a> {
    ask: &'a dyn Fn() -> Option<Ask>,
    answer: Option<Answer>,
}

impl fmt::Write for Probe<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.is_empty() {
            return Err(fmt::Error);
        }
        match mark(text) {
            Some(Mark::Knock) => {
                if let Some(question) = (self.ask)() {
                    ask(question);
                }
            }
            Some(Mark::HandOver) => self.answer = answered(),
            None => {}
        }
        Ok(())
    }
}

#[derive(Default)]
enum Desk {
    #[default]
    Empty,
    Asked(Ask),
    Answered(Answer),
}

thread_local! {
    static DESK: Cell<Desk> = const { Cell::new(Desk::Empty) };
}

/// The marks are empty texts inside of this: no text of anyone else begins there, and none ends there.
static ADDRESS: [u8; 3] = [b' '; 3];

/// What an empty text means.
pub(crate) fn mark(text: &str) -> Option<Mark> {
    let at = text.as_ptr();
    if std::ptr::eq(at, &ADDRESS[1]) {
        Some(Mark::Knock)
    } else if std::ptr::eq(at, &ADDRESS[2]) {
        Some(Mark::HandOver)
    } else {
        None
    }
}

/// The writer's part: leaves a question.
pub(crate) fn ask(ask: Ask) {
    put(Desk::Asked(ask));
}

/// The writer's part: takes the answer.
pub(crate) fn answered() -> Option<Answer> {
    match take() {
        Desk::Answered(answer) => Some(answer),
        Desk::Empty | Desk::Asked(_) => None,
    }
}

/// The value's part: the question, if `f` writes to somebody who has one.
pub(crate) fn asked(f: &mut fmt::Formatter<'_>) -> Option<Ask> {
    take();
    f.write_str(empty_at(1)).ok()?;
    match take() {
        Desk::Asked(ask) => Some(ask),
        Desk::Empty | Desk::Answered(_) => None,
    }
}

/// The value's part: hands the answer over.
pub(crate) fn answer(f: &mut fmt::Formatter<'_>, answer: Answer) -> fmt::Result {
    put(Desk::Answered(answer));
    let result = f.write_str(empty_at(2));
    take();
    result
}

fn empty_at(place: usize) -> &'static str {
    std::str::from_utf8(&ADDRESS[place..place]).expect("no byte is UTF-8")
}

/// While the thread's locals are dropped, nothing lies on the desk: values are texts then.
fn take() -> Desk {
    DESK.try_with(Cell::take).unwrap_or_default()
}

fn put(desk: Desk) {
    let _ = DESK.try_with(|place| place.set(desk));
}
