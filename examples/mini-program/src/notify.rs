//! Hears from the channel that the money is there: once in the ledger, however often it is told.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::catalog::yuan;
use crate::pay::CURRENCY;
use crate::refusal::Refusal;
use crate::shop::Shop;
use crate::{schema, trace};

/// What the channel tells.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Notice {
    pub(crate) order_id: u64,
    pub(crate) amount: u64,
    pub(crate) currency: String,
    pub(crate) trade_no: String,
}

/// `POST /api/pay/notify`
pub(crate) async fn notify(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let signature = headers
        .get("x-signature")
        .and_then(|value| value.to_str().ok());
    if !signature.is_some_and(|signature| shop.channel_seal.checks(&body, signature)) {
        warn!(
            event = "notify_refused",
            reason = "signature",
            "a notice is not the channel's"
        );
        return Err(Refusal::Asked(StatusCode::UNAUTHORIZED, "签名错误"));
    }
    let Ok(notice) = serde_json::from_slice::<Notice>(&body) else {
        warn!(
            event = "notify_refused",
            reason = "body",
            "a notice cannot be read"
        );
        return Err(Refusal::Asked(StatusCode::BAD_REQUEST, "报文错误"));
    };
    let Notice {
        order_id,
        amount,
        trade_no,
        ..
    } = notice.clone();
    let told = shop
        .store
        .run("settle payment", move |db| settle(db, &notice))
        .await?;
    let Some(told) = told else {
        error!(event = "notify_refused", reason = "payment", order_id, amount, trade_no = %trade_no,
            "a notice fits no payment");
        return Err(Refusal::Asked(
            StatusCode::UNPROCESSABLE_ENTITY,
            "订单或金额不符",
        ));
    };
    // The channel knows nothing of our traces; the payment does.
    let _resumed = trace::resume(&told.traceparent, "notify").entered();
    if !told.first {
        info!(event = "notify_repeated", order_id, trade_no = %trade_no, "told again");
        return Ok(Json(json!({ "code": "SUCCESS" })));
    }
    info!(event = "pay_settled", order_id, amount, currency = CURRENCY, trade_no = %trade_no,
        "payment settled");
    info!(
        event = "ledger_updated",
        order_id,
        amount,
        currency = CURRENCY,
        "ledger updated"
    );
    info!(event = "status_notified", order_id, amount, currency = CURRENCY, user_id = told.visitor,
        text = %told.text, "customer notified");
    Ok(Json(json!({ "code": "SUCCESS" })))
}

/// Settles the payment, books it, and leaves the customer a message: all or nothing.
fn settle(db: &mut Connection, notice: &Notice) -> rusqlite::Result<Option<Told>> {
    let Notice {
        order_id,
        amount,
        currency,
        trade_no,
    } = notice;
    let rows = schema::write(db)?;
    let find = "SELECT p.traceparent, o.visitor, p.state = 'settled'
                FROM payments p JOIN orders o ON o.id = p.order_id
                WHERE p.order_id = ?1 AND p.fen = ?2";
    let payment = rows
        .query_row(find, params![order_id, amount], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, bool>(2)?))
        })
        .optional()?;
    let Some((traceparent, visitor, settled)) = payment.filter(|_| currency == CURRENCY) else {
        return Ok(None);
    };
    let text = format!("您的订单{order_id}已支付{},感谢惠顾!", yuan(*amount));
    if !settled {
        rows.execute(
            "UPDATE payments SET state = 'settled' WHERE order_id = ?1",
            [order_id],
        )?;
        rows.execute("UPDATE orders SET state = 'paid' WHERE id = ?1", [order_id])?;
        rows.execute(
            "INSERT INTO ledger VALUES (?1, ?2, ?3)",
            params![order_id, amount, format!("收款 {trade_no}")],
        )?;
        rows.execute(
            "INSERT INTO messages (visitor, text) VALUES (?1, ?2)",
            params![visitor, text],
        )?;
        rows.commit()?;
    }
    Ok(Some(Told {
        traceparent,
        visitor,
        text,
        first: !settled,
    }))
}

/// A notice that fits a payment.
struct Told {
    traceparent: String,
    visitor: u64,
    text: String,
    /// False when the same money was told before.
    first: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop_with_one_payment() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        schema::create(dir.path()).unwrap();
        let db = schema::connect(dir.path(), std::time::Duration::from_secs(1)).unwrap();
        db.execute_batch(
            "INSERT INTO orders VALUES (1, 1, 1, 26800, '00-…', 'created');
             INSERT INTO payments VALUES (1, 26800, 1, '00-…', 'opened');",
        )
        .unwrap();
        (dir, db)
    }

    fn notice(amount: u64, currency: &str) -> Notice {
        let (currency, trade_no) = (currency.to_owned(), "T1".to_owned());
        Notice {
            order_id: 1,
            amount,
            currency,
            trade_no,
        }
    }

    #[test]
    fn money_told_twice_is_booked_once() {
        let (_dir, mut db) = shop_with_one_payment();
        let first = settle(&mut db, &notice(26_800, "CNY")).unwrap().unwrap();
        let again = settle(&mut db, &notice(26_800, "CNY")).unwrap().unwrap();
        assert!(first.first && !again.first);
        let booked: (u64, u64) = db
            .query_row("SELECT count(*), sum(fen) FROM ledger", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
            .unwrap();
        assert_eq!(booked, (1, 26_800));
    }

    #[test]
    fn a_notice_of_another_amount_or_currency_books_nothing() {
        let (_dir, mut db) = shop_with_one_payment();
        for wrong in [notice(1, "CNY"), notice(26_800, "USD")] {
            assert!(settle(&mut db, &wrong).unwrap().is_none(), "{wrong:?}");
        }
        let booked: u64 = db
            .query_row("SELECT count(*) FROM ledger", [], |r| r.get(0))
            .unwrap();
        assert_eq!(booked, 0);
    }
}
