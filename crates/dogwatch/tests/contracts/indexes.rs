//! What the appender closes has its index, which a search uses and which goes with its file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use dogwatch::{Compress, Config, Keep, Roll};
use dogwatch_line::{Now, Query};
use dogwatch_reader::{Family, Report, Search};
use tracing_core::dispatcher::{Dispatch, with_default};
use tracing_subscriber::layer::SubscriberExt;

fn search(query: &str, log: &Path) -> Report {
    let search = Search::new(&Query::parse(query).expect("a query"), Now::utc(UNIX_EPOCH));
    let family = &Family::find(&[log]).expect("the log is there")[0];
    let mut reading = search.read(family);
    while let Some(line) = reading.next() {
        line.expect("a log without trouble");
    }
    *reading.report()
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".idx");
    name.into()
}

#[test]
fn each_closed_file_has_its_index_before_others_are_told_and_takes_it_along() {
    for compress in [Compress::None, Compress::Gzip, Compress::Zstd] {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("test.log");
        let told = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(Mutex::new(Vec::new()));
        let (tell, close) = (Arc::clone(&told), Arc::clone(&closed));
        let config = Config::prod()
            .file(&log)
            .stdout(false)
            .filter("info")
            .roll(Roll::size(2_000))
            .keep(Keep::files(5))
            .compress(compress)
            .index()
            .on_close(move |file| close.lock().unwrap().push(beside(file).exists()))
            .on_error(move |text| tell.lock().unwrap().push(text.to_owned()));
        let (layers, guard) = config.layers().expect("starts");
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layers));
        with_default(&dispatch, || {
            for n in 0..300 {
                tracing::info!(n, "a line of some length, so that files are full soon");
            }
        });
        guard.close(Duration::from_secs(30)).expect("written");

        let closed = closed.lock().unwrap();
        assert!(
            closed.len() >= 6 && closed.iter().all(|indexed| *indexed),
            "{closed:?}"
        );
        assert_eq!(*told.lock().unwrap(), [""; 0]);
        let family = &Family::find(&[&log]).expect("the log is there")[0];
        let (current, rolled) = family.files().split_last().expect("files");
        assert_eq!((rolled.len(), current), (5, &log));
        assert!(rolled.iter().all(|file| beside(file).exists()));
        let indexes = std::fs::read_dir(dir.path())
            .expect("a folder")
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|end| end == "idx")
            })
            .count();
        assert_eq!(indexes, 5);

        // Nothing of them is read for a level that no line has.
        let all = search("", &log);
        let (last, errors) = (search("", current), search("level=error", &log));
        assert_eq!((errors.found, errors.unfit), (0, 0));
        assert_eq!(errors.skipped + errors.lines, all.lines);
        assert!(
            errors.skipped > 20 && last.lines >= errors.lines,
            "{errors:?}"
        );
    }
}
