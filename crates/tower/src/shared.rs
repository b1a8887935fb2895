//! What a request's handles and its owner share: what handlers add to its line, and after an upgrade the request.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::Span;

use crate::failure::Failure;
use crate::hex::Hex;
use crate::ids::Ids;
use crate::kept::Kept;
use crate::late::Late;
use crate::open::{Notes, Place};
use crate::request_id::RequestId;
use crate::{Route, TARGET, TraceContext};

/// Its memory goes back to the thread for the thread's next request.
pub(crate) struct Shared {
    context: TraceContext,
    added: Mutex<Added>,
}

/// What handlers added.
#[derive(Default)]
pub(crate) struct Added {
    pub(crate) late: Late,
    pub(crate) failure: Option<Box<Failure>>,
    pub(crate) route: Option<Route>,
    pub(crate) bytes_in: Option<u64>,
    /// The request is over: there is nothing left to add to.
    over: bool,
    /// The request of an upgraded connection, which is over when the last handle is gone.
    upgraded: Option<Place>,
}

impl Shared {
    /// Of a request that has `late` on its line whatever is added.
    pub(crate) fn open(context: TraceContext, late: Late) -> Arc<Self> {
        let Some(mut shared) = KEPT.try_with(Kept::take).ok().flatten() else {
            let added = Mutex::new(Added {
                late,
                ..Added::default()
            });
            return Arc::new(Self { context, added });
        };
        let only = Arc::get_mut(&mut shared).expect("what is kept has no other owner");
        only.context = context;
        only.added_mut().late = late;
        shared
    }

    /// By the owner, at the end: unless handles are left, the memory is kept.
    pub(crate) fn give_back(mut shared: Arc<Self>) {
        let Some(only) = Arc::get_mut(&mut shared) else {
            return;
        };
        only.context.let_go();
        *only.added_mut() = Added::default();
        // While the thread's locals are dropped there is no next request.
        let _ = KEPT.try_with(|kept| kept.give(shared));
    }

    pub(crate) fn context(&self) -> &TraceContext {
        &self.context
    }

    /// No user's code may run in `change`: the lock is held. After the line is out there is nothing to change.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Added)) {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        if !added.over {
            change(&mut added);
        }
    }

    /// By the owner, at the end: what was added, once.
    pub(crate) fn end(&self) -> Added {
        let mut ended = Added::default();
        self.with(|added| {
            std::mem::swap(&mut ended, added);
            added.over = true;
        });
        ended
    }

    /// By the owner of an upgraded connection's request: leaves it to the last handle.
    pub(crate) fn leave(self: Arc<Self>, place: Place) {
        self.with(|added| added.upgraded = Some(place));
    }

    fn added_mut(&mut self) -> &mut Added {
        self.added.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut added = std::mem::take(self.added_mut());
        if let Some(mut place) = added.upgraded.take() {
            let (known, notes) = place.parts();
            let _entered = known.enter();
            added.join(notes);
            notes.tell(known);
        }
    }
}

impl Added {
    /// Beside what the owner notes. What went wrong by itself counts for more than what a handler told.
    pub(crate) fn join(self, notes: &mut Notes) {
        let finished = &mut notes.finished;
        finished.failure = finished.failure.take().or(self.failure);
        finished.route = self.route.or(finished.route.take());
        finished.bytes_in = self.bytes_in;
        notes.late = self.late;
    }
}

/// At level ERROR, so that any event that a filter lets through finds its ids here.
pub(crate) fn open_span(
    context: &TraceContext,
    request_id: &RequestId,
    link: Option<&TraceContext>,
) -> Span {
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
