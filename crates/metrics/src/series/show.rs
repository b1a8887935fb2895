//! Writes the series of requests as histograms.

use super::{
    DURATION, DURATION_NS, DURATION_TOLD, RequestSeries, SHED_REQUESTS, SHED_TOLD, SIZE, SIZE_IN,
    SIZE_IN_TOLD, SIZE_OUT, SIZE_OUT_TOLD, Series,
};
use crate::histogram::Histogram;
use crate::page::{Buckets, Kind, Number, Page, labels};
use crate::request::SHED;
use std::collections::BTreeMap;

impl RequestSeries {
    pub(crate) fn write(&self, page: &mut Page) {
        let overflow = self
            .overflow
            .iter()
            .filter_map(|slot| slot.get().map(|s| &**s));
        let mut all: Vec<&Series> = self.table.iter().chain(overflow).collect();
        all.sort_unstable_by_key(|series| &series.labels);

        // Different words can end in the same labels: a status of 500, and an outcome called `500`.
        let same_labels = || all.chunk_by(|a, b| a.labels == b.labels);
        let bounds = DURATION_NS.map(|ns| ns as f64 / 1e9);
        page.family(DURATION, Kind::Histogram, DURATION_TOLD.help);
        for same in same_labels() {
            let counts = total(same, |series| series.duration.counts());
            let sum = total_sum(same, |series| series.duration.sum());
            let sum = Number::Real(sum as f64 / 1e6);
            let buckets = Buckets {
                bounds: &bounds,
                counts: &counts,
                sum,
            };
            let exemplar = |at| same.iter().find_map(|series| series.exemplars.at(at));
            page.histogram(&same[0].labels, &buckets, exemplar);
        }
        page.family(SIZE_IN, Kind::Histogram, SIZE_IN_TOLD.help);
        for same in same_labels().filter(|same| same.iter().any(|s| s.size_in.get().is_some())) {
            write_sizes(page, same, |series| {
                series.size_in.get().map(|sizes| &**sizes)
            });
        }
        page.family(SIZE_OUT, Kind::Histogram, SIZE_OUT_TOLD.help);
        for same in same_labels() {
            write_sizes(page, same, |series| Some(&series.size_out));
        }
        page.family(SHED_REQUESTS, Kind::Counter, SHED_TOLD.help);
        for (route, count) in shed_by_route(&all) {
            page.counter(&labels(&[("http_route", route)]), Number::Whole(count));
        }
    }
}

fn write_sizes<'a>(
    page: &mut Page,
    same: &[&'a Series],
    sizes: fn(&'a Series) -> Option<&'a Histogram<{ SIZE.len() + 1 }>>,
) {
    let mut counts = [0; SIZE.len() + 1];
    let mut sum = 0_u64;
    for sizes in same.iter().filter_map(|series| sizes(series)) {
        let both = counts.iter_mut().zip(sizes.counts());
        both.for_each(|(total, count)| *total += count);
        sum = sum.wrapping_add(sizes.sum());
    }
    let buckets = Buckets {
        bounds: &SIZE.map(|bytes| bytes as f64),
        counts: &counts,
        sum: Number::Whole(sum),
    };
    page.histogram(&same[0].labels, &buckets, |_| None);
}

fn total<const N: usize>(same: &[&Series], counts: fn(&Series) -> [u64; N]) -> [u64; N] {
    let mut total = [0; N];
    for series in same {
        total
            .iter_mut()
            .zip(counts(series))
            .for_each(|(total, count)| *total += count);
    }
    total
}

/// A sum may wrap, as the atomics that it is made of do; a page is no place to panic.
fn total_sum(same: &[&Series], sum: fn(&Series) -> u64) -> u64 {
    same.iter()
        .fold(0, |total, series| total.wrapping_add(sum(series)))
}

/// Summed from the same series that the histogram shows, so that the two cannot disagree.
fn shed_by_route<'a>(all: &[&'a Series]) -> BTreeMap<&'a str, u64> {
    let mut routes = BTreeMap::new();
    for series in all
        .iter()
        .filter(|series| series.error.as_deref() == Some(SHED))
    {
        *routes.entry(&*series.route).or_default() += series.duration.counts().iter().sum::<u64>();
    }
    routes
}
