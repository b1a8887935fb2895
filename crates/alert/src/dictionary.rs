//! What a field's name means before its value is seen, so that a rule finds live what a line holds.

/// The key that a line would have for this field. An event's `message` is the line's; a field that
/// would pose as the level or the target gets a `_` behind its name.
pub(crate) fn key(name: &'static str, of_span: bool) -> &'static str {
    match name.strip_prefix("r#").unwrap_or(name) {
        "timestamp" => "timestamp_",
        "level" => "level_",
        "target" => "target_",
        "truncated" => "truncated_",
        "message" if of_span => "message_",
        plain => plain,
    }
}

/// Whether a line has the field as text even if a number is given.
pub(crate) fn is_text(key: &str) -> bool {
    TEXTS.contains(&key)
}

/// Whether a line has the field as an error, with a message, whatever is given.
pub(crate) fn is_error(key: &str) -> bool {
    key == "error"
}

const TEXTS: [&str; 12] = [
    "message",
    "event",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "user_id",
    "url",
    "method",
    "route",
    "path",
    "outcome",
];
