//! Waits for the signal that asks a service to stop.

/// Returns when the process is asked to stop: SIGTERM or Ctrl-C (on Windows: Ctrl-C).
///
/// Made for axum's `with_graceful_shutdown`. The handlers are installed when the future is first
/// polled, inside a Tokio runtime with I/O enabled; [`init`](crate::init) installs none. If a
/// handler cannot be installed, that one is told on stderr and never ends the wait, so a service
/// is not stopped by accident.
///
/// ```no_run
/// # async fn run(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
/// axum::serve(listener, app).with_graceful_shutdown(dogwatch::stopped()).await
/// # }
/// ```
pub async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = async {
            match signal(SignalKind::terminate()) {
                Ok(mut stream) => {
                    stream.recv().await;
                }
                Err(error) => never("SIGTERM", &error).await,
            }
        };
        tokio::select! {
            () = interrupted() => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    interrupted().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        never("Ctrl-C", &error).await;
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the logger's own failures go to stderr"
)]
async fn never(what: &str, error: &std::io::Error) {
    eprintln!("dogwatch: cannot wait for {what}: {error}");
    std::future::pending::<()>().await;
}
