//! Tests of `allometry export --onnx`. `python/tests/test_model.py` holds the files to onnxruntime.

use crate::support::{all_refused, project, run};

#[test]
fn a_checkpoint_is_written_as_onnx() {
    let folder = project();
    let train = ["train", "--budget", "s", "--quiet", "-S", "model.epochs=1", "-o", "m.safetensors"];
    let (code, _, err) = run(folder.path(), &train);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = run(folder.path(), &["export", "m.safetensors", "--onnx", "models/m.onnx"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let digits = regex::Regex::new(r"\de-\d+").unwrap();
    insta::assert_snapshot!(
        digits.replace(&err, "N"),
        @"models/m.onnx: outputs equal the model's on 4 random windows, within N"
    );
    assert!(folder.path().join("models/m.onnx").metadata().unwrap().len() > 4 * 500);
}

#[test]
fn what_is_no_checkpoint_is_refused_and_nothing_is_written() {
    let folder = project();
    let calls: [&[&str]; 5] = [
        &["export", "--onnx", "m.onnx"],
        &["export", "data.csv", "--onnx", "m.onnx"],
        &["export", "none.safetensors", "--onnx", "m.onnx"],
        &["export", "sqlite:///trials.db", "--onnx", "m.onnx"],
        &["export", "m.safetensors", "--onnx", "m.onnx", "-o", "m.json"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r#"
    $ allometry export --onnx m.onnx
    error: --onnx takes a checkpoint, not `ladder.toml`
    hint: `allometry train` writes one: ladder.runs/BUDGET/train.safetensors
    exit code 2

    $ allometry export data.csv --onnx m.onnx
    error: data.csv is not a complete safetensors file: it does not begin with the length of a header
    hint: it may have been copied incompletely: copy it again, or train the model again with `allometry \
    train --restart`
    exit code 4

    $ allometry export none.safetensors --onnx m.onnx
    error: cannot read checkpoint none.safetensors: No such file or directory (os error 2)
    hint: `allometry train` writes checkpoints
    exit code 4

    $ allometry export sqlite:///trials.db --onnx m.onnx
    error: --onnx takes a checkpoint, not `sqlite:///trials.db`
    hint: `allometry train` writes one: ladder.runs/BUDGET/train.safetensors
    exit code 2

    $ allometry export m.safetensors --onnx m.onnx -o m.json
    error: the argument '--onnx <FILE>' cannot be used with '--output <FILE>'

    Usage: allometry export --onnx <FILE> <SOURCE>

    For more information, try '--help'.
    exit code 2
    "#);
    assert!(!folder.path().join("m.onnx").exists());
}
