//! Reads the documents: every command and every example in them is one that `.ci/run` runs.

use crate::assert_tidy;
use crate::repo::{self, File};

/// How a fenced block may be tagged, and who checks it.
const TAGS: &[(&str, &str)] = &[
    ("rust", "compiled and run as a doctest"),
    ("rust,no_run", "compiled as a doctest"),
    ("sh", "run by `.ci/readme`"),
    (
        "toml",
        "the dependency lines that `.ci/readme` builds a new package with",
    ),
    ("json", "parsed by the tests of `docs`"),
    (
        "jsonl",
        "written again by the tests of `docs`, and compared",
    ),
    ("yaml", "loaded by the tests of `docs`"),
    ("promql", "for the reader"),
    ("text", "output or a picture, for the reader"),
];

/// A fenced block: the line it opens on, its tag, its text.
struct Block {
    line: usize,
    tag: String,
    text: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(tag) => {
                inside = true;
                found.push(Block {
                    line: number + 1,
                    tag: tag.to_owned(),
                    text: String::new(),
                });
            }
            None if inside => {
                let block = found.last_mut().expect("a block opened");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    found
}

fn pages() -> Vec<File> {
    let pages = repo::files("md");
    assert!(pages.len() > 10, "only {} documents found", pages.len());
    pages
}

/// Whether some source takes the page into its rustdoc, which makes its examples doctests.
fn is_tested(page: &File, sources: &[File]) -> bool {
    sources.iter().any(|source| {
        source
            .text
            .match_indices("include_str!(\"")
            .any(|(at, call)| {
                let path = source.text[at + call.len()..]
                    .split('"')
                    .next()
                    .unwrap_or_default();
                let folder = source.name.trim_end_matches(source.base());
                resolve(&format!("{folder}{path}")) == page.name
            })
    })
}

/// Takes `..` out of a path.
fn resolve(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
    {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[test]
fn every_block_in_a_document_is_tagged_with_who_checks_it() {
    let mut broken = Vec::new();
    for page in pages() {
        for block in blocks(&page.text) {
            if !TAGS.iter().any(|(tag, _)| *tag == block.tag) {
                broken.push(format!("{}:{}: tag `{}`", page.name, block.line, block.tag));
            }
            let command = block.text.lines().any(|line| {
                line.starts_with("$ ") || line.starts_with("cargo ") || line.starts_with("curl ")
            });
            if command && block.tag != "sh" {
                broken.push(format!(
                    "{}:{}: a command outside `sh`",
                    page.name, block.line
                ));
            }
        }
    }
    assert_tidy(broken);
}

#[test]
fn every_rust_example_in_a_document_is_a_doctest() {
    let sources = repo::files("rs");
    let mut broken = Vec::new();
    for page in pages() {
        let holds_rust = blocks(&page.text)
            .iter()
            .any(|block| block.tag.starts_with("rust"));
        if holds_rust && !is_tested(&page, &sources) {
            broken.push(format!("{}: no rustdoc includes it", page.name));
        }
    }
    assert_tidy(broken);
}

#[test]
fn ci_runs_the_commands_of_every_document() {
    let run = repo::file(".ci/run").text;
    let readme = repo::file(".ci/readme").text;
    let mut broken = Vec::new();
    if !run
        .lines()
        .any(|line| line.contains(".ci/readme") && !line.trim_start().starts_with('#'))
    {
        broken.push(".ci/run: does not call .ci/readme".to_owned());
    }
    // The script finds documents as this test does: all of them, no list that could be forgotten.
    if !readme.contains("git ls-files") || !readme.contains("'*.md'") {
        broken.push(".ci/readme: does not look for all documents".to_owned());
    }
    assert_tidy(broken);
}

#[test]
fn every_link_between_documents_leads_to_a_file() {
    let mut broken = Vec::new();
    for page in pages() {
        let folder = page.name.trim_end_matches(page.base());
        for part in page.text.split("](").skip(1) {
            let link = part.split([')', '#', ' ']).next().unwrap_or_default();
            let elsewhere = link.is_empty() || link.contains(':') || link.contains("](");
            if !elsewhere
                && !repo::root()
                    .join(resolve(&format!("{folder}{link}")))
                    .exists()
            {
                broken.push(format!("{}: link to `{link}`", page.name));
            }
        }
    }
    assert_tidy(broken);
}

#[test]
fn the_two_readmes_hold_the_same_blocks() {
    let code = |name: &str| -> Vec<(String, String)> {
        let page = repo::file(name);
        let checked = blocks(&page.text)
            .into_iter()
            .filter(|block| block.tag != "text");
        checked.map(|block| (block.tag, block.text)).collect()
    };
    assert_eq!(code("README.md"), code("README.zh-CN.md"));
}

#[test]
fn blocks_are_read_with_their_tag_and_their_line() {
    let found = blocks("a\n```sh\nls\n```\n\n```text\n$ ls\n```\n");
    let found: Vec<_> = found
        .iter()
        .map(|b| (b.line, b.tag.as_str(), b.text.as_str()))
        .collect();
    assert_eq!(found, [(2, "sh", "ls\n"), (6, "text", "$ ls\n")]);
    assert_eq!(
        resolve("docs/../crates/./line/README.md"),
        "crates/line/README.md"
    );
}
