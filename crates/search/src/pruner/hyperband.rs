//! Hyperband (Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization").

use allometry_core::{HalvingSpec, HyperbandSpec, TrialNumber};

use super::halving::Halving;
use super::{Decision, Peers, PrunedStudy, ReportingTrial, Rule};

/// Successive halving in brackets with different first rungs; equivalent to Optuna's `HyperbandPruner`. A
/// checksum of the study's name and the trial's number determines the bracket of a trial, which competes only
/// within it.
#[derive(Debug)]
pub(super) struct Hyperband {
    study: String,
    brackets: Vec<Bracket>,
}

#[derive(Debug)]
struct Bracket {
    halving: Halving,
    /// Relative share of the trials.
    allocation: u64,
}

impl Hyperband {
    pub(super) fn new(spec: HyperbandSpec, study: &PrunedStudy) -> Self {
        let most = spec.max_resource.unwrap_or(study.steps).max(spec.min_resource);
        let ratio = most as f64 / spec.min_resource as f64;
        let count = (ratio.ln() / (spec.reduction_factor as f64).ln()).floor() as u32 + 1;
        let brackets = (0..count).map(|rate| {
            let later = count - 1 - rate;
            let trials = u64::from(count).saturating_mul(spec.reduction_factor.saturating_pow(later));
            let halving = HalvingSpec {
                min_resource: Some(spec.min_resource),
                reduction_factor: spec.reduction_factor,
                min_early_stopping_rate: rate,
                bootstrap_count: spec.bootstrap_count,
            };
            Bracket {
                halving: Halving { spec: halving, direction: study.direction, steps: study.steps },
                allocation: trials.div_ceil(u64::from(later) + 1),
            }
        });
        Self { study: study.name.clone(), brackets: brackets.collect() }
    }

    fn bracket(&self, number: TrialNumber) -> usize {
        let total: u64 = self.brackets.iter().map(|bracket| bracket.allocation).sum();
        let mut left = u64::from(crc32(format!("{}_{number}", self.study).as_bytes())) % total;
        for (index, bracket) in self.brackets.iter().enumerate() {
            if left < bracket.allocation {
                return index;
            }
            left -= bracket.allocation;
        }
        unreachable!("a remainder is below the sum of the allocations")
    }
}

impl Rule for Hyperband {
    fn decide(&self, peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let own = self.bracket(trial.number);
        self.brackets[own].halving.decide_among(peers, trial, |other| self.bracket(other) == own)
    }
}

/// The CRC-32 checksum of ISO 3309, equal to Python's `binascii.crc32`.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
