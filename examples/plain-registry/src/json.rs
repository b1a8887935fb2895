//! `JsonLayer` alone: an event becomes one line of JSON, beside the fmt layer's text.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use dogwatch_json::JsonLayer;
use dogwatch_line::{Line, Value};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

pub(crate) fn lines(dir: &Path) -> Result<String, Box<dyn Error>> {
    let (ours, theirs) = (dir.join("json.log"), dir.join("fmt.log"));
    let json = JsonLayer::new(Arc::new(File::create(&ours)?)).service("shop");
    let text = fmt::layer()
        .with_ansi(false)
        .with_writer(Arc::new(File::create(&theirs)?));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(json).with(text), || {
        let _order = tracing::info_span!("order", order_id = 42, currency = "CNY").entered();
        tracing::info!(event = "order_created", amount = 26_800, "已下单");
    });

    let lines = crate::lines(&ours)?;
    crate::same("the number of lines", lines.len(), 1)?;
    let line = Line::parse(&lines[0])?;
    crate::same(
        "the span's field",
        line.field("order_id"),
        Some(Value::I64(42)),
    )?;
    crate::same("the message", line.message().as_deref(), Some("已下单"))?;
    let text = std::fs::read_to_string(&theirs)?;
    crate::same("the text beside it", text.contains("已下单"), true)?;
    Ok(format!("{}\n{text}", lines[0]))
}
