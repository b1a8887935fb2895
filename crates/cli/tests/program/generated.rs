//! Holds that what is generated for shells and for the manual is taken by them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{folder, run};

fn generated(what: &str) -> String {
    let (code, out, error) = run(Path::new("."), &["--generate", what]);
    assert_eq!((code, &*error), (0, ""));
    out
}

/// What another program says of a file; `None`, and told, if it is not installed.
fn asked(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        #[expect(clippy::print_stdout, reason = "what a test leaves out is said")]
        {
            println!("skipped: {program} is not installed");
        }
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

#[test]
fn bash_completes_commands_options_and_values() {
    let folder = folder(&[("dogwatch.bash", &generated("bash"))]);
    let script = folder.path().join("dogwatch.bash");
    for (words, expected) in [
        ("dogwatch st", "stats"),
        ("dogwatch --col", "--color"),
        ("dogwatch --color a", "auto always"),
        ("dogwatch stats --ut", "--utc"),
        ("dogwatch stats --tail", ""),
        ("dogwatch -n 1", ""),
    ] {
        let ask = format!(
            "source '{}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _dogwatch; echo \"${{COMPREPLY[*]}}\"",
            script.display()
        );
        let Some(answer) = asked("bash", &["-uc", &ask]) else {
            return;
        };
        assert_eq!(answer, (true, format!("{expected}\n")), "{words}");
    }
}

#[test]
fn zsh_and_fish_read_what_is_generated_for_them() {
    let folder = folder(&[
        ("_dogwatch", &generated("zsh")),
        ("dogwatch.fish", &generated("fish")),
    ]);
    for (shell, file) in [("zsh", "_dogwatch"), ("fish", "dogwatch.fish")] {
        let path = folder.path().join(file);
        let path = path.to_str().unwrap();
        if let Some(answer) = asked(shell, &["-n", path]) {
            assert_eq!(answer, (true, String::new()), "{shell}");
        }
        let ask = format!(
            "source '{path}'; complete -C 'dogwatch st'; complete -C 'dogwatch stats --ut'"
        );
        if shell == "fish" {
            if let Some((_, answer)) = asked(shell, &["-c", &ask]) {
                assert_eq!(
                    answer,
                    "stats\tSums up logs on one page.\n--utc\ttimes in UTC, not in this machine’s zone\n"
                );
            }
        }
        let text = fs::read_to_string(path).unwrap();
        for name in ["trace", "stats", "check", "index", "tail", "color"] {
            assert!(text.contains(name), "{shell}: {name}");
        }
    }
}

#[test]
fn the_manual_has_every_command_and_no_fault() {
    let page = generated("man");
    for name in [
        "DOGWATCH TRACE",
        "DOGWATCH STATS",
        "DOGWATCH CHECK",
        "DOGWATCH INDEX",
        "ENVIRONMENT",
    ] {
        assert!(
            page.contains(&format!(".SH \"{name}\"")) || page.contains(&format!(".SH {name}")),
            "{name}"
        );
    }
    let folder = folder(&[("dogwatch.1", &page)]);
    let path = folder.path().join("dogwatch.1");
    let arguments = [
        "-ww",
        "-man",
        "-Kutf8",
        "-Tutf8",
        "-z",
        path.to_str().unwrap(),
    ];
    if let Some(answer) = asked("groff", &arguments) {
        assert_eq!(answer, (true, String::new()));
    }
}
