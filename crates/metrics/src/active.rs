//! Counts the requests that are under way, by method.

use crate::forward::{Forward, Gauged, Told};
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
    sent: Gauged,
}

impl Active {
    pub(crate) fn add(&self, method: &str, delta: i64, forward: &Forward) {
        let at = method_at(method);
        let slot = &self.0[at];
        slot.now.fetch_add(delta, Ordering::Relaxed);
        if !slot.seen.load(Ordering::Relaxed) {
            slot.seen.store(true, Ordering::Relaxed);
        }
        forward.add((&slot.sent, delta), TOLD, || row(METHODS[at]));
    }

    pub(crate) fn write(&self, page: &mut Page) {
        page.family(ACTIVE, Kind::Gauge, TOLD.help);
        for (method, slot) in METHODS.iter().zip(&self.0) {
            if slot.seen.load(Ordering::Relaxed) {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "far fewer than 2^53 requests at once"
                )]
                let now = slot.now.load(Ordering::Relaxed) as f64;
                page.gauge(&row(method), Number::Real(now));
            }
        }
    }
}

fn row(method: &str) -> String {
    labels(&[("http_request_method", method)])
}

const TOLD: Told<'static> = Told {
    name: ACTIVE,
    help: "Requests under way, by method.",
};
pub(crate) const ACTIVE: &str = "http_server_active_requests";
