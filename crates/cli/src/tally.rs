//! Counts, sums and sorts the numbers of one column.

/// What is kept of the values of one column in one group.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// All of them, where a percentile is asked for.
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

    /// The least value that so many thousandths of all do not exceed (nearest rank).
    pub(crate) fn percentile(&self, thousandths: u16) -> f64 {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        let rank = (values.len() * usize::from(thousandths))
            .div_ceil(1000)
            .max(1);
        values.get(rank - 1).copied().unwrap_or(f64::NAN)
    }
}
