//! Reads what the operator typed. Pure: the words come in, a value or a sentence goes out.

use std::path::PathBuf;

/// What one run shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Args {
    /// Visits a second.
    pub(crate) rate: u32,
    /// Decides who comes, what they do, and which payments the channel refuses.
    pub(crate) seed: u64,
    /// How long the visitors come in all, in seconds; the acts share it 1 : 2 : 1.
    pub(crate) seconds: u64,
    /// Whether the built-in visitors come.
    pub(crate) traffic: bool,
    /// Whether the alert may switch the shop to its degraded form.
    pub(crate) playbook: bool,
    /// Where the log files go.
    pub(crate) logs: PathBuf,
    /// The Alertmanager that hears of every alert, beside the desk.
    pub(crate) alertmanager: Option<String>,
    /// The shop's port; 0 takes a free one.
    pub(crate) port: u16,
    pub(crate) life: Life,
}

/// Which life of the shop this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The only one.
    Only,
    /// Sees another process through its first life and lives the second one itself.
    Both,
    /// Ends in the storm by SIGKILL.
    First,
    /// Goes on with the log of the first.
    Second,
}

/// The answer to `--help`.
pub(crate) const USAGE: &str = "\
usage: mini-program [--rate N] [--seed N] [--seconds N] [--no-traffic] [--no-playbook]
                    [--logs DIR] [--port N] [--alertmanager URL] [--crash]
  --rate N        visits a second, 3 to 40 (default 6)
  --seed N        who comes and what fails (default 7)
  --seconds N     how long visitors come, 12 to 3600 (default 60); with --no-traffic ignored
  --no-traffic    no visitors: the shop waits for yours, until Ctrl-C
  --no-playbook   alert, but leave the shop as it is
  --logs DIR      where the log files go (default target/mini-program)
  --port N        the shop's port (default 0: a free one)
  --alertmanager URL
                  tells this Alertmanager of every alert too
  --crash         live twice: kill -9 in the storm, then the whole story on the same log (Linux)";

impl Default for Args {
    fn default() -> Args {
        Args {
            rate: 6,
            seed: 7,
            seconds: 60,
            traffic: true,
            playbook: true,
            logs: PathBuf::from("target/mini-program"),
            alertmanager: None,
            port: 0,
            life: Life::Only,
        }
    }
}

impl Args {
    /// Reads the words after the program's name; `None` means that `--help` was asked for.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Option<Args>, String> {
        let mut args = Args::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--rate" => args.rate = number(&word, words.next(), 3, 40)?,
                "--seed" => args.seed = number(&word, words.next(), 0, u64::MAX)?,
                "--seconds" => args.seconds = number(&word, words.next(), 12, 3600)?,
                "--port" => args.port = number(&word, words.next(), 0, u16::MAX)?,
                "--logs" => args.logs = value(&word, words.next())?.into(),
                "--alertmanager" => args.alertmanager = Some(value(&word, words.next())?),
                "--crash" => args.life = Life::Both,
                // What `--crash` starts; nothing for people.
                "--first-life" => args.life = Life::First,
                "--no-traffic" => args.traffic = false,
                "--no-playbook" => args.playbook = false,
                "--help" | "-h" => return Ok(None),
                other => {
                    return Err(format!(
                        "unknown word `{other}`; --help lists what there is"
                    ));
                }
            }
        }
        if !args.traffic && args.life != Life::Only {
            return Err("--crash needs the traffic: take --no-traffic away".to_owned());
        }
        Ok(Some(args))
    }
}

fn value(name: &str, word: Option<String>) -> Result<String, String> {
    word.filter(|word| !word.is_empty())
        .ok_or_else(|| format!("{name} needs a value after it"))
}

fn number<N>(name: &str, word: Option<String>, min: N, max: N) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let word = value(name, word)?;
    match word.parse::<N>() {
        Ok(number) if number >= min && number <= max => Ok(number),
        _ => Err(format!(
            "{name} takes a whole number from {min} to {max}, not `{word}`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Args>, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_word_is_read() {
        let line = "--rate 9 --seed 8 --seconds 15 --no-traffic --no-playbook --logs d --port 0 \
                    --alertmanager http://am:9093";
        let crash = parse("--crash").unwrap().unwrap();
        assert_eq!(crash.life, Life::Both);
        let want = Args {
            rate: 9,
            seed: 8,
            seconds: 15,
            traffic: false,
            playbook: false,
            logs: PathBuf::from("d"),
            alertmanager: Some("http://am:9093".to_owned()),
            port: 0,
            life: Life::Only,
        };
        assert_eq!(parse(line), Ok(Some(want)));
        assert_eq!(parse(""), Ok(Some(Args::default())));
        assert_eq!(parse("--seed 1 --help"), Ok(None));
    }

    #[test]
    fn a_bad_word_says_what_is_wanted() {
        for (line, want) in [
            (
                "--rate 2",
                "--rate takes a whole number from 3 to 40, not `2`",
            ),
            (
                "--rate x",
                "--rate takes a whole number from 3 to 40, not `x`",
            ),
            ("--seconds", "--seconds needs a value after it"),
            (
                "--port 70000",
                "--port takes a whole number from 0 to 65535, not `70000`",
            ),
            (
                "--crash --no-traffic",
                "--crash needs the traffic: take --no-traffic away",
            ),
            (
                "--loud",
                "unknown word `--loud`; --help lists what there is",
            ),
        ] {
            assert_eq!(parse(line), Err(want.to_owned()), "{line}");
        }
    }
}
