//! Changes what is logged while the service runs, for a time or until the next change.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;

use crate::Error;
use crate::home::Home;
use crate::levels::Levels;
use crate::settings::Settings;
use crate::tell::Tell;

/// Changes the filter of a running log; from [`Guard::filter`](crate::Guard::filter). Clones change
/// the same filter.
///
/// ```no_run
/// # let log = dogwatch::init()?;
/// use std::time::Duration;
///
/// // DEBUG of one module for ten minutes, then back.
/// log.filter().add_for("shop::pay=debug", Duration::from_secs(600))?;
/// # Ok::<(), dogwatch::Error>(())
/// ```
///
/// Each change is a line of the log (`event: filter_changed`) and holds from the next event on. A
/// span that is open already keeps what its fields decided (`[span{field}]` directives).
#[derive(Clone)]
pub struct Filter(Arc<Shared>);

/// What is in force, read at each callsite that is not decided once and for all.
pub(crate) struct Current {
    pub(crate) filter: EnvFilter,
}

struct Shared {
    current: RwLock<Arc<Current>>,
    /// Whether directives look at spans and their fields. Beside the lock, because it is asked each
    /// time that a span is made, entered, left or closed, and the answer is nearly always no.
    dynamic: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
    file: Option<PathBuf>,
    tell: Tell,
    home: Home,
}

struct State {
    levels: Levels,
    /// What the code, the variable or the preset said: in force while the file says nothing.
    base: String,
    file_said: Result<String, io::ErrorKind>,
    watched: bool,
    ended: bool,
}

/// How often the file is read: a mounted ConfigMap takes up to a minute to change anyway.
const FILE_INTERVAL: Duration = Duration::from_secs(2);

impl Filter {
    pub(crate) fn start(settings: &Settings, tell: Tell) -> Result<Self, Error> {
        let Settings {
            filter,
            filter_from,
            ..
        } = settings;
        parse(filter, &format!(" from {filter_from}"))?;
        Self::of(filter, settings.filter_file.clone(), tell)
    }

    /// A filter of these directives, watching `file` if there is one.
    fn of(base: &str, file: Option<PathBuf>, tell: Tell) -> Result<Self, Error> {
        let state = State {
            levels: Levels::new(base),
            base: base.to_owned(),
            file_said: Ok(String::new()),
            watched: false,
            ended: false,
        };
        let filter = Self(Arc::new(Shared {
            current: RwLock::new(Arc::new(parse(base, "")?)),
            dynamic: AtomicBool::new(is_dynamic(base)),
            state: Mutex::new(state),
            wake: Condvar::new(),
            file,
            tell,
            home: Home::default(),
        }));
        if filter.0.file.is_some() {
            let said = filter.read_file();
            let mut state = filter.0.state();
            let new = filter.take(said, &mut state)?;
            filter.watch(&mut state);
            if new {
                filter.apply(state, "DOGWATCH_FILTER_FILE")?;
            }
        }
        Ok(filter)
    }

    /// The directives in force, as `RUST_LOG` spells them.
    #[must_use]
    pub fn directives(&self) -> String {
        self.0.state().levels.directives()
    }

    /// Logs by these directives from now on. What was added for a time stays on top.
    ///
    /// # Errors
    /// If they cannot be read; then nothing is changed.
    pub fn set(&self, directives: &str) -> Result<(), Error> {
        parse(directives, "")?;
        let mut state = self.0.state();
        directives.clone_into(&mut state.base);
        state.levels.set_base(directives);
        self.apply(state, "code")
    }

    /// Adds these directives for `time`, then takes them back. The same again: the time begins anew.
    ///
    /// # Errors
    /// If they cannot be read; then nothing is changed.
    pub fn add_for(&self, directives: &str, time: Duration) -> Result<(), Error> {
        parse(directives, "")?;
        let now = Instant::now();
        // A time beyond the clock's end is for ever.
        let until = now.checked_add(time).unwrap_or(now + FOR_EVER);
        let mut state = self.0.state();
        state.levels.add(directives, until);
        self.watch(&mut state);
        self.0.wake.notify_all();
        self.apply(state, "code")
    }

    /// For a playbook: as [`add_for`](Self::add_for), but lowers no target's level, and is apart from
    /// what people added.
    #[cfg(feature = "alert")]
    pub(crate) fn raise_for(&self, directives: &str, time: Duration) {
        let now = Instant::now();
        let until = now.checked_add(time).unwrap_or(now + FOR_EVER);
        let mut state = self.0.state();
        let before = state.levels.directives();
        state.levels.raise(directives, until);
        self.watch(&mut state);
        self.0.wake.notify_all();
        self.apply_new(state, &before, "playbook");
    }

    /// Takes back what [`raise_for`](Self::raise_for) raised.
    #[cfg(feature = "alert")]
    pub(crate) fn lower(&self, directives: &str) {
        let mut state = self.0.state();
        let before = state.levels.directives();
        state.levels.lower(directives);
        self.apply_new(state, &before, "playbook");
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(
            &self
                .0
                .current
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// What is in force, if it looks at spans.
    pub(crate) fn dynamic(&self) -> Option<Arc<Current>> {
        self.0
            .dynamic
            .load(Ordering::Acquire)
            .then(|| self.current())
    }

    pub(crate) fn home(&self) -> &Home {
        &self.0.home
    }

    pub(crate) fn end(&self) {
        self.0.state().ended = true;
        self.0.wake.notify_all();
    }

    /// Puts the state in force and says so, with no lock held: what says so is an event itself.
    fn apply(&self, state: MutexGuard<'_, State>, by: &str) -> Result<(), Error> {
        let directives = state.levels.directives();
        let new = Arc::new(parse(&directives, "")?);
        *self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = new;
        self.0
            .dynamic
            .store(is_dynamic(&directives), Ordering::Release);
        drop(state);
        self.0.home.follow(|| {
            tracing::info!(
                target: "dogwatch",
                event = "filter_changed",
                filter = directives,
                filter_from = by,
                "filter changed"
            );
        });
        Ok(())
    }

    /// Starts the thread that takes back what is over and reads the file, once.
    fn watch(&self, state: &mut State) {
        if std::mem::replace(&mut state.watched, true) {
            return;
        }
        let filter = self.clone();
        let started = thread::Builder::new()
            .name("dogwatch filter".to_owned())
            .spawn(move || {
                loop {
                    filter.step(Instant::now());
                    // Asked again under the lock of the wait: what was added meanwhile counts.
                    let state = filter.0.state();
                    let due = state.levels.due(Instant::now());
                    let poll = filter.0.file.is_some().then_some(FILE_INTERVAL);
                    if state.ended {
                        return;
                    }
                    let time = due.into_iter().chain(poll).min().unwrap_or(FOR_EVER);
                    let waited = filter.0.wake.wait_timeout(state, time);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                }
            });
        if let Err(error) = started {
            state.watched = false;
            self.0.tell.of("filter", &error);
        }
    }

    /// Takes back what is over at `now`, and reads the file.
    fn step(&self, now: Instant) {
        // Before the lock: a file system that hangs keeps nobody waiting who changes the filter.
        let said = self.read_file();
        let mut state = self.0.state();
        let before = state.levels.directives();
        state.levels.expire(now);
        let mut by = "time over";
        match self.take(said, &mut state) {
            Ok(true) => by = "DOGWATCH_FILTER_FILE",
            Ok(false) => {}
            Err(error) => self.0.tell.of("filter", &error),
        }
        self.apply_new(state, &before, by);
    }

    /// Puts the state in force if it is not what was.
    fn apply_new(&self, state: MutexGuard<'_, State>, before: &str, by: &str) {
        if state.levels.directives() != before {
            // Each part was read before it was taken, so the whole can be.
            let _ = self.apply(state, by);
        }
    }

    /// What the file says; nothing if it is not there.
    fn read_file(&self) -> Option<io::Result<String>> {
        let path = self.0.file.as_ref()?;
        Some(match fs::read_to_string(path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        })
    }

    /// Takes what the file says, if it says something new. No file, or an empty one: the base.
    fn take(&self, said: Option<io::Result<String>>, state: &mut State) -> Result<bool, Error> {
        let (Some(path), Some(said)) = (&self.0.file, said) else {
            return Ok(false);
        };
        let failed = |what: &str| Error::setting(format!("{what} `{}`", path.display()));
        // Remembered even if it is wrong: told once, not at each look.
        let new = said.as_ref().map(String::clone).map_err(io::Error::kind);
        if new == state.file_said {
            return Ok(false);
        }
        state.file_said = new;
        let said = said.map_err(|e| failed("cannot read the filter file").because(e))?;
        let base = if said.is_empty() {
            state.base.clone()
        } else {
            said
        };
        parse(&base, "").map_err(|error| failed("cannot use the filter file").because(error))?;
        state.levels.set_base(&base);
        Ok(true)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Filter").field(&self.directives()).finish()
    }
}

fn parse(directives: &str, from: &str) -> Result<Current, Error> {
    let filter = EnvFilter::builder().parse(directives).map_err(|error| {
        Error::setting(format!("cannot use the filter `{directives}`{from}")).because(error)
    })?;
    Ok(Current { filter })
}

/// `[span{field=value}]` is the one form that looks at spans.
fn is_dynamic(directives: &str) -> bool {
    directives.contains('[')
}

/// Ten years.
const FOR_EVER: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn filter(file: Option<PathBuf>) -> (Filter, mpsc::Receiver<String>) {
        let (told, hear) = mpsc::channel();
        let tell = Tell::by(move |text| drop(told.send(text.to_owned())));
        let filter = Filter::of("info", file, tell).unwrap();
        // No thread beside the test: it takes the steps itself.
        filter.end();
        (filter, hear)
    }

    #[test]
    fn what_was_added_is_taken_back_when_its_time_is_over() {
        let (filter, _) = filter(None);
        filter
            .add_for("shop=debug", Duration::from_secs(600))
            .unwrap();
        filter.step(Instant::now() + Duration::from_secs(599));
        assert_eq!(filter.directives(), "info,shop=debug");
        filter.step(Instant::now() + Duration::from_secs(601));
        assert_eq!(filter.directives(), "info");
    }

    #[test]
    fn what_the_file_says_at_the_start_is_in_force_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("filter");
        fs::write(&path, "error").unwrap();
        let (filter, _) = filter(Some(path));
        assert_eq!(filter.current().filter.to_string(), "error");
        assert_eq!(filter.directives(), "error");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_read_to_its_end_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("filter");
        let (filter, _) = filter(Some(path.clone()));
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let reader = filter.clone();
        let step = thread::spawn(move || reader.step(Instant::now()));
        // Open when the other side is: it reads until this one is closed.
        let mut pipe = fs::File::options().write(true).open(&path).unwrap();
        let (changed, hear) = mpsc::channel();
        let other = filter.clone();
        thread::spawn(move || {
            other.set("warn").unwrap();
            changed.send(other.directives()).unwrap();
        });
        let heard = hear.recv_timeout(Duration::from_secs(60));
        assert_eq!(heard.unwrap(), "warn");
        io::Write::write_all(&mut pipe, b"error").unwrap();
        drop(pipe);
        step.join().unwrap();
        assert_eq!(filter.directives(), "error");
    }

    #[test]
    fn wrong_directives_change_nothing() {
        let (filter, _) = filter(None);
        let error = filter.add_for("shop=loud", Duration::MAX).unwrap_err();
        assert_eq!(error.to_string(), "cannot use the filter `shop=loud`");
        assert!(filter.set("=").is_err());
        assert_eq!(filter.directives(), "info");
    }

    #[test]
    fn a_file_takes_the_place_of_the_base_while_it_says_something_that_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("filter");
        let (filter, hear) = filter(Some(path.clone()));
        let look = |text: Option<&str>| {
            match text {
                Some(text) => fs::write(&path, text).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            filter.step(Instant::now());
            filter.step(Instant::now());
            filter.directives()
        };
        assert_eq!(look(Some("warn,shop=trace\n")), "warn,shop=trace");
        assert_eq!(look(Some("shop=loud")), "warn,shop=trace");
        assert_eq!(hear.try_iter().count(), 1, "told once, not at each look");
        assert_eq!(look(Some(" \n")), "info");
        assert_eq!(look(Some("error")), "error");
        assert_eq!(look(None), "info");
    }
}
