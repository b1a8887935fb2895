//! Holds the reader: families of files, compressed or broken, and the same answers with and without the sieve.
#![cfg(all(feature = "gzip", feature = "zstd"))]

#[path = "../../line/tests/support/mod.rs"]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use dogwatch_line::{Now, Query};
use dogwatch_reader::{Family, MAX_LINE, Merged, Report, Search};
use proptest::prelude::*;
use support::{Respell, object, query};

fn now() -> Now {
    Now::utc(UNIX_EPOCH + Duration::from_secs(1_795_514_400))
}

fn search(query: &str) -> Search {
    Search::new(&Query::parse(query).unwrap(), now())
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 1).unwrap()
}

/// What a reading of the one log at a path gives: lines, troubles, numbers.
fn read(search: &Search, path: &Path) -> (Vec<String>, Vec<String>, Report) {
    let families = Family::find(&[path]).unwrap();
    assert_eq!(families.len(), 1);
    let (mut lines, mut troubles) = (Vec::new(), Vec::new());
    let mut reading = search.read(&families[0]);
    while let Some(next) = reading.next() {
        match next {
            Ok(found) => lines.push(found.text().into_owned()),
            Err(trouble) => troubles.push(
                trouble
                    .to_string()
                    .replace(&path.parent().unwrap().display().to_string(), ""),
            ),
        }
    }
    let report = *reading.report();
    (lines, troubles, report)
}

#[test]
fn a_log_is_all_its_files_in_the_order_in_which_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(
        at("shop.2026-11-24T09-00-00.000001.log.zst"),
        zstd(b"1\n2\n"),
    )
    .unwrap();
    // A clock that stepped back: the number decides.
    fs::write(at("shop.2026-11-24T08-59-59.000002.log.gz"), gzip(b"3\n")).unwrap();
    // Compressed, and not yet taken away.
    fs::write(at("shop.2026-11-24T09-01-00.000003.log"), "4\n").unwrap();
    fs::write(at("shop.2026-11-24T09-01-00.000003.log.zst"), zstd(b"4\n")).unwrap();
    fs::write(at("shop.2026-11-24T09-02-00.000004.log.tmp"), "half").unwrap();
    fs::write(at("shop.log"), "5\n6").unwrap();
    fs::write(at(".shop.log.lock"), "").unwrap();
    fs::write(at("shop2.log"), "another\n").unwrap();

    let (lines, troubles, report) = read(&search(""), &at("shop.log"));
    assert_eq!(lines, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(troubles, [""; 0]);
    assert_eq!(
        (
            report.files,
            report.lines,
            report.found,
            report.text,
            report.torn
        ),
        (4, 6, 6, 6, 0)
    );

    let families = Family::find(&[folder.path()]).unwrap();
    let logs: Vec<_> = families
        .iter()
        .map(|family| family.log().file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(logs, ["shop.log", "shop2.log"]);
    // A rolled file is itself alone, a pattern all that is like it, and nothing is there twice.
    assert_eq!(
        Family::find(&[at("shop.2026-11-24T08-59-59.000002.log.gz")]).unwrap()[0]
            .files()
            .len(),
        1
    );
    assert_eq!(
        Family::find(&[at("sh?p*.gz"), at("shop.log")]).unwrap()[0]
            .files()
            .len(),
        4
    );
    assert_eq!(Family::find(&[at("shop*")]).unwrap().len(), 2);
}

#[test]
fn the_files_of_logrotate_and_of_tracing_appender_are_put_in_order() {
    for names in [
        ["app.log.10.gz", "app.log.9", "app.log.1", "app.log"],
        [
            "app.log-20261122.gz",
            "app.log-20261123",
            "app.log-20261124",
            "app.log",
        ],
        [
            "app.log.2026-11-21",
            "app.log.2026-11-22",
            "app.log.2026-11-23",
            "app.log.2026-11-24",
        ],
        [
            "app.2026-11-24-08.log",
            "app.2026-11-24-09.log",
            "app.2026-11-24-10.log",
            "app.log",
        ],
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (index, name) in names.iter().enumerate() {
            let text = format!("{index}\n").into_bytes();
            fs::write(
                folder.path().join(name),
                if name.ends_with("gz") {
                    gzip(&text)
                } else {
                    text
                },
            )
            .unwrap();
        }
        // The current file need not be there.
        assert_eq!(
            read(&search(""), &folder.path().join("app.log")).0,
            ["0", "1", "2", "3"],
            "{names:?}"
        );
    }
}

#[test]
fn files_of_one_day_are_all_read_whoever_named_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "shop.log-20261124",
        "shop.2026-11-24.log",
        "shop.log.2026-11-24",
        "shop-20261124.log",
        "shop-20261124.log.gz",
    ] {
        let text = format!("{name}\n").into_bytes();
        let packed = name.ends_with("gz");
        let text = if packed { gzip(&text) } else { text };
        fs::write(folder.path().join(name), text).unwrap();
    }
    let expected = [
        "shop-20261124.log",
        "shop.2026-11-24.log",
        "shop.log-20261124",
        "shop.log.2026-11-24",
    ];
    let log = folder.path().join("shop.log");
    assert_eq!(read(&search(""), &log).0, expected);
    assert_eq!(read(&search(""), folder.path()).0, expected);
}

#[test]
fn a_compressed_file_that_is_named_is_read_itself() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("x.log.gz"), gzip(b"gzip\n")).unwrap();
    fs::write(at("x.log.zst"), zstd(b"zstd\n")).unwrap();
    for (path, expected) in [
        ("x.log.gz", vec!["gzip"]),
        ("x.log.zst", vec!["zstd"]),
        // Neither is the other's plain form, and one may be broken.
        ("x.log", vec!["gzip", "zstd"]),
        ("x.*", vec!["gzip", "zstd"]),
    ] {
        assert_eq!(read(&search(""), &at(path)).0, expected, "{path}");
    }
    // What is being unpacked says nothing yet; then it is whole, and not the other's plain form.
    fs::write(at("x.log"), "").unwrap();
    assert_eq!(read(&search(""), &at("x.log")).0, ["gzip", "zstd"]);
    fs::write(at("x.log"), "gzip\n").unwrap();
    assert_eq!(read(&search(""), &at("x.log")).0, ["gzip", "zstd"]);
    assert_eq!(read(&search(""), &at("x.log.zst")).0, ["zstd"]);
    // Named twice, each way.
    let names = [at("x.log"), at("x.log.gz")];
    let files = [at("x.log"), at("x.log.zst")];
    assert_eq!(Family::find(&names).unwrap()[0].files(), files);
}

#[cfg(unix)]
#[test]
fn of_a_plain_file_and_its_compressed_form_the_one_that_holds_more_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, log) = (folder.path().join("x.log.1"), folder.path().join("x.log"));
    let text: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
    let (half, rest) = text.split_at(text.len() / 2);
    let foreign = half.replace("line 9\n", "else 9\n");
    let wholes = [
        ("gz", gzip(text.as_bytes())),
        ("zst", zstd(text.as_bytes())),
        // In two frames, as our appender writes them.
        (
            "zst",
            [zstd(half.as_bytes()), zstd(rest.as_bytes())].concat(),
        ),
    ];
    for (end, whole) in &wholes {
        let packed = folder.path().join(format!("x.log.1.{end}"));
        let cut = &whole[..whole.len() * 3 / 4];
        for (name, unpacked, stored, later, expected) in [
            ("unpacked in part", half, &whole[..], true, &[&packed][..]),
            ("unpacked, time and all", &text, whole, false, &[&plain]),
            ("unpacked by redirection", &text, whole, true, &[&plain]),
            ("being compressed", &text, cut, false, &[&plain]),
            (
                "grown, and compressed in part before",
                &text,
                cut,
                true,
                &[&plain],
            ),
            (
                "unpacked in part from what is broken",
                &half[..5_000],
                cut,
                true,
                &[&packed],
            ),
            (
                "of another content",
                &foreign,
                whole,
                true,
                &[&plain, &packed],
            ),
            ("nothing unpacked yet", "", whole, true, &[&plain, &packed]),
        ] {
            fs::write(&plain, unpacked).unwrap();
            fs::write(&packed, stored).unwrap();
            let packed_at = UNIX_EPOCH + Duration::from_secs(1_795_514_400);
            let plain_at = packed_at + Duration::from_secs(u64::from(later));
            for (path, at) in [(&plain, plain_at), (&packed, packed_at)] {
                let file = fs::OpenOptions::new().write(true).open(path).unwrap();
                file.set_modified(at).unwrap();
            }
            let files = Family::find(&[&log]).unwrap()[0].files().to_vec();
            assert_eq!(files.iter().collect::<Vec<_>>(), expected, "{end}: {name}");
        }
        fs::remove_file(packed).unwrap();
    }
}

#[test]
fn a_link_to_a_log_beside_it_is_that_log_and_not_another() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("shop.log"), "now\n").unwrap();
    fs::write(at("shop.log.1"), "before\n").unwrap();
    std::os::unix::fs::symlink("shop.log", at("current.log")).unwrap();
    assert_eq!(Family::find(&[folder.path()]).unwrap().len(), 1);
    assert_eq!(read(&search(""), &at("current.log")).0, ["before", "now"]);
    // One that leads elsewhere is a log of its own.
    std::os::unix::fs::symlink(folder.path().join("shop.log.1"), at("x")).unwrap();
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(at("shop.log"), other.path().join("linked.log")).unwrap();
    assert_eq!(Family::find(&[other.path()]).unwrap().len(), 1);
    assert_eq!(
        Family::find(&[at("none.log")]).unwrap_err().path(),
        at("none.log")
    );
}

#[test]
fn a_pattern_may_stand_in_the_name_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "shop/a.log",
        "shop/a.log.1",
        "stock/b.log",
        "支付/c.log",
        "pay/x/deep/d.log",
        ".hidden/e.log",
        "s*r/f.log",
        "sour/g.log",
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "1\n").unwrap();
    }
    fs::write(folder.path().join("s.log"), "1\n").unwrap();
    for (pattern, expected) in [
        ("sh*/*.log", &["shop/a.log.1", "shop/a.log"][..]),
        ("s?o*/*.log", &["shop/a.log.1", "shop/a.log", "stock/b.log"]),
        ("s*/b.log", &["stock/b.log"]),
        ("支?/*.log", &["支付/c.log"]),
        ("p*/?/deep/*", &["pay/x/deep/d.log"]),
        ("*/*/deep/d.log", &["pay/x/deep/d.log"]),
        (".h*/*.log", &[".hidden/e.log"]),
        // What is called so is meant.
        ("s*r/*.log", &["s*r/f.log"]),
    ] {
        let families = Family::find(&[folder.path().join(pattern)]).unwrap();
        let names: Vec<_> = families
            .iter()
            .flat_map(Family::files)
            .map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{pattern}");
    }
    for pattern in ["x*/*.log", "s*/none.log", "*/*/*/*/*.log"] {
        let path = folder.path().join(pattern);
        let error = Family::find(&[&path]).unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.path(), path);
    }
}

#[test]
fn a_path_without_logs_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["shop.log", "*.log", "no/shop.log", "shop.log.1"] {
        let error = Family::find(&[folder.path().join(path)]).unwrap_err();
        assert!(error.is_not_found());
        assert!(
            error.to_string().starts_with("cannot find log files at `"),
            "{error}"
        );
    }
    assert!(Family::find(&[folder.path()]).unwrap_err().is_not_found());
}

#[test]
fn frames_of_any_size_are_one_text() {
    let folder = tempfile::tempdir().unwrap();
    let text: Vec<u8> = (0..20_000)
        .flat_map(|index| format!("line {index}\n").into_bytes())
        .collect();
    for compress in [zstd, gzip] {
        // Frames end in the middle of lines, one is empty.
        let frames: Vec<u8> = text
            .chunks(7_001)
            .flat_map(|part| [compress(part), compress(b"")].concat())
            .collect();
        let path = folder.path().join("shop.log");
        fs::write(&path, frames).unwrap();
        let (lines, troubles, report) = read(&search(""), &path);
        assert_eq!(
            lines.join("\n") + "\n",
            String::from_utf8(text.clone()).unwrap()
        );
        assert_eq!((troubles.len(), report.bytes), (0, text.len() as u64));
    }
}

#[test]
fn a_broken_frame_is_told_and_the_frames_behind_it_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let part =
        |n: u32| format!("{{\"n\":{n},\"message\":\"the same again and again\"}}\n").repeat(50);
    for (compress, name) in [
        (zstd as fn(&[u8]) -> Vec<u8>, "a.log.zst"),
        (gzip, "a.log.gz"),
    ] {
        let frames = [1, 2, 3].map(|n| compress(part(n).as_bytes()));
        let at = frames[0].len();
        for cut in 1..frames[1].len() {
            // The middle frame's tail was never written, in a file that goes on.
            let file = [&frames[0], &frames[1][..cut], &frames[2]].concat();
            let path = folder.path().join(name);
            fs::write(&path, file).unwrap();
            let (lines, troubles, report) = read(&search("n in (1, 3)"), &folder.path().join(name));
            let expected = part(1) + &part(3);
            assert_eq!(lines.join("\n") + "\n", expected, "{name} cut at {cut}");
            assert_eq!(
                (troubles.len() as u64, report.broken + report.unreadable),
                (report.broken, report.broken),
                "{troubles:?}"
            );
            assert!(
                report.broken >= 1
                    && troubles[0].starts_with(&format!("`/{name}` is broken at byte {at}")),
                "{troubles:?}"
            );
        }
        // The last frame's tail was never written: what it holds so far is read.
        let mut file = frames.concat();
        file.truncate(file.len() - 1);
        fs::write(folder.path().join(name), file).unwrap();
        let (lines, troubles, _) = read(&search("n<3"), &folder.path().join(name));
        assert_eq!(lines.len(), 100);
        let at = frames[0].len() + frames[1].len();
        let told = format!(
            "`/{name}` is broken at byte {at}; what is whole before that is read, and nothing follows it"
        );
        assert_eq!(troubles, [told]);
    }
}

/// A frame of one block that is stored as it is, without a checksum (RFC 8878 section 3.1.1).
fn raw_frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x60];
    frame.extend(((text.len() - 256) as u16).to_le_bytes());
    frame.extend(&(1 | (text.len() as u32) << 3).to_le_bytes()[..3]);
    frame.extend(text);
    assert_eq!(zstd::decode_all(&frame[..]).unwrap(), text);
    frame
}

#[test]
fn a_torn_frame_takes_in_no_line_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log.1.zst");
    let text: Vec<u8> = (0..40_u32)
        .flat_map(|n| format!("{:08x}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
        .collect();
    let behind: Vec<String> = (0..50)
        .map(|n| format!("behind {n} {}", "x".repeat(20)))
        .collect();
    let behind_text = behind.join("\n") + "\n";
    let mut with_checksum = zstd::Encoder::new(Vec::new(), 3).unwrap();
    with_checksum.include_checksum(true).unwrap();
    with_checksum.write_all(&text).unwrap();
    for (kind, frame) in [
        ("raw", raw_frame(&text)),
        ("compressed", zstd(&text)),
        ("with a checksum", with_checksum.finish().unwrap()),
    ] {
        // As much is missing as the next frame is long, too: then the raw block ends where it does.
        for next in [
            zstd(behind_text.as_bytes()),
            raw_frame(behind_text.as_bytes()),
        ] {
            for cut in 4..frame.len() {
                fs::write(&path, [&frame[..cut], &next, &next].concat()).unwrap();
                let (lines, troubles, report) = read(&search(""), &path);
                let expected = [&behind[..], &behind[..]].concat();
                assert!(
                    lines.ends_with(&expected) && (troubles.len(), report.broken) == (1, 1),
                    "{kind} cut at {cut}: {troubles:?}"
                );
                // What there is of the torn frame is its own.
                let own = &lines[..lines.len() - expected.len()];
                let (last, whole) = own
                    .split_last()
                    .map_or(("", own), |(last, whole)| (last, whole));
                let of_text = String::from_utf8(text.clone()).unwrap();
                assert!(of_text.starts_with(&(whole.join("\n") + "\n")) || whole.is_empty());
                assert!(of_text.contains(last), "{kind} cut at {cut}: {own:?}");
            }
        }
    }
}

/// What a reading of a stream gives: lines and troubles.
fn read_stream(input: Vec<u8>) -> (Vec<String>, Vec<String>) {
    let search = search("");
    let mut reading = search.read_from(std::io::Cursor::new(input));
    let (mut lines, mut troubles) = (Vec::new(), Vec::new());
    while let Some(next) = reading.next() {
        match next {
            Ok(found) => lines.push(found.text().into_owned()),
            Err(trouble) => troubles.push(trouble.to_string()),
        }
    }
    (lines, troubles)
}

#[test]
fn a_stream_is_decompressed_by_its_first_bytes() {
    for compress in [zstd as fn(&[u8]) -> Vec<u8>, gzip] {
        let whole = [compress(b"one\ntw"), compress(b"o\nthree\n")].concat();
        let expected = ["one", "two", "three"].map(str::to_owned).to_vec();
        assert_eq!(read_stream(whole.clone()), (expected, vec![]));
        let (lines, troubles) = read_stream(whole[..whole.len() - 9].to_vec());
        assert!(lines.starts_with(&["one".to_owned()]), "{lines:?}");
        assert_eq!(troubles, ["cannot read the stream to its end"]);
    }
    // The beginnings of magic numbers alone are text.
    for text in ["", "(", "P*", "\x1f", "P*M", "(x", "ok"] {
        let expected: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(read_stream(text.into()), (expected, vec![]), "{text:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read_as_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in [b"1\n2\n".to_vec(), gzip(b"1\n2\n"), zstd(b"1\n2\n")]
        .into_iter()
        .enumerate()
    {
        let path = folder.path().join(format!("pipe{number}"));
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let writer = std::thread::spawn({
            let path = path.clone();
            move || fs::write(path, text).unwrap()
        });
        let (lines, troubles, report) = read(&search(""), &path);
        writer.join().unwrap();
        assert_eq!((lines, troubles), (vec!["1".into(), "2".into()], vec![]));
        assert_eq!((report.files, report.lines), (1, 2));
    }
    // In a folder nobody waits for a pipe.
    assert!(Family::find(&[folder.path()]).unwrap_err().is_not_found());
}

#[test]
fn skippable_frames_are_skipped_and_what_is_stored_raw_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log.1.zst");
    let text = "日志 stored as it is\n".repeat(20);
    // The skipped bytes look like a frame, and are longer than a block may be.
    let skipped = [&zstd(b"hidden\n"), &vec![0; 300_000][..]].concat();
    let mut file = vec![0x5f, 0x2a, 0x4d, 0x18];
    file.extend((skipped.len() as u32).to_le_bytes());
    file.extend(&skipped);
    let whole = [
        &raw_frame(text.as_bytes())[..],
        &zstd(b"one\n"),
        &file[..],
        &zstd(b"two\n"),
    ]
    .concat();
    fs::write(&path, whole).unwrap();
    let (lines, troubles, _) = read(&search(""), &path);
    let mut expected: Vec<&str> = text.lines().collect();
    expected.extend(["one", "two"]);
    assert_eq!(
        (lines, troubles),
        (
            expected.iter().map(|line| (*line).to_owned()).collect(),
            vec![]
        )
    );
}

#[test]
fn a_file_that_vanishes_is_looked_for_compressed_and_then_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["shop.log.3", "shop.log.2", "shop.log.1"] {
        fs::write(at(name), name).unwrap();
    }
    let families = Family::find(&[at("shop.log")]).unwrap();
    fs::remove_file(at("shop.log.3")).unwrap();
    fs::write(at("shop.log.2.gz"), gzip(b"compressed\n")).unwrap();
    fs::remove_file(at("shop.log.2")).unwrap();
    let search = search("");
    let mut reading = search.read(&families[0]);
    let gone = reading.next().unwrap().unwrap_err();
    assert!(gone.is_vanished() && gone.path() == at("shop.log.3"));
    assert_eq!(reading.next().unwrap().unwrap().text(), "compressed");
    assert_eq!(reading.next().unwrap().unwrap().text(), "shop.log.1");
    assert!(reading.next().is_none());
    assert_eq!((reading.report().vanished, reading.report().files), (1, 2));
}

#[test]
fn a_line_without_an_end_is_read_and_one_too_long_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log");
    fs::write(
        &path,
        "x\n".to_owned() + &"y".repeat(MAX_LINE) + "\r\n\r\n\nz\r\nlast",
    )
    .unwrap();
    let (lines, troubles, report) = read(&search(""), &path);
    assert_eq!(lines, ["x", "z", "last"]);
    assert_eq!(
        troubles,
        [format!(
            "a line of {} bytes in `/shop.log` is too long and left out",
            MAX_LINE + 2
        )]
    );
    assert_eq!((report.lines, report.torn, report.long), (6, 0, 1));
}

#[test]
fn a_file_that_ends_within_a_line_of_json_is_told_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.log");
    let told = "`/half.log` ends within a line, which is being written or was cut off; what there is of it is read as text";
    for (last, troubles) in [
        ("{\"half\":", &[told][..]),
        ("{\"whole\":1}", &[]),
        ("a text", &[]),
    ] {
        fs::write(&path, format!("{{\"a\":1}}\n{last}")).unwrap();
        for threads in [1, 2] {
            let (lines, found, report) = read(&search("").threads(threads), &path);
            assert_eq!(lines, ["{\"a\":1}", last]);
            assert_eq!(found, troubles);
            let torn = troubles.len() as u64;
            assert_eq!((report.lines, report.torn, report.unreadable), (2, torn, 0));
        }
        fs::write(folder.path().join("half.log.1"), "b\n{").unwrap();
        let (_, found, report) = read(&search("a=1").threads(2), &path);
        assert_eq!(
            (found.len(), report.torn, report.found),
            (1 + troubles.len(), 1 + troubles.len() as u64, 1)
        );
        fs::remove_file(folder.path().join("half.log.1")).unwrap();
    }
}

#[test]
fn a_byte_order_mark_before_a_line_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mark.log");
    let text = "\u{feff}{\"level\":\"ERROR\",\"n\":1}\r\n{\"n\":2}\n\u{feff}\n";
    for stored in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
        fs::write(&path, stored).unwrap();
        for query in ["level=error", "n=1"] {
            let (lines, troubles, report) = read(&search(query), &path);
            assert_eq!(lines, ["{\"level\":\"ERROR\",\"n\":1}"], "{query}");
            assert_eq!((troubles.len(), report.found, report.text), (0, 1, 0));
        }
        // An index of it knows the line as well.
        dogwatch_reader::Index::write(&path).unwrap();
        let (lines, troubles, _) = read(&search("level=error"), &path);
        assert_eq!((lines.len(), troubles.len()), (1, 0));
        fs::remove_file(folder.path().join("mark.log.idx")).unwrap();
    }
}

#[test]
fn what_is_not_utf_8_is_found_and_given_as_it_stands() {
    let search = search("支付 or caf*");
    let bytes = ["支付\n".as_bytes(), b"caf\xe9\n", b"\xff\xfe\n"].concat();
    let mut reading = search.read_from(std::io::Cursor::new(bytes));
    assert_eq!(reading.next().unwrap().unwrap().text(), "支付");
    let latin = reading.next().unwrap().unwrap();
    assert_eq!(
        (latin.bytes(), &*latin.text(), latin.is_json()),
        (&b"caf\xe9"[..], "caf\u{fffd}", false)
    );
    assert!(reading.next().is_none());
}

#[test]
fn several_logs_are_one_by_time_and_each_keeps_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let line = |seconds: u32, text: &str| {
        format!("{{\"timestamp\":\"2026-11-24T10:00:{seconds:02}Z\",\"message\":\"{text}\"}}\n")
    };
    let a = line(1, "a1")
        + &line(5, "a2")
        + &line(4, "a3 stepped back")
        + "a4 without a time\n"
        + &line(9, "a5");
    let b = line(1, "b1") + &line(4, "b2") + &line(7, "b3");
    fs::write(folder.path().join("a.log"), a).unwrap();
    fs::write(folder.path().join("b.log.gz"), gzip(b.as_bytes())).unwrap();
    let families = Family::find(&[folder.path()]).unwrap();
    let search = search("");
    let merged = Merged::new(&search, &families, now());
    let order: Vec<String> = merged
        .map(|line| {
            let text = line.unwrap().text().to_owned();
            text.split(['"', ' '])
                .find(|word| word.len() == 2)
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(order, ["a1", "b1", "b2", "a2", "a3", "a4", "b3", "a5"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn the_sieve_changes_no_answer(
        queries in prop::collection::vec(query(), 4),
        objects in prop::collection::vec(object(), 0..30),
        texts in prop::collection::vec("[ -~支\\\\]{0,12}", 0..3),
        seed: u64,
    ) {
        let mut respell = Respell(seed);
        let mut block = String::new();
        for object in &objects {
            respell.write(object, &mut block);
            block.push('\n');
        }
        for text in &texts {
            block.push_str(text);
            block.push('\n');
        }
        for query in queries {
            let query = Query::parse(&query).unwrap();
            let found = |search: Search| {
                let mut reading = search.read_from(std::io::Cursor::new(block.clone()));
                let mut lines = Vec::new();
                while let Some(line) = reading.next() {
                    lines.push(line.unwrap().text().into_owned());
                }
                (lines, reading.report().lines)
            };
            prop_assert_eq!(found(Search::new(&query, now())), found(Search::thorough(&query, now())), "{} in {}", query, block);
        }
    }
}
