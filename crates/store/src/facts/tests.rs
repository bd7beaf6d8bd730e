use allometry_core::PanelRow;
use allometry_ladder::{ModelSpec, ScoredPart};
use serde_json::json;

use super::*;

fn read(document: Value) -> (StudyFacts, Option<String>) {
    StudyFacts::read(&serde_json::from_value(document).unwrap())
}

fn said(facts: &[Fact]) -> (StudyFacts, Option<String>) {
    let attributes = attributes(facts).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    StudyFacts::read(&attributes)
}

fn model() -> ObjectiveFacts {
    let data = DataFacts {
        rows: 100,
        features: vec!["x".into()],
        label: LabelFacts::Column("up".into()),
        split: SplitFacts { train: 0.7, validation: 0.15 },
        folds: None,
        na: allometry_ladder::MissingPolicy::Error,
        horizon: 1,
        classes: None,
        class_names: Vec::new(),
        embeddings: Vec::new(),
        max_gap: None,
        series: None,
    };
    ObjectiveFacts::Model(Box::new(ModelFacts { model: ModelSpec::new(32, 8, 8), data, part: None }))
}

#[test]
fn facts_come_back_as_they_were_written() {
    let place = LadderPlace { name: "depth".into(), tag: None, seed: 7, position: 2 };
    let metrics = BTreeMap::from([("auc".to_owned(), 0.6)]);
    let baselines = vec![BaselineFacts {
        name: "prior".into(),
        description: "the share of positives".into(),
        value: None,
        metrics,
    }];
    let rows = [PanelRow { row: 3, series: 0, time: 1 }];
    let panel = PanelFacts::new(vec!["A".into()], rows);
    let folds = FoldFacts::new([(EraSpan::default(), vec![3, 4]), (EraSpan::default(), vec![5])]);
    let looks = Some(PlannedLook { look: 2, of: 4, trainings: 16, is_trained: true });
    let study = ExperimentStudy { ladder: "depth".into(), budget: "2M".into(), plan: Vec::new(), looks };
    let (facts, problem) = said(&[
        Fact::Ladder(place.clone()),
        Fact::Budget(SizeBudget::nominal("2M")),
        Fact::Objective(model()),
        Fact::Limits(vec!["ms <= 20".into()]),
        Fact::TargetTrials(50),
        Fact::SmallestEffect(None),
        Fact::Ended(Some(StopReason::TrialsReached)),
        Fact::Baselines(baselines.clone()),
        Fact::Panel(panel.clone()),
        Fact::Folds(folds.clone()),
        Fact::Experiment(Experiment::Confirm, study.clone()),
        Fact::Identity("a".into()),
    ]);
    assert_eq!(problem, None);
    let wanted = StudyFacts {
        ladder: Some(place),
        budget: Some(SizeBudget::nominal("2M")),
        objective: Some(model()),
        limits: vec!["ms <= 20".into()],
        target_trials: Some(50),
        ended: Some(StopReason::TrialsReached),
        baselines,
        panel: Some(panel),
        folds: Some(folds),
        experiment: Some((Experiment::Confirm, study)),
        identity: Some("a".into()),
        ..StudyFacts::default()
    };
    assert_eq!(facts, wanted);
    assert_eq!(facts.ladder_name(), Some("depth"));
}

#[test]
fn what_cannot_be_read_is_named_and_hides_no_other_fact() {
    let (facts, problem) = read(json!({"budget": {"label": 5}, "target_trials": 50, "limits": "all"}));
    assert_eq!(facts.target_trials, Some(50));
    assert!(problem.unwrap().starts_with("attribute `allometry:budget`: "));
    for (key, value) in [
        ("objective", json!({})),
        ("objective", json!({"command": 5, "metric": "auc"})),
        ("ladder", json!({"name": "depth"})),
        ("conditions", json!([{}])),
        ("sampler", json!("gp")),
        ("ended", json!("done")),
    ] {
        let (_, problem) = read(json!({key: value}));
        assert!(problem.as_ref().is_some_and(|text| text.contains(key)), "{key}: {problem:?}");
    }
    assert_eq!(read(json!({"ended": null, "reach": null})), (StudyFacts::default(), None));
}

#[test]
fn facts_of_a_later_version_are_not_read() {
    let (_, problem) = read(json!({"facts": 2}));
    assert!(problem.unwrap().contains("later version"));
    assert_eq!(attributes(&[Fact::TargetTrials(1)])["facts"], json!(1));
    assert!(attributes(&[]).is_empty());
}

#[test]
fn objectives_keep_the_documents_of_earlier_studies() {
    let ObjectiveFacts::Model(mut facts) = model() else { unreachable!() };
    facts.data.label = LabelFacts::Rise { rise: 0.01, of: "high".into(), over: "close".into(), horizon: 20 };
    let mut objective = ObjectiveFacts::Model(facts);
    assert_eq!(objective.horizon(), 20);
    let data = json!({
        "rows": 100,
        "features": ["x"],
        "label": {"rise": 0.01, "of": "high", "over": "close", "horizon": 20},
        "split": {"train": 0.7, "validation": 0.15},
        "na": "error",
    });
    assert_eq!(objective.to_json(), json!({"model": ModelSpec::new(32, 8, 8), "data": data}));
    objective.judged_by(ScoredPart::Test);
    assert_eq!(objective.to_json()["part"], "test");
    let document = json!({"command": ["python", "train.py"], "metric": "auc", "weights": null});
    let command: ObjectiveFacts = serde_json::from_value(document.clone()).unwrap();
    assert_eq!((command.to_json(), command.horizon()), (document, 1));
}
