//! Tests that every bad input gives an error that names the place, a hint, and the documented exit code.

use std::path::Path;

use crate::support::{LADDER, all_refused, project, refused, table};

fn with_ladder(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = project();
    std::fs::write(folder.path().join("ladder.toml"), change(LADDER)).unwrap();
    folder
}

/// Returns the refusal of a run with another table.
fn run_with_table(text: &str) -> String {
    let folder = project();
    std::fs::write(folder.path().join("data.csv"), text).unwrap();
    refused(folder.path(), &["run"])
}

/// Returns the refusal of a command with files of trials or reports.
fn with_files(folder: &Path, files: &[(&str, &[u8])], calls: &[&[&str]]) -> String {
    for (name, content) in files {
        std::fs::write(folder.join(name), content).unwrap();
    }
    all_refused(folder, calls)
}

#[test]
fn the_command_line() {
    let calls = [
        &["run", "--workers", "0"][..],
        &["run", "--budget", "xl"],
        &["report", "-o", "report.docx"],
        &["report", "--rows", "76"],
        &["report", "--weights", "patchtst:features=1"],
        &["report", "X=a.csv", "X=b.csv"],
    ];
    insta::assert_snapshot!(all_refused(project().path(), &calls), @r"
    $ allometry run --workers 0
    error: invalid value '0' for '--workers <N>': 0 is not in 1..=1024

    For more information, try '--help'.
    exit code 2

    $ allometry run --budget xl
    error: the ladder has no budget `xl`
    hint: it has s, l
    exit code 2

    $ allometry report -o report.docx
    error: cannot tell the format of `report.docx`
    hint: end its name in .md, .html or .json, or write - for Markdown on standard output
    exit code 2

    $ allometry report --rows 76
    error: invalid value '76' for '--rows <POSITIVES:NEGATIVES>': expected two counts of at least 1, \
    such as 76:346

    For more information, try '--help'.
    exit code 2

    $ allometry report --weights patchtst:features=1
    error: invalid value 'patchtst:features=1' for '--weights <MODEL>': all four fields are needed; \
    expected patchtst:features=105,context=80,patch=16,stride=8

    For more information, try '--help'.
    exit code 2

    $ allometry report X=a.csv X=b.csv
    error: cannot read a.csv: No such file or directory (os error 2)
    exit code 4
    ");
}

#[test]
fn a_missing_ladder() {
    let folder = tempfile::tempdir().unwrap();
    let calls = [&["run"][..], &["check", "nowhere/ladder.toml"], &["report"]];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @"
    $ allometry run
    error: there is no ladder file ladder.toml
    hint: name one, or try `allometry demo`, which writes one to start from
    exit code 4

    $ allometry check nowhere/ladder.toml
    error: there is no ladder file nowhere/ladder.toml
    hint: name one, or try `allometry demo`, which writes one to start from
    exit code 4

    $ allometry report
    error: there is no ladder file ladder.toml
    hint: name one, or try `allometry demo`, which writes one to start from
    exit code 4
    ");
}

#[test]
fn the_ladder_file() {
    let misspelt = with_ladder(|l| l.replace("trials = 4", "trails = 4"));
    insta::assert_snapshot!(refused(misspelt.path(), &["run"]), @r#"
    $ allometry run
    ladder::unknown_key

      × unknown key `trails` in the file
       ╭─[ladder.toml:4:1]
     3 │ tag = "t"
     4 │ trails = 4
       · ───┬──
       ·    ╰── not known
     5 │ seed = 1
       ╰────
      help: did you mean `trials`? the file has name, tag, command, trials, seed,
            space, budget, train_share, train_rows, data, model, metric, limits,
            sampler, stop, pruner, storage, smallest_effect, confirm
    exit code 3
    "#);
    let twice = with_ladder(|l| l.replace("label = \"l\"", "label = \"s\""));
    insta::assert_snapshot!(refused(twice.path(), &["check"]), @r#"
    $ allometry check
    ladder::repeated_label

      × two budgets have the label `s`
        ╭─[ladder.toml:28:9]
     27 │ [[budget]]
     28 │ label = "s"
        ·         ─┬─
        ·          ╰── first here
     29 │ weights = "any"
     30 │ [budget.space]
     31 │ d_model = [4, 6, 8]
     32 │
     33 │ [[budget]]
     34 │ label = "s"
        ·         ─┬─
        ·          ╰── again here
     35 │ weights = "any"
        ╰────
      help: give each budget its own label: each is a separate study
    exit code 3
    "#);
    let several =
        with_ladder(|l| l.replace("context = 8", "context = 0").replace("patience = 2", "patience = -1"));
    insta::assert_snapshot!(refused(several.path(), &["check"]), @r#"
    $ allometry check
    ladder::out_of_range

      × `context` is 0, but must be at least 1
        ╭─[ladder.toml:14:11]
     13 │ kind = "patchtst"
     14 │ context = 0
        ·           ┬
        ·           ╰── at least 1
     15 │ patch = 4
        ╰────

    ladder::wrong_type

      × `patience` must be a whole number, not a negative number
        ╭─[ladder.toml:18:12]
     17 │ epochs = 2
     18 │ patience = -1
        ·            ─┬
        ·             ╰── a whole number
     19 │
        ╰────
    exit code 3
    "#);
    let unreachable = with_ladder(|l| l.replacen("weights = \"any\"", "weights = 50_000_000", 1));
    insta::assert_snapshot!(all_refused(unreachable.path(), &[&["check"], &["run"]]), @r"
    $ allometry check
    error: budget `s`: none of the 12 architectures of the space has 37.5M to 62.5M weights; they reach \
    from 233 to 1.32k
    hint: nearest: 1.32k with n_heads=1 n_layers=2 d_ff_ratio=2 d_model=8; give the budget other values \
    in [budget.space]
    exit code 3

    $ allometry run
    error: budget `s`: none of the 12 architectures of the space has 37.5M to 62.5M weights; they reach \
    from 233 to 1.32k
    hint: nearest: 1.32k with n_heads=1 n_layers=2 d_ff_ratio=2 d_model=8; give the budget other values \
    in [budget.space]
    exit code 3
    ");
}

#[test]
fn the_table() {
    let good = table(400);
    let nan = good.replacen(good.lines().nth(4).unwrap(), "2000-01-04,NaN,0.1,0", 1);
    insta::assert_snapshot!(run_with_table(&nan), @r#"
    $ allometry run
    error: data.csv: line 5: column `up` is NaN
    hint: na = "drop" under [data] leaves such rows out, "ffill" and "mean" fill them
    exit code 3
    "#);
    let ragged = good.replacen(good.lines().nth(6).unwrap(), "2000-01-06,0.1", 1);
    insta::assert_snapshot!(run_with_table(&ragged), @"
    $ allometry run
    error: data.csv: line 7 has 2 fields, but the header has 4
    exit code 3
    ");
    let label = good.replacen(good.lines().nth(3).unwrap(), "2000-01-03,0.1,0.1,2", 1);
    insta::assert_snapshot!(run_with_table(&label), @r#"
    $ allometry run
    error: data.csv: line 4: label `label` is `2`; it must be 0 or 1
    hint: task = "classes" under [model] predicts classes numbered from 0; task = "regression" under \
    [model] predicts numbers; a label of two values names the one that is class 1: positive = "2" under \
    [data]
    exit code 3
    "#);
    insta::assert_snapshot!(run_with_table(&table(20)), @"
    $ allometry run
    error: data.csv: too few rows: with 20 rows the training part has no window of 8 rows
    hint: a shorter context, more rows, or a larger share for training
    exit code 3
    ");
    let column = with_ladder(|l| l.replace("label = \"label\"", "label = \"labels\""));
    insta::assert_snapshot!(refused(column.path(), &["run"]), @"
    $ allometry run
    error: data.csv: there is no column `labels` (label)
    hint: did you mean `label`?
    exit code 3
    ");
    let missing = with_ladder(|l| l.replace("data.csv", "nowhere.csv"));
    insta::assert_snapshot!(refused(missing.path(), &["run"]), @"
    $ allometry run
    error: cannot read nowhere.csv: No such file or directory (os error 2)
    exit code 4
    ");
    let one_class: String = good
        .lines()
        .enumerate()
        .map(|(i, l)| if i > 0 { format!("{},0\n", &l[..l.rfind(',').unwrap()]) } else { format!("{l}\n") })
        .collect();
    insta::assert_snapshot!(run_with_table(&one_class), @r#"
    $ allometry run
    error: data.csv: all 265 windows of the training part have the label 0 in column `label`
    hint: more rows, another split, or another threshold of the label
    exit code 3
    "#);
}

#[test]
fn foreign_trials() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("cut.json", &b"[{\"number\": 0, \"value\": 0.7, \"params\": {\"d_mo"[..]),
        ("ragged.csv", b"number,value,d_model\n0,0.7,32\n1,0.8\n"),
        ("empty.json", b"[]"),
        ("text.db", b"this is no database"),
    ];
    let calls = [
        &["report", "X=cut.json"][..],
        &["report", "X=ragged.csv"],
        &["report", "X=empty.json"],
        &["report", "X=text.db"],
        &["report", "X=nowhere.json"],
        &["report", "nowhere.db"],
    ];
    insta::assert_snapshot!(with_files(folder.path(), &files, &calls), @r"
    $ allometry report X=cut.json
    error: cut.json, line 1, column 45: EOF while parsing a string
    hint: the file is truncated: write or copy it again
    exit code 4

    $ allometry report X=ragged.csv
    error: ragged.csv, line 3: 2 fields, but the header has 3
    hint: leave the cell of a missing value empty, but keep its comma
    exit code 4

    $ allometry report X=empty.json
    error: empty.json holds no trials
    hint: `list` and `import` take a study without trials if --direction is given
    exit code 4

    $ allometry report X=text.db
    error: text.db is not a file of trials
    hint: known formats: Optuna's all_trials.json, its journals and SQLite files, a .csv or .tsv of \
    trials, a list of trials in JSON or YAML (each also compressed with gzip), the folder of a Ray Tune \
    experiment
    exit code 4

    $ allometry report X=nowhere.json
    error: cannot read nowhere.json: No such file or directory (os error 2)
    exit code 4

    $ allometry report nowhere.db
    error: there is no file nowhere.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4
    ");
}

#[test]
fn reports() {
    let folder = tempfile::tempdir().unwrap();
    let table = b"## Best Results by Budget\n\n| Budget | Best AUC |\n|---|---|\n| 2M | high |\n";
    let full = b"# Cross-Budget HPO Comparison\n\n## Summary\n\n**Do more weights pay?** Unknown.\n";
    let files = [
        ("diary.md", &b"# Monday\n\nRain.\n"[..]),
        ("word.md", table),
        ("bytes.markdown", b"## Best Results by Budget\n\xff\n"),
        ("a.csv", b"number,value,d_model\n0,0.7,32\n1,0.8,64\n"),
        ("full.md", full),
    ];
    let calls = [
        &["report", "diary.md"][..],
        &["report", "word.md"],
        &["report", "bytes.markdown"],
        &["report", "nowhere.md"],
        &["report", "word.md", "X=a.csv"],
        &["report", "word.md", "--template", "classic"],
        &["report", "word.md", "--tag", "x"],
        &["report", "full.md"],
    ];
    insta::assert_snapshot!(with_files(folder.path(), &files, &calls), @r"
    $ allometry report diary.md
    error: diary.md, not a classic report: it has neither a table of best results nor a part about a \
    budget
    hint: a classic report has `## Best Results by Budget` or `# HPO Analysis: LABEL`; trials are read \
    from Optuna's all_trials.json, CSV and SQLite files
    exit code 4

    $ allometry report word.md
    error: word.md, line 5: expected a best value, or N/A, in the second cell, found `| 2M | high |`
    hint: correct the line, or remove it: the lint leaves out missing parts
    exit code 4

    $ allometry report bytes.markdown
    error: bytes.markdown, line 2: expected text in UTF-8, found `bytes that are not UTF-8`
    hint: correct the line, or remove it: the lint leaves out missing parts
    exit code 4

    $ allometry report nowhere.md
    error: cannot read nowhere.md: No such file or directory (os error 2)
    exit code 4

    $ allometry report word.md X=a.csv
    error: `word.md` is a report and cannot be mixed with other sources
    hint: give it alone to see which of its conclusions stand
    exit code 2

    $ allometry report word.md --template classic
    error: `--template` cannot be used with a report, word.md
    hint: it applies to reports that are made from trials
    exit code 2

    $ allometry report word.md --tag x
    error: `--tag` cannot be used with a report, word.md
    hint: it applies to reports that are made from trials
    exit code 2

    $ allometry report full.md
    error: full.md, line 5: this is Allometry's own full report
    hint: it already states which conclusions its numbers allow; give the classic report or the trials
    exit code 4
    ");
}

#[test]
fn the_storage() {
    let folder = project();
    let text = "not a database, but long enough to be looked at";
    std::fs::write(folder.path().join("trials.db"), text).unwrap();
    let calls = [
        &["run", "--storage", "mysql://localhost/x"][..],
        &["run"],
        &["run", "--storage", "sqlite:///no/such/folder/x.db"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry run --storage mysql://localhost/x
    error: cannot open `mysql://localhost/x`: storage of kind `mysql` is not supported, only `sqlite` \
    and `postgresql`
    hint: use `sqlite:///relative.db`, `sqlite:////absolute.db`, the path of a file, or \
    `postgresql://user@host/database`
    exit code 5

    $ allometry run
    error: trials.db is not a SQLite database
    hint: name a file that Optuna or Allometry wrote, or one that does not exist yet
    exit code 5

    $ allometry run --storage sqlite:///no/such/folder/x.db
    error: cannot open no/such/folder/x.db: there is no folder no/such/folder
    exit code 5
    ");
    assert_eq!(std::fs::read_to_string(folder.path().join("trials.db")).unwrap(), text);
}
