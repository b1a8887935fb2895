//! Stdout without the appender: each line is written by the thread that logs.

use std::time::Duration;

use crate::Error;
use crate::config::Config;
use crate::settings::Settings;
use crate::sinks::{Sink, Sinks};
use crate::unwritten::Unwritten;

/// Only stdout; nothing waits, so nothing needs a drain.
pub(crate) struct Outputs;

impl Outputs {
    pub(crate) fn open(_: &Config, _: &Settings) -> Result<Self, Error> {
        Ok(Self)
    }

    #[expect(
        clippy::unused_self,
        reason = "the outputs with an appender have the same shape"
    )]
    pub(crate) fn sinks(&self) -> Sinks {
        Sinks {
            file: None,
            stdout: Some(Sink),
        }
    }

    pub(crate) fn drain_at_exit(&self, _: impl FnOnce() + Send + 'static) {}

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the outputs with an appender have the same shape"
    )]
    pub(crate) fn flush(&self, _: Duration) -> Result<(), Unwritten> {
        Ok(())
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the outputs with an appender have the same shape"
    )]
    pub(crate) fn close(&mut self, _: Duration) -> Result<(), Unwritten> {
        Ok(())
    }
}
