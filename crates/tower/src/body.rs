//! The body of an answer: counts what is streamed and notes whether it came to its end.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::panics;
use crate::record::Record;

pin_project! {
    /// The body that [`RequestService`](crate::RequestService) answers with: the service's own, watched.
    ///
    /// The request closes when this body ends, fails or is dropped.
    pub struct RecordedBody<B> where B: Body {
        // `None` stands for an empty body.
        #[pin]
        inner: Option<B>,
        // `None` when the request is not recorded, and once it is closed.
        tally: Option<Tally>,
    }

    impl<B> PinnedDrop for RecordedBody<B> where B: Body {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(tally) = this.tally.take() else { return };
            let ended = this.inner.as_ref().as_pin_ref().is_none_or(|body| body.is_end_stream());
            {
                let _entered = tally.record.enter();
                this.inner.set(None);
            }
            tally.close(ended);
        }
    }
}

struct Tally {
    record: Record,
    bytes: u64,
    /// The exact size, when the body knew it at the start: whoever has seen as much need not ask for the end.
    expected: Option<u64>,
    /// Nothing more is due: the trailers have passed, or no body was due at all (HEAD, 204, 304, 1xx).
    complete: bool,
}

impl Tally {
    fn close(self, ended: bool) {
        let complete = ended || self.complete || self.expected == Some(self.bytes);
        self.record.body_ended(complete, self.bytes);
    }
}

impl<B: Body> RecordedBody<B> {
    pub(crate) fn unrecorded(inner: B) -> Self {
        Self {
            inner: Some(inner),
            tally: None,
        }
    }

    pub(crate) fn wrap(mut response: Response<Option<B>>, record: Record) -> Response<Self> {
        let bodiless = record.answered(&mut response);
        response.map(|inner| {
            let expected = inner.as_ref().and_then(|body| body.size_hint().exact());
            Self {
                inner,
                tally: Some(Tally {
                    record,
                    bytes: 0,
                    expected,
                    complete: bodiless,
                }),
            }
        })
    }
}

impl<B> Body for RecordedBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(body) = this.inner.as_pin_mut() else {
            close(this.tally, true);
            return Poll::Ready(None);
        };
        let Some(tally) = this.tally.as_mut() else {
            return body.poll_frame(cx);
        };
        let polled = {
            let _entered = tally.record.enter();
            panics::catch(|| body.poll_frame(cx))
        };
        let frame = match polled {
            Ok(poll) => ready!(poll),
            Err(panic) => {
                tally.record.panicked(&panic);
                close(this.tally, false);
                resume_unwind(panic.payload);
            }
        };
        match &frame {
            None => close(this.tally, true),
            Some(Ok(frame)) => {
                let data = frame.data_ref().map_or(0, Buf::remaining);
                tally.bytes = tally.bytes.saturating_add(data as u64);
                // Trailers are the last frame: HTTP/2 does not ask for the end behind them.
                if let Some(trailers) = frame.trailers_ref() {
                    tally.record.trailed(trailers);
                    tally.complete = true;
                }
            }
            Some(Err(error)) => {
                tally.record.body_failed(error);
                close(this.tally, false);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body + Default> Default for RecordedBody<B> {
    fn default() -> Self {
        Self::unrecorded(B::default())
    }
}

impl<B: Body> fmt::Debug for RecordedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedBody").finish_non_exhaustive()
    }
}

fn close(tally: &mut Option<Tally>, ended: bool) {
    if let Some(tally) = tally.take() {
        tally.close(ended);
    }
}
