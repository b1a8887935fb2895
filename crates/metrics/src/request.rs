//! What is known of a request that ended, and the labels that come of it. Pure.

use std::time::Duration;

/// One request that ended, however it ended.
///
/// Not `#[non_exhaustive]`: whoever reports a request should be stopped by the compiler when a field
/// is added, instead of reporting less than the page promises.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as received. One that HTTP does not know is counted as `_OTHER`, because a client
    /// may send anything.
    pub method: &'a str,
    /// The route's template, such as `/orders/{id}`, never the path. `None` is counted as
    /// `_unmatched`.
    pub route: Option<&'a str>,
    /// The status that was answered, or that stands for how it ended (499 for a client that left).
    /// 0 when there is none: then the label is absent.
    pub status: u16,
    /// `http` or `https`. Empty when nobody knows: then the label is absent. Any other is counted as
    /// `_OTHER`, because in HTTP/2 a client may send anything.
    pub scheme: &'a str,
    /// The version of HTTP: `1.0`, `1.1`, `2` or `3`, as the conventions write it. Empty when nobody
    /// knows: then the label is absent. Any other is counted as `_OTHER`.
    pub protocol_version: &'a str,
    /// How it ended. `completed` and `upgraded` are no errors in themselves; any other word becomes
    /// the label `error_type`. `shed` is counted by `dogwatch_requests_shed_total` too.
    pub outcome: &'a str,
    /// From the first byte of the request's head to the end of the answer's body.
    pub latency: Duration,
    /// Bytes of the request's body that were read; `None` when nobody counted.
    pub bytes_in: Option<u64>,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
    /// The trace that the request belongs to, 32 lower-case hex digits. Anything else is ignored.
    pub trace_id: Option<&'a str>,
    /// Whether the trace is kept somewhere. Only then is it worth pointing at with an exemplar.
    pub sampled: bool,
}

/// What tells one series from another.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) method: &'static str,
    pub(crate) wire: Wire,
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    /// `None` for a request that completed, whatever its status. Never empty: comparing empty texts
    /// costs a hundred nanoseconds where libc's `memcmp` reads a dangling pointer under a mask.
    pub(crate) error: Option<&'a str>,
}

/// The scheme and the version of HTTP, told apart by one comparison.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Wire {
    scheme: u8,
    version: u8,
}

impl Wire {
    /// What came after the bound: neither is known any more.
    pub(crate) const NONE: Self = Self {
        scheme: 0,
        version: 0,
    };

    fn of(scheme: &str, version: &str) -> Self {
        let scheme = match scheme {
            "" => 0,
            "http" => 1,
            "https" => 2,
            _ => 3,
        };
        let version = match version {
            "" => 0,
            "1.1" => 1,
            "2" => 2,
            "3" => 3,
            "1.0" => 4,
            _ => 5,
        };
        Self { scheme, version }
    }

    pub(crate) fn scheme(self) -> &'static str {
        ["", "http", "https", OTHER][usize::from(self.scheme)]
    }

    pub(crate) fn version(self) -> &'static str {
        ["", "1.1", "2", "3", "1.0", OTHER][usize::from(self.version)]
    }

    pub(crate) fn word(self) -> u64 {
        u64::from(self.scheme) << 8 | u64::from(self.version)
    }
}

impl<'a> Request<'a> {
    pub(crate) fn key(&self) -> Key<'a> {
        Key {
            method: METHODS[method_at(self.method)],
            wire: Wire::of(self.scheme, self.protocol_version),
            route: self
                .route
                .filter(|route| !route.is_empty())
                .unwrap_or(UNMATCHED),
            status: self.status,
            error: match self.outcome {
                "" | "completed" | "upgraded" => None,
                error => Some(error),
            },
        }
    }

    pub(crate) fn exemplar_trace(&self) -> Option<u128> {
        let hex = self.trace_id.filter(|_| self.sampled)?;
        let lower_hex = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != 32 || !lower_hex {
            return None;
        }
        u128::from_str_radix(hex, 16).ok().filter(|id| *id != 0)
    }
}

/// A method that HTTP does not know, and whatever else a client made up: the semantic conventions' word.
pub(crate) const OTHER: &str = "_OTHER";
/// A request that no route took. A template begins with a slash, so that no route is called so.
pub(crate) const UNMATCHED: &str = "_unmatched";
/// The outcome of a request that was turned away on purpose.
pub(crate) const SHED: &str = "shed";

/// RFC 9110, PATCH (RFC 5789) and QUERY, as in the semantic conventions of OpenTelemetry; and the rest.
pub(crate) const METHODS: [&str; 11] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY", OTHER,
];

/// Where a method stands in [`METHODS`].
pub(crate) fn method_at(method: &str) -> usize {
    match method {
        "GET" => 0,
        "POST" => 1,
        "PUT" => 2,
        "DELETE" => 3,
        "PATCH" => 4,
        "HEAD" => 5,
        "OPTIONS" => 6,
        "CONNECT" => 7,
        "TRACE" => 8,
        "QUERY" => 9,
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request<'static> = Request {
        method: "GET",
        route: Some("/orders/{id}"),
        status: 200,
        scheme: "http",
        protocol_version: "1.1",
        outcome: "completed",
        latency: Duration::ZERO,
        bytes_in: None,
        bytes_out: 0,
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        sampled: true,
    };

    #[test]
    fn what_a_client_chooses_never_becomes_a_label() {
        for method in ["get", "BREW", "", "GET "] {
            assert_eq!(
                Request { method, ..REQUEST }.key().method,
                "_OTHER",
                "{method:?}"
            );
        }
        for (scheme, version) in [("gopher", "9"), ("HTTP", "1.1 "), ("\0", "\"}")] {
            let wire = Wire::of(scheme, version);
            assert_eq!((wire.scheme(), wire.version()), ("_OTHER", "_OTHER"));
        }
        for route in [None, Some("")] {
            assert_eq!(Request { route, ..REQUEST }.key().route, "_unmatched");
        }
    }

    #[test]
    fn what_is_known_keeps_its_name() {
        for (at, method) in METHODS.into_iter().enumerate() {
            assert_eq!(method_at(method), at, "{method}");
        }
        for scheme in ["", "http", "https"] {
            for version in ["", "1.0", "1.1", "2", "3"] {
                let wire = Wire::of(scheme, version);
                assert_eq!((wire.scheme(), wire.version()), (scheme, version));
            }
        }
        assert_eq!(Wire::of("", ""), Wire::NONE);
    }

    #[test]
    fn only_an_outcome_other_than_the_good_ones_is_an_error() {
        let cases = [
            ("", None),
            ("completed", None),
            ("upgraded", None),
            ("shed", Some("shed")),
            ("panicked", Some("panicked")),
        ];
        for (outcome, error) in cases {
            assert_eq!(
                Request { outcome, ..REQUEST }.key().error,
                error,
                "{outcome}"
            );
        }
    }

    #[test]
    fn only_a_sampled_well_formed_trace_is_pointed_at() {
        let whole = Some(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(REQUEST.exemplar_trace(), whole);
        assert_eq!(
            Request {
                sampled: false,
                ..REQUEST
            }
            .exemplar_trace(),
            None
        );
        let bad = [
            None,
            Some(""),
            Some("00000000000000000000000000000000"),
            Some("4BF92F3577B34DA6A3CE929D0E0E4736"),
            Some("+bf92f3577b34da6a3ce929d0e0e4736"),
            Some("4bf92f3577b34da6a3ce929d0e0e47360"),
            Some("4bf92f3577b34da6a3ce929d0e0e\"} 1"),
        ];
        for trace_id in bad {
            assert_eq!(
                Request {
                    trace_id,
                    ..REQUEST
                }
                .exemplar_trace(),
                None,
                "{trace_id:?}"
            );
        }
    }
}
