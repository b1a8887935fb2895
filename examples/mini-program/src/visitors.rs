//! Plays the shop's customers: they come at a steady rate, look around, order and pay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use dogwatch::TraceContext;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::call::{self, Caller};
use crate::counts::Counts;
use crate::dice::Dice;
use crate::people::{PEOPLE, Person, person};
use crate::platform;
use crate::schema::SCENES;
use crate::seal::Seal;
use crate::story::Act;

/// Everybody outside the shop.
#[derive(Debug)]
pub(crate) struct Visitors {
    pub(crate) shop: String,
    pub(crate) platform: Seal,
    pub(crate) counts: Arc<Counts>,
    pub(crate) caller: Caller,
    pub(crate) seed: u64,
    pub(crate) rate: u32,
    /// How many storm visits are compared between two runs.
    pub(crate) quota: u64,
    /// The sessions that their phones keep.
    pub(crate) tokens: Mutex<HashMap<u64, String>>,
}

impl Visitors {
    /// Lets them come until the shop closes, and returns when the last one has gone.
    ///
    /// They come by the clock, whether the shop keeps up or not, as real ones do.
    pub(crate) async fn come(self: Arc<Visitors>, act: watch::Receiver<Act>) {
        let mut dice = Dice::new(self.seed, &[ARRIVALS]);
        let mut visits = JoinSet::new();
        let mut next = Instant::now();
        for number in 0.. {
            // Between half and one and a half times the mean gap.
            next += Duration::from_micros(500_000 + dice.below(1_000_000)) / self.rate;
            tokio::time::sleep_until(next).await;
            let act = *act.borrow();
            if act == Act::Closing {
                break;
            }
            self.counts.visit_begun();
            visits.spawn(self.clone().visit(number, act));
            while visits.try_join_next().is_some() {}
        }
        visits.join_all().await;
    }

    async fn visit(self: Arc<Visitors>, number: u64, act: Act) {
        let mut dice = Dice::new(self.seed, &[VISIT, number]);
        let person = person(1 + dice.below(PEOPLE));
        let wants = act == Act::Storm || dice.chance(85);
        let token = self.signed_in(&person, &mut dice).await;
        let mut order = None;
        if let Some(token) = &token {
            self.look_around().await;
            if wants {
                order = self.order(token, &mut dice).await;
            }
        }
        if act == Act::Storm {
            self.counts.storm_order(order.is_some(), self.quota);
        }
        if let (Some(token), Some(order)) = (token, order) {
            self.pay(&token, &order, &mut dice).await;
        }
        self.counts.visit_done();
    }

    /// The session, from the phone's memory or by logging in, with one more try.
    async fn signed_in(&self, person: &Person, dice: &mut Dice) -> Option<String> {
        if let (Some(token), false) = (self.remembered(person.id), dice.chance(15)) {
            return Some(token);
        }
        for attempt in 0..2 {
            let body = match dice.below(10) {
                0 if attempt == 0 => json!({ "phone": person.phone, "password": "手滑打错了" }),
                0..4 => json!({ "phone": person.phone, "password": person.password }),
                _ => json!({ "code": platform::code(&self.platform, person.id) }),
            };
            let answer = self
                .send(Method::POST, "/api/login", &[], Some(&body))
                .await?;
            if let (StatusCode::OK, Value::String(token)) = (answer.0, &answer.1["token"]) {
                let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
                tokens.insert(person.id, token.clone());
                return Some(token.clone());
            }
        }
        None
    }

    fn remembered(&self, id: u64) -> Option<String> {
        self.tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    /// The front page asks for everything at once, as front pages do.
    async fn look_around(&self) {
        let [home, cart, guess] = SCENES.map(|scene| format!("/api/recommend?scene={scene}"));
        tokio::join!(
            self.send(Method::GET, "/api/products", &[], None),
            self.send(Method::GET, &home, &[], None),
            self.send(Method::GET, &cart, &[], None),
            self.send(Method::GET, &guess, &[], None),
        );
    }

    async fn order(&self, token: &str, dice: &mut Dice) -> Option<Order> {
        // The mini program traces a checkout: order and payment are one trace.
        let traceparent = TraceContext::new().to_traceparent();
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("traceparent", &traceparent),
        ];
        let wish = json!({ "product": 1 + dice.below(10), "quantity": 1 + dice.below(3) });
        let (status, body) = self
            .send(Method::POST, "/api/orders", &headers, Some(&wish))
            .await?;
        let id = body["order_id"]
            .as_u64()
            .filter(|_| status == StatusCode::CREATED)?;
        Some(Order { id, traceparent })
    }

    /// Pays, and tries once more when the channel was down.
    async fn pay(&self, token: &str, order: &Order, dice: &mut Dice) {
        let path = format!("/api/orders/{}/pay", order.id);
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("traceparent", &order.traceparent),
        ];
        for _ in 0..2 {
            match self.send(Method::POST, &path, &headers, None).await {
                Some((StatusCode::ACCEPTED, _)) => return,
                _ => tokio::time::sleep(Duration::from_millis(100 + dice.below(200))).await,
            }
        }
    }

    /// Somebody else tries one password on many phones.
    pub(crate) async fn guess_passwords(&self) {
        for id in 1..=GUESSES {
            let body = json!({ "phone": person(id).phone, "password": "123456" });
            self.send(Method::POST, "/api/login", &[], Some(&body))
                .await;
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<(StatusCode, Value)> {
        let url = format!("{}{path}", self.shop);
        let answer = self
            .caller
            .call(call::request(method, &url, headers, body))
            .await
            .ok()?;
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        Some((answer.status, body))
    }
}

/// An order that waits to be paid.
struct Order {
    id: u64,
    traceparent: String,
}

/// The labels of the visitors' dice.
const ARRIVALS: u64 = 1;
const VISIT: u64 = 3;
/// How many phones the guesser tries; the rule `PasswordGuessing` fires at fewer.
const GUESSES: u64 = 8;
