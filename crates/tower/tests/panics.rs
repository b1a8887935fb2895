//! With the hook chained a panicked request says where it was. Alone in its binary: the hook is the process's.

mod support;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use dogwatch_tower::{RequestLayer, capture_panics};
use http::{Request, Response};
use http_body_util::Empty;
use support::{Capture, Line};
use tower::{Layer, ServiceExt, service_fn};
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// The closing line of a request whose handler is `handler`.
fn line_of(handler: impl Fn() + Clone) -> Line {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()));
    let service = service_fn(move |_: Request<()>| {
        let handler = handler.clone();
        async move {
            handler();
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let answer = RequestLayer::new()
        .catch_panics(true)
        .layer(service)
        .oneshot(Request::new(()));
    let Poll::Ready(Ok(response)) = pin!(answer).poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("it is ready at once");
    };
    drop(response);
    capture.closing().remove(0)
}

#[test]
fn a_panics_place_is_its_own_and_the_hook_before_still_runs() {
    let seen = Arc::new(AtomicU32::new(0));
    std::panic::set_hook(Box::new({
        let seen = Arc::clone(&seen);
        move |_| {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    }));
    capture_panics();
    capture_panics();

    let line = line_of(|| panic!("boom"));
    assert_eq!(line.gist(), "ERROR request panicked [5xx], 500 panicked");
    assert_eq!(line.field("error"), "boom");
    let place = line.field("panic_location");
    assert!(
        place.contains("tests/panics.rs:") || place.contains("tests\\panics.rs:"),
        "{place}"
    );
    assert_eq!(
        seen.load(Ordering::Relaxed),
        1,
        "chained once, though asked twice"
    );

    // A panic that somebody catches inside the handler, such as a layer in a `Display`, is not the request's.
    let caught_inside = || drop(catch_unwind(|| panic!("inside")));
    let line = line_of(caught_inside);
    assert_eq!(
        (line.field("outcome"), line.field("error")),
        ("completed", "-")
    );

    // Nor does it lend its place to one that comes without the hook.
    let line = line_of(move || {
        caught_inside();
        resume_unwind(Box::new("resumed"));
    });
    assert_eq!(
        (line.field("error"), line.field("panic_location")),
        ("resumed", "-")
    );

    // A panic outside any request is left alone.
    assert!(catch_unwind(AssertUnwindSafe(|| panic!("outside"))).is_err());
    let line = line_of(|| resume_unwind(Box::new("outside")));
    assert_eq!(
        (line.field("error"), line.field("panic_location")),
        ("outside", "-")
    );
}
