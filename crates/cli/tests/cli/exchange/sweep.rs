//! Tests of converting a sweep of Weights & Biases to a ladder.

use std::fs;

use crate::support::run;

#[test]
fn a_sweep_becomes_a_ladder_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let sweep = "program: train.sh\nmethod: random\nrun_cap: 3\nmetric: {name: loss, goal: minimize}\n\
                 command: [sh, \"${program}\", \"${args}\"]\n\
                 parameters:\n  lr: {distribution: log_uniform_values, min: 1e-5, max: 1e-1}\n\
                 \x20 act: {values: [relu, null]}\n";
    fs::write(path.join("sweep.yaml"), sweep).unwrap();
    fs::write(path.join("train.sh"), "echo '{\"final\": true, \"value\": '$2'}' >> $ALLOMETRY_REPORT\n")
        .unwrap();
    let (code, out, err) = run(path, &["import", "sweep.yaml", "-o", "ladder.toml"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("note: `parameters.act`: the value null is left out"), "{err}");
    let (code, _, err) = run(path, &["check"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(path, &["run"]);
    assert_eq!(code, 0, "{err}");
    let listed = run(path, &["list", "--state", "complete"]).1;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let on_stdout = run(path, &["import", "sweep.yaml"]).1;
    assert_eq!(on_stdout, fs::read_to_string(path.join("ladder.toml")).unwrap());
}

#[test]
fn what_is_no_sweep_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("torn.yaml"), "parameters: {x: [1").unwrap();
    fs::write(path.join("bytes.yml"), [0xff, 0xfe, 0]).unwrap();
    for (arguments, code, message) in [
        (&["import", "torn.yaml"][..], 3, "cannot convert torn.yaml to a ladder\n  caused by: line 1"),
        (&["import", "bytes.yml"], 4, "cannot read bytes.yml"),
        (&["import", "absent.yaml"], 4, "cannot read absent.yaml"),
        (&["import", "torn.yaml", "t.json"], 2, "cannot be mixed with other sources"),
        (&["import", "torn.yaml", "-o", "l.toml", "--study", "x"], 2, "cannot be used with"),
        (&["import", "t.json", "-o", "l.toml"], 2, "-o applies to sweeps"),
    ] {
        let (found, out, err) = run(path, arguments);
        assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
    assert!(!path.join("l.toml").exists());
}
