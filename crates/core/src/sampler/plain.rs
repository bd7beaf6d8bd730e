//! The samplers that do not look at values.

use std::sync::Arc;

use super::history::{Continuity, History};
use super::probe::probes;
use super::sequence::Sequence;
use super::{SampleError, Sampler, StudyView, Suggestion, initial_design};
use crate::ladder::{SamplerKind, SamplerSpec};
use crate::rng::TrialRng;
use crate::space::{Configuration, Feasible, SpaceError};
use crate::trial::Origin;

/// Probes first, then the configurations of a sequence.
#[derive(Debug)]
pub(super) struct Plain {
    feasible: Arc<Feasible>,
    probes: Vec<Configuration>,
    sequence: Sequence,
    origin: Origin,
    history: History,
}

impl Plain {
    /// # Errors
    /// [`SpaceError::GridOfContinuous`] where a grid is asked for over a range without steps.
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

impl Plain {
    /// Whether the next trial, after a suggestion was asked for with this view, belongs to the initial design of a model over `dimension` parameters or
    /// to the share that is kept random.
    pub(super) fn wants_random(&self, view: &StudyView<'_>, spec: &SamplerSpec, dimension: usize) -> bool {
        view.len() < initial_design(dimension) || self.history.lacks_random(spec.random_share)
    }
}

impl Sampler for Plain {
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
