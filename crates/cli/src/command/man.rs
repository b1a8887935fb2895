//! Writes the manual page, in the macros of man(7). Pure.

use std::fmt::Write as _;

use super::{COMMANDS, Command, Takes};

/// `dogwatch.1`
pub(crate) fn man() -> String {
    let mut out = format!(
        ".TH DOGWATCH 1 \"\" \"dogwatch {}\" \"User Commands\"\n.SH NAME\ndogwatch \\- reads log files back, rolled and compressed\n.SH SYNOPSIS\n",
        env!("CARGO_PKG_VERSION")
    );
    for (index, command) in COMMANDS.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "{}.B {}\n[OPTIONS] {}",
            if index > 0 { ".br\n" } else { "" },
            command.call(),
            escaped(command.takes)
        );
    }
    for command in COMMANDS {
        section(command, &mut out);
    }
    out.push_str(
        ".SH ENVIRONMENT\n.TP\n.B PAGER\nwhat lines go through on a terminal; nothing or \\fBcat\\fR for none. Otherwise \\fBless \\-R\\fR.\n\
         .TP\n.B NO_COLOR\nno colour; \\fBCLICOLOR_FORCE\\fR for colour everywhere.\n.TP\n.B TZ\nthe zone of times.\n",
    );
    out
}

fn section(command: &Command, out: &mut String) {
    let heading = match command.name {
        "" => "DESCRIPTION".to_owned(),
        _ => command.call().to_uppercase(),
    };
    let _ = writeln!(out, ".SH \"{heading}\"\n{}", escaped(command.does));
    for option in command.options {
        let _ = write!(out, ".TP\n.B ");
        if let Some(short) = option.short {
            let _ = write!(out, "\\-{short}, ");
        }
        let _ = write!(out, "\\-\\-{}", escaped(option.long));
        if let Takes::Number(name) | Takes::Text(name) | Takes::OneOf(name, _) = option.value {
            let _ = write!(out, " {}", escaped(name));
        }
        let _ = writeln!(out, "\n{}", escaped(option.does));
    }
    let _ = write!(out, ".PP\n.nf\n");
    for line in command
        .more
        .lines()
        .chain(["", "Examples:"])
        .chain(command.examples)
    {
        let _ = writeln!(out, "{}", escaped(line));
    }
    out.push_str(".fi\n");
}

/// A text in which nothing is a request (groff_man_style(7)).
fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('…', "...")
        .replace('`', "\\(ga");
    // A line that begins with a stop or a quote is a request.
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}
