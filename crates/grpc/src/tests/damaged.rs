//! Tests with damaged and invented messages: each is refused or taken literally, and every study stays
//! readable.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use allometry_core::Direction;
use allometry_store::optuna::{self, OptunaStorage};
use allometry_testkit::{Limits, damaged};
use proptest::prelude::*;
use tonic::Code;

use super::client::{FLOAT, Trials, param};
use crate::Answers;
use crate::message::{
    Attribute, Id, IntermediateValue, Name, NewStudy, NewTrial, StateValues, Trial, TrialNumber, TrialsWanted,
};
use prost::Message;

/// Returns a valid message for every call that takes one.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let attribute = Attribute { id: 1, key: "k".into(), value: r#"{"x": [NaN, 1]}"#.into() }.encode_to_vec();
    let id = Id { id: 1 }.encode_to_vec();
    let template = Trial {
        state: 1,
        values: vec![0.5],
        datetime_start: "2022-09-01 00:00:00.000000".into(),
        datetime_complete: "2022-09-02 12:34:56.789012".into(),
        params: HashMap::from([("x".into(), 0.5)]),
        distributions: HashMap::from([("x".into(), FLOAT.into())]),
        user_attributes: HashMap::from([("u".into(), "null".into())]),
        intermediate_values: HashMap::from([(1, f64::INFINITY), (2, 0.0)]),
        ..Trial::default()
    };
    let new = NewTrial { study_id: 1, template_trial: Some(template), template_trial_is_none: false };
    vec![
        ("CreateNewStudy", NewStudy { directions: vec![0, 1], study_name: "new".into() }.encode_to_vec()),
        ("DeleteStudy", id.clone()),
        ("SetStudyUserAttribute", attribute.clone()),
        ("SetStudySystemAttribute", attribute.clone()),
        ("GetStudyIdFromName", Name { name: "x".into() }.encode_to_vec()),
        ("GetStudyNameFromId", id.clone()),
        ("GetStudyDirections", id.clone()),
        ("GetStudyUserAttributes", id.clone()),
        ("GetStudySystemAttributes", id.clone()),
        ("GetAllStudies", Vec::new()),
        ("CreateNewTrial", new.encode_to_vec()),
        ("SetTrialParameter", param(1, "x", 0.5, FLOAT).encode_to_vec()),
        ("GetTrialIdFromStudyIdTrialNumber", TrialNumber { study_id: 1, trial_number: 0 }.encode_to_vec()),
        ("SetTrialStateValues", StateValues { trial_id: 1, state: 1, values: vec![0.5] }.encode_to_vec()),
        (
            "SetTrialIntermediateValue",
            IntermediateValue { trial_id: 1, step: 3, intermediate_value: 0.5 }.encode_to_vec(),
        ),
        ("SetTrialUserAttribute", attribute.clone()),
        ("SetTrialSystemAttribute", attribute),
        ("GetTrial", id),
        (
            "GetTrials",
            TrialsWanted { study_id: 1, included_trial_ids: vec![1], trial_id_greater_than: -1 }
                .encode_to_vec(),
        ),
    ]
}

/// Strategy for a call with the damaged message of this or another call.
fn call() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let all = messages();
    let (names, bodies): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let pairs = (0..names.len(), prop_oneof![9 => Just(None), 1 => (0..names.len()).prop_map(Some)]);
    pairs.prop_flat_map(move |(call, other)| {
        (Just(names[call]), damaged(bodies[other.unwrap_or(call)].clone()))
    })
}

fn storage() -> Arc<dyn OptunaStorage> {
    let storage: Arc<dyn OptunaStorage> = optuna::open("sqlite:///:memory:").unwrap().into();
    let study = storage.create_study("x", &[Direction::Minimize]).unwrap();
    storage.create_trial(study, None).unwrap();
    storage
}

/// Limits on the cost of answering a damaged message, from the cost of answering all valid ones.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| {
    Limits::of(|| {
        let answers = Answers::new(storage());
        for (name, message) in messages() {
            drop(answers.answer(name, message.into()));
        }
    })
});

#[test]
fn valid_messages_are_accepted() {
    for (name, message) in messages() {
        assert!(Answers::new(storage()).answer(name, message.into()).is_ok(), "{name}");
    }
}

proptest! {
    #[test]
    fn damaged_messages_leave_every_study_readable(calls in proptest::collection::vec(call(), 1..6)) {
        let storage = storage();
        let answers = Answers::new(Arc::clone(&storage));
        for (name, message) in calls {
            if let Err(status) = LIMITS.hold(|| answers.answer(name, message.into())) {
                prop_assert!(!matches!(status.code(), Code::Internal | Code::Unknown), "{name}: {status}");
                prop_assert!(!status.message().is_empty());
            }
        }
        for study in storage.studies().unwrap() {
            let wanted =
                TrialsWanted { study_id: study.id.0, included_trial_ids: vec![], trial_id_greater_than: -1 };
            let pieces = answers.answer("GetTrials", wanted.encode_to_vec().into()).unwrap();
            prop_assert!(Trials::decode(pieces.concat().as_slice()).is_ok());
        }
    }
}
