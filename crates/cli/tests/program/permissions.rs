//! Holds that what may not be looked at is named, and not taken for nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::{dogwatch, folder};

const A: &str = r#"{"n":"a"}"#;
const B: &str = r#"{"n":"b"}"#;

/// The program as a user who is not root, for whom permissions are made; `None` if there is nobody.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn as_nobody(folder: &Path, arguments: &[&str]) -> Option<(i32, String, String)> {
    let closed = folder.join("closed.probe");
    fs::write(&closed, "").unwrap();
    mode(&closed, 0);
    let mut command = dogwatch(folder, arguments);
    if fs::File::open(&closed).is_ok() {
        command.uid(65534).gid(65534);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: a user to run the program as is not installed: {error}");
            return None;
        }
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    Some((code, text(output.stdout), text(output.stderr)))
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_looked_at_is_named_with_its_permission_and_ends_with_2() {
    let a = format!("{A}\n");
    let b = format!("{B}\n");
    let folder = folder(&[
        ("logs/a.log", &a),
        ("logs/a.log.1", &a),
        ("open/a.log", &a),
        ("open/b.log", &b),
        ("named/a.log", &a),
    ]);
    let path = folder.path();
    for (file, bits) in [
        ("", 0o755),
        ("open", 0o755),
        ("open/a.log", 0),
        // Its names can be read, and nothing else.
        ("named", 0o744),
        ("logs", 0),
    ] {
        mode(&path.join(file), bits);
    }
    let denied = "Permission denied (os error 13)";
    let list = |path: &str| format!("dogwatch: cannot list the log files of `{path}`: {denied}\n");
    let read = |path: &str| format!("dogwatch: cannot read `{path}` to its end: {denied}\n");
    for (arguments, out, error) in [
        (&["logs"][..], "", "dogwatch: `logs` is read as the path of what is there; to look for the word, write `-- logs`\n".to_owned() + &list("logs")),
        (&["logs/a.log"], "", list("logs/a.log")),
        (&["level=error", "logs/a.log"], "", list("logs/a.log")),
        (&["logs/nope"], "", list("logs/nope")),
        (&["logs/a.log.1"], "", list("logs/a.log.1")),
        (&["logs/*.log"], "", list("logs/*.log")),
        (&["logs/*/x.log"], "", list("logs")),
        (&["", "-j"], "", list("logs")),
        (&["stats", "logs/a.log"], "", list("logs/a.log")),
        (&["follow", "logs/a.log"], "", list("logs/a.log")),
        (&["index", "logs/a.log"], "", list("logs/a.log")),
        (&["-j", "open/a.log"], "", read("open/a.log")),
        (&["-j", "open/"], &b, read("open/a.log")),
        (&["-j", "--tail=9", "open/"], &b, read("open/a.log")),
        (&["-j", "named/"], "", read("named/a.log")),
    ] {
        let Some(shown) = as_nobody(path, arguments) else {
            return;
        };
        assert_eq!(shown, (2, out.to_owned(), error), "{arguments:?}");
    }
    // The folder is deleted by whoever made it.
    mode(&path.join("logs"), 0o755);
    mode(&path.join("named"), 0o755);
}
