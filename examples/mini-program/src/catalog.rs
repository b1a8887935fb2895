//! Shows the goods: the list, and the recommendations that the shop can do without.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::schema::SCENES;
use crate::shop::Shop;

/// `GET /api/products`
pub(crate) async fn products(State(shop): State<Arc<Shop>>) -> Result<Json<Value>, Refusal> {
    let list = shop.store.run("products", |db| {
        let mut find = db.prepare_cached("SELECT id, title, fen FROM products ORDER BY id")?;
        let rows = find.query_map([], |row| {
            let (id, title, fen) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(product(id, title, fen))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    });
    Ok(Json(Value::Array(list.await?)))
}

/// Where on the page the recommendations stand.
#[derive(Deserialize)]
pub(crate) struct Scene {
    scene: String,
}

/// `GET /api/recommend?scene=home`
///
/// It shares the pool with checkout, and waits for whoever rebuilds its table.
pub(crate) async fn recommend(
    State(shop): State<Arc<Shop>>,
    Query(Scene { scene }): Query<Scene>,
) -> Result<Json<Value>, Refusal> {
    let Some(scene) = SCENES.into_iter().find(|known| *known == scene) else {
        return Err(Refusal::Asked(StatusCode::BAD_REQUEST, "没有这个推荐位"));
    };
    let picks = shop.store.run("recommend", move |db| {
        let mut find = db.prepare_cached(
            "SELECT id, title, fen FROM rec.picks JOIN products ON id = product
             WHERE scene = ?1 ORDER BY score DESC LIMIT 4",
        )?;
        let rows = find.query_map(params![scene], |row| {
            let (id, title, fen) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(product(id, title, fen))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    });
    Ok(Json(Value::Array(picks.await?)))
}

fn product(id: u64, title: String, fen: u64) -> Value {
    json!({ "id": id, "title": title, "fen": fen, "price": yuan(fen) })
}

/// A price as the customer reads it: `￥268.00`.
pub(crate) fn yuan(fen: u64) -> String {
    format!("￥{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_shows_both_digits_of_its_fen() {
        assert_eq!(yuan(26_800), "￥268.00");
        assert_eq!(yuan(3_905), "￥39.05");
        assert_eq!(yuan(0), "￥0.00");
    }
}
