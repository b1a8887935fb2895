//! Compressed files as other tools read them.
#![cfg(all(feature = "gzip", feature = "zstd"))]

use std::{
    fs,
    io::Write as _,
    process::Command,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use dogwatch_appender::{Appender, Compress};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_closed_file_is_compressed_after_a_while_though_nothing_more_is_logged() {
    let directory = tempfile::tempdir().unwrap();
    let (closed, closing) = mpsc::channel();
    let mut appender = Appender::builder(directory.path().join("app.log"))
        .compress(Compress::Gzip)
        .compress_after(Duration::from_millis(20))
        .on_close(move |path| closed.send(path.to_owned()).unwrap())
        .open()
        .unwrap();
    appender.write_all(b"line\n").unwrap();
    appender.roll().unwrap();
    let path = closing.recv_timeout(LONG).unwrap();
    assert_eq!(path.extension().unwrap(), "gz");
    assert!(!path.with_extension("").exists());
}

#[test]
fn closed_files_are_compressed_and_the_usual_tools_read_them() {
    for (compress, tool, suffix) in [
        (Compress::Gzip, "zcat", "gz"),
        (Compress::Zstd, "zstdcat", "zst"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let closed = Arc::new(Mutex::new(Vec::new()));
        let paths = Arc::clone(&closed);
        let mut appender = Appender::builder(directory.path().join("app.log"))
            .compress(compress)
            .on_close(move |path| paths.lock().unwrap().push(path.to_owned()))
            .open()
            .unwrap();
        let lines: String = (0..300_000).map(|n| format!("line {n}\n")).collect();
        appender.write_all(lines.as_bytes()).unwrap();
        appender.roll().unwrap();
        assert!(appender.settle(LONG));
        let closed = closed.lock().unwrap().clone();
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0].extension().unwrap(), suffix);
        assert!(
            !closed[0].with_extension("").exists(),
            "the plain file is gone"
        );
        assert_eq!(appender.stats().compressed, 1);
        let mut text = Vec::new();
        let compressed = fs::File::open(&closed[0]).unwrap();
        match compress {
            Compress::Gzip => {
                let mut decoder = flate2::read::MultiGzDecoder::new(compressed);
                std::io::Read::read_to_end(&mut decoder, &mut text).unwrap();
            }
            _ => zstd::stream::copy_decode(compressed, &mut text).unwrap(),
        }
        assert!(text == lines.as_bytes(), "decoded text differs");
        // The tool itself, where there is one.
        if let Ok(output) = Command::new(tool).arg(&closed[0]).output() {
            assert!(output.stdout == lines.as_bytes(), "{tool} differs");
        }
    }
}
