//! Plays the payment channel: another company's service, on a port of its own.
//!
//! It takes a signed payment, and tells the shop later, on a connection of its own, signed: mostly
//! once, sometimes twice, sometimes late, and again until it is heard. It returns no `traceparent`.
//! In the storm it is slow and refuses four payments in ten.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use crate::call::{self, Caller};
use crate::counts::Counts;
use crate::dice::Dice;
use crate::notify::Notice;
use crate::seal::Seal;
use crate::weather::Weather;

/// The channel's own memory.
#[derive(Debug)]
pub(crate) struct Channel {
    seal: Seal,
    seed: u64,
    weather: Weather,
    shop: String,
    caller: Caller,
    /// Notices that the shop has not heard yet.
    owed: watch::Sender<usize>,
    /// The tasks that tell them.
    notices: Mutex<JoinSet<()>>,
}

impl Channel {
    /// A channel that will notify the shop at this address.
    pub(crate) fn new(
        seal: Seal,
        seed: u64,
        weather: Weather,
        shop: String,
        counts: Arc<Counts>,
    ) -> Arc<Channel> {
        let caller = Caller::new(call::client(), counts);
        Arc::new(Channel {
            seal,
            seed,
            weather,
            shop,
            caller,
            owed: watch::Sender::new(0),
            notices: Mutex::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Channel>) -> Router {
        Router::new()
            .route("/channel/pay", post(take))
            .with_state(self.clone())
    }

    /// Returns once the shop has heard everything.
    pub(crate) async fn settled(&self) {
        // `wait_for` fails only when the sender is gone, and `self` holds it.
        let _ = self.owed.subscribe().wait_for(|owed| *owed == 0).await;
    }

    /// Tells nothing more, whatever is owed.
    pub(crate) async fn stop(&self) {
        let mut notices = std::mem::take(&mut *self.notices());
        notices.shutdown().await;
    }

    fn notices(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the shop, until it says that it heard.
    async fn tell(&self, notice: Notice, after: Duration) {
        let mut wait = after;
        for _ in 0..NOTICES {
            tokio::time::sleep(wait).await;
            match self.tell_once(&notice).await {
                Ok(status) if status.is_success() => return,
                Ok(status) => {
                    let order_id = notice.order_id;
                    let status = status.as_u16();
                    warn!(
                        event = "notify_unheard",
                        order_id, status, "the shop did not hear"
                    );
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(event = "notify_unheard", error, "the shop did not hear");
                }
            }
            wait = (wait * 2).clamp(BACK_OFF, BACK_OFF * 8);
        }
        error!(
            event = "notify_given_up",
            order_id = notice.order_id,
            "the shop never heard"
        );
    }

    async fn tell_once(&self, notice: &Notice) -> Result<StatusCode, call::CallError> {
        let body = json!(notice);
        let signature = self.seal.sign(body.to_string().as_bytes());
        let url = format!("{}/api/pay/notify", self.shop);
        let headers = [("x-signature", signature.as_str())];
        let request = call::request(Method::POST, &url, &headers, Some(&body));
        self.caller.call(request).await.map(|answer| answer.status)
    }
}

/// A payment as the shop asks for it.
#[derive(Deserialize)]
struct Payment {
    order_id: u64,
    attempt: u64,
    amount: u64,
    currency: String,
}

/// `POST /channel/pay`
async fn take(
    State(channel): State<Arc<Channel>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let signature = headers
        .get("x-signature")
        .and_then(|value| value.to_str().ok());
    if !signature.is_some_and(|signature| channel.seal.checks(&body, signature)) {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "error": "signature" })),
        );
    }
    let Ok(payment) = serde_json::from_slice::<Payment>(&body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "body" })));
    };
    let mut dice = Dice::new(channel.seed, &[CHANNEL, payment.order_id, payment.attempt]);
    let stormy = channel.weather.stormy();
    let slow = if stormy {
        200 + dice.below(400)
    } else {
        5 + dice.below(30)
    };
    tokio::time::sleep(Duration::from_millis(slow)).await;
    if stormy && dice.chance(40) {
        error!(
            event = "channel_down",
            order_id = payment.order_id,
            "渠道网关超时"
        );
        return (
            StatusCode::BAD_GATEWAY,
            Json(json!({ "error": "channel down" })),
        );
    }
    let trade_no = format!("T{:016x}", dice.throw());
    let notice = Notice {
        order_id: payment.order_id,
        amount: payment.amount,
        currency: payment.currency,
        trade_no: trade_no.clone(),
    };
    let late = if dice.chance(10) {
        1_000 + dice.below(1_000)
    } else {
        10 + dice.below(90)
    };
    let times = if dice.chance(10) { 2 } else { 1 };
    info!(event = "channel_accepted", order_id = payment.order_id, trade_no = %trade_no, "accepted");
    for time in 0..times {
        let owed = Owed::new(channel.clone());
        let (notice, after) = (notice.clone(), Duration::from_millis(late + 40 * time));
        // Outside every span: what comes later is not part of this request.
        let mut notices = channel.notices();
        notices.spawn(async move { owed.0.tell(notice, after).await });
        while notices.try_join_next().is_some() {}
    }
    (StatusCode::OK, Json(json!({ "trade_no": trade_no })))
}

/// Counts one notice as owed while it lives.
struct Owed(Arc<Channel>);

impl Owed {
    fn new(channel: Arc<Channel>) -> Owed {
        channel.owed.send_modify(|owed| *owed += 1);
        Owed(channel)
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.owed.send_modify(|owed| *owed -= 1);
    }
}

/// The label of the channel's dice.
const CHANNEL: u64 = 2;
/// The shortest wait before a notice is repeated; it doubles up to eight times this.
const BACK_OFF: Duration = Duration::from_millis(200);
/// After so many tries the channel gives up: about a minute and a half.
const NOTICES: u32 = 60;
