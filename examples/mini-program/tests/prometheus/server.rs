//! Starts a server that says on stderr where it listens, and ends it.

use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) struct Server {
    pub(crate) address: String,
    child: Child,
    /// Reads to the end what it says: a full pipe would stop it.
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Returns when it has said `ready` and where it listens.
    pub(crate) fn start(program: &str, options: &[String], ready: &str) -> Self {
        let mut child = Command::new(program)
            .arg("--web.listen-address=127.0.0.1:0")
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (said, heard) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody listens any more once it is ready.
                let _ = said.send(line);
            }
        });
        let mut server = Self {
            address: String::new(),
            child,
            reader: Some(reader),
        };
        let (until, mut all) = (Instant::now() + PATIENCE, String::new());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = heard.recv_timeout(left) else {
                panic!("{program} did not say `{ready}`:\n{all}");
            };
            if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                server.address = address.trim().to_owned();
            }
            if line.contains(ready) && !server.address.is_empty() {
                return server;
            }
            all += &(line + "\n");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed by then.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

pub(crate) fn installed(program: &str) -> bool {
    let started = Command::new(program).arg("--version").output();
    !matches!(started, Err(error) if error.kind() == ErrorKind::NotFound)
}

const PATIENCE: Duration = Duration::from_secs(60);
