//! Tests of `allometry fit`.

use std::fmt::Write as _;

use serde_json::{Value, json};

#[cfg(unix)]
use crate::support::scripted::{self, Scripted};
use crate::support::{folded, printed, refused, run};

/// Returns runs of `2 + 300 / N^0.35`, two per size, 1% above and below it, and one that diverged.
fn table() -> String {
    let mut text = "model,n_params,tokens,loss\n".to_owned();
    for place in 0..8 {
        let size = 1e6 * 3.0_f64.powi(place);
        let loss = 2.0 + 300.0 * size.powf(-0.35);
        for (sign, tokens) in [(1.0, 2e9), (-1.0, 4e9)] {
            let sign = if place % 2 == 0 { sign } else { -sign };
            writeln!(text, "m{place},{size:.0},{tokens:.0},{:.5}", loss * (1.0 + 0.01 * sign)).unwrap();
        }
    }
    text + "m8,9000000,2000000000,7.5\n"
}

#[test]
fn a_law_has_intervals_and_a_tested_forecast() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runs.csv"), table()).unwrap();
    insta::assert_snapshot!(printed(
        folder.path(),
        &["fit", "runs.csv", "--weights", "n_params", "--value", "loss", "-o", "fit.json"]
    ), @r#"
    $ allometry fit runs.csv --weights n_params --value loss -o fit.json
    loss = 1.9999 + 300 / N^0.3500

                             estimate  95% interval
    exponent of weights        0.3500  0.3250 to 0.3799
    amplitude of weights          300  213 to 449
    floor                      1.9999  1.9399 to 2.0546

    16 runs at 8 sizes of weights from 1.00M to 2.19B; half of them are within 1.0% of the law, all \
    within 1.0%. 1 run is far above the law and was left out as diverged. Intervals cover the noise of \
    runs around a law of this form, not another form of law.
    No departure of the means of sizes from the law was found (p = 1.00).
    Held out: 2 runs with the largest size, at 2.19B weights. The others predicted 2.1614 (2.1083 to \
    2.2143), observed 2.1614 (inside; 0.0%).
    Next: at 6.56B weights the law predicts 2.1098 (2.0763 to 2.1433).
    "#);
    let written = std::fs::read_to_string(folder.path().join("fit.json")).unwrap();
    let document: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(document["schema"], "allometry.fit/1");
    let alpha = &document["alpha"];
    assert!((alpha["point"].as_f64().unwrap() - 0.35).abs() < 0.03, "{alpha}");
    assert!(alpha["lower"].as_f64().unwrap() < 0.35 && alpha["upper"].as_f64().unwrap() > 0.35, "{alpha}");
    assert!((document["e"]["point"].as_f64().unwrap() - 2.0).abs() < 0.1);
    assert!(document["objective"].as_f64().unwrap() > 0.0 && document["beta"].is_null());
    let arguments = ["fit", "runs.csv", "--weights", "n_params", "--value", "loss", "--json"];
    let (code, out, _) = run(folder.path(), &arguments);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (0, document));
}

#[test]
fn rows_without_a_number_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runs.csv"), table() + ",81000000,,\n").unwrap();
    let arguments = ["fit", "runs.csv", "--weights", "n_params", "--value", "loss", "-o", "fit.json"];
    let (code, _, err) = run(folder.path(), &arguments);
    assert_eq!((code, err.as_str()), (0, "note: left out for lack of a number: 1 row\n"));
}

/// Tables of other programs: semicolons and decimal commas, tabs, JSON, and gzip. All give one law.
#[test]
fn tables_of_every_kind_give_one_law() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Vec<String>> =
        table().lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let divided = |mark: &str| rows.iter().map(|row| row.join(mark) + "\n").collect::<String>();
    let objects: Vec<Value> = rows[1..]
        .iter()
        .map(|row| {
            let number = |cell: &str| cell.parse::<f64>().unwrap();
            json!({ "n_params": number(&row[1]), "tokens": row[2], "loss": number(&row[3]) })
        })
        .collect();
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    let packed = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let files: [(&str, Vec<u8>); 6] = [
        ("runs.csv", table().into()),
        ("runs.tsv", divided("\t").into()),
        ("semicolons.csv", divided(";").replace('.', ",").into()),
        ("runs.json", Value::from(objects).to_string().into()),
        ("runs.jsonl", lines.join("\n").into()),
        ("runs.csv.gz", packed(&table())),
    ];
    let mut laws = Vec::new();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
        let arguments = ["fit", name, "--weights", "n_params", "--value", "loss", "--json"];
        let (code, out, err) = run(folder.path(), &arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{name}");
        laws.push(out);
    }
    assert!(laws.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_cannot_bear_a_law_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |rows: &str| {
        std::fs::write(folder.path().join("runs.csv"), format!("n_params,tokens,loss\n{rows}")).unwrap();
    };
    let arguments = ["fit", "runs.csv", "--weights", "n_params", "--value", "loss"];
    write("1e6,1e8,3.0\n2e6,1e8,2.9\n");
    insta::assert_snapshot!(refused(folder.path(), &arguments), @"
    $ allometry fit runs.csv --weights n_params --value loss
    error: runs.csv: the runs have 2 distinct sizes of weights, too few for a law
    hint: train at 5 or more sizes, evenly spaced on a log scale
    exit code 4
    ");
    write("1e6,1e8,3.0\n2e6,1e8,2.9\n3e6,1e8,2.8\n4e6,1e8,2.7\n5e6,1e8,2.6\n");
    insta::assert_snapshot!(refused(folder.path(), &arguments), @r#"
    $ allometry fit runs.csv --weights n_params --value loss
    error: runs.csv: the sizes of weights span 0.70 decades, too few for a law
    hint: train at sizes over 1.5 decades, a factor of 32; if the column holds logarithms, give the \
    sizes themselves
    exit code 4
    "#);
    write("1e6,1e8,0.70\n4e6,1e8,0.72\n2e7,1e8,0.73\n8e7,1e8,0.75\n4e8,1e8,0.76\n");
    insta::assert_snapshot!(refused(folder.path(), &arguments), @r#"
    $ allometry fit runs.csv --weights n_params --value loss
    error: runs.csv: `loss` rises with weights (rank correlation 1.00), but a law is fitted to a loss, \
    which falls
    hint: with `--direction maximize` the law is that of 1 less the value, for an accuracy or an AUC
    exit code 4
    "#);
    write("1e6,1e8,3.0\n2e6,1e8,-2.9\n");
    insta::assert_snapshot!(refused(folder.path(), &arguments), @r#"
    $ allometry fit runs.csv --weights n_params --value loss
    error: runs.csv: row 2 below the header: `loss` is -2.9000, which is not a positive number
    hint: a law is fitted to the logarithms of sizes and losses: take rows of failed runs out; fit the \
    negative of a log likelihood
    exit code 3
    "#);
    write("1e6,1e8,3.0\n2e6,1e8,nine\n");
    insta::assert_snapshot!(refused(folder.path(), &arguments), @"
    $ allometry fit runs.csv --weights n_params --value loss
    error: runs.csv: line 3, column `loss`: expected a number, found `nine`
    hint: correct the value; leave the cell of a missing one empty
    exit code 3
    ");
    insta::assert_snapshot!(
        refused(folder.path(), &["fit", "runs.csv", "--weights", "params", "--value", "loss"]),
        @"
    $ allometry fit runs.csv --weights params --value loss
    error: runs.csv: line 1: there is no column `params`
    hint: its columns are `n_params`, `tokens`, `loss`
    exit code 3
    "
    );
}

#[test]
fn copies_jumps_and_units_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.csv");
    let runs = |unit: &str| {
        let mut text = "n,loss\n".to_owned();
        for size in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0] {
            writeln!(text, "{size}{unit},{:.4}", 2.0 + 300.0 * (size * 1e6_f64).powf(-0.35)).unwrap();
        }
        text
    };
    let arguments = ["fit", "runs.csv", "--weights", "n", "--value", "loss"];
    std::fs::write(&path, runs("000000") + "32000000000,2.0613\n2000000,3.8690\n2000000,3.8690\n").unwrap();
    insta::assert_snapshot!(printed(folder.path(), &arguments), @r#"
    $ allometry fit runs.csv --weights n --value loss
    loss = 1.9977 + 298 / N^0.3494

                             estimate  95% interval
    exponent of weights        0.3494  0.3491 to 0.3497
    amplitude of weights          298  296 to 299
    floor                      1.9977  1.9971 to 1.9984

    9 runs at 7 sizes of weights from 1.00M to 32.0B; half of them are within 0.1% of the law, all \
    within 0.1%. Intervals cover the noise of runs around a law of this form, not another form of law.
    No departure of the means of sizes from the law was found (p = 0.55).
    1 run repeats the sizes and the loss of another exactly. If it is a copy, intervals are too narrow: \
    take copies out.
    No size of weights lies between 32.0M and 32.0B: nothing tests the law there. Are all sizes in one \
    unit? Runs at sizes between them would test it.
    Held out: 1 run with the largest size, at 32.0B weights. The others predicted 2.0639 (2.0605 to \
    2.0671), observed 2.0613 (inside; -0.1%).
    Next: at 320B weights the law predicts 2.0262 (2.0256 to 2.0268).
    "#);
    std::fs::write(&path, runs("M") + "4000000,3.4700\n").unwrap();
    insta::assert_snapshot!(refused(folder.path(), &arguments), @"
    $ allometry fit runs.csv --weights n --value loss
    error: runs.csv: line 2, column `n`: `1M` has a unit, but `4000000` has none (line 8, column `n`)
    hint: write all of them in digits, or all with their unit
    exit code 3
    ");
}

/// A ladder of six sizes whose loss falls as a power law. It tells its weights and operations.
const SIX_SIZES: &str = r#"
awk -v x="$1" -v budget="$ALLOMETRY_BUDGET" 'BEGIN {
    weights = 1000 * 2.2 ^ budget
    loss = 1.2 + 4 * weights ^ -0.3 + 0.002 * x
    flops = 60000 * weights
    printf "{\"final\": true, \"value\": %.6f, \"weights\": %d, \"flops\": %.6e}\n", loss, weights, flops
}' >> "$ALLOMETRY_REPORT"
"#;

#[cfg(unix)]
#[test]
fn a_ladder_has_laws_over_what_its_trials_record() {
    let ladder = Scripted {
        trials: 20,
        settings: "metric = \"loss\"\ndirection = \"minimize\"",
        space: &[("x", "{ float = [0, 1] }")],
        sampler: "random",
        budgets: &["0", "1", "2", "3", "4", "5"],
        ..Scripted::DEFAULT
    };
    let folder = scripted::folder(&ladder.ladder(), SIX_SIZES);
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    insta::assert_snapshot!(printed(folder, &["fit", "-o", "fit.json"]), @r#"
    $ allometry fit -o fit.json
    Mean loss of a trial = 1.2001 + 3.9781 / N^0.2990

                             estimate  95% interval
    exponent of weights        0.2990  0.2973 to 0.3007
    amplitude of weights       3.9781  3.9441 to 4.0121
    limit                      1.2001  1.1984 to 1.2019

    Next: at 113k weights the law predicts 1.3227 (1.3224 to 1.3231).
    Test of the law: from the smaller sizes it forecasts 1.3551 (95% interval 1.3545 to 1.3556) for 5; \
    observed 1.3554, inside the interval.

    Mean loss of a trial = 1.2001 + 107 / C^0.2990

                             estimate  95% interval
    exponent of compute        0.2990  0.2973 to 0.3007
    amplitude of compute          107  104 to 110
    limit                      1.2001  1.1984 to 1.2019

    Next: at 6.80e9 operations the law predicts 1.3227 (1.3224 to 1.3231).
    Test of the law: from the smaller sizes it forecasts 1.3551 (95% interval 1.3545 to 1.3556) for 5; \
    observed 1.3554, inside the interval.

    The compute is that of these budgets on all their rows; other sizes on other rows may use it better.
    "#);
    let written = std::fs::read_to_string(folder.join("fit.json")).unwrap();
    let document: Value = serde_json::from_str(&written).unwrap();
    let alpha = &document["alpha"];
    assert!(alpha["lower"].as_f64().unwrap() < 0.3 && alpha["upper"].as_f64().unwrap() > 0.3, "{alpha}");
    let of_compute = &document["laws"]["compute"]["exponent"]["point"];
    assert!((of_compute.as_f64().unwrap() - alpha["point"].as_f64().unwrap()).abs() < 1e-3, "{of_compute}");
    let mut calls = String::new();
    for arguments in [
        &["fit", "--weights", "n"][..],
        &["fit", "runs.csv", "--value", "loss"],
        &["fit", "runs.csv", "--value", "loss", "--data", "n", "--metric", "loss"],
    ] {
        calls += &refused(folder, arguments);
    }
    insta::assert_snapshot!(calls, @r#"
    $ allometry fit --weights n
    error: the following required arguments were not provided:
      --value <COLUMN>

    Usage: allometry fit --value <COLUMN> --weights <COLUMN> [SOURCE]...

    For more information, try '--help'.
    exit code 2
    $ allometry fit runs.csv --value loss
    error: a table needs the column of an axis
    hint: name it with --weights, --data or --flops
    exit code 2
    $ allometry fit runs.csv --value loss --data n --metric loss
    error: --metric is for ladders, and --value for tables
    hint: name the column of the loss with --value
    exit code 2
    "#);
}

#[cfg(unix)]
#[test]
fn a_ladder_of_few_sizes_has_no_law() {
    let folder = scripted::folder(&Scripted::DEFAULT.ladder(), SIX_SIZES);
    let folder = folder.path();
    assert_eq!(run(folder, &["run", "--quiet"]).0, 0);
    insta::assert_snapshot!(refused(folder, &["fit"]), @r#"
    $ allometry fit
    error: ladder.toml: the ladder cannot bear a law: budget 'a' has 3 distinct configurations, and a \
    search is judged by 10 or more
    hint: a law needs 5 sizes over 1.5 decades, each with its error: `allometry check --suggest-budgets \
    5` proposes some; a table with one row per run needs --value
    exit code 4
    "#);
}

/// Columns that seem to hold something else are told; `--best` fits the best run of each size, and
/// `--compute` asks for the best sizes of one amount of compute.
#[test]
fn doubtful_tables_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.csv");
    let mut table = "n_params,tokens_billion,loss,ppl\n".to_owned();
    for size in 0..6 {
        for rows in 0..6 {
            for setting in 0..3 {
                let (n, d) = (1e7 * 3_f64.powi(size), 0.1 * 3_f64.powi(rows));
                let loss =
                    1.7 + 400.0 * n.powf(-0.34) + 410.0 * (d * 1e9).powf(-0.28) + 0.3 * f64::from(setting);
                writeln!(table, "{n},{d},{loss},{}", loss.exp()).unwrap();
            }
        }
    }
    std::fs::write(&path, table).unwrap();
    let pooled = ["fit", "sweep.csv", "--weights", "n_params", "--data", "tokens_billion", "--value", "ppl"];
    let (code, out, err) = run(folder.path(), &pooled);
    assert_eq!(code, 0, "{err}");
    let doubts: Vec<&str> = out.split("\n\n").take_while(|part| !part.starts_with("ppl =")).collect();
    insta::assert_snapshot!(folded(&format!("{err}\n{}", doubts.join("\n\n"))), @r#"
    warning: column `ppl` seems to hold perplexities; a law is one of the loss, their natural logarithm
    warning: column `tokens_billion` has `billion` in its name; amplitudes, best sizes and forecasts \
    need single weights, rows and operations, not their multiples or logarithms

    Some runs have 4.12e-11 rows for each weight. Are the columns the right ones, and in single rows, \
    weights and operations (not in millions or billions)? The best sizes below depend on it.

    Runs of one size differ much: a quarter of them have losses more than 57% above the best. If they \
    had other settings, such as learning rates, or are checkpoints, the law is not that of good \
    settings: `--best` fits the best run of each size.
    "#);
    let best = ["--value", "loss", "--best", "--compute", "1e12"];
    let (code, out, err) = run(folder.path(), &[&pooled[..6], &best].concat());
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(folded(&out), @r#"
    Some runs have 4.12e-11 rows for each weight. Are the columns the right ones, and in single rows, \
    weights and operations (not in millions or billions)? The best sizes below depend on it.

    loss = 1.7000 + 400 / N^0.3400 + 1.2382 / D^0.2800

                             estimate  95% interval
    exponent of weights        0.3400  0.3400 to 0.3400
    amplitude of weights          400  400 to 400
    exponent of data           0.2800  0.2800 to 0.2800
    amplitude of data          1.2382  1.2382 to 1.2382
    floor                      1.7000  1.7000 to 1.7000

    36 runs at 6 sizes of weights from 10.0M to 2.43B and 6 sizes of data from 0.1000 to 24; half of \
    them are within 0.1% of the law, all within 0.1%. Intervals cover other runs, drawn from these, not \
    another form of law.
    No departure of the medians of sizes of weights from the law was found (p = 1.00).
    Held out: 1 run with the largest compute, at 2.43B weights and 24 rows. The others predicted 2.4644 \
    (2.4644 to 2.4644), observed 2.4644 (inside; 0.0%).
    Next: at 4.86B weights and 49 rows the law predicts 2.3209 (2.3209 to 2.3209).
    At 1.46e9 operations the runs have their least loss at 98.9M weights, the law at 93.4M (93.4M to \
    93.4M).
    With 1.00e12 operations the loss is least at 1.78B (1.78B to 1.78B) weights and 93 (93 to 93) rows: \
    2.3337 (2.3337 to 2.3337).
    "#);
    insta::assert_snapshot!(refused(folder.path(), &[
        "fit", "sweep.csv", "--weights", "n_params", "--value", "loss", "--compute", "1e12",
    ]), @"
    $ allometry fit sweep.csv --weights n_params --value loss --compute 1e12
    error: --compute is for a law over weights and data
    hint: name the columns with --weights and --data or --flops
    exit code 2
    ");
    std::fs::write(&path, "n,loss\n1e6,3\n1e7,3\n1e8,3\n1e9,3\n1e10,3\n").unwrap();
    let flat = ["fit", "sweep.csv", "--weights", "n", "--value", "loss"];
    insta::assert_snapshot!(refused(folder.path(), &flat), @"
    $ allometry fit sweep.csv --weights n --value loss
    error: sweep.csv: all losses are equal, so that there is nothing to fit
    hint: a law needs a loss that falls with the size
    exit code 4
    ");
}

/// Trials from elsewhere are read as for a report, one file for each budget.
#[test]
fn files_of_trials_are_a_ladder() {
    let folder = tempfile::tempdir().unwrap();
    for (name, first) in [("a", 3.0), ("b", 2.0)] {
        let mut table = "number,value,params_lr\n".to_owned();
        for number in 0..12 {
            writeln!(table, "{number},{},0.{number}1", first + 0.01 * f64::from(number)).unwrap();
        }
        std::fs::write(folder.path().join(format!("{name}.csv")), table).unwrap();
    }
    let sources = ["fit", "1M=a.csv", "3M=b.csv", "--metric", "loss", "--direction", "minimize"];
    insta::assert_snapshot!(refused(folder.path(), &sources), @r#"
    $ allometry fit 1M=a.csv 3M=b.csv --metric loss --direction minimize
    note: 1M: no column is called `loss`, so that `value` is taken for it
    note: 3M: no column is called `loss`, so that `value` is taken for it
    error: 1M=a.csv 3M=b.csv: the ladder cannot bear a law: the trials of 1M, 3M look as if an adaptive \
    sampler chose them: later ones are better or nearer to the best; nothing records how they were \
    chosen, and such trials are no random sample
    hint: a law needs 5 sizes over 1.5 decades, each with its error: `allometry check --suggest-budgets \
    5` proposes some; a table with one row per run needs --value
    exit code 4
    "#);
    let two = ["fit", "a.csv", "b.csv", "--value", "value", "--data", "number"];
    insta::assert_snapshot!(refused(folder.path(), &two), @"
    $ allometry fit a.csv b.csv --value value --data number
    error: --value is for one table, and 2 are given
    hint: leave --value out for a ladder of several sources LABEL=FILE
    exit code 2
    ");
}

/// A table of accuracies has the law of 1 less the accuracy, which its numbers give as they are.
#[test]
fn more_may_be_better() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, column: &str, of: &dyn Fn(f64) -> f64| {
        let mut text = format!("n,{column}\n");
        for place in 0..8 {
            let size = 1e6 * 3.0_f64.powi(place);
            let noise = 1.0 + 0.01 * f64::from(place % 3 - 1);
            writeln!(text, "{size},{}", of((0.1 + 40.0 * size.powf(-0.34)) * noise)).unwrap();
        }
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    file("accuracy.csv", "accuracy", &|loss| 1.0 - loss);
    file("error.csv", "error", &|loss| loss);
    file("percent.csv", "accuracy", &|loss| 100.0 * (1.0 - loss));
    let maximize = ["--direction", "maximize"];
    let law = |arguments: &[&str]| {
        let (code, out, err) = run(folder.path(), arguments);
        assert_eq!(code, 0, "{err}");
        out
    };
    let rises = ["fit", "accuracy.csv", "--weights", "n", "--value", "accuracy"];
    let accuracy = law(&[&rises[..], &maximize].concat());
    let error = law(&["fit", "error.csv", "--weights", "n", "--value", "error", "--direction", "minimize"]);
    assert!(accuracy.starts_with("1 - accuracy = 0."), "{accuracy}");
    assert_eq!(accuracy.replace("1 - accuracy", "error"), error);
    let percent = ["fit", "percent.csv", "--weights", "n", "--value", "accuracy"];
    let labelled = ["--direction", "1M=maximize"];
    let mut calls = String::new();
    for (arguments, more) in [(rises, &[][..]), (percent, &maximize), (rises, &labelled)] {
        calls += &refused(folder.path(), &[&arguments[..], more].concat());
    }
    insta::assert_snapshot!(calls, @r#"
    $ allometry fit accuracy.csv --weights n --value accuracy
    error: accuracy.csv: `accuracy` rises with weights (rank correlation 1.00), but a law is fitted to \
    a loss, which falls
    hint: with `--direction maximize` the law is that of 1 less the value, for an accuracy or an AUC
    exit code 4
    $ allometry fit percent.csv --weights n --value accuracy --direction maximize
    error: percent.csv: row 1 below the header: `1 - accuracy` is -52.9844, which is not a positive \
    number
    hint: a value of which more is better lies below 1: write 93% as 0.93; take rows of failed runs out
    exit code 3
    $ allometry fit accuracy.csv --weights n --value accuracy --direction 1M=maximize
    error: a table has one value, and so one --direction without a label
    exit code 2
    "#);
}

/// What the command line of a table lacks or says twice is told before anything is fitted.
#[test]
fn columns_of_a_table_are_named_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runs.csv"), table()).unwrap();
    let mut calls = refused(folder.path(), &["fit", "runs.csv"]);
    calls += &refused(folder.path(), &["fit", "runs.csv", "--weights", "loss", "--value", "loss"]);
    insta::assert_snapshot!(calls, @r#"
    $ allometry fit runs.csv
    error: runs.csv is a table, and the column of the loss is not named
    hint: name it with --value, and the sizes with --weights, --data or --flops; a ladder of tables has \
    one LABEL=FILE for each size
    exit code 2
    $ allometry fit runs.csv --weights loss --value loss
    error: column `loss` is named twice
    hint: sizes and the loss are in columns of their own
    exit code 2
    "#);
}

/// Sizes as published tables have them give the law of the same sizes in digits.
#[test]
fn sizes_with_units_are_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = ["70M", "160M", "410M", "1B", "1.4B", "2.8B", "6.9B", "12B"];
    let digits: [f64; 8] = [7e7, 1.6e8, 4.1e8, 1e9, 1.4e9, 2.8e9, 6.9e9, 1.2e10];
    let rows = |of: &dyn Fn(usize) -> String| {
        let loss = |place: usize| 1.7 + 400.0 * digits[place].powf(-0.34);
        (0..8).map(|place| format!("{},{:.4}\n", of(place), loss(place))).collect::<Vec<_>>().concat()
    };
    let tables = [
        ("units.csv", format!("# suite\nmodel_size,loss\n{}", rows(&|place| sizes[place].into()))),
        ("digits.csv", format!("model_size,loss\n{}", rows(&|place| digits[place].to_string()))),
    ];
    let laws = tables.map(|(name, text)| {
        std::fs::write(folder.path().join(name), text).unwrap();
        let arguments = ["fit", name, "--weights", "model_size", "--value", "loss", "--json"];
        let (code, out, err) = run(folder.path(), &arguments);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<Value>(&out).unwrap()
    });
    assert_eq!(laws[0], laws[1]);
}
