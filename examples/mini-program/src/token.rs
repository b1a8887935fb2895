//! Issues and reads the session token: a JWT, signed with the shop's own key.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use dogwatch::RequestLog;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::seal::{Seal, nonce};
use crate::shop::Shop;

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

/// The customer who sent a request, by its token; the closing line names them too.
pub(crate) struct Customer(pub(crate) u64);

impl FromRequestParts<Arc<Shop>> for Customer {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Refusal> {
        let visitor = visitor(&shop.tokens, &head.headers)
            .ok_or(Refusal::Asked(StatusCode::UNAUTHORIZED, "请先登录"))?;
        if let Some(closing) = head.extensions.get::<RequestLog>() {
            closing.set("user_id", visitor);
        }
        Ok(Customer(visitor))
    }
}

fn visitor(seal: &Seal, headers: &HeaderMap) -> Option<u64> {
    let token = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")?;
    let key = DecodingKey::from_secret(seal.key());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &Validation::new(Algorithm::HS256));
    claims.ok()?.claims.sub.parse().ok()
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
        assert_eq!(visitor(&seal, &headers(&fresh.token)), Some(42));
        let old = issue(&seal, 42, "customer", 1_000).unwrap();
        let forged = issue(&Seal::random(), 42, "customer", crate::login::now()).unwrap();
        for token in [old.token.as_str(), &forged.token, "", "a.b.c"] {
            assert!(visitor(&seal, &headers(token)).is_none(), "{token}");
        }
        assert!(visitor(&seal, &HeaderMap::new()).is_none());
    }
}
