//! Holds the rules of the house: who imports whom, how long a file may be, what never stands in it.
//!
//! It reads files and starts no cargo; what has to be compiled or run is the business of `.ci/run`.

mod manifest;
mod pages;
mod repo;
mod source;

/// Fails with every broken rule at once, one a line, so that one run shows the whole work.
#[track_caller]
fn assert_tidy(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n  {}\n", broken.join("\n  "));
}
