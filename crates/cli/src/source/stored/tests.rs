use std::collections::BTreeMap;

use allometry_core::Shared;
use allometry_store::StudyId;
use serde_json::json;

use super::*;

/// What is read of a ladder whose only study says this of its objective, and has these attributes besides.
fn read(objective: &Value, more: &[(&str, Value)]) -> LadderTrials {
    let mut attributes = BTreeMap::from([
        ("ladder".to_owned(), json!({"name": "l", "tag": null, "seed": 1, "position": 0})),
        ("objective".to_owned(), objective.clone()),
    ]);
    attributes.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    read_attributes(attributes)
}

/// What is read of the only study of a storage.
fn read_attributes(attributes: BTreeMap<String, Value>) -> LadderTrials {
    let record = StudyRecord {
        unreadable: None,
        id: StudyId(1),
        name: "l/s".into(),
        direction: Direction::Maximize,
        further: Vec::new(),
        space: None,
        attributes,
        user_attributes: BTreeMap::new(),
        system_attributes: BTreeMap::new(),
    };
    let study = StoredStudy {
        record,
        trials: Shared::default(),
        running: Vec::new(),
        scores: BTreeMap::new(),
        outputs: BTreeMap::new(),
    };
    ladder(vec![study], "sqlite:///trials.db")
}

/// Nobody asks of a study that is part of no ladder what scale buys, and its report tells it by the name.
#[test]
fn a_study_of_no_ladder_has_no_name_of_one() {
    assert_eq!(read(&Value::Null, &[]).name.as_deref(), Some("l"));
    assert_eq!(read_attributes(BTreeMap::new()).name, None);
}

#[test]
fn a_smallest_effect_is_read_back() {
    let of = |value: Value| read(&Value::Null, &[("smallest_effect", value)]).smallest_effect;
    assert_eq!(of(json!(0.002)), Some(0.002));
    assert_eq!((of(Value::Null), of(json!("small"))), (None, None));
    assert_eq!(read(&Value::Null, &[]).smallest_effect, None, "studies from before there was one");
}

#[test]
fn what_labels_look_at_and_how_rows_are_ordered_follows_from_the_objective() {
    let of = |objective: Value| {
        let read = read(&objective, &[]);
        (read.horizon, read.row_order)
    };
    let model = |data: Value| json!({"model": {"context": 8}, "data": data});
    assert_eq!(of(model(json!({"label": "up"}))), (1, RowOrder::Stored));
    assert_eq!(of(model(json!({"label": "up", "horizon": 5}))), (5, RowOrder::Stored));
    let rise = json!({"rise": 0.01, "of": "high", "over": "close", "horizon": 3});
    assert_eq!(of(model(json!({"label": rise}))), (3, RowOrder::Stored));
    assert_eq!(of(json!({"command": ["train"], "metric": "mse"})), (1, RowOrder::RowNumbers));
    assert_eq!(of(json!({"command": "train", "metric": "mse", "horizon": 20})), (20, RowOrder::RowNumbers));
    assert_eq!(of(json!({"horizon": "far"})), (1, RowOrder::RowNumbers), "what makes no sense is not there");
    assert_eq!(of(Value::Null), (1, RowOrder::RowNumbers));
}
