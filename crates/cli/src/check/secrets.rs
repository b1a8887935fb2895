//! Tells a value that should not stand in a log: by its key, or by what it looks like. Pure.

use dogwatch_line::Value;

/// Why a value is a secret in clear; `None` if it is none.
pub(crate) fn secret(key: &str, value: &Value<'_>) -> Option<&'static str> {
    let text = match value {
        Value::Str(text) => &**text,
        Value::I64(_) | Value::U64(_) | Value::F64(_) => return named(key),
        Value::Null | Value::Bool(_) | Value::Raw(_) => return None,
    };
    if is_hidden(text) {
        return None;
    }
    named(key).or_else(|| looks_like(text))
}

/// What a redaction leaves: `***`, `hash:…`, `[REDACTED]`, `xxxx`, nothing.
fn is_hidden(text: &str) -> bool {
    let bare = text.trim_matches(['*', 'x', 'X', '•', '.', '<', '>', '[', ']', '#', '-', ' ']);
    bare.is_empty()
        || text.starts_with("hash:")
        || ["redacted", "hidden", "masked", "filtered", "removed"]
            .iter()
            .any(|word| bare.eq_ignore_ascii_case(word))
}

/// By its key, which is compared by its last words: `db_password`, `accessToken`.
fn named(key: &str) -> Option<&'static str> {
    let words = words(key);
    let ends = |secret: &str| {
        words == secret
            || words
                .strip_suffix(secret)
                .is_some_and(|before| before.ends_with('_'))
    };
    KEYS.iter()
        .any(|key| ends(key))
        .then_some("its key is a secret's")
}

/// `accessToken`, `access-token` and `user.access_token` end in `access_token`.
fn words(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    let mut lower = false;
    for char in key.chars() {
        if char.is_uppercase() && lower {
            out.push('_');
        }
        lower = char.is_lowercase() || char.is_ascii_digit();
        match char {
            '.' | '-' | ' ' => out.push('_'),
            char => out.extend(char.to_lowercase()),
        }
    }
    out
}

fn looks_like(text: &str) -> Option<&'static str> {
    let has = |start: &str, least: usize, fits: fn(char) -> bool| {
        text.match_indices(start).any(|(at, _)| {
            let after = &text[at + start.len()..];
            after.chars().take_while(|char| fits(*char)).count() >= least
        })
    };
    let token = |char: char| char.is_ascii_alphanumeric() || "-._~+/=".contains(char);
    // RFC 7515: two objects in base64url, which begin with `{"`, joined by a dot.
    if text
        .match_indices("eyJ")
        .any(|(at, _)| text[at..].contains(".eyJ"))
    {
        return Some("it has a JSON Web Token");
    }
    if has("Bearer ", 16, token) || has("bearer ", 16, token) {
        return Some("it has a bearer token");
    }
    if text.contains("PRIVATE KEY-----") {
        return Some("it has a private key");
    }
    if has("AKIA", 16, |char| {
        char.is_ascii_uppercase() || char.is_ascii_digit()
    }) {
        return Some("it has an access key of AWS");
    }
    if has_password(text) {
        return Some("it has a URL with a password");
    }
    has_card(text).then_some("it has the number of a card")
}

/// `scheme://user:password@host` (RFC 3986 section 3.2.1).
fn has_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest
            .find(|char: char| char.is_whitespace() || "/?#\"'".contains(char))
            .unwrap_or(rest.len());
        rest[..end]
            .rsplit_once('@')
            .and_then(|(user, _)| user.split_once(':'))
            .is_some_and(|(_, password)| !is_hidden(password))
    })
}

/// Four groups of four digits whose check digit is right (ISO/IEC 7812-1, annex B). Sixteen digits in
/// one piece may as well be the number of an order.
fn has_card(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(19).enumerate().any(|(at, window)| {
        let alone = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_none_or(|byte| !byte.is_ascii_alphanumeric())
        };
        let grouped = window
            .iter()
            .enumerate()
            .all(|(index, byte)| match index % 5 {
                4 => *byte == window[4] && matches!(byte, b' ' | b'-'),
                _ => byte.is_ascii_digit(),
            });
        grouped && alone(at.checked_sub(1)) && alone(Some(at + 19)) && is_luhn(window)
    })
}

fn is_luhn(digits: &[u8]) -> bool {
    let digits = digits.iter().rev().filter(|byte| byte.is_ascii_digit());
    let sum: u32 = digits
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0') << (index % 2);
            digit / 10 + digit % 10
        })
        .sum();
    sum % 10 == 0
}

/// What `Redact::secrets` of dogwatch-json masks.
const KEYS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "authorization",
    "cookie",
    "cookies",
    "token",
    "jwt",
    "bearer",
    "secret",
    "credential",
    "credentials",
    "api_key",
    "apikey",
    "private_key",
    "secret_key",
    "access_key",
    "session_key",
    "session_id",
    "sessionid",
    "csrf",
    "xsrf",
    "otp",
    "pin",
    "cvv",
    "cvc",
    "js_code",
    "auth_code",
    "sms_code",
    "verification_code",
    "id_card",
    "id_number",
    "ssn",
    "passport",
    "card_number",
    "bank_card",
    "iban",
    "phone",
    "phone_number",
    "mobile",
    "mobile_number",
];

#[cfg(test)]
mod tests {
    use dogwatch_line::Value;

    use super::{KEYS, secret};

    #[test]
    fn a_secret_is_told_by_its_key_or_by_its_looks() {
        let key = Some("its key is a secret's");
        for (name, value, expected) in [
            ("db_password", Value::from("hunter2"), key),
            ("user.accessToken", Value::from("abc"), key),
            ("X-Api-Key", Value::from("abc"), key),
            ("otp", Value::from(123_456_i64), key),
            ("password", Value::from("***"), None),
            ("password", Value::from("[REDACTED]"), None),
            ("password", Value::from("hash:00112233"), None),
            ("password", Value::from(""), None),
            ("password", Value::Null, None),
            ("token_count", Value::from("x"), None),
            ("spin", Value::from("x"), None),
            (
                "message",
                Value::from("got Bearer abcdefgh12345678"),
                Some("it has a bearer token"),
            ),
            ("message", Value::from("Bearer of news"), None),
            (
                "x",
                Value::from("eyJhbGciOi.eyJzdWIi.sig"),
                Some("it has a JSON Web Token"),
            ),
            (
                "x",
                Value::from("-----BEGIN RSA PRIVATE KEY-----\nMII"),
                Some("it has a private key"),
            ),
            (
                "x",
                Value::from("AKIAIOSFODNN7EXAMPLE"),
                Some("it has an access key of AWS"),
            ),
            (
                "x",
                Value::from("postgres://app:s3cret@db:5432/shop"),
                Some("it has a URL with a password"),
            ),
            ("x", Value::from("postgres://app:***@db/shop"), None),
            ("x", Value::from("https://a@example.com:8080/b:c@d"), None),
            (
                "x",
                Value::from("card 4111 1111 1111 1111."),
                Some("it has the number of a card"),
            ),
            ("x", Value::from("4111-1111-1111-1112"), None),
            ("trade_no", Value::from("4111111111111111"), None),
            (
                "x",
                Value::from("支付 4111 1111 1111 1111"),
                Some("it has the number of a card"),
            ),
        ] {
            assert_eq!(secret(name, &value), expected, "{name} {value:?}");
        }
    }

    #[test]
    fn the_keys_are_those_that_our_layer_masks() {
        // Outside the repository the other crate is not there.
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../json/src/redact.rs");
        let Ok(source) = std::fs::read_to_string(source) else {
            return;
        };
        let list = source
            .split("pub const SECRETS: &[&str] = &[")
            .nth(1)
            .unwrap();
        let list = list.split("];").next().unwrap();
        let keys: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(keys, KEYS);
    }
}
