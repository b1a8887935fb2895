//! Starts the log: what this service asks of dogwatch, all in one place.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use dogwatch::{Config, CrashRing, Guard, Keep, Roll};

use crate::args::{Args, Life};
use crate::readback::LOG;

/// Starts the log in `dir`; alerts go to the desk at `oncall`.
pub(crate) fn start(dir: &Path, oncall: &str, args: &Args) -> Result<Guard, dogwatch::Error> {
    let config = Config::prod()
        .service("shop")
        .version(env!("CARGO_PKG_VERSION"))
        .file(dir.join(LOG))
        .stdout(false)
        // Whatever `RUST_LOG` says: the summary counts every closing line.
        .filter("info")
        // Small files, so that a minute of traffic shows several; all are kept, to be counted.
        .roll(Roll::size(MAX_BYTES))
        .keep(Keep::all())
        // `dogwatch trace` reads only the files that may hold it.
        .index()
        .rules_text(rules(oncall, args));
    match args.life {
        Life::Only => config,
        _ => config.crash_ring(CrashRing::new()),
    }
    .init()
}

/// The rules of `rules.yaml`, with the addresses of those who are told; without playbooks when they are off.
fn rules(oncall: &str, args: &Args) -> String {
    let told = match &args.alertmanager {
        Some(_) => "[alertmanager, oncall",
        None => "[oncall",
    };
    let wanted = |line: &&str| {
        let key = line.trim_start();
        (args.playbook || !key.starts_with("playbook:"))
            && (args.alertmanager.is_some() || !key.starts_with("alertmanager:"))
    };
    RULES
        .lines()
        .filter(wanted)
        .map(|line| {
            line.replace("{oncall}", oncall)
                .replace(
                    "{alertmanager}",
                    args.alertmanager.as_deref().unwrap_or_default(),
                )
                .replace("[oncall", told)
                + "\n"
        })
        .collect()
}

const RULES: &str = include_str!("../rules.yaml");
/// A log file is rolled before it grows beyond this.
const MAX_BYTES: u64 = 96 << 10;

/// What the log did, by its own account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accounts {
    pub(crate) written: u64,
    /// Refused or lost, for whatever reason.
    pub(crate) dropped: u64,
    pub(crate) fired: u64,
    pub(crate) resolved: u64,
}

/// Writes what is left, ends the log, and says what became of its lines. Blocks.
pub(crate) fn close(
    log: Guard,
    timeout: Duration,
) -> Result<Accounts, Box<dyn Error + Send + Sync>> {
    let mut rules = Vec::new();
    if let Some(alerts) = log.alerts() {
        // First, because what they say at their end is a line too.
        alerts.close(timeout)?;
        rules = alerts.counts();
    }
    log.flush(timeout)?;
    let lines = log.accounts();
    log.close(timeout)?;
    Ok(Accounts {
        written: lines
            .iter()
            .map(|(_, lines)| lines.written.total() + lines.gap_lines)
            .sum(),
        dropped: lines.iter().map(|(_, lines)| lines.dropped().total()).sum(),
        fired: rules.iter().map(|rule| rule.fired).sum(),
        resolved: rules.iter().map(|rule| rule.resolved).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_playbook_takes_the_playbook_away_and_nothing_else() {
        let with = rules("http://desk", &Args::default());
        let without = Args {
            playbook: false,
            ..Args::default()
        };
        let without = rules("http://desk", &without);
        let gone: Vec<_> = with
            .lines()
            .filter(|line| !without.contains(*line))
            .collect();
        assert_eq!(
            gone,
            [
                "    playbook: {run: degrade_route, lease: 15s, cooldown: 0s, max_per_hour: 60, dry_run: false}"
            ]
        );
        assert!(without.contains("url: \"http://desk\""), "{without}");
        assert!(!without.contains("alertmanager:"), "{without}");
    }

    #[test]
    fn an_alertmanager_hears_of_every_rule() {
        let args = Args {
            alertmanager: Some("http://am:9093".to_owned()),
            ..Args::default()
        };
        let text = rules("http://desk", &args);
        let declared = "  alertmanager: {type: alertmanager, url: \"http://am:9093\"}\n";
        assert!(text.contains(declared), "{text}");
        let told = text.matches("action: [alertmanager, oncall, log]").count();
        assert_eq!(told, text.matches("- name:").count(), "{text}");
    }
}
