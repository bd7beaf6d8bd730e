//! Tests of every call.

use std::collections::HashMap;

use tonic::Code;

use super::client::{Client, FLOAT, over_each_storage, param};
use crate::message::{
    Attribute, Attributes, Directions, Id, IntermediateValue, Name, NewStudy, Nothing, Studies, Trial,
    TrialNumber, TrialsWanted,
};

async fn set_attribute(client: &Client, verb: &str, id: i64, key: &str, value: &str) {
    let attribute = Attribute { id, key: key.into(), value: value.into() };
    client.call::<_, Nothing>(verb, attribute).await.unwrap();
}

#[test]
fn studies_are_made_described_and_deleted() {
    over_each_storage(|client| async move {
        let study = NewStudy { directions: vec![0, 1, 1], study_name: String::new() };
        let Id { id } = client.call("CreateNewStudy", study).await.unwrap();
        set_attribute(&client, "SetStudyUserAttribute", id, "a", "1").await;
        set_attribute(&client, "SetStudyUserAttribute", id, "a", r#"{"x": NaN}"#).await;
        set_attribute(&client, "SetStudySystemAttribute", id, "s", "-Infinity").await;
        let Id { id: found } = client.call("GetStudyIdFromName", Name::default()).await.unwrap();
        assert_eq!(found, id);
        let Name { name } = client.call("GetStudyNameFromId", Id { id }).await.unwrap();
        assert_eq!(name, "");
        let Directions { directions } = client.call("GetStudyDirections", Id { id }).await.unwrap();
        assert_eq!(directions, [0, 1, 1]);
        let user: Attributes = client.call("GetStudyUserAttributes", Id { id }).await.unwrap();
        assert_eq!(user.attributes, HashMap::from([("a".into(), r#"{"x": NaN}"#.into())]));
        let system: Attributes = client.call("GetStudySystemAttributes", Id { id }).await.unwrap();
        assert_eq!(system.attributes, HashMap::from([("s".into(), "-Infinity".into())]));

        let other = client.new_study("other").await;
        let Studies { studies } = client.call("GetAllStudies", Nothing {}).await.unwrap();
        assert_eq!(studies.iter().map(|s| s.study_id).collect::<Vec<_>>(), [id, other]);
        assert_eq!((&studies[0].user_attributes, &studies[0].directions), (&user.attributes, &vec![0, 1, 1]));
        assert_eq!(studies[1].study_name, "other");

        let trial = client.new_trial(other, None).await;
        client.call::<_, Nothing>("DeleteStudy", Id { id: other }).await.unwrap();
        let Studies { studies } = client.call("GetAllStudies", Nothing {}).await.unwrap();
        assert_eq!(studies.len(), 1);
        // Clients cache by id, so an id must never be reused.
        let again = client.new_study("other").await;
        assert!(again > other);
        assert!(client.new_trial(again, None).await > trial);
    });
}

#[test]
fn a_trial_keeps_its_parameters_reports_attributes_and_values() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let id = client.new_trial(study, None).await;
        let set = |name: &'static str, value| {
            client.call::<_, Nothing>("SetTrialParameter", param(id, name, value, FLOAT))
        };
        set("b", 0.25).await.unwrap();
        set("a", f64::NEG_INFINITY).await.unwrap();
        // The first value of a parameter wins.
        set("b", 0.75).await.unwrap();
        let last = if client.is_postgres { i32::MAX.into() } else { i64::MAX };
        for (step, intermediate_value) in [(-3, f64::NAN), (0, 1.0), (last, f64::INFINITY), (0, -0.5)] {
            let report = IntermediateValue { trial_id: id, step, intermediate_value };
            client.call::<_, Nothing>("SetTrialIntermediateValue", report).await.unwrap();
        }
        set_attribute(&client, "SetTrialUserAttribute", id, "u", "\"\\ud800\"").await;
        set_attribute(&client, "SetTrialSystemAttribute", id, "s", "[]").await;
        assert!(!client.set_state(id, 0, &[]).await.unwrap());
        let running = client.trial(id).await;
        assert_eq!((running.state, running.values.len(), running.datetime_complete.as_str()), (0, 0, ""));
        for wrong in [&[f64::INFINITY, -1.5][..], &[]] {
            let refused = client.set_state(id, 1, wrong).await.unwrap_err();
            assert_eq!(refused.code(), tonic::Code::InvalidArgument, "the study has one objective");
        }
        assert!(client.set_state(id, 1, &[f64::INFINITY]).await.unwrap());

        let trial = client.trial(id).await;
        assert_eq!((trial.trial_id, trial.number, trial.state), (id, 0, 1));
        assert_eq!(trial.values, [f64::INFINITY]);
        assert_eq!(trial.params, HashMap::from([("a".into(), f64::NEG_INFINITY), ("b".into(), 0.25)]));
        assert_eq!(trial.distributions["a"], FLOAT);
        assert_eq!(trial.intermediate_values.len(), 3);
        assert!(trial.intermediate_values[&-3].is_nan());
        assert_eq!(trial.intermediate_values[&0], -0.5);
        assert_eq!(trial.intermediate_values[&last], f64::INFINITY);
        assert_eq!(
            (trial.user_attributes["u"].as_str(), trial.system_attributes["s"].as_str()),
            ("\"\\ud800\"", "[]")
        );
        assert_eq!(trial.datetime_start, running.datetime_start);
        assert!(trial.datetime_complete > trial.datetime_start);
        assert_eq!(client.trials(study, -1, &[]).await.len(), 1);
        let number = TrialNumber { study_id: study, trial_number: 0 };
        let Id { id: found } = client.call("GetTrialIdFromStudyIdTrialNumber", number).await.unwrap();
        assert_eq!(found, id);
    });
}

#[test]
fn a_template_comes_back_as_it_was() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        client.new_trial(study, None).await;
        let template = Trial {
            trial_id: -1,
            number: 55,
            state: 2,
            values: vec![0.5],
            datetime_start: "2022-09-01 00:00:00.000000".into(),
            datetime_complete: "2022-09-02 12:34:56.789012".into(),
            params: HashMap::from([("x".into(), 0.5)]),
            distributions: HashMap::from([("x".into(), FLOAT.into())]),
            user_attributes: HashMap::from([("u".into(), "null".into())]),
            system_attributes: HashMap::from([("s".into(), "1".into())]),
            intermediate_values: HashMap::from([(1, f64::INFINITY), (2, 0.0)]),
        };
        let id = client.new_trial(study, Some(template.clone())).await;
        assert_eq!(client.trial(id).await, Trial { trial_id: id, number: 1, ..template });
        // An empty template is valid: a running trial without a start time.
        let bare = client.new_trial(study, Some(Trial::default())).await;
        assert_eq!(client.trial(bare).await, Trial { trial_id: bare, number: 2, ..Trial::default() });
    });
}

#[test]
fn a_waiting_trial_is_taken_once() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let id = client.new_trial(study, Some(Trial { state: 4, ..Trial::default() })).await;
        let takers = (0..32).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.set_state(id, 0, &[]).await.unwrap() })
        });
        let mut taken = 0;
        for taker in takers.collect::<Vec<_>>() {
            taken += u32::from(taker.await.unwrap());
        }
        assert_eq!(taken, 1);
        assert_ne!(client.trial(id).await.datetime_start, "");
    });
}

#[test]
fn trials_become_visible_in_order_without_gaps() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let makers = (0..16).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    let id = client.new_trial(study, None).await;
                    client.set_state(id, 1, &[1.0]).await.unwrap();
                }
            })
        });
        let makers: Vec<_> = makers.collect();
        // A client that remembers the greatest id it saw misses no trial.
        let (mut seen, mut greatest) = (Vec::new(), -1);
        while seen.len() < 320 {
            for trial in client.trials(study, greatest, &[]).await {
                assert!(trial.trial_id > greatest);
                greatest = trial.trial_id;
                seen.push(trial.number);
            }
        }
        for maker in makers {
            maker.await.unwrap();
        }
        assert_eq!(seen, (0..320).collect::<Vec<_>>());
    });
}

#[test]
fn a_study_returns_only_its_own_trials() {
    over_each_storage(|client| async move {
        let (few, many) = (client.new_study("few").await, client.new_study("many").await);
        let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
        for i in 0..60 {
            let (study, list) = if i % 12 == 5 { (few, &mut of_few) } else { (many, &mut of_many) };
            let template = Trial {
                values: vec![f64::from(i)],
                params: HashMap::from([("x".into(), f64::from(i))]),
                distributions: HashMap::from([("x".into(), FLOAT.into())]),
                user_attributes: HashMap::from([("u".into(), i.to_string()), ("v".into(), i.to_string())]),
                intermediate_values: HashMap::from([(7, f64::from(i))]),
                ..Trial::default()
            };
            let trial_id = client.new_trial(study, Some(template.clone())).await;
            list.push(Trial { trial_id, number: list.len() as i64, ..template });
        }
        assert_eq!(client.trials(few, -1, &[]).await, of_few);
        assert_eq!(client.trials(many, -1, &[]).await, of_many);
        let ids: Vec<i64> = of_few.iter().map(|trial| trial.trial_id).collect();
        let foreign = of_many[0].trial_id;
        let some = client.trials(few, ids[3], &[ids[1], ids[4], ids[0], ids[1], foreign, 999]).await;
        assert_eq!(some, [of_few[0].clone(), of_few[1].clone(), of_few[4].clone()]);
        assert_eq!(client.trials(few, i64::MAX, &[]).await, []);
    });
}

#[test]
fn a_cached_study_returns_current_trials() {
    over_each_storage(|client| async move {
        let (study, other) = (client.new_study("x").await, client.new_study("y").await);
        assert_eq!(client.trials(study, -1, &[]).await, []);
        let mut ids = Vec::new();
        for round in 0..6 {
            // Some trials end at once, some later, some never; trials of the other study lie between them.
            for i in 0..20 {
                let id = client.new_trial(study, None).await;
                client.new_trial(other, None).await;
                client.call::<_, Nothing>("SetTrialParameter", param(id, "x", 0.5, FLOAT)).await.unwrap();
                if i % 3 != 0 {
                    client.set_state(id, 1, &[f64::from(i)]).await.unwrap();
                }
                ids.push(id);
            }
            for id in ids.iter().skip(round).step_by(7) {
                // Trials that have ended stay unchanged.
                let _ = client.set_state(*id, 3, &[]).await;
            }
            let all = client.trials(study, -1, &[]).await;
            assert_eq!(all.iter().map(|trial| trial.trial_id).collect::<Vec<_>>(), ids);
            for trial in &all {
                assert_eq!(*trial, client.trial(trial.trial_id).await);
            }
            assert_eq!(client.trials(study, -1, &[ids[0]]).await, all);
            assert_eq!(client.trials(study, 0, &[]).await, all);
        }
        client.call::<_, Nothing>("DeleteStudy", Id { id: study }).await.unwrap();
        let wanted = TrialsWanted { study_id: study, included_trial_ids: vec![], trial_id_greater_than: -1 };
        assert_eq!(client.code("GetTrials", wanted).await, Code::NotFound);
        assert_eq!(client.trials(other, -1, &[]).await.len(), 120);
    });
}
