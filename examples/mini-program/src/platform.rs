//! Plays the platform that hosts mini programs: it knows who holds the phone, and vouches by code.

use crate::seal::{Seal, nonce};

/// A fresh code for this customer, as the platform hands it to the mini program.
pub(crate) fn code(platform: &Seal, visitor: u64) -> String {
    let claim = format!("js-{visitor}-{}", nonce());
    let signature = platform.sign(claim.as_bytes());
    format!("{claim}-{signature}")
}

/// Whose code this is; `None` if the platform never gave it out.
pub(crate) fn redeem(platform: &Seal, code: &str) -> Option<u64> {
    let (claim, signature) = code.rsplit_once('-')?;
    if !platform.checks(claim.as_bytes(), signature) {
        return None;
    }
    claim.strip_prefix("js-")?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_its_customer_and_cannot_be_made_up() {
        let platform = Seal::random();
        let code = code(&platform, 42);
        assert_eq!(redeem(&platform, &code), Some(42));
        assert_eq!(redeem(&Seal::random(), &code), None);
        assert_eq!(redeem(&platform, &code.replacen("42", "43", 1)), None);
        assert_eq!(redeem(&platform, "js-42"), None);
    }
}
