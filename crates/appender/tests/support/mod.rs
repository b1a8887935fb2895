//! What several tests with processes of their own share: a test as a child process, a log read back.

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// An ignored test of the same file as a process whose stdin and stdout are ours.
pub(crate) fn start(test: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// All lines in all files of `app.log`, plain or `.gz`, in order.
pub(crate) fn lines(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort_by_key(|name| (name == "app.log", name.split('.').nth(2).map(str::to_owned)));
    let mut text = String::new();
    for name in names {
        let mut file = fs::File::open(directory.join(&name)).unwrap();
        match name.ends_with(".gz") {
            true => flate2::read::MultiGzDecoder::new(file)
                .read_to_string(&mut text)
                .unwrap(),
            false => file.read_to_string(&mut text).unwrap(),
        };
    }
    text.lines().map(str::to_owned).collect()
}
