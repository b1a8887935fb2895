//! Rings that are damaged, foreign, old, gone or too much for the disk, and what a start makes of them.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    create,
    layout::{HEADER, at, pack},
};
use crate::{
    Appender, NonBlocking, Stats, WhenFull,
    batch::{Batch, Spare},
    name::Family,
    ring::CrashRing,
};

const LONG: Duration = Duration::from_secs(60);

pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn family(&self) -> Family {
        Family::of(&self.at("app.log")).unwrap()
    }

    /// A ring with these lines, as a killed process leaves it. The second one is another level's.
    pub(super) fn leave(&self, ring: &CrashRing, lines: &[&str]) -> PathBuf {
        let (ring, front, _) = create(ring, &self.family(), (4000, 2)).unwrap();
        let mut front = Batch::in_ring(front);
        for (nth, line) in lines.iter().enumerate() {
            let level = nth % 2;
            front.push((level, 1), line.as_bytes(), &mut Spare::default(), 4000);
        }
        ring.path().to_owned()
    }

    /// Starts, and says what was told, without paths.
    pub(super) fn start(&self) -> (Stats, Vec<String>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let directory = self.0.path().display().to_string();
        let appender = Appender::builder(self.at("app.log"))
            .on_error(move |error| {
                let cause = std::error::Error::source(error);
                let cause = cause.map_or(String::new(), |cause| format!(": {cause}"));
                let told = format!("{error}{cause}").replace(&directory, "DIR");
                sink.lock().unwrap().push(told);
            })
            .open()
            .unwrap();
        let stats = appender.stats();
        assert!(appender.close(LONG));
        let told = told.lock().unwrap().clone();
        (stats, told)
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.at("app.log")).unwrap()
    }

    /// All of the log, in the order in which its files were written, each ended by a newline.
    pub(super) fn all(&self) -> String {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "log"));
        // The current one last.
        paths.sort_by_key(|path| (*path == self.at("app.log"), path.clone()));
        let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
        texts
            .map(|text| text.trim_end().to_owned() + "\n")
            .collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.contains("ring")).collect();
        names.sort();
        names
    }
}

pub(super) fn store(path: &Path, at: usize, word: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&word.to_ne_bytes(), at as u64 * 8)
        .unwrap();
}

pub(super) fn load(path: &Path, at: usize) -> u64 {
    super::layout::word(&fs::read(path).unwrap(), at)
}

#[test]
fn a_start_without_a_ring_writes_what_one_left_whatever_its_size_and_number() {
    let place = Place::new();
    place.leave(&CrashRing::new(), &["a\n", "b\n"]);
    place.leave(&CrashRing::new(), &["c\n"]);
    fs::write(place.at("app.log"), "before\n").unwrap();
    let (stats, told) = place.start();
    assert_eq!(
        (stats.replayed, stats.doubtful, stats.torn_records),
        (3, 0, 0)
    );
    assert_eq!(told, [""; 0]);
    assert_eq!(place.log(), "before\na\nb\nc\n");
    assert_eq!(place.names(), [""; 0]);
    assert_eq!(place.start().0.replayed, 0);
    assert_eq!(place.log(), "before\na\nb\nc\n");
}

#[expect(clippy::type_complexity, reason = "the one table that needs it")]
#[test]
fn a_ring_that_cannot_be_read_is_told_and_set_aside() {
    let spoil: [(&str, fn(&Path)); 8] = [
        ("it is no crash ring", |path| store(path, at::MAGIC, 1)),
        ("it is no crash ring", |path| {
            fs::write(path, "text").unwrap()
        }),
        ("a machine of another byte order wrote it", |path| {
            store(path, at::MAGIC, load(path, at::MAGIC).swap_bytes());
        }),
        (
            "it has version 2 of the format, this program reads version 1",
            |path| store(path, at::VERSION, 2),
        ),
        ("it is truncated: 5000 of 12288 bytes", |path| {
            fs::OpenOptions::new()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(5000)
                .unwrap();
        }),
        ("it is damaged: its header", |path| {
            store(path, at::AREAS, 3)
        }),
        ("it is damaged: its roles", |path| {
            store(path, at::ROLES, pack(7))
        }),
        ("it is damaged: its counts", |path| {
            store(path, at::count(0), 7)
        }),
    ];
    for (why, spoil) in spoil {
        let place = Place::new();
        spoil(&place.leave(&CrashRing::new(), &["a\n"]));
        let (stats, told) = place.start();
        assert_eq!(stats.replayed, 0, "{why}");
        let ring = "DIR/.app.log.000001.ring";
        let expected =
            format!("cannot replay crash ring `{ring}`: {why}; it is kept as `{ring}.bad`");
        assert_eq!(told, [expected]);
        assert_eq!(place.log(), "");
        assert_eq!(place.names(), [".app.log.000001.ring.bad"]);
        // And later starts are not bothered.
        assert_eq!(place.start().1, [""; 0]);
    }
}

#[test]
fn a_torn_record_is_left_out_and_counted_and_the_others_are_written() {
    let place = Place::new();
    let path = place.leave(&CrashRing::new(), &["one\n", "two\n", "three\n"]);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"X", HEADER as u64 + 5).unwrap();
    let (stats, told) = place.start();
    assert_eq!((stats.replayed, stats.torn_records), (2, 1));
    assert_eq!(place.log(), "one\nthree\n");
    assert_eq!(
        told,
        [
            "crash ring `DIR/.app.log.000001.ring`: 1 records fail their check and are not written: \
          the machine lost power, or the file was changed"
        ]
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_ring_in_another_directory_is_found_by_its_link_and_its_loss_is_told() {
    let elsewhere = tempfile::tempdir().unwrap();
    let ring = CrashRing::new().directory(elsewhere.path().join("deep/rings"));
    let place = Place::new();
    let path = place.leave(&ring, &["a\n"]);
    assert!(path.starts_with(fs::canonicalize(elsewhere.path()).unwrap()));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(place.start().0.replayed, 1);
    assert!(!path.exists());
    assert_eq!(place.names(), [""; 0]);

    let path = place.leave(&ring, &["b\n"]);
    fs::remove_file(&path).unwrap();
    let (stats, told) = place.start();
    assert_eq!(stats.replayed, 0);
    let why = "is gone, and what it held is lost: a restart of the machine empties /dev/shm";
    assert!(told[0].contains(why), "{told:?}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn logs_of_one_name_share_a_directory_for_their_rings() {
    let elsewhere = tempfile::tempdir().unwrap();
    let ring = CrashRing::new().directory(elsewhere.path());
    let (one, two) = (Place::new(), Place::new());
    one.leave(&ring, &["one\n"]);
    two.leave(&ring, &["two\n"]);
    one.start();
    two.start();
    assert_eq!(
        (one.log(), two.log()),
        ("one\n".to_owned(), "two\n".to_owned())
    );
}

#[test]
fn a_link_that_leads_to_another_link_is_not_followed() {
    let place = Place::new();
    let path = place.leave(&CrashRing::new(), &["a\n"]);
    fs::rename(&path, place.at("victim")).unwrap();
    symlink(place.at("victim"), place.at("second")).unwrap();
    symlink(place.at("second"), &path).unwrap();
    let (stats, told) = place.start();
    assert_eq!(stats.replayed, 0);
    assert!(told[0].starts_with("cannot open crash ring"), "{told:?}");
    assert!(place.at("victim").exists());
}

#[test]
fn a_ring_that_a_running_process_fills_is_left_alone() {
    let place = Place::new();
    let (ring, front, _) = create(&CrashRing::new(), &place.family(), (4000, 2)).unwrap();
    Batch::in_ring(front).push((0, 1), b"a\n", &mut Spare::default(), 4000);
    let (stats, told) = place.start();
    assert_eq!(stats.replayed, 0);
    assert!(told[0].starts_with("a process that still runs has the crash ring"));
    drop(ring);
    assert_eq!(place.start().0.replayed, 1);
}

#[test]
fn what_a_killed_start_left_half_made_is_removed_with_its_file() {
    let place = Place::new();
    fs::write(place.at(".app.log.000001.ring.tmp"), "").unwrap();
    fs::write(place.at("half"), "").unwrap();
    symlink(place.at("half"), place.at(".app.log.000002.ring.tmp")).unwrap();
    fs::write(place.at(".other.log.000001.ring.tmp"), "").unwrap();
    assert_eq!(place.start().1, [""; 0]);
    assert_eq!(place.names(), [".other.log.000001.ring.tmp"]);
    assert!(!place.at("half").exists());
}

#[test]
fn a_directory_that_takes_no_ring_is_an_error_of_the_start_and_leaves_nothing() {
    let place = Place::new();
    fs::write(place.at("file"), "").unwrap();
    let spawn = |directory: &Path, max| {
        let file = Appender::builder(place.at("app.log")).open().unwrap();
        let ring = CrashRing::new().directory(directory);
        let log = NonBlocking::builder(file).max_bytes(max).crash_ring(ring);
        log.spawn().map(drop).unwrap_err().to_string()
    };
    let in_file = place.at("file/rings");
    assert_eq!(
        spawn(&in_file, 4000),
        format!("cannot make crash ring directory `{}`", in_file.display())
    );
    assert_eq!(
        spawn(place.0.path(), 5 << 30),
        "cannot have a crash ring for 5368709120 bytes: at most 4294963200 are possible"
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_ring_is_gone_after_a_close() {
    let place = Place::new();
    let file = Appender::builder(place.at("app.log")).open().unwrap();
    let log = NonBlocking::builder(file).crash_ring(CrashRing::new());
    let (log, guard) = log.when_full(WhenFull::DropOldest).spawn().unwrap();
    assert_eq!(place.names(), [".app.log.000001.ring"]);
    assert!(log.offer(None, b"a\nb\n"));
    assert_eq!(guard.close(LONG).unwrap().written.total(), 2);
    assert_eq!(place.log(), "a\nb\n");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn roles_that_somebody_spoils_in_the_file_hinder_nobody_who_logs() {
    let place = Place::new();
    let file = Appender::builder(place.at("app.log")).open().unwrap();
    let log = NonBlocking::builder(file).max_bytes(4000);
    let log = log.flush_interval(LONG).crash_ring(CrashRing::new());
    let (log, guard) = log.when_full(WhenFull::DropOldest).spawn().unwrap();
    let ring = place.at(&place.names()[0]);
    // What the writer has in hand is not dropped: if it is slow, a line may find no room.
    let mut taken = 0;
    for _ in 0..10 {
        store(&ring, at::ROLES, u64::MAX);
        taken += u64::from(log.offer(None, &[[b'x'; 999].as_slice(), b"\n"].concat()));
    }
    store(&ring, at::ROLES, u64::MAX);
    let accounts = guard.close(LONG);
    let accounts = accounts.unwrap_or_else(|unwritten| *unwritten.accounts());
    let dropped = accounts.lost.oldest.total();
    assert!(taken >= 4, "{taken} lines fit in any case");
    assert_eq!(accounts.written.total() + dropped, taken);
    assert_eq!(place.log().lines().count() as u64, taken - dropped);
    assert_eq!(accounts.panics, 0);
}
