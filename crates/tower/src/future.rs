//! The future of an answer: polls the service inside the request's span and notes how it ends.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::record::Record;
use crate::{RecordedBody, panics};

pin_project! {
    /// The future of [`RequestService`](crate::RequestService). Dropping it early closes the request as
    /// cancelled before headers.
    #[must_use = "futures do nothing unless polled"]
    pub struct RequestFuture<F> {
        // `None` when the service panicked in its call, and once it is done.
        #[pin]
        inner: Option<F>,
        // `None` when the request is not recorded, and once its body has the record.
        record: Option<Record>,
        catch_panics: bool,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What the service logs while it is dropped is the request's too.
            let _entered = this.record.as_ref().map(Record::enter);
            this.inner.set(None);
        }
    }
}

impl<F> RequestFuture<F> {
    pub(crate) fn recorded(inner: F, record: Record, catch_panics: bool) -> Self {
        Self {
            inner: Some(inner),
            record: Some(record),
            catch_panics,
        }
    }

    pub(crate) fn unrecorded(inner: F) -> Self {
        Self {
            inner: Some(inner),
            record: None,
            catch_panics: false,
        }
    }

    /// Of a service that panicked in its call: answers 500.
    pub(crate) fn panicked(record: Record) -> Self {
        Self {
            inner: None,
            record: Some(record),
            catch_panics: true,
        }
    }
}

impl<F, R, E> Future for RequestFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display + 'static,
    R: Body,
    R::Error: fmt::Display + 'static,
{
    type Output = Result<Response<RecordedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(record) = this.record.as_ref() else {
            let inner = this
                .inner
                .as_pin_mut()
                .expect("not polled after it was ready");
            let response = ready!(inner.poll(cx))?;
            return Poll::Ready(Ok(response.map(RecordedBody::unrecorded)));
        };
        let polled = {
            let _entered = record.enter();
            panics::catch(|| {
                let polled = this.inner.as_mut().as_pin_mut()?.poll(cx);
                if polled.is_ready() {
                    this.inner.set(None);
                }
                Some(polled)
            })
        };
        let answer = match polled {
            Ok(Some(poll)) => ready!(poll).map(|response| response.map(Some)),
            Ok(None) => Ok(internal_server_error()),
            Err(panic) => {
                record.panicked(&panic);
                if !*this.catch_panics {
                    *this.record = None;
                    resume_unwind(panic.payload);
                }
                Ok(internal_server_error())
            }
        };
        let record = this
            .record
            .take()
            .expect("it was there at the start of this poll");
        Poll::Ready(match answer {
            Ok(response) => Ok(RecordedBody::wrap(response, record)),
            Err(error) => {
                record.failed(&error);
                Err(error)
            }
        })
    }
}

impl<F> fmt::Debug for RequestFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFuture").finish_non_exhaustive()
    }
}

/// The answer to a panic: no body, and nothing of what went wrong.
fn internal_server_error<R>() -> Response<Option<R>> {
    let mut response = Response::new(None);
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
