//! Keeps the shop's rows in SQLite, behind one small pool of connections.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Span, warn};

use crate::schema;

/// The pool. A query waits for a free connection, and one that waited [`PATIENCE`] is refused:
/// a shop whose connections are all held answers 503 at once, not everything late.
#[derive(Debug)]
pub(crate) struct Store {
    idle: Mutex<Vec<Connection>>,
    seats: Arc<Semaphore>,
}

impl Store {
    /// Opens `shop.db` and `recommend.db` in `dir`, and fills them if they are new.
    pub(crate) fn open(dir: &Path) -> rusqlite::Result<Arc<Store>> {
        schema::create(dir)?;
        let idle = (0..CONNECTIONS)
            .map(|_| schema::connect(dir, LOCK_PATIENCE))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let seats = Arc::new(Semaphore::new(idle.len()));
        Ok(Arc::new(Store {
            idle: Mutex::new(idle),
            seats,
        }))
    }

    /// Runs one named piece of work on a connection of the pool, off the async threads.
    ///
    /// The connection goes back when the work is done, also when the caller has gone away.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Store>,
        query: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let waiting = self.seats.clone().acquire_owned();
        let Ok(Ok(seat)) = tokio::time::timeout(PATIENCE, waiting).await else {
            return Err(StoreError::NoConnection { query });
        };
        let mut taken = Taken::new(self.clone(), seat);
        let span = Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let _inside = span.enter();
            let began = Instant::now();
            let done = work(taken.connection());
            let took = began.elapsed();
            if took > SLOW {
                let db_ms = took.as_secs_f64() * 1e3;
                warn!(event = "slow_query", query, db_ms, "a query was slow");
            }
            done
        });
        match done.await {
            Ok(done) => done.map_err(|source| StoreError::Query { query, source }),
            Err(_) => Err(StoreError::Stopped { query }),
        }
    }
}

/// Why the store did not answer.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// Every connection was held for as long as the query was willing to wait.
    NoConnection { query: &'static str },
    /// SQLite refused; `SQLITE_BUSY` means that another writer held the database.
    Query {
        query: &'static str,
        source: rusqlite::Error,
    },
    /// The work panicked, or the runtime is going down.
    Stopped { query: &'static str },
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreError::NoConnection { query } => {
                write!(
                    f,
                    "no connection free for `{query}` within {} ms",
                    PATIENCE.as_millis()
                )
            }
            StoreError::Query { query, .. } => write!(f, "the database refused `{query}`"),
            StoreError::Stopped { query } => write!(f, "`{query}` was stopped before its end"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Query { source, .. } => Some(source),
            StoreError::NoConnection { .. } | StoreError::Stopped { .. } => None,
        }
    }
}

/// A connection that is out of the pool, and goes back on drop, before its seat is free again.
struct Taken {
    connection: Option<Connection>,
    store: Arc<Store>,
    _seat: OwnedSemaphorePermit,
}

impl Taken {
    fn new(store: Arc<Store>, seat: OwnedSemaphorePermit) -> Taken {
        let connection = store
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        Taken {
            connection,
            store,
            _seat: seat,
        }
    }

    fn connection(&mut self) -> &mut Connection {
        self.connection
            .as_mut()
            .expect("as many seats as connections, and a seat is held")
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut idle = self
            .store
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.connection.take());
    }
}

/// So few that three stuck queries stop the shop: what the storm is about.
const CONNECTIONS: usize = 3;
/// How long a query waits for a connection.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long SQLite waits for another writer's lock, while it holds the connection.
const LOCK_PATIENCE: Duration = Duration::from_millis(900);
/// From here on a query is told as slow.
const SLOW: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weather::Rebuild;

    fn picks(store: &Arc<Store>) -> impl Future<Output = Result<u64, StoreError>> + use<> {
        let store = store.clone();
        async move {
            let count = |db: &mut Connection| {
                db.query_row("SELECT count(*) FROM rec.picks", [], |row| row.get(0))
            };
            store.run("picks", count).await
        }
    }

    fn orders(store: &Arc<Store>) -> impl Future<Output = Result<u64, StoreError>> + use<> {
        let store = store.clone();
        async move {
            let count = |db: &mut Connection| {
                db.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
            };
            store.run("orders", count).await
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_locked_recommend_database_stops_checkout_only_by_holding_the_pool() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let rebuild = Rebuild::begin(dir.path()).unwrap();

        // The lock alone does not touch an order, written or read...
        let write = |db: &mut Connection| schema::write(db)?.commit();
        store.run("write", write).await.unwrap();
        assert_eq!(orders(&store).await.unwrap(), 0);
        // ...until recommendations wait on it with every connection.
        let stuck: Vec<_> = (0..CONNECTIONS)
            .map(|_| tokio::spawn(picks(&store)))
            .collect();
        while store.seats.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = orders(&store).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::NoConnection { query: "orders" }),
            "{refused}"
        );

        rebuild.end().unwrap();
        for pick in stuck {
            // Each either outlived the lock or met it; none keeps its connection.
            let _ = pick.await.unwrap();
        }
        assert_eq!(orders(&store).await.unwrap(), 0);
        assert!(picks(&store).await.unwrap() > 0);
    }

    #[tokio::test]
    async fn a_panic_in_a_query_gives_its_connection_back() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for _ in 0..=CONNECTIONS {
            let died = store
                .run("die", |_| -> rusqlite::Result<()> { panic!("on purpose") })
                .await;
            assert!(matches!(died, Err(StoreError::Stopped { query: "die" })));
        }
        assert_eq!(orders(&store).await.unwrap(), 0);
    }
}
