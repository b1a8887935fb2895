//! At the start: finds the rings of killed processes, and which of their lines the log lacks.

use std::{io, path::Path};

use super::{
    boot,
    file::RingFile,
    layout::at,
    live::Words as _,
    place::{Names, Place, list},
    read::Contents,
    tail::{Log, Missing},
};
use crate::{Error, active::failure, error::Kind, name::Family};

/// What killed processes left, oldest first.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) rings: Vec<Left>,
    /// What could not be read, and why.
    pub(crate) failures: Vec<Error>,
}

/// A ring with lines that the log lacks.
pub(crate) struct Left {
    pub(crate) file: RingFile,
    pub(crate) held: Vec<Missing>,
}

/// Looks beside the log. Called with the log's lock held and before the log is opened: a line that is
/// half written at the end of a file is completed here.
pub(crate) fn find(family: &Family) -> Found {
    let mut found = Found::default();
    let Names { rings, unfinished } = match list(family) {
        Ok(names) => names,
        Err(error) => {
            let what = "cannot look for crash rings in";
            found
                .failures
                .push(failure(what, family.directory(), error));
            return found;
        }
    };
    for name in unfinished {
        if let Err(error) = Place::of(name.clone()).remove() {
            found
                .failures
                .push(failure("cannot remove crash ring", &name, error));
        }
    }
    for (_, name) in rings {
        match look(Place::of(name), family.directory()) {
            Ok(left) => found.rings.extend(left),
            Err(error) => found.failures.push(error),
        }
    }
    found
}

// `None`: it holds nothing that the log lacks, and is removed.
fn look(place: Place, directory: &Path) -> Result<Option<Left>, Error> {
    let cannot = |what: &str, error| failure(what, place.path(), error);
    let file = match RingFile::open(place.clone()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let what = format!(
                "the crash ring `{}` is gone, and what it held is lost: a restart of the machine \
                 empties /dev/shm",
                place.path().display()
            );
            let removed = place.remove();
            return Err(removed.map_or_else(
                |error| cannot("cannot remove the link to crash ring", error),
                |()| Error::new(Kind::Loss, what),
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(cannot(
                "a process that still runs has the crash ring",
                error,
            ));
        }
        Err(error) => return Err(cannot("cannot open crash ring", error)),
    };
    let bytes = file
        .bytes()
        .map_err(|error| cannot("cannot read crash ring", error))?;
    let contents = match Contents::read(&bytes) {
        Ok(contents) => contents,
        Err(refusal) => return Err(set_aside(&place, &refusal.to_string())),
    };
    if contents.is_empty() {
        file.remove()
            .map_err(|error| cannot("cannot remove crash ring", error))?;
        return Ok(None);
    }
    let log = Log::find(directory, &contents);
    if contents.boot != boot::id() && !log.fits(&contents) {
        let what =
            "it is from before the machine was restarted, and does not fit the end of the log";
        return Err(set_aside(&place, what));
    }
    let held = contents
        .held
        .into_iter()
        .map(|held| log.missing(held, contents.mark))
        .collect();
    Ok(Some(Left { file, held }))
}

fn set_aside(place: &Place, why: &str) -> Error {
    let path = place.path().display();
    match place.set_aside() {
        Ok(aside) => {
            let aside = aside.display();
            let what = format!("cannot replay crash ring `{path}`: {why}; it is kept as `{aside}`");
            Error::new(Kind::Loss, what)
        }
        Err(error) => {
            let what = format!("cannot replay crash ring `{path}`: {why}; nor set it aside");
            Error::io(what, error).of(Kind::Loss)
        }
    }
}

impl Left {
    /// Notes that so much of an area is dealt with without a write.
    pub(crate) fn pass(&self, area: usize, bytes: usize) {
        self.file
            .store(at::done(area), super::layout::pack(bytes as u32));
    }
}
