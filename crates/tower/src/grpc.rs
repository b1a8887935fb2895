//! What gRPC says of a call, beside HTTP's 200. Pure.

use http::HeaderMap;

/// The code in `grpc-status`: in the headers when there is no body, else in the trailers.
pub(crate) fn status(headers: &HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

pub(crate) fn is_grpc(content_type: &[u8]) -> bool {
    content_type.starts_with(b"application/grpc")
}

/// The codes that blame the server: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss
/// (OpenTelemetry's conventions for gRPC servers).
pub(crate) fn blames_the_server(code: u32) -> bool {
    matches!(code, 2 | 4 | 12 | 13 | 14 | 15)
}
