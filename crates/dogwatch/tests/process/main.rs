//! Starts this program again, once a case, to see how a real process starts logging and how it ends.
//!
//! Without a test harness: a case must own its `main`, its exit and its process-wide subscriber.
#![expect(clippy::print_stdout, reason = "it speaks as a test harness does")]
#![cfg(all(
    feature = "json",
    feature = "appender",
    feature = "alert",
    feature = "tower"
))]

mod child;
mod ending;
mod starting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("child") {
        return child::run(&arguments.next().expect("the parent names the case"));
    }
    let wanted = first.filter(|name| !name.starts_with('-'));
    let tests = ending::TESTS.iter().chain(starting::TESTS);
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests.filter(|(n, _)| wanted.as_deref().is_none_or(|w| n.contains(w))) {
        let ok = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed += 1 }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored\n");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
