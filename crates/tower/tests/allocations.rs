//! What a request costs in allocations. Alone in its binary: the allocator is the process's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use dogwatch_tower::RequestLayer;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use tower::{Layer, Service, service_fn};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

struct Counting;

thread_local! {
    // By thread, for the test harness allocates on its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: each call goes to the system's allocator as it came; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `alloc` above, that is from the system.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The allocations that the layer adds to one request, when all is warm.
fn added(layer: &RequestLayer) -> u64 {
    let service = || {
        service_fn(|_: Request<()>| {
            ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
        })
    };
    let mut bare = service();
    let mut layered = layer.layer(service());
    count(&mut layered).saturating_sub(count(&mut bare))
}

fn count<S, B>(service: &mut S) -> u64
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Error = Infallible>,
{
    let mut last = 0;
    for _ in 0..3 {
        let mut request = Request::new(());
        *request.uri_mut() = http::Uri::from_static("/users/42?page=2");
        let before = ALLOCATIONS.get();
        let mut future = pin!(service.call(request));
        let cx = &mut Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(response)) = future.as_mut().poll(cx) else {
            panic!("it is ready")
        };
        let mut body = pin!(response.into_body());
        assert!(matches!(pin!(body.frame()).poll(cx), Poll::Ready(None)));
        last = ALLOCATIONS.get() - before;
    }
    last
}

#[test]
fn a_request_costs_few_allocations_and_a_quiet_one_none() {
    let lean = RequestLayer::new()
        .extensions(false)
        .response_headers(false);
    let quiet = RequestLayer::new().quiet("/users/42");
    with_default(registry().with(LevelFilter::TRACE), || {
        assert_eq!(added(&quiet), 0, "quiet");
        assert_eq!(added(&lean), 1, "the context on the span");
    });
    with_default(registry().with(LevelFilter::OFF), || {
        assert_eq!(added(&lean), 1, "the context, without a span");
    });
}
