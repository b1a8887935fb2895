//! What stands in a line: order, types, names, ids.

mod support;

use serde_json::json;
use support::{NOW, Sink, layer, logged};
use tracing::{info, info_span, warn};
use tracing_subscriber::prelude::*;

#[test]
fn a_line_has_its_fields_in_order() {
    let sink = Sink::default();
    let layer = layer(&sink)
        .service("shop")
        .version("1.2.3")
        .env("prod")
        .host("a1")
        .field("n", 1_u64);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let _request = info_span!("request", trace_id = "t", span_id = "s", route = "/a").entered();
        warn!(target: "shop::pay", amount = 12.5, ok = true, "paid {}", 42);
    });
    assert_eq!(
        sink.texts(),
        [format!(
            "{{\"timestamp\":\"{NOW}\",\"level\":\"WARN\",\"service\":\"shop\",\"version\":\"1.2.3\",\
             \"env\":\"prod\",\"host\":\"a1\",\"n\":1,\"target\":\"shop::pay\",\
             \"message\":\"paid 42\",\"amount\":12.5,\"ok\":true,\
             \"trace_id\":\"t\",\"span_id\":\"s\",\"route\":\"/a\"}}\n"
        )]
    );
}

#[test]
fn each_type_is_written_as_readers_expect_it() {
    let line = logged(|| {
        info!(
            u = u64::MAX, i = i64::MIN, big = u128::MAX, low = i128::MIN, f = 12.345, whole = 3.0,
            tiny = 5e-324, nan = f64::NAN, inf = f64::INFINITY, minus = f64::NEG_INFINITY,
            yes = true, text = "汉字 \"q\"", debug = ?vec![1, 2], none = None::<u64>, some = Some(5),
            bytes = &b"\x00\xffA"[..], r#type = "raw", user_id = 42, event = true,
        );
    })
    .line();
    let mut line = serde_json::Value::from(line);
    let fields = line.as_object_mut().unwrap();
    for key in ["timestamp", "level", "target"] {
        fields.remove(key).unwrap();
    }
    assert_eq!(
        line,
        json!({
            "message": "", "u": u64::MAX, "i": i64::MIN, "big": u128::MAX.to_string(),
            "low": i128::MIN.to_string(), "f": 12.345, "whole": 3.0, "tiny": 5e-324, "nan": null,
            "inf": null, "minus": null, "yes": true, "text": "汉字 \"q\"", "debug": "[1, 2]",
            "some": 5, "bytes": "00ff41", "type": "raw", "user_id": "42", "event": "true",
        })
    );
}
