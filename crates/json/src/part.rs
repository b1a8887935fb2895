//! Which part of a line a field of an event belongs to: a bit each, so that one pass can take several.

/// The event's message.
pub(crate) const MESSAGE: u8 = 1;
/// An id, or the event's name, that stands at the top where the other fields do not.
pub(crate) const ID: u8 = 2;
/// A fact of a request, where these stand in an object.
pub(crate) const REQUEST: u8 = 4;
/// All others.
pub(crate) const REST: u8 = 8;
pub(crate) const ALL: u8 = MESSAGE | ID | REQUEST | REST;
