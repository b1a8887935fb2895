//! A server on loopback that answers as it is told, and rules whose alerts go there.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dogwatch_alert::{AlertGuard, AlertLayer, Rules};
use tracing::error;
use tracing_subscriber::prelude::*;

/// A bound, not a wait.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// What one request was.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Answers each request with the next of these, status line and headers before the first `|` and the body behind
/// it, and hands the requests on. The port stays open until the answers are used up.
pub(crate) fn server(answers: &'static [&'static str]) -> (u16, Receiver<Request>) {
    let (port, requests) = serve(move |at, _| answers.get(at).copied());
    (port, requests)
}

/// The same, the answer to the request of this number chosen by `answer`; `None` ends it.
pub(crate) fn serve(
    answer: impl Fn(usize, &Request) -> Option<&'static str> + Send + 'static,
) -> (u16, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for at in 0.. {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let Some(request) = read(&mut reader) else {
                continue;
            };
            let Some(answer) = answer(at, &request) else {
                return;
            };
            if sender.send(request).is_err() {
                return;
            }
            let (head, body) = answer.split_once('|').unwrap_or((answer, ""));
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            // The client may have gone.
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
    });
    (port, requests)
}

fn read(reader: &mut BufReader<std::net::TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request {
        head,
        body: String::new(),
    };
    let length = request.header("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

/// Rules, and what goes wrong later with its causes.
pub(crate) fn start(yaml: &str) -> (AlertLayer, AlertGuard, Receiver<String>) {
    let (sender, told) = channel();
    let (layer, guard) = AlertLayer::builder(Rules::parse(yaml).unwrap())
        .field("service", "shop")
        .on_error(move |error| {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            // After the test nobody listens.
            let _ = sender.send(text);
        })
        .spawn()
        .unwrap();
    (layer, guard, told)
}

pub(crate) fn fail(layer: AlertLayer, times: usize) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..times).for_each(|n| error!(n, "支付失败 [5xx]"));
    });
}
