//! What the owner of a request's record and its handles share: whoever ends the request says so here, once.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Request;
use tracing::{Dispatch, Span, dispatcher};

use crate::b3;
use crate::config::Config;
use crate::current::{self, Current};
use crate::ids::{Hex, Ids};
use crate::kept::Kept;
use crate::open::{Open, Place};
use crate::panics::survive;
use crate::request_id::RequestId;
use crate::{Finished, Outcome, TARGET, TraceContext, closing};

/// Its memory goes back to the thread for the thread's next request.
#[derive(Default)]
pub(crate) struct Shared {
    /// Empty while no request has it.
    known: Option<Known>,
    /// Empty when the request is over.
    open: Mutex<Option<Place>>,
}

/// What does not change while the request lasts.
pub(crate) struct Known {
    pub(crate) config: Arc<Config>,
    pub(crate) span: Span,
    /// Set when the span cannot carry it, because a filter disabled it.
    pub(crate) unattached: Option<Unattached>,
    pub(crate) context: TraceContext,
    started: Instant,
}

/// What a span that is there would know.
pub(crate) struct Unattached {
    pub(crate) current: Arc<Current>,
    dispatch: Dispatch,
}

impl Shared {
    /// Of a request that has only just come.
    pub(crate) fn open<B>(config: &Arc<Config>, request: &Request<B>) -> Arc<Self> {
        let started = config.now();
        let headers = request.headers();
        let sender = TraceContext::from_headers(headers)
            .or_else(|| config.b3.then(|| b3::read(headers)).flatten());
        let (parent, link) = if config.public_endpoint {
            (None, sender)
        } else {
            (sender, None)
        };
        let mut context = parent.map_or_else(TraceContext::new, TraceContext::into_child);
        if config.baggage && !config.public_endpoint {
            context.load(headers);
        }
        let request_id = RequestId::of(headers);
        let span = open_span(&context, &request_id, link.as_ref());
        let current = || Current {
            context: context.clone(),
            request_id: Some(request_id.clone()),
        };
        let unattached = (!current::attach(&span, current)).then(|| Unattached {
            current: Arc::new(current()),
            dispatch: dispatcher::get_default(Dispatch::clone),
        });
        let mut place = Place::take();
        let Open { finished, late } = place.get();
        *late = config.facts.of(request);
        finished.arrive(request, &context, &request_id, config.cancelled_status);
        config.active(finished.method, 1);
        let mut shared = KEPT.try_with(Kept::take).ok().flatten().unwrap_or_default();
        let only = Arc::get_mut(&mut shared).expect("what is kept has no other owner");
        only.known = Some(Known {
            config: Arc::clone(config),
            span,
            unattached,
            context,
            started,
        });
        only.open = Mutex::new(Some(place));
        shared
    }

    /// By the owner, at the end: the last handle closes what is open, and the memory is kept.
    pub(crate) fn give_up(mut shared: Arc<Self>) {
        let Some(only) = Arc::get_mut(&mut shared) else {
            return;
        };
        only.close_last();
        only.known = None;
        let _ = KEPT.try_with(|kept| kept.give(shared));
    }

    pub(crate) fn known(&self) -> &Known {
        self.known
            .as_ref()
            .expect("a request has it until its last handle is gone")
    }

    /// No user's code may run in `change`: the lock is held. After the line is out there is nothing to change.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.lock().as_mut().map(|place| change(place.get()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Place>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        let Known {
            config, started, ..
        } = self.known();
        config.now().saturating_duration_since(*started)
    }

    /// By the owner, the request's span being entered: says that the request is over, with how the body ended.
    pub(crate) fn close(&self, body: Option<BodyEnd>) {
        let place = {
            let mut open = self.lock();
            let Some(place) = open.as_mut() else {
                return;
            };
            let finished = &mut place.get().finished;
            if let Some(body) = body {
                finished.bytes_out = body.bytes;
                match finished.outcome {
                    Outcome::CancelledInBody if body.complete => {
                        finished.outcome = Outcome::Completed;
                    }
                    Outcome::CancelledInBody => {
                        finished.status = self.known().config.cancelled_status
                    }
                    _ => {}
                }
            }
            if finished.outcome == Outcome::Upgraded {
                return;
            }
            open.take()
        };
        if let Some(place) = place {
            self.tell(place);
        }
    }

    /// The only place that says a request is over: whoever took the open state comes here, hence once. No lock is
    /// held.
    fn tell(&self, mut place: Place) {
        let Open { finished, late } = place.get();
        finished.latency = self.elapsed();
        let Known { config, span, .. } = self.known();
        config.active(finished.method, -1);
        config.finish(finished);
        survive(|| {
            self.tell_of_no_route(finished);
            let Some(verdict) = config.policy.judge(finished) else {
                return;
            };
            let span = span.id();
            self.with_dispatch(|dispatch| closing::emit(dispatch, verdict, finished, late, span));
        });
    }

    /// By the last handle: nobody has closed it before, for the connection was upgraded.
    fn close_last(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = open.take() {
            let _entered = self.known().span.enter();
            self.tell(place);
        }
    }

    /// With the dispatcher of the request's arrival: the line goes there, whichever thread or scope it ends in.
    fn with_dispatch(&self, then: impl FnOnce(&Dispatch)) {
        let Known {
            span, unattached, ..
        } = self.known();
        match unattached {
            Some(known) => then(&known.dispatch),
            None => {
                span.with_subscriber(|(_, dispatch)| then(dispatch));
            }
        }
    }

    /// Once per layer: the metrics of a service whose routes are unknown are worth little.
    fn tell_of_no_route(&self, finished: &Finished) {
        let Some(told) = &self.known().config.expect_routes else {
            return;
        };
        let routed = finished.ttfb.is_some() && !matches!(finished.status, 404 | 405);
        if finished.route.is_none() && routed && !told.swap(true, Ordering::Relaxed) {
            self.with_dispatch(|dispatch| dispatcher::with_default(dispatch, || {
                tracing::warn!(
                    target: TARGET,
                    path = finished.path(),
                    "an answered request has no route: put RequestLayer in Router::layer, after the routes"
                );
            }));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close_last();
    }
}

/// How an answer's body ended.
pub(crate) struct BodyEnd {
    pub(crate) complete: bool,
    pub(crate) bytes: u64,
}

/// At level ERROR, so that any event that a filter lets through finds its ids here.
fn open_span(context: &TraceContext, request_id: &RequestId, link: Option<&TraceContext>) -> Span {
    let (mut place, mut linked_place) = (Hex::ZEROS, Hex::ZEROS);
    let ids = Ids::of(context, &mut place);
    let linked = link.map(|link| Ids::of(link, &mut linked_place));
    tracing::error_span!(
        target: TARGET,
        "request",
        trace_id = ids.trace_id,
        span_id = ids.span_id,
        parent_span_id = ids.parent_span_id,
        request_id = request_id.as_str(),
        linked_trace_id = linked.as_ref().map(|link| link.trace_id),
        linked_span_id = linked.as_ref().map(|link| link.span_id),
    )
}

thread_local! {
    static KEPT: Kept<Arc<Shared>> = const { Kept::new(64) };
}
