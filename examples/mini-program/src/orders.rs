//! Takes an order.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

use crate::catalog::yuan;
use crate::refusal::Refusal;
use crate::schema;
use crate::shop::Shop;
use crate::token::Customer;
use crate::trace;

/// What a customer wants.
#[derive(Deserialize)]
pub(crate) struct Wish {
    product: u64,
    quantity: u64,
}

/// `POST /api/orders`
pub(crate) async fn order(
    State(shop): State<Arc<Shop>>,
    Customer(visitor): Customer,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    if !(1..=MOST).contains(&wish.quantity) {
        return Err(Refusal::Asked(StatusCode::BAD_REQUEST, "数量须在1到99之间"));
    }
    // The trace lives as long as the order: paying for it goes on in the same one.
    let traceparent = trace::current();
    let placed = shop.store.run("place order", move |db| {
        let rows = schema::write(db)?;
        let find = "SELECT title, fen FROM products WHERE id = ?1";
        let product = rows
            .query_row(find, params![wish.product], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?))
            })
            .optional()?;
        let Some((title, price)) = product else {
            return Ok(None);
        };
        let fen = price * wish.quantity;
        let insert = "INSERT INTO orders (visitor, product, fen, traceparent, state)
                      VALUES (?1, ?2, ?3, ?4, 'created') RETURNING id";
        let id: u64 = rows.query_row(
            insert,
            params![visitor, wish.product, fen, traceparent],
            |row| row.get(0),
        )?;
        rows.commit()?;
        Ok(Some((id, title, fen)))
    });
    let Some((order_id, title, fen)) = placed.await? else {
        return Err(Refusal::Asked(StatusCode::NOT_FOUND, "没有这个商品"));
    };
    info!(
        event = "order_created",
        order_id,
        user_id = visitor,
        amount = fen,
        currency = "CNY",
        price = %yuan(fen),
        product = %title,
        "order created"
    );
    let answer = json!({ "order_id": order_id, "amount": fen, "price": yuan(fen) });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The most pieces that one order may hold.
const MOST: u64 = 99;
