//! Trials that are exempt from pruning.

use allometry_core::rng::{stream, uniform};
use allometry_core::{Origin, PrunerSpec, SamplerKind};

/// Decides which trials are exempt from pruning because statistics over all trials need them complete: probes
/// and, with a model-based sampler, its random trials. With other samplers, which draw all trials at random,
/// a share of them is exempt.
#[derive(Debug, Clone, Copy)]
pub struct Exemption {
    draws_everything: bool,
    share: f64,
    seed: u64,
}

impl Exemption {
    /// The exemption of trials of `sampler`. Equal seeds exempt equal trials.
    pub fn new(pruner: &PrunerSpec, sampler: SamplerKind, seed: u64) -> Self {
        let draws_everything =
            matches!(sampler, SamplerKind::Random | SamplerKind::Sobol | SamplerKind::Grid);
        Self { draws_everything, share: pruner.complete_share, seed }
    }

    /// Whether the trial `index` of the study of budget `label` is exempt.
    pub fn covers(&self, label: &str, index: u64, origin: Origin) -> bool {
        match origin {
            Origin::Random | Origin::Grid if self.draws_everything => {
                let mut rng = stream(self.seed, &format!("exemption/{label}"), index);
                uniform(&mut rng) < self.share
            }
            Origin::Probe | Origin::Random => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::PrunerKind;

    use super::*;

    #[test]
    fn probes_and_a_share_of_what_is_drawn_are_exempt() {
        let spec = PrunerSpec { kind: PrunerKind::None, collapse: None, complete_share: 0.2 };
        let exemption = Exemption::new(&spec, SamplerKind::Sobol, 42);
        assert!(exemption.covers("2M", 0, Origin::Probe));
        assert!(!(0..100).any(|i| exemption.covers("2M", i, Origin::Enqueued)));
        let share = (0..10_000).filter(|i| exemption.covers("2M", *i, Origin::Random)).count();
        assert!((1800..2200).contains(&share), "{share} of 10,000 are about a fifth");
    }
}
