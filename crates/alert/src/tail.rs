//! How likely so many events are where so many are usual: the upper tail of a negative binomial. Pure.

/// The chance of `count` events or more where counts have this mean and variance.
///
/// A negative binomial of these moments: shape `r = mean² / (variance - mean)`; a variance of no more
/// than the mean is taken for a hair above it, which is Poisson in effect. One for a count up to the
/// mean: nobody asks how unusual the usual is. Summed term by term from the count on, so that a small
/// chance is right to nine digits and not what is left of one minus something.
pub(crate) fn tail(count: u64, mean: f64, variance: f64) -> f64 {
    let (count, mean) = (count as f64, mean.max(LEAST_MEAN));
    if count <= mean {
        return 1.0;
    }
    let shape = mean * mean / (variance - mean).max(mean * 1e-4);
    let (stop, go) = (shape / (shape + mean), mean / (shape + mean));
    let log = ln_gamma(count + shape) - ln_gamma(count + 1.0) - ln_gamma(shape)
        + shape * stop.ln()
        + count * go.ln();
    let (mut term, mut sum, mut at) = (1.0, 1.0, count);
    for _ in 0..MOST_TERMS {
        let ratio = (at + shape) / (at + 1.0) * go;
        term *= ratio;
        sum += term;
        at += 1.0;
        if term < sum * 1e-10 {
            break;
        }
    }
    // What follows the last term falls at least as fast as this, but for a very wide spread.
    let ratio = ((at + shape) / (at + 1.0) * go).max(go);
    let rest = term * ratio / (1.0 - ratio);
    (log.exp() * (sum + rest)).min(1.0)
}

/// The logarithm of the gamma function of a positive number, to 15 digits.
///
/// Lanczos' approximation with g = 7 and nine terms, the coefficients of P. Godfrey, "A note on the
/// computation of the convergent Lanczos complex Gamma approximation" (2001).
fn ln_gamma(x: f64) -> f64 {
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Γ(x) = Γ(x + 1) / x keeps clear of the pole.
        return ln_gamma(x + 1.0) - x.ln();
    }
    let x = x - 1.0;
    let terms = (1..)
        .zip(COEFFICIENTS)
        .map(|(at, c)| c / (x + f64::from(at)));
    let base = x + 7.5;
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    half_ln_tau + (x + 0.5) * base.ln() - base + (FIRST + terms.sum::<f64>()).ln()
}

/// Less is as good as nothing, and its square is still a number.
const LEAST_MEAN: f64 = 1e-9;

/// Of a spread so wide that more matter, the rest is bounded and not summed.
const MOST_TERMS: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::{ln_gamma, tail};

    #[test]
    fn the_logarithm_of_gamma_is_that_of_the_factorials_and_of_the_root_of_pi() {
        let mut factorial = 0.0_f64;
        for n in 1..200_u32 {
            let error = (ln_gamma(f64::from(n)) - factorial).abs();
            assert!(error < 1e-12 * factorial.max(1.0), "{n}: {error}");
            factorial += f64::from(n).ln();
        }
        let half = std::f64::consts::PI.sqrt().ln();
        assert!((ln_gamma(0.5) - half).abs() < 1e-14);
        // Γ(x) is 1/x for an x of nothing.
        assert!((ln_gamma(1e-8) + 1e-8_f64.ln()).abs() < 1e-7);
    }

    /// One minus all before it, which is right where the tail is large.
    fn by_sum(count: u64, mean: f64, variance: f64) -> f64 {
        let shape = mean * mean / (variance - mean);
        let go = mean / (shape + mean);
        let mut term = (shape / (shape + mean)).powf(shape);
        let mut below = 0.0;
        for n in 0..count {
            below += term;
            term *= (n as f64 + shape) / (n as f64 + 1.0) * go;
        }
        1.0 - below
    }

    #[test]
    fn the_tail_is_what_the_sum_of_all_below_leaves() {
        for (mean, times) in [
            (0.2, 1.5),
            (1.0, 3.0),
            (5.0, 1.1),
            (20.0, 3.0),
            (300.0, 10.0),
        ] {
            let variance = mean * times;
            for deviations in [0.5, 1.0, 2.0, 3.0] {
                let count = (mean + deviations * f64::sqrt(variance)).ceil() as u64;
                let (is, wanted) = (tail(count, mean, variance), by_sum(count, mean, variance));
                assert!(
                    (is / wanted - 1.0).abs() < 1e-8,
                    "{mean} {times} {count}: {is} {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_variance_of_the_mean_is_poisson_and_a_far_tail_keeps_its_digits() {
        // 1 - e^-1 (1 + 1 + 1/2 + 1/6) and Poisson's tails of mean 1 and 10 from their own series.
        for (count, mean, wanted) in [
            (4, 1.0, 0.018_988_156_876_153_8),
            (10, 1.0, 1.114_254_78e-7),
            (40, 10.0, 7.269_4e-13),
        ] {
            let poisson: f64 = {
                let first = (1..=count).map(|n| (mean / f64::from(n)).ln()).sum::<f64>() - mean;
                let mut term = first.exp();
                (0..200).fold(0.0, |sum, n| {
                    let now = sum + term;
                    term *= mean / f64::from(count + n + 1);
                    now
                })
            };
            let is = tail(u64::from(count as u32), mean, 0.0);
            // A hair above: 1e-4 of the variance, a few thousandths of so far a tail.
            assert!(
                (is / poisson - 1.0).abs() < 0.01,
                "{count} {mean}: {is} {poisson}"
            );
            assert!(
                (poisson / wanted - 1.0).abs() < 0.5,
                "{count} {mean}: {poisson} {wanted}"
            );
        }
    }

    #[test]
    fn more_events_are_never_likelier_and_a_wide_spread_ends() {
        for variance in [1.0, 3.0, 100.0, 1e9] {
            let all: Vec<f64> = (0..400).map(|count| tail(count, 1.0, variance)).collect();
            assert!(all.windows(2).all(|two| two[1] <= two[0]), "{variance}");
            assert!(
                all.iter().all(|chance| (0.0..=1.0).contains(chance)),
                "{variance}"
            );
        }
        assert_eq!(tail(3, 3.0, 3.0), 1.0);
        assert!(tail(1, 0.0, 0.0) < 1e-8, "nothing is usual");
    }
}
