//! Reads a command line. Pure.

use super::{Asked, Command, GENERATE, Given, HELP, Opt, Takes, VERSION, VIEW, man, shells};

/// Reads the arguments behind the program's name. The first word is the command, if it is one's name.
pub(crate) fn read(words: impl IntoIterator<Item = String>) -> Result<Asked, String> {
    let mut words = words.into_iter().peekable();
    let named = words.peek().and_then(|word| Command::named(word));
    if named.is_some() {
        words.next();
    }
    let mut given = Given {
        command: named.unwrap_or(&VIEW),
        options: Vec::new(),
        words: Vec::new(),
    };
    let mut options = true;
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            None | Some("") => given.words.push((word, !options)),
            _ if !options => given.words.push((word, true)),
            Some("-") => options = false,
            Some(long) if long.starts_with('-') => {
                let (option, value) = long_option(given.command, &long[1..])?;
                given.take(option, value, &mut words)?;
            }
            Some(short) => match short_options(given.command, short) {
                Some(found) => {
                    for (option, value) in found {
                        given.take(option, value, &mut words)?;
                    }
                }
                // A query may begin with a minus: `-level=info`.
                None if given.words.is_empty() && short.chars().nth(1).is_some() => {
                    given.words.push((word, false));
                }
                None => return Err(unknown(given.command, &word)),
            },
        }
    }
    if given.has(&HELP) {
        return Ok(Asked::Help(given.command));
    }
    if given.has(&VERSION) {
        return Ok(Asked::Version);
    }
    match given.value(&GENERATE) {
        Some("man") => return Ok(Asked::Generate(man::man())),
        Some("bash") => return Ok(Asked::Generate(shells::bash())),
        Some("zsh") => return Ok(Asked::Generate(shells::zsh())),
        Some("fish") => return Ok(Asked::Generate(shells::fish())),
        _ => {}
    }
    if let Some((word, false)) = given.words.first() {
        if given.command.name.is_empty() && Command::named(word).is_some() {
            return Err(format!(
                "`{word}` is a command, which stands first; to look for the word, write `-- {word}`"
            ));
        }
    }
    Ok(Asked::Run(given))
}

impl Given {
    /// Adds an option, its value checked; one that was not attached is the next word.
    fn take(
        &mut self,
        option: &'static Opt,
        attached: Option<String>,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        let long = option.long;
        let mut value = |what: &str| {
            attached
                .clone()
                .or_else(|| words.next())
                .ok_or_else(|| format!("--{long} needs {what}"))
        };
        let value = match option.value {
            Takes::Nothing => match attached {
                Some(_) => return Err(format!("--{long} takes no value")),
                None => String::new(),
            },
            Takes::Text(name) => value(name)?,
            Takes::Number(_) => {
                let number = value("a number")?;
                if number.parse::<u64>().is_err() {
                    return Err(format!("--{long} needs a number, not `{number}`"));
                }
                number
            }
            Takes::OneOf(_, choices) => {
                let choice = value(&one_of(choices))?;
                if !choices.contains(&&*choice) {
                    return Err(format!("--{long} is {}, not `{choice}`", one_of(choices)));
                }
                choice
            }
        };
        self.options.push((long, value));
        Ok(())
    }
}

/// `lines` or `lines=5`.
fn long_option(
    command: &'static Command,
    text: &str,
) -> Result<(&'static Opt, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let option = command.options.iter().find(|option| option.long == name);
    option
        .map(|option| (*option, value))
        .ok_or_else(|| unknown(command, &format!("--{name}")))
}

/// `c`, `cj`, `n`, `n5`, `cn=5`; `None` if any of it is no option, or no number where one belongs.
fn short_options(
    command: &'static Command,
    text: &str,
) -> Option<Vec<(&'static Opt, Option<String>)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(short) = rest.chars().next() {
        rest = &rest[short.len_utf8()..];
        let mut options = command.options.iter();
        let option = options.find(|option| option.short == Some(short))?;
        if option.value == Takes::Nothing {
            found.push((*option, None));
            continue;
        }
        let value = rest.strip_prefix('=').unwrap_or(rest);
        let is_number = value.parse::<u64>().is_ok();
        if !rest.is_empty() && matches!(option.value, Takes::Number(_)) && !is_number {
            return None;
        }
        found.push((*option, Some(value.to_owned()).filter(|_| !rest.is_empty())));
        break;
    }
    Some(found)
}

fn unknown(command: &Command, option: &str) -> String {
    format!(
        "unknown option `{option}`; `{} --help` lists them",
        command.call()
    )
}

fn one_of(choices: &[&str]) -> String {
    match choices.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => choices.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Asked, COLOR, COUNT, Given, JSON, LINES, UTC};
    use super::read;

    fn given(line: &str) -> Given {
        match read(line.split_whitespace().map(str::to_owned)) {
            Ok(Asked::Run(given)) => given,
            Ok(_) => panic!("{line}: help"),
            Err(error) => panic!("{line}: {error}"),
        }
    }

    #[test]
    fn options_may_stand_anywhere() {
        let given = given("-c -level=info --utc logs -n 5 --color=never - -j");
        assert!(given.has(&COUNT) && given.has(&UTC) && given.has(&JSON));
        assert_eq!(given.number(&LINES), Some(5));
        assert_eq!(given.value(&COLOR), Some("never"));
        assert_eq!(
            given.words().collect::<Vec<_>>(),
            ["-level=info", "logs", "-"]
        );
    }

    #[test]
    fn a_value_may_be_attached_and_short_options_may_stand_together() {
        for (line, lines, words) in [
            ("-n1 LOG", Some(1), vec!["LOG"]),
            ("-n=1 LOG", Some(1), vec!["LOG"]),
            ("-jcn12", Some(12), vec![]),
            ("--lines=3 -n 4", Some(4), vec![]),
            // Not options in whole: queries.
            ("-name=x", None, vec!["-name=x"]),
            ("-count", None, vec!["-count"]),
            ("-n1x", None, vec!["-n1x"]),
            ("-日志", None, vec!["-日志"]),
            ("-- -n1 --json", None, vec!["-n1", "--json"]),
        ] {
            let given = given(line);
            assert_eq!(given.number(&LINES), lines, "{line}");
            assert_eq!(given.words().collect::<Vec<_>>(), words, "{line}");
        }
    }

    #[test]
    fn help_and_version_win_over_what_else_is_asked() {
        let asked = |line: &str| read(line.split_whitespace().map(str::to_owned));
        assert!(matches!(asked("x --help"), Ok(Asked::Help(command)) if command.name.is_empty()));
        assert!(matches!(asked("-V"), Ok(Asked::Version)));
    }

    #[test]
    fn what_is_wrong_is_one_clear_sentence() {
        for (line, message) in [
            (
                "--no",
                "unknown option `--no`; `dogwatch --help` lists them",
            ),
            ("-x", "unknown option `-x`; `dogwatch --help` lists them"),
            (
                "a -x=1",
                "unknown option `-x=1`; `dogwatch --help` lists them",
            ),
            ("-n", "--lines needs a number"),
            ("-n many", "--lines needs a number, not `many`"),
            ("-n -1", "--lines needs a number, not `-1`"),
            ("--json=yes", "--json takes no value"),
            ("--color=red", "--color is auto, always or never, not `red`"),
            ("--color", "--color needs auto, always or never"),
        ] {
            let error = read(line.split_whitespace().map(str::to_owned)).err();
            assert_eq!(error.as_deref(), Some(message), "{line}");
        }
    }
}
