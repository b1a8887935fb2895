//! Says on an answer which request and which trace it belongs to.

use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::TraceContext;
use crate::request_id::{RequestId, X_REQUEST_ID};

/// Adds `x-request-id`, and `server-timing: trace;desc=00-...` (W3C Trace Context, response header).
pub(crate) fn tell(headers: &mut HeaderMap, request_id: &RequestId, context: &TraceContext) {
    let mut text = [0; ID + TIMING];
    text[ID..ID + DESC.len()].copy_from_slice(DESC);
    text[ID + DESC.len()..].copy_from_slice(&context.traceparent());
    let (request_id, timing) = match request_id {
        RequestId::Given(given) => (given.clone(), kept(&text[ID..])),
        RequestId::Made(made) => {
            text[..ID].copy_from_slice(made.as_bytes());
            let text = kept(&text);
            (value(text.slice(..ID)), text.slice(ID..))
        }
    };
    headers.insert(X_REQUEST_ID, request_id);
    headers.append(SERVER_TIMING, value(timing));
}

/// A copy in a piece of memory that the thread's next answers share, so that few of them allocate any. An answer
/// that lives long keeps its whole piece.
fn kept(text: &[u8]) -> Bytes {
    let copy = PIECE.try_with(|place| {
        let left = place.take().filter(|left| left.capacity() >= text.len());
        let mut piece = left.unwrap_or_else(|| BytesMut::with_capacity(PIECE_BYTES));
        piece.extend_from_slice(text);
        let copy = piece.split().freeze();
        place.set(Some(piece));
        copy
    });
    // While the thread's locals are dropped there is no next answer.
    copy.unwrap_or_else(|_| Bytes::copy_from_slice(text))
}

fn value(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).expect("hex, dashes and `trace;desc=` are a legal header")
}

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const DESC: &[u8] = b"trace;desc=";
const ID: usize = 32;
const TIMING: usize = DESC.len() + 55;
const PIECE_BYTES: usize = 4096;

thread_local! {
    static PIECE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_many_answers_has_its_own_ids() {
        let told: Vec<(HeaderMap, RequestId, TraceContext)> = (0..200)
            .map(|n| {
                let mut request = HeaderMap::new();
                if n % 3 == 0 {
                    request.insert(X_REQUEST_ID, format!("req-{n}").parse().unwrap());
                }
                let (request_id, context) = (
                    RequestId::of(request.get(X_REQUEST_ID)),
                    TraceContext::new(),
                );
                let mut headers = HeaderMap::new();
                tell(&mut headers, &request_id, &context);
                (headers, request_id, context)
            })
            .collect();
        for (headers, request_id, context) in told {
            assert_eq!(headers[X_REQUEST_ID], request_id.as_str());
            let expected = format!("trace;desc={}", context.to_traceparent());
            assert_eq!(headers[SERVER_TIMING], expected);
        }
    }
}
