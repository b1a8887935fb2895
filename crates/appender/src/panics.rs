//! Writes what was accepted when a thread panics, before an abort can take it.

use std::{panic, time::Duration};

use crate::Drain;

impl Drain {
    /// From now on drains when a thread of the process panics, for at most `timeout`, after the
    /// panic hook that is set now. Opt-in, because a panic that is caught would not need it.
    ///
    /// The hook runs before the process is aborted, under `panic = "abort"` or by a panic while
    /// panicking, so that the lines before it are in the file.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use dogwatch_appender::NonBlocking;
    /// let (log, guard) = NonBlocking::builder(std::io::sink()).spawn()?;
    /// guard.drain().at_panic(Duration::from_secs(2));
    /// # Ok::<(), dogwatch_appender::Error>(())
    /// ```
    pub fn at_panic(self, timeout: Duration) {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            before(panic);
            // What is not written in time stays pending: most panics end no process.
            let _ = self.drain(timeout);
        }));
    }
}
