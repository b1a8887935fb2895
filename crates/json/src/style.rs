//! How a line is laid out where tastes differ: spans' fields and keys that clash.

/// Where the fields of an event's spans stand in its line. The ids stand at the top in each style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanStyle {
    /// At the top, beside the event's own: `"route":"/pay","tenant":"acme"`.
    #[default]
    Flat,
    /// In one object, under the innermost span's name:
    /// `"span":{"name":"handler","tenant":"acme","route":"/pay"}`.
    Object,
    /// As a list of the open spans, outermost first:
    /// `"spans":[{"name":"request","route":"/pay"},{"name":"handler","tenant":"acme"}]`.
    List,
}

/// What becomes of a value when another field of the line has its key.
///
/// Keys of the line's own part are never taken in any of these: a field called `level` at the top
/// is written as `level_`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clash {
    /// An event's value hides a span's, an inner span's hides an outer one's.
    #[default]
    Hide,
    /// The value that would be hidden is written with a `_` behind its key. Ids still hide ids.
    Suffix,
    /// The event's fields stand apart, in the object `fields`; among spans, the inner value hides
    /// the outer one.
    Nest,
}
