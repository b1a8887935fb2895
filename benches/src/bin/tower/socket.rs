//! The same stacks over loopback sockets: a server on one core, a client that asks again as soon as it is answered
//! on the other.
//!
//! The server's processor time is read from outside, so that nothing of the measuring is in it; all its threads
//! count. A figure stands only if the server was the slower of the two, and when it has ended, its lines are
//! counted in the file: as many as it answered.

use crate::drive::BODY;
use crate::serve::{self, STACKS, Stack, runtime};
use dogwatch_benches::{print, process, time};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Clone, Copy)]
struct Round {
    cpu_us: f64,
    rps: f64,
    busy: f64,
}

/// Prints the table and the figures, or why there are none.
pub(crate) fn run(quick: bool) {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        println!("\nOver sockets: skipped, for server and client want a core each");
        return figures(None);
    }
    let (rounds, lasts) = if quick { (1, 100) } else { (9, 1_000) };
    process::pin_or_warn(1);
    let folder = tempfile::tempdir().expect("a folder for the lines");
    let mut servers = STACKS
        .each_ref()
        .map(|stack| Server::start(stack, folder.path()));
    let mut measured: [Vec<Round>; STACKS.len()] = Default::default();
    for round in 0..rounds {
        // In turns, and each time another first: whoever comes first in a round must not gain by it.
        for turn in 0..servers.len() {
            let at = (round + turn) % servers.len();
            measured[at].push(servers[at].round(Duration::from_millis(lasts)));
        }
    }
    let lost = servers.map(Server::end);
    table(&measured, &lost);
    assert_eq!(lost[1], 0, "every answer of ours has its line in the file");
    let busy = |rounds: &Vec<Round>| median(rounds, |round| round.busy);
    let least = measured.iter().map(busy).fold(f64::MAX, f64::min);
    println!();
    if least < BUSY {
        let percent = least * 100.0;
        println!(
            "skipped: a server was busy for {percent:.0} % only, so that its client was measured too"
        );
        return figures(None);
    }
    figures(Some(&measured));
}

fn median(of: &[Round], get: fn(&Round) -> f64) -> f64 {
    time::median(&of.iter().map(get).collect::<Vec<_>>())
}

/// A round against the bare one beside it: the machine's mood is in both.
fn vs_bare(rounds: &[Round], bare: &[Round]) -> f64 {
    let pairs = rounds.iter().zip(bare);
    time::median(
        &pairs
            .map(|(one, bare)| one.cpu_us / bare.cpu_us)
            .collect::<Vec<_>>(),
    )
}

fn table(measured: &[Vec<Round>], lost: &[u64]) {
    let mut table = print::Table::new(&[
        "one request",
        "server CPU, us",
        "vs bare",
        "requests/s",
        "busy",
        "lines lost",
    ]);
    for ((stack, rounds), lost) in STACKS.iter().zip(measured).zip(lost) {
        table.row(vec![
            stack.name.to_owned(),
            format!("{:.2}", median(rounds, |round| round.cpu_us)),
            format!("{:.3}", vs_bare(rounds, &measured[0])),
            format!("{:.0}", median(rounds, |round| round.rps)),
            format!("{:.0} %", 100.0 * median(rounds, |round| round.busy)),
            if stack.logs {
                lost.to_string()
            } else {
                "-".to_owned()
            },
        ]);
    }
    table.print("Over sockets: 64 connections, the server on one core, the client on another");
}

fn figures(measured: Option<&[Vec<Round>]>) {
    let vs_bare = |at: usize| measured.map(|all| vs_bare(&all[at], &all[0]));
    let bare = |get| measured.map(|all| median(&all[0], get));
    print::figure("tower.socket.cpu_vs_bare", vs_bare(1), "ratio");
    print::figure("tower.socket.tower_http_cpu_vs_bare", vs_bare(2), "ratio");
    print::figure(
        "tower.socket.bare_rps",
        bare(|round| round.rps),
        "per_second",
    );
    print::figure("tower.socket.busy", bare(|round| round.busy), "ratio");
}

struct Server {
    process: Child,
    stack: &'static Stack,
    address: SocketAddr,
    lines: PathBuf,
    answered: u64,
}

impl Server {
    fn start(stack: &'static Stack, folder: &Path) -> Self {
        let lines = folder.join(stack.key);
        let mut process = serve::start(stack, &lines);
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("its address");
        Self {
            address: line.trim().parse().expect("its address"),
            process,
            stack,
            lines,
            answered: 0,
        }
    }

    fn round(&mut self, lasts: Duration) -> Round {
        runtime().block_on(async {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut stream = TcpStream::connect(self.address).await.expect("it listens");
                stream.set_nodelay(true).expect("a TCP socket");
                // Once to warm up, its answer checked.
                self.check(&ask(&mut stream).await);
                connections.push(stream);
            }
            let (started, spent) = (Instant::now(), self.cpu());
            let until = started + lasts;
            let clients: Vec<_> = connections
                .into_iter()
                .map(|mut stream| {
                    tokio::spawn(async move {
                        let mut asked = 0_u64;
                        while Instant::now() < until {
                            ask(&mut stream).await;
                            asked += 1;
                        }
                        asked
                    })
                })
                .collect();
            let mut asked = 0;
            for client in clients {
                asked += client.await.expect("a client that was answered");
            }
            let (spent, took) = (self.cpu() - spent, started.elapsed());
            self.answered += asked + CONNECTIONS;
            Round {
                cpu_us: spent.as_secs_f64() * 1e6 / asked as f64,
                rps: asked as f64 / took.as_secs_f64(),
                busy: spent.as_secs_f64() / took.as_secs_f64(),
            }
        })
    }

    fn check(&self, answer: &[u8]) {
        let text = String::from_utf8_lossy(answer);
        assert!(answer.ends_with(BODY), "the whole answer: {text}");
        for header in self.stack.headers {
            assert!(
                text.contains(header),
                "{} lost {header}: {text}",
                self.stack.name
            );
        }
    }

    fn cpu(&self) -> Duration {
        process::cpu(self.process.id())
    }

    /// Lets it write what is left. How many of the lines that it should have written are not in the file.
    fn end(mut self) -> u64 {
        drop(self.process.stdin.take());
        let ended = self.process.wait().expect("it ran");
        assert!(
            ended.success(),
            "{} ended as told: {ended}",
            self.stack.name
        );
        if !self.stack.logs {
            return 0;
        }
        let mut file = BufReader::with_capacity(1 << 20, open(&self.lines));
        let (mut lines, mut line) = (0, Vec::new());
        while file
            .read_until(b'\n', &mut line)
            .expect("a file that can be read")
            > 0
        {
            assert!(
                line.starts_with(b"{") && line.ends_with(b"}\n"),
                "a whole line"
            );
            lines += 1;
            line.clear();
        }
        let lost = self.answered.checked_sub(lines);
        lost.expect("no more lines than answers")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn open(path: &Path) -> std::fs::File {
    std::fs::File::open(path).expect("the lines' file")
}

/// One request and its answer, whose length the head tells.
async fn ask(stream: &mut TcpStream) -> Vec<u8> {
    stream.write_all(REQUEST).await.expect("the server reads");
    let mut answer = Vec::with_capacity(512);
    loop {
        let read = stream
            .read_buf(&mut answer)
            .await
            .expect("the server answers");
        assert_ne!(read, 0, "the server closed the connection");
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
        if head.is_some_and(|head| answer.len() >= head + 4 + BODY.len()) {
            assert!(
                answer.starts_with(b"HTTP/1.1 200 "),
                "an answer of another kind"
            );
            return answer;
        }
    }
}

const CONNECTIONS: u64 = 64;

/// The share of a round that a server must be at work: else its client was the slower.
const BUSY: f64 = 0.95;

const REQUEST: &[u8] = b"GET /api/users/42 HTTP/1.1\r\nhost: bench\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n";
