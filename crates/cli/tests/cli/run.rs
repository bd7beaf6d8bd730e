//! Tests of `allometry run`, and of interrupting and resuming it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{all_refused, allometry, project, refused, report, run, shown, texts};

/// The name of a folder that is not UTF-8, as on old disks and in archives.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_whose_name_is_no_utf_8_is_as_good_as_any() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = project();
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    std::fs::create_dir(&odd).unwrap();
    for file in ["data.csv", "ladder.toml"] {
        std::fs::rename(folder.path().join(file), odd.join(file)).unwrap();
    }
    for arguments in [
        &["run", "--trials", "1"][..],
        &["worker", "--storage", "trials.db"],
        &["status"],
        &["report", "-o", "report.html"],
    ] {
        let (code, out, err) = run(&odd, arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    }
}

#[test]
fn a_ladder_runs_to_its_report_and_the_same_command_adds_nothing() {
    let folder = project();
    let (code, out, err) = run(folder.path(), &["run", "--workers", "2", "--no-summary"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("s: trial 0 complete"), "{err}");
    let first = std::fs::read(folder.path().join("report/report.md")).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("logistic regression"));
    let (code, _, err) = run(folder.path(), &["run"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("4 already done"), "{err}");
    assert_eq!(std::fs::read(folder.path().join("report/report.md")).unwrap(), first);
}

#[test]
fn the_number_of_workers_changes_no_result() {
    let values = |workers: &str| {
        let folder = project();
        let arguments =
            ["run", "--quiet", "--workers", workers, "-S", "sampler.kind=sobol", "-S", "trials=20"];
        let (code, _, err) = run(folder.path(), &arguments);
        assert_eq!(code, 0, "{err}");
        std::fs::read_to_string(folder.path().join("report/report.md")).unwrap()
    };
    assert_eq!(values("1"), values("3"));
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let folder = project();
    // The trials of a sampler that learns depend on which of two workers ends first.
    let sampler = ["-S", "sampler.kind=sobol"];
    let long = ["run", "--workers", "2", "-S", "trials=30", "-S", "model.epochs=6", "-S", "model.patience=6"];
    let long = [long.as_slice(), &sampler].concat();
    let mut kills = 0;
    for round in 0..6 {
        let mut child =
            allometry(folder.path()).args(&long).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 + 130 * round));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills > 0, "the runs ended before they could be killed");
    let (code, _, err) = run(folder.path(), &long);
    assert_eq!(code, 0, "{err}");
    let document = report(folder.path());
    let text = document.to_string();
    assert!(text.contains("\"complete\":30"), "each budget has exactly its trials: {text:.2000}");

    let whole = project();
    let (code, _, err) = run(whole.path(), &long);
    assert_eq!(code, 0, "{err}");
    assert_eq!(best(&report(whole.path())), best(&document), "interruptions change no result");
}

/// Returns the best value and configuration of each budget, without the number, because a repeated trial gets
/// a new one.
fn best(document: &serde_json::Value) -> Vec<(serde_json::Value, serde_json::Value)> {
    let studies = document["studies"].as_array().expect("the document has studies");
    let best = studies.iter().map(|s| &s["summary"]["best"][0]);
    best.map(|b| (b["value"]["point"].clone(), b["params"].clone())).collect()
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let folder = project();
    let child = allometry(folder.path())
        .args(["run", "-S", "trials=200", "-S", "model.epochs=40", "-S", "model.patience=40"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let database = folder.path().join("trials.db");
    let patience = Instant::now();
    while !database.exists() && patience.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let asked = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let (code, _, err) = texts(&child.wait_with_output().unwrap());
    assert_eq!(code, 130, "{err}");
    assert!(err.contains("hint: run the same command to continue"), "{err}");
}

#[test]
fn a_changed_space_is_refused_with_the_difference() {
    let folder = project();
    assert_eq!(run(folder.path(), &["run", "--quiet", "--budget", "s"]).0, 0);
    let calls = [&["run", "-S", "space.dropout=[0.0, 0.2]"][..], &["run", "-S", "model.context=12"]];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry run -S 'space.dropout=[0.0, 0.2]'
    error: the search space of study `tiny/s` has changed:
      dropout: was [0.0, 0.1], is [0.0, 0.2]
    hint: undo the change, give the ladder another `name` or `[storage] url`, or continue with the \
    trials that fit by --allow-space-change
    exit code 3

    $ allometry run -S model.context=12
    error: the objective of study `tiny/s` has changed:
      model.context: was 8, is 12
    hint: trials with different objectives cannot be compared: undo the change, or give the ladder \
    another `name` or `[storage] url`
    exit code 3
    ");
}

#[test]
fn a_changed_space_goes_on_with_the_trials_that_fit_where_that_is_asked_for() {
    let folder = project();
    let path = folder.path();
    let narrow = ["run", "--budget", "s", "-S", "space.learning_rate={ float = [1e-3, 4e-3], log = true }"];
    assert_eq!(run(path, &["run", "--budget", "s"]).0, 0);
    insta::assert_snapshot!(refused(path, &narrow), @r"
    $ allometry run --budget s -S 'space.learning_rate={ float = [1e-3, 4e-3], log = true }'
    error: the search space of study `tiny/s` has changed:
      learning_rate: was { float = [0.001, 0.01], log = true }, is { float = [0.001, 0.004], log = true \
    }
    hint: undo the change, give the ladder another `name` or `[storage] url`, or continue with the \
    trials that fit by --allow-space-change
    exit code 3
    ");
    let allowed = [&narrow[..], &["--allow-space-change"]].concat();
    let (code, _, err) = run(path, &allowed);
    assert_eq!(code, 0, "{err}");
    let outside: u64 = err
        .lines()
        .find_map(|line| line.strip_suffix(" trials are outside the space and do not count"))
        .map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap());
    let (_, out, _) = run(path, &["status", "--study", "s", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(outside > 0, "{err}");
    assert_eq!(status["studies"][0]["trials"]["complete"].as_u64(), Some(4 + outside));
    let (code, _, err) = run(path, &narrow);
    assert_eq!(code, 0, "the changed space is the study's now: {err}");

    let list = ["run", "--budget", "s", "-S", "space.dropout=[0.0, 0.2]", "--allow-space-change"];
    insta::assert_snapshot!(refused(path, &list), @r"
    $ allometry run --budget s -S 'space.dropout=[0.0, 0.2]' --allow-space-change
    error: study `tiny/s` cannot continue with `dropout` changed from [0.0, 0.1] to [0.0, 0.2]
    hint: Optuna's schema fixes the kind and the list of values of a parameter within a study: give the \
    ladder another `name` and copy the best configurations with `allometry enqueue --from`
    exit code 3
    ");
    assert_eq!(run(path, &narrow).0, 0, "the study is as it was");
}

#[test]
fn constraints_are_shown_kept_and_compared() {
    let folder = project();
    let path = folder.path();
    let constrained =
        ["-S", "space.constraints=[\"head_dim >= 4\", \"flops < 1e9\"]", "-S", "budget.l.trials=2"];
    let (code, out, err) = run(path, &[&["check"], &constrained[..]].concat());
    assert_eq!(code, 0, "{err}");
    let of_small = out.split("\n\n").find(|part| part.starts_with("s (")).unwrap();
    insta::assert_snapshot!(shown(path, of_small), @r#"
    s (any number of weights; the label is only a name)
      8 of 12 architectures, 233 to 1,321 weights
      4 left out: not head_dim >= 4
      0 left out: not flops < 1e9
      infinitely many configurations (learning_rate is continuous)
      at most 1 MiB of memory a trial
      4 trials of 2 epochs: at most about TIME with N workers
             233 weights      0.00 GFLOP an epoch      0 MiB  n_heads=1 n_layers=1 d_ff_ratio=2 \
    d_model=4
             445 weights      0.00 GFLOP an epoch      0 MiB  n_heads=1 n_layers=1 d_ff_ratio=2 \
    d_model=6
             721 weights      0.00 GFLOP an epoch      0 MiB  n_heads=1 n_layers=1 d_ff_ratio=2 \
    d_model=8
             405 weights      0.00 GFLOP an epoch      0 MiB  n_heads=1 n_layers=2 d_ff_ratio=2 \
    d_model=4
             799 weights      0.00 GFLOP an epoch      0 MiB  n_heads=1 n_layers=2 d_ff_ratio=2 \
    d_model=6
           1,321 weights      0.00 GFLOP an epoch      0 MiB  n_heads=1 n_layers=2 d_ff_ratio=2 \
    d_model=8
             721 weights      0.00 GFLOP an epoch      0 MiB  n_heads=2 n_layers=1 d_ff_ratio=2 \
    d_model=8
           1,321 weights      0.00 GFLOP an epoch      0 MiB  n_heads=2 n_layers=2 d_ff_ratio=2 \
    d_model=8
    "#);
    let run_it = [&["run", "--budget", "s"], &constrained[..]].concat();
    assert_eq!(run(path, &run_it).0, 0);
    let (_, out, _) = run(path, &["list", "--study", "s", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    for trial in document["studies"][0]["trials"].as_array().unwrap() {
        let (d_model, n_heads) = (&trial["params"]["d_model"], &trial["params"]["n_heads"]);
        assert!(d_model.as_i64().unwrap() / n_heads.as_i64().unwrap() >= 4, "{trial}");
    }
    let (code, asked, err) = run(path, &["ask", "--study", "s"]);
    assert_eq!(code, 0, "{err}");
    let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
    assert!(asked["params"]["d_model"].as_i64().unwrap() / asked["params"]["n_heads"].as_i64().unwrap() >= 4);
    let calls = [
        &["run", "--budget", "s"][..],
        &["check", "-S", "space.constraints=[\"head_dim > 100\"]"],
        &["check", "-S", "space.constraints=[\"head_dim >> 100\"]"],
    ];
    insta::assert_snapshot!(all_refused(path, &calls), @r#"
    $ allometry run --budget s
    error: the search space of study `tiny/s` has changed:
      constraint `head_dim >= 4`: removed
      constraint `flops < 1e9`: removed
    hint: undo the change, give the ladder another `name` or `[storage] url`, or continue with the \
    trials that fit by --allow-space-change
    exit code 3

    $ allometry check -S 'space.constraints=["head_dim > 100"]'
    error: budget `s`: `head_dim > 100` holds for none of the 12 architectures of the space
    hint: without `head_dim > 100` the budget has 12 architectures
    exit code 3

    $ allometry check -S 'space.constraints=["head_dim >> 100"]'
    ladder::bad_constraint

      × invalid constraint: expected a number or a name, not `>`
       ╭─[--set:1:31]
     1 │ space.constraints=["head_dim >> 100"]
       ·                               ┬
       ·                               ╰── here
       ╰────
      help: constraints are conditions on numeric parameters and on quantities of
            the architecture, such as head_dim >= 16 and weights <= 3e6
    exit code 3
    "#);
}

#[test]
fn a_ladder_with_conditions_runs_resumes_and_reports() {
    let folder = project();
    let path = folder.path();
    let text = std::fs::read_to_string(path.join("ladder.toml")).unwrap();
    let rate = "learning_rate = { float = [1e-3, 1e-2], log = true }";
    let decay = "\nweight_decay = { values = [0.0, 0.1], when = { dropout = 0.1 } }";
    let conditional = text.replace(rate, &format!("{rate}{decay}")).replace("trials = 4", "trials = 8");
    std::fs::write(path.join("ladder.toml"), &conditional).unwrap();
    let (code, out, err) = run(path, &["check"]);
    assert!(code == 0 && out.contains("`weight_decay` exists when { dropout = [0.1] }"), "{out}{err}");
    assert_eq!(run(path, &["run", "--quiet", "--budget", "s", "--trials", "6"]).0, 0);
    let (code, _, err) = run(path, &["run", "--budget", "s"]);
    assert!(code == 0 && err.contains("6 already done"), "no trial lies outside: {err}");
    let (_, out, _) = run(path, &["list", "--study", "s", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    let trials = listed["trials"].as_array().or_else(|| listed["studies"][0]["trials"].as_array()).unwrap();
    assert_eq!(trials.len(), 8);
    let has = |trial: &serde_json::Value, name: &str| trial["params"].get(name).is_some();
    assert!(
        trials.iter().all(|trial| has(trial, "weight_decay") == (trial["params"]["dropout"] == 0.1)),
        "{out}"
    );
    assert!(trials.iter().any(|trial| has(trial, "weight_decay")));
    assert!(trials.iter().any(|trial| !has(trial, "weight_decay")));
    let (code, _, err) = run(path, &["report", "ladder.toml", "-o", "r.md", "-o", "r.html", "-o", "r.json"]);
    assert_eq!(code, 0, "{err}");
    std::fs::write(path.join("ladder.toml"), conditional.replace("dropout = 0.1 }", "dropout = 0.0 }"))
        .unwrap();
    insta::assert_snapshot!(refused(path, &["run", "--budget", "s"]), @r"
    $ allometry run --budget s
    error: the search space of study `tiny/s` has changed:
      condition of `weight_decay`: new, { dropout = [0.0] }
      condition of `weight_decay`: removed, was { dropout = [0.1] }
    hint: undo the change, give the ladder another `name` or `[storage] url`, or continue with the \
    trials that fit by --allow-space-change
    exit code 3
    ");
    std::fs::write(path.join("ladder.toml"), conditional.replace("dropout = 0.1 }", "dropout = 0.3 }"))
        .unwrap();
    insta::assert_snapshot!(refused(path, &["check"]), @"
    $ allometry check
    ladder::bad_condition

      × the condition of `weight_decay` requires the value 0.3, which `dropout`
      │ cannot have
        ╭─[ladder.toml:25:46]
     24 │ learning_rate = { float = [1e-3, 1e-2], log = true }
     25 │ weight_decay = { values = [0.0, 0.1], when = { dropout = 0.3 } }
        ·                                              ────────┬────────
        ·                                                      ╰── here
     26 │ dropout = [0.0, 0.1]
        ╰────
      help: list values of `dropout`
    exit code 3
    ");
}

#[test]
fn configurations_of_a_command_meet_its_constraints_and_lack_what_does_not_apply() {
    let folder = tempfile::tempdir().unwrap();
    let ladder = r#"
name = "c"
trials = 12
[command]
run = ["sh", "-c", "echo '{{\"final\": true, \"value\": 1}}' >> $ALLOMETRY_REPORT"]
[space]
width = [8, 16, 32]
rate = [0.01, 0.05, 0.1]
optimizer = ["adam", "sgd"]
momentum = { values = [0.5, 0.9], when = { optimizer = "sgd" } }
constraints = ["rate * width < 1.7"]
[[budget]]
label = "a"
weights = "any"
"#;
    std::fs::write(folder.path().join("ladder.toml"), ladder).unwrap();
    let (code, out, err) = run(folder.path(), &["check"]);
    assert_eq!(code, 0, "{err}");
    // One of the nine pairs of width and rate is excluded.
    insta::assert_snapshot!(shown(folder.path(), &out), @r#"
    trials are evaluated by the ladder's command
      note: `run` passes no parameter; the program must read the file that $ALLOMETRY_PARAMS names, or \
    `run` can pass {args}, --NAME VALUE of each parameter

    a (any number of weights; the label is only a name)
      1 of 1 architecture
      11% of the configurations left out: not rate * width < 1.7
      `momentum` exists when { optimizer = ['sgd'] }
      24 distinct configurations
               ? weights

    the ladder does not ask for a confirmation on the test rows, which trains the best configuration of \
    each budget with 5 seeds
      it would take 5 trainings; the search has 12 trials
      the sampler `gp` learns from its trials, so only a confirmation decides between budgets: \
    [confirm] with top = 1 and seeds = 5 asks for it, with `test_part = true` in [command] once the \
    command can score test rows
    "#);
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (_, out, _) = run(folder.path(), &["list", "--json-lines"]);
    let trials: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(trials.len(), 12);
    for trial in trials {
        let params = &trial["params"];
        assert!(params["rate"].as_f64().unwrap() * params["width"].as_f64().unwrap() < 1.7, "{params}");
        assert_eq!(params["optimizer"] == "sgd", params.get("momentum").is_some(), "{params}");
    }
    let empty = ladder.replace("< 1.7", "< 0.01");
    std::fs::write(folder.path().join("ladder.toml"), empty).unwrap();
    insta::assert_snapshot!(refused(folder.path(), &["check"]), @"
    $ allometry check
    error: budget `a`: none of its 27 configurations meets `rate * width < 0.01`
    hint: relax or remove a constraint, or extend the ranges of its parameters
    exit code 3
    ");
}
