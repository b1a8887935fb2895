//! Joins the shop's routes: what it holds, and which handler answers what.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use dogwatch::{BytesInLayer, Guard, PropagateLayer, ShedLayer};
use tower::ServiceBuilder;

use crate::call::{self, Caller};
use crate::counts::Counts;
use crate::seal::Seal;
use crate::store::Store;
use crate::{catalog, login, notify, orders, pay};

/// What every handler may use.
pub(crate) struct Shop {
    pub(crate) store: Arc<Store>,
    /// Signs session tokens.
    pub(crate) tokens: Seal,
    /// Shared with the platform that vouches for its users.
    pub(crate) platform: Seal,
    /// Shared with the payment channel.
    pub(crate) channel_seal: Seal,
    /// The channel's address.
    pub(crate) channel: String,
    /// Calls it: traced, one span an attempt.
    pub(crate) caller: Caller,
    /// A password's hash that belongs to nobody.
    pub(crate) nobody: String,
}

impl Shop {
    pub(crate) fn new(
        store: Arc<Store>,
        keys: Keys,
        channel: String,
        counts: Arc<Counts>,
    ) -> Arc<Shop> {
        let client = ServiceBuilder::new().layer(PropagateLayer::new());
        let caller = Caller::new(client.service(call::client()), counts);
        let Keys {
            platform,
            channel: channel_seal,
        } = keys;
        let (tokens, nobody) = (Seal::random(), login::hash("nobody"));
        Arc::new(Shop {
            store,
            tokens,
            platform,
            channel_seal,
            channel,
            caller,
            nobody,
        })
    }

    /// The routes, each request with its span and its closing line; and the pages of `log`, which
    /// a real shop serves on a port that no customer reaches.
    pub(crate) fn router(self: Arc<Shop>, log: &Guard) -> Router {
        let requests = log.request_layer();
        // The shop can sell without recommending: this route goes first when it must save itself.
        let shed = ShedLayer::new(log.shed_switch())
            .route("/api/recommend")
            .retry_after(Duration::from_secs(5));
        Router::new()
            .route("/api/login", post(login::login))
            .route("/api/products", get(catalog::products))
            .route("/api/recommend", get(catalog::recommend))
            .route("/api/orders", post(orders::order))
            .route("/api/orders/{id}/pay", post(pay::pay))
            .route("/api/pay/notify", post(notify::notify))
            .route("/healthz", get(async || "ok"))
            .route_service("/metrics", log.metrics_page())
            .route_service("/alerts", log.alerts_page())
            .with_state(self)
            .layer(shed)
            .layer(BytesInLayer::new())
            .layer(
                requests
                    .quiet("/healthz")
                    .quiet("/metrics")
                    .quiet("/alerts"),
            )
    }
}

/// The keys that the shop shares with others.
pub(crate) struct Keys {
    pub(crate) platform: Seal,
    pub(crate) channel: Seal,
}
