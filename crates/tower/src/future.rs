//! The future of an answer: polls the service inside the request's span and notes how it ends.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::RecordedBody;
use crate::panics::{self, Panic};
use crate::record::Record;

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
    /// Of a service that is yet to be called.
    pub(crate) fn recorded(record: Record, catch_panics: bool) -> Self {
        Self {
            inner: None,
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

    /// Calls the service inside the request. After a panic there is nothing to poll, and the answer is 500.
    pub(crate) fn begin(&mut self, call: impl FnOnce() -> F) -> Result<(), Panic> {
        let (inner, record) = (&mut self.inner, self.record.as_mut());
        let Some(record) = record else {
            return Ok(());
        };
        let called = {
            let _entered = record.enter();
            panics::catch(|| *inner = Some(call()))
        };
        called.inspect_err(|panic| record.parts().1.panicked(panic))
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
        let Some(record) = this.record.as_mut() else {
            let inner = this
                .inner
                .as_pin_mut()
                .expect("not polled after it was ready");
            let response = ready!(inner.poll(cx))?;
            return Poll::Ready(Ok(response.map(RecordedBody::unrecorded)));
        };
        let mut answer = None;
        let outcome = {
            let _entered = record.enter();
            panics::catch(|| {
                let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                    return;
                };
                if let Poll::Ready(ready) = inner.poll(cx) {
                    answer = Some(ready);
                    this.inner.set(None);
                }
            })
        };
        if let Err(panic) = outcome {
            record.parts().1.panicked(&panic);
            if !*this.catch_panics {
                *this.record = None;
                resume_unwind(panic.payload);
            }
            // The service may have answered, and panicked in its drop.
            answer = None;
        } else if answer.is_none() && this.inner.is_some() {
            return Poll::Pending;
        }
        let mut record = this
            .record
            .take()
            .expect("it was there at the start of this poll");
        Poll::Ready(match answer {
            Some(Ok(response)) => Ok(RecordedBody::wrap(response, record)),
            Some(Err(error)) => {
                record.parts().1.failed(&error);
                Err(error)
            }
            None => Ok(RecordedBody::internal_server_error(record)),
        })
    }
}

impl<F> fmt::Debug for RequestFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFuture").finish_non_exhaustive()
    }
}
