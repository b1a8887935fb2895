//! Starts the threads of running alerts, and counts them out.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracing_core::dispatcher::{self, Dispatch};

use crate::alerts::mark_thread;
use crate::error::Error;
use crate::keeper::Keeper;
use crate::outbox::Outbox;
use crate::shared::Shared;
use crate::snapshot::Keeping;
use crate::ticker::Ticker;

/// One thread for each notifier and playbook, and the ticker.
pub(crate) fn start(shared: &Arc<Shared>, keeping: Option<Keeping>) -> Result<(), Error> {
    let writer = keeping.as_ref().map(|keeping| keeping.writer.clone());
    all(shared, keeping).inspect_err(|_| {
        shared.end(Duration::ZERO);
        // The ticker starts last: if it is missing, nobody else ends the others.
        shared.workers.end(0);
        if let Some(writer) = writer {
            writer.end();
        }
    })
}

fn all(shared: &Arc<Shared>, keeping: Option<Keeping>) -> Result<(), Error> {
    if let Some(keeping) = &keeping {
        let (writer, all) = (keeping.writer.clone(), shared.clone());
        thread(shared, "alert state".into(), move || {
            writer.run(|error| all.tell.tell(error))
        })?;
    }
    let roster = shared.current.roster();
    workers(shared, &roster.outboxes(), &roster.keepers())?;
    let ticker = Ticker::new(shared.clone(), keeping);
    thread(shared, "alert".into(), move || ticker.run())
}

/// One thread for each of these. If one cannot start, none of them goes on.
pub(crate) fn workers(
    shared: &Arc<Shared>,
    outboxes: &[Arc<Outbox>],
    keepers: &[Arc<Keeper>],
) -> Result<(), Error> {
    let mut started = Ok(());
    for outbox in outboxes {
        started = started.and_then(|()| send(shared, outbox.clone()));
    }
    for keeper in keepers {
        started = started.and_then(|()| keep(shared, keeper.clone()));
    }
    started.inspect_err(|_| {
        outboxes.iter().for_each(|outbox| outbox.end(0));
        keepers.iter().for_each(|keeper| keeper.end());
    })
}

fn send(shared: &Arc<Shared>, outbox: Arc<Outbox>) -> Result<(), Error> {
    let all = shared.clone();
    // A NUL in a thread's name is a panic in std.
    let name = format!("alert {}", outbox.name().replace('\0', ""));
    thread(shared, name, move || {
        let tell = |error| all.tell.tell(error);
        // What arrived is no longer on its way: where that is saved, the ticker saves it.
        outbox.run(tell, || all.wake.ring());
        if outbox.is_retired() {
            outbox.give_up(tell);
            all.workers.forget_outbox(&outbox);
            all.progress.step();
        }
    })
}

fn keep(shared: &Arc<Shared>, keeper: Arc<Keeper>) -> Result<(), Error> {
    let all = shared.clone();
    thread(shared, "alert playbook".into(), move || {
        let acted = |acted| {
            all.logged.playbook(&keeper, &acted);
            all.progress.step();
        };
        keeper.run(acted, || all.panicked(1));
        all.workers.forget_keeper(&keeper);
    })
}

/// Counts a thread out when it is dropped.
struct Ends(Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.progress.thread_ends();
    }
}

fn thread(
    shared: &Arc<Shared>,
    name: String,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), Error> {
    shared.progress.thread_starts();
    let all = shared.clone();
    let started = thread::Builder::new().name(name).spawn(move || {
        // Nothing that runs here logs into the log that it watches.
        let _silent = dispatcher::set_default(&Dispatch::none());
        mark_thread();
        // Also if the work panics, which nothing of ours does: `close` counts on it.
        let _ends = Ends(all);
        work();
    });
    if let Err(error) = started {
        shared.progress.thread_ends();
        return Err(Error::setup("cannot start a thread for the alerts").caused_by(error));
    }
    Ok(())
}
