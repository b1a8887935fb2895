//! The first closing line of a process comes out of a thread without a dispatcher. Alone in its binary: what
//! tracing remembers of a callsite is the process's.

mod support;

use std::convert::Infallible;
use std::future::pending;

use bytes::Bytes;
use dogwatch_tower::RequestLayer;
use http::{Request, Response};
use http_body_util::Empty;
use support::Capture;
use tower::{Layer, Service, service_fn};
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

#[test]
fn the_first_line_of_a_process_may_end_on_a_thread_without_a_dispatcher() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()));
    let service =
        service_fn(|_: Request<()>| pending::<Result<Response<Empty<Bytes>>, Infallible>>());
    let waiting = RequestLayer::new().layer(service).call(Request::new(()));
    std::thread::spawn(move || drop(waiting)).join().unwrap();
    assert_eq!(
        capture.gists(),
        ["WARN request cancelled, 499 cancelled_before_headers"]
    );
}
