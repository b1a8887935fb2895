//! How a request ended, and what HTTP says of it. Pure.

use std::fmt;

use http::{Method, StatusCode};

/// How a request ended, as the `outcome` of its closing line.
///
/// The status says what was answered, the outcome whether the exchange came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The whole answer was handed to the HTTP stack, whatever its status. It may not have reached the client.
    Completed,
    /// The service failed with an error instead of an answer.
    Error,
    /// The answer's body failed midway.
    BodyError,
    /// The service or its body panicked.
    Panicked,
    /// [`ShedLayer`](crate::ShedLayer) turned the request away.
    Shed,
    /// The request was dropped before there was an answer: the client left, or a timeout fired outside.
    CancelledBeforeHeaders,
    /// The body was dropped before its end: the client left while it streamed.
    CancelledInBody,
    /// The connection now speaks another protocol, such as WebSocket.
    Upgraded,
}

impl Outcome {
    /// The word in the line: `completed`, `error`, `body_error`, `panicked`, `shed`,
    /// `cancelled_before_headers`, `cancelled_in_body`, `upgraded`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Error => "error",
            Self::BodyError => "body_error",
            Self::Panicked => "panicked",
            Self::Shed => "shed",
            Self::CancelledBeforeHeaders => "cancelled_before_headers",
            Self::CancelledInBody => "cancelled_in_body",
            Self::Upgraded => "upgraded",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether an answer is complete without a body, whatever its headers promise.
pub(crate) fn has_no_body(method: &str, status: StatusCode) -> bool {
    method == Method::HEAD.as_str()
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}

/// Whether the connection leaves HTTP with this answer: 101, or a tunnel (WebSocket over HTTP/2).
pub(crate) fn upgrades(method: &str, status: StatusCode) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS
        || (method == Method::CONNECT.as_str() && status.is_success())
}

/// The method as a label: one of the nine registered ones, or `_OTHER`, so that a client cannot invent series.
pub(crate) fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_not_registered_is_other() {
        assert_eq!(method_label(&Method::PATCH), "PATCH");
        for made_up in ["get", "GETT", "X", "PURGE"] {
            let method = Method::from_bytes(made_up.as_bytes()).unwrap();
            assert_eq!(method_label(&method), "_OTHER");
        }
    }

    #[test]
    fn head_and_the_bodiless_statuses_need_no_body() {
        let table = [("HEAD", 200, true), ("GET", 204, true), ("GET", 304, true)];
        let rest = [
            ("GET", 101, true),
            ("GET", 200, false),
            ("POST", 500, false),
        ];
        for (method, status, expected) in table.into_iter().chain(rest) {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(has_no_body(method, status), expected, "{method} {status}");
        }
    }

    #[test]
    fn only_101_and_an_accepted_connect_leave_http() {
        let table = [
            ("GET", 101, true),
            ("CONNECT", 200, true),
            ("CONNECT", 403, false),
        ];
        for (method, status, expected) in table.into_iter().chain([("GET", 200, false)]) {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(upgrades(method, status), expected, "{method} {status}");
        }
    }
}
