//! Tests of `allometry run`, and of interrupting and resuming it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{allometry, project, run, texts};

fn report(folder: &std::path::Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("report/report.json")).expect("the run wrote its report");
    serde_json::from_str(&text).expect("the report is JSON")
}

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
    let (code, out, err) = run(folder.path(), &["run", "--workers", "2"]);
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
    let (code, _, err) = run(folder.path(), &["run", "-S", "space.dropout=[0.0, 0.2]"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("dropout") && err.contains("0.2"), "{err}");
    let (code, _, err) = run(folder.path(), &["run", "-S", "model.context=12"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("model.context: was 8, is 12"), "{err}");
}

#[test]
fn a_changed_space_goes_on_with_the_trials_that_fit_where_that_is_asked_for() {
    let folder = project();
    let path = folder.path();
    let narrow = ["run", "--budget", "s", "-S", "space.learning_rate={ float = [1e-3, 4e-3], log = true }"];
    assert_eq!(run(path, &["run", "--budget", "s"]).0, 0);
    let (code, _, err) = run(path, &narrow);
    assert!(code == 3 && err.contains("--allow-space-change"), "{err}");
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
    let (code, _, err) = run(path, &list);
    assert!(code == 3 && err.contains("`dropout` changed from [0.0, 0.1] to [0.0, 0.2]"), "{err}");
    assert!(err.contains("enqueue --from"), "{err}");
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
    assert!(
        out.contains("4 left out: not head_dim >= 4") && out.contains("0 left out: not flops < 1e9"),
        "{out}"
    );
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
    let (code, _, err) = run(path, &["run", "--budget", "s"]);
    assert!(code == 3 && err.contains("constraint `head_dim >= 4`: removed"), "{err}");

    let (code, _, err) = run(path, &["check", "-S", "space.constraints=[\"head_dim > 100\"]"]);
    assert!(code == 3 && err.contains("`head_dim > 100` holds for none of the 12 architectures"), "{err}");
    assert!(err.contains("without `head_dim > 100` the budget has 12 architectures"), "{err}");
    let (code, _, err) = run(path, &["check", "-S", "space.constraints=[\"head_dim >> 100\"]"]);
    assert!(code == 3 && err.contains("expected a number or a name, not `>`"), "{err}");
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
    let (code, _, err) = run(path, &["run", "--budget", "s"]);
    assert!(code == 3 && err.contains("condition of `weight_decay`: new, { dropout = [0.0] }"), "{err}");
    std::fs::write(path.join("ladder.toml"), conditional.replace("dropout = 0.1 }", "dropout = 0.3 }"))
        .unwrap();
    let (code, _, err) = run(path, &["check"]);
    assert!(
        code == 3
            && err.contains("requires the value 0.3, which `dropout`")
            && err.contains("list values of"),
        "{err}"
    );
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
    assert!(out.contains("11% of the configurations left out: not rate * width < 1.7"), "{out}");
    assert!(out.contains("24 distinct configurations"), "{out}");
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
    let (code, _, err) = run(folder.path(), &["check"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("none of its 27 configurations meets `rate * width < 0.01`"), "{err}");
}
