//! Keeps the lines before and after those that a query finds. Pure.

use std::collections::VecDeque;

/// What becomes of the lines of a log, given one after the other.
pub(crate) struct Context {
    lines: usize,
    /// Lines that were not found and may stand before one that is.
    before: VecDeque<String>,
    /// So many lines behind one that was found are still to come.
    after: usize,
    /// Whether lines were left out since the last that was given.
    gap: bool,
    any: bool,
}

/// Why a line is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Found,
    Around,
    /// No line: some were left out here.
    Gap,
}

impl Context {
    /// So many lines before and after.
    pub(crate) fn new(lines: usize) -> Self {
        Self {
            lines,
            before: VecDeque::new(),
            after: 0,
            gap: false,
            any: false,
        }
    }

    /// Takes the next line of the log and gives what is to be shown now.
    pub(crate) fn line<E>(
        &mut self,
        line: &str,
        found: bool,
        give: &mut dyn FnMut(Place, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        if found {
            if self.gap && self.any {
                give(Place::Gap, "")?;
            }
            self.gap = false;
            self.any = true;
            for line in self.before.drain(..) {
                give(Place::Around, &line)?;
            }
            self.after = self.lines;
            return give(Place::Found, line);
        }
        if self.after > 0 {
            self.after -= 1;
            return give(Place::Around, line);
        }
        if self.before.len() >= self.lines {
            self.gap = true;
            self.before.pop_front();
        }
        if self.lines > 0 {
            self.before.push_back(line.to_owned());
        }
        Ok(())
    }

    /// Whether all lines behind the last that was found were given.
    pub(crate) fn is_complete(&self) -> bool {
        self.after == 0
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::{Context, Place};

    /// Found lines as capitals, those around them as they are, `-` for a gap.
    fn shown(lines: usize, log: &str) -> String {
        let mut context = Context::new(lines);
        let mut out = String::new();
        for char in log.chars() {
            let found = char.is_uppercase();
            let _: Result<(), Infallible> =
                context.line(&char.to_string(), found, &mut |place, line| {
                    out.push_str(if place == Place::Gap { "-" } else { line });
                    assert_eq!(
                        place == Place::Found,
                        line.chars().all(char::is_uppercase) && place != Place::Gap
                    );
                    Ok(())
                });
        }
        out
    }

    #[test]
    fn each_line_is_given_once_and_what_is_left_out_is_marked() {
        for (lines, log, expected) in [
            (0, "aBcDe", "B-D"),
            (0, "BD", "BD"),
            (1, "abCde", "bCd"),
            (1, "aBcdE", "aBcdE"),
            (1, "aBcdeF", "aBc-eF"),
            (2, "aBCdefghI", "aBCde-ghI"),
            (9, "abC", "abC"),
            (1, "abc", ""),
        ] {
            assert_eq!(shown(lines, log), expected, "{lines} {log}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_line_is_given_if_one_that_is_near_is_found(log in "[aB]{0,40}", lines in 0..5_usize) {
            let found: Vec<bool> = log.chars().map(char::is_uppercase).collect();
            let near = |at: usize| {
                found[at.saturating_sub(lines)..(at + lines + 1).min(found.len())].contains(&true)
            };
            let expected: String = log.chars().enumerate().filter(|(at, _)| near(*at)).map(|(_, char)| char).collect();
            proptest::prop_assert_eq!(shown(lines, &log).replace('-', ""), expected);
        }
    }
}
