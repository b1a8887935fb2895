//! Opens everything: the log, the store, the shop, the channel, the desk; and closes it in order.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use dogwatch::Guard;
use tokio::sync::watch;
use tracing::{Instrument, error_span};

use crate::args::{Args, Life};
use crate::call::{self, Caller};
use crate::channel::Channel;
use crate::counts::Counts;
use crate::oncall::Desk;
use crate::seal::Seal;
use crate::services::{Port, Service};
use crate::shop::{Keys, Shop};
use crate::store::Store;
use crate::story::{Act, Plan, Stage};
use crate::visitors::Visitors;
use crate::weather::Weather;
use crate::{readback, wiring};

/// The running services.
pub(crate) struct House {
    pub(crate) logs: PathBuf,
    pub(crate) shop: String,
    pub(crate) stage: Stage,
    log: Guard,
    store: Arc<Store>,
    services: Vec<Service>,
    desk: Service,
    /// The store's directory; removed with the house.
    _rows: tempfile::TempDir,
}

impl House {
    pub(crate) async fn open(args: &Args) -> Result<House, Box<dyn Error>> {
        let logs = match args.life {
            Life::Second => args.logs.clone(),
            _ => fresh(&args.logs)?,
        };
        let (desk_port, channel_port) = (Port::take(0).await?, Port::take(0).await?);
        let shop_port = Port::take(args.port).await?;
        let (shop, channel_url) = (shop_port.url.clone(), channel_port.url.clone());

        let oncall = format!("{}/page", desk_port.url);
        let log = wiring::start(&logs, &oncall, args)?;
        let rows = tempfile::tempdir()?;
        let dir = rows.path().to_owned();
        let store = tokio::task::spawn_blocking(move || Store::open(&dir)).await??;

        let (counts, weather) = (Arc::new(Counts::new()), Weather::default());
        let (platform, seal) = (Seal::random(), Seal::random());
        let desk = Desk::new(logs.join(ALERTS));
        let channel = Channel::new(
            seal.clone(),
            args.seed,
            weather.clone(),
            shop.clone(),
            counts.clone(),
        );
        let keys = Keys {
            platform: platform.clone(),
            channel: seal,
        };
        let state = Shop::new(store.clone(), keys, channel_url, counts.clone());

        let channel_routes = channel
            .router()
            .layer(log.request_layer())
            .layer(from_fn(as_channel));
        let desk_running = desk_port.serve(desk.router());
        // In the order of their end: what the shop has begun still finds the channel.
        let services = vec![
            shop_port.serve(state.router(&log)),
            channel_port.serve(channel_routes),
        ];

        let plan = Plan::new(args);
        let visitors = Arc::new(Visitors {
            shop: shop.clone(),
            platform,
            counts: counts.clone(),
            caller: Caller::new(call::client(), counts.clone()),
            seed: args.seed,
            rate: args.rate,
            quota: plan.storm,
            tokens: Mutex::new(HashMap::new()),
        });
        let (act, dir) = (watch::Sender::new(Act::Calm), rows.path().to_owned());
        let stage = Stage {
            plan,
            counts,
            desk,
            weather,
            channel,
            visitors,
            store: dir,
            act,
        };
        Ok(House {
            logs,
            shop,
            stage,
            log,
            store,
            services,
            desk: desk_running,
            _rows: rows,
        })
    }

    /// How many lines the log has taken so far.
    pub(crate) fn accepted(&self) -> u64 {
        let lines = self.log.accounts();
        lines.iter().map(|(_, lines)| lines.accepted.total()).sum()
    }

    /// Returns once no rule fires, or later than any rule here needs to see that all is well: what is told too
    /// late for the desk's last act still resolves.
    pub(crate) async fn quiet(&self) -> Result<bool, tokio::task::JoinError> {
        let Some(alerts) = self.log.alerts().cloned() else {
            return Ok(true);
        };
        let quiet = move || alerts.wait(CLOSING, |rules| rules.iter().all(|rule| rule.firing == 0));
        tokio::task::spawn_blocking(quiet).await
    }

    /// Ends the services, each after its last answer, then the log, then the desk: the log's last
    /// alerts still find it.
    pub(crate) async fn close(self) -> Result<Closed, Box<dyn Error>> {
        self.stage.weather.turn(false);
        for service in self.services {
            service.stop().await?;
        }
        self.stage.channel.stop().await;
        let settled = self.store.run("settled payments", |db| {
            db.query_row(
                "SELECT count(*) FROM payments WHERE state = 'settled'",
                [],
                |r| r.get(0),
            )
        });
        let payments_settled = settled.await?;
        std::fs::write(self.logs.join(SCRAPE), self.log.metrics().render(None).1)?;
        let log = self.log;
        let closed = tokio::task::spawn_blocking(move || wiring::close(log, CLOSING)).await?;
        self.desk.stop().await?;
        let log = closed.map_err(|error| -> Box<dyn Error> { error })?;
        Ok(Closed {
            payments_settled,
            log,
        })
    }
}

/// What the house knows when it is closed.
pub(crate) struct Closed {
    pub(crate) payments_settled: u64,
    pub(crate) log: wiring::Accounts,
}

/// The directory for this run's files: `dir`, or `dir/run-2` and so on when an earlier run's files
/// are there, so that each log is one run's and can be counted.
pub(crate) fn fresh(dir: &Path) -> Result<PathBuf, String> {
    free(dir).map_err(|error| {
        let dir = dir.display();
        format!("cannot use `{dir}` for the logs (--logs): {error}")
    })
}

fn free(dir: &Path) -> io::Result<PathBuf> {
    let mut at = dir.to_owned();
    for run in 2.. {
        std::fs::create_dir_all(&at).map_err(|error| {
            let at = at.display();
            io::Error::new(
                error.kind(),
                format!("cannot make the directory `{at}`: {error}"),
            )
        })?;
        if readback::files(&at)?.is_empty() {
            break;
        }
        at = dir.join(format!("run-{run}"));
    }
    Ok(at)
}

/// Marks everything that the channel logs as its own: both services write into one log here.
async fn as_channel(request: Request, next: Next) -> Response {
    next.run(request)
        .instrument(error_span!("channel", peer = "channel"))
        .await
}

/// Every alert body that reached the desk, one a line.
pub(crate) const ALERTS: &str = "alerts.jsonl";
/// The last scrape, as `GET /metrics` would have answered.
pub(crate) const SCRAPE: &str = "metrics.txt";
/// How long the log may take to end.
const CLOSING: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_writes_beside_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = fresh(&dir.path().join("logs")).unwrap();
        assert_eq!(first, dir.path().join("logs"));
        std::fs::write(first.join(readback::LOG), "{}\n").unwrap();
        let second = fresh(&first).unwrap();
        assert_eq!(second, first.join("run-2"));
        std::fs::write(second.join(readback::LOG), "{}\n").unwrap();
        assert_eq!(fresh(&first).unwrap(), first.join("run-3"));
    }
}
