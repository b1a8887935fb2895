//! Models the ring in loom: its real areas and marks behind a mutex that stands for the queue, with at
//! most three preemptions.
//!
//! Two threads that log and the writer are interleaved in every way within that bound, and killed at
//! each step of each of them: what was accepted is in the file or in the ring, and once. The queue's
//! own waiting and waking is not part of it.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use loom::sync::atomic::AtomicUsize as Switch;

use super::{area::Ring, create, fuse, read::Contents, tail::Log};
use crate::{
    batch::{Batch, Spare},
    name::Family,
    ring::{CrashRing, Mark as _},
};

const LINES: [&str; 2] = ["one\n", "two\n"];

/// The process and its files.
struct World {
    directory: tempfile::TempDir,
    ring: Arc<Ring>,
    /// As the queue's state is: under its mutex.
    front: loom::sync::Mutex<Batch>,
    accepted: Mutex<Vec<&'static str>>,
}

impl World {
    fn new() -> (Self, Batch) {
        let directory = fuse::directory();
        let family = Family::of(&directory.path().join("app.log")).unwrap();
        let (ring, front, back) = create(&CrashRing::new(), &family, (4000, 2)).unwrap();
        File::create(directory.path().join("app.log")).unwrap();
        let world = Self {
            directory,
            ring,
            front: loom::sync::Mutex::new(Batch::in_ring(front)),
            accepted: Mutex::default(),
        };
        (world, Batch::in_ring(back))
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("app.log")
    }

    fn offer(&self, line: &'static str) {
        let mut front = self.front.lock().unwrap();
        front.push((0, 1), line.as_bytes(), &mut Spare::default(), 4000);
        drop(front);
        if !fuse::is_dead() {
            self.accepted.lock().unwrap().push(line);
        }
    }

    /// Takes what is there and writes it, the first time not all of it.
    fn write(&self, batch: &mut Batch) {
        self.front.lock().unwrap().hand_over(batch);
        let mut file = OpenOptions::new().append(true).open(self.log()).unwrap();
        let mut short = 2;
        while !batch.is_empty() && !fuse::is_dead() {
            let bytes = &batch.first()[..short.min(batch.bytes())];
            short = usize::MAX;
            let facts = file.metadata().unwrap();
            let id = (facts.dev(), facts.ino());
            self.ring.begin(id, facts.len()).unwrap();
            fuse::burn(|| file.write_all(bytes).unwrap());
            self.ring.wrote(bytes.len());
            let bytes = bytes.len();
            batch.pass(bytes, &mut Spare::default());
        }
        let _lock = self.front.lock().unwrap();
        if !fuse::is_dead() {
            batch.clear(&mut Spare::default());
        }
    }

    /// Stops everything and says what the next start would make of it.
    fn kill(&self) {
        let accepted = self.accepted.lock().unwrap().clone();
        fuse::light(u64::MAX);
        let contents = Contents::read(&fs::read(self.ring.path()).unwrap()).unwrap();
        let log = Log::find(self.directory.path(), &contents);
        let (mark, mut rest) = (contents.mark, Vec::new());
        for held in contents.held {
            let missing = log.missing(held, mark);
            assert_eq!(missing.doubtful, 0);
            let (runs, torn) = missing.lines.sound(missing.from);
            assert_eq!(torn, 0);
            runs.into_iter()
                .for_each(|run| rest.extend_from_slice(&missing.lines.bytes[run]));
        }
        let mut text = read(&self.log());
        text.push_str(std::str::from_utf8(&rest).unwrap());
        fuse::light(0);
        let found: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        for line in LINES {
            let count = found.iter().filter(|found| *found == line).count();
            let expected = usize::from(accepted.contains(&line))..=1;
            assert!(
                expected.contains(&count),
                "{line:?}, accepted {accepted:?}: {found:?}"
            );
        }
        assert!(
            found.iter().all(|line| LINES.contains(&&**line)),
            "{found:?}"
        );
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn in_every_interleaving_a_kill_at_every_step_loses_no_line_and_doubles_none() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        fuse::light(u64::MAX);
        let (world, mut batch) = World::new();
        // Each step of the process, and the kill, comes before or after each other one.
        let step = Arc::new(Switch::new(0));
        let switch = Arc::clone(&step);
        fuse::switch_by(Some(Rc::new(move || {
            switch.fetch_add(1, loom::sync::atomic::Ordering::SeqCst);
        })));
        let world = Arc::new(world);
        let mut threads = Vec::new();
        for line in LINES {
            let world = Arc::clone(&world);
            threads.push(loom::thread::spawn(move || world.offer(line)));
        }
        let (killed, at) = (Arc::clone(&world), Arc::clone(&step));
        threads.push(loom::thread::spawn(move || {
            at.fetch_add(1, loom::sync::atomic::Ordering::SeqCst);
            fuse::switch_by(None);
            killed.kill();
            RUNS.fetch_add(1, Ordering::Relaxed);
        }));
        world.write(&mut batch);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        fuse::switch_by(None);
    });
    let runs = RUNS.load(Ordering::Relaxed);
    assert!(runs > 1000, "only {runs} interleavings");
}
