//! Writes the page that `--help` shows: one screen. Pure.

use std::fmt::Write as _;

use super::{COMMANDS, Command, Opt, Takes};

/// The page of a command.
pub(crate) fn help(command: &Command) -> String {
    let mut out = format!("{}\n\nusage: ", command.does);
    let call = command.call();
    // Writing to a string does not fail.
    let _ = writeln!(out, "{call} [OPTIONS] {}\n", command.takes);
    for example in command.examples {
        let _ = writeln!(out, "  {example}");
    }
    out.push('\n');
    if command.name.is_empty() {
        for other in COMMANDS.iter().filter(|other| !other.name.is_empty()) {
            let _ = writeln!(out, "  {:<18} {}", other.call(), first_lower(other.does));
        }
        if COMMANDS.len() > 1 {
            out.push('\n');
        }
    }
    for option in command.options {
        let _ = writeln!(out, "  {:<18} {}", spelled(option), option.does);
    }
    let _ = write!(out, "\n{}", command.more);
    out
}

/// `-n, --lines N`
fn spelled(option: &Opt) -> String {
    let mut out = match option.short {
        Some(short) => format!("-{short}, --{}", option.long),
        None => format!("    --{}", option.long),
    };
    if let Takes::Number(name) | Takes::Text(name) | Takes::OneOf(name, _) = option.value {
        let _ = write!(out, " {name}");
    }
    out
}

fn first_lower(sentence: &str) -> String {
    let mut chars = sentence.trim_end_matches('.').chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{COMMANDS, VIEW};
    use super::help;

    #[test]
    fn the_help_of_each_command_is_one_screen() {
        for command in COMMANDS {
            let page = help(command);
            let wide: Vec<&str> = page
                .lines()
                .filter(|line| line.chars().count() > 80)
                .collect();
            assert_eq!(wide, Vec::<&str>::new(), "{}", command.name);
            assert!(page.lines().count() <= 48, "{}", command.name);
            let call = command.call();
            assert!(
                command
                    .examples
                    .iter()
                    .all(|example| example.contains(&call))
            );
        }
    }

    #[test]
    fn the_first_page_tells_of_every_command_and_how_options_are_spelled() {
        let page = help(&VIEW);
        for command in COMMANDS {
            assert!(
                page.contains(&format!("{} ", command.call())),
                "{}",
                command.name
            );
        }
        assert!(
            page.contains("\n  -n, --lines N      the first N lines at most\n"),
            "{page}"
        );
        assert!(
            page.contains("\n      --utc          times in UTC"),
            "{page}"
        );
    }
}
