//! The record of one request: opened when it arrives, closed exactly once, by a `Drop`.

use std::sync::Arc;

use http::Request;
use tracing::{Dispatch, dispatcher};

use crate::config::Config;
use crate::current::{self, Current};
use crate::inbound::Inbound;
use crate::open::{Entered, Known, Notes, Place, Unattached};
use crate::otel::{self, Parent};
use crate::shared::{Shared, open_span};
use crate::{Outcome, RequestLog, TraceContext, b3};

/// The owner of a request's record. Dropping it closes the record, unless the connection was upgraded: then
/// the last [`RequestLog`] does.
pub(crate) struct Record {
    /// Empty only while it is dropped.
    place: Option<Place>,
}

impl Record {
    /// Of a request that has only just come.
    pub(crate) fn open<B>(config: &Arc<Config>, request: &mut Request<B>) -> Self {
        let started = config.now();
        let headers = request.headers();
        let Inbound { sender, request_id } = Inbound::read(headers);
        let sender = sender.or_else(|| config.b3.then(|| b3::read(headers)).flatten());
        let (parent, link) = if config.public_endpoint {
            (None, sender)
        } else {
            (sender, None)
        };
        let mut context = parent.map_or_else(TraceContext::new, TraceContext::into_child);
        if config.baggage && !config.public_endpoint {
            context.load(headers);
        }
        let span = open_span(&context, &request_id, link.as_ref());
        otel::join(&span, &mut context, Parent::Elsewhere, link.as_ref());
        let mut place = Place::take();
        let Notes {
            finished,
            late,
            shared,
            ..
        } = place.notes();
        finished.arrive(request, &context, &request_id, config.cancelled_status);
        config.facts.tell(request, late);
        config.active(finished.method, 1);
        if config.extensions {
            let handle = Shared::open(context.clone(), std::mem::take(late));
            *shared = Some(Arc::clone(&handle));
            request.extensions_mut().insert(RequestLog::new(handle));
        }
        let current = || Current {
            context: finished.context.clone(),
            request_id: Some(finished.request_id.clone()),
        };
        let unattached = (!current::attach(&span, current)).then(|| Unattached {
            current: Arc::new(current()),
            dispatch: dispatcher::get_default(Dispatch::clone),
        });
        place.know(Known {
            config: Arc::clone(config),
            span,
            unattached,
            started,
        });
        Self { place: Some(place) }
    }

    /// Makes the request the current one of this thread.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.place.as_ref().expect(ALIVE).known().enter()
    }

    pub(crate) fn parts(&mut self) -> (&Known, &mut Notes) {
        self.place.as_mut().expect(ALIVE).parts()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Some(mut place) = self.place.take() else {
            return;
        };
        let (known, notes) = place.parts();
        if notes.told {
            return;
        }
        let upgraded = notes.finished.outcome == Outcome::Upgraded;
        if let Some(shared) = notes.shared.take_if(|_| upgraded) {
            return shared.leave(place);
        }
        let _entered = known.enter();
        notes.end(known);
    }
}

const ALIVE: &str = "only a drop empties it";
