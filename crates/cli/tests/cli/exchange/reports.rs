//! Tests that every copy of a study gives an equal report.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::support::{project, run, shown};

/// Returns the analysis of a study without the fields that name its source.
fn analysis(folder: &Path, source: &str) -> Value {
    let report = folder.join("report.json");
    let (code, _, err) = run(folder, &["report", source, "--rows", "76:346", "-o", report.to_str().unwrap()]);
    assert_eq!(code, 0, "{source}: {err}");
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    forget(&mut document);
    document
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for field in ["source", "generated"] {
                if fields.get(field).is_some_and(Value::is_string) {
                    fields.remove(field);
                }
            }
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

#[test]
fn a_table_of_trials_gives_the_same_report_by_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut table = String::from("trial,auc,recall,lr,d_model,act\n");
    for i in 0..40_u32 {
        let (lr, width) = (f64::from(i * 7 % 13 + 1) * 1e-4, [64, 32, 128][i as usize % 3]);
        let act = ["relu", "gelu"][(i / 3) as usize % 2];
        let auc = 0.6 + 0.1 * (f64::from(i * 29 % 17) / 17.0) + f64::from(width) * 1e-4;
        writeln!(table, "{i},{auc},0.{i},{lr},{width},{act}").unwrap();
    }
    std::fs::write(path.join("trials.csv"), table).unwrap();
    let original = analysis(path, "2M=trials.csv");
    let (code, _, err) = run(path, &["import", "2M=trials.csv"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(path, &err), @r#"
    imported 40 trials into study "2M"
    note: columns taken for hyperparameters, which --params overrides (3): `lr`, `d_model`, `act`
    note: distributions inferred from the values, which --space overrides: lr = { float = [0.0001, \
    0.0013000000000000002] }, d_model = [32, 64, 128], act = ['gelu', 'relu']
    "#);
    for output in ["copy.db", "copy.json", "copy.csv"] {
        assert_eq!(run(path, &["export", "trials.db", "-o", output]).0, 0);
    }
    for source in ["2M=trials.db", "2M=copy.db", "2M=copy.json", "2M=copy.csv"] {
        assert_eq!(analysis(path, source), original, "{source}");
    }
}

#[test]
fn a_ladder_that_was_run_gives_the_same_report_from_its_copy() {
    let folder = project();
    let path = folder.path();
    let (code, _, err) = run(path, &["run", "ladder.toml"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(run(path, &["export", "ladder.toml", "-o", "copy.db"]).0, 0);
    assert_eq!(analysis(path, "copy.db"), analysis(path, "trials.db"));
    assert_eq!(analysis(path, "s=copy.db:tiny/s"), analysis(path, "s=trials.db:tiny/s"));
    let studies = |url: &str| {
        let store = allometry_store::open_read_only(path.join(url).to_str().unwrap()).unwrap();
        let trial = allometry_core::TrialNumber(0);
        let of = |study: allometry_store::StudyRecord| {
            let beside = (
                store.predictions(study.id, trial).unwrap(),
                store.epoch_metrics(study.id, trial).unwrap(),
                store.log(study.id, trial).unwrap(),
            );
            (store.trials(study.id).unwrap(), beside, study)
        };
        store.studies().unwrap().into_iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(studies("copy.db"), studies("trials.db"));
    // The copy continues as the original would.
    std::fs::rename(path.join("copy.db"), path.join("trials.db")).unwrap();
    let (code, _, err) = run(path, &["run", "ladder.toml", "--trials", "5"]);
    assert_eq!(code, 0, "{err}");
    for file in ["s.json", "s.csv"] {
        let (code, _, err) = run(path, &["export", "ladder.toml", "--budget", "s", "-o", file]);
        assert_eq!(code, 0, "{err}");
        let read = run(path, &["report", &format!("s={file}"), "-o", "-"]).1;
        assert!(read.contains("| s |"), "{read}");
    }
}
