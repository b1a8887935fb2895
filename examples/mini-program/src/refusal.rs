//! Turns what went wrong in a handler into an answer, and into a line when it is our fault.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::error;

use crate::store::StoreError;

/// Why a handler did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The caller asked wrongly; the text tells the customer how.
    Asked(StatusCode, &'static str),
    /// The store did not answer.
    Store(StoreError),
    /// The payment channel did not take the payment. Told by `pay_failed` already.
    Channel,
    /// Something that cannot happen did.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Store(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Refusal::Asked(status, text) => (status, text),
            Refusal::Store(error) => {
                let status = match error {
                    StoreError::NoConnection { .. } => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                error!(
                    error = &error as &dyn std::error::Error,
                    "the store did not answer"
                );
                (status, "系统繁忙,请稍后再试")
            }
            Refusal::Channel => (StatusCode::BAD_GATEWAY, "支付渠道异常,请稍后再试"),
            Refusal::Internal(error) => {
                error!(
                    error = &*error as &dyn std::error::Error,
                    "a handler failed"
                );
                (StatusCode::INTERNAL_SERVER_ERROR, "系统错误")
            }
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}
