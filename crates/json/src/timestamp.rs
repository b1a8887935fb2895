//! How a line tells its moment: RFC 3339 of a fixed width, or a number since 1970.

/// How finely a moment is told. What is finer is cut off, not rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Millis,
    /// Millionths of a second.
    Micros,
    /// Thousand-millionths of a second.
    Nanos,
}

/// How a line's `timestamp` is written.
///
/// Text is RFC 3339 (section 5.6) with always the same number of digits, so that lines of one offset
/// sort as text. Moments before 1970 and after the year 9999 are written as the nearest that fits.
///
/// | | |
/// |---|---|
/// | `Timestamp::rfc3339(Precision::Micros)`, the default | `"2026-11-24T05:57:00.123456Z"` |
/// | `Timestamp::rfc3339(Precision::Seconds).offset_minutes(480)` | `"2026-11-24T13:57:00+08:00"` |
/// | `Timestamp::epoch(Precision::Millis)` | `1795499820123` |
/// | `Timestamp::epoch_text(Precision::Nanos)` | `"1795499820123456000"` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    pub(crate) precision: Precision,
    pub(crate) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// With an offset from UTC in minutes.
    Rfc3339(i16),
    Number,
    Text,
}

impl Timestamp {
    /// The longest offset that RFC 3339 can say: 23:59.
    pub(crate) const MOST_OFFSET: i16 = 23 * 60 + 59;

    /// RFC 3339 in UTC, ended by `Z`.
    pub const fn rfc3339(precision: Precision) -> Self {
        let shape = Shape::Rfc3339(0);
        Timestamp { precision, shape }
    }

    /// A whole number since `1970-01-01T00:00:00Z`, without leap seconds.
    ///
    /// A reader that keeps numbers as `f64`, as JavaScript does, loses digits of
    /// [`Precision::Nanos`]: see [`Timestamp::epoch_text`].
    pub const fn epoch(precision: Precision) -> Self {
        let shape = Shape::Number;
        Timestamp { precision, shape }
    }

    /// As [`Timestamp::epoch`], as a string.
    pub const fn epoch_text(precision: Precision) -> Self {
        let shape = Shape::Text;
        Timestamp { precision, shape }
    }

    /// RFC 3339 in a fixed offset from UTC, east of it if positive. No effect on numbers.
    ///
    /// Offsets of 24 hours and more are refused when the [`Schema`](crate::Schema) is built.
    pub const fn offset_minutes(mut self, minutes: i16) -> Self {
        if let Shape::Rfc3339(_) = self.shape {
            self.shape = Shape::Rfc3339(minutes);
        }
        self
    }

    pub(crate) fn offset(self) -> i16 {
        match self.shape {
            Shape::Rfc3339(minutes) => minutes,
            Shape::Number | Shape::Text => 0,
        }
    }

    /// What stands before the digits.
    pub(crate) fn before(self) -> &'static str {
        if self.shape == Shape::Number {
            ""
        } else {
            "\""
        }
    }

    /// What stands behind the digits: the offset and the quote.
    pub(crate) fn after(self) -> String {
        match self.shape {
            Shape::Rfc3339(0) => "Z\"".to_owned(),
            Shape::Rfc3339(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                format!("{sign}{:02}:{:02}\"", minutes / 60, minutes % 60)
            }
            Shape::Number => String::new(),
            Shape::Text => "\"".to_owned(),
        }
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Timestamp::rfc3339(Precision::Micros)
    }
}
