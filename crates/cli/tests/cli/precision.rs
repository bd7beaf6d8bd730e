//! Tests of training in bf16, and of the choice of instructions.

use std::path::Path;

use allometry_core::Precision;
use allometry_store::facts::ObjectiveFacts;
use allometry_trainer::InstructionSet;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::scripted::{self, Scripted};
use crate::support::{LADDER, allometry, project, refused, run, texts};

/// Returns the precision that the facts of a study tell.
fn stored_precision(folder: &Path) -> Precision {
    let url = format!("sqlite:///{}", folder.join("trials.db").display());
    let store = allometry_store::open_read_only(&url).unwrap();
    let studies = store.studies().unwrap();
    match &studies[0].facts.objective {
        Some(ObjectiveFacts::Model(facts)) => facts.model.precision,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_study_keeps_the_precision_that_it_began_with() {
    let folder = project();
    let (code, _, err) = run(folder.path(), &["run", "--precision", "bf16"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(stored_precision(folder.path()), Precision::Bf16);
    // A file that leaves it open takes the precision of the storage, on whichever machine.
    let more =
        allometry(folder.path()).args(["run", "-S", "trials=6"]).env("ALLOMETRY_ISA", "baseline").output();
    let (code, _, err) = texts(&more.unwrap());
    assert_eq!(code, 0, "{err}");
    assert_eq!(stored_precision(folder.path()), Precision::Bf16);
    let products = checked(folder.path(), &[], "baseline");
    assert_eq!(products["precision"], "bf16");
    let ladder = LADDER.replace("[model]\n", "[model]\nprecision = \"f32\"\n");
    std::fs::write(folder.path().join("ladder.toml"), &ladder).unwrap();
    let (code, _, err) = run(folder.path(), &["run", "-S", "trials=7"]);
    assert!(code == 3 && err.contains("model.precision: was \"bf16\", is \"f32\""), "{code}: {err}");
    // The option replaces what the file says.
    let (code, _, err) = run(folder.path(), &["run", "--precision", "bf16", "-S", "trials=7"]);
    assert_eq!(code, 0, "{err}");
    let (_, shown, err) = run(folder.path(), &["show", "0", "--study", "s"]);
    assert!(shown.contains("\n  precision          bf16\n"), "{shown}{err}");
}

#[test]
fn the_processor_decides_the_precision_of_a_new_ladder() {
    let folder = project();
    let of_run = |isa: &str, trials: &str| {
        let output = allometry(folder.path())
            .args(["run", "-S", trials, "--storage", &format!("sqlite:///{isa}.db")])
            .env("ALLOMETRY_ISA", isa)
            .output();
        let (code, _, err) = texts(&output.unwrap());
        assert_eq!(code, 0, "{err}");
    };
    of_run("baseline", "trials=1");
    assert_eq!(checked(folder.path(), &[], "baseline")["precision"], "f32");
    if !allometry_trainer::instruction_sets().contains(&InstructionSet::Amx) {
        eprintln!("SKIPPED the_processor_decides_the_precision_of_a_new_ladder, in part: no AMX");
        return;
    }
    assert_eq!(checked(folder.path(), &[], "amx")["precision"], "bf16");
    assert_eq!(checked(folder.path(), &["--storage", "sqlite:///baseline.db"], "amx")["precision"], "f32");
    of_run("amx", "trials=1");
    assert_eq!(checked(folder.path(), &["--storage", "sqlite:///amx.db"], "avx2")["precision"], "bf16");
}

/// Returns what `check` says of the matrix products with an instruction set.
fn checked(folder: &Path, arguments: &[&str], isa: &str) -> Value {
    let output = allometry(folder)
        .args(["check", "--json"])
        .args(arguments)
        .env("ALLOMETRY_ISA", isa)
        .output()
        .unwrap();
    let (code, out, err) = texts(&output);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str::<Value>(&out).unwrap()["products"].take()
}

#[test]
fn a_check_says_what_multiplies_matrices() {
    let folder = project();
    let found = checked(folder.path(), &["--precision", "f32"], "baseline");
    assert_eq!(found["precision"], "f32");
    assert_eq!(found["instructions"], "baseline");
    let found = checked(folder.path(), &["--precision", "bf16"], "baseline");
    assert_eq!(found["precision"], "bf16");
    let (_, out, _) = run(folder.path(), &["check", "--precision", "bf16"]);
    assert!(out.contains("matrix products are computed in bf16 with "), "{out}");
}

#[test]
fn the_version_lists_the_instruction_sets() {
    let folder = tempfile::tempdir().unwrap();
    let output = allometry(folder.path()).arg("--version").env("ALLOMETRY_ISA", "baseline").output().unwrap();
    let (code, out, err) = texts(&output);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("this machine has baseline") && out.ends_with("it trains with baseline\n"), "{out}");
}

#[test]
fn other_words_are_refused() {
    let folder = project();
    let ladder = LADDER.replace("[model]\n", "[model]\nprecision = \"fp16\"\n");
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    let program = scripted::folder(&Scripted::DEFAULT.ladder(), "");
    let calls = [
        refused(folder.path(), &["check"]),
        refused(folder.path(), &["run", "--precision", "half"]),
        refused(program.path(), &["run", "--precision", "bf16"]),
    ];
    assert_snapshot!(calls.join("\n"), @r#"
    $ allometry check
    ladder::unknown_word

      × `precision` cannot be `fp16`
        ╭─[ladder.toml:13:13]
     12 │ [model]
     13 │ precision = "fp16"
        ·             ───┬──
        ·                ╰── not known
     14 │ kind = "patchtst"
        ╰────
      help: it can be `auto`, `f32`, `bf16`
    exit code 3

    $ allometry run --precision half
    error: invalid value 'half' for '--precision <PRECISION>'
      [possible values: auto, f32, bf16]

    For more information, try '--help'.
    exit code 2

    $ allometry run --precision bf16
    error: --precision applies to the built-in model; the ladder's trials are evaluated by its command
    exit code 2
    "#);
    let output = allometry(folder.path()).arg("list").env("ALLOMETRY_ISA", "avx9").output().unwrap();
    let (code, _, err) = texts(&output);
    assert_eq!(code, 2);
    assert_snapshot!(err, @"
    error: ALLOMETRY_ISA is `avx9`; it may be `baseline`, `avx2`, `avx512`, `avx512bf16`, `amx`
    hint: without ALLOMETRY_ISA, the program takes the last that the machine has
    ");
}
