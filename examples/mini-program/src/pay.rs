//! Asks the payment channel for the money of an order.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};
use tracing::{Instrument, error, info};

use crate::refusal::Refusal;
use crate::schema;
use crate::shop::Shop;
use crate::store::StoreError;
use crate::token::Customer;
use crate::{call, trace};

/// `POST /api/orders/{id}/pay`
pub(crate) async fn pay(
    State(shop): State<Arc<Shop>>,
    Customer(visitor): Customer,
    Path(order_id): Path<u64>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let due = match open(&shop, visitor, order_id).await? {
        Opened::Due(due) => due,
        Opened::Unknown => return Err(Refusal::Asked(StatusCode::NOT_FOUND, "没有这个订单")),
        Opened::Busy => return Err(Refusal::Asked(StatusCode::CONFLICT, "订单已在支付")),
    };
    let span = trace::resume(&due.traceparent, "pay");
    collect(&shop, due).instrument(span).await
}

/// Sends one attempt to the channel, which will notify us of the money later.
async fn collect(shop: &Arc<Shop>, due: Due) -> Result<(StatusCode, Json<Value>), Refusal> {
    let Due {
        order_id,
        fen,
        attempt,
        ..
    } = due;
    info!(
        event = "pay_started",
        order_id,
        amount = fen,
        currency = CURRENCY,
        "payment started"
    );
    let body = json!({
        "order_id": order_id, "attempt": attempt, "amount": fen, "currency": CURRENCY,
    });
    let signature = shop.channel_seal.sign(body.to_string().as_bytes());
    let url = format!("{}/channel/pay", shop.channel);
    let request = call::request(
        Method::POST,
        &url,
        &[("x-signature", &signature)],
        Some(&body),
    );
    // Before the call: the channel's notice may be faster than its answer.
    info!(
        event = "pay_requested",
        order_id,
        attempt,
        amount = fen,
        currency = CURRENCY,
        "payment requested"
    );
    let failure: Box<dyn std::error::Error + Send + Sync> = match shop.caller.call(request).await {
        Ok(answer) if answer.status.is_success() => {
            return Ok((StatusCode::ACCEPTED, Json(json!({ "state": "requested" }))));
        }
        Ok(answer) => format!("the channel answered {}", answer.status.as_u16()).into(),
        Err(error) => error.into(),
    };
    error!(
        event = "pay_failed",
        order_id,
        attempt,
        amount = fen,
        currency = CURRENCY,
        error = &*failure as &dyn std::error::Error,
        "payment failed"
    );
    give_up(shop, order_id).await?;
    Err(Refusal::Channel)
}

/// Opens a payment, or opens a failed one again; one that is on its way is left alone.
async fn open(shop: &Arc<Shop>, visitor: u64, order_id: u64) -> Result<Opened, StoreError> {
    let opened = shop.store.run("open payment", move |db| {
        let rows = schema::write(db)?;
        let find = "SELECT fen, traceparent FROM orders WHERE id = ?1 AND visitor = ?2";
        let order = rows
            .query_row(find, params![order_id, visitor], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((fen, traceparent)) = order else {
            return Ok(Opened::Unknown);
        };
        let open = "INSERT INTO payments VALUES (?1, ?2, 1, ?3, 'opened')
                    ON CONFLICT (order_id) DO UPDATE SET state = 'opened', tries = tries + 1
                    WHERE state = 'failed' RETURNING tries";
        let attempt: Option<u64> = rows
            .query_row(open, params![order_id, fen, traceparent], |row| row.get(0))
            .optional()?;
        rows.commit()?;
        Ok(match attempt {
            Some(attempt) => Opened::Due(Due {
                order_id,
                fen,
                attempt,
                traceparent,
            }),
            None => Opened::Busy,
        })
    });
    opened.await
}

/// Marks the attempt as failed, so that the customer may try again.
async fn give_up(shop: &Arc<Shop>, order_id: u64) -> Result<(), StoreError> {
    let mark = "UPDATE payments SET state = 'failed' WHERE order_id = ?1 AND state = 'opened'";
    let mut tries = 0;
    loop {
        let done = shop.store.run("fail payment", move |db| {
            db.execute(mark, params![order_id])
        });
        match done.await {
            Err(StoreError::NoConnection { .. }) if tries < MARK_TRIES => tries += 1,
            done => return done.map(|_| ()),
        }
    }
}

/// What opening a payment came to.
enum Opened {
    Due(Due),
    /// No such order of this customer.
    Unknown,
    /// Paid, or the channel is at it.
    Busy,
}

/// A payment to collect.
struct Due {
    order_id: u64,
    fen: u64,
    attempt: u64,
    traceparent: String,
}

/// The one currency of this shop; amounts are in its hundredth, fen.
pub(crate) const CURRENCY: &str = "CNY";
/// Every try waits for a connection as long as any query does.
const MARK_TRIES: u32 = 20;
