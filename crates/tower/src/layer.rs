//! The tower layer for servers: a span, a trace context and exactly one closing line per request.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Extensions, HeaderName, Method, StatusCode};
use tower_layer::Layer;
use tracing::Level;

use crate::config::Config;
use crate::facts::Facts;
use crate::{Finished, RequestService};

/// A tower layer: gives each request a span with its trace context, and exactly one closing line.
///
/// Put it outside everything whose time and failures are the request's. Under axum use `Router::layer`, after
/// the routes: there the route is known.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct RequestLayer {
    config: Arc<Config>,
}

impl RequestLayer {
    /// With the defaults that each method names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `on_finish` once for each request that was not skipped, when it is over, whatever became of its
    /// line: a level filter does not silence it. Several may be added. It runs where the request ends, often
    /// inside a drop, and must be quick. Its panics are caught.
    pub fn on_finish(self, on_finish: impl Fn(&Finished) + Send + Sync + 'static) -> Self {
        self.change(|config| config.on_finish.push(Arc::new(on_finish)))
    }

    /// Calls `on_active` with the method and 1 when a request begins, and with -1 when it is over, however it
    /// ended. The method is `_OTHER` for one that HTTP does not register.
    pub fn on_active(self, on_active: impl Fn(&'static str, i64) + Send + Sync + 'static) -> Self {
        self.change(|config| config.on_active.push(Arc::new(on_active)))
    }

    /// Leaves requests for exactly this path alone, such as `/healthz`: no span, no ids, no headers, no line,
    /// no `on_active`, no `on_finish`.
    pub fn quiet(self, path: impl Into<String>) -> Self {
        self.change(|config| {
            config.quiet.insert(path.into());
        })
    }

    /// Leaves alone the requests of whose method and path `skip` says true, as [`quiet`](Self::quiet) does.
    pub fn skip(self, skip: impl Fn(&Method, &str) -> bool + Send + Sync + 'static) -> Self {
        self.change(|config| config.skip = Some(Arc::new(skip)))
    }

    /// Chooses the level of a closing line; `None` leaves it as it is. Default: ERROR for 5xx, errors and
    /// panics, WARN for 4xx and cancelled requests, INFO for the rest: for shed ones too, and for event
    /// streams, which only ever end by the client's leaving.
    pub fn level(self, level: impl Fn(&Finished) -> Option<Level> + Send + Sync + 'static) -> Self {
        self.change(|config| config.policy.level = Some(Arc::new(level)))
    }

    /// Closes a completed request that took this long or longer at WARN, as `request slow`. Default: never.
    /// Upgraded connections and event streams are exempt: they last as long as their clients like.
    pub fn slow(self, slow: Duration) -> Self {
        self.change(|config| config.policy.slow = Some(slow))
    }

    /// Writes one closing line in `one_in` for this route (its template, or the exact path where no route is
    /// known), chosen by the trace id so that all services keep the same traces. Lines at WARN and above,
    /// slow requests among them, are all kept, and `on_finish` is called for every request. Default: all.
    pub fn sample(self, route: impl Into<String>, one_in: NonZeroU64) -> Self {
        self.change(|config| {
            config.policy.samples.insert(route.into(), one_in);
        })
    }

    /// Says these keys of the query on the closing line, as `query`. Default: none, for a query holds what it
    /// likes: tokens, codes, names.
    pub fn query_keys<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        self.change(|config| {
            config
                .facts
                .query_keys
                .extend(keys.into_iter().map(Into::into))
        })
    }

    /// Says this header of the request on the closing line, as `header_user_agent` and the like, cut to 256
    /// bytes. Each takes the place of one late field. Default: none.
    pub fn request_header(self, header: HeaderName) -> Self {
        self.change(|config| {
            let field = Facts::header_field(&header);
            config.facts.headers.push((header, field));
        })
    }

    /// Says the client's address on the closing line, as `client_address`. Default: not.
    ///
    /// `peer` finds the address at the other end of the connection, which the server has put into the request:
    /// under axum `|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())`. While `trusted`
    /// says true of an address, the one that it reports in `x-forwarded-for` counts instead.
    pub fn client_address(
        self,
        peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
        trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.change(|config| {
            config.facts.peer = Some(Arc::new(peer));
            config.facts.trusted_proxy = Some(Arc::new(trusted));
        })
    }

    /// Does not trust the caller's trace: each request begins a trace of its own, and its span says the
    /// caller's as `linked_trace_id` and `linked_span_id`. For services that strangers call. Default: false.
    pub fn public_endpoint(self, public_endpoint: bool) -> Self {
        self.change(|config| config.public_endpoint = public_endpoint)
    }

    /// Reads B3 headers, one or several, where there is no valid `traceparent`: for callers behind a service mesh
    /// that speaks them. Default: false.
    pub fn b3(self, b3: bool) -> Self {
        self.change(|config| config.b3 = b3)
    }

    /// Takes the caller's `baggage` and sends it on with each call that
    /// [`PropagateLayer`](crate::PropagateLayer) makes: at most 180 members of 4,096 bytes and 8,192 bytes in all
    /// (W3C Baggage, Limits); what is beyond is left out, whole members. Default: false, for it says what
    /// callers like, and goes to whoever is called. A [`public_endpoint`](Self::public_endpoint) takes none.
    pub fn baggage(self, baggage: bool) -> Self {
        self.change(|config| config.baggage = baggage)
    }

    /// Warns, once, when a request is answered other than 404 or 405 and no route is known: the layer sits in
    /// the wrong place, or the feature `axum` is off. Default: false.
    pub fn expect_routes(self, expect_routes: bool) -> Self {
        self.change(|config| config.expect_routes = expect_routes.then(Arc::default))
    }

    /// Answers a panic of the service with 500 instead of letting it go on. Default: false, so that what is
    /// outside sees the panic as it would without this layer. A panic while the body streams always goes on,
    /// because the headers are out.
    pub fn catch_panics(self, catch_panics: bool) -> Self {
        self.change(|config| config.catch_panics = catch_panics)
    }

    /// The status that stands for a cancelled request in the line and the metrics. Default: 499, as nginx has
    /// it: no answer came to its end, so that of the handler would be untrue.
    pub fn cancelled_status(self, status: StatusCode) -> Self {
        self.change(|config| config.cancelled_status = status.as_u16())
    }

    /// Whether answers carry `x-request-id` and `server-timing: trace;desc=...`. Default: true.
    pub fn response_headers(self, response_headers: bool) -> Self {
        self.change(|config| config.response_headers = response_headers)
    }

    /// Whether the request's extensions get a [`RequestLog`](crate::RequestLog). Default: true. Without them there are no late fields, and a second
    /// `RequestLayer` on the same request cannot know of the first.
    pub fn extensions(self, extensions: bool) -> Self {
        self.change(|config| config.extensions = extensions)
    }

    /// The clock that latencies are measured by. Default: `Instant::now`. For tests.
    pub fn clock(self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.change(|config| config.clock = Some(Arc::new(clock)))
    }

    fn change(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestService::new(inner, Arc::clone(&self.config))
    }
}
