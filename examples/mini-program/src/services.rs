//! Runs HTTP services on loopback ports, and stops each after its last answer.

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A port that is ours already, and its address.
pub(crate) struct Port {
    listener: TcpListener,
    pub(crate) url: String,
}

impl Port {
    /// Takes this port; 0 takes a free one.
    pub(crate) async fn take(port: u16) -> io::Result<Port> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot listen on port {port}: {error}"),
                )
            })?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Port { listener, url })
    }

    /// Answers with this router until stopped.
    pub(crate) fn serve(self, router: Router) -> Service {
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(async {
            // An error means that the handle is gone: then nobody else can stop it.
            let _ = stopped.await;
        });
        Service {
            stop,
            task: tokio::spawn(async move { serving.await }),
        }
    }
}

/// A running service.
#[must_use = "a service whose handle is dropped stops"]
pub(crate) struct Service {
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Service {
    /// Takes no new connection, and returns when every answer under way is out.
    pub(crate) async fn stop(self) -> io::Result<()> {
        // An error means that the service ended by itself; what the task says is the reason.
        let _ = self.stop.send(());
        self.task.await.map_err(io::Error::other)?
    }
}
