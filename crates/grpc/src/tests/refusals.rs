//! Tests of the errors of every call.

use std::collections::HashMap;

use allometry_core::TrialState;
use allometry_testkit::Cluster;
use tonic::Code;

use super::client::{FLOAT, LOG, Trials, over, over_each_storage, param};
use crate::call::LARGEST_REQUEST;
use crate::message::{
    Attribute, Attributes, Id, IntermediateValue, Name, NewStudy, NewTrial, Nothing, StateValues, Trial,
    TrialNumber, TrialsWanted,
};

fn attribute(id: i64, key: &str, value: &str) -> Attribute {
    Attribute { id, key: key.into(), value: value.into() }
}

#[test]
fn missing_studies_and_trials_are_not_found() {
    over_each_storage(|client| async move {
        for id in [0, 7, -1, i64::MAX, i64::MIN] {
            for verb in [
                "DeleteStudy",
                "GetStudyNameFromId",
                "GetStudyDirections",
                "GetStudyUserAttributes",
                "GetStudySystemAttributes",
                "GetTrial",
            ] {
                assert_eq!(client.code(verb, Id { id }).await, Code::NotFound, "{verb} {id}");
            }
            for verb in [
                "SetStudyUserAttribute",
                "SetStudySystemAttribute",
                "SetTrialUserAttribute",
                "SetTrialSystemAttribute",
            ] {
                assert_eq!(client.code(verb, attribute(id, "k", "1")).await, Code::NotFound, "{verb} {id}");
            }
            let new = NewTrial { study_id: id, template_trial: None, template_trial_is_none: true };
            assert_eq!(client.code("CreateNewTrial", new).await, Code::NotFound);
            assert_eq!(client.code("SetTrialParameter", param(id, "x", 0.5, FLOAT)).await, Code::NotFound);
            let state = StateValues { trial_id: id, state: 1, values: vec![1.0] };
            assert_eq!(client.code("SetTrialStateValues", state).await, Code::NotFound);
            let report = IntermediateValue { trial_id: id, step: 0, intermediate_value: 0.0 };
            assert_eq!(client.code("SetTrialIntermediateValue", report).await, Code::NotFound);
            let number = TrialNumber { study_id: id, trial_number: 0 };
            assert_eq!(client.code("GetTrialIdFromStudyIdTrialNumber", number).await, Code::NotFound);
            let wanted =
                TrialsWanted { study_id: id, included_trial_ids: vec![1], trial_id_greater_than: -1 };
            assert_eq!(client.code("GetTrials", wanted).await, Code::NotFound);
        }
        assert_eq!(client.code("GetStudyIdFromName", Name { name: "no".into() }).await, Code::NotFound);
        let study = client.new_study("x").await;
        let number = TrialNumber { study_id: study, trial_number: 0 };
        assert_eq!(client.code("GetTrialIdFromStudyIdTrialNumber", number).await, Code::NotFound);
    });
}

#[test]
fn reserved_attributes_cannot_be_written() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let trial = client.new_trial(study, None).await;
        for key in ["allometry:ladder_file", "allometry:objective", "allometry:record", "allometry:"] {
            for verb in ["SetStudyUserAttribute", "SetStudySystemAttribute"] {
                let code = client.code(verb, attribute(study, key, "1")).await;
                assert_eq!(code, Code::InvalidArgument, "{verb} {key}");
            }
            for verb in ["SetTrialUserAttribute", "SetTrialSystemAttribute"] {
                let code = client.code(verb, attribute(trial, key, "1")).await;
                assert_eq!(code, Code::InvalidArgument, "{verb} {key}");
            }
            let with = |user: bool| {
                let attributes = HashMap::from([(key.to_owned(), "1".to_owned())]);
                let (user, system) =
                    if user { (attributes, HashMap::new()) } else { (HashMap::new(), attributes) };
                Trial { user_attributes: user, system_attributes: system, ..Trial::default() }
            };
            for template in [with(true), with(false)] {
                let new = NewTrial {
                    study_id: study,
                    template_trial: Some(template),
                    template_trial_is_none: false,
                };
                assert_eq!(client.code("CreateNewTrial", new).await, Code::InvalidArgument, "{key}");
            }
        }
        assert_eq!(client.trials(study, -1, &[]).await.len(), 1, "nothing was written");
    });
}

#[test]
fn ended_trials_cannot_be_changed() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        for end in [1, 2, 3] {
            let id = client.new_trial(study, None).await;
            assert!(client.set_state(id, end, &[0.5]).await.unwrap());
            let before = client.trial(id).await;
            for state in 0..5 {
                let refused = client.set_state(id, state, &[0.25]).await.unwrap_err();
                assert_eq!(refused.code(), Code::FailedPrecondition);
            }
            // The state is checked before the distribution.
            for distribution in [FLOAT, LOG, "{"] {
                let code = client.code("SetTrialParameter", param(id, "x", 0.5, distribution)).await;
                assert_eq!(code, Code::FailedPrecondition);
            }
            for verb in ["SetTrialUserAttribute", "SetTrialSystemAttribute"] {
                assert_eq!(client.code(verb, attribute(id, "k", "1")).await, Code::FailedPrecondition);
            }
            let report = IntermediateValue { trial_id: id, step: 0, intermediate_value: 0.0 };
            assert_eq!(client.code("SetTrialIntermediateValue", report).await, Code::FailedPrecondition);
            assert_eq!(client.trial(id).await, before);
        }
    });
}

#[test]
fn late_results_of_failed_trials_are_refused_and_recorded() {
    const COMPLETE: i32 = 1;
    const FAILED: i32 = 3;
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:///{}", folder.path().join("x.db").display());
    let database = Cluster::shared("a late result over PostgreSQL").map(Cluster::database);
    for url in std::iter::once(file).chain(database) {
        over(&url, None, |client| async move {
            let study = client.new_study("x").await;
            let (lost, done) = (client.new_trial(study, None).await, client.new_trial(study, None).await);
            client.set_state(lost, FAILED, &[]).await.unwrap();
            client.set_state(done, COMPLETE, &[1.0]).await.unwrap();
            let before = client.trials(study, -1, &[]).await;
            for (trial, state, values) in
                [(lost, COMPLETE, &[0.25][..]), (lost, FAILED, &[]), (done, COMPLETE, &[0.5])]
            {
                let refused = client.set_state(trial, state, values).await.unwrap_err();
                assert_eq!(refused.code(), Code::FailedPrecondition);
            }
            assert_eq!(client.trials(study, -1, &[]).await, before);
        });
        let store = allometry_store::open_read_only(&url).unwrap();
        let study = store.study("x").unwrap().unwrap();
        let late = |number| store.late_results(study.id, allometry_core::TrialNumber(number)).unwrap();
        assert_eq!(late(0).len(), 1, "a failure told of a failed trial says nothing new");
        assert_eq!((late(0)[0].state, &late(0)[0].values[..]), (TrialState::Complete, &[0.25][..]));
        assert_eq!(late(1), [], "what was told twice was told");
    }
}

#[test]
fn invalid_values_are_refused_and_store_nothing() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let again = NewStudy { directions: vec![0], study_name: "x".into() };
        assert_eq!(client.code("CreateNewStudy", again).await, Code::AlreadyExists);
        for (directions, name) in
            [(vec![], "y".to_owned()), (vec![2], "y".into()), (vec![0], "y".repeat(513))]
        {
            let study = NewStudy { directions, study_name: name };
            assert_eq!(client.code("CreateNewStudy", study).await, Code::InvalidArgument);
        }
        assert_eq!(
            client.code("SetStudyUserAttribute", attribute(study, "k", "{")).await,
            Code::InvalidArgument
        );
        let id = client.new_trial(study, None).await;
        client.call::<_, Nothing>("SetTrialParameter", param(id, "x", 0.5, FLOAT)).await.unwrap();
        for (name, value, distribution) in [
            ("x", 0.5, LOG),
            ("y", f64::NAN, FLOAT),
            ("y", 0.5, "{"),
            ("y", 1.0, r#"{"name": "CategoricalDistribution", "attributes": {"choices": ["a"]}}"#),
        ] {
            let code = client.code("SetTrialParameter", param(id, name, value, distribution)).await;
            assert_eq!(code, Code::InvalidArgument, "{name} {value} {distribution}");
        }
        assert_eq!(
            client.code("SetTrialUserAttribute", attribute(id, "k", "nan")).await,
            Code::InvalidArgument
        );
        assert_eq!(
            client.set_state(id, 1, &[1.0, f64::NAN]).await.unwrap_err().code(),
            Code::InvalidArgument
        );
        let several = NewStudy { directions: vec![0, 1], study_name: "several".into() };
        let several = client.call::<_, Id>("CreateNewStudy", several).await.unwrap().id;
        for number in 0..2 {
            let trial = client.new_trial(several, None).await;
            for values in [&[1.0][..], &[1.0, 2.0, 3.0], &[]] {
                let code = client.set_state(trial, 1, values).await.unwrap_err().code();
                assert_eq!(code, Code::InvalidArgument, "trial {number}, {values:?}");
            }
            assert!(client.set_state(trial, 1, &[1.0, 2.0]).await.unwrap());
        }
        assert_eq!(client.set_state(id, 9, &[]).await.unwrap_err().code(), Code::InvalidArgument);
        let params = HashMap::from([("x".to_owned(), 0.5)]);
        let distributions = HashMap::from([("x".to_owned(), LOG.to_owned())]);
        for template in [
            Trial { state: 7, ..Trial::default() },
            Trial { datetime_start: "yesterday".into(), ..Trial::default() },
            Trial { params: params.clone(), ..Trial::default() },
            Trial { params, distributions, ..Trial::default() },
        ] {
            let new =
                NewTrial { study_id: study, template_trial: Some(template), template_trial_is_none: false };
            assert_eq!(client.code("CreateNewTrial", new).await, Code::InvalidArgument);
        }
        let trials = client.trials(study, -1, &[]).await;
        assert_eq!(trials.len(), 1);
        assert_eq!((trials[0].state, trials[0].params.len(), trials[0].values.len()), (0, 1, 0));
    });
}

#[test]
fn hostile_texts_are_stored_unchanged() {
    over_each_storage(|client| async move {
        let texts = [
            "'; DROP TABLE trials; --",
            "\0",
            "\u{202e}\u{1f600}\r\n\t\"\\",
            "%s{}?1",
            &"\u{e9}".repeat(512),
            "",
        ];
        for name in texts.into_iter().filter(|text| !(client.is_postgres && text.contains('\0'))) {
            let study = client.new_study(name).await;
            let Name { name: read } = client.call("GetStudyNameFromId", Id { id: study }).await.unwrap();
            assert_eq!(read, name);
            let Id { id: found } =
                client.call("GetStudyIdFromName", Name { name: name.into() }).await.unwrap();
            assert_eq!(found, study);
            client.call::<_, Nothing>("SetStudyUserAttribute", attribute(study, name, "1")).await.unwrap();
            let Attributes { attributes } =
                client.call("GetStudyUserAttributes", Id { id: study }).await.unwrap();
            assert_eq!(attributes, HashMap::from([(name.to_owned(), "1".to_owned())]));
            let trial = client.new_trial(study, None).await;
            client.call::<_, Nothing>("SetTrialParameter", param(trial, name, 0.5, FLOAT)).await.unwrap();
            client.call::<_, Nothing>("SetTrialSystemAttribute", attribute(trial, name, "2")).await.unwrap();
            let trial = client.trial(trial).await;
            assert_eq!((trial.params[name], trial.system_attributes[name].as_str()), (0.5, "2"));
        }
    });
}

#[test]
fn invalid_requests_are_refused() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let large = format!("\"{}\"", "a".repeat(LARGEST_REQUEST));
        let code = client.code("SetStudyUserAttribute", attribute(study, "k", &large)).await;
        assert_eq!(code, Code::ResourceExhausted);
        let fitting = &large[..LARGEST_REQUEST - 20].to_owned();
        let code = client.code("SetStudyUserAttribute", attribute(study, "k", &format!("{fitting}\""))).await;
        assert_eq!(code, Code::Ok);
        let Attributes { attributes } =
            client.call("GetStudyUserAttributes", Id { id: study }).await.unwrap();
        assert_eq!(attributes["k"].len(), LARGEST_REQUEST - 19);
        // A message of another call, whose first field is a text and not a number.
        assert_eq!(client.code("DeleteStudy", Name { name: "x".into() }).await, Code::InvalidArgument);
        for verb in ["", "getTrial", "GetTrial/", "Shutdown"] {
            assert_eq!(client.code(verb, Nothing {}).await, Code::Unimplemented, "{verb}");
        }
        assert_eq!(client.trials(study, -1, &[]).await, []);
    });
}

#[test]
fn every_call_needs_the_token() {
    over("sqlite://", Some("s3cret"), |mut client| async move {
        for token in [None, Some(""), Some("s3cre"), Some("s3cret ")] {
            client.token = token;
            assert_eq!(client.code("GetAllStudies", Nothing {}).await, Code::Unauthenticated, "{token:?}");
        }
        client.token = Some("s3cret");
        assert_eq!(client.code("GetAllStudies", Nothing {}).await, Code::Ok);
    });
}

#[test]
fn a_long_reply_is_one_message() {
    over_each_storage(|client| async move {
        let study = client.new_study("x").await;
        let value = format!("\"{}\"", "b".repeat(100_000));
        for i in 0..5 {
            let user_attributes = HashMap::from([(format!("k{i}"), value.clone())]);
            client.new_trial(study, Some(Trial { user_attributes, ..Trial::default() })).await;
        }
        let wanted = TrialsWanted { study_id: study, included_trial_ids: vec![], trial_id_greater_than: -1 };
        let reply: Trials = client.call("GetTrials", wanted).await.unwrap();
        assert_eq!(reply.trials.len(), 5);
        assert!(reply.trials.iter().all(|trial| trial.user_attributes.values().all(|v| *v == value)));
    });
}

#[test]
fn silent_connections_do_not_block_others() {
    over("sqlite:///:memory:", Some("s3cret"), |client| async move {
        let known = client.with_token("s3cret");
        let study = known.new_study("a").await;
        let mut silent = Vec::new();
        for _ in 0..1100 {
            silent.push(tokio::net::TcpStream::connect(client.address).await.unwrap());
        }
        // A client without a valid token counts as unauthenticated, like one that sends nothing.
        assert_eq!(client.again().await.code("GetAllStudies", Nothing {}).await, Code::Unauthenticated);
        let late = known.again().await;
        assert_eq!(late.new_trial(study, None).await, 1);
        assert_eq!(known.code("GetAllStudies", Nothing {}).await, Code::Ok, "who is known stays");
    });
}
