//! Signs and checks messages with a shared key (HMAC-SHA256, hex).

use argon2::password_hash::rand_core::{OsRng, RngCore};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A key that two parties share. Made anew for each run; it stands in no log.
#[derive(Clone)]
pub(crate) struct Seal([u8; 32]);

impl Seal {
    pub(crate) fn random() -> Seal {
        let mut key = [0; 32];
        OsRng.fill_bytes(&mut key);
        Seal(key)
    }

    /// The signature of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        hex(&self.mac(message).finalize().into_bytes())
    }

    /// Whether the signature is the message's, compared in constant time.
    pub(crate) fn checks(&self, message: &[u8], signature: &str) -> bool {
        unhex(signature).is_some_and(|bytes| self.mac(message).verify_slice(&bytes).is_ok())
    }

    /// The key itself, for the token signer.
    pub(crate) fn key(&self) -> &[u8] {
        &self.0
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&self.0)
            .expect("HMAC takes keys of every length")
            .chain_update(message)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

/// Random bytes as 32 hex digits: for codes and token ids.
pub(crate) fn nonce() -> String {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    hex(&bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() % 2 != 0 {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| Some((nibble(pair[0])? * 16 + nibble(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_checks_only_with_its_message_and_key() {
        let (ours, theirs) = (Seal::random(), Seal::random());
        let signature = ours.sign("订单 1".as_bytes());
        assert!(ours.checks("订单 1".as_bytes(), &signature));
        assert!(!ours.checks("订单 2".as_bytes(), &signature));
        assert!(!theirs.checks("订单 1".as_bytes(), &signature));
        for broken in ["", "0", "zz", "中文", &signature[2..]] {
            assert!(!ours.checks("订单 1".as_bytes(), broken), "{broken}");
        }
    }
}
