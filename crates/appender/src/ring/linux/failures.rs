//! Fails each call of a process with a ring in turn, ends it, and counts what its next start makes.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    area::Ring,
    create,
    edges::Place,
    failing::{Failing, Failures},
    fuse,
};
use crate::{
    Appender, AppenderBuilder, Roll, WhenFull,
    fakes::ManualClock,
    queue::Queue,
    ring::{CrashRing, Ringed},
    sink::{Attempt, Sink},
};

/// A process with a ring, up to its end.
pub(super) struct Life {
    appender: Appender,
    pub(super) failures: Arc<Failures>,
    clock: Arc<ManualClock>,
    queue: Queue,
    sink: Sink,
    ring: Arc<Ring>,
}

struct Fallback(Arc<Mutex<Vec<u8>>>);

impl Write for Fallback {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What outlives a process.
pub(super) struct World {
    failures: Arc<Failures>,
    clock: Arc<ManualClock>,
    fallback: Arc<Mutex<Vec<u8>>>,
    pub(super) ring: CrashRing,
    pub(super) told: Arc<Mutex<Vec<String>>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            failures: Failures::none(),
            clock: Arc::new(ManualClock::at("2026-11-24T10:00:00Z")),
            fallback: Arc::default(),
            ring: CrashRing::new(),
            told: Arc::default(),
        }
    }
}

impl World {
    /// `None`: the start failed.
    pub(super) fn open(
        &self,
        place: &Place,
        options: impl FnOnce(AppenderBuilder) -> AppenderBuilder,
    ) -> Option<Life> {
        let disk = Failing(Arc::clone(&self.failures));
        let told = Arc::clone(&self.told);
        let builder = Appender::builder(place.at("app.log"));
        let builder = builder.on_error(move |error| told.lock().unwrap().push(error.to_string()));
        let appender = options(builder.on(Arc::new(disk), self.clock.clone()))
            .open()
            .ok()?;
        let (ring, front, back) = create(&self.ring, &place.family(), (4000, 2)).unwrap();
        let queue = Queue::new(self.clock.clone(), 4000, WhenFull::DropNew, Duration::ZERO);
        let queue = queue.into_ring(Arc::clone(&ring), front);
        let writer = Ringed::new(appender.clone(), Arc::clone(&ring));
        let sink = Sink::new(Box::new(writer)).out_of_ring(back);
        Some(Life {
            appender,
            failures: Arc::clone(&self.failures),
            clock: Arc::clone(&self.clock),
            queue,
            sink,
            ring,
        })
    }
}

impl Life {
    /// With a fallback.
    pub(super) fn start(place: &Place) -> Self {
        let world = World::default();
        world
            .open(place, |builder| {
                builder
                    .fallback(Fallback(Arc::clone(&world.fallback)))
                    .gap(|_| b"a gap\n".to_vec())
            })
            .unwrap()
    }

    pub(super) fn log(&self, line: &str) {
        self.queue.offer(None, line.as_bytes()).unwrap();
    }

    /// A line that does not fit.
    pub(super) fn miss_one(&self) {
        self.queue.offer(None, &[b'\n'; 4001]).unwrap_err();
    }

    pub(super) fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// True: all that was taken is dealt with.
    pub(super) fn write(&mut self) -> bool {
        loop {
            match self.sink.attempt(&self.queue) {
                Attempt::Complete => return true,
                Attempt::Gap(_) => self.sink.tell(b"a gap\n".to_vec()),
                Attempt::Failed(_) => return false,
                _ => panic!("a write fails, and no more"),
            }
        }
    }

    pub(super) fn write_until_done(&mut self) {
        while !self.write() {
            self.clock.advance(Duration::from_secs(1));
        }
    }

    /// Waits until all failures are told.
    pub(super) fn settle(&self) {
        assert!(self.appender.settle(Duration::from_secs(60)));
    }

    /// As a kill does. Where its ring lies.
    pub(super) fn end(self) -> PathBuf {
        self.ring.path().to_owned()
    }
}

fn lines() -> Vec<String> {
    (0..20).map(|n| format!("this is line {n:02}.\n")).collect()
}

/// Logs, and writes as far as it goes; the last lines are in the ring only.
fn live(mut life: Life, lines: &[String]) {
    for (nth, line) in lines.iter().enumerate() {
        life.log(line);
        if nth % 3 == 1 {
            for _ in 0..3 {
                if life.write() {
                    break;
                }
                life.clock.advance(Duration::from_millis(300));
            }
        }
    }
    life.end();
}

/// Every line whole and once, and in order where there is no fallback. Besides there are only
/// beginnings of lines.
fn check(place: &Place, fallback: Option<&[u8]>, case: &str) {
    let mut text = place.all();
    let in_order = fallback.is_none();
    text.push_str(std::str::from_utf8(fallback.unwrap_or_default()).unwrap());
    let mut found: Vec<_> = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with(".\n"))
        .collect();
    if !in_order {
        found.sort_unstable();
    }
    let lines = lines();
    assert_eq!(found, lines, "{case}: {text}");
    let begins = |line: &str| lines.iter().any(|whole| whole.starts_with(line));
    assert!(text.lines().all(begins), "{case}: {text}");
    assert_eq!(place.names(), [""; 0], "{case}");
}

#[test]
fn whichever_call_fails_once_or_for_good_every_accepted_line_is_in_the_log_once_after_the_next_start()
 {
    for has_fallback in [false, true] {
        let live = |place: &Place, world: &World| {
            // The file takes no line at once.
            world.failures.largest_write(15);
            let life = world.open(place, |builder| {
                let builder = builder.roll(Roll::size(50));
                match has_fallback {
                    true => builder.fallback(Fallback(Arc::clone(&world.fallback))),
                    false => builder,
                }
            });
            life.map(|life| live(life, &lines())).is_some()
        };
        let (place, world) = (Place::new(), World::default());
        assert!(live(&place, &world));
        let calls = world.failures.calls();
        assert!(calls > 100, "only {calls} calls");
        for call in 0..calls {
            for for_good in [false, true] {
                let (place, world) = (Place::new(), World::default());
                world.failures.fail_call(call, for_good);
                if !live(&place, &world) {
                    continue;
                }
                let case = format!("call {call}, {for_good}, {has_fallback}");
                let (stats, _) = place.start();
                assert_eq!((stats.doubtful, stats.torn_records), (0, 0), "{case}");
                let fallback = world.fallback.lock().unwrap();
                check(&place, has_fallback.then_some(&fallback[..]), &case);
            }
        }
    }
}

/// A place with a ring of a killed process.
fn left() -> Place {
    let place = Place::new();
    let lines = lines();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    place.leave(&CrashRing::new(), &lines);
    place
}

#[test]
fn whichever_call_fails_at_the_replay_the_next_start_writes_the_rest_and_nothing_twice() {
    let replay = |place: &Place, world: &World| {
        world.failures.largest_write(15);
        world
            .open(place, |builder| builder.roll(Roll::size(50)))
            .map(Life::end)
    };
    let world = World::default();
    replay(&left(), &world);
    let calls = world.failures.calls();
    assert!(calls > 50, "only {calls} calls");
    for call in 0..calls {
        for for_good in [false, true] {
            let (place, world) = (left(), World::default());
            world.failures.fail_call(call, for_good);
            replay(&place, &world);
            place.start();
            check(&place, None, &format!("call {call}, {for_good}"));
        }
    }
}

#[test]
fn wherever_the_ring_takes_no_notes_at_the_replay_nothing_is_written_that_would_be_written_again() {
    for stores in 0..100 {
        let (place, world) = (left(), World::default());
        world.failures.largest_write(15);
        fuse::fail_stores_after(stores);
        world.open(&place, |builder| builder.roll(Roll::size(50)));
        fuse::fail_stores_after(u64::MAX);
        place.start();
        check(&place, None, &format!("{stores} stores are good"));
    }
}
