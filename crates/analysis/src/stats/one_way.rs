//! Effect sizes of one factor, from a one-way analysis of variance.

use super::distribution;
use super::group::GroupSummary;

/// Sums of squares of values in groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneWay {
    /// Number of groups with values.
    pub groups: usize,
    /// Number of values.
    pub count: usize,
    /// Sum of squares between the groups' means.
    pub between: f64,
    /// Sum of squares of all values around their mean.
    pub total: f64,
}

impl OneWay {
    /// Splits the variation of `values` by group, given as a code below `groups` for each.
    pub fn new(values: &[f64], codes: &[usize], groups: usize) -> Self {
        let center = super::moments::mean(values.iter().copied()).unwrap_or(0.0);
        let (mut sums, mut counts) = (vec![0.0; groups], vec![0_usize; groups]);
        let mut total = 0.0;
        for (value, &code) in values.iter().zip(codes) {
            let distance = value - center;
            sums[code] += distance;
            counts[code] += 1;
            total += distance * distance;
        }
        let filled = || sums.iter().zip(&counts).filter(|(_, count)| **count > 0);
        let between = filled().map(|(sum, &count): (&f64, _)| sum * sum / count as f64).sum();
        Self { groups: filled().count(), count: values.len(), between, total }
    }

    /// Splits the variation of values by group, from the groups' summaries.
    pub fn of_summaries(groups: &[GroupSummary]) -> Self {
        let count: u64 = groups.iter().map(|group| group.count).sum();
        let sum: f64 = groups.iter().map(|group| group.count as f64 * group.mean).sum();
        let center = sum / count as f64;
        let (mut between, mut within) = (0.0, 0.0);
        for group in groups.iter().filter(|group| group.count > 0) {
            between += group.count as f64 * (group.mean - center) * (group.mean - center);
            within += group.freedom() * group.variance;
        }
        let groups = groups.iter().filter(|group| group.count > 0).count();
        Self { groups, count: count as usize, between, total: between + within }
    }

    /// Returns Fisher's F, the mean square between groups over the mean square within groups; infinite where
    /// nothing varies within groups. `None` for a single group, where no group has repeats, or where nothing
    /// varies.
    pub fn f(&self) -> Option<f64> {
        let within = self.within().filter(|_| self.groups > 1 && self.total > 0.0)?;
        Some(self.between / (self.groups - 1) as f64 / within)
    }

    /// Returns the probability of a larger [`OneWay::f`] if all groups had equal means.
    pub fn p(&self) -> Option<f64> {
        distribution::f_upper_tail(self.f()?, (self.groups - 1) as f64, (self.count - self.groups) as f64)
    }

    /// Returns the mean square within groups; `None` where no group has repeats.
    fn within(&self) -> Option<f64> {
        let freedom = self.count.checked_sub(self.groups).filter(|freedom| *freedom > 0)?;
        Some((self.total - self.between).max(0.0) / freedom as f64)
    }

    fn excess(&self) -> Option<f64> {
        let within = self.within().filter(|_| self.groups > 1 && self.total > 0.0)?;
        Some(self.between - (self.groups - 1) as f64 * within)
    }

    /// Returns Kelley's (1935) epsilon squared: `(SSB - (k-1) MSW) / SST`. Without an effect it is near 0 and
    /// may be negative.
    pub fn epsilon_squared(&self) -> Option<f64> {
        Some(self.excess()? / self.total)
    }

    /// Returns Hays' omega squared: `(SSB - (k-1) MSW) / (SST + MSW)`.
    pub fn omega_squared(&self) -> Option<f64> {
        Some(self.excess()? / (self.total + self.within()?))
    }
}
