//! The samplers that do not look at values.

use std::sync::Arc;

use super::history::{Continuity, History};
use super::probe::probes;
use super::sequence::Sequence;
use super::{SampleError, Sampler, StudyView, Suggestion};
use crate::ladder::{SamplerKind, SamplerSpec};
use crate::rng::TrialRng;
use crate::space::{Configuration, Feasible, SpaceError};
use crate::trial::Origin;

/// Probes first, then the configurations of a sequence.
#[derive(Debug)]
struct Plain {
    feasible: Arc<Feasible>,
    probes: Vec<Configuration>,
    sequence: Sequence,
    origin: Origin,
    history: History,
}

/// The sampler that `spec` asks for.
///
/// Its suggestion depends on the configurations in the view, on the number of its trials, on `seed` and, for random
/// draws, on the generator: not on values, on states or on the order in which trials end. A suggestion costs the
/// trials that are new since the last one and a few binary searches; the first one of a resumed study reads all
/// trials once. In a space used up almost completely what is left is drawn by number, never by repeated tries.
///
/// # Errors
/// [`SpaceError::GridOfContinuous`] where a grid is asked for over a range without steps.
pub fn build(spec: SamplerSpec, feasible: Arc<Feasible>, seed: u64) -> Result<Box<dyn Sampler>, SpaceError> {
    let (sequence, origin) = match spec.kind {
        SamplerKind::Random => (Sequence::Random, Origin::Random),
        SamplerKind::Sobol => (Sequence::sobol(&feasible, seed), Origin::Random),
        SamplerKind::Grid => match (feasible.configurations(), feasible.continuous()) {
            (Some(count), _) => (Sequence::grid(count), Origin::Grid),
            (None, Some(parameter)) => {
                return Err(SpaceError::GridOfContinuous { parameter: parameter.into() });
            }
            (None, None) => return Err(SpaceError::GridTooLarge { budget: feasible.budget().label.clone() }),
        },
    };
    let probes = if spec.probes { probes(&feasible, seed) } else { Vec::new() };
    let history = History::new(&feasible);
    Ok(Box::new(Plain { feasible, probes, sequence, origin, history }))
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
