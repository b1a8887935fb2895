//! A server on a loopback socket, HTTP/1.1 or HTTP/2, and clients that treat it as they like.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use dogwatch_tower::{Finished, RequestLayer};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn as client;
use hyper::server::conn as server;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use super::{Capture, Line};

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Http {
    One,
    Two,
}

pub(crate) const BOTH: [Http; 2] = [Http::One, Http::Two];

/// What the client does with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Client {
    /// Reads the whole answer.
    Reads,
    /// Finds the exchange broken.
    IsLetDown,
    /// Closes its connection when the handler runs.
    LeavesBeforeHeaders,
    /// Closes its connection after the first frame.
    LeavesInBody,
}

/// A server on a free port, and all that it told.
pub(crate) struct Rig {
    pub(crate) http: Http,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) capture: Capture,
    pub(crate) finished: UnboundedReceiver<Finished>,
    pub(crate) arrived: UnboundedReceiver<()>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) _guard: DefaultGuard,
}

impl Rig {
    /// Serves what `service` makes of the layer, which tells its records here, and of a sender for each request
    /// that a handler begins with.
    pub(crate) async fn serve<S, B>(
        http: Http,
        layer: RequestLayer,
        service: impl FnOnce(RequestLayer, UnboundedSender<()>) -> S,
    ) -> Self
    where
        S: tower::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
    {
        let capture = Capture::default();
        let _guard = set_default(registry().with(capture.clone()));
        let (finish, finished) = unbounded_channel();
        let (arrive, arrived) = unbounded_channel();
        let layer = layer.on_finish(move |f| drop(finish.send(f.clone())));
        let service = TowerToHyperService::new(service(layer, arrive));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let io = TokioIo::new(listener.accept().await.unwrap().0);
                let service = service.clone();
                connections.spawn(async move {
                    // How a connection ends is the client's to see.
                    let _ = match http {
                        Http::One => {
                            let connection = server::http1::Builder::new();
                            connection
                                .serve_connection(io, service)
                                .with_upgrades()
                                .await
                        }
                        Http::Two => {
                            let connection = server::http2::Builder::new(TokioExecutor::new());
                            connection.serve_connection(io, service).await
                        }
                    };
                });
            }
        });
        Self {
            http,
            address,
            capture,
            finished,
            arrived,
            tasks,
            _guard,
        }
    }

    /// A sender, and the task that drives its connection: dropping it closes the socket.
    pub(crate) async fn connect(&self) -> (Sender, JoinSet<()>) {
        let io = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let mut driver = JoinSet::new();
        let sender = match self.http {
            Http::One => {
                let (sender, connection) = client::http1::handshake(io).await.unwrap();
                driver.spawn(async move { drop(connection.await) });
                Sender::One(sender)
            }
            Http::Two => {
                let executor = TokioExecutor::new();
                let (sender, connection) = client::http2::handshake(executor, io).await.unwrap();
                driver.spawn(async move { drop(connection.await) });
                Sender::Two(sender)
            }
        };
        (sender, driver)
    }

    pub(crate) async fn exchange(&mut self, method: &str, path: &str, client: Client) {
        let (mut sender, mut driver) = self.connect().await;
        let sent = sender.send(request(method, path));
        match client {
            Client::Reads => {
                sent.await.unwrap().into_body().collect().await.unwrap();
            }
            Client::IsLetDown => {
                let let_down = match sent.await {
                    Ok(response) => response.into_body().collect().await.is_err(),
                    Err(_) => true,
                };
                assert!(let_down, "{path}");
            }
            Client::LeavesBeforeHeaders => {
                tokio::select! {
                    answer = sent => panic!("{path} answered {answer:?}"),
                    arrived = self.arrived.recv() => arrived.unwrap(),
                }
                driver.shutdown().await;
            }
            Client::LeavesInBody => {
                let mut body = sent.await.unwrap().into_body();
                body.frame().await.unwrap().unwrap();
                driver.shutdown().await;
            }
        }
    }

    pub(crate) async fn finished(&mut self) -> Finished {
        let finished = timeout(Duration::from_secs(20), self.finished.recv());
        finished
            .await
            .expect("no request closed within 20 s")
            .unwrap()
    }

    /// The closing line of the one request, with the record that came with it.
    pub(crate) async fn only_line(&mut self, case: &str) -> Line {
        let finished = self.finished().await;
        self.tasks.shutdown().await;
        assert!(self.finished.try_recv().is_err(), "{case} finished twice");
        let mut lines = self.capture.closing();
        assert_eq!(lines.len(), 1, "{case}: {lines:#?}");
        let line = lines.remove(0);
        let told = (
            finished.status().to_string(),
            finished.trace_id().to_string(),
        );
        assert_eq!(
            (line.field("status"), line.field("trace_id")),
            (&*told.0, &*told.1),
            "{case}"
        );
        line
    }
}

pub(crate) enum Sender {
    One(client::http1::SendRequest<Empty<Bytes>>),
    Two(client::http2::SendRequest<Empty<Bytes>>),
}

impl Sender {
    pub(crate) async fn send(
        &mut self,
        request: Request<Empty<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

pub(crate) fn request(method: &str, path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("http://127.0.0.1{path}");
    Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "h")
        .body(Empty::new())
        .unwrap()
}
