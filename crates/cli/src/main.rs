//! The command `dogwatch`: finds and shows lines of log files by a query.
#![forbid(unsafe_code)]

mod args;
mod reckon;
mod run;
mod show;
mod tally;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use args::{Asked, Color, HELP};
use run::Outcome;

fn main() -> ExitCode {
    let outcome = match args::parse(std::env::args().skip(1)) {
        Ok(Asked::Help) => print(HELP),
        Ok(Asked::Version) => print(concat!("dogwatch ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Asked::Lines(args)) => {
            let color = colored(args.color);
            run::lines(&args, color)
        }
        Err(message) => Err(message),
    };
    match outcome {
        Ok(Outcome::Found) => ExitCode::SUCCESS,
        Ok(Outcome::Nothing) => ExitCode::from(1),
        Ok(Outcome::Trouble) => ExitCode::from(2),
        Err(message) => {
            let _ = writeln!(io::stderr(), "dogwatch: {message}");
            ExitCode::from(2)
        }
    }
}

fn print(text: &str) -> Result<Outcome, String> {
    // Whoever closes the pipe has seen enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(Outcome::Found)
}

/// <https://no-color.org> and <https://bixense.com/clicolors>.
#[expect(
    clippy::disallowed_methods,
    reason = "the command's own environment, read once at its start"
)]
fn colored(color: Color) -> bool {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty() && value != "0");
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !set("NO_COLOR") && (set("CLICOLOR_FORCE") || io::stdout().is_terminal()),
    }
}
