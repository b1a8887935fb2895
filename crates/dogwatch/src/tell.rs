//! Tells what fails while the log runs: to the service's own function, else to stderr.

use std::error::Error as StdError;
use std::sync::Arc;

/// The one place where run-time failures are told.
#[derive(Clone)]
pub(crate) struct Tell(Arc<dyn Fn(&str) + Send + Sync>);

impl Tell {
    pub(crate) fn by(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// One sentence: who, what, and each cause.
    pub(crate) fn of(&self, who: &str, error: &dyn StdError) {
        let mut text = format!("{who}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        (self.0)(&text);
    }
}

impl Default for Tell {
    fn default() -> Self {
        #[expect(
            clippy::print_stderr,
            reason = "the logger's own failures go to stderr"
        )]
        Self::by(|text| eprintln!("dogwatch: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_cause_is_told_once() {
        let told = Arc::new(Mutex::new(String::new()));
        let keep = Arc::clone(&told);
        let tell = Tell::by(move |text| text.clone_into(&mut keep.lock().unwrap()));
        tell.of(
            "api.log",
            &crate::Error::start("cannot roll").because(io::Error::other("满了")),
        );
        assert_eq!(*told.lock().unwrap(), "api.log: cannot roll: 满了");
    }
}
