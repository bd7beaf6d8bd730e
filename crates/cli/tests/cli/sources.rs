//! Tests of reading the trials of other programs: their files, their columns and their values.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{all_refused, allometry, printed, refused, run, shown};

pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Returns the best value and the metric of the only budget of a report.
pub(crate) fn best(folder: &Path, arguments: &[&str]) -> (f64, String) {
    let all: Vec<&str> = ["report", "-o", "r.json"].iter().chain(arguments).copied().collect();
    let (code, _, err) = run(folder, &all);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).unwrap()).unwrap();
    let best = report["studies"][0]["summary"]["best"][0]["value"]["point"].as_f64().unwrap();
    (best, report["metric"].as_str().unwrap().to_owned())
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
    insta::assert_snapshot!(printed(folder, &["best", "trials.db"]), @r#"
    $ allometry best trials.db
    tiny: 3.4e-6 (trial 1)  x=2
      recommended: unknown: the search space is not known
      its parameters as JSON: {"x":2}
    "#);
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
    hint: labels are `A`
    exit code 2
    ");

    let import: Vec<&str> = ["import", "t.csv"].iter().chain(&told).copied().collect();
    let (code, _, err) = run(folder, &import);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(printed(folder, &["best", "trials.db"]), @r#"
    $ allometry best trials.db
    t: 0.7000 (trial 1, 2000 weights)  lr=0.2
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.2}
    "#);
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
    insta::assert_snapshot!(all_refused(folder, &calls), @r"
    $ allometry report trials.db
    error: trials.db holds 2 studies
    hint: name one as LABEL=FILE:STUDY; there are `mine`, `other`
    exit code 4

    $ allometry report cnn.csv cnn.csv --metric val_loss
    error: two sources are labelled `cnn`
    exit code 2

    $ allometry report none.csv
    error: there is no file none.csv
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
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
    insta::assert_snapshot!(texts.first().unwrap(), @r#"
    best:
    s: 0.2500 (trial 1)  lr=0.2
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.2}

    status:
    s: 2 complete; best 0.2500 (trial 1)

    list:
           s     0  complete 0.5000    lr=0.1
           s     1  complete 0.2500    lr=0.2

    show:
    s, trial 1: complete 0.2500
      lr           0.2
    "#);
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
    insta::assert_snapshot!(printed(folder, &two), @r#"
    $ allometry best a=t.csv b=t.csv --metric loss
    a: 0.2500 (trial 1)  lr=0.2
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.2}
    b: 0.2500 (trial 1)  lr=0.2
      recommended: unknown: the search space is not known
      its parameters as JSON: {"lr":0.2}
    "#);
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
    insta::assert_snapshot!(all_refused(folder, &calls), @r"
    $ allometry best t.csv
    error: t.csv, line 1: no column holds the objective
    hint: name the objective with --metric: `loss`
    exit code 4

    $ allometry best nowhere.csv --direction minimize
    error: there is no file nowhere.csv
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
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
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
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
    hint: `list` and `import` take a study without trials if --direction is given
    exit code 4
    ");
}

/// A study without trials is listed as one, and not as nothing.
#[test]
fn a_list_without_trials_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "e.json", "[]");
    write(folder, "e.csv", "number,value,params_x\n");
    write(folder, "one.csv", "number,value,params_x\n0,0.5,1\n");
    let told = ["--direction", "minimize"];
    for (arguments, said) in [
        (&["list", "e.json"][..], "note: e: no trials\n"),
        (&["list", "e.csv"], "note: e: no trials\n"),
        (&["list", "one.csv", "--state", "failed"], "note: one: no trials in these states\n"),
        (&["list", "one.csv", "--state", "failed", "--json-lines"], ""),
    ] {
        let (code, out, err) = run(folder, &[arguments, &told].concat());
        assert_eq!((code, out.as_str(), err.as_str()), (0, "", said), "{arguments:?}");
    }
}

/// Options for a label that no source has are refused with the labels and the objectives.
#[test]
fn an_unknown_label_is_refused_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,values_acc,values_ms,params_x\n0,0.9,20,1\n");
    let by_name = ["--direction", "acc=max", "--direction", "ms=min"];
    let calls = ["--direction=C=max", "--metric=C=acc"].map(|option| {
        let sources = ["report", "A=t.csv", "B=t.csv", option];
        [&sources[..], &by_name[..]].concat()
    });
    insta::assert_snapshot!(all_refused(folder, &calls.each_ref().map(Vec::as_slice)), @"
    $ allometry report A=t.csv B=t.csv --direction=C=max --direction acc=max --direction ms=min
    error: --direction is for `C`, and no source has that label
    hint: labels are `A`, `B`; objectives are `acc`, `ms`
    exit code 2

    $ allometry report A=t.csv B=t.csv --metric=C=acc --direction acc=max --direction ms=min
    error: --metric is for `C`, and no source has that label
    hint: labels are `A`, `B`
    exit code 2
    ");
}

/// A value that no statistic uses is not the best one either.
#[test]
fn an_enormous_value_is_neither_the_best_nor_in_a_statistic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "t.csv", "number,value,params_x\n0,0.5,1\n1,1e140,2\n");
    insta::assert_snapshot!(printed(folder, &["best", "t.csv", "--direction", "maximize"]), @r#"
    $ allometry best t.csv --direction maximize
    t: 0.5000 (trial 0)  x=1
      recommended: unknown: the search space is not known
      its parameters as JSON: {"x":1}
    "#);
    let (code, out, err) = run(folder, &["report", "t.csv", "--direction", "maximize", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 complete without a usable value"), "{out}");
    let said =
        "1 trial completed without a usable value, which is finite and at most 1e100, and was left out";
    assert!(out.contains(said), "{out}");
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
