//! The service under test for the public suite of w3c/trace-context.
//!
//! `POST /test` with a JSON array of `{"url", "arguments"}`: it posts `arguments` to each `url` with the
//! headers that `PropagateLayer` injects, one after the other, and answers 200.
//!
//! ```text
//! cargo run -p w3c-service -- --port 5000
//! cd trace-context/test && STRICT_LEVEL=2 SPEC_LEVEL=2 python test.py http://127.0.0.1:5000/test
//! ```

use std::error::Error;

use bytes::Bytes;
use dogwatch_tower::{PropagateLayer, RequestLayer};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer())
        .init();
    let listener = TcpListener::bind(("127.0.0.1", port()?)).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let service = TowerToHyperService::new(RequestLayer::new().layer(service_fn(serve)));
    loop {
        let io = TokioIo::new(listener.accept().await?.0);
        let connection = server::conn::http1::Builder::new().serve_connection(io, service.clone());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = &error as &dyn Error, "a connection broke");
            }
        });
    }
}

fn port() -> Result<u16, BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(5000),
        [flag, port] if flag == "--port" => Ok(port.parse()?),
        _ => Err("usage: w3c-service [--port N]; default 5000, 0 for any".into()),
    }
}

async fn serve(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
    let answer = |status, text: String| {
        let body = Full::new(Bytes::from(text));
        Ok(Response::builder().status(status).body(body)?)
    };
    if request.method() != Method::POST {
        return answer(
            StatusCode::METHOD_NOT_ALLOWED,
            "POST a JSON array".to_owned(),
        );
    }
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<serde_json::Value> = match serde_json::from_slice(&body) {
        Ok(calls) => calls,
        Err(error) => return answer(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let mut client = PropagateLayer::new().layer(service_fn(post));
    for call in calls {
        let url = call["url"].as_str().ok_or("`url` is not a string")?;
        let arguments = Full::new(Bytes::from(call["arguments"].to_string()));
        let request = Request::post(url).header("content-type", "application/json");
        client.ready().await?.call(request.body(arguments)?).await?;
    }
    answer(StatusCode::OK, String::new())
}

/// Posts over a connection of its own, and waits for the whole answer.
async fn post(request: Request<Full<Bytes>>) -> Result<Response<Bytes>, BoxError> {
    let authority = request
        .uri()
        .authority()
        .ok_or("the url has no host")?
        .clone();
    let io = TokioIo::new(TcpStream::connect(authority.as_str()).await?);
    let (mut sender, connection) = client::conn::http1::handshake(io).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = &error as &dyn Error, "a connection broke");
        }
    });
    let (mut head, body) = request.into_parts();
    head.headers.insert("host", authority.as_str().parse()?);
    head.uri = head
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .parse()?;
    let (head, body) = sender
        .send_request(Request::from_parts(head, body))
        .await?
        .into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
