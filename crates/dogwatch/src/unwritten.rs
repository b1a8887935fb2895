//! Counts the lines that were not written, by output.

use std::fmt;

/// Lines that were not written, by output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    outputs: Vec<(String, u64)>,
}

impl Unwritten {
    /// `Ok` if no output left a line behind.
    pub(crate) fn of(outputs: Vec<(String, u64)>) -> Result<(), Self> {
        let outputs: Vec<_> = outputs
            .into_iter()
            .filter(|(_, lines)| *lines > 0)
            .collect();
        if outputs.is_empty() {
            Ok(())
        } else {
            Err(Self { outputs })
        }
    }

    /// How many lines, over all outputs.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.outputs.iter().map(|(_, lines)| lines).sum()
    }

    /// How many lines by output: `stdout`, or the path of the file.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, u64)> {
        self.outputs
            .iter()
            .map(|(name, lines)| (name.as_str(), *lines))
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("log lines were not written: ")?;
        for (n, (name, lines)) in self.outputs.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{lines} to `{name}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unwritten {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_is_told_by_output() {
        assert_eq!(Unwritten::of(vec![("stdout".into(), 0)]), Ok(()));
        let outputs = vec![
            ("a.log".into(), 2),
            ("b.log".into(), 0),
            ("stdout".into(), 3),
        ];
        let error = Unwritten::of(outputs).unwrap_err();
        assert_eq!(error.lines(), 5);
        assert_eq!(
            error.to_string(),
            "log lines were not written: 2 to `a.log`, 3 to `stdout`"
        );
    }
}
