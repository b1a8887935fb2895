//! Runs the Go rivals, where Go is installed: zap, zerolog and slog, by the program in `go/`.

use dogwatch_benches::time;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Nanoseconds of processor time per event, by rival; empty when Go or its modules are missing.
pub(crate) fn measure(rounds: u32, events: u64) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let program = std::env::temp_dir().join(format!("dogwatch-bench-go-{}", std::process::id()));
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(folder)
        .output();
    match built {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            println!(
                "skipped: Go rivals: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
            return BTreeMap::new();
        }
        Err(_) => {
            println!("skipped: Go rivals: go not installed");
            return BTreeMap::new();
        }
    }
    for _ in 0..rounds {
        let output = Command::new(&program)
            .arg(events.to_string())
            .output()
            .expect("it was built");
        let said = String::from_utf8(output.stdout).expect("text");
        assert!(
            output.status.success(),
            "Go rivals: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        for line in said.lines() {
            let (name, ns) = line.split_once(' ').expect("a name and a figure");
            all.entry(name.to_owned())
                .or_default()
                .push(ns.parse().expect("a figure"));
        }
    }
    std::fs::remove_file(&program).expect("our own file");
    all.into_iter()
        .map(|(name, rounds)| (name, time::median(&rounds)))
        .collect()
}
