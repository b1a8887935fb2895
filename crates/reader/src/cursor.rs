//! Keeps a reader's place in a log on the disk, across rolls, compression and restarts.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::lock::Lock;
use crate::place::{Beginning, Place, Reach, sum};
use crate::{Error, Follow};

/// How far one reader has come in a log, kept in a small file.
///
/// What is saved is a promise: every line that [`Follow::next`] gave before is dealt with. A reader
/// that dies comes back to its last save with [`Search::resume`](crate::Search::resume): lines that it
/// was given after that come again, none of those before, and none is left out. Saving syncs the disk,
/// about a millisecond: do it after a batch or a second, not after a line.
///
/// Each reader of a log has a cursor of its own, with its own name. One at a time uses it: it is locked,
/// by the file `<cursor>.lock` beside it, until it is dropped or its process ends. Named `shop.log.READER.cursor` beside `shop.log`, it is found by [`Cursors`](crate::Cursors), which
/// the appender asks before it deletes a file.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let log = folder.path().join("shop.log");
/// # std::fs::write(&log, "one\ntwo\n")?;
/// use std::time::SystemTime;
/// use dogwatch_line::{Now, Query};
/// use dogwatch_reader::{Cursor, Search, Start};
///
/// let search = Search::new(&Query::parse("")?, Now::utc(SystemTime::now()));
/// let mut cursor = Cursor::open(folder.path().join("shop.log.ship.cursor"))?;
/// let mut follow = search.resume(&log, &cursor, Start::Beginning);
/// assert_eq!(follow.next().unwrap()?.text(), "one");
/// cursor.save(&follow)?;
/// assert!(Cursor::open(cursor.path()).unwrap_err().is_locked());
/// drop(cursor);
///
/// // The next process.
/// let cursor = Cursor::open(folder.path().join("shop.log.ship.cursor"))?;
/// let mut follow = search.resume(&log, &cursor, Start::Beginning);
/// assert_eq!(follow.next().unwrap()?.text(), "two");
/// assert!(follow.next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Format
/// Text in UTF-8. The first line is `dogwatch cursor 1`; the number grows when older programs cannot
/// read what is written. Then a line for each file that was read and is still there, parts apart by one
/// space:
///
/// ```text
/// at=1048633 ends=9c64f2d1a0b3e587 begins=1024:06b1c1cbbd4d4e2a node=2049:917511 open shop.log
/// ```
///
/// | part | means |
/// |---|---|
/// | `at` | the reader stands before this byte, decompressed; `all`: behind whatever is in the file |
/// | `ends` | the sum of the 1,024 bytes before it, or of as many as there are |
/// | `begins` | how many of the file's first bytes are known, at most 1,024, and their sum |
/// | `node` | device and inode; `-` where the system has none |
/// | `open`, `done` | whether more is expected in the file |
/// | the rest | the file's name when it was last seen |
///
/// The last line is `sum=` and the sum of all that stands before it. A sum is FNV-1a of 64 bits, in 16
/// hexadecimal digits. A saved file replaces the one before it in one step: written beside it, synced,
/// renamed, and its folder synced.
#[derive(Debug)]
pub struct Cursor {
    path: PathBuf,
    places: Option<Vec<Place>>,
    /// `None` in a folder that was not there.
    lock: Option<Lock>,
}

impl Cursor {
    /// Locks a cursor and reads it. One that is not there yet is new: the first save makes its file. In a
    /// folder that is not there it is locked by its first save.
    ///
    /// An error if another reader has it, and if it cannot be read or is garbled: then where its reader
    /// stood is not known, and to begin anew is not for the library to decide.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        // What is no cursor is not locked.
        saved(path)?;
        let lock = match locked(path) {
            Ok(lock) => Some(lock),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            places: saved(path)?,
            lock,
        })
    }

    /// Whether it was never saved.
    pub fn is_new(&self) -> bool {
        self.places.is_none()
    }

    /// Where it is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps where the reader stands: behind the last line that it was given. When this returns, it
    /// outlives a power cut. Does nothing if the reader stands where it stood.
    ///
    /// An error leaves what was saved before.
    pub fn save(&mut self, follow: &Follow<'_>) -> Result<(), Error> {
        let places = follow.places();
        if self.places.as_ref() == Some(&places) {
            return Ok(());
        }
        if self.lock.is_none() {
            self.lock = match locked(&self.path) {
                Err(error) if error.is_not_found() => None,
                lock => Some(lock?),
            };
        }
        replace(&self.path, encode(&places).as_bytes())
            .map_err(|error| Error::save_cursor(&self.path, error))?;
        self.places = Some(places);
        Ok(())
    }

    pub(crate) fn places(&self) -> Option<&[Place]> {
        self.places.as_deref()
    }
}

/// Where the reader of a cursor stands, as it was saved last; `None` if it never was.
pub(crate) fn saved(path: &Path) -> Result<Option<Vec<Place>>, Error> {
    match fs::read(path) {
        Ok(bytes) => decode(&bytes, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read_cursor(path, error)),
    }
}

fn locked(path: &Path) -> Result<Lock, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    Lock::take(Path::new(&name)).map_err(|error| Error::lock_cursor(path, error))
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.to_owned().into_os_string();
    unfinished.push(".tmp");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&unfinished, path)?;
    // Where a folder cannot be opened as a file, the system keeps its names by itself.
    if cfg!(unix) {
        let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn encode(places: &[Place]) -> String {
    let mut text = format!("{HEAD}{VERSION}\n");
    for place in places.iter().filter(|place| place.begins.length > 0) {
        let reach = match place.reach {
            Reach::At { at, ends } => format!("at={at} ends={ends:016x}"),
            Reach::Whole => "at=all ends=-".to_owned(),
        };
        let node = match place.node {
            Some((device, inode)) => format!("{device}:{inode}"),
            None => "-".to_owned(),
        };
        let Beginning { length, sum } = place.begins;
        let state = if place.done { "done" } else { "open" };
        text += &format!(
            "{reach} begins={length}:{sum:016x} node={node} {state} {}\n",
            place.name
        );
    }
    let sum = sum(text.as_bytes());
    text + &format!("sum={sum:016x}\n")
}

fn decode(bytes: &[u8], path: &Path) -> Result<Vec<Place>, Error> {
    let garbled = |line| Error::garbled_cursor(path, line);
    let text = std::str::from_utf8(bytes).map_err(|_| garbled(1))?;
    let version = text.lines().next().and_then(|line| line.strip_prefix(HEAD));
    match version.and_then(|version| version.parse().ok()) {
        Some(VERSION) => {}
        Some(version) => return Err(Error::newer_cursor(path, version)),
        None => return Err(garbled(1)),
    }
    let lines = text.lines().count();
    let end = text.rfind("sum=").ok_or_else(|| garbled(lines))?;
    if text[end..] != format!("sum={:016x}\n", sum(&bytes[..end])) {
        return Err(garbled(lines));
    }
    let places = text[..end].lines().enumerate().skip(1);
    places
        .map(|(index, line)| place(line).ok_or_else(|| garbled(index + 1)))
        .collect()
}

fn place(line: &str) -> Option<Place> {
    let mut parts = line.splitn(6, ' ');
    let mut value = |key: &str| parts.next()?.strip_prefix(key)?.strip_prefix('=');
    let (at, ends) = (value("at")?, value("ends")?);
    let (length, begins) = value("begins")?.split_once(':')?;
    let node = value("node")?;
    Some(Place {
        node: match node.split_once(':') {
            Some((device, inode)) => Some((device.parse().ok()?, inode.parse().ok()?)),
            None if node == "-" => None,
            None => return None,
        },
        begins: Beginning {
            length: length.parse().ok()?,
            sum: hex(begins)?,
        },
        reach: match at {
            "all" => Reach::Whole,
            at => Reach::At {
                at: at.parse().ok()?,
                ends: hex(ends)?,
            },
        },
        done: match parts.next()? {
            "done" => true,
            "open" => false,
            _ => return None,
        },
        name: parts.next()?.to_owned(),
    })
}

fn hex(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok()
}

const HEAD: &str = "dogwatch cursor ";
const VERSION: u64 = 1;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::{decode, encode};
    use crate::place::{Beginning, Place, Reach, sum};

    fn place() -> impl Strategy<Value = Place> {
        let reach = prop_oneof![
            Just(Reach::Whole),
            any::<(u64, u64)>().prop_map(|(at, ends)| Reach::At { at, ends }),
        ];
        let node = prop::option::of(any::<(u64, u64)>());
        let rest = (
            1..=1024_usize,
            any::<u64>(),
            any::<bool>(),
            "[a-z 日.=]{0,9}",
        );
        (node, reach, rest).prop_map(|(node, reach, (length, sum, done, name))| Place {
            node,
            name,
            begins: Beginning { length, sum },
            reach,
            done,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(places in prop::collection::vec(place(), 0..5)) {
            let text = encode(&places);
            prop_assert_eq!(decode(text.as_bytes(), Path::new("c")).unwrap(), places);
        }

        #[test]
        fn what_was_changed_anywhere_is_told(places in prop::collection::vec(place(), 0..3), at: prop::sample::Index, byte: u8) {
            let mut bytes = encode(&places).into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            let error = decode(&bytes, Path::new("c")).unwrap_err();
            prop_assert!(error.is_garbled());
            bytes.truncate(at);
            prop_assert!(decode(&bytes, Path::new("c")).unwrap_err().is_garbled());
        }
    }

    #[test]
    fn the_format_is_the_one_that_is_documented() {
        let open = Place {
            node: Some((2049, 917_511)),
            name: "shop.log".to_owned(),
            begins: Beginning {
                length: 1024,
                sum: 0x06b1_c1cb_bd4d_4e2a,
            },
            reach: Reach::At {
                at: 1_048_633,
                ends: 0x9c64_f2d1_a0b3_e587,
            },
            done: false,
        };
        let passed = Place {
            node: None,
            name: "日 志.log.1.gz".to_owned(),
            reach: Reach::Whole,
            done: true,
            ..open.clone()
        };
        assert_eq!(
            encode(&[open, passed]),
            "dogwatch cursor 1\n\
             at=1048633 ends=9c64f2d1a0b3e587 begins=1024:06b1c1cbbd4d4e2a node=2049:917511 open shop.log\n\
             at=all ends=- begins=1024:06b1c1cbbd4d4e2a node=- done 日 志.log.1.gz\n\
             sum=0f01b0bf249ca4a7\n"
        );
    }

    #[test]
    fn what_is_no_cursor_is_one_clear_error() {
        for (text, expected) in [
            (
                "",
                "cannot read the cursor `c`: its line 1 is garbled; delete it, and its reader begins anew",
            ),
            (
                "{}\n",
                "cannot read the cursor `c`: its line 1 is garbled; delete it, and its reader begins anew",
            ),
            (
                "dogwatch cursor 1\n",
                "cannot read the cursor `c`: its line 1 is garbled; delete it, and its reader begins anew",
            ),
            (
                "dogwatch cursor 2\nwhatever\n",
                "cannot read the cursor `c`: its format is 2, and this program knows 1; update it",
            ),
        ] {
            let error = decode(text.as_bytes(), Path::new("c")).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        // Whole, and yet no line of a cursor.
        let text = "dogwatch cursor 1\nat=1\n";
        let whole = format!("{text}sum={:016x}\n", sum(text.as_bytes()));
        assert_eq!(
            decode(whole.as_bytes(), Path::new("c"))
                .unwrap_err()
                .to_string(),
            "cannot read the cursor `c`: its line 2 is garbled; delete it, and its reader begins anew"
        );
    }
}
