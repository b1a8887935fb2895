//! Unwraps a line that Docker's json-file driver has written around another.

use crate::scan::Scan;

/// The line within `{"log":"…\n","stream":"stdout","time":"…"}`; `None` for any other line.
pub(crate) fn inner(line: &str) -> Option<String> {
    if !line.starts_with("{\"log\":\"") {
        return None;
    }
    let mut scan = Scan::inside(line);
    let (_, log) = scan.member(true, 0).ok()??;
    let (stream, _) = scan.member(false, 0).ok()??;
    if stream.raw != "stream" {
        return None;
    }
    match log.value() {
        crate::Value::Str(text) => Some(text.trim_end_matches(['\n', '\r']).to_owned()),
        _ => None,
    }
}
