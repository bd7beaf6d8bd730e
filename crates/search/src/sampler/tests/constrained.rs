//! Tests of samplers in spaces whose constraints combine the architecture with other parameters.

use allometry_core::space::constraint;

use super::*;
use crate::space::Measured;

const ALL: [SamplerKind; 5] =
    [SamplerKind::Random, SamplerKind::Sobol, SamplerKind::Grid, SamplerKind::Gp, SamplerKind::Tpe];

fn feasible(rate: Distribution) -> Arc<Feasible> {
    let space =
        space_of(&[("d_model", ints(&[8, 12, 16])), ("n_layers", ints(&[1, 2])), ("learning_rate", rate)]);
    let constraints = [constraint("learning_rate * d_model < 1", &space).unwrap()];
    Arc::new(Feasible::constrained(&space, &any(), &constraints, |_| Measured::default()).unwrap())
}

/// Counts the suggestions until none is left, at most `most`, and checks that each meets the constraint and
/// is new.
fn suggestions(kind: SamplerKind, feasible: &Arc<Feasible>, most: u64) -> usize {
    let spec = SamplerSpec { probes: true, ..SamplerSpec::new(kind) };
    let mut sampler = build(&[Direction::Minimize], spec, Arc::clone(feasible), 1).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    for number in 0..most {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let Ok(suggestion) = sampler.suggest(&view, &mut stream(1, "sampler", number)) else { break };
        let params = suggestion.params;
        let get = |name| params.get(name).and_then(ParamValue::as_f64).unwrap();
        let product = get("learning_rate") * get("d_model");
        assert!(product < 1.0, "{kind:?}: {params}");
        assert!(finished.iter().all(|trial| trial.params != params), "{kind:?}: {params} twice");
        finished.push(FrozenTrial::new(number, TrialState::Complete, Some((product - 0.9).abs()), params));
    }
    finished.len()
}

#[test]
fn every_sampler_uses_up_what_a_mixed_constraint_leaves() {
    // The widths admit 4, 3 and 3 of the rates.
    let feasible = feasible(floats(&[0.01, 0.03, 0.06, 0.1, 0.2]));
    assert_eq!(feasible.configurations(), Some(2 * (4 + 3 + 3)));
    for kind in ALL {
        assert_eq!(suggestions(kind, &feasible, 40), 20, "{kind:?}");
    }
}

#[test]
fn every_sampler_meets_a_mixed_constraint_over_a_range() {
    let feasible = feasible(Distribution::Float { low: 1e-3, high: 1.0, log: true, step: None });
    for kind in ALL.into_iter().filter(|kind| *kind != SamplerKind::Grid) {
        assert_eq!(suggestions(kind, &feasible, 40), 40, "{kind:?}");
    }
}
