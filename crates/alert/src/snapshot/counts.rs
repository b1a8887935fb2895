//! What a meter counts, few numbers of it, and a meter that goes on from them. Pure.

use crate::clock::Clock;
use crate::meter::{Meter, Weight};

/// When, how many count, among how many: the oldest first, in times of the steady clock.
///
/// A long window is told in stretches, each as if all its events came with its last: it is good
/// again too late by one stretch at most and never too early.
pub(crate) fn of(meter: &Meter) -> Vec<(u64, u32, u32)> {
    if let Meter::Count(window) = meter {
        let times: Vec<u64> = window.times().iter().copied().collect();
        let stretch = times.len().div_ceil(MAX_STRETCHES).max(1);
        let counts = times.chunks(stretch).map(|times| {
            let many = u32::try_from(times.len()).unwrap_or(u32::MAX);
            (times.last().copied().unwrap_or(0), many, many)
        });
        return counts.collect();
    }
    if let Meter::Silence(silence) = meter {
        return silence.last.map(|last| (last, 1, 1)).into_iter().collect();
    }
    let buckets = if let Meter::Ratio(ratio) = meter {
        &ratio.buckets
    } else if let Meter::Spike(spike) = meter {
        &spike.buckets
    } else {
        // The others begin anew.
        return Vec::new();
    };
    let width = buckets.width();
    let counts = buckets.stretches().iter();
    counts
        .map(|one| (one.index.saturating_mul(width), one.counted, one.all))
        .collect()
}

/// Fills a new meter.
pub(crate) fn fill(meter: &mut Meter, counts: &[(u64, u32, u32)], clock: &dyn Clock) {
    for &(at, counted, all) in counts {
        let at = clock.time_at(at);
        match &mut *meter {
            Meter::Ratio(ratio) => ratio.buckets.add(at, counted, all),
            Meter::Spike(spike) => {
                // It was judged, so that it had seen for long enough.
                spike.born = Some(0);
                spike.buckets.add(at, counted, all);
            }
            // A window keeps what it needs of them.
            other => (0..counted.min(MAX_EVENTS)).for_each(|_| other.push(at, Weight::One)),
        }
    }
}

const MAX_STRETCHES: usize = 64;

/// The greatest threshold.
const MAX_EVENTS: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::{fill, of};
    use crate::Rules;
    use crate::clock::EventClock;
    use crate::meter::{Level, Meter, Weight};

    fn meter(keys: &str) -> Meter {
        let yaml = format!("{{name: r, pattern: x, {keys}}}");
        Meter::new(&Rules::parse(&yaml).unwrap().document.rules[0])
    }

    #[test]
    fn a_meter_filled_anew_is_as_bad_as_before_and_never_good_too_early() {
        const S: u64 = 1_000_000_000;
        let start = 1_800_000_000 * S;
        let clock = EventClock::default();
        for keys in [
            "threshold: 3/10s",
            "threshold: 1000/10s",
            "type: any, window: 10s",
            "type: ratio, of: '*', threshold: 10%, window: 10s",
        ] {
            let mut before = meter(keys);
            (0..1000).for_each(|event| before.push(start + event * S / 1000, Weight::One));
            clock.set(start + S);
            let mut after = meter(keys);
            fill(&mut after, &of(&before), &clock);
            assert!(of(&before).len() <= 64, "{keys}");
            assert_eq!(after.level(start + S), Level::Over, "{keys}");
            for tenth in 0..130 {
                let at = start + S + tenth * S / 10;
                let (old, new) = (before.level(at), after.level(at));
                assert!(old == Level::Under || new == old, "{keys} after {tenth}");
            }
            assert_eq!(after.level(start + 12 * S), Level::Under, "{keys}");
        }
    }
}
