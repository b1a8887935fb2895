//! Reads the manifests: allowed imports between our crates, one version, complete metadata.

use crate::assert_tidy;
use crate::repo::{self, File};

/// Who may import which of our crates. What is not here is an error, dev-dependencies included.
const ALLOWED: &[(&str, &[&str])] = &[
    ("dogwatch-line", &[]),
    ("dogwatch-json", &[]),
    ("dogwatch-tower", &[]),
    ("dogwatch-appender", &[]),
    ("dogwatch-metrics", &[]),
    ("dogwatch-alert", &["dogwatch-line"]),
    ("dogwatch-reader", &["dogwatch-line"]),
    (
        "dogwatch-cli",
        &["dogwatch-line", "dogwatch-reader", "dogwatch-alert"],
    ),
    (
        "dogwatch",
        &[
            "dogwatch-line",
            "dogwatch-reader",
            "dogwatch-json",
            "dogwatch-tower",
            "dogwatch-appender",
            "dogwatch-alert",
            "dogwatch-metrics",
        ],
    ),
];

/// One `key = value` of a manifest with the table it stands in.
struct Entry {
    table: String,
    key: String,
    value: String,
}

/// The entries of a manifest. Reads the part of TOML that our manifests use: tables, and keys with
/// a value that may go on over lines until its brackets close.
fn entries(text: &str) -> Vec<Entry> {
    let mut table = String::new();
    let mut found: Vec<Entry> = Vec::new();
    let mut open = 0;
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
    {
        let depth = |line: &str| {
            line.matches(['[', '{']).count() as i32 - line.matches([']', '}']).count() as i32
        };
        if open > 0 {
            let last = found.last_mut().expect("a bracket opened in an entry");
            last.value.push_str(line);
            open += depth(line);
        } else if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            open = depth(value);
            found.push(Entry {
                table: table.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            });
        }
    }
    found
}

/// The names of the packages that a manifest imports in tables whose name ends in `kind`.
fn imports(entries: &[Entry], kind: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in entries {
        let table = entry.table.as_str();
        let direct = table == kind || table.ends_with(&format!(".{kind}"));
        let own = table.split_once(&format!("{kind}.")).filter(|(before, _)| {
            before.is_empty() || (before.ends_with('.') && before.starts_with("target."))
        });
        let alias = match own {
            Some((_, name)) => name.trim_matches('"'),
            None if direct => entry.key.split('.').next().unwrap_or(&entry.key),
            None => continue,
        };
        // `json = { package = "dogwatch-json" }` hides behind its alias; the package is what counts.
        let renamed = entry
            .value
            .split("package")
            .nth(1)
            .and_then(|rest| rest.split('"').nth(1));
        let package = if own.is_some() && entry.key == "package" {
            entry.value.trim_matches('"')
        } else {
            renamed.unwrap_or(alias)
        };
        names.push(package.to_owned());
    }
    names.sort();
    names.dedup();
    names
}

fn value<'a>(entries: &'a [Entry], table: &str, key: &str) -> Option<&'a str> {
    let found = entries
        .iter()
        .find(|entry| entry.table == table && entry.key == key)?;
    Some(found.value.trim_matches('"'))
}

fn manifests() -> Vec<(File, Vec<Entry>)> {
    let packages = repo::packages();
    assert!(
        packages.len() >= 10,
        "only {} packages found",
        packages.len()
    );
    packages
        .iter()
        .map(|folder| {
            let file = File::read(&folder.join("Cargo.toml"));
            let entries = entries(&file.text);
            (file, entries)
        })
        .collect()
}

/// Published crates are the ones below `crates/`; examples, documents and benches may import anything.
fn crates() -> impl Iterator<Item = (File, Vec<Entry>)> {
    manifests()
        .into_iter()
        .filter(|(file, _)| file.name.starts_with("crates/"))
}

#[test]
fn our_crates_import_only_what_the_design_allows() {
    let mut broken = Vec::new();
    for (file, entries) in crates() {
        let name = value(&entries, "package", "name").unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(package, _)| *package == name) else {
            broken.push(format!("{}: `{name}` has no row in ALLOWED", file.name));
            continue;
        };
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for import in imports(&entries, kind) {
                let ours = import == "dogwatch" || import.starts_with("dogwatch-");
                if ours && !allowed.contains(&import.as_str()) {
                    broken.push(format!("{}: {kind} must not hold `{import}`", file.name));
                }
            }
        }
    }
    assert_tidy(broken);
}

#[test]
fn every_package_takes_version_edition_and_licence_from_the_workspace() {
    let mut broken = Vec::new();
    for (file, entries) in manifests() {
        if file.name.starts_with("benches/") {
            continue; // A workspace of its own, never published.
        }
        for key in ["version", "edition", "rust-version", "license"] {
            if value(&entries, "package", &format!("{key}.workspace")) != Some("true") {
                broken.push(format!(
                    "{}: `{key}.workspace = true` is missing",
                    file.name
                ));
            }
        }
        if value(&entries, "lints", "workspace") != Some("true") {
            broken.push(format!(
                "{}: `[lints] workspace = true` is missing",
                file.name
            ));
        }
        if !file.name.starts_with("crates/")
            && value(&entries, "package", "publish") != Some("false")
        {
            broken.push(format!("{}: `publish = false` is missing", file.name));
        }
    }
    assert_tidy(broken);
}

#[test]
fn every_published_crate_tells_the_registry_what_it_is() {
    let mut broken = Vec::new();
    for (file, entries) in crates() {
        let folder = file.name.trim_end_matches("Cargo.toml");
        let name = value(&entries, "package", "name").unwrap_or_default();
        let expected = match folder.trim_start_matches("crates/").trim_end_matches('/') {
            "dogwatch" => "dogwatch".to_owned(),
            role => format!("dogwatch-{role}"),
        };
        if name != expected {
            broken.push(format!(
                "{}: is named `{name}`, its folder says `{expected}`",
                file.name
            ));
        }
        let description = value(&entries, "package", "description").unwrap_or_default();
        if !description.ends_with('.') {
            broken.push(format!("{}: the description is not a sentence", file.name));
        }
        if value(&entries, "package", "keywords").is_none_or(|keywords| keywords.len() < 5) {
            broken.push(format!("{}: keywords are missing", file.name));
        }
        if value(&entries, "package.metadata.docs.rs", "all-features") != Some("true") {
            broken.push(format!(
                "{}: docs metadata with all features is missing",
                file.name
            ));
        }
        let readme = repo::root().join(folder).join("README.md");
        if !readme.is_file() || !File::read(&readme).text.starts_with(&format!("# {name}\n")) {
            broken.push(format!(
                "{folder}README.md: missing, or not headed `# {name}`"
            ));
        }
    }
    assert_tidy(broken);
}

#[test]
fn the_workspace_has_one_version_and_the_changelog_has_its_heading() {
    let file = repo::file("Cargo.toml");
    let entries = entries(&file.text);
    let version = value(&entries, "workspace.package", "version").expect("a workspace version");
    let mut broken = Vec::new();
    if value(&entries, "workspace.package", "rust-version") != Some("1.85") {
        broken.push("Cargo.toml: rust-version is not 1.85".to_owned());
    }
    for entry in entries
        .iter()
        .filter(|entry| entry.value.contains("path = \"crates/"))
    {
        if !entry.value.contains(&format!("version = \"{version}\"")) {
            broken.push(format!("Cargo.toml: `{}` is not at {version}", entry.key));
        }
    }
    let heading = format!("## {version}");
    if !repo::file("CHANGELOG.md")
        .text
        .lines()
        .any(|line| line.starts_with(&heading))
    {
        broken.push(format!("CHANGELOG.md: no heading `{heading}`"));
    }
    assert_tidy(broken);
}

#[test]
fn there_is_one_licence_file_and_a_committed_lockfile() {
    let root = repo::root();
    assert!(repo::file("LICENSE").text.starts_with("MIT License\n"));
    assert!(root.join("Cargo.lock").is_file());
    let more: Vec<_> = repo::packages()
        .into_iter()
        .filter(|p| p.join("LICENSE").exists())
        .collect();
    assert_eq!(more, Vec::<std::path::PathBuf>::new());
}

#[test]
fn imports_are_found_in_every_spelling() {
    let text = "[dependencies]\ndogwatch-line.workspace = true\nplain = \"1\"\n\
        alias = { package = \"dogwatch-json\", version = \"1\" }\nlong = { version = \"1\", features = [\n\
        \"a\",\n] }\n[dependencies.dogwatch-tower]\nworkspace = true\n\
        [target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n\
        [target.'cfg(unix)'.dependencies.dogwatch-alert]\npath = \"x\"\n\
        [dev-dependencies]\nproptest = \"1\"\n[features]\ndefault = []\n";
    let expected = [
        "dogwatch-alert",
        "dogwatch-json",
        "dogwatch-line",
        "dogwatch-tower",
        "libc",
        "long",
        "plain",
    ];
    assert_eq!(imports(&entries(text), "dependencies"), expected);
    assert_eq!(imports(&entries(text), "dev-dependencies"), ["proptest"]);
}
