//! `RequestLayer` around a plain tower service: one closing line, from a future polled by hand.

use std::convert::Infallible;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use dogwatch_json::JsonLayer;
use dogwatch_line::{Line, Value};
use dogwatch_tower::RequestLayer;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};
use tracing_subscriber::prelude::*;

pub(crate) fn closing_line(dir: &Path) -> Result<String, Box<dyn Error>> {
    let path = dir.join("requests.log");
    let layer = JsonLayer::new(Arc::new(File::create(&path)?));
    let traced = Request::get("/orders?token=hidden")
        .header("traceparent", PARENT)
        .body(())?;
    let answer =
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let service = RequestLayer::new().layer(service_fn(|_: Request<()>| async {
                tracing::info!("inside the request");
                Ok::<_, Infallible>(Response::new(String::from("ok")))
            }));
            block_on(async {
                let answer = service.oneshot(traced).await?;
                Ok::<_, Infallible>(answer.into_body().collect().await.map(|all| all.to_bytes()))
            })
        })?;
    crate::same("the answer", &*answer?, b"ok".as_slice())?;

    let lines = crate::lines(&path)?;
    crate::same("the number of lines", lines.len(), 2)?;
    for line in &lines {
        let trace = Line::parse(line)?.field("trace_id");
        crate::same("the trace", trace, Some(Value::from(&PARENT[3..35])))?;
        crate::same("that the query is hidden", line.contains("token"), false)?;
    }
    let closing = Line::parse(&lines[1])?;
    crate::same(
        "the outcome",
        closing.field("outcome"),
        Some(Value::from("completed")),
    )?;
    Ok(lines.join("\n"))
}

/// Polls a future on this thread, and sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Unpark>) {
        self.0.unpark();
    }
}

/// The example of the W3C recommendation.
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
