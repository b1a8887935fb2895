//! A place in a log: which file, told by its beginning and its bytes, and how far it was read. Pure.

use crate::name::{Age, Name};

/// How far a file was read, and what the file is, whatever it is called.
///
/// A place in the file system alone is not enough: a new file often gets the inode of one that was
/// just deleted, and one that is compressed gets another. Two files may begin alike, with a header for
/// instance. So the bytes just before the place are known too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Device and inode, where the system has them.
    pub(crate) node: Option<(u64, u64)>,
    /// The file's name when it was last seen.
    pub(crate) name: String,
    pub(crate) begins: Beginning,
    pub(crate) reach: Reach,
    /// Whether the file was let go: nothing more is expected in it.
    pub(crate) done: bool,
}

/// How far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    /// Before the byte `at`, decompressed; `ends` is the sum of the [`WINDOW`] bytes before it.
    At { at: u64, ends: u64 },
    /// All of it, whatever is in it.
    Whole,
}

/// The first bytes of a file: how many are known, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beginning {
    pub(crate) length: usize,
    pub(crate) sum: u64,
}

impl Beginning {
    /// Of bytes of which all that is known is given.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let known = &bytes[..bytes.len().min(WINDOW)];
        Self {
            length: known.len(),
            sum: sum(known),
        }
    }

    /// Whether a file begins so. Nothing is known of an empty beginning: no file begins so.
    pub(crate) fn is_of(&self, bytes: &[u8]) -> bool {
        self.length > 0
            && bytes
                .get(..self.length)
                .is_some_and(|known| sum(known) == self.sum)
    }
}

impl Place {
    /// Whether the names say that it is another file: the date and number in a name never change.
    pub(crate) fn is_named_otherwise(&self, name: &str) -> bool {
        match (Name::of(&self.name), Name::of(name)) {
            (Some(one), Some(other)) => {
                let dated = |name: &Name| matches!(name.age, Age::Dated(..));
                dated(&one) && dated(&other) && (one.log, one.age) != (other.log, other.age)
            }
            _ => false,
        }
    }
}

/// FNV-1a of 64 bits (draft-eastlake-fnv section 2): it tells files apart, and keeps nobody out.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The last bytes of two texts, one behind the other, as many as a sum takes in.
pub(crate) fn window(before: &[u8], then: &[u8]) -> Vec<u8> {
    let rest = WINDOW.saturating_sub(then.len()).min(before.len());
    let mut window = before[before.len() - rest..].to_vec();
    window.extend_from_slice(&then[then.len().saturating_sub(WINDOW)..]);
    window
}

/// A few lines: enough for a time with a fraction to tell one file from another.
pub(crate) const WINDOW: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::{Beginning, WINDOW, sum, window};

    #[test]
    fn a_sum_is_the_published_one() {
        // draft-eastlake-fnv, appendix C.
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(sum(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_has_grown_begins_as_it_did() {
        let short = Beginning::of(b"one\n");
        assert!(short.is_of(b"one\n") && short.is_of(b"one\ntwo\n"));
        assert!(!short.is_of(b"one") && !short.is_of(b"two\none\n"));
        assert!(!Beginning::of(b"").is_of(b"one\n"));
        assert_eq!(Beginning::of(&[7; 5_000]).length, WINDOW);
    }

    #[test]
    fn a_window_is_the_last_bytes_of_both() {
        assert_eq!(window(b"ab", b"cd"), b"abcd");
        let (before, then) = ([1; WINDOW], [2; 24]);
        assert_eq!(
            window(&before, &then),
            [&[1; WINDOW - 24][..], &then].concat()
        );
        assert_eq!(window(&before, &[3; 2 * WINDOW]), [3; WINDOW]);
    }
}
