//! The model-free samplers, which do not use values.

use std::sync::Arc;

use allometry_core::{Origin, SamplerKind, SamplerSpec, TrialRng};

use super::history::{Continuity, History};
use super::probe::probes;
use super::sequence::Sequence;
use super::{SampleError, Sampler, StudyView, Suggestion, initial_design};
use crate::space::{Configuration, Feasible, SpaceError};

/// A sampler that suggests probes first, then the configurations of a sequence.
#[derive(Debug)]
pub(super) struct ModelFree {
    feasible: Arc<Feasible>,
    probes: Vec<Configuration>,
    sequence: Sequence,
    origin: Origin,
    history: History,
}

impl ModelFree {
    /// The model-free sampler that `spec` names, over `feasible`.
    ///
    /// # Errors
    /// [`SpaceError::GridOfContinuous`] for a grid over a range without steps, and
    /// [`SpaceError::GridTooLarge`] for one with too many configurations.
    pub(super) fn new(spec: SamplerSpec, feasible: Arc<Feasible>, seed: u64) -> Result<Self, SpaceError> {
        let (sequence, origin) = match spec.kind {
            SamplerKind::Random => (Sequence::Random, Origin::Random),
            SamplerKind::Grid => match (feasible.configurations(), feasible.continuous()) {
                (Some(count), _) => (Sequence::grid(count), Origin::Grid),
                (None, Some(parameter)) => {
                    return Err(SpaceError::GridOfContinuous { parameter: parameter.into() });
                }
                (None, None) => {
                    return Err(SpaceError::GridTooLarge { budget: feasible.budget().label.clone() });
                }
            },
            SamplerKind::Sobol | SamplerKind::Gp | SamplerKind::Tpe => {
                (Sequence::sobol(&feasible, seed), Origin::Random)
            }
        };
        let probes = if spec.probes { probes(&feasible, seed) } else { Vec::new() };
        let history = History::new(&feasible);
        Ok(Self { feasible, probes, sequence, origin, history })
    }
}

impl ModelFree {
    /// Whether the next trial belongs to the initial design of a model with `dimension` parameters, or to the
    /// share of random trials. Reads the history of the last view that a suggestion was asked for with.
    pub(super) fn wants_random(&self, view: &StudyView<'_>, spec: &SamplerSpec, dimension: usize) -> bool {
        view.len() < initial_design(dimension) || self.history.lacks_random(spec.random_share)
    }
}

impl Sampler for ModelFree {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        if self.history.update(view, &self.feasible) == Continuity::Restarted {
            self.sequence.restart();
        }
        let probe = self.probes.iter().find(|probe| !self.history.contains(probe, &self.feasible));
        if let Some(probe) = probe {
            return Ok(Suggestion { params: self.feasible.params(probe), origin: Origin::Probe });
        }
        let next = self.sequence.next(&self.feasible, &self.history, view.len(), rng);
        next.map(|configuration| Suggestion {
            params: self.feasible.params(&configuration),
            origin: self.origin,
        })
        .ok_or_else(|| SampleError::Exhausted { configurations: self.history.distinct() })
    }
}
