//! Reads a trace id as somebody pastes it. Pure.

use std::fmt;

/// A trace id, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(String);

impl Id {
    /// 32 hexadecimal digits, a `traceparent`, an id of another system, or how one begins.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // W3C Trace Context section 3.2: version, trace id, parent id, flags.
        let id = match text.split('-').collect::<Vec<_>>()[..] {
            [version, id, parent, flags]
                if [version, id, parent, flags].map(str::len) == [2, WHOLE, 16, 2] =>
            {
                id
            }
            _ => text,
        };
        let plausible = id
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !plausible || id.len() < LEAST || id.len() > MOST {
            return Err(format!(
                "`{text}` is no trace id: that is {WHOLE} digits and letters from a to f, of which the first {LEAST} or more do"
            ));
        }
        Ok(Self(id.to_owned()))
    }

    /// Whether there is no longer one that begins so.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.len() >= WHOLE
    }

    /// The query that finds it, also where it was pasted in capitals.
    pub(crate) fn query(&self) -> String {
        let lower = self.0.to_ascii_lowercase();
        let star = if self.is_whole() { "" } else { "*" };
        if lower == self.0 {
            format!("trace_id={lower}{star}")
        } else {
            format!("trace_id={lower}{star} or trace_id={}{star}", self.0)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fewer digits begin too many.
const LEAST: usize = 6;
const WHOLE: usize = 32;
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::Id;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn an_id_is_read_as_it_is_pasted() {
        for (text, query) in [
            (ID.to_owned(), format!("trace_id={ID}")),
            (format!(" {ID}\n"), format!("trace_id={ID}")),
            (
                format!("00-{ID}-00f067aa0ba902b7-01"),
                format!("trace_id={ID}"),
            ),
            ("4bf92f".to_owned(), "trace_id=4bf92f*".to_owned()),
            (
                "4BF92F".to_owned(),
                "trace_id=4bf92f* or trace_id=4BF92F*".to_owned(),
            ),
            (
                "4bf92f35-77b3-4da6-a3ce-929d0e0e4736".to_owned(),
                "trace_id=4bf92f35-77b3-4da6-a3ce-929d0e0e4736".to_owned(),
            ),
        ] {
            assert_eq!(Id::read(&text).unwrap().query(), query);
        }
    }

    #[test]
    fn what_is_no_id_is_told_in_one_sentence() {
        for text in [
            "",
            "4bf92",
            "payment",
            "4bf92f*",
            "支付支付支付",
            &"a".repeat(65),
        ] {
            let error = Id::read(text).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "`{text}` is no trace id: that is 32 digits and letters from a to f, of which the first 6 or more do"
                )
            );
        }
    }
}
