//! tonic over a socket: the closing line says how a gRPC call went, from its headers or its trailers.

mod support;

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Buf, BufMut};
use dogwatch_tower::{BytesInLayer, CountedBody, Finished, RequestLayer};
use http::uri::PathAndQuery;
use support::Capture;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::tokio_stream::{self, Stream, StreamExt};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, server};
use tower::{ServiceBuilder, service_fn};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Messages that are text: no generated code is needed to speak gRPC.
#[derive(Clone, Copy, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Answers by what the message says; tells when a handler that never ends has begun.
async fn charge(
    request: Request<String>,
    arrive: UnboundedSender<()>,
) -> Result<Response<String>, Status> {
    match request.get_ref().as_str() {
        "拒绝" => Err(Status::failed_precondition("余额不足")),
        "坏了" => Err(Status::internal("broken")),
        "等" => {
            arrive.send(()).unwrap();
            std::future::pending().await
        }
        other => Ok(Response::new(format!("{other}好"))),
    }
}

/// Two messages, then what the request asks for.
async fn watch(
    request: Request<String>,
) -> Result<Response<impl Stream<Item = Result<String, Status>>>, Status> {
    let two = tokio_stream::iter([Ok(String::from("一")), Ok(String::from("二"))]);
    let failed = (request.get_ref() == "坏了").then(|| Err(Status::data_loss("gone")));
    let endless = request.get_ref() == "等";
    let rest = tokio_stream::iter(failed);
    let never = tokio_stream::pending();
    let end = tokio_stream::iter(Vec::new());
    let tail: std::pin::Pin<Box<dyn Stream<Item = _> + Send>> = if endless {
        Box::pin(never)
    } else {
        Box::pin(end)
    };
    Ok(Response::new(two.chain(rest).chain(tail)))
}

async fn serve(
    request: http::Request<CountedBody<Body>>,
    arrive: UnboundedSender<()>,
) -> Result<http::Response<Body>, Infallible> {
    let mut grpc = server::Grpc::new(Text);
    Ok(match request.uri().path() {
        "/shop.Pay/Charge" => {
            let charge = service_fn(move |request| charge(request, arrive.clone()));
            grpc.unary(charge, request).await
        }
        "/shop.Pay/Watch" => grpc.server_streaming(service_fn(watch), request).await,
        _ => Status::unimplemented("no such method").into_http(),
    })
}

/// A tonic server on a free port, a client of it, and what the layer tells.
struct Shop {
    client: Grpc<Channel>,
    capture: Capture,
    finished: UnboundedReceiver<Finished>,
    arrived: UnboundedReceiver<()>,
    _server: JoinSet<()>,
    _guard: DefaultGuard,
}

impl Shop {
    async fn open() -> Self {
        let capture = Capture::default();
        let _guard = set_default(registry().with(capture.clone()));
        let (arrive, arrived) = unbounded_channel();
        let (finish, finished) = unbounded_channel();
        let layer = RequestLayer::new().on_finish(move |f| drop(finish.send(f.clone())));
        let layers = ServiceBuilder::new()
            .layer(layer)
            .layer(BytesInLayer::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service_fn(move |request| serve(request, arrive.clone()));
        let mut _server = JoinSet::new();
        _server.spawn(async move {
            let server = Server::builder().layer(layers);
            let incoming = TcpIncoming::from(listener);
            server.serve_with_incoming(service, incoming).await.unwrap();
        });
        let endpoint = Endpoint::new(format!("http://{address}")).unwrap();
        Self {
            client: Grpc::new(endpoint.connect().await.unwrap()),
            capture,
            finished,
            arrived,
            _server,
            _guard,
        }
    }

    async fn charge(&mut self, message: &str) -> Result<String, Status> {
        let request = Request::new(message.to_owned());
        self.ask("/shop.Pay/Charge", request).await
    }

    async fn ask(
        &mut self,
        method: &'static str,
        request: Request<String>,
    ) -> Result<String, Status> {
        self.client.ready().await.unwrap();
        let path = PathAndQuery::from_static(method);
        let answer = self.client.unary(request, path, Text).await;
        answer.map(Response::into_inner)
    }

    async fn watch(&mut self, message: &str) -> tonic::Streaming<String> {
        self.client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/shop.Pay/Watch");
        let request = Request::new(message.to_owned());
        let answer = self.client.server_streaming(request, path, Text).await;
        answer.unwrap().into_inner()
    }

    /// The one closing line since the last: level, message, status, outcome; gRPC's code; bytes in and out.
    async fn line(&mut self) -> (String, [String; 3]) {
        let finished = timeout(Duration::from_secs(20), self.finished.recv()).await;
        let code = finished.expect("within 20 s").unwrap().grpc_status();
        let line = self.capture.closing().last().unwrap().clone();
        let field = |name: &str| line.field(name).to_owned();
        let told = code.map_or_else(|| "-".into(), |code| code.to_string());
        assert_eq!(field("grpc_status"), told);
        (line.gist(), [told, field("bytes_in"), field("bytes_out")])
    }
}

fn is(gist: &str, rest: [&str; 3]) -> (String, [String; 3]) {
    (gist.to_owned(), rest.map(str::to_owned))
}

#[tokio::test]
async fn a_unary_call_closes_with_its_code() {
    let mut shop = Shop::open().await;
    assert_eq!(shop.charge("你").await.unwrap(), "你好");
    // Each message is framed by five bytes.
    let well = is("INFO request completed, 200 completed", ["0", "8", "11"]);
    assert_eq!(shop.line().await, well);

    assert_eq!(
        shop.charge("拒绝").await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    let rejected = is(
        "WARN request rejected [4xx], 200 completed",
        ["9", "11", "0"],
    );
    assert_eq!(shop.line().await, rejected);

    assert_eq!(
        shop.charge("坏了").await.unwrap_err().code(),
        Code::Internal
    );
    let failed = is(
        "ERROR request failed [5xx], 200 completed",
        ["13", "11", "0"],
    );
    assert_eq!(shop.line().await, failed);
}

#[tokio::test]
async fn a_method_that_is_not_there_closes_as_unimplemented() {
    let mut shop = Shop::open().await;
    let request = Request::new(String::new());
    let refused = shop.ask("/shop.Pay/Refund", request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    // Nobody has read the request's body.
    let failed = is(
        "ERROR request failed [5xx], 200 completed",
        ["12", "0", "0"],
    );
    assert_eq!(shop.line().await, failed);
}

#[tokio::test]
async fn a_stream_closes_with_the_code_in_its_trailers() {
    let mut shop = Shop::open().await;
    let told: Vec<_> = shop.watch("看").await.collect().await;
    let told: Vec<String> = told.into_iter().map(Result::unwrap).collect();
    assert_eq!(told, ["一", "二"]);
    let well = is("INFO request completed, 200 completed", ["0", "8", "16"]);
    assert_eq!(shop.line().await, well);

    let told: Vec<_> = shop.watch("坏了").await.collect().await;
    assert_eq!(told[2].as_ref().unwrap_err().code(), Code::DataLoss);
    let failed = is(
        "ERROR request failed [5xx], 200 completed",
        ["15", "11", "16"],
    );
    assert_eq!(shop.line().await, failed);
}

#[tokio::test]
async fn a_call_that_its_client_gives_up_has_no_code() {
    let mut shop = Shop::open().await;
    let mut arrived = std::mem::replace(&mut shop.arrived, unbounded_channel().1);
    tokio::select! {
        answer = shop.charge("等") => panic!("answered {answer:?}"),
        arrived = arrived.recv() => arrived.unwrap(),
    }
    let given_up = "WARN request cancelled, 499 cancelled_before_headers";
    assert_eq!(shop.line().await, is(given_up, ["-", "8", "0"]));

    let mut stream = shop.watch("等").await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "一");
    drop(stream);
    let (gist, [code, bytes_in, _]) = shop.line().await;
    let told = [gist.as_str(), &code, &bytes_in];
    assert_eq!(
        told,
        ["WARN request cancelled, 499 cancelled_in_body", "-", "8"]
    );
}

#[tokio::test]
async fn a_call_beyond_its_deadline_is_cancelled() {
    let mut shop = Shop::open().await;
    let mut request = Request::new(String::from("等"));
    request.set_timeout(Duration::from_millis(20));
    let late = shop.ask("/shop.Pay/Charge", request).await;
    let code = late.unwrap_err().code();
    assert!(
        matches!(code, Code::Cancelled | Code::DeadlineExceeded),
        "{code:?}"
    );
    let (gist, [code, ..]) = shop.line().await;
    let given_up = "WARN request cancelled, 499 cancelled_before_headers";
    assert_eq!((gist.as_str(), code.as_str()), (given_up, "-"));
}
