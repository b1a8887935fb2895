//! The signatures that receivers check: HMAC-SHA256 in base64. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Of a message under a key, in base64 with its padding.
pub(crate) fn sign(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The key behind `whsec_`, or the text itself (Standard Webhooks, "Signature scheme").
pub(crate) fn webhook_key(secret: &str) -> Option<Vec<u8>> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(secret.as_bytes().to_vec()),
    }
    .filter(|key| !key.is_empty())
}

/// Of a signature, in a query.
pub(crate) fn percent(base64: &str) -> String {
    base64
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::{percent, sign, webhook_key};

    #[test]
    fn signatures_are_those_that_others_compute() {
        // RFC 4231, test case 2.
        let rfc = sign(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(rfc, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
        // The example of the libraries of Standard Webhooks.
        let key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let message = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        assert_eq!(
            sign(&key, message),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_is_base64_behind_its_prefix_and_text_without_it() {
        assert_eq!(webhook_key("whsec_!"), None);
        assert_eq!(webhook_key("whsec_"), None);
        assert_eq!(webhook_key(""), None);
        assert_eq!(webhook_key("密").unwrap(), "密".as_bytes());
        assert_eq!(percent("a+b/c="), "a%2Bb%2Fc%3D");
    }
}
