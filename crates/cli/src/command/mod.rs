//! Names every command of the program, its options and its examples: what is read, told by `--help`,
//! completed by a shell and described in the manual. Pure.

mod first;
mod help;
mod man;
mod options;
mod read;
mod shells;
mod table;

use std::path::PathBuf;

use crate::outcome::Outcome;

pub(crate) use first::{First, ends_as_log};
pub(crate) use help::help;
pub(crate) use options::*;
pub(crate) use read::read;
pub(crate) use table::{COMMANDS, VIEW};

/// Something that the program does.
pub(crate) struct Command {
    /// The first word; empty for what is done without one.
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) does: &'static str,
    /// What stands behind the name and the options.
    pub(crate) takes: &'static str,
    pub(crate) options: &'static [&'static Opt],
    pub(crate) examples: [&'static str; 2],
    /// What else has to be known, in lines of at most 80 columns.
    pub(crate) more: &'static str,
    pub(crate) run: fn(&Given) -> Result<Outcome, String>,
}

/// Something that is asked for with a dash.
pub(crate) struct Opt {
    pub(crate) short: Option<char>,
    pub(crate) long: &'static str,
    pub(crate) value: Takes,
    pub(crate) does: &'static str,
}

/// What stands behind an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// Its name in the help.
    Number(&'static str),
    Text(&'static str),
    OneOf(&'static str, &'static [&'static str]),
}

/// What a command line means.
pub(crate) enum Asked {
    Help(&'static Command),
    Version,
    /// A text that is made of the table of commands.
    Generate(String),
    Run(Given),
}

/// A command with what it was given.
pub(crate) struct Given {
    pub(crate) command: &'static Command,
    options: Vec<(&'static str, String)>,
    /// What is no option, and whether that was made plain by `--`.
    words: Vec<(String, bool)>,
}

impl Command {
    /// The command of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        COMMANDS
            .iter()
            .copied()
            .find(|command| !name.is_empty() && command.name == name)
    }

    /// How it is called.
    pub(crate) fn call(&self) -> String {
        match self.name {
            "" => "dogwatch".to_owned(),
            name => format!("dogwatch {name}"),
        }
    }
}

impl Given {
    pub(crate) fn has(&self, option: &Opt) -> bool {
        self.options.iter().any(|(long, _)| *long == option.long)
    }

    /// What was given last: so an alias of the shell can be overruled.
    pub(crate) fn value(&self, option: &Opt) -> Option<&str> {
        let mut given = self.options.iter().rev();
        given
            .find(|(long, _)| *long == option.long)
            .map(|(_, value)| &**value)
    }

    /// As [`value`](Self::value), for an option whose numbers were checked when they were read.
    pub(crate) fn number(&self, option: &Opt) -> Option<u64> {
        self.value(option)?.parse().ok()
    }

    /// What is no option.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|(word, _)| &**word)
    }

    /// The first word, and the others as paths.
    pub(crate) fn first_and_paths(&self) -> (Option<&str>, Vec<PathBuf>) {
        let mut words = self.words();
        (words.next(), words.map(PathBuf::from).collect())
    }

    /// The first word with what stands behind it, and whether that was made plain by `--`.
    pub(crate) fn split_first(&self) -> Option<(&str, bool, Vec<PathBuf>)> {
        let ((first, plain), rest) = self.words.split_first()?;
        let paths = rest.iter().map(|(word, _)| word.into()).collect();
        Some((first, *plain, paths))
    }

    /// Whether lines are asked for that are still to come.
    pub(crate) fn follows(&self) -> bool {
        self.command.name == FOLLOW.long || self.has(&FOLLOW)
    }
}

#[cfg(test)]
mod tests {
    use super::COMMANDS;

    #[test]
    fn no_command_has_an_option_twice_and_each_name_is_one_word() {
        for command in COMMANDS {
            let mut names: Vec<String> = command
                .options
                .iter()
                .flat_map(|option| {
                    option
                        .short
                        .map(String::from)
                        .into_iter()
                        .chain([option.long.to_owned()])
                })
                .collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{}", command.name);
            assert!(!command.name.contains([' ', '-']));
        }
    }
}
