//! Names rolled files, and tells which names in a directory are provably ours. Pure.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;

/// All files of one log: `app.log`, and beside it `app.2026-11-24T10-00-00.000123.log[.gz|.zst]`.
///
/// Colons are illegal on Windows, hence the dashes. The sequence number grows strictly; order is
/// by it alone, because the time of day may step back.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    directory: PathBuf,
    current: String,
    stem: String,
    /// With its dot, or empty.
    extension: String,
}

/// A rolled file of a family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) sequence: u64,
    pub(crate) begun: DateTime,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Plain,
    Gzip,
    Zstd,
    /// Being compressed, or left so by a crash.
    Unfinished,
}

impl Form {
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Unfinished => ".tmp",
        }
    }
}

impl Family {
    /// `None` if the path has no file name, or one that is not UTF-8.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let current = path.file_name()?.to_str()?.to_owned();
        let stem = path.file_stem()?.to_str()?.to_owned();
        let extension = current[stem.len()..].to_owned();
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Some(Self {
            directory,
            current,
            stem,
            extension,
        })
    }

    /// The family of `app-2.log`, beside `app.log`.
    pub(crate) fn numbered(&self, number: u32) -> Self {
        let stem = format!("{}-{number}", self.stem);
        Self {
            directory: self.directory.clone(),
            current: format!("{stem}{}", self.extension),
            stem,
            extension: self.extension.clone(),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file that is written to.
    pub(crate) fn current(&self) -> PathBuf {
        self.directory.join(&self.current)
    }

    /// A dot file: no tailer's glob matches it.
    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join(format!(".{}.lock", self.current))
    }

    /// The name of a crash ring. Rings are numbered in the order of the processes.
    #[cfg(target_os = "linux")]
    pub(crate) fn ring(&self, number: u64) -> PathBuf {
        self.aside(number, RING)
    }

    /// The number of the crash ring of that name.
    #[cfg(target_os = "linux")]
    pub(crate) fn ring_number(&self, name: &str) -> Option<u64> {
        self.aside_number(name, RING)
    }

    /// A numbered file of our own use, a dot file too.
    pub(crate) fn aside(&self, number: u64, what: &str) -> PathBuf {
        self.directory.join(self.aside_name(number, what))
    }

    fn aside_name(&self, number: u64, what: &str) -> String {
        format!(".{}.{number:06}.{what}", self.current)
    }

    /// The number of such a file. The proof is the same as for a member.
    pub(crate) fn aside_number(&self, name: &str, what: &str) -> Option<u64> {
        let rest = name.strip_prefix('.')?.strip_prefix(&self.current)?;
        let digits = rest.strip_prefix('.')?.strip_suffix(what)?;
        let number = digits.strip_suffix('.')?.parse().ok()?;
        (self.aside_name(number, what) == name).then_some(number)
    }

    /// The rolled files among these names, in order.
    pub(crate) fn members(&self, names: &[String]) -> Vec<Member> {
        let mut members: Vec<_> = names.iter().filter_map(|name| self.parse(name)).collect();
        members.sort_unstable();
        members
    }

    /// The last number that was given to a rolled file, as far as these names tell: of one that is
    /// there, or of one that a callback was called with and that is gone.
    pub(crate) fn last_sequence(&self, names: &[String]) -> u64 {
        let number = |name: &String| {
            let told = [ROLLED, CLOSED].into_iter();
            let told = told.filter_map(|what| self.aside_number(name, what)).max();
            told.max(self.parse(name).map(|member| member.sequence))
        };
        names.iter().filter_map(number).max().unwrap_or(0)
    }

    pub(crate) fn path(&self, member: &Member) -> PathBuf {
        self.directory.join(self.name(member))
    }

    pub(crate) fn name(&self, member: &Member) -> String {
        let Self {
            stem, extension, ..
        } = self;
        let Member {
            sequence,
            begun,
            form,
        } = member;
        let begun = begun.strftime("%Y-%m-%dT%H-%M-%S");
        format!("{stem}.{begun}.{sequence:06}{extension}{}", form.suffix())
    }

    /// The member of that name. The proof: writing it out again gives the same name.
    pub(crate) fn parse(&self, name: &str) -> Option<Member> {
        let rest = name.strip_prefix(&self.stem)?.strip_prefix('.')?;
        let (begun, rest) = (rest.get(..TIME.len())?, rest.get(TIME.len()..)?);
        let rest = rest.strip_prefix('.')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let form = match rest[digits..].strip_prefix(&self.extension)? {
            "" => Form::Plain,
            ".gz" => Form::Gzip,
            ".zst" => Form::Zstd,
            ".tmp" => Form::Unfinished,
            _ => return None,
        };
        let sequence = rest[..digits].parse().ok()?;
        let begun = DateTime::strptime("%Y-%m-%dT%H-%M-%S", begun).ok()?;
        let member = Member {
            sequence,
            begun,
            form,
        };
        (self.name(&member) == name).then_some(member)
    }
}

/// Up to which file `on_roll` was called.
pub(crate) const ROLLED: &str = "rolled";

/// Up to which file `on_close` was called.
pub(crate) const CLOSED: &str = "closed";

#[cfg(target_os = "linux")]
const RING: &str = "ring";

const TIME: &str = "2026-11-24T10-00-00";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn family(path: &str) -> Family {
        Family::of(Path::new(path)).unwrap()
    }

    #[test]
    fn only_names_that_are_provably_ours_are_ours() {
        let cases = [
            ("app.2026-11-24T10-00-00.000123.log", true),
            ("app.2026-11-24T10-00-00.000123.log.gz", true),
            ("app.2026-11-24T10-00-00.000123.log.zst", true),
            ("app.2026-11-24T10-00-00.000123.log.tmp", true),
            ("app.2026-11-24T10-00-00.1234567.log", true),
            ("app.log", false),
            ("app.db", false),
            ("app.conf", false),
            ("app.backup.tar", false),
            ("app.1.bak", false),
            ("app.log.bak", false),
            ("app.log.1", false),
            ("app-audit.2020-01-01", false),
            ("app-audit.2026-11-24T10-00-00.000123.log", false),
            ("app.audit.2026-11-24T10-00-00.000123.log", false),
            ("app.2020-01-01.log", false),
            ("app.2026-11-24T10-00-00.000123", false),
            ("app.2026-11-24T10-00-00.000123.log.idx", false),
            ("app.2026-11-24T10-00-00.000123.log.gz.bak", false),
            ("app.2026-11-24T10-00-00.123.log", false),
            ("app.2026-11-24T10-00-00.0000123.log", false),
            ("app.2026-13-24T10-00-00.000123.log", false),
            ("app.2026-02-30T10-00-00.000123.log", false),
            ("app.2026-11-24T10:00:00.000123.log", false),
            ("app.2026-11-24T10-00-00..log", false),
            ("app.2026-11-24T10-00-00.99999999999999999999.log", false),
            ("app.日本日本日本日本.000123.log", false),
            ("", false),
        ];
        for (name, ours) in cases {
            assert_eq!(family("logs/app.log").parse(name).is_some(), ours, "{name}");
        }
    }

    #[test]
    fn a_log_without_extension_and_a_log_with_one_are_two_families() {
        let bare = family("app");
        let with = family("app.log");
        assert!(bare.parse("app.2026-11-24T10-00-00.000001").is_some());
        assert!(bare.parse("app.2026-11-24T10-00-00.000001.log").is_none());
        assert!(with.parse("app.2026-11-24T10-00-00.000001").is_none());
        assert_eq!(bare.current(), Path::new("./app"));
        assert_eq!(with.lock(), Path::new("./.app.log.lock"));
    }

    #[test]
    fn a_numbered_log_is_a_family_of_its_own() {
        let numbered = family("logs/app.log").numbered(2);
        assert_eq!(numbered.current(), Path::new("logs/app-2.log"));
        assert_eq!(numbered.lock(), Path::new("logs/.app-2.log.lock"));
        assert!(
            numbered
                .parse("app-2.2026-11-24T10-00-00.000001.log")
                .is_some()
        );
        assert!(
            numbered
                .parse("app.2026-11-24T10-00-00.000001.log")
                .is_none()
        );
        let first = family("logs/app.log");
        assert!(
            first
                .parse("app-2.2026-11-24T10-00-00.000001.log")
                .is_none()
        );
        assert_eq!(family("app").numbered(3).current(), Path::new("./app-3"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_ring_is_known_by_its_whole_name() {
        let family = family("logs/app.log");
        assert_eq!(family.ring(7), Path::new("logs/.app.log.000007.ring"));
        for (name, number) in [
            (".app.log.000007.ring", Some(7)),
            (".app.log.1234567.ring", Some(1_234_567)),
            (".app.log.7.ring", None),
            (".app.log.+00007.ring", None),
            (".app.log.000007.ring.bad", None),
            (".app.log.000007.ring.tmp", None),
            ("app.log.000007.ring", None),
            (".app.log.ring", None),
            (".app.log..ring", None),
            (".app.000007.ring", None),
        ] {
            assert_eq!(family.ring_number(name), number, "{name}");
        }
    }

    #[test]
    fn the_last_number_is_that_of_a_file_or_of_a_mark_though_the_file_is_gone() {
        let family = family("logs/app.log");
        let cases: [(&[&str], u64); 5] = [
            (&[], 0),
            (&["app.log", "app.2026-11-24T10-00-00.000003.log"], 3),
            (
                &[
                    ".app.log.000004.closed",
                    "app.2026-11-24T10-00-00.000003.log.gz",
                ],
                4,
            ),
            (&[".app.log.000005.rolled", ".app.log.000004.closed"], 5),
            (
                &[
                    ".app.log.000009.ring",
                    ".app.log.9.closed",
                    ".b.log.000009.closed",
                ],
                0,
            ),
        ];
        for (names, last) in cases {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(family.last_sequence(&names), last, "{names:?}");
        }
    }

    #[test]
    fn a_path_without_a_file_name_has_no_family() {
        assert!(Family::of(Path::new("/")).is_none());
        assert!(Family::of(Path::new("logs/..")).is_none());
    }

    proptest! {
        #[test]
        fn every_name_that_we_write_we_know_again(
            sequence: u64, seconds in 0i64..4_000_000_000, form in 0usize..4,
            path in "[a-z.]{0,5}[a-z]",
        ) {
            let family = family(&path);
            let begun = jiff::Timestamp::from_second(seconds).unwrap()
                .to_zoned_datetime(jiff::tz::TimeZone::UTC).datetime();
            let form = [Form::Plain, Form::Gzip, Form::Zstd, Form::Unfinished][form];
            let member = Member { sequence, begun, form };
            prop_assert_eq!(family.parse(&family.name(&member)), Some(member));
        }

        #[test]
        fn no_other_name_makes_the_parser_panic(name in "app\\..{0,40}") {
            if let Some(member) = family("app.log").parse(&name) {
                prop_assert_eq!(family("app.log").name(&member), name);
            }
        }
    }
}
