//! Reads the closing lines of a log, rolled and compressed files included.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use dogwatch_line::{Line, Value};

/// What the closing line of a request says.
pub(crate) struct Closing {
    pub(crate) trace_id: String,
    pub(crate) route: String,
    pub(crate) latency_ms: f64,
}

pub(crate) fn closing_lines(dir: &Path) -> Vec<Closing> {
    let (mut all, mut compressed) = (Vec::new(), 0);
    for entry in fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with("shop.") || name.ends_with(".idx") {
            continue;
        }
        let mut file = File::open(dir.join(&name)).unwrap();
        let mut text = String::new();
        if name.ends_with(".zst") {
            compressed += 1;
            zstd::Decoder::new(file)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
        } else {
            file.read_to_string(&mut text).unwrap();
        }
        let lines = text.lines().map(|line| Line::parse(line).expect(line));
        all.extend(lines.filter_map(|line| closing(&line)));
    }
    assert!(compressed > 0, "no file was rolled and compressed");
    all
}

fn closing(line: &Line<'_>) -> Option<Closing> {
    let text = |field: &str| match line.field(field) {
        Some(Value::Str(text)) => text.into_owned(),
        _ => String::new(),
    };
    let latency_ms = match line.field("latency_ms") {
        Some(Value::F64(ms)) => ms,
        Some(Value::I64(ms)) => ms as f64,
        Some(Value::U64(ms)) => ms as f64,
        _ => return None,
    };
    (text("target") == "dogwatch::request").then(|| Closing {
        trace_id: text("trace_id"),
        route: text("route"),
        latency_ms,
    })
}
