//! Says on an answer which request and which trace it belongs to.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::TraceContext;
use crate::request_id::{RequestId, X_REQUEST_ID};

/// Adds `x-request-id`, and `server-timing: trace;desc=00-...` (W3C Trace Context, response header). An id that
/// we made shares its memory with the other value.
pub(crate) fn tell(headers: &mut HeaderMap, request_id: &RequestId, context: &TraceContext) {
    let mut text = [0; ID + TIMING];
    text[ID..ID + DESC.len()].copy_from_slice(DESC);
    text[ID + DESC.len()..].copy_from_slice(&context.traceparent());
    let (request_id, timing) = match request_id {
        RequestId::Given(given) => (given.clone(), Bytes::copy_from_slice(&text[ID..])),
        RequestId::Made(made) => {
            text[..ID].copy_from_slice(made.as_bytes());
            let text = Bytes::from_owner(text);
            (value(text.slice(..ID)), text.slice(ID..))
        }
    };
    headers.insert(X_REQUEST_ID, request_id);
    headers.append(SERVER_TIMING, value(timing));
}

fn value(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).expect("hex, dashes and `trace;desc=` are a legal header")
}

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const DESC: &[u8] = b"trace;desc=";
const ID: usize = 32;
const TIMING: usize = DESC.len() + 55;
