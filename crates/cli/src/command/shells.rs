//! Writes what completes the command line in bash, zsh and fish. Pure.

use std::fmt::Write as _;

use super::{COMMANDS, Command, Opt, Takes, VIEW};

/// For bash 4 and later: `--generate bash >/etc/bash_completion.d/dogwatch`.
pub(crate) fn bash() -> String {
    let names = names().join(" ");
    let mut out = String::from(
        "_dogwatch() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options\n    \
         COMPREPLY=()\n    case $prev in\n",
    );
    // Writing to a string does not fail.
    for option in all_options() {
        let spelled = spellings(option).join("|");
        let _ = match option.value {
            Takes::Nothing => Ok(()),
            Takes::OneOf(_, choices) => writeln!(
                out,
                "        {spelled}) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\"); return ;;",
                choices.join(" ")
            ),
            Takes::Number(_) | Takes::Text(_) => writeln!(out, "        {spelled}) return ;;"),
        };
    }
    out.push_str("    esac\n    case ${COMP_WORDS[1]} in\n");
    for command in COMMANDS.iter().rev() {
        let options: Vec<String> = command
            .options
            .iter()
            .flat_map(|option| spellings(option))
            .collect();
        let name = if command.name.is_empty() {
            "*"
        } else {
            command.name
        };
        let _ = writeln!(out, "        {name}) options='{}' ;;", options.join(" "));
    }
    let _ = write!(
        out,
        "    esac\n    if [[ $cur == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n    \
         elif ((COMP_CWORD == 1)); then\n        mapfile -t COMPREPLY < <(compgen -W '{names}' -- \"$cur\")\n    fi\n}}\n\
         complete -o bashdefault -o default -F _dogwatch dogwatch\n"
    );
    out
}

/// For zsh 5 and later: as `_dogwatch` in a folder of `$fpath`.
pub(crate) fn zsh() -> String {
    let mut out = String::from("#compdef dogwatch\n\nlocal -a commands=(\n");
    for command in named() {
        let _ = writeln!(out, "    '{}:{}'", command.name, plain(command.does));
    }
    out.push_str(")\ncase $words[2] in\n");
    for command in COMMANDS.iter().rev() {
        let (name, first) = match command.name {
            "" => ("*", "    '1: :{ _describe command commands; _files }'"),
            name => (name, "    '1:command: '"),
        };
        let _ = writeln!(out, "{name})\n    _arguments -s : \\");
        for option in command.options {
            let takes = match option.value {
                Takes::Nothing => String::new(),
                Takes::Number(value) | Takes::Text(value) => format!(":{value}: "),
                Takes::OneOf(value, choices) => format!(":{value}:({})", choices.join(" ")),
            };
            for spelling in spellings(option) {
                let _ = writeln!(
                    out,
                    "        '{spelling}[{}]{takes}' \\",
                    plain(option.does)
                );
            }
        }
        let _ = writeln!(out, "    {first} \\\n        '*:path:_files'\n    ;;");
    }
    out.push_str("esac\n");
    out
}

/// For fish 3 and later: `--generate fish >~/.config/fish/completions/dogwatch.fish`.
pub(crate) fn fish() -> String {
    let names = names().join(" ");
    let mut out = String::new();
    for command in named() {
        let _ = writeln!(
            out,
            "complete -c dogwatch -n __fish_is_first_arg -a {} -d '{}'",
            command.name,
            plain(command.does)
        );
    }
    for command in COMMANDS {
        let when = match command.name {
            "" => format!("not __fish_seen_subcommand_from {names}"),
            name => format!("__fish_seen_subcommand_from {name}"),
        };
        for option in command.options {
            let _ = write!(out, "complete -c dogwatch -n '{when}'");
            if let Some(short) = option.short {
                let _ = write!(out, " -s {short}");
            }
            let _ = write!(out, " -l {}", option.long);
            let _ = match option.value {
                Takes::Nothing => Ok(()),
                Takes::Number(_) | Takes::Text(_) => write!(out, " -x"),
                Takes::OneOf(_, choices) => write!(out, " -xa '{}'", choices.join(" ")),
            };
            let _ = writeln!(out, " -d '{}'", plain(option.does));
        }
    }
    out
}

fn named() -> impl Iterator<Item = &'static &'static Command> {
    COMMANDS.iter().filter(|command| !command.name.is_empty())
}

fn names() -> Vec<&'static str> {
    named().map(|command| command.name).collect()
}

/// Every option that any command has, once.
fn all_options() -> Vec<&'static Opt> {
    let mut all: Vec<&'static Opt> = VIEW.options.to_vec();
    for option in COMMANDS.iter().flat_map(|command| command.options) {
        if !all.iter().any(|known| known.long == option.long) {
            all.push(option);
        }
    }
    all
}

fn spellings(option: &Opt) -> Vec<String> {
    let short = option.short.map(|short| format!("-{short}"));
    short
        .into_iter()
        .chain([format!("--{}", option.long)])
        .collect()
}

/// Without what ends a text in a shell's quotes or a description in zsh.
fn plain(text: &str) -> String {
    text.replace('\'', "’").replace(['[', ']', ':'], " ")
}
