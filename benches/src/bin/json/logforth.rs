//! The rival logforth: records of the `log` crate with all fields in the call, for it has no spans.

use crate::cases::{self, Sample};
use dogwatch_benches::sink;
use logforth_bridge_log::LogBridge;
use logforth_core::append::Append;
use logforth_core::layout::Layout;
use logforth_core::record::Record;
use logforth_core::{Diagnostic, Error};
use logforth_layout_json::JsonLayout;
use logforth_layout_json::jiff::tz::TimeZone;
use std::hint::black_box;
use std::io::Write as _;

pub(crate) fn run(case: &str, n: u64) -> Option<Sample> {
    log::set_max_level(log::LevelFilter::Info);
    let append = Counted(JsonLayout::default().timezone(TimeZone::UTC));
    let logger = logforth_core::builder().dispatch(|dispatch| dispatch.append(append));
    let logger = LogBridge::new(logger.build());
    match case {
        "event" => Some(cases::measured(n, |n| event(&logger, n))),
        "escapes" => Some(cases::measured(n, |n| {
            log::warn!(logger: logger, target: "shop::pay", n, text = black_box(cases::ESCAPES); "said");
        })),
        "threads" => Some(cases::on_four_threads(|barrier| {
            event(&logger, 0);
            barrier.wait();
            cases::measured(n / 4, |n| event(&logger, n))
        })),
        // It has no spans to make.
        _ => None,
    }
}

#[inline(never)]
fn event(logger: &LogBridge, n: u64) {
    log::info!(
        logger: logger,
        target: "shop::pay",
        channel = "wechat",
        currency = "CNY",
        event = "pay_settled",
        amount_cents = black_box(129_950 + n % 7),
        latency_ms = black_box(12.625),
        first = black_box(true),
        trace_id = cases::TRACE,
        method = "POST",
        route = "/api/orders/{id}/pay",
        order_id = black_box(88_123_u64),
        user_id = cases::USER,
        attempt = 2_u64;
        "order settled by the channel"
    );
}

/// Writes as logforth's own appenders do, to the sink of every subject.
#[derive(Debug)]
struct Counted(JsonLayout);

impl Append for Counted {
    fn append(&self, record: &Record<'_>, all: &[Box<dyn Diagnostic>]) -> Result<(), Error> {
        let mut line = self.0.format(record, all)?;
        line.push(b'\n');
        sink::make().write_all(&line).map_err(Error::from_io_error)
    }

    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
}
