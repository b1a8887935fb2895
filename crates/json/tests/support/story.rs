//! One log that has something of everything, under any schema: what the golden files hold.

use super::{Sink, callsite, layer};
use dogwatch_json::{JsonLayer, Redact, Schema, Severity};
use std::error::Error;
use std::fmt;
use tracing::{error, info, info_span, warn};
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct Failed(&'static str, Option<Box<Failed>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

/// The schema of this name, with a project where it takes one.
pub(crate) fn schema(name: &str) -> Schema {
    let schema: Schema = name.parse().unwrap();
    if name == "gcp" {
        return schema.builder().project("shop-1").build().unwrap();
    }
    schema
}

/// The log under the schema of this name.
pub(crate) fn told(name: &str) -> Sink {
    told_with(name, |layer| layer)
}

/// The same with more options.
pub(crate) fn told_with(name: &str, more: fn(JsonLayer<Sink>) -> JsonLayer<Sink>) -> Sink {
    let sink = Sink::default();
    let layer = more(layer(&sink))
        .schema(schema(name))
        .redact(Redact::secrets())
        .max_field_bytes(48)
        .service("shop")
        .version("1.4.2")
        .env("prod")
        .host("node-7")
        .field("region", "华东")
        .field("shard", 3_u64);
    let gap = layer
        .blank()
        .line(Severity::Warn, "dogwatch", "12 log lines are missing here")
        .raw("gap", r#"{"lines":12,"reasons":{"full":12}}"#)
        .field("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");
    let fatal = layer.blank().line(Severity::Fatal, "main", "no port");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), tell);
    let placed = more(super::layer(&sink))
        .schema(schema(name))
        .file_and_line(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(placed), || {
        let message = tracing::field::display("with its place");
        callsite::event("shop", &[("message".to_owned(), Some(&message))]);
    });
    let closing = more(super::layer(&sink))
        .schema(schema(name))
        .span_close(true)
        .monotonic_clock(super::noon);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(closing), || {
        drop(info_span!(target: "shop", "work", span_id = "00f067aa0ba902b7"));
    });
    for line in [gap, fatal] {
        sink.0.lock().unwrap().push(line.finish());
    }
    sink
}

fn tell() {
    info!(target: "shop", "shop is open");
    let request = info_span!(
        target: "dogwatch",
        "request",
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
        span_id = "00f067aa0ba902b7",
        request_id = "r-1",
        user_id = 42,
    );
    request.in_scope(|| {
        let pay = info_span!(target: "shop", "pay", span_id = "53995c3f42cd8ad8", order_id = 7);
        pay.in_scope(|| {
            info!(target: "shop", event = "order_created", amount = 12.5, paid = true, "order 7 created");
            let reset = Failed("connection reset", None);
            let failed = Failed("bank is away", Some(Box::new(reset)));
            let error: &(dyn Error + 'static) = &failed;
            error!(target: "shop", error, password = "hunter2", "payment failed");
        });
        warn!(target: "shop", 商品 = "键盘", "支付失败：余额不足");
        info!(
            target: "dogwatch::request",
            method = "GET",
            route = "/orders/{id}",
            path = "/orders/7",
            status = 200,
            outcome = "completed",
            latency_ms = 1204.206,
            ttfb_ms = 0.142,
            bytes_out = 512,
            "request completed"
        );
    });
    info!(target: "shop", body = "0123456789".repeat(9), "too long");
    info!(
        target: "shop",
        level = "gold",
        service = "another",
        http = 1,
        tags = 2,
        status = "ok",
        a.b = 1,
        a_b = 2,
        "names that a reader keeps for itself"
    );
}
