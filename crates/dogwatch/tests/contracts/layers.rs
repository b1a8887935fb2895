//! `Config::layers` beside somebody else's layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dogwatch::Config;
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{LONG, lines};

struct Theirs(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Theirs {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn our_filter_takes_no_event_from_other_layers() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Arc::new(AtomicU64::new(0));
    let (ours, log) = Config::prod()
        .filter("warn")
        .file(dir.path().join("test.log"))
        .layers()
        .unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(ours)
        .with(Theirs(Arc::clone(&seen)));
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug!("for them");
        tracing::warn!("for both");
    });
    log.close(LONG).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 2);
    let lines = lines(dir.path());
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("for both"));
}

#[test]
fn accounts_count_each_line_once() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = crate::start(Config::prod(), dir.path());
    tracing::dispatcher::with_default(&dispatch, || {
        for n in 0..100 {
            tracing::info!(n);
        }
    });
    log.flush(LONG).unwrap();
    let accounts = log.accounts();
    assert_eq!(accounts.len(), 1);
    let (name, counts) = &accounts[0];
    assert!(name.ends_with("test.log"));
    assert_eq!(
        (counts.offered().total(), counts.written.total()),
        (100, 100)
    );
    assert_eq!((counts.dropped().total(), counts.pending().total()), (0, 0));
    log.close(LONG).unwrap();
    assert_eq!(lines(dir.path()).len(), 100);
}

#[test]
fn a_line_torn_by_a_killed_process_is_told_at_the_next_start() {
    use std::sync::{Arc, Mutex};
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("test.log"), "{}\n{\"half").unwrap();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&told);
    let config = Config::prod().on_error(move |text| keep.lock().unwrap().push(text.to_owned()));
    let (dispatch, log) = crate::start(config, dir.path());
    tracing::dispatcher::with_default(&dispatch, || tracing::info!("next"));
    log.close(LONG).unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("test.log: the last line is torn"),
        "{told:?}"
    );
    let lines = lines(dir.path());
    assert_eq!(lines[..2], ["{}", "{\"half"]);
    assert!(lines[2].contains("next"), "{lines:?}");
}

#[test]
fn levels_change_while_the_service_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = crate::start_with(Config::prod(), dir.path(), "info");
    tracing::dispatcher::with_default(&dispatch, || {
        let say = |n: u64| tracing::debug!(n, "detail");
        say(1);
        let module = format!("{}=debug", module_path!());
        log.filter().add_for(&module, LONG).unwrap();
        say(2);
        log.filter().set("off").unwrap();
        say(3);
    });
    log.close(LONG).unwrap();
    let lines = lines(dir.path()).join("\n");
    assert!(!lines.contains("\"n\":1"), "{lines}");
    assert!(
        lines.contains("\"n\":2") && lines.contains("\"n\":3"),
        "{lines}"
    );
    assert!(lines.contains("filter_changed"), "{lines}");
}

#[test]
fn the_metrics_page_tells_what_the_log_files_did_even_after_the_log_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::prod()
        .file(dir.path().join("test.log"))
        .stdout(false)
        .filter("info")
        // A handful of files: the end waits 2 s for them, and each is synced twice.
        .roll(dogwatch::Roll::size(20 << 10))
        .keep(dogwatch::Keep::files(2));
    let (layers, log) = config.layers().unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layers));
    tracing::dispatcher::with_default(&dispatch, || {
        for n in 0..200 {
            tracing::info!(n, text = %"长".repeat(100));
        }
    });
    let output = log.accounts()[0].0.clone();
    let metrics = log.metrics().clone();
    log.close(LONG).unwrap();
    let page = metrics.render(None).1;
    let value = |name: &str| {
        let row = format!("{name}{{output=\"{output}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&row));
        let value = value.unwrap_or_else(|| panic!("no {row}: {page}"));
        value.parse::<u64>().unwrap()
    };
    let rolled = value("dogwatch_files_rolled_total");
    assert!(rolled > 3, "{page}");
    assert_eq!(value("dogwatch_files_deleted_total"), rolled - 2, "{page}");
    assert!(value("dogwatch_files_compressed_total") >= 2, "{page}");
    for none in [
        "dogwatch_lines_torn_total",
        "dogwatch_lines_fallback_total",
        "dogwatch_syncs_failed_total",
        "dogwatch_files_deleted_unread_total",
    ] {
        assert_eq!(value(none), 0, "{page}");
    }
    assert_eq!(value("dogwatch_lines_pending"), 0, "{page}");
    // The metrics live on; the log's directory is free for its next owner all the same.
    let (_, again) = crate::start(Config::prod(), dir.path());
    again.close(LONG).unwrap();
}

#[test]
fn the_metrics_page_tells_every_dropped_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::prod()
        .buffer_bytes(4096)
        .when_full(dogwatch::WhenFull::DropOldest)
        .on_error(|_| ());
    let (dispatch, log) = crate::start(config, dir.path());
    tracing::dispatcher::with_default(&dispatch, || {
        for n in 0..20_000 {
            tracing::info!(n, text = %"长".repeat(40));
        }
        tracing::info!(text = %"x".repeat(5000), "longer than the buffer");
    });
    let _ = log.flush(LONG);
    let page = log.metrics().render(None).1;
    let told: u64 = page
        .lines()
        .filter(|line| line.starts_with("dogwatch_lines_lost_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    let dropped = log.accounts()[0].1.dropped().total();
    assert!(dropped > 0);
    assert_eq!(told, dropped, "{page}");
    let written = format!(
        "dogwatch_lines_written_total{{output=\"{}\"}} {}\n",
        log.accounts()[0].0,
        log.accounts()[0].1.written.total() + log.accounts()[0].1.gap_lines
    );
    assert!(page.contains(&written), "{written}{page}");

    log.close(LONG).expect_err("it counts what was dropped");
    let told: u64 = lines(dir.path())
        .iter()
        .map(|line| dogwatch_line::Line::parse(line).expect("valid"))
        .filter_map(|line| line.field("gap.lines")?.to_string().parse::<u64>().ok())
        .sum();
    assert_eq!(told, dropped, "gap lines tell the same");
}

#[test]
fn a_directive_may_look_at_spans_from_the_start_or_later() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = crate::start_with(Config::prod(), dir.path(), "info,[early]=debug");
    tracing::dispatcher::with_default(&dispatch, || {
        let say = |n: u64| tracing::debug!(n, "detail");
        tracing::info_span!("early").in_scope(|| say(1));
        tracing::info_span!("late").in_scope(|| say(2));
        log.filter().set("info,[late]=debug").unwrap();
        tracing::info_span!("early").in_scope(|| say(3));
        tracing::info_span!("late").in_scope(|| say(4));
    });
    log.close(LONG).unwrap();
    let lines = lines(dir.path()).join("\n");
    let said = [1, 2, 3, 4].map(|n| lines.contains(&format!("\"n\":{n}")));
    assert_eq!(said, [true, false, false, true], "{lines}");
}
