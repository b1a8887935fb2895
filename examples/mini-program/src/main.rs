//! The back end of a mini-program shop, with its visitors, its payment channel and its incident.
fn main() {}
