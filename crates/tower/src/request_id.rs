//! The `x-request-id`: the caller's when it is short and clean, else one of our own.

use http::header::{HeaderName, HeaderValue};

use crate::hex::Hex;
use crate::ids::random_hex;

/// An id that names one request in the logs of every service it passes.
#[derive(Clone, Debug)]
pub(crate) enum RequestId {
    /// Checked by `accepts`, hence ASCII.
    Given(HeaderValue),
    Made(Hex<32>),
}

impl RequestId {
    /// The caller's if it is acceptable, else a fresh one.
    pub(crate) fn of(given: Option<&HeaderValue>) -> Self {
        match given.filter(|id| accepts(id.as_bytes())) {
            Some(id) => Self::Given(id.clone()),
            None => Self::Made(random_hex()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Given(id) => id.to_str().expect("accepted ids are ASCII"),
            Self::Made(id) => id,
        }
    }

    pub(crate) fn header(&self) -> HeaderValue {
        match self {
            Self::Given(id) => id.clone(),
            Self::Made(id) => HeaderValue::from_str(id).expect("hex digits are a legal header"),
        }
    }
}

fn accepts(id: &[u8]) -> bool {
    let clean = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(clean)
}

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are somebody's mistake or attack: a 64 KB id would make every line of the request 64 KB.
const MAX_LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_clean_ids_are_accepted() {
        let longest = "x".repeat(128);
        for good in ["a", "0195-3c7e_A.b", longest.as_str()] {
            assert!(accepts(good.as_bytes()), "{good}");
        }
        let too_long = "x".repeat(129);
        for bad in [
            "",
            "a b",
            "a\"b",
            "a;b",
            "id=1",
            "\u{e9}",
            too_long.as_str(),
        ] {
            assert!(!accepts(bad.as_bytes()), "{bad}");
        }
    }
}
