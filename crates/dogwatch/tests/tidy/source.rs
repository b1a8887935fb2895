//! Reads the sources: their length, their first line, the words that never stand in them, unsafe code.

use crate::assert_tidy;
use crate::repo::{self, File};

/// Lines of code that a file may have, comments and tests not counted.
const MAX_LINES: usize = 250;

/// Files that may be longer, each with its reason. One that has become much shorter has to go.
const LONGER: &[(&str, &str)] = &[
    (
        "crates/json/src/encode.rs",
        "one visitor, a method for each type of value",
    ),
    (
        "crates/line/src/scan.rs",
        "one grammar, top-down, a method for each rule of RFC 8259",
    ),
];

/// The only files that may hold unsafe code, each with its reason.
const UNSAFE: &[(&str, &str)] = &[
    (
        "crates/dogwatch/src/exit.rs",
        "registering with the C library's atexit has no safe form",
    ),
    ("crates/appender/tests/fork.rs", "to fork has no safe form"),
    (
        "crates/appender/src/ring/linux/map.rs",
        "a mapped file is the only buffer that outlives a killed process",
    ),
    (
        "crates/alert/tests/allocations.rs",
        "an allocator that counts is an unsafe trait",
    ),
    (
        "crates/alert/tests/storm.rs",
        "an allocator that counts is an unsafe trait",
    ),
    (
        "crates/json/tests/allocations.rs",
        "an allocator that counts is an unsafe trait",
    ),
    (
        "crates/metrics/tests/allocation.rs",
        "an allocator that counts is an unsafe trait",
    ),
    (
        "crates/tower/tests/allocations.rs",
        "an allocator that counts is an unsafe trait",
    ),
    (
        "benches/src/allocations.rs",
        "an allocator that counts is an unsafe trait",
    ),
    (
        "benches/src/process.rs",
        "another process's clock and a core for one's own are had from the C library",
    ),
    (
        "benches/src/time.rs",
        "a thread's processor time has no safe clock",
    ),
];

/// What never stands in a source file, each with what to do instead. Spelled in halves, so that this
/// file does not hold the words itself.
const NEVER: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it, or file it as an issue"),
    (concat!("FIX", "ME"), "fix it, or file it as an issue"),
    (concat!("todo", "!("), "write it"),
    (concat!("unimplemented", "!("), "write it"),
    (concat!("dbg", "!("), "remove it"),
    (
        concat!("thread::", "sleep"),
        "wait for the event, with a deadline",
    ),
    (concat!("#[ign", "ore]"), "say why: `#[ignore = \"…\"]`"),
    (concat!("fn ", "get_"), "a getter is a bare noun"),
    (
        concat!("fn test", "_"),
        "a test's name is a sentence about behaviour",
    ),
];

/// The code lines of a file: no blank lines, no comments, no tests at its end.
fn code(text: &str) -> Vec<&str> {
    let mut lines = text.lines().peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let next_opens_a_module = lines.peek().is_some_and(|next| {
            next.trim_start_matches("pub(crate) ").starts_with("mod ") && next.ends_with('{')
        });
        if line == "#[cfg(test)]" && next_opens_a_module {
            break;
        }
        let line = line.trim();
        if !line.is_empty() && !line.starts_with("//") {
            found.push(line);
        }
    }
    found
}

/// Whether a line of code uses the keyword: lint names and texts that only contain the word do not count.
fn uses_unsafe(line: &str) -> bool {
    let line = line.split(" // ").next().unwrap_or(line);
    let word = concat!("un", "safe");
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        let before = line[..at].chars().next_back();
        let whole =
            |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '"');
        whole(before) && whole(after) && line[..at].matches('"').count() % 2 == 0
    })
}

/// The modules that a file declares for its tests only: `#[cfg(test)] mod fakes;`.
fn modules_for_tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    pairs
        .filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'))
        .collect()
}

/// Sources below a `src` folder that are not tests in a file of their own.
fn shipped() -> Vec<File> {
    let mut files = repo::files("rs");
    files.retain(|file| file.name.contains("/src/"));
    let tests: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let stem = match file.base() {
                "lib.rs" | "main.rs" | "mod.rs" => {
                    file.name.trim_end_matches(file.base()).to_owned()
                }
                _ => format!("{}/", file.name.trim_end_matches(".rs")),
            };
            modules_for_tests(&file.text)
                .into_iter()
                .map(move |module| format!("{stem}{module}"))
        })
        .collect();
    files.retain(|file| {
        let test = |module: &String| {
            file.name == format!("{module}.rs") || file.name.starts_with(&format!("{module}/"))
        };
        !tests.iter().any(test)
    });
    files
}

#[test]
fn every_file_begins_with_a_sentence_that_names_it() {
    let mut broken = Vec::new();
    for file in repo::files("rs") {
        let first = file.text.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("//! ").unwrap_or_default();
        let idle = ["This ", "A module", "The module", "Module "];
        // A crate may take its introduction from its README.
        let readme = file.base() == "lib.rs" && first == "#![doc = include_str!(\"../README.md\")]";
        if readme {
            continue;
        }
        if sentence.len() < 10 || idle.iter().any(|words| sentence.starts_with(words)) {
            broken.push(format!("{}: begins with `{first}`", file.name));
        }
    }
    assert_tidy(broken);
}

#[test]
fn no_file_is_longer_than_250_lines_of_code_unless_it_says_why() {
    let mut broken = Vec::new();
    for file in shipped() {
        let length = code(&file.text).len();
        let named = LONGER.iter().any(|(name, _)| *name == file.name);
        if length > MAX_LINES && !named {
            broken.push(format!("{}: {length} lines of code", file.name));
        }
        if length < MAX_LINES - 50 && named {
            broken.push(format!(
                "{}: is short again, take it from LONGER",
                file.name
            ));
        }
    }
    assert_tidy(broken);
}

#[test]
fn no_file_holds_what_is_never_merged() {
    let mut broken = Vec::new();
    for file in repo::files("rs").into_iter().chain(repo::files("toml")) {
        for (number, line) in file.text.lines().enumerate() {
            for (word, instead) in NEVER.iter().filter(|(word, _)| line.contains(word)) {
                // The lint that forbids the call names it.
                if file.name != "clippy.toml" {
                    broken.push(format!("{}:{}: `{word}`: {instead}", file.name, number + 1));
                }
            }
        }
    }
    assert_tidy(broken);
}

#[test]
fn every_relaxed_lint_has_its_reason() {
    let mut broken = Vec::new();
    for file in repo::files("rs") {
        for word in [concat!("[exp", "ect("), concat!("[all", "ow(")] {
            for (at, _) in file.text.match_indices(word) {
                let attribute = file.text[at..].split(")]").next().unwrap_or_default();
                if !attribute.contains("reason = \"") {
                    broken.push(format!("{}: `#{attribute})]` has no reason", file.name));
                }
            }
        }
    }
    assert_tidy(broken);
}

#[test]
fn unsafe_code_lives_only_in_named_files_and_is_forbidden_elsewhere() {
    let mut broken = Vec::new();
    for file in repo::files("rs") {
        let used = file
            .text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        let used = used.filter(|line| uses_unsafe(line)).count();
        let named = UNSAFE.iter().any(|(name, _)| *name == file.name);
        if used > 0 && !named {
            broken.push(format!(
                "{}: unsafe code in a file that is not in UNSAFE",
                file.name
            ));
        }
    }
    let examples = repo::root().join("examples");
    for folder in repo::packages()
        .into_iter()
        .filter(|folder| !folder.starts_with(&examples))
    {
        let src = folder.join("src");
        let roots = ["lib.rs", "main.rs"].map(|name| src.join(name));
        for root in roots
            .iter()
            .filter(|root| root.is_file())
            .map(|root| File::read(root))
        {
            let prefix = root.name.trim_end_matches(root.base());
            let named = UNSAFE.iter().any(|(name, _)| name.starts_with(prefix));
            let forbidden = root.text.contains(concat!("#![forbid(un", "safe_code)]"));
            if !named && !forbidden {
                broken.push(format!(
                    "{}: `#![forbid(…)]` of unsafe code is missing",
                    root.name
                ));
            }
        }
    }
    for (name, _) in LONGER.iter().chain(UNSAFE) {
        if !repo::root().join(name).is_file() {
            broken.push(format!(
                "{name}: is named as an exception and does not exist"
            ));
        }
    }
    assert_tidy(broken);
}

#[test]
fn a_module_for_tests_is_told_from_the_others() {
    let text =
        "mod a;\n#[cfg(test)]\nmod fakes;\n#[cfg(unix)]\nmod b;\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(modules_for_tests(text), ["fakes"]);
}

#[test]
fn only_code_is_counted() {
    let text = "//! A name.\n\nuse std::fs;\n// why\nfn f() {\n    /// doc\n    g();\n}\n\n\
        #[cfg(test)]\nuse x;\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n";
    assert_eq!(
        code(text),
        [
            "use std::fs;",
            "fn f() {",
            "g();",
            "}",
            "#[cfg(test)]",
            "use x;"
        ]
    );
}

#[test]
fn unsafe_is_a_keyword_and_not_a_part_of_a_word_or_a_text() {
    let word = concat!("un", "safe");
    for (line, expected) in [
        (format!("{word} {{ call() }}"), true),
        (format!("let x = {word} {{ call() }};"), true),
        (format!("pub {word} fn call() {{}}"), true),
        (format!("({word} {{ call() }})"), true),
        (format!("#![forbid({word}_code)]"), false),
        (format!("call(); // no {word} here"), false),
        (format!("say(\"{word} code\")"), false),
    ] {
        assert_eq!(uses_unsafe(&line), expected, "{line}");
    }
}
