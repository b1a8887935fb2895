//! Each layer of dogwatch alone on a plain registry, from a sync main without tokio.
fn main() {}
