//! Tests of reading the trials of other programs: their direction, their metric and their columns.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{all_refused, allometry, printed, refused, run, shown};

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Returns the best value and the metric of the only budget of a report.
fn best(folder: &Path, arguments: &[&str]) -> (f64, String) {
    let all: Vec<&str> = ["report", "-o", "r.json"].iter().chain(arguments).copied().collect();
    let (code, _, err) = run(folder, &all);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).unwrap()).unwrap();
    let best = report["studies"][0]["summary"]["best"][0]["value"]["point"].as_f64().unwrap();
    (best, report["metric"].as_str().unwrap().to_owned())
}

const LOSSES: &str = r#"[{"number": 0, "value": 2.1, "params": {"lr": 0.1}},
    {"number": 1, "value": 0.3, "params": {"lr": 0.01}},
    {"number": 2, "value": 0.5, "params": {"lr": 0.02}}]"#;

#[test]
fn a_loss_is_never_maximised_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "loss.json", LOSSES);
    insta::assert_snapshot!(refused(folder, &["report", "A=loss.json"]), @r"
    $ allometry report A=loss.json
    error: `A`: nothing says whether larger or smaller values are better
    hint: give --direction maximize or --direction minimize, or a name that implies it, such as \
    --metric val_loss or --metric auc
    exit code 2
    ");
    assert_eq!(best(folder, &["A=loss.json", "--direction", "minimize"]), (0.3, "value".into()));
    assert_eq!(best(folder, &["A=loss.json", "--direction", "A=max"]), (2.1, "value".into()));
    assert_eq!(best(folder, &["A=loss.json", "--metric", "val_loss"]), (0.3, "val_loss".into()));
    write(folder, "best_params.json", r#"{"best_params": {"lr": 0.01}, "best_value": 0.3}"#);
    assert_eq!(best(folder, &["A=loss.json:best_params.json"]), (0.3, "value".into()));

    write(folder, "vl.csv", "Trial,val_loss,lr\n0,0.3,0.1\n1,0.2,0.2\n");
    insta::assert_snapshot!(refused(folder, &["report", "A=vl.csv"]), @"
    $ allometry report A=vl.csv
    error: vl.csv, line 1: no column holds the objective
    hint: name the objective with --metric: `val_loss`, `lr`
    exit code 4
    ");
    assert_eq!(best(folder, &["A=vl.csv", "--metric", "A=val_loss"]), (0.2, "val_loss".into()));

    insta::assert_snapshot!(refused(folder, &["import", "loss.json"]), @"
    $ allometry import loss.json
    error: loss.json does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2
    ");
    assert_eq!(run(folder, &["import", "loss.json", "--direction", "minimize"]).0, 0);
    insta::assert_snapshot!(printed(folder, &["best", "--in", "trials.db"]), @"
    $ allometry best --in trials.db
    loss: 0.3000 (trial 1)  lr=0.01
      recommended: unknown: the search space is not known
    ");
    assert_eq!(run(folder, &["import", "vl.csv", "--metric", "val_loss", "--storage", "vl.db"]).0, 0);
    assert_eq!(best(folder, &["A=vl.db"]), (0.2, "val_loss".into()));
    assert_eq!(best(folder, &["A=vl.db", "--direction", "maximize"]), (0.3, "val_loss".into()));
}

/// Only values from 0 to 1 are treated as an AUC: with an interval that ends at 1, and with class counts.
#[test]
fn nothing_but_an_auc_is_treated_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trials: Vec<String> = (0..30)
        .map(|i| format!(r#"{{"value": {}, "params": {{"x": {}}}}}"#, 10.0 + f64::from(i * 7 % 30), i % 5))
        .collect();
    write(folder, "mae.json", &format!("[{}]", trials.join(",")));
    insta::assert_snapshot!(refused(folder, &["report", "A=mae.json", "--rows", "76:346"]), @"
    $ allometry report A=mae.json --rows 76:346
    error: trial 0 of `A` has 10, and an AUC lies between 0 and 1
    hint: name what it is with --metric, and leave out --rows
    exit code 2
    ");
    let (code, out, err) = run(folder, &["report", "A=mae.json", "--metric", "val_mae", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Best val_mae") && !out.contains("AUC"), "{out}");
    assert!(!out.contains("1.0000 to 1.0000"), "{out}");
    assert!(!out.contains("Collapse") && !out.contains("pred_min"), "{out}");
}

#[test]
fn small_and_large_values_keep_their_digits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "tiny.csv",
        "number,value,params_x,state\n0,1.2e-5,1,COMPLETE\n1,3.4e-6,2,COMPLETE\n2,1e308,3,COMPLETE\n",
    );
    let (code, out, err) = run(folder, &["report", "A=tiny.csv", "--direction", "minimize", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("3.4e-6") && !out.contains("0.0000 |"), "{out}");
    assert_eq!(run(folder, &["import", "tiny.csv", "--direction", "minimize"]).0, 0);
    insta::assert_snapshot!(printed(folder, &["best", "trials.db"]), @"
    $ allometry best trials.db
    tiny: 3.4e-6 (trial 1)  x=2
      recommended: unknown: the search space is not known
    ");
    insta::assert_snapshot!(printed(folder, &["list", "trials.db"]), @"
    $ allometry list trials.db
        tiny     0  complete 1.2e-5    x=1
        tiny     1  complete 3.4e-6    x=2
        tiny     2  complete 1e308     x=3
    ");
}

/// Optuna and pandas write local times without an offset.
#[test]
fn times_without_an_offset_are_of_this_machines_zone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(
        path,
        "dt.json",
        r#"[{"number": 0, "value": 0.5, "params": {"x": 1}, "datetime_start": "2024-01-01 10:00:00"}]"#,
    );
    let tokyo = |arguments: &[&str]| {
        let output = crate::support::allometry(path).env("TZ", "JST-9").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    tokyo(&["import", "dt.json", "--direction", "minimize"]);
    let store = allometry_store::open_read_only(path.join("trials.db").to_str().unwrap()).unwrap();
    let study = &store.studies().unwrap()[0];
    let started = store.trials(study.id).unwrap()[0].started.unwrap();
    assert_eq!(started.to_string(), "2024-01-01T01:00:00Z");
    tokyo(&["export", "trials.db", "-o", "back.json"]);
    assert!(std::fs::read_to_string(path.join("back.json")).unwrap().contains("2024-01-01 10:00:00"));
}

/// Every command that reads a table has the options on its parameters and its size.
#[test]
fn columns_are_told_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "run,score,lr,seed,total\na,0.5,0.1,7,1000\nb,0.7,0.2,7,2000\nc,0.6,0.3,8,3000\n");
    let told = ["--direction", "maximize", "--params", "lr", "--size", "total"];
    let report = |more: &[&str]| {
        let all: Vec<&str> = ["report", "A=t.csv", "-o", "r.json"].iter().chain(more).copied().collect();
        let (code, _, err) = run(folder, &all);
        let read = std::fs::read_to_string(folder.join("r.json")).unwrap_or_default();
        (code, err, serde_json::from_str::<serde_json::Value>(&read).unwrap_or_default())
    };
    let (code, err, _) = report(&["--direction", "maximize"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &err), @r"
    note: A: columns taken for hyperparameters, which --params overrides (4): `run`, `lr`, `seed`, \
    `total`
    ");
    let (code, err, document) = report(&told);
    assert_eq!((code, err.as_str()), (0, ""));
    let text = document.to_string();
    assert!(text.contains("2000") && !text.contains("\"seed\":7"), "{text}");
    let calls = ["--params=width", "--size=weight", "--params=lr,", "--params=B=lr"]
        .map(|option| ["report", "A=t.csv", "--direction", "maximize", option]);
    insta::assert_snapshot!(all_refused(folder, &calls.each_ref().map(<[&str; 5]>::as_slice)), @r"
    $ allometry report A=t.csv --direction maximize --params=width
    error: t.csv, line 1: no column is called `width`, which --params names
    hint: its columns are `run`, `score`, `lr`, `seed`, `total`
    exit code 4

    $ allometry report A=t.csv --direction maximize --size=weight
    error: t.csv, its trials: none has a `weight`, which --size names
    hint: they have no attributes
    exit code 4

    $ allometry report A=t.csv --direction maximize --params=lr,
    error: invalid value 'lr,' for '--params <[LABEL=]NAMES>': expected names with commas between them, \
    such as lr,depth

    For more information, try '--help'.
    exit code 2

    $ allometry report A=t.csv --direction maximize --params=B=lr
    error: --params is for `B`, and no source has that label
    exit code 2
    ");

    let import: Vec<&str> = ["import", "t.csv"].iter().chain(&told).copied().collect();
    let (code, _, err) = run(folder, &import);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(printed(folder, &["best", "trials.db"]), @"
    $ allometry best trials.db
    t: 0.7000 (trial 1, 2000 weights)  lr=0.2
      recommended: unknown: the search space is not known
    ");
    insta::assert_snapshot!(refused(folder, &["report", "A=trials.db", "--params", "lr"]), @r"
    $ allometry report A=trials.db --params lr
    error: --params does not apply to trials.db: its trials record their parameters
    hint: leave it out, or give it only for the sources that need it, with a label if the option takes \
    one: LABEL=...
    exit code 2
    ");
}

/// Packed files and old encodings are read, or the error names the file.
#[test]
fn packed_tables_are_read_up_to_a_limit() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pack = |name: &str, parts: &[&[u8]]| {
        let file = std::fs::File::create(folder.join(name)).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        for part in parts {
            encoder.write_all(part).unwrap();
        }
        encoder.finish().unwrap();
    };
    pack("t.csv.gz", &[b"number,val_loss,params_lr\n0,0.5,0.1\n1,0.25,0.2\n"]);
    assert_eq!(best(folder, &["A=t.csv.gz", "--metric", "val_loss"]), (0.25, "val_loss".into()));
    let (code, _, err) = run(folder, &["import", "t.csv.gz", "--metric", "val_loss"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &err), @r#"
    imported 2 trials into study "t"
    note: distributions inferred from the values, which --space overrides: lr = [0.1, 0.2]
    "#);
    let zeros = vec![b'0'; 1 << 20];
    pack("bomb.csv.gz", &vec![&zeros[..]; 300]);
    let (code, _, err) = run(folder, &["report", "A=bomb.csv.gz", "--direction", "minimize"]);
    assert_eq!(code, 4);
    insta::assert_snapshot!(shown(folder, &err), @"
    error: bomb.csv.gz, its compressed content: it decompresses to more than 256 MiB
    hint: decompress it first with gunzip, if you trust it
    ");
    std::fs::write(folder.join("latin.csv"), b"number,val_loss,params_gr\xf6\xdfe\n0,0.5,1\n1,0.25,2\n")
        .unwrap();
    let (code, out, err) = run(folder, &["report", "A=latin.csv", "--metric", "val_loss", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(
        shown(folder, &err),
        @"note: A: the file is not UTF-8 and was read as Windows-1252 (Latin-1); characters beyond ASCII: 2"
    );
    assert!(out.contains("größe"), "{out}");
    write(
        folder,
        "trials.yaml",
        "- {number: 0, params_lr: 0.1, value: 3}\n- {number: 1, params_lr: 0.2, value: 2}\n",
    );
    let (code, _, err) =
        run(folder, &["import", "trials.yaml", "--direction", "minimize", "--storage", "y.db"]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &err), @r#"
    imported 2 trials into study "trials"
    note: distributions inferred from the values, which --space overrides: lr = [0.1, 0.2]
    "#);
}

/// A database or table of one study needs no label, and a single study gets no comparisons.
#[test]
fn a_study_alone_gets_a_report_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "cnn.csv",
        "number,val_loss,params_lr,user_attrs_n_params\n0,0.5,0.1,1000\n1,0.25,0.2,2000\n",
    );
    let (code, out, err) = run(folder, &["report", "cnn.csv", "--metric", "val_loss", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("# HPO Study: cnn\n"), "{out}");
    for absent in ["Cross-Budget", "Consistency", "Do more weights pay", "Scaling Law"] {
        assert!(!out.contains(absent), "{absent}: {out}");
    }
    assert!(out.contains("0.2500") && out.contains("2.00k"), "{out}");
    assert_eq!(run(folder, &["import", "cnn.csv", "--metric", "val_loss", "--study", "mine"]).0, 0);
    let (code, out, err) = run(folder, &["report", "trials.db", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("# HPO Study: mine\n"), "{out}");
    let (code, out, err) =
        run(folder, &["report", "cnn.csv", "trials.db", "--metric", "val_loss", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("# Cross-Budget")
            && out.contains("| cnn | 2.00k | 0.2500")
            && out.contains("| mine | 2.00k | 0.2500"),
        "{out}"
    );
    assert_eq!(run(folder, &["import", "cnn.csv", "--metric", "val_loss", "--study", "other"]).0, 0);
    let calls = [
        &["report", "trials.db"][..],
        &["report", "cnn.csv", "cnn.csv", "--metric", "val_loss"],
        &["report", "none.csv"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @"
    $ allometry report trials.db
    error: trials.db holds 2 studies
    hint: name one as LABEL=FILE:STUDY; there are `mine`, `other`
    exit code 4

    $ allometry report cnn.csv cnn.csv --metric val_loss
    error: two sources are labelled `cnn`
    exit code 2

    $ allometry report none.csv
    error: there is no file none.csv
    hint: check the path; `sqlite:///x.db` is relative to the working directory
    exit code 4
    ");
}

/// Every reading command accepts every SOURCE.
#[test]
fn every_reading_command_takes_every_source() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["t.csv", "s.csv"] {
        write(folder, name, "number,loss,params_lr\n0,0.5,0.1\n1,0.25,0.2\n");
    }
    assert_eq!(run(folder, &["import", "t.csv", "--metric", "loss", "--study", "s"]).0, 0);
    let table = ["--metric", "loss"];
    let sources: [(&str, &[&str]); 7] = [
        ("trials.db", &[]),
        ("sqlite:///trials.db", &[]),
        ("s=trials.db", &[]),
        ("s=trials.db:s", &[]),
        ("s=sqlite:///trials.db:s", &[]),
        ("s=t.csv", &table),
        ("s.csv", &table),
    ];
    let mut texts = BTreeSet::new();
    for (source, told) in sources {
        let read = |command: &[&str], more: &[&str]| {
            let all: Vec<&str> = command[..1]
                .iter()
                .chain([&source])
                .chain(&command[1..])
                .chain(told)
                .chain(more)
                .copied()
                .collect();
            let (code, out, err) = run(folder, &all);
            assert_eq!(code, 0, "{all:?}: {err}");
            out
        };
        let (best, status) = (read(&["best"], &[]), read(&["status"], &[]));
        let (list, show) = (read(&["list"], &["--state", "complete"]), read(&["show", "1"], &[]));
        texts.insert(format!("best:\n{best}\nstatus:\n{status}\nlist:\n{list}\nshow:\n{show}"));
        assert!(read(&["report"], &["-o", "-"]).contains("0.2500"), "{source}");
        read(&["export"], &["-o", "out.json"]);
        assert!(read(&["compare", source], &[]).contains("# Comparison"), "{source}");
    }
    assert_eq!(texts.len(), 1, "every source of one study gives one text: {texts:#?}");
    insta::assert_snapshot!(texts.first().unwrap(), @"
    best:
    s: 0.2500 (trial 1)  lr=0.2
      recommended: unknown: the search space is not known

    status:
    s: 2 complete; best 0.2500 (trial 1)

    list:
           s     0  complete 0.5000    lr=0.1
           s     1  complete 0.2500    lr=0.2

    show:
    s, trial 1: complete 0.2500
      lr           0.2
    ");
    // The former option still works.
    for command in [&["best"][..], &["status"], &["list"], &["show", "1"]] {
        let (code, out, err) = run(folder, &[command, &["--in", "trials.db"]].concat());
        assert_eq!(code, 0, "{command:?}: {err}");
        assert!(out.contains("0.25"), "{out}");
        let (_, help, _) = run(folder, &[command[0], "--help"]);
        assert!(help.contains("[SOURCE]") && !help.contains("--in "), "{help}");
    }
}

#[test]
fn sources_that_a_command_cannot_take_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,loss,params_lr\n0,0.5,0.1\n1,0.25,0.2\n");
    assert_eq!(run(folder, &["import", "t.csv", "--metric", "loss", "--study", "s"]).0, 0);
    let two = ["best", "a=t.csv", "b=t.csv", "--metric", "loss"];
    insta::assert_snapshot!(printed(folder, &two), @"
    $ allometry best a=t.csv b=t.csv --metric loss
    a: 0.2500 (trial 1)  lr=0.2
      recommended: unknown: the search space is not known
    b: 0.2500 (trial 1)  lr=0.2
      recommended: unknown: the search space is not known
    ");
    let calls = [
        &["best", "t.csv"][..],
        &["best", "nowhere.csv", "--direction", "minimize"],
        &["best", "trials.db", "--metric", "loss"],
        &["best", "trials.db", "--in", "trials.db"],
        &["show", "t.csv", "--metric", "loss", "9"],
        &["show", "t.csv"],
        &["list", "none.db"],
        &["best", "trials.db:none"],
        &["serve", "t.csv", "--grpc", "127.0.0.1:0"],
        &["serve", "s=t.csv", "--grpc", "127.0.0.1:0"],
        &["serve", "trials.db", "--metric", "loss"],
        &["status", "s=trials.db:none"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @"
    $ allometry best t.csv
    error: t.csv, line 1: no column holds the objective
    hint: name the objective with --metric: `loss`
    exit code 4

    $ allometry best nowhere.csv --direction minimize
    error: there is no file nowhere.csv
    hint: check the path; `sqlite:///x.db` is relative to the working directory
    exit code 4

    $ allometry best trials.db --metric loss
    error: `--metric` applies to trials of other programs; trials.db is a storage
    hint: leave the option out
    exit code 2

    $ allometry best trials.db --in trials.db
    error: --in is the former option for SOURCE; give only one of them
    exit code 2

    $ allometry show t.csv --metric loss 9
    error: study `t` has no trial 9
    hint: it has 2 trials; `allometry list` shows them
    exit code 4

    $ allometry show t.csv
    error: `t.csv` is not a trial number
    hint: give it last: allometry show [SOURCE] TRIAL
    exit code 2

    $ allometry list none.db
    error: there is no file none.db
    hint: check the path; `sqlite:///x.db` is relative to the working directory
    exit code 4

    $ allometry best trials.db:none
    error: there is no file trials.db:none
    hint: name a study of a file as LABEL=FILE:STUDY, and a metric of a folder as LABEL=FOLDER:METRIC
    exit code 4

    $ allometry serve t.csv --grpc 127.0.0.1:0
    error: t.csv is not a SQLite database
    hint: name a file that Optuna or Allometry wrote, or one that does not exist yet
    exit code 5

    $ allometry serve s=t.csv --grpc 127.0.0.1:0
    error: `s=t.csv` is not a storage
    hint: give a ladder file, a storage URL or a database file
    exit code 2

    $ allometry serve trials.db --metric loss
    error: `--metric` applies to trials of other programs; trials.db is a storage
    hint: leave the option out
    exit code 2

    $ allometry status s=trials.db:none
    error: trials.db holds no study `none`
    hint: name one as LABEL=FILE:STUDY; there are `s`
    exit code 4
    ");
}

/// Two files of one study are compared whatever they are called.
#[test]
fn files_of_one_study_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "before.csv", "number,val_loss,params_lr\n0,0.5,0.1\n1,0.25,0.2\n2,0.3,0.1\n");
    write(folder, "after.csv", "number,val_loss,params_lr\n0,0.4,0.1\n1,0.2,0.2\n");
    let (code, out, err) = run(folder, &["compare", "before.csv", "after.csv", "--metric", "val_loss"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("| before |"), "{out}");
    let (code, out, err) = run(folder, &["compare", "x=before.csv", "y=after.csv", "--metric", "val_loss"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("| x, y |"), "{out}");
    let named = ["--metric", "x=val_loss", "--metric", "y=val_loss"];
    let (code, _, err) = run(folder, &[&["compare", "x=before.csv", "y=after.csv"], &named[..]].concat());
    assert_eq!(code, 0, "{err}");
}

/// A source that cannot be followed is served from a copy, which is deleted with the server.
#[test]
fn the_dashboard_shows_a_table() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,val_loss,params_lr\n0,0.5,0.1\n1,0.25,0.2\n");
    let copies = folder.join("copies");
    std::fs::create_dir(&copies).unwrap();
    let mut server = crate::support::allometry(folder)
        .args(["serve", "mine=t.csv", "--metric", "val_loss", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", &copies)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("Dashboard: http://").unwrap().trim_end_matches('/').to_owned();
    let mut connection = std::net::TcpStream::connect(&address).unwrap();
    write!(connection, "GET /api/ladders HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"name\":\"mine\"") && answer.contains("\"trials\":2"), "{answer}");
    let interrupt = std::process::Command::new("kill").args(["-INT", &server.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    server.wait().unwrap();
    assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 0, "the copy is gone");
}

/// With several objectives each value has its own direction.
#[test]
fn a_table_of_several_objectives_has_a_front() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,values_acc,values_ms,params_x\n0,0.9,20,1\n1,0.8,10,2\n2,0.7,30,3\n");
    let directions = ["--direction", "maximize", "--direction", "minimize"];
    let (code, out, err) = run(folder, &[&["report", "t.csv", "-o", "-"], &directions[..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("## Front") || out.contains("Pareto"), "{out}");
    let (code, out, err) = run(folder, &[&["best", "t.csv"], &directions[..]].concat());
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}")), @r"
    t: Pareto front of 2 trials in acc up, ms down
      trial 0: acc 0.9000, ms 20.0000  x=1
      trial 1: acc 0.8000, ms 10.0000  x=2
    note: t: directions were applied in the order of the file, which may differ from the study's: `acc` \
    maximize, `ms` minimize (--direction NAME=DIRECTION sets one by name)
    ");
    insta::assert_snapshot!(refused(folder, &["best", "t.csv", "--direction", "maximize"]), @"
    $ allometry best t.csv --direction maximize
    error: t.csv, its trials: 2 values, and 1 directions
    hint: give --direction once for each objective: --direction acc=... --direction ms=...
    exit code 4
    ");
}

/// An equals sign in the name of an existing file does not separate a label.
#[test]
fn a_path_may_hold_an_equals_sign() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("a=b")).unwrap();
    write(folder, "a=b/t.csv", "number,loss,params_lr\n0,0.5,0.1\n1,0.25,0.2\n");
    let (code, out, err) = run(folder, &["best", "a=b/t.csv", "--metric", "loss"]);
    assert!(code == 0 && out.contains("0.2500"), "{out}{err}");
}

/// A missing direction is a usage error of every command.
#[test]
fn every_command_asks_which_values_are_better() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,value,params_lr\n0,0.5,0.1\n1,0.25,0.2\n");
    let calls = [
        &["best", "t.csv"][..],
        &["list", "t.csv"],
        &["status", "t.csv"],
        &["report", "t.csv"],
        &["import", "t.csv", "--storage", "sqlite:///x.db"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @r"
    $ allometry best t.csv
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2

    $ allometry list t.csv
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2

    $ allometry status t.csv
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2

    $ allometry report t.csv
    error: `t`: nothing says whether larger or smaller values are better
    hint: give --direction maximize or --direction minimize, or a name that implies it, such as \
    --metric val_loss or --metric auc
    exit code 2

    $ allometry import t.csv --storage sqlite:///x.db
    error: t.csv does not say which values of its objective are better
    hint: give --direction maximize or --direction minimize
    exit code 2
    ");
}

/// A closed standard error does not stop a command.
#[test]
fn a_closed_standard_error_ends_no_command() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "t.csv", "number,loss,depth\n0,0.5,1\n1,0.25,2\n");
    let mut child = allometry(folder.path())
        .args(["list", "t.csv", "--metric", "loss"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Trials that break a constraint are not enqueued in another study.
#[test]
fn infeasible_trials_are_not_enqueued() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trial = |number: u64, value: f64, constraint: f64| {
        format!(
            r#"{{"number": {number}, "value": {value}, "params": {{"x": {value}}},
            "state": "COMPLETE", "constraints": [{constraint}]}}"#
        )
    };
    let list = [trial(0, 0.1, 1.0), trial(1, 0.2, -1.0), trial(2, 0.3, -1.0)].join(", ");
    write(folder, "t.json", &format!("[{list}]"));
    let told = ["--direction", "minimize"];
    let import = ["import", "s=t.json", "--storage", "sqlite:///q.db"];
    assert_eq!(run(folder, &[&import[..], &told].concat()).0, 0);
    let (code, out, err) =
        run(folder, &["enqueue", "--in", "q.db", "--from", "s=t.json", "--top", "1", "--again"]);
    assert!(code == 0 && out.contains(r#""x":0.2"#), "{out}{err}");
}

/// Optuna writes the objectives of a study in the order of their names, so options in another order would be
/// wrong.
#[test]
fn directions_are_said_by_the_names_of_objectives() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let list = r#"[
        {"number": 0, "values": {"accuracy": 0.9, "loss": 3.0}, "params": {"x": 1}, "state": "COMPLETE"},
        {"number": 1, "values": {"accuracy": 0.7, "loss": 5.0}, "params": {"x": 2}, "state": "COMPLETE"}]"#;
    write(folder, "t.json", list);
    write(folder, "ab.json", &list.replace("accuracy", "a").replace("loss", "b"));
    let table =
        "number,values_accuracy,values_loss,params_x,state\n0,0.9,3.0,1,COMPLETE\n1,0.7,5.0,2,COMPLETE\n";
    write(folder, "t.csv", table);
    let yaml = "- {number: 0, values: {accuracy: 0.9, loss: 3.0}, params: {x: 1}, state: COMPLETE}\n\
         - {number: 1, values: {accuracy: 0.7, loss: 5.0}, params: {x: 2}, state: COMPLETE}\n";
    write(folder, "t.yaml", yaml);
    let by_place = ["--direction", "minimize", "--direction", "maximize"];
    let by_name = ["--direction", "loss=minimize", "--direction", "accuracy=maximize"];
    let mut errors = BTreeSet::new();
    for file in ["t.json", "t.csv", "t.yaml"] {
        for command in
            [&["report", file, "-o", "-"][..], &["best", file], &["import", file, "--storage", "w.db"]]
        {
            let error = refused(folder, &[command, &by_place].concat()).replace(file, "FILE");
            errors.insert(error.split_once('\n').unwrap().1.to_owned());
        }
        let (code, out, err) = run(folder, &[&["best", file], &by_name[..]].concat());
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("in accuracy up, loss down") && !out.contains("trial 1:"), "{file}: {out}");
        let storage = format!("{file}.db");
        let import = ["import", file, "--storage", &storage];
        assert_eq!(run(folder, &[&import, &by_name[..]].concat()).0, 0);
        let (_, out, _) = run(folder, &["best", &storage]);
        assert!(out.contains("in accuracy up, loss down") && !out.contains("trial 1:"), "{file}: {out}");
        let (code, _, err) = run(folder, &[&["report", file, "-o", "-"], &by_name[..]].concat());
        assert_eq!((code, err.as_str()), (0, ""));
    }
    assert_eq!(errors.len(), 1, "every command says the same of every file");
    insta::assert_snapshot!(errors.first().unwrap(), @r"
    error: FILE lists its objectives in the order `accuracy`, `loss`, and their names contradict \
    directions in this order
    hint: give each direction by name: --direction accuracy=... --direction loss=...
    exit code 2
    ");
    let (code, out, err) = run(folder, &[&["best", "ab.json"], &by_place[..]].concat());
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}")), @r"
    ab: Pareto front of 1 trial in a down, b up
      trial 1: a 0.7000, b 5.0000  x=2
    note: ab: directions were applied in the order of the file, which may differ from the study's: `a` \
    minimize, `b` maximize (--direction NAME=DIRECTION sets one by name)
    ");
    let calls = [
        &["best", "ab.json", "--direction", "a=minimize"][..],
        &["report", "t.csv", "--direction", "los=minimize"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @"
    $ allometry best ab.json --direction a=minimize
    error: ab.json, its trials: 2 values, and 1 directions
    hint: give --direction once for each objective: --direction a=... --direction b=...
    exit code 4

    $ allometry report t.csv --direction los=minimize
    error: --direction is for `los`, and no source has that label
    exit code 2
    ");
}

/// An unreachable server is not reported as a missing file, by any command and for any kind of source.
#[test]
fn a_server_that_is_not_there_has_one_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgresql://me@127.0.0.1:1/db";
    let labelled = format!("A={url}:s");
    for source in [url, &labelled] {
        for command in [
            &["report", source][..],
            &["compare", source, source],
            &["best", source],
            &["status", source],
            &["list", source],
            &["show", source, "0"],
            &["export", source, "-o", "t.json"],
            &["import", source],
        ] {
            let (code, _, err) = run(folder.path(), command);
            assert_eq!(code, 5, "{command:?}: {err}");
            assert!(err.contains("cannot reach postgresql://me@127.0.0.1:1/db"), "{command:?}: {err}");
        }
    }
}

#[test]
fn an_empty_file_is_no_storage() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "t.csv", "");
    for command in [
        &["report", "t.csv"][..],
        &["report", "A=t.csv"],
        &["best", "t.csv"],
        &["list", "t.csv"],
        &["serve", "t.csv"],
        &["export", "t.csv", "-o", "t.json"],
        &["import", "t.csv", "--direction", "minimize"],
    ] {
        let (code, _, err) = run(folder.path(), command);
        assert_eq!(code, 4, "{command:?}: {err}");
        assert!(err.contains("t.csv is empty"), "{command:?}: {err}");
    }
}

/// The decimal points of a list are aligned, and a failure is listed with the last output of its program.
#[test]
fn a_list_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "t.csv",
        "number,value,params_x,state\n0,0.5,1,COMPLETE\n1,123.25,2,COMPLETE\n2,-3e-7,3,PRUNED\n3,,4,FAIL\n",
    );
    insta::assert_snapshot!(printed(folder, &["list", "t.csv", "--direction", "minimize"]), @"
    $ allometry list t.csv --direction minimize
           t     0  complete   0.5000  x=1
           t     1  complete 123.2500  x=2
           t     2  pruned    -3e-7    x=3
           t     3  failed             x=4
    ");
    write(
        folder,
        "ladder.toml",
        "name = \"l\"\nmetric = \"loss\"\ndirection = \"minimize\"\ntrials = 1\n[command]\n\
         run = [\"sh\", \"-c\", \"echo started; echo 'ValueError: no such layer' >&2; exit 3\"]\n\
         [space]\nx = [1]\n[[budget]]\nlabel = \"any\"\nweights = \"any\"\n",
    );
    let (_, checked, err) = run(folder, &["check"]);
    assert!(checked.contains("note: `run` passes no parameter"), "{checked}{err}");
    run(folder, &["run"]);
    insta::assert_snapshot!(printed(folder, &["list"]), @"
    $ allometry list
         any     0  failed: exit code 3: ValueError: no such layer x=1
    ");
    let (_, show, _) = run(folder, &["show", "0"]);
    assert!(show.contains("failed: exit code 3: ValueError: no such layer"), "{show}");
}

/// `--metric` selects one of several objectives by its name, with its direction, and never an objective of
/// another name.
#[test]
fn a_metric_is_an_objective_of_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "plain.json", LOSSES);
    let (_, out, err) = run(folder, &["best", "plain.json", "--metric", "rmse"]);
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}")), @"
    plain: 0.3000 (trial 1)  lr=0.01
      recommended: unknown: the search space is not known
    note: plain: no column is called `rmse`, so that `value` is taken for it
    ");
    let list: Vec<String> = (0..3)
        .map(|i| {
            format!(
                r#"{{"number": {i}, "values": {{"cost": {}, "gain": {i}}}, "params": {{"x": {i}}},
                "user_attrs": {{"gain": 9}}, "directions": ["minimize", "maximize"]}}"#,
                3 - i
            )
        })
        .collect();
    write(folder, "t.json", &format!("[{}]", list.join(",")));
    let table = "number,values_cost,values_gain,directions,params_x\n\
         0,3,0,\"['minimize', 'maximize']\",0\n1,2,1,,1\n2,1,2,,2\n";
    write(folder, "t.csv", table);
    assert_eq!(run(folder, &["import", "s=t.json", "--storage", "t.db"]).0, 0);
    for file in ["t.json", "t.csv", "t.db"] {
        assert_eq!(best(folder, &[file, "--metric", "gain"]), (2.0, "gain".into()), "{file}");
        assert_eq!(best(folder, &[file]), (1.0, "cost".into()), "{file}");
    }
    for file in ["t.json", "t.csv"] {
        let (code, out, err) = run(folder, &["best", file, "--metric", "gain"]);
        assert!(code == 0 && out.contains("gain up, cost down"), "{file}: {out}{err}");
    }
    let calls = ["t.json", "t.csv", "t.db"].map(|file| ["report", file, "--metric", "gian"]);
    insta::assert_snapshot!(all_refused(folder, &calls.each_ref().map(|call| &call[..])), @"
    $ allometry report t.json --metric gian
    error: t.json, its objectives: none is called `gian`
    hint: their names are `cost`, `gain`
    exit code 4

    $ allometry report t.csv --metric gian
    error: t.csv, line 1: no column is called `gian`
    hint: name the objective with --metric: `values_cost`, `values_gain`
    exit code 4

    $ allometry report t.db --metric gian
    error: t.db, its objectives: none is called `gian`
    hint: their names are `cost`, `gain`
    exit code 4
    ");
}

/// Values that contradict each other are refused.
#[test]
fn lists_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "both.json", r#"[{"value": 0.5, "values": [9.0], "params": {"x": 1}}]"#);
    let changing =
        r#"[{"value": 0.5, "directions": ["minimize"]}, {"value": 0.6, "directions": ["maximize"]}]"#;
    write(folder, "changing.json", changing);
    write(folder, "loss.json", LOSSES);
    write(folder, "best.json", r#"{"best_params": {"lr": 0.5}, "best_trial": 99}"#);
    let document = r#"[{"tid": 0, "state": 2, "result": {"loss": 0.5}, "misc": {"vals": {"lr": [1]}}}]"#;
    write(folder, "hyperopt.json", document);
    write(folder, "two.json", r#"[{"values": {"acc": 0.9, "loss": 0.5}, "params": {"x": 1}}]"#);
    write(folder, "w.csv", "number,value,user_attrs_acc,params_x\n0,0.5,0.9,1\n1,0.7,0.1,2\n");
    let import = ["import", "w.csv", "--direction", "minimize", "--storage", "unnamed.db"];
    assert_eq!(run(folder, &import).0, 0);
    let calls = [
        &["best", "both.json", "--direction", "minimize"][..],
        &["best", "changing.json"],
        &["report", "A=loss.json:best.json"],
        &["report", "hyperopt.json", "--metric", "loss"],
        &["report", "loss.json", "--metric", "loss", "--rows", "5:10"],
        &["report", "unnamed.db", "--metric", "acc"],
        &["best", "two.json", "--direction", "minimize"],
    ];
    insta::assert_snapshot!(all_refused(folder, &calls), @r#"
    $ allometry best both.json --direction minimize
    error: both.json, trial 0 of the list, field `value`: expected the first of `values`
    hint: a trial of one objective has `value`, one of several has `values`: write one of them
    exit code 4

    $ allometry best changing.json
    error: changing.json, trial 1 of the list, field `directions`: differs from that of trial 0
    hint: the trials of a list are of one study: write one list for each study
    exit code 4

    $ allometry report A=loss.json:best.json
    error: best.json, field `best_trial`: the trials have no trial 99
    hint: give the file of best parameters that belongs to these trials
    exit code 4

    $ allometry report hyperopt.json --metric loss
    error: hyperopt.json, trial 0 of the list: a document of hyperopt, whose choices are indices
    hint: write [{**space_eval(space, {k: v[0] for k, v in t["misc"]["vals"].items() if v}), \
    **t["result"]} for t in trials.trials]
    exit code 4

    $ allometry report loss.json --metric loss --rows 5:10
    note: loss: no column is called `loss`, so that `value` is taken for it
    error: --rows is for an AUC, and the metric is `loss`
    hint: leave --rows out, or name the metric: --metric auc --direction maximize
    exit code 2

    $ allometry report unnamed.db --metric acc
    error: unnamed.db, its objective: `acc` is an attribute of its trials, and not its objective
    hint: export it as a table, which can have another objective: `allometry export SOURCE -o \
    trials.csv`
    exit code 4

    $ allometry best two.json --direction minimize
    error: two.json lists its objectives in the order `acc`, `loss`, and their names contradict \
    directions in this order
    hint: give each direction by name: --direction acc=... --direction loss=...
    exit code 2
    "#);
}

/// A diverged trial is not the best one, and a study without a best trial is named.
#[test]
fn infinite_values_are_not_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.json", &LOSSES.replace("0.5", "-Infinity"));
    write(folder, "none.json", r#"[{"value": -Infinity, "params": {"lr": 0.1}}]"#);
    assert_eq!(best(folder, &["t.json", "--direction", "minimize"]), (0.3, "value".into()));
    insta::assert_snapshot!(
        printed(folder, &["best", "t.json", "none.json", "--direction", "minimize"]), @"
    $ allometry best t.json none.json --direction minimize
    t: 0.3000 (trial 1)  lr=0.01
      recommended: unknown: the search space is not known
    none: no complete trial with a finite value
    ");
}

/// The list of a study that has not begun can be imported if an option gives its direction.
#[test]
fn an_empty_study_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (file, storage) in [("e.json", "a.db"), ("e.csv", "b.db")] {
        let text = if file == "e.csv" { "number,state,value\n" } else { "[]\n" };
        write(folder, file, text);
        let import = ["import", file, "--storage", storage];
        let (code, _, err) = run(folder, &[&import[..], &["--direction", "minimize"]].concat());
        assert_eq!(code, 0, "{file}: {err}");
        assert!(printed(folder, &["status", storage]).contains(": 0 complete"), "{file}");
    }
    insta::assert_snapshot!(refused(folder, &["import", "e.json", "--storage", "c.db"]), @"
    $ allometry import e.json --storage c.db
    error: e.json holds no trials
    exit code 4
    ");
}

/// Parameters that a study does not have are named when configurations of another study are enqueued.
#[test]
fn parameters_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "a.csv", "number,value,params_x\n0,0.5,0.1\n1,0.25,0.2\n");
    write(folder, "b.csv", "number,value,params_x,params_depth\n0,0.5,0.2,3\n");
    let import = ["import", "a.csv", "--storage", "a.db", "--direction", "minimize"];
    assert_eq!(run(folder, &import).0, 0);
    let (code, out, err) = run(folder, &["enqueue", "--in", "a.db", "--from", "b.csv", "--again"]);
    insta::assert_snapshot!(shown(folder, &format!("{out}{err}exit code {code}")), @r#"
    {"schema":"allometry.enqueue/1","number":2,"params":{"x":0.2},"new":true}
    parameters of `b.csv` that study `a` does not have are left out: depth
    exit code 0
    "#);
}

/// The user attributes of a trial are printed.
#[test]
fn a_shown_trial_has_its_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let list = r#"[{"value": 0.5, "params": {"x": 1},
        "user_attrs": {"host": "a1", "memory": 1234.5, "tags": ["x", "y"]}}]"#;
    write(folder, "t.json", list);
    insta::assert_snapshot!(printed(folder, &["show", "t.json", "0", "--direction", "minimize"]), @r#"
    $ allometry show t.json 0 --direction minimize
    t, trial 0: complete 0.5000
      x            1
      host         "a1"
      memory       1234.5
      tags         ["x", "y"]
    "#);
    let (_, out, _) = run(folder, &["show", "t.json", "0", "--direction", "minimize", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["trial"]["user_attrs"]["tags"], serde_json::json!(["x", "y"]));
}
