//! The server that is measured over sockets: this program again, with one stack, its lines in a file.

use crate::rivals;
use axum::Router;
use dogwatch_appender::{Appender, NonBlocking};
use dogwatch_benches::process;
use dogwatch_json::{JsonLayer, Redact};
use dogwatch_tower::RequestLayer;
use std::any::Any;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

/// One stack that is served.
pub(crate) struct Stack {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    /// What its answers' heads must hold.
    pub(crate) headers: &'static [&'static str],
    /// It writes one line for each answer.
    pub(crate) logs: bool,
}

pub(crate) static STACKS: [Stack; 3] = [
    Stack {
        key: "bare",
        name: "bare axum",
        headers: &[],
        logs: false,
    },
    Stack {
        key: "ours",
        name: "dogwatch-tower, everything on, lines to a file",
        headers: &["x-request-id: ", "server-timing: trace;desc=00-4bf92f35"],
        logs: true,
    },
    Stack {
        key: "tower_http",
        name: "tower-http SetRequestId, Trace, PropagateRequestId, tracing-appender",
        headers: &["x-request-id: "],
        logs: true,
    },
];

/// What this program was asked to serve, and where its lines go.
pub(crate) fn asked() -> Option<(String, PathBuf)> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--serve");
    Some((arguments.nth(1)?, arguments.next()?.into()))
}

/// Runs this program again.
pub(crate) fn start(stack: &Stack, lines: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--serve", stack.key])
        .arg(lines)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs again")
}

/// Serves until stdin ends, then writes what is left and exits. Prints its address first.
pub(crate) fn serve(stack: &str, lines: &Path) {
    process::pin_or_warn(0);
    let (router, guard) = set_up(stack, lines);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(guard);
        std::process::exit(0);
    });
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        println!("{}", listener.local_addr().expect("an address"));
        axum::serve(listener, router)
            .await
            .expect("it serves until it is told to end");
    });
}

/// What writes the rest of the lines when it is dropped.
fn set_up(stack: &str, lines: &Path) -> (Router, Box<dyn Any + Send>) {
    match stack {
        "bare" => (rivals::router(), Box::new(())),
        "ours" => {
            let file = Appender::builder(lines).open();
            let writer = NonBlocking::builder(file.expect("a file for the lines")).spawn();
            let (writer, guard) = writer.expect("a thread to write");
            let json = JsonLayer::new(writer).redact(Redact::secrets());
            let subscriber = registry().with(json).with(LevelFilter::INFO);
            tracing::subscriber::set_global_default(subscriber).expect("the first");
            (rivals::router().layer(RequestLayer::new()), Box::new(guard))
        }
        "tower_http" => {
            let file = std::fs::File::create(lines).expect("a file for the lines");
            let (writer, guard) = tracing_appender::non_blocking(file);
            let dispatch = rivals::fmt_json_to(writer);
            tracing::dispatcher::set_global_default(dispatch).expect("the first");
            (rivals::tower_http(), Box::new(guard))
        }
        other => panic!("no stack {other}"),
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}
