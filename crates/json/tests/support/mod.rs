//! Runs code under JSON layers and reads their lines with a parser that refuses double keys.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod callsite;
pub(crate) mod drive;
pub(crate) mod rules;
pub(crate) mod story;

use serde_json::Value;
use serde_json::value::Map;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, UNIX_EPOCH};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

/// A writer that keeps each write apart.
#[derive(Clone, Default)]
pub(crate) struct Sink(pub(crate) Arc<Mutex<Vec<Vec<u8>>>>);

impl Sink {
    /// Each write as a line: whole, ended by its only newline, valid, with unique keys.
    pub(crate) fn lines(&self) -> Vec<Map<String, Value>> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|line| read(line))
            .collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines
            .iter()
            .map(|line| String::from_utf8(line.clone()).unwrap())
            .collect()
    }

    /// The only line.
    pub(crate) fn line(&self) -> Map<String, Value> {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "{:?}", self.texts());
        lines.remove(0)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Sink {
    type Writer = Sink;

    fn make_writer(&'w self) -> Sink {
        self.clone()
    }
}

/// A layer whose clock stands still.
pub(crate) fn layer(sink: &Sink) -> dogwatch_json::JsonLayer<Sink> {
    dogwatch_json::JsonLayer::new(sink.clone())
        .clock(|| UNIX_EPOCH + Duration::from_micros(1_795_499_820_123_456))
}

/// A monotonic clock that stands still.
pub(crate) fn noon() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

pub(crate) const NOW: &str = "2026-11-24T05:57:00.123456Z";

/// The lines of `run` under a layer.
pub(crate) fn logged(run: impl FnOnce()) -> Sink {
    let sink = Sink::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(&sink)), run);
    sink
}

/// Reads one line; panics if it is no single line of JSON or has a key twice at any depth.
pub(crate) fn read(line: &[u8]) -> Map<String, Value> {
    let text = std::str::from_utf8(line).expect("a line is UTF-8");
    let body = text.strip_suffix('\n').expect("a line ends with a newline");
    assert!(!body.contains('\n'), "one newline: {text:?}");
    let strict: Strict =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    match strict.0 {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// A JSON value without double keys.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Strict;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON with unique keys")
            }
            fn visit_bool<E>(self, v: bool) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_str<E>(self, v: &str) -> Result<Strict, E> {
                Ok(Strict(v.into()))
            }
            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict(Value::Null))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Strict, A::Error> {
                let mut items = Vec::new();
                while let Some(Strict(item)) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Strict(items.into()))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Strict, A::Error> {
                let mut fields = Map::new();
                while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
                    if fields.insert(key.clone(), value).is_some() {
                        return Err(serde::de::Error::custom(format!("key {key:?} comes twice")));
                    }
                }
                Ok(Strict(fields.into()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
