//! Draws how far a long scan is, on a terminal's standard error, while nothing else is drawn there.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dogwatch_reader::Watch;

/// A bar that is there from half a second after the scan's beginning until it is dropped.
#[must_use = "the bar goes when this is dropped"]
pub(crate) struct Progress {
    drawer: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins to draw, if so many bytes are worth it and standard error is a terminal.
    pub(crate) fn start(watch: &Watch, total: u64) -> Self {
        if total < LEAST || !io::stderr().is_terminal() {
            return Self { drawer: None };
        }
        let (ended, end) = mpsc::channel::<()>();
        let watch = watch.clone();
        let draw = move || {
            let mut pause = FIRST;
            while end.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = NEXT;
                // A bar that cannot be drawn is missed by nobody.
                let _ = write!(io::stderr(), "\r{}\u{1b}[K", bar(watch.bytes(), total));
            }
            if pause == NEXT {
                let _ = write!(io::stderr(), "\r\u{1b}[K");
            }
        };
        let drawer = thread::Builder::new()
            .name("progress".to_owned())
            .spawn(draw);
        Self {
            drawer: drawer.ok().map(|drawer| (ended, drawer)),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((ended, drawer)) = self.drawer.take() {
            drop(ended);
            // What it drew is gone before anything else is written.
            let _ = drawer.join();
        }
    }
}

/// `[█████···············]  25%  1.2 of 4.8 GB`
fn bar(bytes: u64, total: u64) -> String {
    let bytes = bytes.min(total);
    let share = |of: u64| (u128::from(bytes) * u128::from(of) / u128::from(total.max(1))) as usize;
    let done = share(WIDTH as u64);
    format!(
        "[{}{}] {:3}%  {:.1} of {:.1} GB",
        "█".repeat(done),
        "·".repeat(WIDTH - done),
        share(100),
        bytes as f64 / 1e9,
        total as f64 / 1e9
    )
}

const WIDTH: usize = 20;

/// What is read sooner than anybody looks.
const LEAST: u64 = 64 << 20;

const FIRST: Duration = Duration::from_millis(500);

const NEXT: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_is_filled_by_its_share_and_never_over() {
        assert_eq!(bar(0, 0), "[····················]   0%  0.0 of 0.0 GB");
        assert_eq!(
            bar(1_200_000_000, 4_800_000_000),
            "[█████···············]  25%  1.2 of 4.8 GB"
        );
        assert_eq!(bar(9, 4), "[████████████████████] 100%  0.0 of 0.0 GB");
    }
}
