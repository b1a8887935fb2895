//! Holds what an index spares a search, and that one which does not fit is told and not used.
#![cfg(all(feature = "gzip", feature = "zstd"))]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use dogwatch_line::{Now, Query};
use dogwatch_reader::{Family, Index, Report, Search};

const LINES: u64 = 12_000;

/// Of line 500 of 12,000 the id, and so on.
fn id(number: u64) -> String {
    format!("{:032x}", u128::from(number + 1) << 70 | 0xbeef)
}

fn line(number: u64) -> String {
    let level = if number == 7_000 { "ERROR" } else { "INFO" };
    let (minutes, seconds) = (number / 60, number % 60);
    format!(
        "{{\"timestamp\":\"2026-11-24T{:02}:{:02}:{seconds:02}.000000Z\",\"level\":\"{level}\",\"target\":\"shop\",\"message\":\"{}\",\"trace_id\":\"{}\",\"n\":{number}}}\n",
        minutes / 60,
        minutes % 60,
        "an order was paid ".repeat(12),
        id(number),
    )
}

/// About 4 MiB, frame by frame of a mebibyte.
fn frames(compress: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let lines: Vec<String> = (0..LINES).map(line).collect();
    lines
        .chunks(3_000)
        .flat_map(|frame| compress(frame.concat().as_bytes()))
        .collect()
}

fn zstd(frame: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(frame, 3).unwrap()
}

fn gzip(frame: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    encoder.write_all(frame).unwrap();
    encoder.finish().unwrap()
}

/// The numbers of the lines found, what was told, and the report.
fn search(query: &str, path: &Path) -> (Vec<u64>, Vec<String>, Report) {
    let now = Now::utc(UNIX_EPOCH + Duration::from_secs(1_795_514_400));
    let search = Search::new(&Query::parse(query).unwrap(), now);
    let families = Family::find(&[path]).unwrap();
    let mut reading = search.read(&families[0]);
    let (mut found, mut told) = (Vec::new(), Vec::new());
    while let Some(next) = reading.next() {
        match next {
            Ok(line) => {
                let text = line.text();
                let number = text.rsplit(':').next().unwrap().trim_end_matches('}');
                found.push(number.parse().unwrap());
            }
            Err(trouble) => {
                assert!(trouble.is_index());
                told.push(trouble.to_string());
            }
        }
    }
    (found, told, *reading.report())
}

fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

fn indexed(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = file(folder, name, content);
    let index = Index::write(&path).unwrap();
    assert_eq!(
        (index.lines(), index.file_bytes()),
        (LINES, content.len() as u64)
    );
    path
}

#[test]
fn only_the_parts_that_may_match_are_read_whatever_the_file_is_stored_as() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("shop.log", frames(<[u8]>::to_vec)),
        ("shop.log.1.zst", frames(zstd)),
        ("shop.log.2.gz", frames(gzip)),
    ] {
        let path = indexed(folder.path(), name, &content);
        let all: Vec<u64> = (0..LINES).collect();
        for (query, expected) in [
            (format!("trace_id={}", id(500)), vec![500]),
            (format!("trace_id={}", id(11_999)), vec![11_999]),
            // The bare id, as somebody pastes it.
            (id(6_000), vec![6_000]),
            ("level>=warn".to_owned(), vec![7_000]),
            (
                "since=2026-11-24T03:19:58Z".to_owned(),
                vec![11_998, 11_999],
            ),
            ("until=2026-11-24T00:00:01Z".to_owned(), vec![0]),
            (format!("level>=error trace_id={}", id(500)), vec![]),
            (format!("trace_id={} or n=3", id(500)), vec![3, 500]),
            ("level=info or level=error".to_owned(), all.clone()),
        ] {
            let (found, told, report) = search(&query, &path);
            assert_eq!(
                (found, told),
                (expected.clone(), vec![]),
                "{query} in {name}"
            );
            assert_eq!(report.lines + report.skipped, LINES, "{query} in {name}");
            if expected.len() == 1 {
                // One of four parts, and one of 256 for nothing.
                assert!(
                    report.lines <= 2 * 4_000,
                    "{query} in {name}: {}",
                    report.lines
                );
            }
        }
        // No part has it: nothing is read.
        let (found, _, report) = search("level=fatal", &path);
        assert_eq!(
            (found, report.lines, report.skipped, report.bytes),
            (vec![], 0, LINES, 0)
        );
    }
}

/// Of each line given its number, and what it is.
fn around(query: &str, lines: usize, log: &Path) -> (Vec<(u64, bool, bool)>, Report) {
    let now = Now::utc(UNIX_EPOCH + Duration::from_secs(1_795_514_400));
    let search = Search::new(&Query::parse(query).unwrap(), now);
    let search = search.around(lines).threads(2);
    let families = Family::find(&[log]).unwrap();
    let mut reading = search.read(&families[0]);
    let mut given = Vec::new();
    while let Some(next) = reading.next() {
        let found = next.unwrap();
        let text = found.text();
        let number = text.rsplit(':').next().unwrap().trim_end_matches('}');
        let number = number.parse().unwrap();
        let file = if number < LINES {
            "shop.log.1.zst"
        } else {
            "shop.log"
        };
        assert_eq!(found.path().file_name().unwrap(), file, "{number}");
        given.push((number, !found.is_around(), found.is_behind_gap()));
    }
    (given, *reading.report())
}

#[test]
fn lines_around_a_found_one_are_given_across_parts_and_files_with_an_index_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let all = LINES + 100;
    let log = file(
        folder.path(),
        "shop.log",
        (LINES..all).map(line).collect::<String>().as_bytes(),
    );
    let rolled = file(folder.path(), "shop.log.1.zst", &frames(zstd));
    let cases = [
        (&[500][..], 3),
        // At the borders of parts and files.
        (&[0, 2_999], 2),
        (&[3_000], 5),
        (&[LINES - 1], 7),
        (&[LINES], 7),
        (&[all - 1], 4),
        // Those of one reach into those of the other, or not.
        (&[5_000, 5_006, 5_013], 3),
        (&[2_990], 3_500),
        (&[1, 7_000, 11_000], 0),
        (&[LINES + 50], 20_000),
        (&[50_000], 3),
    ];
    for indexed in [false, true] {
        if indexed {
            Index::write(&rolled).unwrap();
        }
        for (ids, lines) in cases {
            let query: Vec<String> = ids.iter().map(|number| id(*number)).collect();
            let near = |number: u64| {
                let distance = ids.iter().map(|found| found.abs_diff(number)).min();
                distance.is_some_and(|distance| distance <= lines)
            };
            let expected: Vec<_> = (0..all)
                .filter(|number| near(*number))
                .map(|number| {
                    let first = !(0..number).any(near);
                    let gap = !first && !near(number - 1);
                    (number, ids.contains(&number), gap)
                })
                .collect();
            let (given, report) = around(&query.join(" or "), lines as usize, &log);
            assert!(given == expected, "{ids:?} {lines} {indexed}");
            assert_eq!(report.lines + report.skipped, all);
            // With it the part that has it, those beside it, and the first and the last.
            let is_read = |part: u64| {
                let near = |number: &u64| *number < LINES && part.abs_diff(number / 3_000) <= 1;
                part == 0 || part == 3 || ids.iter().any(near)
            };
            let skipped = 3_000 * (0..4).filter(|part| !is_read(*part)).count() as u64;
            if lines < 10 {
                let skipped = if indexed { skipped } else { 0 };
                assert_eq!(report.skipped, skipped, "{ids:?}");
            }
        }
    }
}

#[test]
fn a_file_of_one_gzip_member_is_skipped_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..LINES).map(line).collect();
    let path = indexed(folder.path(), "shop.log.1.gz", &gzip(lines.as_bytes()));
    assert_eq!(Index::write(&path).unwrap().parts(), 1);
    assert_eq!(search("level=fatal", &path).2.skipped, LINES);
    assert_eq!(search(&id(9), &path).0, [9]);
}

#[test]
fn lines_that_step_back_in_time_are_within_the_range_of_their_part() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [9_000, 0, 3].map(line).concat();
    let path = file(folder.path(), "shop.log", lines.as_bytes());
    Index::write(&path).unwrap();
    assert_eq!(search("until=2026-11-24T00:00:01Z", &path).0, [0]);
    assert_eq!(search("timestamp>2026-11-24T02:00:00Z", &path).0, [9_000]);
    assert_eq!(search("since=2026-11-24T02:30:01Z", &path).2.skipped, 3);
}

#[test]
fn a_time_without_a_zone_is_found_in_whatever_zone_its_reader_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "shop.log",
        b"{\"time\":\"2026-11-24T10:00:00\",\"n\":1}\n",
    );
    Index::write(&path).unwrap();
    for (hours, query) in [
        (12, "until=2026-11-23T23:00:00Z"),
        (-11, "since=2026-11-24T20:59:00Z"),
        (0, "timestamp=2026-11-24T10:00:00Z"),
    ] {
        let now = Now::zoned(UNIX_EPOCH, move |_| hours * 3600);
        let search = Search::new(&Query::parse(query).unwrap(), now);
        let families = Family::find(&[&path]).unwrap();
        assert!(search.read(&families[0]).next().is_some(), "{query}");
    }
    assert_eq!(search("since=2026-11-26", &path).2.skipped, 1);
}

#[test]
fn an_id_that_is_spelled_or_stands_in_a_longer_word_is_found_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let id = id(7);
    let spelled = id.replacen('0', "\\u0030", 1);
    for (text, by_field, by_word) in [
        (format!("{{\"trace_id\":\"{spelled}\",\"n\":1}}\n"), 1, 1),
        (
            format!("{{\"trace_id\":\"projects\\/p\\/traces\\/{id}\",\"n\":1}}\n"),
            1,
            1,
        ),
        (format!("{{\"trace_id\":\"x{id}\",\"n\":1}}\n"), 0, 1),
        (
            format!(
                "{{\"log\":\"{{\\\"trace_id\\\":\\\"{id}\\\",\\\"n\\\":1}}\\n\",\"stream\":\"stdout\",\"n\":1}}\n"
            ),
            1,
            1,
        ),
    ] {
        let path = file(folder.path(), "shop.log", text.as_bytes());
        Index::write(&path).unwrap();
        assert_eq!(
            search(&format!("trace_id={id}"), &path).2.found,
            by_field,
            "{text}"
        );
        assert_eq!(search(&id, &path).2.found, by_word, "{text}");
    }
}

#[test]
fn an_index_that_does_not_fit_is_told_once_and_all_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let content = frames(zstd);
    let path = indexed(folder.path(), "shop.log.1.zst", &content);
    let beside = folder.path().join("shop.log.1.zst.idx");
    let whole = fs::read(&beside).unwrap();
    let query = format!("trace_id={}", id(500));
    let told = |index: &[u8]| {
        fs::write(&beside, index).unwrap();
        let (found, mut told, report) = search(&query, &path);
        assert_eq!((found, report.lines, report.skipped), (vec![500], LINES, 0));
        assert_eq!((told.len(), report.unfit), (1, 1));
        let told = told.remove(0).replace(&path.display().to_string(), "FILE");
        let told = told.strip_prefix("the index of `FILE` ").unwrap();
        let why =
            told.strip_suffix("; all of the file is read; `dogwatch index FILE` makes it anew");
        why.unwrap().to_owned()
    };
    assert_eq!(told(b""), "ends early");
    assert_eq!(told(&whole[..whole.len() - 1]), "ends early");
    assert_eq!(
        told(b"something else that somebody has put there"),
        "is of another version, or is none"
    );
    for at in [12, 60, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert_eq!(told(&damaged), "is damaged", "{at}");
    }
    // The next version.
    let mut newer = whole.clone();
    newer[7] += 1;
    assert_eq!(told(&newer), "is of another version, or is none");
    // Another file's.
    let other = file(
        folder.path(),
        "other.log",
        frames(<[u8]>::to_vec).as_slice(),
    );
    Index::write(&other).unwrap();
    assert_eq!(
        told(&fs::read(folder.path().join("other.log.idx")).unwrap()),
        "is of another content"
    );
    // And made anew it is good.
    Index::write(&path).unwrap();
    assert_eq!(fs::read(&beside).unwrap(), whole);
    assert_eq!(search(&query, &path).1, [""; 0]);
}

#[test]
fn an_index_is_its_files_until_the_content_changes() {
    let folder = tempfile::tempdir().unwrap();
    let content = frames(<[u8]>::to_vec);
    let path = indexed(folder.path(), "shop.log.1", &content);
    let query = format!("trace_id={}", id(500));
    let skips = |path: &Path| {
        let (found, told, report) = search(&query, path);
        assert_eq!(found, [500]);
        (report.skipped > 0, told.len())
    };
    assert_eq!(skips(&path), (true, 0));

    // Renamed with it, and copied, which gives it another time.
    let rolled = folder.path().join("shop.log.2");
    fs::rename(&path, &rolled).unwrap();
    fs::rename(
        folder.path().join("shop.log.1.idx"),
        folder.path().join("shop.log.2.idx"),
    )
    .unwrap();
    assert_eq!(skips(&rolled), (true, 0));
    let touch = |path: &Path, seconds: u64| {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
            .unwrap();
    };
    touch(&rolled, 1_000_000_000);
    assert_eq!(skips(&rolled), (true, 0));

    // A secret is blotted out in the middle of it, in place: of one size, but with another time.
    let mut blotted = content.clone();
    let at = content.len() / 2;
    blotted[at..at + 8].copy_from_slice(b"********");
    fs::write(&rolled, &blotted).unwrap();
    assert_eq!(skips(&rolled), (false, 1));
    // Its ends are looked at even if the time was put back.
    touch(&rolled, 1_000_000_000);
    Index::write(&rolled).unwrap();
    blotted[30] = b'*';
    fs::write(&rolled, &blotted).unwrap();
    touch(&rolled, 1_000_000_000);
    assert_eq!(skips(&rolled), (false, 1));

    // It was indexed while it was written: then nothing is wrong, and all is read.
    Index::write(&rolled).unwrap();
    let mut more = File::options().append(true).open(&rolled).unwrap();
    more.write_all(line(500).as_bytes()).unwrap();
    let (found, told, report) = search(&query, &rolled);
    assert_eq!((found, told, report.skipped), (vec![500, 500], vec![], 0));
}

#[test]
fn what_cannot_be_indexed_is_an_error_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut broken = frames(zstd);
    let at = broken.len() / 2;
    broken[at..at + 100].fill(0);
    let path = file(folder.path(), "shop.log.1.zst", &broken);
    let error = Index::write(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot index log file `{}`", path.display())
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("is broken at byte"), "{source}");
    assert!(!error.is_not_found());

    let missing = Index::write(&folder.path().join("none.log")).unwrap_err();
    assert!(missing.is_not_found());
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["shop.log.1.zst"]);

    // An empty file has an index of nothing.
    let empty = file(folder.path(), "empty.log", b"");
    assert_eq!(Index::write(&empty).unwrap().parts(), 0);
    assert_eq!(search("level=error", &empty).1, [""; 0]);
}

/// What a reading gives, and its report.
fn all(search: &Search, family: &Family) -> (Vec<String>, Report) {
    let mut reading = search.read(family);
    let mut lines = Vec::new();
    while let Some(next) = reading.next() {
        lines.push(match next {
            Ok(line) => format!("{} {}", line.path().display(), line.text()),
            Err(trouble) => trouble.to_string(),
        });
    }
    (lines, *reading.report())
}

#[test]
fn several_threads_give_the_same_lines_and_troubles_in_the_same_order() {
    let folder = tempfile::tempdir().unwrap();
    let (zst, gz) = (frames(zstd), frames(gzip));
    for (name, content, index) in [
        ("shop.log.4.zst", &zst, true),
        ("shop.log.3.gz", &gz, false),
        ("shop.log.2.gz", &gz, true),
        ("shop.log.1", &frames(<[u8]>::to_vec), true),
    ] {
        let path = file(folder.path(), name, content);
        if index {
            Index::write(&path).unwrap();
        }
    }
    // One that breaks in the middle, one that ends within a line, one whose index is damaged.
    let mut broken = zst.clone();
    broken[zst.len() / 2..][..100].fill(0);
    file(folder.path(), "shop.log.5.zst", &broken);
    file(folder.path(), "shop.log", b"{\"n\":1}\n{\"n\":2");
    fs::write(folder.path().join("shop.log.3.gz.idx"), b"DOGWIDX").unwrap();

    let families = Family::find(&[folder.path()]).unwrap();
    for query in [
        "",
        "n<40",
        "level=error",
        &id(500),
        "since=2026-11-24T03:00:00Z n>11990",
    ] {
        let now = Now::utc(UNIX_EPOCH + Duration::from_secs(1_795_514_400));
        let alone = Search::new(&Query::parse(query).unwrap(), now);
        let (mut lines, mut report) = all(&alone, &families[0]);
        let now = Now::utc(UNIX_EPOCH + Duration::from_secs(1_795_514_400));
        for threads in [2, 3, 8] {
            let ahead = alone.clone().threads(threads);
            let (found, read) = all(&ahead, &families[0]);
            // Threads also look at the index where the query has no use for it, to share the file.
            if query.is_empty() || query == "n<40" {
                lines.retain(|line| !line.contains("the index of"));
            }
            let found: Vec<String> = found
                .into_iter()
                .filter(|line| !line.contains("the index of") || lines.contains(line))
                .collect();
            assert!(found == lines, "{query} on {threads}");
            (report.unfit, report.text) = (read.unfit, read.text);
            assert_eq!(read, report, "{query} on {threads}");
        }
        // Whoever has enough leaves, and nobody is left waiting.
        let ahead = Search::new(&Query::parse(query).unwrap(), now).threads(2);
        let mut reading = ahead.read(&families[0]);
        let _ = reading.next();
        drop(reading);
    }
}

#[test]
fn files_that_are_shared_among_threads_at_once_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    // Plain, so that each is shared in several pieces of 4 MiB.
    let content = frames(<[u8]>::to_vec).repeat(4);
    for number in 1..=3 {
        let path = file(folder.path(), &format!("shop.log.{number}"), &content);
        Index::write(&path).unwrap();
    }
    let (done, ended) = std::sync::mpsc::channel();
    // A thread of its own: one that waits for ever is left behind, and the test fails.
    std::thread::spawn(move || {
        let families = Family::find(&[folder.path()]).unwrap();
        for threads in [2, 2, 3, 4] {
            let now = Now::utc(UNIX_EPOCH);
            let search = Search::new(&Query::parse("").unwrap(), now).threads(threads);
            let (lines, report) = all(&search, &families[0]);
            let _ = done.send((lines.len() as u64, report.lines));
        }
    });
    for _ in 0..4 {
        let read = ended.recv_timeout(Duration::from_secs(60));
        assert_eq!(read, Ok((12 * LINES, 12 * LINES)));
    }
}

#[cfg(unix)]
#[test]
fn an_index_is_for_those_who_may_read_the_file_and_follows_no_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "shop.log", line(1).as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let precious = file(folder.path(), "precious", b"precious");
    std::os::unix::fs::symlink(&precious, folder.path().join("shop.log.idx.tmp")).unwrap();
    Index::write(&path).unwrap();
    let beside = fs::symlink_metadata(folder.path().join("shop.log.idx")).unwrap();
    assert!(beside.is_file());
    assert_eq!(beside.permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}

#[test]
fn the_indexes_of_files_that_are_gone_are_deleted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["shop.log", "shop.log.1", "shop.log.2.gz", "pay.log.1"] {
        Index::write(&file(folder.path(), name, line(1).as_bytes())).unwrap();
    }
    // What an older logrotate left; another log's; what is no index; and one that cannot be made out.
    fs::remove_file(at("shop.log.2.gz")).unwrap();
    fs::remove_file(at("pay.log.1")).unwrap();
    fs::copy(at("shop.log.1.idx"), at("shop.log.9.idx")).unwrap();
    file(folder.path(), "shop.log.8.idx", b"notes");
    file(folder.path(), "shop.log.7.idx", b"");
    let deleted = Index::delete_stale(&at("shop.log")).unwrap();
    assert_eq!(deleted, [at("shop.log.2.gz.idx"), at("shop.log.9.idx")]);
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".idx"))
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "pay.log.1.idx",
            "shop.log.1.idx",
            "shop.log.7.idx",
            "shop.log.8.idx",
            "shop.log.idx"
        ]
    );
    let again = Index::delete_stale(&at("shop.log")).unwrap();
    assert_eq!(again, Vec::<PathBuf>::new());
}
