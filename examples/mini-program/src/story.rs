//! Tells the story in three acts: calm, storm, recovery. Each ends on events, and has a time bound.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::args::Args;
use crate::channel::Channel;
use crate::counts::Counts;
use crate::oncall::Desk;
use crate::visitors::Visitors;
use crate::weather::{Rebuild, Weather};

/// Where the story stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Calm,
    Storm,
    Recovery,
    /// Nobody comes any more; what is under way ends.
    Closing,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Act::Calm => "calm",
            Act::Storm => "storm",
            Act::Recovery => "recovery",
            Act::Closing => "closing",
        })
    }
}

/// How many visits each act takes at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) calm: u64,
    /// Also the number of storm visits that two runs compare.
    pub(crate) storm: u64,
    pub(crate) recovery: u64,
    /// How long an act may take over its share.
    patience: Duration,
}

impl Plan {
    /// A quarter of the visits is calm, a half storm, a quarter recovery.
    pub(crate) fn new(args: &Args) -> Plan {
        let visits = u64::from(args.rate) * args.seconds;
        let patience = Duration::from_secs(args.seconds * 2 + 90);
        Plan {
            calm: visits / 4,
            storm: visits / 2,
            recovery: visits / 4,
            patience,
        }
    }
}

/// Everything that the story moves.
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    pub(crate) counts: Arc<Counts>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) weather: Weather,
    pub(crate) channel: Arc<Channel>,
    pub(crate) visitors: Arc<Visitors>,
    /// Where the store's files are.
    pub(crate) store: PathBuf,
    pub(crate) act: watch::Sender<Act>,
}

impl Stage {
    /// Plays all acts; an error says what was waited for too long.
    pub(crate) async fn play(&self) -> Result<(), String> {
        let visitors = tokio::spawn(self.visitors.clone().come(self.act.subscribe()));
        let Plan {
            calm,
            storm,
            recovery,
            ..
        } = self.plan;
        self.bound(
            "visits in the calm",
            self.counts.reach(|t| t.visits_done >= calm),
        )
        .await?;

        self.visitors.guess_passwords().await;
        let rebuild = self.rebuild().await?;
        self.weather.turn(true);
        self.act.send_replace(Act::Storm);
        self.bound("the alert", self.desk.paged(ALERT)).await?;
        self.bound(
            "visits in the storm",
            self.counts.reach(|t| t.storm_tried >= storm),
        )
        .await?;

        self.weather.turn(false);
        rebuild
            .end()
            .map_err(|error| format!("the rebuild could not commit: {error}"))?;
        self.act.send_replace(Act::Recovery);
        let enough = self.counts.now().visits_done + recovery;
        self.bound(
            "visits in the recovery",
            self.counts.reach(|t| t.visits_done >= enough),
        )
        .await?;
        self.bound("the alerts' end", self.desk.quiet()).await?;

        self.act.send_replace(Act::Closing);
        let gone = async {
            visitors
                .await
                .map_err(|error| format!("a visitor died: {error}"))
        };
        self.bound("the last visitor", gone).await??;
        self.bound("the channel's last notice", self.channel.settled())
            .await?;
        Ok(())
    }

    async fn rebuild(&self) -> Result<Rebuild, String> {
        let dir = self.store.clone();
        tokio::task::spawn_blocking(move || Rebuild::begin(&dir))
            .await
            .map_err(|error| format!("the rebuild died: {error}"))?
            .map_err(|error| format!("the rebuild could not lock: {error}"))
    }

    async fn bound<T>(&self, what: &str, event: impl Future<Output = T>) -> Result<T, String> {
        let patience = self.plan.patience;
        tokio::time::timeout(patience, event).await.map_err(|_| {
            let act = *self.act.borrow();
            format!(
                "waited {} s for {what} in the act `{act}`",
                patience.as_secs()
            )
        })
    }
}

/// The rule that the storm must set off.
pub(crate) const ALERT: &str = "HighErrorRate";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_acts_share_the_visits_one_two_one() {
        let plan = Plan::new(&Args {
            rate: 6,
            seconds: 60,
            ..Args::default()
        });
        assert_eq!((plan.calm, plan.storm, plan.recovery), (90, 180, 90));
    }
}
