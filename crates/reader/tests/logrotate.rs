//! Holds that a follower, stopped and started again, has each line once while Debian's logrotate rolls the log.
#![cfg(all(unix, feature = "gzip", feature = "zstd"))]

#[path = "support/log.rs"]
#[expect(dead_code, reason = "the log here is moved by logrotate")]
mod log;

use std::env;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dogwatch_reader::{Cursor, Start};
use log::{everything, new};

/// Where the PATH has it, or where daemons are; a test says so when it is nowhere.
fn logrotate() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("logrotate"))
        .find(|program| program.is_file());
    if found.is_none() {
        // Not through `println!`, which the harness would keep for itself.
        let _ = writeln!(io::stderr(), "skipped: logrotate not installed");
    }
    found
}

/// Runs logrotate on the log, whatever it thinks of the time.
struct Logrotate {
    program: PathBuf,
    folder: PathBuf,
}

impl Logrotate {
    fn new(program: PathBuf, folder: &Path, how: &str) -> Self {
        let log = folder.join("logs/shop.log");
        let rules = folder.join("rules");
        fs::create_dir(folder.join("logs")).unwrap();
        let text = format!("{} {{\nrotate 1000\n{how}\n}}\n", log.display());
        fs::write(&rules, text).unwrap();
        // It reads no rules and no folder that others may write to.
        fs::set_permissions(&rules, Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(folder.join("logs"), Permissions::from_mode(0o755)).unwrap();
        Self {
            program,
            folder: folder.to_owned(),
        }
    }

    fn run(&self) {
        let mut command = Command::new(&self.program);
        let state = self.folder.join("state");
        command.arg("--force").arg("--state").arg(state);
        // Taken out of its package, it does not find its library.
        let root = self.program.ancestors().nth(3).unwrap_or(Path::new("/"));
        for folder in fs::read_dir(root.join("usr/lib")).into_iter().flatten() {
            let folder = folder.unwrap().path();
            if root != Path::new("/") && folder.join("libpopt.so.0").exists() {
                command.env("LD_LIBRARY_PATH", folder);
            }
        }
        let ran = command.arg(self.folder.join("rules")).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
}

fn open(log: &Path) -> File {
    let mut options = OpenOptions::new();
    options.append(true).create(true).open(log).unwrap()
}

/// Follows over 100 rolls, with a new process now and then; a writer that is not told
/// of a new file writes one more line to the old one.
fn followed(how: &str, creates: bool) {
    let Some(program) = logrotate() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let logrotate = Logrotate::new(program, folder.path(), how);
    let log = folder.path().join("logs/shop.log");
    let path = folder.path().join("logs/shop.log.ship.cursor");
    let search = everything();
    let mut cursor = Cursor::open(&path).unwrap();
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    let mut written = 0;
    let mut lines = |count: u32| {
        let from = written;
        written += count;
        (from..written)
            .map(|n| format!("line {n:05}\n"))
            .collect::<String>()
    };
    let mut file = open(&log);
    let mut found = Vec::new();
    for roll in 0..100 {
        file.write_all(lines(7).as_bytes()).unwrap();
        if roll % 3 == 0 {
            found.extend(new(&mut follow));
        }
        file.write_all(lines(1).as_bytes()).unwrap();
        logrotate.run();
        if creates {
            if roll % 2 == 0 {
                found.extend(new(&mut follow));
            }
            // The writer has not noticed yet.
            file.write_all(lines(1).as_bytes()).unwrap();
            file = open(&log);
        }
        if roll % 10 == 9 {
            found.extend(new(&mut follow));
            cursor.save(&follow).unwrap();
            drop(cursor);
            cursor = Cursor::open(&path).unwrap();
            follow = search.resume(&log, &cursor, Start::Beginning);
        }
    }
    file.write_all(lines(1).as_bytes()).unwrap();
    found.extend(new(&mut follow));
    found.sort();
    let expected: Vec<String> = (0..written).map(|n| format!("line {n:05}")).collect();
    assert_eq!(found, expected, "{how}");
}

#[test]
fn logrotate_that_creates_a_new_file_hides_no_line_and_shows_none_twice() {
    followed("create\nnocompress", true);
}

#[test]
fn logrotate_that_compresses_a_roll_later_hides_no_line_and_shows_none_twice() {
    followed("create\ncompress\ndelaycompress", true);
}

#[test]
fn logrotate_that_copies_and_truncates_hides_no_line_and_shows_none_twice() {
    followed("copytruncate\nnocompress", false);
}

#[test]
fn logrotate_that_copies_truncates_and_compresses_hides_no_line_and_shows_none_twice() {
    followed("copytruncate\ncompress", false);
}
