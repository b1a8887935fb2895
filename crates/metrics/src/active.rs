//! Counts the requests that are under way, by method.

use crate::page::{Kind, Number, Page, labels};
use crate::request::{METHODS, method_at};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Active([Slot; METHODS.len()]);

#[derive(Debug, Default)]
struct Slot {
    now: AtomicI64,
    // A method that was never called has no row; one that was keeps it, at 0.
    seen: AtomicBool,
}

impl Active {
    pub(crate) fn add(&self, method: &str, delta: i64) {
        let slot = &self.0[method_at(method)];
        slot.now.fetch_add(delta, Ordering::Relaxed);
        if !slot.seen.load(Ordering::Relaxed) {
            slot.seen.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn write(&self, page: &mut Page) {
        page.family(ACTIVE, Kind::Gauge, "Requests under way, by method.");
        for (method, slot) in METHODS.iter().zip(&self.0) {
            if slot.seen.load(Ordering::Relaxed) {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "far fewer than 2^53 requests at once"
                )]
                let now = slot.now.load(Ordering::Relaxed) as f64;
                let labels = labels(&[("http_request_method", method)]);
                page.gauge(&labels, Number::Real(now));
            }
        }
    }
}

pub(crate) const ACTIVE: &str = "http_server_active_requests";
