//! Every way a request can end, over HTTP/1.1 and HTTP/2 on loopback sockets: one true line each.

mod support;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use dogwatch_tower::{Outcome, RequestLayer, RequestLog, ShedLayer};
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use support::rig::{BOTH, BoxError, Client, Http, Rig, Sender, request};
use support::{Capture, Line};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower::{Layer, service_fn};
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

type AnyBody = UnsyncBoxBody<Bytes, BoxError>;

#[tokio::test]
async fn every_ending_has_one_true_line() {
    use Client::{IsLetDown, LeavesBeforeHeaders, LeavesInBody, Reads};
    let table = [
        (
            "GET",
            "/whole",
            Reads,
            "INFO request completed, 200 completed",
            "11",
        ),
        (
            "GET",
            "/sized",
            Reads,
            "INFO request completed, 200 completed",
            "4",
        ),
        (
            "GET",
            "/empty",
            Reads,
            "INFO request completed, 200 completed",
            "0",
        ),
        (
            "HEAD",
            "/sized",
            Reads,
            "INFO request completed, 200 completed",
            "0",
        ),
        (
            "HEAD",
            "/whole",
            Reads,
            "INFO request completed, 200 completed",
            "0",
        ),
        (
            "HEAD",
            "/head",
            Reads,
            "INFO request completed, 200 completed",
            "0",
        ),
        (
            "GET",
            "/unpolled",
            Reads,
            "WARN request cancelled, 499 cancelled_before_headers",
            "0",
        ),
        (
            "GET",
            "/204",
            Reads,
            "INFO request completed, 204 completed",
            "0",
        ),
        (
            "GET",
            "/304",
            Reads,
            "INFO request completed, 304 completed",
            "0",
        ),
        (
            "GET",
            "/404",
            Reads,
            "WARN request rejected [4xx], 404 completed",
            "0",
        ),
        (
            "GET",
            "/500",
            Reads,
            "ERROR request failed [5xx], 500 completed",
            "0",
        ),
        ("GET", "/shed", Reads, "INFO request shed, 503 shed", "0"),
        (
            "GET",
            "/error",
            IsLetDown,
            "ERROR request failed [5xx], 500 error",
            "0",
        ),
        (
            "GET",
            "/body-error",
            IsLetDown,
            "ERROR request failed in body, 200 body_error",
            "4",
        ),
        (
            "GET",
            "/panic",
            IsLetDown,
            "ERROR request panicked [5xx], 500 panicked",
            "0",
        ),
        (
            "GET",
            "/body-panic",
            IsLetDown,
            "ERROR request panicked [5xx], 200 panicked",
            "4",
        ),
        (
            "GET",
            "/waits",
            LeavesBeforeHeaders,
            "WARN request cancelled, 499 cancelled_before_headers",
            "0",
        ),
        (
            "GET",
            "/endless",
            LeavesInBody,
            "WARN request cancelled, 499 cancelled_in_body",
            "4",
        ),
        (
            "GET",
            "/events",
            LeavesInBody,
            "INFO request cancelled, 499 cancelled_in_body",
            "9",
        ),
    ];
    for http in BOTH {
        for (method, path, client, expected, bytes) in table {
            let case = format!("{http:?} {method} {path}");
            // hyper leaves it to the service to give HEAD no body over HTTP/2; `/head` does.
            if http == Http::Two && method == "HEAD" && path != "/head" {
                continue;
            }
            let mut rig = serve(http, RequestLayer::new()).await;
            rig.exchange(method, path, client).await;
            let line = rig.only_line(&case).await;
            assert_eq!(line.gist(), expected, "{case}");
            assert_eq!(line.field("bytes_out"), bytes, "{case}");
        }
    }
}

#[tokio::test]
async fn many_at_once_that_end_as_they_like_leave_as_many_lines() {
    let active = Arc::new(AtomicI64::new(0));
    let layer = {
        let active = Arc::clone(&active);
        RequestLayer::new()
            .catch_panics(true)
            .on_active(move |_, delta| {
                active.fetch_add(delta, Ordering::Relaxed);
            })
    };
    let mut rig = serve(Http::Two, layer).await;
    let (sender, mut connection) = rig.connect().await;
    let Sender::Two(sender) = sender else {
        unreachable!("it speaks HTTP/2")
    };
    let paths = [
        "/whole",
        "/panic",
        "/body-error",
        "/endless",
        "/shed",
        "/204",
        "/waits",
        "/500",
    ];
    let mut clients = JoinSet::new();
    for turn in 0..400 {
        let mut sender = sender.clone();
        clients.spawn(async move {
            let answer = sender.send_request(request("GET", paths[turn % paths.len()]));
            let read = async {
                // Broken answers are among what is served.
                if let Ok(response) = answer.await {
                    let _ = response.into_body().collect().await;
                }
            };
            // Some read to the end, some leave when the runtime has been around a few times.
            let leave = async {
                for _ in 0..turn % 23 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = read => {}
                () = leave => {}
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    connection.shutdown().await;
    rig.tasks.shutdown().await;
    // The service of a shed request is not called.
    let mut shed = 0;
    let mut finished = 0;
    while let Ok(request) = rig.finished.try_recv() {
        finished += 1;
        shed += usize::from(request.outcome() == Outcome::Shed);
    }
    let mut called = 0;
    while rig.arrived.try_recv().is_ok() {
        called += 1;
    }
    assert!(finished > 100, "{finished}");
    assert_eq!(rig.capture.closing().len(), finished);
    assert!(
        called + shed <= finished,
        "{called} called and {shed} shed of {finished}"
    );
    assert_eq!(active.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_caught_panic_is_answered_and_the_connection_lives_on() {
    for http in BOTH {
        let mut rig = serve(http, RequestLayer::new().catch_panics(true)).await;
        let (mut sender, _connection) = rig.connect().await;
        let response = sender.send(request("GET", "/panic")).await.unwrap();
        assert_eq!(response.status(), 500);
        let request_id = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        drop(response);
        rig.finished().await;
        let response = sender.send(request("GET", "/sized")).await.unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "four"
        );
        rig.finished().await;
        let lines = rig.capture.closing();
        let gists: Vec<String> = lines.iter().map(Line::gist).collect();
        let completed = "INFO request completed, 200 completed";
        assert_eq!(
            gists,
            ["ERROR request panicked [5xx], 500 panicked", completed]
        );
        assert_eq!(lines[0].field("request_id"), request_id);
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_ends_alone() {
    let mut rig = serve(Http::Two, RequestLayer::new()).await;
    let (mut sender, _connection) = rig.connect().await;
    let mut endless = sender
        .send(request("GET", "/endless"))
        .await
        .unwrap()
        .into_body();
    endless.frame().await.unwrap().unwrap();
    let whole = sender.send(request("GET", "/whole")).await.unwrap();
    drop(endless);
    assert_eq!(
        whole.into_body().collect().await.unwrap().to_bytes(),
        "hello world"
    );
    let finished = [rig.finished().await, rig.finished().await];
    let mut told = finished.map(|f| {
        (
            f.path().to_owned(),
            f.outcome().as_str(),
            f.protocol_version(),
        )
    });
    told.sort();
    let expected = [
        ("/endless", "cancelled_in_body", "2"),
        ("/whole", "completed", "2"),
    ];
    assert_eq!(
        told.each_ref()
            .map(|(path, outcome, version)| (&**path, *outcome, *version)),
        expected
    );
    assert_eq!(rig.capture.closing().len(), 2);
}

#[tokio::test]
async fn trailers_end_an_answer_and_tell_how_a_grpc_call_went() {
    let table = [
        ("/grpc/0", "INFO request completed, 200 completed", "0"),
        ("/grpc/5", "WARN request rejected [4xx], 200 completed", "5"),
        (
            "/grpc/13",
            "ERROR request failed [5xx], 200 completed",
            "13",
        ),
        (
            "/grpc-headers/14",
            "ERROR request failed [5xx], 200 completed",
            "14",
        ),
    ];
    for (path, expected, code) in table {
        let mut rig = serve(Http::Two, RequestLayer::new()).await;
        rig.exchange("GET", path, Client::Reads).await;
        let line = rig.only_line(path).await;
        assert_eq!(
            (line.gist().as_str(), line.field("grpc_status")),
            (expected, code),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_upgraded_connection_closes_when_its_conversation_does() {
    let mut rig = serve(Http::One, RequestLayer::new()).await;
    let mut socket = TcpStream::connect(rig.address).await.unwrap();
    let hello = "GET /upgrade HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    socket.write_all(hello.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    socket.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    socket.read_exact(&mut echo).await.unwrap();
    assert_eq!(
        (&echo, rig.capture.closing().len()),
        (b"ping", 0),
        "the line waits for the socket"
    );
    drop(socket);
    let line = rig.only_line("upgrade").await;
    assert_eq!(line.gist(), "INFO request completed, 101 upgraded");
    assert_eq!(line.field("echoed"), "4");
}

#[tokio::test]
async fn a_tunnel_over_http_2_closes_when_its_conversation_does() {
    let mut rig = serve(Http::Two, RequestLayer::new()).await;
    let (mut sender, _connection) = rig.connect().await;
    let connect = Request::connect("echo.test:443")
        .body(Empty::new())
        .unwrap();
    let answer = sender.send(connect).await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut tunnel = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    tunnel.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    tunnel.read_exact(&mut echo).await.unwrap();
    assert_eq!(
        (&echo, rig.capture.closing().len()),
        (b"ping", 0),
        "the line waits for the tunnel"
    );
    tunnel.shutdown().await.unwrap();
    let line = rig.only_line("tunnel").await;
    assert_eq!(line.gist(), "INFO request completed, 200 upgraded");
    assert_eq!(
        [
            line.field("echoed"),
            line.field("method"),
            line.field("path")
        ],
        ["4", "CONNECT", ""]
    );
}

#[tokio::test]
async fn a_runtime_that_is_dropped_closes_its_requests() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()));
    let service =
        service_fn(|_: Request<()>| pending::<Result<Response<Empty<Bytes>>, Infallible>>());
    let mut service = RequestLayer::new().layer(service);
    let dropped = std::thread::spawn({
        // Arrives here, hence belongs to this dispatcher; ends on a thread that has none.
        let waiting = tower::Service::call(&mut service, Request::new(()));
        move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build();
            let runtime = runtime.unwrap();
            runtime.spawn(waiting);
            drop(runtime);
        }
    });
    dropped.join().unwrap();
    assert_eq!(
        capture.gists(),
        ["WARN request cancelled, 499 cancelled_before_headers"]
    );
}

/// `handle` behind the layer and a `ShedLayer`; `/unpolled` is given up by somebody outside before its first poll.
async fn serve(http: Http, layer: RequestLayer) -> Rig {
    Rig::serve(http, layer, |layer, arrive| {
        let shed = ShedLayer::new(Arc::new(AtomicBool::new(true))).route("/shed");
        let handler = service_fn(move |request| {
            arrive.send(()).unwrap();
            handle(request)
        });
        let recorded = layer.layer(shed.layer(handler));
        service_fn(move |request: Request<Incoming>| {
            let given_up = request.uri().path() == "/unpolled";
            let future = tower::Service::call(&mut recorded.clone(), request);
            async move {
                if given_up {
                    return Ok(Response::new(Default::default()));
                }
                future.await
            }
        })
    })
    .await
}

async fn handle(mut request: Request<Incoming>) -> Result<Response<AnyBody>, BoxError> {
    assert!(matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::CONNECT
    ));
    let status = |status: u16| Response::builder().status(status);
    let empty = || Empty::new().map_err(|never| match never {}).boxed_unsync();
    let frames = |then, frames: &[&'static str]| {
        let frames = frames.iter().copied().collect();
        Frames { frames, then }.boxed_unsync()
    };
    Ok(match request.uri().path() {
        "/whole" => Response::new(frames(Then::End, &["hello ", "world"])),
        "/sized" => {
            let body = Full::new(Bytes::from("four")).map_err(|never| match never {});
            Response::new(body.boxed_unsync())
        }
        "/empty" => Response::new(empty()),
        "/head" => status(200).header("content-length", "4").body(empty())?,
        "/error" => return Err("out of stock".into()),
        "/body-error" => Response::new(frames(Then::Fail, &["part"])),
        "/body-panic" => Response::new(frames(Then::Panic, &["part"])),
        "/panic" => panic!("boom"),
        "/waits" => pending().await,
        "/endless" => Response::new(frames(Then::Wait, &["part"])),
        "/events" => {
            let stream = status(200).header("content-type", "text/event-stream");
            stream.body(frames(Then::Wait, &["data: 1\n\n"]))?
        }
        path if path.starts_with("/grpc/") => {
            let trailers = HeaderMap::from_iter([("grpc-status".parse()?, path[6..].parse()?)]);
            let body = Full::new(Bytes::from("answer")).with_trailers(ready(Some(Ok(trailers))));
            let call = status(200).header("content-type", "application/grpc+proto");
            call.body(
                body.map_err(|never: Infallible| match never {})
                    .boxed_unsync(),
            )?
        }
        path if path.starts_with("/grpc-headers/") => {
            let call = status(200).header("content-type", "application/grpc");
            call.header("grpc-status", &path[14..]).body(empty())?
        }
        // The path of CONNECT is empty.
        "/upgrade" | "" => {
            let log = request.extensions().get::<RequestLog>().cloned().unwrap();
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut socket = TokioIo::new(upgrade.await.unwrap());
                let (mut read, mut write) = tokio::io::split(&mut socket);
                let echoed = tokio::io::copy(&mut read, &mut write).await.unwrap();
                log.set("echoed", echoed);
            });
            if request.method() == Method::CONNECT {
                return Ok(Response::new(empty()));
            }
            let switching = status(101)
                .header("connection", "upgrade")
                .header("upgrade", "echo");
            switching.body(empty())?
        }
        coded => status(coded[1..].parse()?).body(empty())?,
    })
}

/// A body of unknown length: some frames, one a poll, and then something else.
struct Frames {
    frames: VecDeque<&'static str>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    End,
    Fail,
    Panic,
    Wait,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(frame)))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::Fail => Poll::Ready(Some(Err("the disk went away".into()))),
            Then::Panic => panic!("in the body"),
            // Nothing wakes it: the server drops it when the client is gone.
            Then::Wait => Poll::Pending,
        }
    }
}
