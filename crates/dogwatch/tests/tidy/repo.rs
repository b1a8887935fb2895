//! Finds the repository's own files and reads them.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the repository, named by its path from the root with forward slashes.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl File {
    /// The text with line ends as git stores them, also on a Windows checkout.
    pub(crate) fn read(path: &Path) -> File {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let name = path
            .strip_prefix(root())
            .unwrap_or(path)
            .to_string_lossy()
            .replace('\\', "/");
        File {
            name,
            text: text.replace("\r\n", "\n"),
        }
    }

    /// The file's last path component.
    pub(crate) fn base(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// The folder of the workspace's manifest.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("the facade stands two folders below the root")
        .to_path_buf()
}

/// One file at the root, or below it.
pub(crate) fn file(name: &str) -> File {
    File::read(&root().join(name))
}

/// The folders of our packages, sorted: `crates/*`, `examples/*`, and `docs` and `benches` if they are packages.
pub(crate) fn packages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["crates", "examples"]
        .iter()
        .flat_map(|folder| children(&root().join(folder)))
        .chain([root().join("docs"), root().join("benches")])
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .collect();
    found.sort();
    found
}

/// All files below the root that end in `.extension`, sorted by name, build output left out.
pub(crate) fn files(extension: &str) -> Vec<File> {
    let mut paths = Vec::new();
    walk(&root(), extension, &mut paths);
    paths.sort();
    paths.iter().map(|path| File::read(path)).collect()
}

fn walk(folder: &Path, extension: &str, paths: &mut Vec<PathBuf>) {
    for path in children(folder) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            // A build folder marks itself; a folder with a dot belongs to git or to an editor.
            let built = name == "target" || path.join("CACHEDIR.TAG").is_file();
            if !built && !name.starts_with('.') && name != "logs" {
                walk(&path, extension, paths);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect()
}

#[test]
fn the_walk_finds_this_file_and_no_build_output() {
    let names: Vec<String> = files("rs").into_iter().map(|file| file.name).collect();
    assert!(
        names
            .iter()
            .any(|name| name == "crates/dogwatch/tests/tidy/repo.rs"),
        "{names:?}"
    );
    assert!(
        names.iter().all(|name| !name.contains("target/")),
        "{names:?}"
    );
}
