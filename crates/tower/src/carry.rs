//! Carries the request's span and context into tasks and threads that it starts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::{JoinHandle, spawn, spawn_blocking};
use tracing::Span;
use tracing::instrument::{Instrument, Instrumented};

use crate::current::{self, Current, Polled};

/// Spawns a task whose lines and calls belong to the request that spawns it, even when it outlives it.
///
/// As `tokio::spawn(future.in_current_span())`, and the trace goes on too when a filter disables the spans.
///
/// # Panics
///
/// Outside a tokio runtime, as `tokio::spawn` does.
pub fn spawn_instrumented<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn(Carried {
        inner: future.in_current_span(),
        current: current::innermost().map(Arc::new),
    })
}

/// Runs blocking code on a thread for it, with its lines and calls belonging to the request that asks for it.
///
/// # Panics
///
/// Outside a tokio runtime, as `tokio::task::spawn_blocking` does.
pub fn spawn_blocking_instrumented<F, R>(call: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (span, current) = (Span::current(), current::innermost().map(Arc::new));
    spawn_blocking(move || {
        let _polled = current.map(Polled::enter);
        span.in_scope(call)
    })
}

pin_project! {
    struct Carried<F> {
        #[pin]
        inner: Instrumented<F>,
        current: Option<Arc<Current>>,
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _polled = this.current.clone().map(Polled::enter);
        this.inner.poll(cx)
    }
}
