//! Tests of converting a sweep of Weights & Biases to a ladder.

use std::fs;

use crate::support::{all_refused, run, shown};

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
    insta::assert_snapshot!(shown(path, &err), @r#"
    note: `parameters.act`: the value null is left out: a ladder does not allow it
    note: ${args} is --NAME=VALUE in sweeps and --NAME VALUE here; argparse accepts both
    note: the program reports to wandb; change it to append {"step": 1, "value": 0.5} and, at the end, \
    {"final": true, "value": 0.5} to the file that $ALLOMETRY_REPORT names
    "#);
    let written = fs::read_to_string(path.join("ladder.toml")).unwrap();
    insta::assert_snapshot!(shown(path, &written), @r#"
    name = "sweep"
    metric = "loss"
    direction = "minimize"
    trials = 3

    [command]
    run = ["sh", "train.sh", "{args}"]

    [space]
    lr = { float = [1e-05, 0.1], log = true }
    act = ["relu"]

    [sampler]
    kind = "random"

    [[budget]]                      # add another to run the sweep at another size
    label = "any"
    weights = "any"
    "#);
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
    let calls = [
        &["import", "torn.yaml"][..],
        &["import", "bytes.yml"],
        &["import", "absent.yaml"],
        &["import", "torn.yaml", "t.json"],
        &["import", "torn.yaml", "-o", "l.toml", "--study", "x"],
        &["import", "t.json", "-o", "l.toml"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @r#"
    $ allometry import torn.yaml
    error: cannot convert torn.yaml to a ladder
      caused by: line 1, column 17: unclosed bracket '['
    exit code 3

    $ allometry import bytes.yml
    error: cannot read bytes.yml: stream did not contain valid UTF-8
    exit code 4

    $ allometry import absent.yaml
    error: cannot read absent.yaml: No such file or directory (os error 2)
    exit code 4

    $ allometry import torn.yaml t.json
    error: `torn.yaml` is a sweep and cannot be mixed with other sources
    hint: a sweep becomes a ladder file: `allometry import sweep.yaml -o ladder.toml`
    exit code 2

    $ allometry import torn.yaml -o l.toml --study x
    error: the argument '--output <FILE>' cannot be used with '--study <NAME>'

    Usage: allometry import --output <FILE> <SOURCE>...

    For more information, try '--help'.
    exit code 2

    $ allometry import t.json -o l.toml
    error: -o applies to sweeps, which are converted to ladder files
    hint: trials are written to --storage; `allometry export SOURCE -o FILE` writes files
    exit code 2
    "#);
    assert!(!path.join("l.toml").exists());
}
