//! A ladder that several processes run, and the checks of its trials.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use allometry_core::{FrozenTrial, TrialNumber, TrialState};

use super::allometry;

/// Creates a folder with a ladder `shared` of one budget `s`, whose trials take a tenth of a second.
pub(crate) fn project(trials: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ladder = format!(
        r#"
name = "shared"
metric = "accuracy"
trials = {trials}
[command]
shell = true
run = '''
for step in 1 2 3; do
    sleep 0.03
    printf '{{{{"step": %s, "value": {{x}}}}}}\n' $step >> {{report}}
done
echo '{{{{"final": true, "value": {{x}}}}}}' >> {{report}}
'''
grace = "100ms"
[space]
x = {{ float = [0.0, 1.0] }}
y = ["a", "b"]
[sampler]
kind = "sobol"
[[budget]]
label = "s"
weights = "any"
"#
    );
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    folder
}

pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Child {
    allometry(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Returns the trials in a storage; none if it does not answer or has no study yet.
pub(crate) fn trials(url: &str) -> Vec<FrozenTrial> {
    let Ok(store) = allometry_store::open_read_only(url) else { return Vec::new() };
    let Ok(Some(study)) = store.study("shared/s") else { return Vec::new() };
    store.trials(study.id).unwrap_or_default()
}

pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(3), "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Checks that `wanted` trials are complete, each configuration once, and all others interrupted. Returns the
/// configurations with a value.
pub(crate) fn check(trials: &[FrozenTrial], wanted: usize) -> BTreeSet<String> {
    for (place, trial) in trials.iter().enumerate() {
        assert_eq!(trial.number, TrialNumber(place as u64), "numbers have no gap and none is there twice");
        assert!(trial.state.is_finished(), "no trial is stuck: {trial:?}");
        match trial.state {
            TrialState::Complete => {
                let x = trial.params.get("x").and_then(allometry_core::ParamValue::as_f64);
                assert_eq!(trial.value(), x, "a trial has its own value");
                assert_eq!(trial.intermediate.len(), 3);
            }
            state => {
                assert_eq!(state, TrialState::Failed);
                assert_eq!(trial.record.failure.as_ref().unwrap().reason, "interrupted");
            }
        }
    }
    let complete: Vec<&FrozenTrial> = trials.iter().filter(|t| t.state == TrialState::Complete).collect();
    assert_eq!(complete.len(), wanted, "the total is exact");
    let distinct: BTreeSet<String> = complete.iter().map(|t| t.params.to_string()).collect();
    assert_eq!(distinct.len(), wanted, "no configuration was evaluated twice");
    distinct
}
