//! Makes traffic whose truth is known: events a minute over days, with bursts that are labelled.
//!
//! A day cycle of ±60 %; independent minutes that are Poisson or overdispersed (Gamma-Poisson, the
//! variance three times the mean); from the second day on a burst of five minutes a day, four, six or
//! ten times the usual and two events a minute more. It shares no code with the detector and knows
//! none of its constants.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Gamma, Poisson};

/// What one kind of message did in each minute, and when it truly burst.
pub(crate) struct Traffic {
    pub(crate) minutes: Vec<u32>,
    /// The first minutes of the bursts, in order.
    pub(crate) bursts: Vec<usize>,
}

/// How the counts of minutes of one rate are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spread {
    /// The variance is the mean.
    Poisson,
    /// The variance is so many times the mean; more than one.
    Wider(f64),
}

/// The events a minute that kinds of messages have, in equal parts.
pub(crate) const BASES: [f64; 4] = [0.2, 1.0, 5.0, 20.0];

/// A burst's length in minutes.
pub(crate) const BURST: usize = 5;

pub(crate) const DAY: usize = 1_440;

/// The series of this number under this seed: the same on every machine.
pub(crate) fn series(seed: u64, number: u64, spread: Spread, days: usize) -> Traffic {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Streams of one seed do not overlap.
    random.set_stream(number);
    let base = BASES[number as usize % BASES.len()];
    let noon = random.random_range(0.0..1.0);
    let mut usual: Vec<f64> = (0..days * DAY)
        .map(|minute| rate(base, minute, noon))
        .collect();
    let mut bursts = Vec::new();
    for day in 1..days {
        // An hour from midnight, so that no burst ends in another's wake.
        let from = day * DAY + random.random_range(60..DAY - 60 - BURST);
        let times = [4.0, 6.0, 10.0][random.random_range(0..3)];
        for rate in &mut usual[from..from + BURST] {
            *rate = *rate * times + 2.0;
        }
        bursts.push(from);
    }
    let minutes = usual.iter().map(|&mean| count(&mut random, mean, spread));
    Traffic {
        minutes: minutes.collect(),
        bursts,
    }
}

fn rate(base: f64, minute: usize, noon: f64) -> f64 {
    let turn = minute as f64 / DAY as f64 - noon;
    base * (1.0 + 0.6 * (turn * std::f64::consts::TAU).cos())
}

fn count(random: &mut ChaCha8Rng, mean: f64, spread: Spread) -> u32 {
    let mean = match spread {
        Spread::Poisson => mean,
        // Poisson of a Gamma of shape k and scale s: mean ks, variance ks(1 + s).
        Spread::Wider(times) => {
            let gamma = Gamma::new(mean / (times - 1.0), times - 1.0);
            gamma
                .expect("a mean and a spread above their least")
                .sample(random)
        }
    };
    // A Gamma of a small shape may be as good as nothing, which no Poisson is made of.
    match Poisson::new(mean) {
        Ok(poisson) => poisson.sample(random) as u32,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{BASES, BURST, DAY, Spread, count, rate, series};
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    fn moments(mean: f64, spread: Spread) -> (f64, f64) {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let all: Vec<f64> = (0..200_000)
            .map(|_| f64::from(count(&mut random, mean, spread)))
            .collect();
        let seen = all.iter().sum::<f64>() / all.len() as f64;
        let squares = all.iter().map(|one| (one - seen).powi(2));
        (seen, squares.sum::<f64>() / all.len() as f64)
    }

    #[test]
    fn the_mean_and_the_variance_are_those_asked_for() {
        for mean in [0.08, 0.2, 1.0, 5.0, 32.0, 322.0] {
            for (spread, times) in [(Spread::Poisson, 1.0), (Spread::Wider(3.0), 3.0)] {
                let (seen, variance) = moments(mean, spread);
                // Five standard errors of either; that of the variance from the fourth moment.
                let error = 5.0 * (times * mean / 200_000.0).sqrt();
                assert!((seen - mean).abs() < error, "{mean} {spread:?}: {seen}");
                let near = (variance / (times * mean) - 1.0).abs();
                assert!(near < 0.12, "{mean} {spread:?}: variance {variance}");
            }
        }
    }

    #[test]
    fn a_day_goes_from_four_tenths_to_sixteen_and_its_mean_is_the_base() {
        for base in BASES {
            let day: Vec<f64> = (0..DAY).map(|minute| rate(base, minute, 0.25)).collect();
            let most = day.iter().copied().fold(0.0, f64::max);
            let least = day.iter().copied().fold(f64::MAX, f64::min);
            let mean = day.iter().sum::<f64>() / DAY as f64;
            for (is, wanted) in [(most, 1.6), (least, 0.4), (mean, 1.0)] {
                assert!((is / base - wanted).abs() < 1e-9, "{base}: {is}");
            }
            assert_eq!(day[360], most, "at noon");
        }
    }

    #[test]
    fn each_day_after_the_first_bursts_once_as_its_label_says() {
        let (mut inside, mut before) = (0, 0);
        for number in 0..40 {
            let traffic = series(11, number, Spread::Poisson, 5);
            assert_eq!(traffic.minutes.len(), 5 * DAY);
            let days: Vec<usize> = traffic.bursts.iter().map(|from| from / DAY).collect();
            assert_eq!(days, [1, 2, 3, 4]);
            for &from in &traffic.bursts {
                assert_eq!((from + BURST + 60) / DAY, from / DAY, "far from midnight");
                let sum = |from: usize| traffic.minutes[from..from + BURST].iter().sum::<u32>();
                inside += sum(from);
                before += sum(from - BURST);
            }
        }
        // On average 6 2/3 times the usual and ten events; the usual varies by the hour.
        let usual = f64::from(before);
        let wanted = usual * 20.0 / 3.0 + 160.0 * 10.0;
        assert!(
            (f64::from(inside) / wanted - 1.0).abs() < 0.2,
            "{inside} {before}"
        );
    }

    #[test]
    fn a_seed_and_a_number_make_one_series_and_others_make_others() {
        let minutes = |seed, number| series(seed, number, Spread::Wider(3.0), 2).minutes;
        assert_eq!(minutes(1, 4), minutes(1, 4));
        assert_ne!(minutes(1, 4), minutes(2, 4));
        assert_ne!(minutes(1, 4), minutes(1, 8), "of the same base");
    }
}
