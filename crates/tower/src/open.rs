//! A request that is not over: what is known of it and what may still change, in memory that a thread keeps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Dispatch, Span};

use crate::Finished;
use crate::config::Config;
use crate::current::{Current, Polled};
use crate::kept::Kept;
use crate::late::Late;
use crate::shared::Shared;

/// What does not change while the request lasts.
pub(crate) struct Known {
    pub(crate) config: Arc<Config>,
    pub(crate) span: Span,
    /// Set when the span cannot carry it, because a filter disabled it.
    pub(crate) unattached: Option<Unattached>,
    pub(crate) started: Instant,
}

/// What a span that is there would know.
pub(crate) struct Unattached {
    pub(crate) current: Arc<Current>,
    pub(crate) dispatch: Dispatch,
}

impl Known {
    /// Makes the request the current one of this thread.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let unattached = self.unattached.as_ref();
        Entered {
            _span: self.span.enter(),
            _polled: unattached.map(|known| Polled::enter(Arc::clone(&known.current))),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.config.now().saturating_duration_since(self.started)
    }

    /// With the dispatcher of the request's arrival: the line goes there, whichever thread or scope it ends in.
    pub(crate) fn with_dispatch(&self, then: impl FnOnce(&Dispatch)) {
        match &self.unattached {
            Some(known) => then(&known.dispatch),
            None => {
                self.span.with_subscriber(|(_, dispatch)| then(dispatch));
            }
        }
    }
}

/// Holds the request's span, and its context when the span cannot, on this thread.
pub(crate) struct Entered<'a> {
    _span: tracing::span::Entered<'a>,
    _polled: Option<Polled>,
}

/// What may still change. Only the owner of the request has it.
pub(crate) struct Notes {
    pub(crate) finished: Finished,
    pub(crate) late: Late,
    /// Where handles add theirs, if there may be any.
    pub(crate) shared: Option<Arc<Shared>>,
    /// The request is over, and its line is out.
    pub(crate) told: bool,
}

/// Both in a place of their own: handing a request on moves a pointer, not the whole of it.
pub(crate) struct Place {
    /// Empty only while it is dropped.
    open: Option<Box<Open>>,
}

struct Open {
    /// Empty while no request has it.
    known: Option<Known>,
    notes: Notes,
}

impl Place {
    /// The notes may be those of an earlier request: [`Finished::arrive`] makes them anew.
    pub(crate) fn take() -> Self {
        let kept = KEPT.try_with(Kept::take);
        let blank = || {
            let notes = Notes {
                finished: Finished::blank(),
                late: Late::default(),
                shared: None,
                told: false,
            };
            Box::new(Open { known: None, notes })
        };
        Self {
            open: Some(kept.ok().flatten().unwrap_or_else(blank)),
        }
    }

    pub(crate) fn know(&mut self, known: Known) {
        self.open_mut().known = Some(known);
    }

    pub(crate) fn known(&self) -> &Known {
        let open = self.open.as_ref().expect(ALIVE);
        open.known.as_ref().expect(KNOWN)
    }

    pub(crate) fn notes(&mut self) -> &mut Notes {
        &mut self.open_mut().notes
    }

    pub(crate) fn parts(&mut self) -> (&Known, &mut Notes) {
        let Open { known, notes } = self.open_mut();
        (known.as_ref().expect(KNOWN), notes)
    }

    fn open_mut(&mut self) -> &mut Open {
        self.open.as_mut().expect(ALIVE)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.known = None;
        let Notes {
            finished,
            late,
            shared,
            told,
        } = &mut open.notes;
        finished.let_go();
        late.clear();
        *told = false;
        if let Some(shared) = shared.take() {
            Shared::give_back(shared);
        }
        // While the thread's locals are dropped there is no next request.
        let _ = KEPT.try_with(|kept| kept.give(open));
    }
}

const ALIVE: &str = "only a drop empties it";
const KNOWN: &str = "a request has it until its place is dropped";

thread_local! {
    // Of about 500 bytes each.
    static KEPT: Kept<Box<Open>> = const { Kept::new(64) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::request_id::RequestId;
    use crate::{Outcome, Route, TraceContext};
    use http::Request;

    #[test]
    fn nothing_of_one_request_is_left_for_the_next() {
        let request = |uri: &str| Request::get(uri).body(()).unwrap();
        let context = TraceContext::new();
        let given = RequestId::Given("req-7".parse().unwrap());
        let mut place = Place::take();
        let notes = place.notes();
        let finished = &mut notes.finished;
        finished.arrive(&request("/first"), &context, &given, 499);
        finished.route = Some(Route::new("/first"));
        finished.failure = Some(Box::new(Failure::of(&"no")));
        finished.outcome = Outcome::BodyError;
        (finished.bytes_in, finished.bytes_out) = (Some(3), 4);
        (finished.grpc_status, finished.event_stream) = (Some(5), true);
        notes.late.set("user_id", "u-17".into(), &[]);
        notes.late.set("status", 1.into(), &["status"]);
        notes.shared = Some(Shared::open(context.clone(), Late::default()));
        notes.told = true;
        let first: *const Notes = notes;
        drop(place);

        let mut again = Place::take();
        let notes = again.notes();
        let finished = &mut notes.finished;
        finished.arrive(&request("/x"), &context, &given, 499);
        let mut blank = Finished::blank();
        blank.arrive(&request("/x"), &context, &given, 499);
        assert_eq!(format!("{finished:?}"), format!("{blank:?}"));
        assert_eq!((notes.late.keys().len(), notes.late.refused()), (0, None));
        assert!(notes.shared.is_none() && !notes.told);
        let second: *const Notes = notes;
        assert_eq!(first, second, "the same memory");
    }
}
