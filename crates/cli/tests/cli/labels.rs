//! Tables with labels by name, with columns that cannot be features, and with features that leak.
#![cfg(unix)]

use allometry_store::facts::ObjectiveFacts;

use crate::support::{LADDER, project, refused, run, shown, table, table_lines};

/// Creates the folder of [`project`] with the labels `names[0]` and `names[1]`, and with a column `ticker`.
fn named(names: [&str; 2], ladder: &str) -> tempfile::TempDir {
    let folder = project();
    let table = table(400).replacen("label\n", "ticker,label\n", 1);
    let lines = table.lines().map(|line| match line.rsplit_once(',') {
        Some((before, class @ ("0" | "1"))) => {
            format!("{before},SPX,{}\n", names[usize::from(class == "1")])
        }
        _ => format!("{line}\n"),
    });
    std::fs::write(folder.path().join("data.csv"), lines.collect::<String>()).unwrap();
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    folder
}

fn with(settings: &str) -> String {
    LADDER.replacen("label = \"label\"", &format!("label = \"label\"\n{settings}"), 1)
}

#[test]
fn a_label_of_two_names_is_trained_and_predicted_by_name() {
    let excluded = "features = { exclude = [\"ticker\"] }";
    let folder = named(["no", "yes, sir"], &with(&format!("positive = \"yes, sir\"\n{excluded}")));
    let folder = folder.path();
    let data = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    std::fs::write(folder.join("data.csv"), data.replace("yes, sir", "\"yes, sir\"")).unwrap();
    insta::assert_snapshot!(table_lines(folder), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `ticker` (excluded), `label` (the label)
      times: daily
      classes: `no`, `yes, sir` (positive)
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       265 windows, 94 positive (35.5%), 2000-01-08 to 2000-10-20
      validation      60 windows, 20 positive (33.3%), 2000-11-01 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.139 (95%)
      test            52 windows, 18 positive (34.6%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, text, err) = run(folder, &["predict", "m.safetensors", "data.csv"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let header = text.lines().next().unwrap();
    assert_eq!((header, text.lines().count()), ("row,date,\"class_yes, sir\"", 400 - 7 + 1));
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let studies = allometry_store::open_read_only(&url).unwrap().studies().unwrap();
    let Some(ObjectiveFacts::Model(model)) = &studies[0].facts.objective else {
        panic!("{:?}", studies[0].facts)
    };
    assert_eq!(model.data.class_names, ["no", "yes, sir"]);
}

#[test]
fn classes_by_name_are_counted_and_weighted() {
    let folder = named(["dry", "rain"], &with("features = { exclude = [\"ticker\"] }"));
    let folder = folder.path();
    let data = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    let snow = |(row, line): (usize, &str)| match line.strip_suffix("rain") {
        Some(before) if row % 5 == 0 => format!("{before}snow\n"),
        _ => format!("{line}\n"),
    };
    std::fs::write(folder.join("data.csv"), data.lines().enumerate().map(snow).collect::<String>()).unwrap();
    let ladder = std::fs::read_to_string(folder.join("ladder.toml")).unwrap();
    let ladder = ladder.replacen("[model]", "[model]\ntask = \"classes\"\nloss = \"weighted\"", 1);
    std::fs::write(folder.join("ladder.toml"), ladder).unwrap();
    insta::assert_snapshot!(table_lines(folder), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `ticker` (excluded), `label` (the label)
      times: daily
      classes: `dry`, `rain`, `snow`
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       265 windows, 2000-01-08 to 2000-10-20
        by class: `dry` 171, `rain` 79, `snow` 15
      validation      60 windows, 2000-11-01 to 2001-01-04
        by class: `dry` 40, `rain` 19, `snow` 1
      test            52 windows, 2001-01-13 to 2001-03-08
        by class: `dry` 34, `rain` 14, `snow` 4
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let (code, out, err) = run(folder, &["check", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rarest = &document["table"]["parts"][1]["classes"][2];
    assert_eq!(rarest, &serde_json::json!({"class": "snow", "windows": 1}));
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, text, err) = run(folder, &["predict", "m.safetensors", "data.csv"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(text.lines().next().unwrap(), "row,date,class_dry,class_rain,class_snow");
    let focal = refused(folder, &["check", "-S", "model.loss=focal", "-S", "model.positive_weight=2"]);
    insta::assert_snapshot!(focal, @r#"
    $ allometry check -S model.loss=focal -S model.positive_weight=2
    ladder::needs

      × `loss` needs `task = "binary"`: with "classes" it is "bce" or "weighted"
       ╭─[--set:1:12]
     1 │ model.loss=focal
       ·            ──┬──
       ·              ╰── this one
       ╰────

    ladder::needs

      × `positive_weight` needs `loss = "weighted"` and `task = "binary"`
       ╭─[--set:1:23]
     1 │ model.positive_weight=2
       ·                       ┬
       ·                       ╰── this one
       ╰────
    exit code 3
    "#);
}

#[test]
fn labels_and_columns_that_do_not_fit_are_refused_by_name() {
    let mut calls = String::new();
    for (names, settings) in [
        (["no", "yes"], ""),
        (["no", "yes"], "features = { exclude = [\"ticker\"] }"),
        (["no", "yes"], "positive = \"Yes\"\nfeatures = { exclude = [\"ticker\"] }"),
        (["1", "2"], "features = { exclude = [\"ticker\"] }"),
        (["0.5", "1.5"], "features = { exclude = [\"ticker\"] }"),
    ] {
        let folder = named(names, &with(settings));
        calls += &refused(folder.path(), &["check"]);
    }
    let folder = named(["no", "yes"], &with("positive = \"yes\""));
    calls += &refused(folder.path(), &["check", "-S", "model.task=classes"]);
    insta::assert_snapshot!(calls, @r#"
    $ allometry check
    error: data.csv: column `ticker` cannot be a feature: line 2 has `SPX`, which is not a number
    hint: exclude = ["ticker"] under [data.features] leaves it out; categorical = ["ticker"] under \
    [data] makes a feature of each of its values; series = "ticker" if it tells the series of each row
    exit code 3
    $ allometry check
    error: data.csv: label `label` has two classes (`no` in 263 rows, `yes` in 137 rows), and neither \
    is named as positive
    hint: positive = "yes" under [data] makes `yes` class 1
    exit code 3
    $ allometry check
    error: data.csv: label `label` is never `Yes` (positive); its classes are `no` in 263 rows, `yes` \
    in 137 rows
    hint: did you mean positive = "yes"?
    exit code 3
    $ allometry check
    error: data.csv: line 6: label `label` is `2`; it must be 0 or 1
    hint: task = "classes" under [model] predicts classes numbered from 0; task = "regression" under \
    [model] predicts numbers; a label of two values names the one that is class 1: positive = "2" under \
    [data]
    exit code 3
    $ allometry check
    error: data.csv: line 2: label `label` is `0.5`; it must be 0 or 1
    hint: task = "regression" under [model] predicts numbers; a threshold can be the label: label = { \
    rise = 0.01, of = "high", over = "close", horizon = 1 }
    exit code 3
    $ allometry check -S model.task=classes
    ladder::needs

      × `positive` needs `task = "binary"`: other tasks have no positive class
        ╭─[ladder.toml:11:12]
     10 │ label = "label"
     11 │ positive = "yes"
        ·            ──┬──
        ·              ╰── this one
     12 │
        ╰────
    exit code 3
    "#);
}

#[test]
fn init_proposes_the_positive_class_and_excludes_texts() {
    let folder = named(["no", "yes"], "");
    let folder = folder.path();
    std::fs::remove_file(folder.join("ladder.toml")).unwrap();
    let (code, out, err) = run(folder, &["init", "data.csv"]);
    assert_eq!(code, 0, "{err}");
    let ladder = std::fs::read_to_string(folder.join("ladder.toml")).unwrap();
    let data = ladder.split("\n[model]").next().unwrap().split("[data]").nth(1).unwrap().to_owned();
    insta::assert_snapshot!(format!("{out}{data}"), @r#"
    data.csv: 400 rows, 5 columns
      time: `date`, 2000-01-01 to 2001-03-08
        daily
      label: `label` (named like a label), `no` in 263 rows (65.8%), `yes` in 137 rows (34.2%)
      features: 2 columns
      left out: `ticker` (holds text such as `SPX`)

    path = "data.csv"               # one row per time step
    time = "date"                   # 2000-01-01 to 2001-03-08
    label = "label"                 # two classes by name; named like a label
    positive = "yes"                # the class whose probability is predicted
    # The label of a row must be a later value, to be predicted from the row and the rows
    # before it, not a value of the same time.
    horizon = 1                     # rows ahead that the label looks; more if it is computed over several
    split = { train = 0.70, validation = 0.15 } # in time order; the rest is the test part

    [data.features]
    exclude = [                     # all other columns of numbers are features
      "ticker",                     # holds text such as `SPX`
    ]
    "#);
    insta::assert_snapshot!(table_lines(folder), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `ticker` (excluded), `label` (the label)
      times: daily
      classes: `no`, `yes` (positive)
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       265 windows, 94 positive (35.5%), 2000-01-08 to 2000-10-20
      validation      60 windows, 20 positive (33.3%), 2000-11-01 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.139 (95%)
      test            52 windows, 18 positive (34.6%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
}

#[test]
fn a_feature_that_gives_the_label_away_is_found() {
    let folder = project();
    let folder = folder.path();
    let table = table(400).replacen("label\n", "label,leak\n", 1);
    let line = |line: &str| match line.rsplit_once(',') {
        Some((_, class @ ("0" | "1"))) => format!("{line},{}\n", 5.0 - 2.0 * class.parse::<f64>().unwrap()),
        _ => format!("{line}\n"),
    };
    std::fs::write(folder.join("data.csv"), table.lines().map(line).collect::<String>()).unwrap();
    let (code, out, err) = run(folder, &["check"]);
    assert!(out.contains("features: `up`, `noise`, `leak`"), "the result is printed too: {out}");
    insta::assert_snapshot!(format!("{}exit code {code}", shown(folder, &err)), @r#"
    error: data.csv: features give the label away: `leak` is a copy of the label
    hint: a feature must be known before its label: exclude = ["leak"] under [data.features] leaves it \
    out; if it is, `run` trains with it
    exit code 3
    "#);
    let (code, out, _) = run(folder, &["check", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!([{"column": "leak", "message": "`leak` is a copy of the label"}]);
    assert_eq!((code, &document["table"]["leaks"]), (3, &expected));
    let (code, _, err) = run(folder, &["check", "-S", "data.features.exclude=[\"leak\"]"]);
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn a_column_of_text_can_be_categories() {
    let folder = named(["0", "1"], &with("categorical = [\"ticker\"]"));
    let folder = folder.path();
    let data = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    let ticker = |(row, line): (usize, &str)| match row {
        0 => format!("{line}\n"),
        380.. => format!("{}\n", line.replace("SPX", "NEW")),
        _ => format!("{}\n", line.replace("SPX", ["SPX", "DAX", "FTSE, UK"][row / 7 % 3])),
    };
    let quoted = |line: String| line.replace("FTSE, UK", "\"FTSE, UK\"");
    let data: String = data.lines().enumerate().map(ticker).map(quoted).collect();
    std::fs::write(folder.join("data.csv"), data).unwrap();
    insta::assert_snapshot!(table_lines(folder), @r"
    $ allometry check
    data.csv: 400 rows, 5 features
      features: `up`, `noise`
      `ticker`, a feature for each of: `DAX`, `FTSE, UK`, `SPX`
      warning: `ticker` has values that the training rows lack: `NEW` in 21 rows; all its features are \
    0 there
      not features: `date` (the time), `label` (the label)
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       265 windows, 94 positive (35.5%), 2000-01-08 to 2000-10-20
      validation      60 windows, 20 positive (33.3%), 2000-11-01 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.139 (95%)
      test            52 windows, 18 positive (34.6%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let weights = |arguments: &[&str]| {
        let (code, out, err) = run(folder, &[&["check", "--json"], arguments].concat());
        assert_eq!((code, err.as_str()), (0, ""));
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        document["budgets"][0]["architectures"][0]["weights"].as_u64().unwrap()
    };
    let excluded = ["-S", "data.categorical=[]", "-S", "data.features.exclude=[\"ticker\"]"];
    assert!(weights(&[]) > weights(&excluded), "three more columns of each patch are counted");
    // Two values of each row of a patch, and two of each of three categories, instead of a column each.
    let vectors = ["-S", "data.categorical=[{column=\"ticker\",embedding=2}]"];
    let params = |arguments: &[&str]| {
        let (_, out, _) = run(folder, &[&["check", "--json"], arguments].concat());
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        document["budgets"][0]["architectures"][0]["params"].clone()
    };
    let (patch, shape) = (4, params(&vectors));
    assert_eq!(shape, params(&[]));
    let width = shape["d_model"].as_u64().unwrap();
    assert_eq!(weights(&vectors), weights(&excluded) + 3 * 2 + 2 * patch * width);
    assert_eq!(weights(&vectors), weights(&[]) + 3 * 2 - patch * width);
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, text, err) = run(folder, &["predict", "m.safetensors", "data.csv"]);
    assert_eq!((code, text.lines().count()), (0, 400 - 7 + 1));
    let unseen = "warning: `ticker` has values that the training rows lack: `NEW` in 21 rows; all its \
                  features are 0 there\n";
    assert_eq!(err, unseen);
    let dropping = ["train", "--budget", "s", "-o", "d.safetensors", "--quiet", "-S", "data.na=drop"];
    assert_eq!(run(folder, &dropping).0, 0);
    let data = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    std::fs::write(folder.join("gap.csv"), data.replacen(",SPX,", ",,", 2)).unwrap();
    let (code, text, err) = run(folder, &["predict", "d.safetensors", "gap.csv"]);
    assert_eq!((code, text.lines().count()), (0, 398 - 7 + 1));
    let dropped = "note: 2 rows with missing or infinite values are left out: `ticker` in 2\n";
    assert_eq!(err, format!("{dropped}{unseen}"));
    let problems = refused(folder, &["check", "-S", "data.categorical=[\"label\", \"ticker\", \"ticker\"]"]);
    insta::assert_snapshot!(problems, @r#"
    $ allometry check -S 'data.categorical=["label", "ticker", "ticker"]'
    ladder::not_a_feature

      × column `label` cannot be a feature: it is the label
       ╭─[--set:1:19]
     1 │ data.categorical=["label", "ticker", "ticker"]
       ·                   ───┬───
       ·                      ╰── this one
       ╰────
      help: remove it from the list

    ladder::repeated

      × `categorical` contains `ticker` twice
       ╭─[--set:1:38]
     1 │ data.categorical=["label", "ticker", "ticker"]
       ·                                      ────┬───
       ·                                          ╰── again here
       ╰────
      help: remove one of them
    exit code 3
    "#);
}
