//! Two lives of the shop: the first one kills itself in the storm, the second one counts.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crate::args::{Args, Life};
use crate::house::{self, House};

/// Sees the first life through, in a process of its own, then lives the second one here.
pub(crate) async fn run(
    mut args: Args,
    screen: &mut dyn Write,
) -> Result<Vec<String>, Box<dyn Error>> {
    args.logs = house::fresh(&args.logs)?;
    // A killed process cleans nothing up.
    let litter = tempfile::tempdir()?;
    let child = first_life(&args)
        .env("TMPDIR", litter.path())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start the first life: {error}"))?;
    let accepted = see_through(child, screen)?;
    writeln!(
        screen,
        "\nkilled with {accepted} lines accepted; the shop starts again"
    )?;
    args.life = Life::Second;
    crate::run(&args, Some(accepted), screen).await
}

fn first_life(args: &Args) -> Command {
    // Of this very program; without a path to it there is nothing to start.
    let program = std::env::current_exe().unwrap_or_default();
    let mut command = Command::new(program);
    let (rate, seed, seconds) = (args.rate, args.seed, args.seconds);
    command
        .arg("--first-life")
        .args(["--rate", &rate.to_string()])
        .args(["--seed", &seed.to_string()])
        .args(["--seconds", &seconds.to_string()])
        .arg("--logs")
        .arg(&args.logs);
    if !args.playbook {
        command.arg("--no-playbook");
    }
    command
}

/// Shows what the first life says, and returns how many lines it had accepted before its end.
fn see_through(mut child: Child, screen: &mut dyn Write) -> Result<u64, Box<dyn Error>> {
    let said = child.stdout.take().ok_or("the first life has no stdout")?;
    let mut accepted = None;
    for line in BufReader::new(said).lines() {
        let line = line?;
        match line.strip_prefix(ACCEPTED) {
            Some(number) => accepted = Some(number.parse()?),
            None => writeln!(screen, "{line}")?,
        }
    }
    let status = child.wait()?;
    accepted.ok_or_else(|| format!("the first life ended before its storm: {status}").into())
}

/// In the middle of the first life's storm, says how many lines the log has accepted, and dies.
pub(crate) async fn in_the_storm(life: Life, house: &House) -> Infallible {
    if life != Life::First {
        return pending().await;
    }
    let stage = &house.stage;
    let half = stage.plan.storm.div_ceil(2);
    stage.counts.reach(|tally| tally.storm_tried >= half).await;
    // Written nowhere yet when the next line ends this process.
    tracing::warn!(event = "kill_expected", "about to be killed");
    let accepted = house.accepted();
    let mut screen = std::io::stdout();
    // Whoever does not hear it says so.
    let _ = writeln!(screen, "{ACCEPTED}{accepted}").and_then(|()| screen.flush());
    kill()
}

#[cfg(unix)]
fn kill() -> ! {
    // A process is always allowed to kill itself.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

#[cfg(not(unix))]
fn kill() -> ! {
    std::process::abort()
}

/// What stands before the number of lines.
const ACCEPTED: &str = "accepted: ";
