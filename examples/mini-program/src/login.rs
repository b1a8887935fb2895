//! Lets a customer in, by the platform's code or by password, and tells each step for the audit.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::refusal::Refusal;
use crate::seal::hex;
use crate::shop::Shop;
use crate::{platform, token};

/// What a customer shows at the door.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Credentials {
    /// The code that the platform gave to the mini program; good for one login.
    Code {
        code: String,
    },
    Password {
        phone: String,
        password: String,
    },
}

/// `POST /api/login`
pub(crate) async fn login(
    State(shop): State<Arc<Shop>>,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Value>, Refusal> {
    let known = match credentials {
        Credentials::Code { code } => by_code(&shop, code).await?,
        Credentials::Password { phone, password } => by_password(&shop, phone, password).await?,
    };
    let Some((visitor, nickname)) = known else {
        return Err(refused(StatusCode::UNAUTHORIZED, "账号或密码错误"));
    };
    let roles = roles(visitor);
    let result = if roles.is_empty() { "deny" } else { "allow" };
    info!(
        event = "policy_decided",
        user_id = visitor,
        roles,
        result,
        "policy decided"
    );
    if roles.is_empty() {
        return Err(refused(StatusCode::FORBIDDEN, "账号已停用"));
    }
    let issued = token::issue(&shop.tokens, visitor, roles, now())
        .map_err(|error| Refusal::Internal(Box::new(error)))?;
    info!(
        event = "token_issued",
        user_id = visitor,
        token = %issued.token,
        token_id = %issued.id,
        expires_in_s = token::LIFETIME_S,
        "token issued"
    );
    info!(event = "login_ok", user_id = visitor, nickname = %nickname, "welcome, {nickname}");
    Ok(Json(json!({ "token": issued.token, "nickname": nickname })))
}

async fn by_code(shop: &Arc<Shop>, code: String) -> Result<Option<(u64, String)>, Refusal> {
    info!(event = "credentials_received", kind = "code", js_code = %code, "credentials received");
    let Some(visitor) = platform::redeem(&shop.platform, &code) else {
        warn!(event = "login_failed", reason = "unknown code", js_code = %code, "login failed");
        return Ok(None);
    };
    // Only its hash is kept, to see that it is used once.
    let used = hex(&Sha256::digest(&code));
    let name = shop.store.run("code login", move |db| {
        let fresh = db.execute(
            "INSERT OR IGNORE INTO used_codes VALUES (?1)",
            params![used],
        )?;
        if fresh == 0 {
            return Ok(None);
        }
        let find = "SELECT nickname FROM visitors WHERE id = ?1";
        db.query_row(find, params![visitor], |row| row.get::<_, String>(0))
            .optional()
    });
    let name = name.await?;
    if name.is_none() {
        warn!(event = "login_failed", reason = "code used twice", js_code = %code, "login failed");
    }
    Ok(name.map(|name| (visitor, name)))
}

async fn by_password(
    shop: &Arc<Shop>,
    phone: String,
    password: String,
) -> Result<Option<(u64, String)>, Refusal> {
    info!(event = "credentials_received", kind = "password", phone = %phone, "credentials received");
    let asked = phone.clone();
    let found = shop.store.run("password login", move |db| {
        let find = "SELECT id, nickname, password_hash FROM visitors WHERE phone = ?1";
        db.query_row(find, params![asked], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()
    });
    let found: Option<(u64, String, String)> = found.await?;
    let (row, stored) = match found {
        Some((id, nickname, stored)) => (Some((id, nickname)), stored),
        // An unknown phone takes as long as a known one.
        None => (None, shop.nobody.clone()),
    };
    let began = Instant::now();
    let verified = tokio::task::spawn_blocking(move || verify(&stored, &password)).await;
    let right = verified.map_err(|error| Refusal::Internal(Box::new(error)))? && row.is_some();
    let hash_ms = began.elapsed().as_secs_f64() * 1e3;
    info!(
        event = "password_checked",
        hash_ms, right, "password checked"
    );
    if !right {
        warn!(event = "login_failed", reason = "wrong password", phone = %phone, "login failed");
        return Ok(None);
    }
    Ok(row)
}

fn refused(status: StatusCode, text: &'static str) -> Refusal {
    if status == StatusCode::FORBIDDEN {
        warn!(event = "login_failed", reason = "policy", "login failed");
    }
    Refusal::Asked(status, text)
}

/// What a customer may do; nothing for the two whose accounts are suspended.
fn roles(visitor: u64) -> &'static str {
    match visitor {
        _ if visitor % 23 == 0 => "",
        _ if visitor % 7 == 0 => "customer,vip",
        _ => "customer",
    }
}

/// Hashes a password for the store.
pub(crate) fn hash(password: &str) -> String {
    argon2()
        .hash_password(password.as_bytes(), &SaltString::generate(&mut OsRng))
        .expect("the parameters are constants, and any password can be hashed")
        .to_string()
}

fn verify(stored: &str, password: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| {
        argon2()
            .verify_password(password.as_bytes(), &stored)
            .is_ok()
    })
}

/// Cheap on purpose: 4 MiB and one pass, so that a debug build keeps up with its visitors.
/// A real shop takes OWASP's 19 MiB and two passes.
fn argon2() -> Argon2<'static> {
    let params = Params::new(4 * 1024, 1, 1, None).expect("constants within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
