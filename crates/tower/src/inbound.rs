//! Reads what a request's headers say of its place in the world: one pass over them, whatever else they hold.

use http::{HeaderMap, HeaderValue};

use crate::TraceContext;
use crate::request_id::RequestId;

/// Who sent a request, and by which name.
pub(crate) struct Inbound {
    pub(crate) sender: Option<TraceContext>,
    pub(crate) request_id: RequestId,
}

impl Inbound {
    /// Without a request id that is acceptable, with a fresh one.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let (mut parent, mut request_id) = (Only::None, Only::None);
        let mut has_state = false;
        // A look-up hashes its name: three cost more than a pass over the headers that there are.
        for (name, value) in headers {
            match name.as_str() {
                "traceparent" => parent.add(value),
                "tracestate" => has_state = true,
                "x-request-id" => request_id.add(value),
                _ => {}
            }
        }
        let sender = parent.get().and_then(TraceContext::of_header);
        let sender = sender.map(|sender| {
            if has_state {
                sender.with_state(headers)
            } else {
                sender
            }
        });
        let request_id = RequestId::of(request_id.get());
        Self { sender, request_id }
    }
}

/// The value of a header that counts only if there is one of it.
#[derive(Clone, Copy)]
enum Only<'a> {
    None,
    One(&'a HeaderValue),
    Several,
}

impl<'a> Only<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        *self = match self {
            Self::None => Self::One(value),
            _ => Self::Several,
        };
    }

    fn get(self) -> Option<&'a HeaderValue> {
        match self {
            Self::One(value) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_finds_what_look_ups_find() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let tables: [&[(&'static str, &str)]; 7] = [
            &[],
            &[("traceparent", parent)],
            &[("traceparent", parent), ("tracestate", "a=1")],
            &[
                ("tracestate", "b=2"),
                ("traceparent", parent),
                ("tracestate", "a=1"),
            ],
            &[
                ("traceparent", parent),
                ("traceparent", parent),
                ("tracestate", "a=1"),
            ],
            &[("tracestate", "a=1"), ("x-request-id", "req-7")],
            &[("traceparent", "00-0"), ("host", "a"), ("x-trace", "b")],
        ];
        for table in tables {
            let mut headers = HeaderMap::new();
            for (name, value) in table {
                headers.append(*name, value.parse().unwrap());
            }
            let read = Inbound::read(&headers);
            assert_eq!(
                read.sender,
                TraceContext::from_headers(&headers),
                "{table:?}"
            );
            let given = headers.get("x-request-id").map(|id| id.to_str().unwrap());
            match given {
                Some(given) => assert_eq!(read.request_id.as_str(), given),
                None => assert!(matches!(read.request_id, RequestId::Made(_))),
            }
        }
    }

    #[test]
    fn two_ids_are_as_good_as_none() {
        let mut headers = HeaderMap::new();
        headers.append("x-request-id", "one".parse().unwrap());
        assert_eq!(Inbound::read(&headers).request_id.as_str(), "one");
        headers.append("x-request-id", "two".parse().unwrap());
        let made = Inbound::read(&headers).request_id;
        assert_eq!(made.as_str().len(), 32);
        let again = Inbound::read(&headers).request_id;
        assert_ne!(made.as_str(), again.as_str());
    }
}
