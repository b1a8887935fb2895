//! Where alerts go: the trait, and what comes with the crate.

#[cfg(feature = "webhook")]
pub(crate) mod alertmanager;
pub(crate) mod body;
#[cfg(feature = "email")]
pub(crate) mod email;
#[cfg(feature = "webhook")]
mod http;
pub(crate) mod logged;
#[cfg(feature = "webhook")]
pub(crate) mod messenger;
#[cfg(feature = "webhook")]
mod sign;
#[cfg(feature = "webhook")]
pub(crate) mod webhook;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Alert, Pace};

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

    /// Hands over several at once: those that had to wait for [`pace`](Self::pace), or all that stand where
    /// [`resend`](Self::resend) asks for them. Never empty. After an error all of them are tried again.
    /// Default: one after the other.
    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        alerts.iter().try_for_each(|alert| self.notify(alert))
    }

    /// How often it may be called, asked once. Default: as often as there are alerts.
    fn pace(&self) -> Pace {
        Pace::unlimited()
    }

    /// For a receiver that takes silence for the end of an alert, asked once: at each change and once in this span,
    /// `digest` gets all alerts that fire, and those that resolved in the last five minutes. Default: `None`,
    /// each alert is told once.
    fn resend(&self) -> Option<Duration> {
        None
    }
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

    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        (**self).digest(alerts)
    }

    fn pace(&self) -> Pace {
        (**self).pace()
    }

    fn resend(&self) -> Option<Duration> {
        (**self).resend()
    }
}

/// Why an alert was not handed over, and whether another try may help.
#[derive(Debug)]
pub struct NotifyError {
    verdict: Verdict,
    retry_after: Option<Duration>,
    source: Box<dyn StdError + Send + Sync>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Retry,
    Permanent,
    Partly,
}

impl NotifyError {
    fn new(verdict: Verdict, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            verdict,
            retry_after: None,
            source: source.into(),
        }
    }

    /// It may work later: it is tried again, after a second at first, then ever more seldom, every
    /// five minutes at most, for an hour.
    pub fn retry(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Verdict::Retry, source)
    }

    /// It will never work: the alert is given up and counted.
    pub fn permanent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Verdict::Permanent, source)
    }

    /// It arrived, though not everywhere: the alert counts as sent, and the error is told.
    pub fn partly(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Verdict::Partly, source)
    }

    /// The receiver said how long to wait.
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Whether another try is useless.
    pub fn is_permanent(&self) -> bool {
        self.verdict == Verdict::Permanent
    }

    /// Whether it arrived somewhere.
    pub fn is_partly(&self) -> bool {
        self.verdict == Verdict::Partly
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.verdict {
            Verdict::Permanent => "the alert was refused",
            Verdict::Retry => "the alert could not be handed over for now",
            Verdict::Partly => "the alert was not handed over everywhere",
        })
    }
}

impl StdError for NotifyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
