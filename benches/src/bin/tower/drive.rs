//! Calls a service and reads its answer to the end, without a runtime.

use bytes::Bytes;
use dogwatch_benches::{allocations, sink, time};
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tower::Service;

/// What one round cost: a mean per request, and the lines that came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) ns: f64,
    pub(crate) allocations: f64,
    pub(crate) lines: u64,
}

pub(crate) const WARM_UP: u64 = 50;

pub(crate) fn measured<S, B>(mut service: S, requests: u64) -> Sample
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: Body,
    B::Error: std::fmt::Debug,
{
    (0..WARM_UP).for_each(|_| answer(&mut service));
    sink::reset();
    let (allocated, started) = (allocations::count(), time::thread_cpu_ns());
    (0..requests).for_each(|_| answer(&mut service));
    let spent = time::thread_cpu_ns() - started;
    let allocated = allocations::count() - allocated;
    let each = |total: u64| total as f64 / requests as f64;
    Sample {
        ns: each(spent),
        allocations: each(allocated),
        lines: sink::counts().lines,
    }
}

fn answer<S, B>(service: &mut S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: Body,
    B::Error: std::fmt::Debug,
{
    let mut context = Context::from_waker(Waker::noop());
    let request = Request::builder()
        .uri("/api/users/42")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(Full::new(Bytes::from_static(b"hello")))
        .expect("a sound request");
    assert!(service.poll_ready(&mut context).is_ready(), "always ready");
    let mut future = pin!(service.call(black_box(request)));
    let Poll::Ready(answer) = future.as_mut().poll(&mut context) else {
        panic!("the service answers at once")
    };
    let mut body = pin!(answer.expect("an answer").into_body());
    let mut bytes = 0;
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
        bytes += frame
            .expect("a sound body")
            .data_ref()
            .map_or(0, bytes::Buf::remaining);
    }
    assert_eq!(bytes, BODY.len(), "the whole body");
}

pub(crate) const BODY: &[u8] = b"{\"id\":42,\"name\":\"Lin\"}";
