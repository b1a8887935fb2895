//! What gRPC says of a call, beside HTTP's 200. Pure.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The code in `grpc-status`: in the headers when there is no body, else in the trailers.
pub(crate) fn status(headers: &HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The codes that blame the server: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss
/// (OpenTelemetry's conventions for gRPC servers).
pub(crate) fn blames_the_server(code: u32) -> bool {
    matches!(code, 2 | 4 | 12 | 13 | 14 | 15)
}
