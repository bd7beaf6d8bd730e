//! A typical study: seven parameters, and twenty epochs per trial.

use std::collections::BTreeMap;

use allometry_core::{Distribution, EpochReport, Params, SearchSpace, TrialRecord, ValidationScores};
use allometry_store::{
    Finished, FinishedState, NewStudy, NewTrial, Owner, Start, Store, StoreError, StudyId,
};

/// Returns a space with seven parameters.
pub(crate) fn space() -> SearchSpace {
    let mut space = SearchSpace::default();
    let mut list = |name: &str, values: Vec<allometry_core::ParamValue>| {
        space.0.insert(name.into(), Distribution::list(values));
    };
    list("d_model", [32, 48, 64, 80, 96].map(i64::into).into());
    list("n_heads", [2, 4, 8].map(i64::into).into());
    list("d_ff_ratio", [2, 4].map(i64::into).into());
    list("dropout", [0.1, 0.3, 0.5, 0.7].map(f64::into).into());
    list("weight_decay", [0.0, 1e-5, 1e-4, 1e-3].map(f64::into).into());
    space.0.insert("n_layers".into(), Distribution::Int { low: 2, high: 6, log: false, step: 1 });
    let rate = Distribution::Float { low: 1e-5, high: 5e-4, log: true, step: None };
    space.0.insert("learning_rate".into(), rate);
    space
}

/// Creates a study in that space.
pub(crate) fn study(store: &dyn Store, space: &SearchSpace) -> Result<StudyId, StoreError> {
    store.create_study(&NewStudy { name: "bench".into(), space: space.clone(), ..NewStudy::default() })
}

/// Creates trial `i` and stores its result, with 20 epochs and the scores of 422 validation rows.
pub(crate) fn tell(store: &dyn Store, study: StudyId, space: &SearchSpace, i: u64) -> Result<(), StoreError> {
    let params: Params = space
        .iter()
        .map(|(name, set)| match set.levels() {
            Some(levels) => (name, levels.get(i % levels.len()).expect("a rank below their number")),
            None => (name, (1e-5 + i as f64 * 1e-9).into()),
        })
        .collect();
    let owner = Owner::this_process();
    let record = TrialRecord { seed: Some(i), ..TrialRecord::default() };
    let new = NewTrial { start: Start::Running(&owner), params: &params, space, record: &record };
    let trial = store.create_trial(study, &new)?;
    let metrics: BTreeMap<String, f64> =
        [("loss", 0.5), ("precision", 0.25), ("recall", 0.125)].map(|(name, x)| (name.to_owned(), x)).into();
    let value = |step: i64| 0.7 + 1.0 / (i as f64 + step as f64 + 3.0);
    let reports = (1..=20).map(|step| EpochReport { step, value: value(step), metrics: metrics.clone() });
    let scores =
        ValidationScores { rows: (0..422).collect(), labels: vec![true; 422], scores: vec![0.5; 422] };
    let finished = Finished {
        values: vec![value(0)],
        reports: reports.collect(),
        record,
        predictions: Some(scores.into()),
        log: None,
        ..Finished::default()
    };
    store.finish(trial.id, FinishedState::Complete, &finished)?;
    Ok(())
}
