//! Studies whose trials other programs evaluate.

use allometry_core::{
    Condition, ModelSize, Params, SamplerKind, SamplerSpec, SearchSpace, SizeBudget, space,
};
use allometry_ladder::weights_expression;
use allometry_runner::{CommandObjective, DrivenStudy};
use allometry_search::{Feasible, Measured};
use allometry_store::facts::ObjectiveFacts;
use allometry_store::{Store, StoreError, StudyRecord, each_trial};
use allometry_trainer::SHAPE_NAMES;

use crate::SessionError;
use crate::prepare::{inputs_of, measured};

/// Seed of studies that have none of their own.
const SEED: u64 = 42;

/// Opens a study to hand out configurations. `sampler` and `seed` replace those of the study.
///
/// # Errors
/// [`SessionError::Space`]; [`SessionError::Usage`] where nothing says what may vary.
pub fn driven<'a>(
    store: &'a dyn Store,
    study: &StudyRecord,
    sampler: Option<SamplerKind>,
    seed: Option<u64>,
) -> Result<DrivenStudy<'a>, SessionError> {
    let space = match &study.space {
        Some(space) => space.clone(),
        None => recorded_space(store, study)?,
    };
    let facts = &study.facts;
    let budget = facts.budget.clone().unwrap_or_else(|| SizeBudget::nominal(&study.name));
    let objective = facts.objective.clone();
    let is_model = matches!(objective, Some(ObjectiveFacts::Model(_)));
    let weights = match &objective {
        Some(ObjectiveFacts::Command(facts)) => {
            facts.weights.as_deref().and_then(|text| weights_expression(text).ok())
        }
        _ => None,
    };
    let measure = move |params: &Params| -> Measured {
        match (&objective, &weights) {
            (Some(ObjectiveFacts::Model(facts)), _) => {
                let measured =
                    |inputs| measured(params, inputs, facts.data.classes.unwrap_or_default(), &facts.model);
                inputs_of(&facts.data).map(measured).unwrap_or_default()
            }
            (_, Some(weights)) => Measured { size: CommandObjective::size_of(weights, params), flops: None },
            _ => Measured::default(),
        }
    };
    let measure_again = measure.clone();
    let size = move |params: &Params| -> Option<ModelSize> { measure_again(params).size };
    let constraints: Vec<Condition> = facts
        .constraints
        .iter()
        .map(|text| space::constraint(text, &space))
        .collect::<Result<_, _>>()
        .map_err(|error| SessionError::Usage {
            message: format!("study `{}` has a constraint that makes no sense here: {error}", study.name),
            hint: Some("it was written by another version of Allometry".into()),
        })?;
    let otherwise = SamplerSpec { probes: false, ..SamplerSpec::new(SamplerKind::Sobol) };
    let mut spec = facts.sampler.unwrap_or(otherwise);
    spec.kind = sampler.unwrap_or(spec.kind);
    let seed = seed.or(facts.ladder.as_ref().map(|place| place.seed)).unwrap_or(SEED);
    let shape: &[&str] = if is_model { &SHAPE_NAMES } else { &space::ARCHITECTURE };
    let feasible = Feasible::shaped_by(shape, &space, &budget, &constraints, &facts.conditions, measure)?;
    Ok(DrivenStudy::new(store, study, feasible, spec, seed, size)?)
}

/// Returns the space of a study that another program made: the newest distribution of each parameter in its
/// trials.
fn recorded_space(store: &dyn Store, study: &StudyRecord) -> Result<SearchSpace, SessionError> {
    let mut space = SearchSpace::default();
    each_trial(store, study.id, |trial| {
        space.0.extend(trial.distributions.iter().map(|(name, set)| (name.clone(), set.clone())));
        Ok::<_, StoreError>(())
    })?;
    if space.0.is_empty() {
        return Err(SessionError::Usage {
            message: format!("nothing says what study `{}` may try: it has no trial", study.name),
            hint: Some(
                "make the study with `allometry ask --space FILE`, or tell a first trial from Optuna".into(),
            ),
        });
    }
    Ok(space)
}
