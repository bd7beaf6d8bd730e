//! Tests of samplers that use the trials of a ladder's other budgets.

use allometry_core::{CarriedOver, ChoiceOrder, Direction, SizeBudget};

use super::*;
use crate::sampler::{OtherBudget, Suggestion, build};

const TRIALS: usize = 24;

fn list(values: &[f64]) -> Distribution {
    let choices = values.iter().map(|v| ParamValue::Float(*v)).collect();
    Distribution::Categorical { choices, order: ChoiceOrder::Ordinal }
}

/// A search space of 6 x 8 x 5 configurations.
fn space() -> SearchSpace {
    let rates: Vec<f64> = (0..8).map(|k| 10_f64.powf(-4.0 + 0.25 * f64::from(k))).collect();
    let sets = [
        ("width", list(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
        ("rate", list(&rates)),
        ("dropout", list(&[0.0, 0.1, 0.2, 0.3, 0.4])),
    ];
    SearchSpace(sets.into_iter().map(|(name, set)| (name.into(), set)).collect())
}

fn feasible(space: &SearchSpace) -> Arc<Feasible> {
    Arc::new(Feasible::new(space, &SizeBudget::nominal("own"), |_| None).unwrap())
}

fn number(params: &Params, name: &str) -> f64 {
    params.get(name).unwrap().as_f64().unwrap()
}

/// A loss with its minimum, 0, at width 5, rate 10^-3 and dropout 0.1.
fn loss(params: &Params) -> f64 {
    let rate = number(params, "rate").log10() + 3.0;
    0.1 * (number(params, "width") - 5.0).powi(2)
        + rate * rate
        + 4.0 * (number(params, "dropout") - 0.1).abs()
}

fn told(number: usize, suggestion: Suggestion, value: f64) -> FrozenTrial {
    let mut trial = FrozenTrial::new(number as u64, TrialState::Complete, Some(value), suggestion.params);
    trial.record.origin = Some(suggestion.origin);
    trial
}

/// A study's trials, and the last record of the trials of `others` in use.
fn study(
    seed: u64,
    trials: usize,
    others: &[OtherBudget<'_>],
    value: impl Fn(&Params) -> f64,
) -> (Vec<FrozenTrial>, Option<CarriedOver>) {
    let spec = SamplerSpec { probes: false, random_share: 0.0, ..SamplerSpec::new(SamplerKind::Gp) };
    let mut sampler = build(&[Direction::Minimize], spec, feasible(&space()), seed).unwrap();
    let mut finished = Vec::new();
    for number in 0..trials {
        let view = StudyView { finished: &finished, running: &[], other_budgets: others };
        let suggestion = sampler.suggest(&view, &mut stream(seed, "sampler", number as u64)).unwrap();
        let value = value(&suggestion.params);
        finished.push(told(number, suggestion, value));
    }
    (finished, sampler.carried_over().cloned())
}

fn best(trials: &[FrozenTrial], count: usize) -> f64 {
    trials[..count].iter().map(|trial| loss(&trial.params)).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_related_budget_shortens_the_search() {
    let space = space();
    let (mut alone, mut joint) = (0.0, 0.0);
    for seed in 0..6 {
        // The surface is shifted and scaled.
        let (smaller, none) = study(100 + seed, TRIALS, &[], |params| 7.0 + 3.0 * loss(params));
        assert_eq!(none, None);
        let other = OtherBudget { label: "1M", decades: -1.0, space: &space, finished: &smaller };
        let (finished, carried) = study(seed, 12, &[other], loss);
        alone += best(&study(seed, 12, &[], loss).0, 10);
        joint += best(&finished, 10);
        assert_eq!(
            finished[0].record.origin,
            Some(Origin::Model),
            "the first is the other budget's best guess"
        );
        let carried = carried.unwrap();
        assert_eq!((carried.budgets[0].label.as_str(), carried.budgets[0].trials), ("1M", 24));
        let guard = carried.guard.unwrap();
        assert!(guard.holds() && guard.trials == 10 && guard.correlation > 0.5, "{guard:?}");
    }
    assert!(joint < 0.4 * alone, "{joint} {alone}");
}

#[test]
fn trials_that_the_own_trials_contradict_are_dropped() {
    let space = space();
    let (opposite, _) = study(1, TRIALS, &[], |params| -loss(params));
    let other = OtherBudget { label: "1M", decades: -1.0, space: &space, finished: &opposite };
    let (finished, carried) = study(2, 14, &[other], loss);
    let guard = carried.unwrap().guard.unwrap();
    assert!(!guard.holds(), "{guard:?}");
    // From then on the sampler suggests what it would without the other budget.
    let spec = SamplerSpec { probes: false, random_share: 0.0, ..SamplerSpec::new(SamplerKind::Gp) };
    let next = |others: &[OtherBudget<'_>], count: usize| {
        let mut sampler = build(&[Direction::Minimize], spec, feasible(&space), 2).unwrap();
        let view = StudyView { finished: &finished[..count], running: &[], other_budgets: others };
        sampler.suggest(&view, &mut stream(2, "sampler", count as u64)).unwrap()
    };
    for count in 10..14 {
        assert_eq!(next(&[other], count), next(&[], count), "{count}");
    }
}

#[test]
fn trials_of_a_budget_without_values_are_not_used() {
    let space = space();
    let (mut failed, _) = study(1, 6, &[], loss);
    for trial in &mut failed {
        (trial.state, trial.values) = (TrialState::Failed, Vec::new());
    }
    let other = OtherBudget { label: "1M", decades: -1.0, space: &space, finished: &failed };
    let (shared, carried) = study(3, 12, &[other], loss);
    assert_eq!(carried, None);
    assert_eq!(shared, study(3, 12, &[], loss).0);
}
