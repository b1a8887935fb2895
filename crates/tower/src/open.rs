//! What may still change of a request's record, in memory that goes back to the thread for its next request.

use crate::Finished;
use crate::kept::Kept;
use crate::late::Late;

/// What may still change.
pub(crate) struct Open {
    pub(crate) finished: Finished,
    pub(crate) late: Late,
}

/// An [`Open`] in a place of its own: handing it on moves a pointer, not the whole of it.
pub(crate) struct Place {
    /// Empty only while it is dropped.
    open: Option<Box<Open>>,
}

impl Place {
    /// Whose values may be those of an earlier request: [`Finished::arrive`] makes them anew.
    pub(crate) fn take() -> Self {
        let kept = KEPT.try_with(Kept::take);
        let blank = || {
            Box::new(Open {
                finished: Finished::blank(),
                late: Late::default(),
            })
        };
        Self {
            open: Some(kept.ok().flatten().unwrap_or_else(blank)),
        }
    }

    pub(crate) fn get(&mut self) -> &mut Open {
        self.open.as_mut().expect("only a drop empties it")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.finished.let_go();
        open.late = Late::default();
        // While the thread's locals are dropped there is no next request.
        let _ = KEPT.try_with(|kept| kept.give(open));
    }
}

thread_local! {
    // Of about 400 bytes each.
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
        let given = http::HeaderMap::from_iter([(
            http::HeaderName::from_static("x-request-id"),
            "req-7".parse().unwrap(),
        )]);
        let mut place = Place::take();
        let Open { finished, late } = place.get();
        finished.arrive(&request("/first"), &context, &RequestId::of(&given), 499);
        finished.route = Some(Route::new("/first"));
        finished.failure = Some(Box::new(Failure::of(&"no")));
        finished.outcome = Outcome::BodyError;
        (finished.bytes_in, finished.bytes_out) = (Some(3), 4);
        (finished.grpc_status, finished.event_stream) = (Some(5), true);
        late.set("user_id", "u-17".into(), &[]);
        let first: *const Open = place.get();
        drop(place);

        let mut again = Place::take();
        let Open { finished, late } = again.get();
        finished.arrive(&request("/x"), &context, &RequestId::of(&given), 499);
        let mut blank = Finished::blank();
        blank.arrive(&request("/x"), &context, &RequestId::of(&given), 499);
        assert_eq!(format!("{finished:?}"), format!("{blank:?}"));
        assert_eq!(late.keys().len(), 0);
        let second: *const Open = again.get();
        assert_eq!(first, second, "the same memory");
    }
}
