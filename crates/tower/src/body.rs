//! The body of an answer: counts what is streamed and notes whether it came to its end.

use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::notes::BodyEnd;
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
            let Some(Tally { mut record, count }) = this.tally.take() else { return };
            let ended = this.inner.as_ref().as_pin_ref().is_none_or(|body| body.is_end_stream());
            let (known, notes) = record.parts();
            let _entered = known.enter();
            this.inner.set(None);
            notes.close(known, count.end(ended));
        }
    }
}

struct Tally {
    record: Record,
    count: Count,
}

struct Count {
    bytes: u64,
    /// The exact size, when the body knew it at the start: whoever has seen as much need not ask for the end.
    expected: Option<u64>,
    /// Nothing more is due: the trailers have passed, or no body was due at all (HEAD, 204, 304, 1xx).
    complete: bool,
}

impl Count {
    fn add<D: Buf>(&mut self, frame: &Frame<D>) {
        let data = frame.data_ref().map_or(0, Buf::remaining);
        self.bytes = self.bytes.saturating_add(data as u64);
        // Trailers are the last frame: HTTP/2 does not ask for the end behind them.
        self.complete |= frame.is_trailers();
    }

    fn end(&self, ended: bool) -> BodyEnd {
        BodyEnd {
            complete: ended || self.complete || self.expected == Some(self.bytes),
            bytes: self.bytes,
        }
    }
}

impl<B: Body> RecordedBody<B> {
    pub(crate) fn unrecorded(inner: B) -> Self {
        Self {
            inner: Some(inner),
            tally: None,
        }
    }

    pub(crate) fn wrap(mut response: Response<B>, mut record: Record) -> Response<Self> {
        let (known, notes) = record.parts();
        let bodiless = notes.answered(known, &mut response);
        response.map(|body| {
            let expected = body.size_hint().exact();
            Self::recorded(Some(body), record, expected, bodiless)
        })
    }

    /// The answer to a panic: no body, and nothing of what went wrong.
    pub(crate) fn internal_server_error(mut record: Record) -> Response<Self> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        let (known, notes) = record.parts();
        notes.answered(known, &mut response);
        response.map(|()| Self::recorded(None, record, None, true))
    }

    fn recorded(inner: Option<B>, record: Record, expected: Option<u64>, complete: bool) -> Self {
        let count = Count {
            bytes: 0,
            expected,
            complete,
        };
        Self {
            inner,
            tally: Some(Tally { record, count }),
        }
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
        let Some(mut body) = this.inner.as_pin_mut() else {
            *this.tally = None;
            return Poll::Ready(None);
        };
        let Some(Tally { record, count }) = this.tally.as_mut() else {
            return body.poll_frame(cx);
        };
        let (known, notes) = record.parts();
        let entered = known.enter();
        let (mut polled, mut last) = (Poll::Pending, false);
        let outcome = panics::catch(|| {
            polled = body.as_mut().poll_frame(cx);
            last = matches!(polled, Poll::Ready(Some(Ok(_)))) && body.is_end_stream();
        });
        if let Err(panic) = outcome {
            notes.panicked(&panic);
            notes.close(known, count.end(false));
            drop(entered);
            *this.tally = None;
            resume_unwind(panic.payload);
        }
        let frame = ready!(polled);
        // Whether it came to its end, if it is over.
        let over = match &frame {
            None => Some(true),
            Some(Ok(frame)) => {
                count.add(frame);
                if let Some(trailers) = frame.trailers_ref() {
                    notes.trailed(trailers);
                }
                last.then_some(true)
            }
            Some(Err(error)) => {
                notes.body_failed(error);
                Some(false)
            }
        };
        if let Some(ended) = over {
            notes.close(known, count.end(ended));
            drop(entered);
            *this.tally = None;
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
