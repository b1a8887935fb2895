//! Prometheus' own checker, where it is installed, judges a full page.

use crate::{GOOD, OPEN};
use dogwatch_metrics::{Alert, Metrics, Request};
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn promtool_finds_nothing_to_say_about_a_full_page() {
    let metrics = Metrics::new();
    metrics.request(&Request {
        bytes_in: Some(12),
        ..GOOD
    });
    metrics.request(&Request {
        status: 503,
        outcome: "shed",
        route: None,
        ..GOOD
    });
    metrics.active("GET", 1);
    metrics.lost_lines(|| vec![("full".to_owned(), 3)]);
    metrics.alerts(|| {
        vec![Alert {
            rule: "支付 \"失败\"".to_owned(),
            state: "firing",
            matched: 10,
            fired: 1,
        }]
    });
    let (_, page) = metrics.render(None);

    let spawned = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match spawned {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: promtool not installed");
            return;
        }
        spawned => spawned.unwrap(),
    };
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &said;
    assert_eq!((output.status.code(), &*said), (Some(0), ""), "{page}");
    // promtool reads the older text only; that both say the same is `scrape`'s to hold.
    assert!(metrics.render(Some(OPEN)).1.ends_with("# EOF\n"));
}
