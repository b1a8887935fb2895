//! Where alerts go: the trait, and what comes with the crate.

#[cfg(feature = "webhook")]
pub(crate) mod body;
pub(crate) mod logged;
#[cfg(feature = "webhook")]
pub(crate) mod webhook;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Alert;

/// A place where alerts go.
///
/// It runs on a thread of its own, so it may take its time; alerts for it wait in a bounded queue,
/// in order. Nothing that it logs reaches the subscriber, so that it can raise no alert. A panic is
/// caught and counts as a failure for good.
///
/// Closures are notifiers:
///
/// ```
/// use dogwatch_alert::{Alert, AlertLayer, NotifyError, Rules};
/// # let rules = Rules::parse("- {name: r, pattern: x, threshold: 1, action: pager}")?;
/// let (layer, alerts) = AlertLayer::builder(rules)
///     .notifier("pager", |alert: &Alert| -> Result<(), NotifyError> {
///         println!("{}", alert.summary());
///         Ok(())
///     })
///     .spawn()?;
/// # drop((layer, alerts));
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
pub trait Notify: Send + Sync {
    /// Hands one alert over. See [`NotifyError`] for what happens otherwise.
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError>;
}

impl<F> Notify for F
where
    F: Fn(&Alert) -> Result<(), NotifyError> + Send + Sync,
{
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        self(alert)
    }
}

impl<N: Notify + ?Sized> Notify for Arc<N> {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        (**self).notify(alert)
    }
}

/// Why an alert was not handed over, and whether another try may help.
#[derive(Debug)]
pub struct NotifyError {
    permanent: bool,
    retry_after: Option<Duration>,
    source: Box<dyn StdError + Send + Sync>,
}

impl NotifyError {
    /// It may work later: it is tried again, after a second at first, then ever more seldom, every
    /// five minutes at most, for an hour.
    pub fn retry(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            permanent: false,
            retry_after: None,
            source: source.into(),
        }
    }

    /// It will never work: the alert is given up and counted.
    pub fn permanent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            permanent: true,
            retry_after: None,
            source: source.into(),
        }
    }

    /// The receiver said how long to wait.
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Whether another try is useless.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.permanent {
            true => "the alert was refused",
            false => "the alert could not be handed over for now",
        })
    }
}

impl StdError for NotifyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
