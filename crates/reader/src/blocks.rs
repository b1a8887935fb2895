//! Cuts what is read into blocks of whole lines.

/// A buffer that is filled from one side and gives whole lines on the other.
pub(crate) struct Blocks {
    buffer: Vec<u8>,
    /// What was given out and not yet taken away.
    given: usize,
    filled: usize,
    /// Bytes of a line that is too long and is being left out.
    skipped: u64,
}

/// What the buffer has next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// As many bytes from the beginning are whole lines.
    Lines(usize),
    /// The last line has no end; it is this long.
    Torn(usize),
    /// A line of this many bytes was left out.
    Long(u64),
    /// There is no whole line: more is to be read.
    More,
}

impl Blocks {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; BLOCK],
            given: 0,
            filled: 0,
            skipped: 0,
        }
    }

    /// Where more is read to.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.take_away();
        if self.filled == self.buffer.len() {
            // One line fills it all.
            let larger = (self.buffer.len() * 2).min(MAX_LINE);
            self.buffer.resize(larger, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// As many bytes were read to the room.
    pub(crate) fn fill(&mut self, read: usize) {
        self.filled += read;
    }

    /// What can be given out, after something was read, or at the end.
    pub(crate) fn next(&mut self, ended: bool) -> Next {
        self.take_away();
        let whole = memchr::memrchr(b'\n', &self.buffer[..self.filled]).map_or(0, |at| at + 1);
        if self.skipped > 0 {
            return self.skip(ended);
        }
        if whole > 0 {
            self.given = whole;
            return Next::Lines(whole);
        }
        if ended && self.filled > 0 {
            self.given = self.filled;
            return Next::Torn(self.filled);
        }
        if self.filled == MAX_LINE {
            self.skipped = self.filled as u64;
            self.given = self.filled;
        }
        Next::More
    }

    /// Leaves out a line that is too long, up to its end.
    fn skip(&mut self, ended: bool) -> Next {
        let end = memchr::memchr(b'\n', &self.buffer[..self.filled]).map(|at| at + 1);
        match end {
            Some(end) => self.given = end,
            None => self.given = self.filled,
        }
        self.skipped += self.given as u64;
        if end.is_some() || ended {
            return Next::Long(std::mem::take(&mut self.skipped));
        }
        Next::More
    }

    /// Whether all that was filled in was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.filled == self.given && self.skipped == 0
    }

    /// The bytes that were given.
    pub(crate) fn given(&self) -> &[u8] {
        &self.buffer[..self.given]
    }

    /// What waits for the end of its line.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.buffer[self.given..self.filled]
    }

    /// Nobody needs any more what was given.
    pub(crate) fn let_go(&mut self) {
        self.take_away();
    }

    fn take_away(&mut self) {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.given = 0;
        // A buffer that one long line has made large is not kept.
        if self.buffer.len() > BLOCK && self.filled <= BLOCK / 2 {
            self.buffer.truncate(BLOCK);
            self.buffer.shrink_to_fit();
        }
    }
}

/// A line without its end, and without the byte order mark that some editors begin a file with.
pub(crate) fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Fits the second-level cache of any machine of these years, so that a block is searched several
/// times for the price of one.
pub(crate) const BLOCK: usize = 256 << 10;

/// The longest line that is read, in bytes. A longer one is left out, told and counted.
pub const MAX_LINE: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::{Blocks, MAX_LINE, Next};
    use proptest::prelude::*;

    /// The lines, torn ones with a `!`, and the lengths of those left out.
    fn lines(text: &[u8], step: usize) -> (Vec<String>, Vec<u64>) {
        let mut blocks = Blocks::new();
        let (mut rest, mut found, mut long) = (text, Vec::new(), Vec::new());
        loop {
            let room = blocks.room();
            let read = step.min(rest.len()).min(room.len());
            room[..read].copy_from_slice(&rest[..read]);
            blocks.fill(read);
            rest = &rest[read..];
            let ended = read == 0;
            loop {
                match blocks.next(ended) {
                    Next::Lines(length) => {
                        let given = std::str::from_utf8(&blocks.given()[..length]).unwrap();
                        found.extend(given.lines().map(str::to_owned));
                    }
                    Next::Torn(length) => found.push(format!(
                        "{}!",
                        String::from_utf8_lossy(&blocks.given()[..length])
                    )),
                    Next::Long(bytes) => long.push(bytes),
                    Next::More => break,
                }
            }
            if ended {
                return (found, long);
            }
        }
    }

    proptest! {
        #[test]
        fn lines_come_whole_however_they_are_read(text in "[a-c\n]{0,60}", step in 1_usize..70) {
            let mut expected: Vec<String> = text.lines().map(str::to_owned).collect();
            if !text.is_empty() && !text.ends_with('\n') {
                expected.last_mut().unwrap().push('!');
            }
            prop_assert_eq!(lines(text.as_bytes(), step), (expected, Vec::new()));
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_the_bound_and_no_longer() {
        let just = "x".repeat(MAX_LINE - 1) + "\n";
        let long = "y".repeat(MAX_LINE) + "\n";
        let text = format!("a\n{just}{long}b\n{long}");
        let (found, left_out) = lines(text.as_bytes(), 1 << 20);
        let lengths: Vec<usize> = found.iter().map(String::len).collect();
        assert_eq!(lengths, [1, MAX_LINE - 1, 1]);
        assert_eq!(left_out, [MAX_LINE as u64 + 1; 2]);
        // A torn one of that length is no line either.
        assert_eq!(
            lines(&long.as_bytes()[..MAX_LINE], 1 << 20),
            (Vec::new(), vec![MAX_LINE as u64])
        );
    }
}
