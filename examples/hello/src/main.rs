//! The smallest service that logs: one init, one span, a few lines.

use std::error::Error;
use std::time::Duration;

use tracing::{error, info, info_span, warn};

fn main() -> Result<(), Box<dyn Error>> {
    let log = dogwatch::init()?;
    greet("小明");
    log.close(Duration::from_secs(2))?;
    Ok(())
}

fn greet(name: &str) {
    let _greeting = info_span!("greeting", user_id = 42).entered();
    info!(event = "greeted", name, "hello, {name}");
    warn!(attempt = 2, "the bell is slow to answer");
    if let Err(error) = ring("bell") {
        error!(error = &error as &dyn Error, "nobody heard");
    }
}

/// Fails as real code does: with a cause behind the error.
fn ring(bell: &str) -> Result<(), Unheard> {
    bell.parse::<u16>()
        .map(|_| ())
        .map_err(|cause| Unheard { cause })
}

#[derive(Debug)]
struct Unheard {
    cause: std::num::ParseIntError,
}

impl std::fmt::Display for Unheard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot ring the bell")
    }
}

impl Error for Unheard {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}
