//! Learns how many events are usual at a time of day, and how far they spread. Pure: minutes come in.

/// Half hours of a day with their events, and the spread of minutes, 5 and 15 minutes: 408 bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usual {
    bins: [Bin; BINS],
    spreads: [Spread; WINDOWS.len()],
}

/// What one half hour had on the days that were learned, the last one most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    events: f32,
    minutes: f32,
}

/// Squares of what was above or below the usual, and what they would be for Poisson counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Spread {
    squares: f32,
    usual: f32,
}

/// What a window's count is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl Usual {
    pub(crate) fn new() -> Self {
        Self {
            bins: [Bin::default(); BINS],
            spreads: [Spread::default(); WINDOWS.len()],
        }
    }

    /// A minute that was as usual. Minutes are numbered from 1970 and come in order.
    pub(crate) fn learn(&mut self, minute: u64, events: u32) {
        let bin = bin(minute);
        if minute % BIN == 0 {
            self.bins[bin].events *= KEPT;
            self.bins[bin].minutes *= KEPT;
            for spread in &mut self.spreads {
                spread.squares *= SPREAD_KEPT;
                spread.usual *= SPREAD_KEPT;
            }
        }
        self.bins[bin].events += events as f32;
        self.bins[bin].minutes += 1.0;
    }

    /// A window of minutes that were as usual: how far it was from what is.
    pub(crate) fn learn_spread(&mut self, minute: u64, window: usize, events: u64) {
        let (rate, known) = self.rate(minute);
        // Of a guess from few minutes nothing can be told.
        if known < 1.0 || rate <= 0.0 {
            return;
        }
        let mean = rate * WINDOWS[window] as f64;
        let spread = &mut self.spreads[window];
        spread.squares += (events as f64 - mean).powi(2) as f32;
        spread.usual += mean as f32;
    }

    /// What is usual in a window that ends with this minute, and how sure that is.
    pub(crate) fn expected(&self, minute: u64, window: usize) -> Expected {
        let length = WINDOWS[window];
        let (rate, known) = self.rate(minute.saturating_sub(length / 2));
        let mean = rate * length as f64;
        let spread = self.spread(window);
        Expected {
            mean,
            // That of the counts, and that of a mean which is known from so many events.
            variance: spread * mean * (1.0 + mean / known),
        }
    }

    /// How many times the mean the variance is; a longer window's at least that of a shorter.
    fn spread(&self, window: usize) -> f64 {
        let of =
            |spread: &Spread| f64::from(spread.squares + PRIOR) / f64::from(spread.usual + PRIOR);
        let shorter = self.spreads[..=window].iter().map(of);
        shorter.fold(1.0, f64::max)
    }

    /// Events a minute at a minute, and from how many events that is known: of the half hours
    /// around it, of more where there are few events.
    fn rate(&self, minute: u64) -> (f64, f64) {
        let mut found = (0.0, 0.0);
        for width in WIDTHS {
            let (mut events, mut minutes, mut squares) = (0.0, 0.0, 0.0);
            for step in -width..=width {
                // From a minute's middle to a half hour's, in half hours.
                let within = (minute % BIN) as f64 + 0.5 - BIN as f64 / 2.0;
                let apart = (step as f64 - within / BIN as f64).abs();
                let weight = (1.0 - apart / (width as f64 + 0.5)).max(0.0);
                let at = (minute / BIN) as i64 + step;
                let bin = self.bins[at.rem_euclid(BINS as i64) as usize];
                events += weight * f64::from(bin.events);
                minutes += weight * f64::from(bin.minutes);
                squares += weight * weight * f64::from(bin.events);
            }
            if minutes > 0.0 {
                // As many events as would tell the mean as surely: Kish's effective sample size.
                let known = events * events / squares.max(f64::MIN_POSITIVE);
                let scale = known / events.max(f64::MIN_POSITIVE);
                found = ((events + 0.5) / minutes, (known + 0.5 * scale).max(0.5));
            }
            if found.1 >= ENOUGH {
                break;
            }
        }
        found
    }
}

fn bin(minute: u64) -> usize {
    (minute / BIN % BINS as u64) as usize
}

/// The minutes that are looked at together: a burst of one shows in the first, a slow one in the last.
pub(crate) const WINDOWS: [u64; 3] = [1, 5, 15];

const BINS: usize = 48;
/// Minutes of a half hour.
const BIN: u64 = 30;

/// Of a half hour's past from day to day: half of what is known is of the last three days.
const KEPT: f32 = 0.8;

/// Of the spread's from half hour to half hour: half of what is known is of the last 17 hours.
const SPREAD_KEPT: f32 = 0.98;

/// Before anything is known, counts spread as Poisson ones.
const PRIOR: f32 = 2.0;

/// So many half hours to each side are looked at, more only while that many events are not found.
const WIDTHS: [i64; 3] = [1, 3, 5];
const ENOUGH: f64 = 60.0;

#[cfg(test)]
mod tests {
    use super::{Expected, Usual, WINDOWS};

    /// Days of minutes as a function has them.
    fn learned(days: u64, of: impl Fn(u64) -> u32) -> Usual {
        let mut usual = Usual::new();
        for minute in 0..days * 1_440 {
            for (window, length) in WINDOWS.into_iter().enumerate() {
                if minute % length == 0 {
                    let events = (minute..minute + length).map(|at| u64::from(of(at))).sum();
                    usual.learn_spread(minute + length / 2, window, events);
                }
            }
            usual.learn(minute, of(minute));
        }
        usual
    }

    #[test]
    fn a_day_has_its_times_and_yesterday_is_expected_of_tomorrow() {
        // Busy from the eighth hour to the sixteenth.
        let usual = learned(3, |minute| {
            if (480..960).contains(&(minute % 1_440)) {
                20
            } else {
                2
            }
        });
        for (hour, rate) in [(3, 2.0), (12, 20.0), (22, 2.0)] {
            let minute = 3 * 1_440 + hour * 60;
            for (window, length) in WINDOWS.into_iter().enumerate() {
                let mean = usual.expected(minute, window).mean / length as f64;
                assert!(
                    (mean / rate - 1.0).abs() < 0.02,
                    "{hour} h {window}: {mean}"
                );
            }
        }
    }

    #[test]
    fn what_comes_in_heaps_spreads_more_than_what_comes_evenly() {
        let even = learned(2, |_| 3).expected(2_880, 0);
        // Each third minute nine: the variance of a minute is 18, six times the mean.
        let heaps = learned(2, |minute| if minute % 3 == 0 { 9 } else { 0 });
        let heaped = heaps.expected(2_880, 0);
        assert!((heaped.mean - even.mean).abs() < 0.1);
        assert!(
            even.variance < 3.2 && even.variance >= even.mean,
            "never less than Poisson"
        );
        assert!(
            (heaped.variance / heaped.mean - 6.0).abs() < 0.4,
            "{heaped:?}"
        );
        // In five minutes the heaps are about as many; a longer window is still no surer.
        let wide = heaps.expected(2_880, 1);
        assert!(
            wide.variance / wide.mean >= heaped.variance / heaped.mean - 0.1,
            "{wide:?}"
        );
    }

    #[test]
    fn the_less_is_known_the_more_may_come() {
        let relative = |of: Expected| of.variance / of.mean;
        let of = |days| {
            relative(learned(days, |minute| u32::from(minute % 30 == 0)).expected(days * 1_440, 2))
        };
        assert!(
            of(1) > of(4) && of(4) > of(10),
            "{} {} {}",
            of(1),
            of(4),
            of(10)
        );
    }

    #[test]
    fn a_new_rate_is_half_believed_after_three_days() {
        let mut usual = learned(20, |_| 2);
        for minute in 20 * 1_440..23 * 1_440 {
            usual.learn(minute, 12);
        }
        let mean = usual.expected(23 * 1_440 + 600, 0).mean;
        assert!((mean - 7.0).abs() < 0.4, "{mean}");
    }

    #[test]
    fn what_is_learned_of_a_kind_of_message_fits_half_a_kilobyte() {
        assert_eq!(size_of::<Usual>(), 408);
        assert!(size_of::<crate::anomaly::Anomaly>() <= 640);
    }
}
