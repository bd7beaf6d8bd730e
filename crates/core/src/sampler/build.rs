//! From a sampler's name to the sampler.

use std::sync::Arc;

use super::Sampler;
use super::gp::Gp;
use super::plain::Plain;
use super::tpe::Tpe;
use crate::ladder::{SamplerKind, SamplerSpec};
use crate::space::{Feasible, SpaceError};
use crate::trial::Direction;

/// The sampler that `spec` asks for, of a study whose objectives have these directions.
///
/// Suggestions of `random`, `sobol` and `grid` depend on the configurations in the view, on the number of its trials, on `seed` and, for
/// random draws, on the generator: not on values, on states or on the order in which trials end. Those of `gp` and `tpe` depend on the
/// values too. A suggestion costs the trials that are new since the last one and a few binary searches; the first one of a resumed study reads all
/// trials once; with several objectives every suggestion of `gp` and `tpe` does. In a space used up almost completely what is left is drawn by number, never by repeated tries.
///
/// # Errors
/// [`SpaceError::GridOfContinuous`] where a grid is asked for over a range without steps.
pub fn build(
    directions: &[Direction],
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    seed: u64,
) -> Result<Box<dyn Sampler>, SpaceError> {
    let plain = Plain::new(spec, Arc::clone(&feasible), seed)?;
    Ok(match spec.kind {
        SamplerKind::Gp => {
            let tpe = Tpe::new(
                directions,
                spec,
                Arc::clone(&feasible),
                Plain::new(spec, Arc::clone(&feasible), seed)?,
            );
            Box::new(Gp::new(directions, spec, feasible, plain, tpe))
        }
        SamplerKind::Tpe => Box::new(Tpe::new(directions, spec, feasible, plain)),
        _ => Box::new(plain),
    })
}
