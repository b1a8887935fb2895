//! The command `dogwatch`: finds and shows lines of log files by a query.
#![forbid(unsafe_code)]

mod asked;
mod backtest;
mod check;
mod command;
mod context;
mod csv;
mod diff;
mod extract;
mod follow;
mod index;
mod input;
mod interrupt;
mod last;
mod near;
mod out;
mod outcome;
mod pager;
mod paint;
mod patterns;
mod progress;
mod question;
mod reckon;
mod safe;
mod session;
mod show;
mod stats;
mod table;
mod tally;
mod template;
mod test;
mod timeline;
mod tops;
mod trace;
mod view;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use command::Asked;
use outcome::Outcome;

fn main() -> ExitCode {
    let outcome = match words().and_then(command::read) {
        Ok(Asked::Help(command)) => print(&command::help(command)),
        Ok(Asked::Version) => print(concat!("dogwatch ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Asked::Generate(text)) => print(&text),
        Ok(Asked::Run(given)) => (given.command.run)(&given),
        Err(message) => Err(message),
    };
    match outcome {
        Ok(Outcome::Found) => ExitCode::SUCCESS,
        Ok(Outcome::Nothing) => ExitCode::from(1),
        Ok(Outcome::Trouble) => ExitCode::from(2),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(message) => {
            session::say(&message);
            ExitCode::from(2)
        }
    }
}

/// The arguments behind the program's name.
fn words() -> Result<Vec<String>, String> {
    let told = |word: OsString| {
        format!(
            "`{}` is not UTF-8; give such a file on standard input, as `- <FILE`",
            word.to_string_lossy()
        )
    };
    let words = std::env::args_os().skip(1).map(OsString::into_string);
    words.collect::<Result<_, _>>().map_err(told)
}

fn print(text: &str) -> Result<Outcome, String> {
    // Whoever closes the pipe has seen enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(Outcome::Found)
}
