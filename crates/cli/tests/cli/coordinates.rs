//! `allometry check --coordinates`, and studies of both parametrizations.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::support::scripted::{self, Scripted};
use crate::support::{LADDER, project, refused, report, run, shown};

/// Arguments of a check of four widths.
const CHECK: &[&str] = &["check", "--coordinates", "--widths", "32,64,128,256", "--seeds", "3"];

fn check(folder: &Path, extra: &[&str]) -> (String, String) {
    let arguments: Vec<&str> = CHECK.iter().chain(extra).copied().collect();
    let (code, text, err) = run(folder, &arguments);
    assert_eq!(code, 0, "{text}{err}");
    (text, err)
}

/// The names of the layers with a conclusion.
fn layers<'a>(document: &'a Value, growth: &str) -> Vec<&'a str> {
    let layers = document["layers"].as_array().unwrap().iter();
    layers.filter(|layer| layer["growth"] == growth).map(|layer| layer["layer"].as_str().unwrap()).collect()
}

/// What is known of both parametrizations: one step changes hidden activations in proportion to the width,
/// or to its root, under the standard one, and not more at larger widths under muP.
#[test]
fn activations_grow_under_the_standard_parametrization_and_are_flat_under_mup() {
    let folder = project();
    let folder = folder.path();
    let document = |parametrization: &str| -> Value {
        let setting = format!("model.parametrization={parametrization}");
        serde_json::from_str(&check(folder, &["-S", &setting, "--json"]).0).unwrap()
    };
    let standard = document("standard");
    assert_eq!(standard["schema"], "allometry.coordinates/1");
    assert_eq!(layers(&standard, "flat"), ["embedding"]);
    let grows = ["block 1 attention scores", "block 1 output", "block 2 attention scores", "block 2 output"];
    assert_eq!(layers(&standard, "grows"), [&grows[..], &["final output"]].concat());
    let mup = document("mup");
    assert_eq!((mup["parametrization"].as_str(), &mup["base_width"]), (Some("mup"), &64.into()));
    let flat = layers(&mup, "flat");
    assert!(
        ["embedding", "block 1 output", "block 2 output", "final output"]
            .iter()
            .all(|layer| flat.contains(layer)),
        "{mup}"
    );
    assert_eq!((layers(&mup, "grows"), layers(&mup, "undecided")), (vec![], vec![]), "{mup}");
}

#[test]
fn the_table_and_the_picture_of_a_check() {
    let folder = project();
    let folder = folder.path();
    let (text, _) =
        check(folder, &["--steps", "2", "-o", "coordinates.svg", "-S", "model.parametrization=mup"]);
    let numbers = Regex::new(r" {3,}\d\.\d{4}").unwrap();
    let exponents = Regex::new(r"[+-]\d\.\d\d \+-\d\.\d\d").unwrap();
    let text = exponents.replace_all(&text, "E").into_owned();
    let (table, conclusions) = numbers
        .replace_all(&text, " N")
        .into_owned()
        .split_once("\n\nflat")
        .map_or_else(|| panic!("{text}"), |(table, rest)| (table.to_owned(), rest.to_owned()));
    insta::assert_snapshot!(table, @"
    coordinate check: mup (base_width 64, base_head_width 16), n_heads=2 n_layers=2 d_ff_ratio=2
    learning_rate=0.00316227766 dropout=0.1; 4 widths, 3 seeds, 2 steps
    mean absolute activations, and their mean absolute changes since the start

    d_model                    32       64      128      256  exponent
    embedding: flat
      at the start N N N N
      after step 2 N N N N  E
      change by step 1 N N N N
      change by step 2 N N N N  E, all changes
    block 1 attention scores: flat
      at the start N N N N
      after step 2 N N N N  E
      change by step 1 N N N N
      change by step 2 N N N N  E, all changes
    block 1 output: flat
      at the start N N N N
      after step 2 N N N N  E
      change by step 1 N N N N
      change by step 2 N N N N  E, all changes
    block 2 attention scores: flat
      at the start N N N N
      after step 2 N N N N  E
      change by step 1 N N N N
      change by step 2 N N N N  E, all changes
    block 2 output: flat
      at the start N N N N
      after step 2 N N N N  E
      change by step 1 N N N N
      change by step 2 N N N N  E, all changes
    final output: flat
      at the start N N N N
      after step 2 N N N N  E
      change by step 1 N N N N
      change by step 2 N N N N  E, all changes
    ");
    let (_, rule) = conclusions.split_once('(').unwrap();
    insta::assert_snapshot!(rule, @"
    exponents of the width, +- one standard error over seeds; a layer grows where the 95% interval of
    the exponent of its changes lies above 0.25, falls where it lies below -0.25, and is flat where it
    lies between -0.5 and 0.25)
    ");
    let svg = std::fs::read_to_string(folder.join("coordinates.svg")).unwrap();
    let titles = Regex::new(r#"class="[^"]*title[^"]*"[^>]*>([^<]*)<"#).unwrap();
    let titles: Vec<&str> = titles.captures_iter(&svg).map(|found| found.get(1).unwrap().as_str()).collect();
    insta::assert_debug_snapshot!(titles, @r#"
    [
        "embedding",
        "embedding",
        "block 1 attention scores",
        "block 1 attention scores",
        "block 1 output",
        "block 1 output",
        "block 2 attention scores",
        "block 2 attention scores",
        "block 2 output",
        "block 2 output",
        "final output",
        "final output",
    ]
    "#);
    let (picture, _) = check(folder, &["--steps", "2", "-o", "-", "-S", "model.parametrization=mup"]);
    assert_eq!(picture, svg);
}

#[test]
fn checks_that_cannot_be_made_say_why() {
    let folder = project();
    let scripted = scripted::folder(&Scripted::DEFAULT.ladder(), "exit 0\n");
    let calls: [&[&str]; 5] = [
        &["check", "--coordinates", "--widths", "32,64,64,128"],
        &["check", "--coordinates", "--widths", "32,64,128,255"],
        &["check", "--coordinates", "--seeds", "1"],
        &["check", "--coordinates", "--shuffle"],
        &["check", "--steps", "3"],
    ];
    let mut texts: Vec<String> = calls.iter().map(|arguments| refused(folder.path(), arguments)).collect();
    std::fs::write(folder.path().join("few.toml"), LADDER.replace("[4, 6, 8]", "[8]")).unwrap();
    texts.push(refused(folder.path(), &["check", "few.toml", "--coordinates"]));
    texts.push(refused(scripted.path(), &["check", "--coordinates"]));
    insta::assert_snapshot!(texts.join("\n"), @"
    $ allometry check --coordinates --widths 32,64,64,128
    error: --coordinates needs at least 4 values of d_model, and --widths gives 3: 32, 64, 128
    hint: for example --widths 32,64,128,256
    exit code 2

    $ allometry check --coordinates --widths 32,64,128,255
    error: the model of width 255 cannot be trained: n_heads = 2 does not divide d_model = 255
    hint: n_heads may be 1, 3, 5, 15
    exit code 2

    $ allometry check --coordinates --seeds 1
    error: invalid value '1' for '--seeds <N>': 1 is not in 2..=1000

    For more information, try '--help'.
    exit code 2

    $ allometry check --coordinates --shuffle
    error: the argument '--coordinates' cannot be used with '--shuffle'

    Usage: allometry check --coordinates [LADDER]

    For more information, try '--help'.
    exit code 2

    $ allometry check --steps 3
    error: the following required arguments were not provided:
      --coordinates

    Usage: allometry check --coordinates --steps <N> [LADDER]

    For more information, try '--help'.
    exit code 2

    $ allometry check few.toml --coordinates
    error: --coordinates needs at least 4 values of d_model, and the budgets have 3: 8, 12, 16
    hint: for example --widths 32,64,128,256
    exit code 2

    $ allometry check --coordinates
    error: --coordinates trains the built-in model, but the ladder runs a command
    hint: a program can measure the activations of its own model
    exit code 2
    ");
}

/// The widths of a ladder are those of its budgets.
#[test]
fn widths_come_from_the_budgets() {
    let folder = project();
    let (code, text, err) = run(folder.path(), &["check", "--coordinates", "--json", "--seeds", "2"]);
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["widths"], serde_json::json!([4, 6, 8, 12, 16]));
}

/// Studies keep their parametrization, and transfers between their budgets are judged as all others.
#[test]
fn a_ladder_under_mup_is_searched_and_transferred() {
    let folder = project();
    let folder = folder.path();
    let ladder = LADDER.replace("patience = 2", "patience = 2\nparametrization = \"mup\"\nbase_width = 8");
    std::fs::write(folder.join("ladder.toml"), ladder).unwrap();
    let (code, _, err) = run(folder, &["run", "--no-summary"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(folder, &["transfer", "--top", "1", "--seeds", "2", "--no-summary"]);
    assert_eq!(code, 0, "{err}");
    let document = report(folder);
    let cells = document["transfer"]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4);
    for cell in cells.iter().filter(|cell| cell["source"] != cell["target"]) {
        assert!(cell["loss"]["standard_error"].as_f64().unwrap() > 0.0, "{cell}");
    }
    let changed = refused(folder, &["run", "-S", "model.base_width=4"]);
    let standard = LADDER.to_owned();
    std::fs::write(folder.join("ladder.toml"), standard).unwrap();
    let texts = [changed, refused(folder, &["run"])].join("\n");
    insta::assert_snapshot!(shown(folder, &texts), @r#"
    $ allometry run -S model.base_width=4
    error: the objective of study `tiny/s` has changed:
      model.base_width: was 8, is 4
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3

    $ allometry run
    error: the objective of study `tiny/s` has changed:
      model.base_width: was 8, is the default
      model.parametrization: was "mup", is the default
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3
    "#);
}
