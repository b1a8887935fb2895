//! A field's value that is an object or a list: whatever serde can serialize.

use crate::nested;
use crate::serialize::serialize;
use crate::tree::Tree;
use serde_core::Serialize;
use std::fmt;
use tracing_core::field::{DebugValue, debug};

/// Gives a field a value that the JSON layer writes as JSON, nested as deep as it is.
///
/// ```
/// use dogwatch_json::json;
///
/// #[derive(serde::Serialize)]
/// struct Order<'a> {
///     id: u64,
///     lines: Vec<&'a str>,
///     card: Card<'a>,
/// }
///
/// #[derive(serde::Serialize)]
/// struct Card<'a> {
///     card_number: &'a str,
/// }
///
/// # let card = Card { card_number: "6222 0000" };
/// # let order = Order { id: 7, lines: vec!["tea"], card };
/// // "order":{"id":7,"lines":["tea"],"card":{"card_number":"***"}}, with `Redact::secrets()`
/// tracing::info!(order = json(&order), "order created");
/// ```
///
/// It is written as `serde_json` would write it, with the promises of a line: a key that an object
/// has twice gets a `_` behind it, NaN and infinities are `null`, 128-bit integers are strings, bytes
/// are hex. [`Redact`](crate::Redact) sees the path from the field's name on, without the places in
/// lists: `order.card.card_number`. The whole value has the budget of a text
/// ([`max_field_bytes`](crate::JsonLayer::max_field_bytes), 8 KiB): where it ends, texts are cut and
/// the rest is left out, and `truncated` names the field. At most 32 objects and lists are inside each
/// other, and 1,000 keys in one object.
///
/// A `Serialize` that fails or panics keeps what it wrote so far; `"<formatting failed>"` or
/// `"<formatting panicked>"` stands where it ended. Fields that are strings by the dictionary
/// (`user_id`, `route` …) and `error`, which is an object of its own, have the JSON as text.
///
/// Other layers see its `Debug`: the JSON as text, nothing cut and nothing hidden.
pub fn json<T: Serialize + ?Sized>(value: &T) -> DebugValue<Json<'_, T>> {
    debug(Json(value))
}

/// A value to be written as JSON. From [`json`].
#[derive(Clone, Copy)]
pub struct Json<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> fmt::Debug for Json<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match nested::asked(f) {
            Some(ask) => nested::answer(f, serialize(self.0, Tree::new(ask))),
            None => {
                let text = serialize(self.0, Tree::unbounded());
                f.write_str(&String::from_utf8_lossy(&text.json))
            }
        }
    }
}
