//! Counts, sums and sorts the numbers of one column.

/// What is kept of the values of one column in one group.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// All of them, where they are kept for percentiles.
    values: Vec<f64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            values: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, number: f64, keeps: bool) {
        self.count += 1;
        self.sum += number;
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        if keeps {
            self.values.push(number);
        }
    }

    /// Puts the values in order, for percentiles.
    pub(crate) fn sort(&mut self) {
        self.values.sort_unstable_by(f64::total_cmp);
    }

    /// The least value that so many thousandths of all do not exceed (nearest rank). The values have
    /// been sorted.
    pub(crate) fn percentile(&self, thousandths: u16) -> f64 {
        let rank = (self.values.len() * usize::from(thousandths))
            .div_ceil(1000)
            .max(1);
        self.values.get(rank - 1).copied().unwrap_or(f64::NAN)
    }
}
