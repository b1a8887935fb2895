//! Reads the `baggage` header by the grammar and the limits of W3C Baggage. Pure.

use std::sync::Arc;

use crate::tracestate::trim;

/// Joins the headers in order and keeps the members that are legal, as they were sent. What goes beyond a limit is
/// left out, a member at a time: half a member would say something else.
pub(crate) fn parse<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Option<Arc<str>> {
    let mut joined = String::new();
    let members = headers.flat_map(|header| header.split(|&byte| byte == b','));
    let legal = members.filter_map(|member| legal(trim(member)));
    for member in legal.take(MAX_MEMBERS) {
        let comma = usize::from(!joined.is_empty());
        if joined.len() + comma + member.len() > MAX_BYTES {
            break;
        }
        if comma == 1 {
            joined.push(',');
        }
        joined.push_str(member);
    }
    (!joined.is_empty()).then(|| joined.into())
}

/// The value of a key, percent-encoded as it was sent.
pub(crate) fn value<'a>(baggage: &'a str, key: &str) -> Option<&'a str> {
    let pairs = baggage
        .split(',')
        .map(|member| member.split(';').next().unwrap_or(member));
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(name, value)| (name.trim() == key).then(|| value.trim()))
}

/// `key = value *( ; property )`, if it is one.
fn legal(member: &[u8]) -> Option<&str> {
    let mut parts = member.split(|&byte| byte == b';');
    let pair = parts.next()?;
    let equals = pair.iter().position(|&byte| byte == b'=')?;
    let sound = is_token(trim(&pair[..equals])) && is_value(trim(&pair[equals + 1..]));
    let properties = parts.all(
        |property| match property.iter().position(|&byte| byte == b'=') {
            Some(at) => is_token(trim(&property[..at])) && is_value(trim(&property[at + 1..])),
            None => is_token(trim(property)),
        },
    );
    (sound && properties && member.len() <= MAX_MEMBER_BYTES)
        .then(|| std::str::from_utf8(member).ok())
        .flatten()
}

/// RFC 7230's `token`.
fn is_token(text: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(part)
}

/// `baggage-octet`s: visible ASCII without `"`, `,`, `;` and `\`. None at all are a value too.
fn is_value(text: &[u8]) -> bool {
    let octet = |byte: &u8| byte.is_ascii_graphic() && !b"\",;\\".contains(byte);
    text.iter().all(octet)
}

/// W3C Baggage, "Limits": "Maximum number of name-value pairs: 180".
const MAX_MEMBERS: usize = 180;
/// "Maximum number of bytes per a single name-value pair: 4096".
const MAX_MEMBER_BYTES: usize = 4096;
/// "Maximum total length of all name-value pairs: 8192".
const MAX_BYTES: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Option<String> {
        parse(headers.iter().map(|header| header.as_bytes())).map(|baggage| baggage.to_string())
    }

    #[test]
    fn legal_members_are_kept_as_sent_and_the_others_left_out() {
        let table: [(&[&str], Option<&str>); 12] = [
            (&["userId=alice"], Some("userId=alice")),
            (&["a=1,b=2;p;q=3"], Some("a=1,b=2;p;q=3")),
            (&["a = 1 ; p = x ", "\tb=2"], Some("a = 1 ; p = x,b=2")),
            (&["name=Am%C3%A9lie"], Some("name=Am%C3%A9lie")),
            (&["a="], Some("a=")),
            (&["a=b=c"], Some("a=b=c")),
            (&["a=1,,b"], Some("a=1")),
            (&["a=\"x\",b=2"], Some("b=2")),
            (&["a=1;,b=2"], Some("b=2")),
            (&["(=1", "=1", "a=\u{e9}"], None),
            (&[""], None),
            (&[], None),
        ];
        for (given, expected) in table {
            assert_eq!(read(given).as_deref(), expected, "{given:?}");
        }
    }

    #[test]
    fn beyond_a_limit_whole_members_are_left_out() {
        let many: Vec<String> = (0..200).map(|n| format!("k{n}=v")).collect();
        let kept = read(&[&many.join(",")]).unwrap();
        assert_eq!(kept, many[..180].join(","));

        let long = format!("k={}", "v".repeat(4094));
        assert_eq!(read(&[&long]).unwrap().len(), 4096);
        assert_eq!(read(&[&format!("{long}v"), "a=1"]).as_deref(), Some("a=1"));

        let (first, second) = (format!("a{long}")[..4096].to_owned(), format!("b{long}"));
        let kept = read(&[&first, &second[..4095], "c=1"]).unwrap();
        assert_eq!(kept.len(), 8192);
        assert!(!kept.contains("c=1"), "there is no room left");
    }

    #[test]
    fn a_value_is_found_by_its_key() {
        let baggage = "a = 1 ;p=2,user=u%2017";
        assert_eq!(value(baggage, "a"), Some("1"));
        assert_eq!(value(baggage, "user"), Some("u%2017"));
        assert_eq!(value(baggage, "p"), None);
    }
}
