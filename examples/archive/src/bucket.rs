//! A small object store for the example: PUT and HEAD over HTTP, one file an object, down at first.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub(crate) struct Bucket {
    url: String,
    up: Arc<AtomicBool>,
}

impl Bucket {
    /// On a free port of this machine, with its objects in a directory.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let bucket = Self {
            url: format!("http://{}", listener.local_addr()?),
            up: Arc::default(),
        };
        let (directory, up) = (directory.to_owned(), Arc::clone(&bucket.up));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A caller that goes away is none of the bucket's business.
                let _ = answer(&stream, &directory, &up);
            }
        });
        Ok(bucket)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn repair(&self) {
        self.up.store(true, Ordering::Release);
    }
}

fn answer(mut stream: &TcpStream, directory: &Path, up: &AtomicBool) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or(0),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let mut words = first.split(' ');
    let status = match (
        words.next(),
        words.next().map(|path| object(directory, path)),
    ) {
        _ if !up.load(Ordering::Acquire) => "503 Service Unavailable",
        (Some("PUT"), Some(path)) => {
            // Never half an object under its name.
            let unfinished = path.with_extension("part");
            fs::write(&unfinished, body)?;
            fs::rename(&unfinished, path)?;
            "200 OK"
        }
        (Some("HEAD"), Some(path)) if path.is_file() => "200 OK",
        _ => "404 Not Found",
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes())
}

/// Within the directory, whatever the path says.
fn object(directory: &Path, path: &str) -> PathBuf {
    directory.join(path.rsplit('/').next().unwrap_or_default())
}
