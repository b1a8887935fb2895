//! The same stacks over loopback sockets: a server on one core, a client that asks again as soon as it is answered
//! on the other.
//!
//! The server is this program again (`--serve STACK`). Its processor time is read from outside, so that nothing of
//! the measuring is in it; a round counts only if it was busy.

use crate::drive::BODY;
use crate::rivals;
use axum::Router;
use dogwatch_appender::{Appender, NonBlocking};
use dogwatch_benches::{print, process, time};
use dogwatch_json::{JsonLayer, Redact};
use dogwatch_tower::RequestLayer;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

const STACKS: [(&str, &str); 3] = [
    ("bare", "bare axum"),
    ("ours", "dogwatch-tower, everything on, lines to a file"),
    (
        "tower_http",
        "tower-http SetRequestId, Trace, PropagateRequestId, tracing-appender",
    ),
];

/// What this program was asked to serve.
pub(crate) fn asked() -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--serve");
    arguments.nth(1)
}

/// Serves until it is killed. Prints its address first.
pub(crate) fn serve(stack: &str) {
    pin(0);
    let dir = tempfile::tempdir().expect("a folder for the lines");
    let file = dir.path().join("lines.log");
    let (router, _guard): (Router, Box<dyn std::any::Any>) = match stack {
        "bare" => (rivals::router(), Box::new(())),
        "ours" => {
            let file = Appender::builder(&file)
                .open()
                .expect("a file for the lines");
            let (writer, guard) = NonBlocking::builder(file)
                .spawn()
                .expect("a thread to write");
            let json = JsonLayer::new(writer).redact(Redact::secrets());
            let subscriber = registry().with(json).with(LevelFilter::INFO);
            tracing::subscriber::set_global_default(subscriber).expect("the first");
            (rivals::router().layer(RequestLayer::new()), Box::new(guard))
        }
        "tower_http" => {
            let file = std::fs::File::create(&file).expect("a file for the lines");
            let (writer, guard) = tracing_appender::non_blocking(file);
            let dispatch = rivals::fmt_json_to(writer);
            tracing::dispatcher::set_global_default(dispatch).expect("the first");
            (rivals::tower_http(), Box::new(guard))
        }
        other => panic!("no stack {other}"),
    };
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        println!("{}", listener.local_addr().expect("an address"));
        axum::serve(listener, router)
            .await
            .expect("it serves until it is killed");
    });
}

#[derive(Clone, Copy)]
struct Round {
    cpu_us: f64,
    rps: f64,
    busy: f64,
}

/// Prints the table and the figures. `None` stands for a machine without a second core.
pub(crate) fn run(quick: bool) {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        print::figure("tower.socket.cpu_vs_bare", None, "ratio");
        return print::figure("tower.socket.bare_rps", None, "per_second");
    }
    let (rounds, lasts) = if quick { (1, 100) } else { (9, 1_000) };
    pin(1);
    let servers = STACKS.map(|(stack, _)| Server::start(stack));
    let mut measured: [Vec<Round>; STACKS.len()] = Default::default();
    for _ in 0..rounds {
        for (server, rounds) in servers.iter().zip(&mut measured) {
            rounds.push(server.round(Duration::from_millis(lasts)));
        }
    }
    let median = |of: &[Round], get: fn(&Round) -> f64| {
        time::median(&of.iter().map(get).collect::<Vec<_>>())
    };
    let mut table = print::Table::new(&[
        "one request",
        "server CPU, us",
        "vs bare",
        "requests/s",
        "busy",
    ]);
    let mut ratios = Vec::new();
    for ((_, name), rounds) in STACKS.iter().zip(&measured) {
        // A round against the bare one beside it: the machine's mood is in both.
        let pairs = rounds.iter().zip(&measured[0]);
        let pairs: Vec<f64> = pairs.map(|(one, bare)| one.cpu_us / bare.cpu_us).collect();
        ratios.push(time::median(&pairs));
        table.row(vec![
            (*name).to_owned(),
            format!("{:.2}", median(rounds, |round| round.cpu_us)),
            format!("{:.3}", time::median(&pairs)),
            format!("{:.0}", median(rounds, |round| round.rps)),
            format!("{:.0} %", 100.0 * median(rounds, |round| round.busy)),
        ]);
    }
    table.print("Over sockets: 64 connections, the server on one core, the client on another");
    let busy = median(&measured[0], |round| round.busy);
    println!();
    if busy < 0.95 && !quick {
        println!(
            "the bare server was busy for {:.0} % only: the client was the slower",
            busy * 100.0
        );
    }
    print::figure("tower.socket.cpu_vs_bare", Some(ratios[1]), "ratio");
    print::figure(
        "tower.socket.tower_http_cpu_vs_bare",
        Some(ratios[2]),
        "ratio",
    );
    let bare = median(&measured[0], |round| round.rps);
    print::figure("tower.socket.bare_rps", Some(bare), "per_second");
    print::figure("tower.socket.busy", Some(busy), "ratio");
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(stack: &str) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut process = Command::new(program)
            .args(["--serve", stack])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs again");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("its address");
        Self {
            address: line.trim().parse().expect("its address"),
            process,
        }
    }

    fn round(&self, lasts: Duration) -> Round {
        runtime().block_on(async {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut stream = TcpStream::connect(self.address).await.expect("it listens");
                stream.set_nodelay(true).expect("a TCP socket");
                // Once to warm up, its answer checked.
                assert!(ask(&mut stream).await.ends_with(BODY), "the whole answer");
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
            Round {
                cpu_us: spent.as_secs_f64() * 1e6 / asked as f64,
                rps: asked as f64 / took.as_secs_f64(),
                busy: spent.as_secs_f64() / took.as_secs_f64(),
            }
        })
    }

    fn cpu(&self) -> Duration {
        process::cpu(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
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

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

fn pin(core: usize) {
    if !process::pin(core) {
        eprintln!("core {core} cannot be had alone: the figures over sockets are worth less");
    }
}

const CONNECTIONS: usize = 64;

const REQUEST: &[u8] = b"GET /api/users/42 HTTP/1.1\r\nhost: bench\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n";
