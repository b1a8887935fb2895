//! A sink that stands still costs callers one wait, not one a line, and the log tells what it lacks.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dogwatch::{Accounts, WhenFull};
use dogwatch_appender::{Guard, NonBlocking};
use dogwatch_json::JsonLayer;
use dogwatch_line::{Line, Value};
use tracing_core::dispatcher::{self, Dispatch};
use tracing_subscriber::layer::SubscriberExt;

use crate::LONG;

/// Takes nothing until its gate is dropped.
struct Blocked {
    entered: Sender<()>,
    gate: Receiver<()>,
    out: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Blocked {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let _ = self.entered.send(());
        let _ = self.gate.recv();
        self.out.lock().unwrap().extend_from_slice(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log before a sink that stands still, joined as the facade joins it.
struct Stuck {
    dispatch: Dispatch,
    guard: Guard,
    gate: Sender<()>,
    out: Arc<Mutex<Vec<u8>>>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Stuck {
    /// With one line in the sink's hands already.
    fn start(when_full: WhenFull) -> Self {
        let (entered, in_write) = channel();
        let (gate, closed) = channel();
        let out = Arc::default();
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let tell = Arc::clone(&told);
        let blank = JsonLayer::new(io::sink).service("shop").blank();
        let (writer, guard) = NonBlocking::builder(Blocked {
            entered,
            gate: closed,
            out: Arc::clone(&out),
        })
        .max_bytes(4 << 10)
        .when_full(when_full)
        .gap(move |gap| {
            let json = format!(r#"{{"lines":{}}}"#, gap.lines().total());
            blank
                .line(tracing::Level::WARN, "dogwatch", "lines are missing here")
                .raw("gap", &json)
                .finish()
        })
        .on_error(move |error| tell.lock().unwrap().push(error.to_string()))
        .spawn()
        .unwrap();
        let layer = JsonLayer::new(writer).service("shop");
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        dispatcher::with_default(&dispatch, || tracing::error!(n = 0_u64, "in the sink"));
        in_write.recv_timeout(LONG).expect("the sink is asked");
        Self {
            dispatch,
            guard,
            gate,
            out,
            told,
        }
    }

    /// Logs from four threads until each has said its share. None may take as long as `LONG`.
    fn storm(&self) -> Accounts {
        let (done, all) = channel();
        for thread in 0..THREADS {
            let (dispatch, done) = (self.dispatch.clone(), done.clone());
            std::thread::spawn(move || {
                dispatcher::with_default(&dispatch, || {
                    for n in 0..EACH {
                        tracing::info!(n = 1 + thread * EACH + n, "storm");
                    }
                });
                let _ = done.send(());
            });
        }
        for _ in 0..THREADS {
            all.recv_timeout(LONG)
                .expect("a caller waits once, not for each line");
        }
        self.guard.accounts()
    }

    /// Lets the sink go on. Gives back the accounts, the lines, and what was told.
    fn release(self) -> (Accounts, Vec<String>, Vec<String>) {
        drop(self.gate);
        let accounts = self.guard.close(LONG).expect("all is written");
        let text = String::from_utf8(self.out.lock().unwrap().clone()).unwrap();
        assert!(text.ends_with('\n'));
        let told = self.told.lock().unwrap().clone();
        (accounts, text.lines().map(str::to_owned).collect(), told)
    }
}

#[test]
fn a_storm_before_a_dead_sink_waits_once_and_each_missing_line_is_accounted_for() {
    // Were each refused line to wait, 4,000 of a thread would take minutes.
    let log = Stuck::start(WhenFull::Wait(Duration::from_millis(100)));
    let stuck = log.storm();
    assert_eq!(stuck.offered().total(), 1 + THREADS * EACH);
    assert_eq!(stuck.written.total(), 0);
    assert_eq!(stuck.pending(), stuck.accepted);
    let missing = stuck.refused.full.total();
    assert_eq!(missing, stuck.dropped().total());
    assert!(missing > THREADS * EACH / 2, "{stuck:?}");

    let (accounts, lines, told) = log.release();
    assert_eq!(accounts.offered(), stuck.offered());
    assert_eq!(accounts.written, stuck.accepted);
    assert_eq!(
        (accounts.lost.total().total(), accounts.pending().total()),
        (0, 0)
    );
    assert_eq!(accounts.gap_lines, 1);

    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|line| Line::parse(line).unwrap())
        .collect();
    let (gaps, logged): (Vec<&Line<'_>>, Vec<&Line<'_>>) =
        lines.iter().partition(|line| line.field("gap").is_some());
    assert_eq!(logged.len() as u64, accounts.written.total());
    let [gap] = gaps[..] else { panic!("{gaps:?}") };
    assert!(
        gap.field("gap.lines")
            .unwrap()
            .equals(&Value::from(missing))
    );
    assert_eq!(gap.field("service"), Some(Value::from("shop")));
    assert_eq!(lines.last(), Some(gap), "it stands where they are missing");
    assert!(told.iter().any(|told| told.contains("dropped")), "{told:?}");
}

#[test]
fn a_sink_that_recovers_is_waited_for_again() {
    let log = Stuck::start(WhenFull::Wait(Duration::from_millis(100)));
    let stuck = log.storm();
    let Stuck {
        dispatch,
        guard,
        gate,
        ..
    } = log;
    drop(gate);
    guard.flush(LONG).unwrap();
    dispatcher::with_default(&dispatch, || tracing::info!("after"));
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(
        accounts.refused, stuck.refused,
        "no line after it was refused"
    );
    assert_eq!(accounts.written.total(), stuck.accepted.total() + 1);
}

const THREADS: u64 = 4;
const EACH: u64 = 4_000;
