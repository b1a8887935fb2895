//! Builds the command beside this bench, as it is installed.

use std::path::PathBuf;
use std::process::Command;

/// The program.
pub(crate) fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this program is a file");
    let target = own.ancestors().nth(2).expect("it lies in a target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let built = Command::new(cargo)
        .args(["build", "-q", "--release", "-p", "dogwatch-cli"])
        .args(["--manifest-path", manifest, "--target-dir"])
        .arg(target.join("cli"))
        .status();
    assert!(
        built.is_ok_and(|status| status.success()),
        "the command is built"
    );
    target.join("cli/release/dogwatch")
}
