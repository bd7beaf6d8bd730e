//! Any bytes are a call of Optuna's storage or a status that blames the caller, and leave every study readable.
#![no_main]

use std::sync::Arc;

use allometry_grpc::Answers;
use allometry_store::optuna::{self, OptunaStorage};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const CALLS: [&str; 19] = [
    "CreateNewStudy",
    "DeleteStudy",
    "SetStudyUserAttribute",
    "SetStudySystemAttribute",
    "GetStudyIdFromName",
    "GetStudyNameFromId",
    "GetStudyDirections",
    "GetStudyUserAttributes",
    "GetStudySystemAttributes",
    "GetAllStudies",
    "CreateNewTrial",
    "SetTrialParameter",
    "GetTrialIdFromStudyIdTrialNumber",
    "SetTrialStateValues",
    "SetTrialIntermediateValue",
    "SetTrialUserAttribute",
    "SetTrialSystemAttribute",
    "GetTrial",
    "GetTrials",
];

/// One direction, and a name.
const STUDY: &[u8] = &[0x0a, 0x01, 0x00, 0x12, 0x01, b'x'];
/// Study 1, without a template.
const TRIAL: &[u8] = &[0x08, 0x01, 0x18, 0x01];

// Calls one after another: which, the length of its message, and so many bytes.
fuzz_target!(|bytes: &[u8]| {
    let storage: Arc<dyn OptunaStorage> = optuna::open("sqlite:///:memory:").expect("memory is there").into();
    let answers = Answers::new(Arc::clone(&storage));
    let call = |name: &str, message: &[u8]| answers.answer(name, Bytes::copy_from_slice(message));
    call("CreateNewStudy", STUDY).expect("a study is made");
    call("CreateNewTrial", TRIAL).expect("a trial is made");
    let mut rest = bytes;
    while let [which, length, after @ ..] = rest {
        let (message, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        if let Err(status) = call(CALLS[usize::from(*which) % CALLS.len()], message) {
            assert!(!status.message().is_empty());
            assert!(!matches!(status.code() as i32, 2 | 13), "{status}");
        }
    }
    call("GetAllStudies", &[]).expect("studies can be read");
    for study in storage.studies().expect("studies can be read") {
        // The ids of so few calls are one byte long; -1 is ten.
        call(
            "GetTrials",
            &[0x08, study.id.0 as u8, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        )
        .expect("trials can be read");
    }
});
