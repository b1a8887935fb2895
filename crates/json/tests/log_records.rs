//! Records of the `log` crate, as `tracing-log` passes them on.

mod support;

use serde_json::json;
use support::{Sink, layer};
use tracing::info_span;
use tracing_log::log::{Level, Record};
use tracing_subscriber::prelude::*;

#[test]
fn a_log_record_has_its_own_target_and_place_and_no_log_fields() {
    let sink = Sink::default();
    let layer = layer(&sink).service("shop").file_and_line(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let _span = info_span!("s", a = 1).entered();
        for (target, file, line) in [
            ("hyper::client", Some("c.rs"), Some(9)),
            ("other", None, None),
        ] {
            let record = Record::builder()
                .level(Level::Warn)
                .target(target)
                .file(file)
                .line(line)
                .module_path(Some("hyper::client::pool"))
                .args(format_args!("slow \"pool\""))
                .build();
            tracing_log::format_trace(&record).unwrap();
        }
    });
    let lines = sink.lines();
    assert_eq!(lines[0]["target"], "hyper::client");
    assert_eq!(lines[0]["file"], "c.rs");
    assert_eq!(lines[0]["line"], 9);
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["service"], "shop");
    assert_eq!(lines[0]["message"], "slow \"pool\"");
    assert_eq!(lines[0]["a"], 1);
    assert_eq!(lines[1]["target"], "other");
    assert_eq!(lines[1].get("file"), None);
    for line in lines {
        assert!(!line.keys().any(|key| key.starts_with("log.")), "{line:?}");
    }
}

#[test]
fn an_event_that_only_calls_itself_log_keeps_its_target() {
    let sink = Sink::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(&sink)), || {
        tracing::info!(target: "log", { "log.target" = "spoofed" }, "m");
    });
    let line = sink.line();
    assert_eq!(
        (&line["target"], &line["log.target"]),
        (&json!("log"), &json!("spoofed"))
    );
}
