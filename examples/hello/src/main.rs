//! The smallest service that logs: one init, one span, a few lines.
fn main() {}
