//! Makes a relative symbolic link, in one step, over nothing but another link.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// False: it is there already.
pub(super) fn link(file: &Path, link: &Path) -> io::Result<bool> {
    let (from, to) = (folder(link)?, folder(file)?);
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let target = relative(&from, &to).join(name);
    match fs::symlink_metadata(link) {
        Ok(found) if !found.is_symlink() => return Err(io::ErrorKind::AlreadyExists.into()),
        Ok(_) if fs::read_link(link)? == target => return Ok(false),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut unfinished = link.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = Path::new(&unfinished);
    match fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(&target, unfinished)?;
    fs::rename(unfinished, link)?;
    Ok(true)
}

// As the kernel will find it: `..` after a linked directory leads out of the place it links to.
fn folder(path: &Path) -> io::Result<PathBuf> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.canonicalize(),
        _ => Path::new(".").canonicalize(),
    }
}

/// The way from one absolute directory to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(from, to)| from == to)
        .count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_goes_up_to_what_is_shared_and_down_again() {
        for (from, to, way) in [
            ("/var/log", "/var/log", ""),
            ("/var/log", "/var/log/shop", "shop"),
            ("/var/log/shop", "/var/log", ".."),
            ("/var/log", "/mnt/logs", "../../mnt/logs"),
            ("/", "/日志", "日志"),
        ] {
            assert_eq!(
                relative(Path::new(from), Path::new(to)),
                Path::new(way),
                "{from} {to}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_relative_replaces_a_link_and_never_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("logs")).unwrap();
        fs::write(at("logs/app.log"), "text").unwrap();
        for (file, name, target) in [
            ("logs/app.log", "current", "logs/app.log"),
            ("logs/app.log", "logs/current", "app.log"),
            ("other", "logs/current", "../other"),
        ] {
            assert!(link(&at(file), &at(name)).unwrap());
            assert!(!link(&at(file), &at(name)).unwrap(), "nothing to do");
            assert_eq!(fs::read_link(at(name)).unwrap(), Path::new(target));
        }
        assert_eq!(fs::read_to_string(at("current")).unwrap(), "text");
        // A moved tree takes its links along.
        fs::rename(at("logs"), at("moved")).unwrap();
        assert_eq!(
            fs::read_link(at("moved/current")).unwrap(),
            Path::new("../other")
        );
        fs::write(at("mine"), "precious").unwrap();
        let error = link(&at("moved/app.log"), &at("mine")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(at("mine")).unwrap(), "precious");
        // What a crash left between the two steps is in nobody's way.
        fs::write(at("current.tmp"), "").unwrap();
        assert!(link(&at("moved/app.log"), &at("current")).unwrap());
        assert_eq!(
            fs::read_link(at("current")).unwrap(),
            Path::new("moved/app.log")
        );
    }
}
