//! Lines that go to the fallback while the log file takes none, and the gap line when it does again.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use dogwatch::Config;
use dogwatch_line::{Line, Value};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::LONG;

fn logged(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_full_disk_sends_lines_to_the_fallback_and_a_gap_line_says_so_when_it_heals() {
    let dir = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (dir.path().join("test.log"), dir.path().join("spare.log"));
    // As a file on a disk that is full.
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let config = Config::prod().file(&path).fallback(&elsewhere);
    let (layers, log) = config.stdout(false).on_error(|_| ()).layers().unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layers));
    let mut offered = 1;
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info!("线 0");
        log.flush(LONG).unwrap();
        fs::remove_file(&path).unwrap();
        // The file is tried again by a line that comes a second later.
        while logged(&path).is_empty() {
            tracing::info!("线 {offered}");
            log.flush(LONG).unwrap();
            offered += 1;
        }
    });
    let metrics = log.metrics().clone();
    log.close(LONG).unwrap();
    let (away, back) = (logged(&elsewhere), logged(&path));
    let gap = Line::parse(&back[0]).expect("valid");
    let number = Value::from(away.len() as u64);
    assert_eq!(gap.field("gap.lines"), Some(number));
    assert_eq!(
        gap.field("gap.reasons.fallback").map(|n| n.to_string()),
        Some(away.len().to_string())
    );
    let time = |name| gap.field(name).map(|time| time.to_string());
    let (since, until) = (time("gap.since").unwrap(), time("gap.until").unwrap());
    assert!(since <= until, "{since} {until}");
    let told: Vec<String> = away
        .iter()
        .chain(&back[1..])
        .map(|line| Line::parse(line).expect("valid"))
        .filter_map(|line| Some(line.field("message")?.to_string()))
        .filter(|message| message.starts_with('线'))
        .collect();
    let all: Vec<String> = (0..offered).map(|n| format!("线 {n}")).collect();
    assert_eq!(told, all, "each once, in order");
    let page = metrics.render(None).1;
    let row = format!(
        "\ndogwatch_lines_fallback_total{{output=\"{}\"}} {}\n",
        path.display(),
        away.len()
    );
    assert!(page.contains(&row), "{row}{page}");
}
