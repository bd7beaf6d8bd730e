//! Test data.

use std::collections::BTreeMap;

use allometry_core::{
    ClassCounts, CollapsedTo, Direction, Distribution, EarlyStop, EpochReport, Failure, ModelSize, Origin,
    ParamValue, Params, Precision, SearchSpace, TrainingCost, TrialNumber, TrialRecord, ValidationOutputs,
    ValidationScores,
};
use allometry_store::facts::{Fact, LadderPlace};
use allometry_store::{NewStudy, NewTrial, Owner, Start, Store, StudyId, TrialHandle};

/// Returns a space with every kind of distribution.
pub(crate) fn space() -> SearchSpace {
    let mut space = SearchSpace::default();
    let mut put = |name: &str, set| space.0.insert(name.into(), set);
    put("learning_rate", Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None });
    put("dropout", Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) });
    put("n_layers", Distribution::Int { low: 2, high: 10, log: false, step: 2 });
    put("d_model", Distribution::list(vec![32i64.into(), 48i64.into(), 64i64.into()]));
    put("weight_decay", Distribution::list(vec![0.0.into(), 1e-5.into(), 1e-4.into()]));
    put(
        "act",
        Distribution::list(vec!["gelu".into(), "r\u{e9}lu".into(), ParamValue::Null, ParamValue::Bool(true)]),
    );
    space
}

/// Returns a point of that space.
pub(crate) fn params() -> Params {
    let mut params = Params::default();
    params.insert("d_model", 48i64);
    params.insert("learning_rate", 0.1 + 0.2);
    params.insert("weight_decay", 1e-5);
    params.insert("act", "r\u{e9}lu");
    params.insert("n_layers", 4i64);
    params.insert("dropout", 0.75);
    params
}

/// Returns a study in that space.
pub(crate) fn study(name: &str) -> NewStudy {
    let counts = ClassCounts { positives: 76, negatives: 346 };
    NewStudy {
        name: name.into(),
        directions: vec![Direction::Maximize],
        space: space(),
        facts: vec![
            Fact::Ladder(LadderPlace { name: "caf\u{e9}".into(), tag: None, seed: 42, position: 0 }),
            Fact::Validation(counts),
        ],
        ..NewStudy::default()
    }
}

/// Returns a record with every field set.
pub(crate) fn record() -> TrialRecord {
    TrialRecord {
        size: Some(ModelSize { total: 386_977, non_embedding: 300_000 }),
        seed: Some(u64::MAX),
        origin: Some(Origin::Random),
        best_step: Some(7),
        metrics: BTreeMap::from([
            ("log_loss".to_owned(), 0.1 + 0.2),
            ("precision".to_owned(), f64::NAN),
            ("worst".to_owned(), f64::NEG_INFINITY),
        ]),
        failure: Some(Failure { reason: "it is \u{1F600}".into(), detail: "line\nline".into() }),
        retry_of: Some(TrialNumber(3)),
        early_stop: Some(EarlyStop::Collapsed),
        collapsed_to: Some(CollapsedTo::Prior),
        checkpoint: Some("models/7.pt".into()),
        cost: Some(TrainingCost {
            train_rows: Some(3_313),
            tokens: Some(u64::MAX),
            flops: Some(1.5e21),
            seconds: Some(0.1 + 0.2),
            precision: Some(Precision::Bf16),
        }),
        exempt: true,
    }
}

/// Returns scores that include the ends of their range.
pub(crate) fn scores() -> ValidationScores {
    ValidationScores {
        rows: vec![0, 7, u64::from(u32::MAX) + 1],
        labels: vec![true, false, true],
        scores: vec![0.0, f32::MIN_POSITIVE, 1.0],
    }
}

/// Returns predictions of several classes or, for one class, of numbers.
pub(crate) fn outputs(classes: usize) -> ValidationOutputs {
    ValidationOutputs {
        rows: vec![0, 7, u64::from(u32::MAX) + 1],
        targets: vec![1.0, 0.0, -0.0],
        outputs: (0..3 * classes).map(|i| 1.0 / (i as f32 + 3.0)).collect(),
    }
}

/// Returns one epoch.
pub(crate) fn epoch(step: i64, value: f64, loss: f64) -> EpochReport {
    EpochReport { step, value, metrics: BTreeMap::from([("loss".to_owned(), loss)]) }
}

/// Starts a trial owned by this process.
pub(crate) fn start(store: &dyn Store, study: StudyId, params: &Params) -> TrialHandle {
    let owner = Owner::this_process();
    let (space, record) = (space(), TrialRecord::default());
    let new = NewTrial { start: Start::Running(&owner), params, space: &space, record: &record };
    store.create_trial(study, &new).unwrap()
}
