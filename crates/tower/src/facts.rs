//! What a service wants on its closing lines beside the fields that they all have. Nothing by default.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderName, Request};

use crate::late::Late;
use crate::panics::survive;

#[derive(Clone, Default)]
#[expect(
    clippy::type_complexity,
    reason = "each closure's type stands once; an alias would hide it"
)]
pub(crate) struct Facts {
    pub(crate) query_keys: Vec<String>,
    /// With the name of the field that each becomes.
    pub(crate) headers: Vec<(HeaderName, &'static str)>,
    pub(crate) peer: Option<Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>>,
    pub(crate) trusted_proxy: Option<Arc<dyn Fn(IpAddr) -> bool + Send + Sync>>,
}

impl Facts {
    /// The name of a header's field: `header_user_agent`. Kept for ever, as the layer's options are.
    pub(crate) fn header_field(header: &HeaderName) -> &'static str {
        format!("header_{}", header.as_str().replace('-', "_")).leak()
    }

    pub(crate) fn tell<B>(&self, request: &Request<B>, late: &mut Late) {
        if let Some(address) = self.client_address(request) {
            late.set("client_address", address.to_string().into(), &[]);
        }
        if !self.query_keys.is_empty() {
            let query = request.uri().query().and_then(|query| self.listed(query));
            if let Some(query) = query {
                late.set("query", query.into(), &[]);
            }
        }
        for (header, field) in &self.headers {
            if let Some(value) = request.headers().get(header) {
                let value = String::from_utf8_lossy(value.as_bytes());
                late.set(field, cut(&value).into(), &[]);
            }
        }
    }

    /// The pairs of the query whose keys are listed, as they were sent.
    fn listed(&self, query: &str) -> Option<String> {
        let key = |pair: &str| {
            pair.split_once('=')
                .map_or(pair.len(), |(key, _)| key.len())
        };
        let is_listed = |pair: &&str| self.query_keys.iter().any(|k| *k == pair[..key(pair)]);
        let listed = query
            .split('&')
            .filter(is_listed)
            .collect::<Vec<_>>()
            .join("&");
        (!listed.is_empty()).then(|| cut(&listed).to_owned())
    }

    fn client_address<B>(&self, request: &Request<B>) -> Option<IpAddr> {
        let peer = self.peer.as_ref()?;
        let peer = survive(|| peer(request.extensions())).flatten()?;
        let trusted = |address| {
            let trusted_proxy = self.trusted_proxy.as_ref();
            trusted_proxy.is_some_and(|trusted| survive(|| trusted(address)).unwrap_or(false))
        };
        Some(behind_proxies(peer, request.headers(), trusted))
    }
}

/// Goes back through `x-forwarded-for` from its right end for as long as the hops are trusted: what stands left
/// of an address that is not, anybody may have written.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let lines = headers
        .get_all("x-forwarded-for")
        .iter()
        .collect::<Vec<_>>();
    let lines = lines
        .into_iter()
        .rev()
        .filter_map(|line| line.to_str().ok());
    let mut hops = lines.flat_map(|line| line.rsplit(','));
    let mut nearest = peer;
    while trusted(nearest) {
        match hops.next().and_then(address) {
            Some(hop) => nearest = hop,
            None => break,
        }
    }
    nearest
}

/// Some proxies add the port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let socket = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    hop.parse().ok().or_else(socket)
}

fn cut(value: &str) -> &str {
    let mut end = value.len().min(MAX_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

/// Of a header's value or a query: a client must not choose how long our lines are.
const MAX_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_address_is_the_first_that_is_not_a_trusted_proxys() {
        let table: [(&str, &[&str], &str); 9] = [
            ("203.0.113.9", &[], "203.0.113.9"),
            ("203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["6.6.6.6, 198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["6.6.6.6", "198.51.100.7:4711"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ];
        for (peer, forwarded, expected) in table {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let trusted = |address: IpAddr| address.to_string().starts_with("10.");
            let client = behind_proxies(peer.parse().unwrap(), &headers, trusted);
            assert_eq!(client.to_string(), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn only_listed_keys_of_a_query_are_kept() {
        let facts = Facts {
            query_keys: vec!["page".into(), "q".into()],
            ..Facts::default()
        };
        assert_eq!(
            facts.listed("token=s&page=2&q&pageX=3"),
            Some("page=2&q".to_owned())
        );
        assert_eq!(facts.listed("token=page"), None);
        let long = format!("q={}", "é".repeat(400));
        assert_eq!(facts.listed(&long).unwrap().len(), MAX_BYTES);
    }
}
