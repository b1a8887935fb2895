//! Issues and reads the session token: a JWT, signed with the shop's own key.

use axum::http::{HeaderMap, StatusCode, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::seal::{Seal, nonce};

/// How long a token is good for, in seconds.
pub(crate) const LIFETIME_S: u64 = 7_200;

/// A token, and the id under which the audit knows it.
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) token: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    roles: String,
    jti: String,
    iat: u64,
    exp: u64,
}

/// Signs a token for this customer.
pub(crate) fn issue(
    seal: &Seal,
    visitor: u64,
    roles: &str,
    now: u64,
) -> jsonwebtoken::errors::Result<Issued> {
    let id = nonce();
    let claims = Claims {
        sub: visitor.to_string(),
        roles: roles.to_owned(),
        jti: id.clone(),
        iat: now,
        exp: now + LIFETIME_S,
    };
    let key = EncodingKey::from_secret(seal.key());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)?;
    Ok(Issued { id, token })
}

/// Which customer sent these headers.
pub(crate) fn visitor(seal: &Seal, headers: &HeaderMap) -> Result<u64, Refusal> {
    let refused = Refusal::Asked(StatusCode::UNAUTHORIZED, "请先登录");
    let Some(token) = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
    else {
        return Err(refused);
    };
    let key = DecodingKey::from_secret(seal.key());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &Validation::new(Algorithm::HS256));
    claims
        .ok()
        .and_then(|data| data.claims.sub.parse().ok())
        .ok_or(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(token: &str) -> HeaderMap {
        let value = format!("Bearer {token}").parse().unwrap();
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    }

    #[test]
    fn a_token_names_its_customer_until_it_expires() {
        let seal = Seal::random();
        let fresh = issue(&seal, 42, "customer", crate::login::now()).unwrap();
        assert_eq!(visitor(&seal, &headers(&fresh.token)).ok(), Some(42));
        let old = issue(&seal, 42, "customer", 1_000).unwrap();
        let forged = issue(&Seal::random(), 42, "customer", crate::login::now()).unwrap();
        for token in [old.token.as_str(), &forged.token, "", "a.b.c"] {
            assert!(visitor(&seal, &headers(token)).is_err(), "{token}");
        }
        assert!(visitor(&seal, &HeaderMap::new()).is_err());
    }
}
