//! Early stopping.

use allometry_core::Direction;
use serde::{Deserialize, Serialize};

/// Result of observing an epoch's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The best value so far: its weights are kept.
    Best,
    /// Not the best value.
    Worse,
}

/// State of early stopping. Small gains count as soon as they add up to the minimum.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stopping {
    patience: usize,
    minimum_gain: f64,
    direction: Direction,
    best: Option<f64>,
    reference: Option<f64>,
    waited: usize,
}

impl Stopping {
    /// Stops after `patience` epochs without a gain of at least `minimum_gain`.
    pub(crate) fn new(patience: usize, minimum_gain: f64, direction: Direction) -> Self {
        Self { patience, minimum_gain, direction, best: None, reference: None, waited: 0 }
    }

    /// Records the value of the next epoch.
    pub(crate) fn observe(&mut self, value: f64) -> Progress {
        let value = match self.direction {
            Direction::Maximize => value,
            Direction::Minimize => -value,
        };
        if self.reference.is_none_or(|r| value > r && value - r >= self.minimum_gain) {
            self.reference = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if self.best.is_none_or(|best| value > best) {
            self.best = Some(value);
            Progress::Best
        } else {
            Progress::Worse
        }
    }

    /// Whether training must stop.
    pub(crate) fn is_over(&self) -> bool {
        self.waited >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_counts_epochs_without_the_minimum_gain() {
        let mut stopping = Stopping::new(2, 0.1, Direction::Maximize);
        assert_eq!(stopping.observe(0.5), Progress::Best);
        assert_eq!(stopping.observe(0.55), Progress::Best);
        assert!(!stopping.is_over());
        assert_eq!(stopping.observe(0.7), Progress::Best, "0.2 above the value that last counted");
        assert_eq!(stopping.observe(0.6), Progress::Worse);
        assert_eq!(stopping.observe(0.75), Progress::Best, "kept, though too little to wait longer for");
        assert!(stopping.is_over());
    }

    #[test]
    fn minimising_mirrors_maximising() {
        let values = [0.9, 0.8, 0.95, 0.75, 0.74, 0.9, 0.3];
        let mut up = Stopping::new(3, 0.05, Direction::Maximize);
        let mut down = Stopping::new(3, 0.05, Direction::Minimize);
        for value in values {
            assert_eq!(up.observe(1.0 - value), down.observe(value), "{value}");
            assert_eq!(up.is_over(), down.is_over());
        }
    }
}
