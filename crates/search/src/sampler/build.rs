//! Construction of samplers.

use std::sync::Arc;

use allometry_core::{Direction, SamplerKind, SamplerSpec};

use super::Sampler;
use super::gp::Gp;
use super::model_free::ModelFree;
use super::tpe::Tpe;
use crate::space::{Feasible, SpaceError};

/// Builds the sampler of `spec` for a study whose objectives have these directions.
///
/// Suggestions of `random`, `sobol` and `grid` depend on the configurations in the view, the number of its
/// trials, `seed` and, for random draws, the generator; they do not depend on values, states or the order in
/// which trials end. Suggestions of `gp` and `tpe` depend on the values too.
///
/// A suggestion takes time for the trials that are new since the last one, and a few binary searches. The
/// first suggestion in a resumed study reads all trials, as does every suggestion of `gp` and `tpe` with
/// several objectives. In an almost exhausted space, untried configurations are drawn by their index, without
/// rejection.
///
/// # Errors
/// [`SpaceError::GridOfContinuous`] for a grid over a range without steps.
pub fn build(
    directions: &[Direction],
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    seed: u64,
) -> Result<Box<dyn Sampler>, SpaceError> {
    let model_free = ModelFree::new(spec, Arc::clone(&feasible), seed)?;
    Ok(match spec.kind {
        SamplerKind::Gp => {
            let tpe = Tpe::new(
                directions,
                spec,
                Arc::clone(&feasible),
                ModelFree::new(spec, Arc::clone(&feasible), seed)?,
            );
            Box::new(Gp::new(directions, spec, feasible, model_free, tpe))
        }
        SamplerKind::Tpe => Box::new(Tpe::new(directions, spec, feasible, model_free)),
        _ => Box::new(model_free),
    })
}
