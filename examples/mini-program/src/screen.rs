//! Keeps one short status line on a terminal; elsewhere says one line an act.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::counts::Counts;
use crate::oncall::{self, Desk};
use crate::story::Act;

/// Shows how the story goes, until it is dropped.
pub(crate) async fn show(act: watch::Receiver<Act>, counts: Arc<Counts>, desk: Arc<Desk>) {
    let mut screen = std::io::stdout();
    let terminal = screen.is_terminal();
    let mut shown = None;
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tick.tick().await;
        let now = *act.borrow();
        let burning = oncall::burning(&desk.pages());
        let line = status(now, &counts, &burning);
        // A screen that is gone is no reason to stop the shop.
        let _ = if terminal {
            write!(screen, "\r\x1b[2K{line}").and_then(|()| screen.flush())
        } else if shown != Some(now) {
            writeln!(screen, "{line}")
        } else {
            Ok(())
        };
        shown = Some(now);
    }
}

fn status(act: Act, counts: &Counts, burning: &[String]) -> String {
    let tally = counts.now();
    let alerts = if burning.is_empty() {
        "none".to_owned()
    } else {
        burning.join(" ")
    };
    format!(
        "{act}: {} visits, {} answers, {} degraded, alerts: {alerts}",
        tally.visits_done, tally.requests, tally.degraded
    )
}
