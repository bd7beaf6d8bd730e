//! Tests of checkpoints: the same bytes after an interruption, the same scores from a file, and clear
//! errors for all other files.

mod support;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use allometry_core::{Objective as _, ObjectiveError};
use allometry_ladder::{ModelSpec, Normalize, Parametrization};
use allometry_testkit::{Limits, damaged};
use allometry_trainer::checkpoint::{Checkpoint, CheckpointError};
use allometry_trainer::{Fitted, PatchTstObjective, Predictor, TrainError};
use proptest::prelude::*;
use support::{CONTEXT, Recorder, bits, params, series, spec, trial};

/// Variable with the path of the checkpoint for the process with a full disk.
const FULL: &str = "ALLOMETRY_FULL_DISK_CASE";

fn train(objective: &PatchTstObjective<'_>, path: &Path) -> Result<Fitted, TrainError> {
    objective.fit_with_checkpoint(&trial(4, params(&[("dropout", 0.2)])), &Recorder::default(), path, false)
}

#[test]
fn an_interrupted_trial_goes_on_to_the_same_bytes() {
    goes_on_to_the_same_bytes(spec());
}

#[test]
fn an_interrupted_trial_of_another_parametrization_goes_on_to_the_same_bytes() {
    let mup = ModelSpec { parametrization: Parametrization::Mup, base_width: 4, ..spec() };
    goes_on_to_the_same_bytes(mup);
}

fn goes_on_to_the_same_bytes(spec: ModelSpec) {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, spec).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.safetensors");
    let uninterrupted = Recorder::default();
    let configuration = trial(4, params(&[("dropout", 0.2)]));
    let expected =
        objective.fit_with_checkpoint(&configuration, &uninterrupted, &whole, false).unwrap().outcome;

    let parts = folder.path().join("parts.safetensors");
    // In the middle of the first epoch, at the end of an epoch, in the middle of a later one.
    for polls in [3, 5, 17, 9] {
        let reporter = Recorder { interrupt_after_polls: Some(polls), ..Recorder::default() };
        let ended = objective.fit_with_checkpoint(&configuration, &reporter, &parts, false);
        assert!(matches!(ended, Err(TrainError::Objective(ObjectiveError::Interrupted))), "after {polls}");
        assert!(!Checkpoint::load(&parts).unwrap().is_finished());
    }
    let last = Recorder::default();
    let resumed = objective.fit_with_checkpoint(&configuration, &last, &parts, false).unwrap().outcome;
    assert_eq!(bits(&resumed), bits(&expected));
    assert_eq!((resumed.value(), resumed.best_step), (expected.value(), expected.best_step));
    assert_eq!(resumed.metrics, expected.metrics);
    assert_eq!(fs::read(&parts).unwrap(), fs::read(&whole).unwrap(), "the files are the same too");
    let curve =
        |r: Recorder| r.epochs.into_inner().unwrap().into_iter().map(|e| e.metrics).collect::<Vec<_>>();
    assert_eq!(curve(last), curve(uninterrupted), "epochs before the interruption are told again");

    let again = Recorder::default();
    let read = objective.fit_with_checkpoint(&configuration, &again, &parts, false).unwrap().outcome;
    assert_eq!(bits(&read), bits(&expected));
    assert!(again.epochs.into_inner().unwrap().is_empty(), "what has ended is only read");
}

#[test]
fn interrupted_trials_of_a_study_resume_and_remove_their_checkpoints() {
    let dataset = series(300);
    let folder = tempfile::tempdir().unwrap();
    let plain = PatchTstObjective::new(&dataset, spec()).unwrap();
    let kept = PatchTstObjective::new(&dataset, spec()).unwrap().with_checkpoints(folder.path().into());
    let configuration = trial(9, params(&[]));
    let expected = plain.evaluate(&configuration, &Recorder::default()).unwrap();
    let reporter = Recorder { interrupt_after_polls: Some(8), ..Recorder::default() };
    assert!(matches!(kept.evaluate(&configuration, &reporter), Err(ObjectiveError::Interrupted)));
    let files = || fs::read_dir(folder.path().join("tiny")).unwrap().count();
    assert_eq!(files(), 1);
    let resumed = kept.evaluate(&configuration, &Recorder::default()).unwrap();
    assert_eq!((bits(&resumed), &resumed.metrics), (bits(&expected), &expected.metrics));
    assert_eq!(files(), 0);

    // A damaged file is ignored, and the trial takes as long as without it.
    assert!(matches!(
        kept.evaluate(&configuration, &Recorder { interrupt_after_polls: Some(8), ..Recorder::default() }),
        Err(ObjectiveError::Interrupted)
    ));
    let study = folder.path().join("tiny").join(configuration.study.folder());
    let file = fs::read_dir(study).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, b"torn").unwrap();
    assert_eq!(bits(&kept.evaluate(&configuration, &Recorder::default()).unwrap()), bits(&expected));
}

#[test]
fn a_predictor_reproduces_the_scores_of_the_trial() {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, table) = (folder.path().join("c.safetensors"), folder.path().join("rows.csv"));
    let scores = train(&objective, &path).unwrap().outcome.predictions.unwrap().scores().unwrap().clone();
    // Columns in another order, one more, no label.
    let rows = dataset.values.chunks(2).map(|r| format!("{:?},7,{:?}\n", r[1], r[0]));
    fs::write(&table, format!("noise,more,signal\n{}", rows.collect::<String>())).unwrap();
    let predictions = Predictor::load(&path).unwrap().predict(&table).unwrap().windows;
    assert_eq!(predictions.len(), 400 - (CONTEXT - 1));
    for (row, score) in scores.rows.iter().zip(&scores.scores) {
        let prediction = &predictions[*row as usize - (CONTEXT - 1)];
        assert_eq!(prediction.row.number, *row);
        // Batches of another size may round differently.
        assert!((prediction.scores[0] - score).abs() < 1e-5, "{:?} and {score}", prediction.scores);
    }

    fs::write(&table, "noise\n1\n").unwrap();
    let error = Predictor::load(&path).unwrap().predict(&table).unwrap_err();
    assert!(error.to_string().contains("no column `signal`"), "{error}");
    fs::write(&table, "noise,signal\n1,2\n").unwrap();
    let error = Predictor::load(&path).unwrap().predict(&table).unwrap_err();
    assert!(error.to_string().ends_with("1 rows are too few for a window of 12"), "{error}");
}

fn load_error(path: &Path, bytes: &[u8]) -> CheckpointError {
    fs::write(path, bytes).unwrap();
    Checkpoint::load(path).unwrap_err()
}

#[test]
fn other_files_are_refused_with_the_reason() {
    let dataset = series(300);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    assert!(matches!(Checkpoint::load(&path), Err(CheckpointError::Read { .. })));
    train(&objective, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let other = folder.path().join("other.safetensors");
    for cut in [0, 4, 100, bytes.len() / 2, bytes.len() - 1] {
        let error = load_error(&other, &bytes[..cut]);
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{cut}: {error}");
        assert!(
            error.to_string().contains("other.safetensors is not a complete safetensors file"),
            "{error}"
        );
    }
    let replaced = |old: &str, new: &str| {
        assert_eq!(old.len(), new.len(), "the header keeps its length");
        let at = bytes.windows(old.len()).position(|w| w == old.as_bytes()).expect(old);
        [&bytes[..at], new.as_bytes(), &bytes[at + old.len()..]].concat()
    };
    let error = load_error(&other, &replaced("allometry.checkpoint/1", "allometry.checkpoint/9"));
    assert!(
        error.to_string().ends_with(
            "has the format allometry.checkpoint/9; this program reads allometry.checkpoint/1 and \
                 allometry.checkpoint/2"
        ),
        "{error}"
    );
    let error = load_error(&other, &replaced("final_norm.bias", "final_norm.biAs"));
    assert!(error.to_string().ends_with("tensor `final_norm.bias` is missing"), "{error}");
    let error = load_error(&other, &replaced(r#"\"d_model\":16"#, r#"\"d_model\":12"#));
    assert!(error.to_string().contains("is F32 [") && error.to_string().contains("not F32 ["), "{error}");
    let error = load_error(&other, &replaced("\"allometry\":", "\"allometri\":"));
    assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
}

#[test]
fn a_checkpoint_of_another_trial_is_kept() {
    let dataset = series(300);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    train(&PatchTstObjective::new(&dataset, spec()).unwrap(), &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut longer = spec();
    longer.epochs += 1;
    let error = train(&PatchTstObjective::new(&dataset, longer).unwrap(), &path).unwrap_err();
    assert!(error.to_string().ends_with("another trial: model.epochs was 12, is 13"), "{error}");
    let mut changed = dataset.clone();
    changed.values[5] += 1.0;
    let error = train(&PatchTstObjective::new(&changed, spec()).unwrap(), &path).unwrap_err();
    assert!(error.to_string().ends_with("the table has changed"), "{error}");
    let unwritable = path.join("inside/a/file.safetensors");
    let error = train(&PatchTstObjective::new(&dataset, spec()).unwrap(), &unwritable).unwrap_err();
    assert!(
        matches!(error, TrainError::Checkpoint(CheckpointError::Read { .. } | CheckpointError::Write { .. })),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

/// Child process of `a_disk_that_fills_leaves_the_old_checkpoint`, in which files are limited to less than
/// a checkpoint.
#[test]
fn on_a_full_disk() {
    let Ok(path) = std::env::var(FULL) else { return };
    let dataset = series(300);
    let mut other = spec();
    other.epochs += 1;
    let objective = PatchTstObjective::new(&dataset, other).unwrap();
    let trial = trial(4, params(&[("dropout", 0.2)]));
    let ended = objective.fit_with_checkpoint(&trial, &Recorder::default(), Path::new(&path), true);
    println!("ended: {}", ended.unwrap_err());
    let interrupter = Recorder { interrupt_after_polls: Some(3), ..Recorder::default() };
    let ended = objective.fit_with_checkpoint(&trial, &interrupter, Path::new(&path), true);
    println!("interrupted: {}", ended.unwrap_err());
    let folder = Path::new(&path).parent().unwrap().join("kept");
    let kept = PatchTstObjective::new(&dataset, spec()).unwrap().with_checkpoints(folder);
    let interrupter = Recorder { interrupt_after_polls: Some(3), ..Recorder::default() };
    assert!(matches!(kept.evaluate(&trial, &interrupter), Err(ObjectiveError::Interrupted)));
    println!("value: {}", kept.evaluate(&trial, &Recorder::default()).unwrap().value());
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_leaves_the_old_checkpoint() {
    let dataset = series(300);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let fitted = train(&PatchTstObjective::new(&dataset, spec()).unwrap(), &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    // A limit on the size of files stops a write midway, like a full disk. The signal that comes with it is
    // ignored.
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" --exact on_a_full_disk --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(FULL, &path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for word in ["ended", "interrupted"] {
        let line = text.lines().find_map(|line| line.split_once(&format!("{word}: "))).expect(word).1;
        assert!(line.contains("c.safetensors") && line.contains("File too large"), "{line}");
    }
    let value = format!("value: {}", fitted.outcome.value());
    assert!(text.contains(&value), "checkpoints that only save time are done without: {text}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "c.safetensors" || name == "kept"), "{left:?}");
}

#[test]
fn pytorch_rebuilds_the_model_with_the_same_logits() {
    let Some(python) = allometry_testkit::torch("pytorch_rebuilds_the_model_with_the_same_logits") else {
        return;
    };
    let mut dataset = series(300);
    dataset.preparation.scaling = Some(vec![(0.1, 0.5), (-0.2, 2.0)]);
    for normalize in [Normalize::Standard, Normalize::Revin] {
        let mut model = spec();
        (model.normalize, model.epochs, model.stride) = (normalize, 3, 2);
        let folder = tempfile::tempdir().unwrap();
        let (path, table) = (folder.path().join("c.safetensors"), folder.path().join("rows.csv"));
        train(&PatchTstObjective::new(&dataset, model).unwrap(), &path).unwrap();
        let rows = dataset.values.chunks(2).map(|r| format!("{:?},{:?}\n", r[0], r[1]));
        fs::write(&table, format!("signal,noise\n{}", rows.collect::<String>())).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/peers/checkpoint.py");
        let output = std::process::Command::new(&python).arg(script).arg(&path).arg(&table).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ours = Predictor::load(&path).unwrap().predict(&table).unwrap().windows;
        let theirs: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            let (row, logit) = theirs.split_once(',').unwrap();
            assert_eq!(row, ours.row.number.to_string());
            let logit: f32 = logit.parse().unwrap();
            assert!((logit - ours.logits[0]).abs() < 1e-5, "{:?} and {logit} in PyTorch", ours.logits);
        }
    }
}

/// Sizes in a description are checked against the file before memory is allocated for them.
#[test]
fn sizes_in_a_description_are_bounded_by_the_file() {
    let dataset = series(300);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    train(&objective, &path).unwrap();
    let good = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&good[8..8 + length]).unwrap();
    let text = header["__metadata__"]["allometry"].as_str().unwrap();
    let description: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut fields = Vec::new();
    numbers_of(&description, String::new(), &mut fields);
    assert!(fields.iter().any(|field| field == "/data/preparation/classes"), "{fields:?}");
    for field in fields {
        for number in [1_u64 << 31, 1 << 53, (1 << 63) - 1] {
            let (mut header, mut description) = (header.clone(), description.clone());
            *description.pointer_mut(&field).unwrap() = number.into();
            header["__metadata__"]["allometry"] = description.to_string().into();
            let header = serde_json::to_vec(&header).unwrap();
            let bytes = [&(header.len() as u64).to_le_bytes()[..], &header, &good[8 + length..]].concat();
            fs::write(&path, bytes).unwrap();
            // Settings that only affect training may be any number, as long as nothing panics.
            if let Err(error) = Checkpoint::load(&path) {
                assert!(error.to_string().contains("x.safetensors"), "{field}: {error}");
            } else {
                let sizes = ["classes", "context", "patch", "stride", "feature_embedding", "d_model", "ends"];
                assert!(!sizes.iter().any(|size| field.ends_with(size)), "{field} = {number}");
            }
        }
    }
}

/// Collects the JSON pointers of all numbers in a document.
fn numbers_of(value: &serde_json::Value, place: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Number(_) => found.push(place),
        serde_json::Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                numbers_of(item, format!("{place}/{i}"), found);
            }
        }
        serde_json::Value::Object(fields) => {
            for (name, item) in fields {
                numbers_of(item, format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Bytes of a checkpoint in the middle of training.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let reporter = Recorder { interrupt_after_polls: Some(17), ..Recorder::default() };
    let configuration = trial(4, params(&[("dropout", 0.2)]));
    let ended = objective.fit_with_checkpoint(&configuration, &reporter, &path, false);
    assert!(matches!(ended, Err(TrainError::Objective(ObjectiveError::Interrupted))));
    fs::read(path).unwrap()
});

fn load(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    fs::write(&path, bytes).unwrap();
    Checkpoint::load(&path)
}

/// Limits on the cost of reading a damaged checkpoint.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits::of(|| drop(load(&BYTES).unwrap())));

proptest! {
    #[test]
    fn a_damaged_checkpoint_is_read_or_named(bytes in damaged(BYTES.clone())) {
        match LIMITS.hold(|| load(&bytes)) {
            Ok(read) => prop_assert_eq!(read.description.schema, "allometry.checkpoint/1"),
            Err(error) => prop_assert!(error.to_string().contains("c.safetensors"), "{error}"),
        }
    }
}
