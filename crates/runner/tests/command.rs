//! Tests of trials that programs evaluate: the protocol, invalid reports, and programs that do not end.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use allometry_core::{
    EpochReport, Objective, ObjectiveError, ObjectiveOutcome, ParamValue, Params, Predictions, Reporter,
    Signal, SizeBudget, StudyIdentity, TrialNumber, TrialSpec,
};
use allometry_ladder::{CommandSpec, EnvironmentSpec, Inherit, Invocation, ValueSource, weights_expression};
use allometry_runner::{CommandObjective, Devices};
use tempfile::TempDir;

/// A reporter that records epochs, prunes at a step and can be interrupted.
#[derive(Default)]
struct Listener {
    epochs: Mutex<Vec<EpochReport>>,
    prune_at: Option<i64>,
    interrupted: AtomicBool,
}

impl Reporter for Listener {
    fn report(&self, epoch: &EpochReport) -> Signal {
        self.epochs.lock().unwrap().push(epoch.clone());
        if self.prune_at == Some(epoch.step) { Signal::Prune } else { Signal::Continue }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

struct Fixture {
    folder: TempDir,
    spec: CommandSpec,
    params: Params,
    devices: Vec<String>,
}

fn study(id: &str) -> StudyIdentity {
    StudyIdentity { name: "ladder/2M".into(), id: id.into(), storage: "sqlite:///trials.db".into() }
}

impl Fixture {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = CommandSpec {
            run: Invocation::Shell(script.replace('{', "{{").replace('}', "}}")),
            folder: folder.path().to_path_buf(),
            environment: EnvironmentSpec::default(),
            timeout: None,
            grace: Duration::from_millis(300),
            retries: 0,
            value: ValueSource::Report,
            steps: None,
            weights: None,
            horizon: 1,
            test_part: false,
        };
        let params = [("lr", ParamValue::Float(0.1)), ("kind", ParamValue::Text("it's".into()))];
        Self { folder, spec, params: params.into_iter().collect(), devices: Vec::new() }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    fn trial(&self) -> TrialSpec {
        TrialSpec {
            study: study("one"),
            budget: SizeBudget::nominal("2M"),
            number: TrialNumber(7),
            first_attempt: TrialNumber(5),
            params: self.params.clone(),
            seed: 11,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.runs().join("2M").join(self.trial().study.folder()).join("5").join(name)
    }

    fn objective(&self) -> CommandObjective {
        let devices = Devices::new(self.devices.clone());
        CommandObjective::new(self.spec.clone(), "ladder", self.runs(), devices).unwrap()
    }

    fn run(&self, listener: &Listener) -> Result<ObjectiveOutcome, ObjectiveError> {
        self.objective().evaluate(&self.trial(), listener)
    }

    fn value(&self) -> f64 {
        self.run(&Listener::default()).unwrap().value()
    }

    /// The reason and the details of a trial that must fail.
    fn failure(&self) -> (String, String) {
        match self.run(&Listener::default()) {
            Err(ObjectiveError::Failed(failure)) => (failure.reason, failure.detail),
            other => panic!("{other:?}"),
        }
    }
}

/// Whether the process whose id is in a file is alive.
fn lives(pid_file: &Path) -> bool {
    let pid = std::fs::read_to_string(pid_file).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

fn wait_until(holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(1), "the condition was not met within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_trial_has_the_reports_of_the_program() {
    let fixture = Fixture::new(
        r#"{ echo '{"step": 1, "value": 0.5, "metrics": {"loss": 2}}'
             echo '{"step": 2, "value": NaN}'
             echo '{"metrics": {"recall": 0.25}}'
             echo '{"scores": [0.25, 0.75], "labels": [0, 1]}'
             printf '{"final": true, "value": 0.625, "weights": 123}'; } >> "$ALLOMETRY_REPORT""#,
    );
    let listener = Listener::default();
    let outcome = fixture.run(&listener).unwrap();
    assert_eq!(outcome.value(), 0.625);
    assert_eq!(outcome.size.map(|size| size.total), Some(123));
    assert_eq!(outcome.metrics, BTreeMap::from([("recall".to_owned(), 0.25)]));
    assert_eq!(outcome.predictions.as_ref().unwrap().scores().unwrap().scores, [0.25, 0.75]);
    let epochs = listener.epochs.into_inner().unwrap();
    assert_eq!(epochs.iter().map(|epoch| epoch.step).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(epochs[0].metrics["loss"], 2.0);
    assert!(epochs[1].value.is_nan());
}

#[test]
fn a_trial_keeps_scores_or_outputs() {
    let report = |lines: &str| Fixture::new(&format!("printf '{lines}' >> \"$ALLOMETRY_REPORT\""));
    let outputs = r#"{"outputs": [[0.25, 0.75], [0.5, 0.5]], "targets": [1, 0], "rows": [3, 4]}\n"#;
    let end = r#"{"final": true, "value": 0.5}\n"#;
    let outcome = report(&[outputs, end].concat()).run(&Listener::default()).unwrap();
    let Some(Predictions::Other(kept)) = outcome.predictions else { panic!("it keeps outputs") };
    assert_eq!((kept.rows, kept.targets), (vec![3, 4], vec![1.0, 0.0]));
    assert_eq!(kept.outputs, [0.25, 0.75, 0.5, 0.5]);

    let scores = r#"{"scores": [0.25, 0.75], "labels": [0, 1]}\n"#;
    for lines in [[outputs, scores, end].concat(), [scores, outputs, end].concat()] {
        let (reason, _) = report(&lines).failure();
        assert!(reason.contains("both `scores` and `outputs`"), "{reason}");
    }
    let (reason, _) = report(r#"{"outputs": [0.5], "targets": []}\n"#).failure();
    assert!(reason.starts_with("line 1 of its report has 1 outputs, 0 targets"), "{reason}");
}

#[test]
fn a_program_finds_its_trial() {
    let mut fixture = Fixture::new("");
    fixture.spec.run = Invocation::Shell(
        "env > env.txt; printf '%s\\n' {args} {kind} {seed} {study} > args.txt; \
         cat {params_file} > params.txt; echo '{{\"final\": true, \"value\": 1}}' >> {report}"
            .into(),
    );
    fixture.spec.environment = EnvironmentSpec {
        inherit: Inherit::Only(vec!["CARGO_MANIFEST_DIR".into()]),
        set: vec![("OMP_NUM_THREADS".into(), "1".into())],
    };
    fixture.devices = vec!["GPU-1".into()];
    assert_eq!(fixture.value(), 1.0);
    let read = |name: &str| std::fs::read_to_string(fixture.folder.path().join(name)).unwrap();
    let mode = std::fs::metadata(fixture.runs()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "logs and parameters are private");
    assert_eq!(read("args.txt"), "--lr\n0.1\n--kind\nit's\nit's\n11\nladder/2M\n");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&read("params.txt")).unwrap(),
        serde_json::json!({"lr": 0.1, "kind": "it's"})
    );
    let env: BTreeMap<String, String> = read("env.txt")
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in [
        ("ALLOMETRY_TRIAL_NUMBER", "7"),
        ("ALLOMETRY_STUDY", "ladder/2M"),
        ("ALLOMETRY_BUDGET", "2M"),
        ("ALLOMETRY_SEED", "11"),
        ("ALLOMETRY_WEIGHTS", ""),
        ("OMP_NUM_THREADS", "1"),
        ("CUDA_VISIBLE_DEVICES", "GPU-1"),
    ] {
        assert_eq!(env.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(env.contains_key("PATH") && env.contains_key("CARGO_MANIFEST_DIR"));
    assert!(!env.contains_key("CARGO_PKG_NAME"), "the environment was cleared");
}

#[test]
fn arguments_reach_a_program_unchanged() {
    let mut fixture = Fixture::new("");
    fixture.params = [("text", ParamValue::Text("a b; $(touch x) {seed}".into()))].into_iter().collect();
    let words = ["sh", "-c", "printf '%s|' \"$@\"; exit 3", "sh", "{args}", "--all={args}", "{{x}}"];
    fixture.spec.run = Invocation::Program(words.map(str::to_owned).to_vec());
    let (reason, detail) = fixture.failure();
    assert_eq!(reason, "exit code 3");
    assert_eq!(detail, "--text|a b; $(touch x) {seed}|--all=--text a b; $(touch x) {seed}|{x}|");
    assert!(!fixture.folder.path().join("x").exists());
}

#[test]
fn without_a_report_the_value_is_found_where_the_ladder_says() {
    let mut fixture =
        Fixture::new("echo auc=0.1; printf 'x\\377\\n'; echo 'auc=0.5 auc=0.75' >&2; echo done");
    assert_eq!(fixture.failure().0, "no value reported");
    fixture.spec.value = ValueSource::Output { pattern: "auc=([0-9.]+)".into() };
    assert_eq!(fixture.value(), 0.75);
    fixture.spec.value = ValueSource::Output { pattern: "loss=(.*)".into() };
    assert!(fixture.failure().0.contains("nothing in its output matches loss=(.*)"));
    fixture.spec.value = ValueSource::Output { pattern: "(done)".into() };
    assert!(fixture.failure().0.contains("`done` in its output is not a number"));

    let mut fixture = Fixture::new(r#"echo '{"validation": {"auc": 0.5}}' > metrics-7.json"#);
    let file = |key: &str| ValueSource::File { path: "metrics-{number}.json".into(), key: key.into() };
    fixture.spec.value = file("validation.auc");
    assert_eq!(fixture.value(), 0.5);
    fixture.spec.value = file("validation");
    assert!(fixture.failure().0.contains("`validation` in"), "{:?}", fixture.failure());
    fixture.spec.value = file("test.auc");
    assert!(fixture.failure().0.ends_with("has no `test.auc`"));
}

#[test]
fn every_bad_ending_says_why_with_the_end_of_the_output() {
    for (script, reason) in [
        ("echo going; echo wrong >&2; exit 3", "exit code 3"),
        ("echo going; echo wrong; kill -SEGV $$", "killed by signal 11"),
        ("echo going; echo wrong", "no value reported"),
        (
            r#"echo going; echo wrong; echo '{"step": 1' >> "$ALLOMETRY_REPORT"; sleep 60"#,
            "line 1 of its report is not JSON: EOF while parsing an object ({\"step\": 1)",
        ),
    ] {
        let (found, detail) = Fixture::new(script).failure();
        assert_eq!((found.as_str(), detail.as_str()), (reason, "going\nwrong\n"), "{script}");
    }
    let mut fixture = Fixture::new("");
    fixture.spec.run = Invocation::Program(vec!["{kind}".into()]);
    assert!(fixture.failure().0.starts_with("cannot start `it's`: No such file"), "{:?}", fixture.failure());
}

#[test]
fn a_program_that_asks_for_it_is_started_again() {
    let mut fixture = Fixture::new(
        r#"echo x >> count; [ $(wc -l < count) -ge 2 ] || exit 75
           echo '{"final": true, "value": 2}' >> "$ALLOMETRY_REPORT""#,
    );
    assert!(fixture.failure().0.contains("asked to be tried again 1 times"));
    std::fs::remove_file(fixture.folder.path().join("count")).unwrap();
    fixture.spec.retries = 1;
    assert_eq!(fixture.value(), 2.0);
}

#[test]
fn a_pruned_program_may_end_by_itself_or_is_stopped() {
    let step = r#"echo '{"step": 1, "value": 0.5}' >> "$ALLOMETRY_REPORT""#;
    let told =
        r#"printf '%s\n' '{"constraints": {"ms": -3}}' '{"metrics": {"watts": 7}}' >> "$ALLOMETRY_REPORT""#;
    let polite = Fixture::new(&format!(
        r#"{told}; {step}; while [ ! -e "$ALLOMETRY_REPORT.stop" ]; do sleep 0.02; done; touch ended"#
    ));
    let listener = Listener { prune_at: Some(1), ..Listener::default() };
    let Err(ObjectiveError::Pruned(reported)) = polite.run(&listener) else { panic!("it was pruned") };
    assert_eq!((reported.constraints.named["ms"], reported.metrics["watts"]), (-3.0, 7.0));
    assert!(polite.folder.path().join("ended").exists());

    let firm = Fixture::new(&format!("trap 'touch asked; exit' TERM; {step}; while :; do sleep 0.02; done"));
    assert!(matches!(firm.run(&listener), Err(ObjectiveError::Pruned(_))));
    assert!(firm.folder.path().join("asked").exists());

    let deaf = Fixture::new(&format!("trap '' TERM; echo $$ > pid; {step}; while :; do sleep 0.02; done"));
    assert!(matches!(deaf.run(&listener), Err(ObjectiveError::Pruned(_))));
    assert!(!lives(&deaf.folder.path().join("pid")));
}

#[test]
fn a_program_that_has_ended_is_not_pruned_any_more() {
    // Both lines are in one write, so that the first is not read alone, and the program continues for a
    // while.
    let report = r#"printf '%s\n' '{"step": 1, "value": 0.5}' '{"final": true, "value": 0.5}' > both
                    cat both >> "$ALLOMETRY_REPORT""#;
    for rest in ["", "; sleep 0.2"] {
        let fixture = Fixture::new(&format!("{report}{rest}"));
        let listener = Listener { prune_at: Some(1), ..Listener::default() };
        assert_eq!(fixture.run(&listener).unwrap().value(), 0.5);
    }
}

#[test]
fn an_interrupt_and_the_time_limit_end_it_with_its_descendants() {
    let script = "trap '' TERM; (trap '' TERM; sh -c 'echo $$ > grandchild; sleep 600') & \
                  echo $$ > child; sleep 600";
    let fixture = Fixture::new(script);
    let listener = Listener::default();
    let ended = std::thread::scope(|scope| {
        let running = scope.spawn(|| fixture.run(&listener));
        wait_until(|| fixture.folder.path().join("grandchild").exists());
        listener.interrupted.store(true, Ordering::SeqCst);
        running.join().unwrap()
    });
    assert!(matches!(ended, Err(ObjectiveError::Interrupted)));
    for name in ["child", "grandchild"] {
        wait_until(|| !lives(&fixture.folder.path().join(name)));
    }

    let mut fixture = Fixture::new(script);
    fixture.spec.timeout = Some(Duration::from_secs(1));
    assert_eq!(fixture.failure().0, "longer than 1 s");
    wait_until(|| !lives(&fixture.folder.path().join("grandchild")));
}

#[test]
fn a_grandchild_that_outlives_its_parent_is_killed() {
    let fixture = Fixture::new(
        r#"sh -c 'echo $$ > grandchild; sleep 600' & while [ ! -s grandchild ]; do sleep 0.01; done
           echo '{"final": true, "value": 1}' >> "$ALLOMETRY_REPORT""#,
    );
    assert_eq!(fixture.value(), 1.0);
    wait_until(|| !lives(&fixture.folder.path().join("grandchild")));
}

/// A program in its own session is not in the process group of its trial, and has no parent after that one
/// has ended.
#[test]
#[cfg(target_os = "linux")]
fn a_descendant_with_a_session_of_its_own_is_killed() {
    let leave = "setsid sh -c 'echo $$ > grandchild; exec sleep 600' & \
                 while [ ! -s grandchild ]; do sleep 0.01; done";
    let fixture =
        Fixture::new(&format!(r#"{leave}; echo '{{"final": true, "value": 1}}' >> "$ALLOMETRY_REPORT""#));
    let grandchild = fixture.folder.path().join("grandchild");
    assert_eq!(fixture.value(), 1.0);
    wait_until(|| !lives(&grandchild));

    // A process of an attempt whose runner was killed.
    std::fs::remove_file(&grandchild).unwrap();
    let fixture = Fixture::new(&format!("{leave}; exec sleep 600"));
    let grandchild = fixture.folder.path().join("grandchild");
    let objective = fixture.objective();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| objective.evaluate(&fixture.trial(), &Listener::default()));
        wait_until(|| grandchild.exists() && lives(&grandchild));
        let second = Fixture::new(r#"echo '{"final": true, "value": 3}' >> "$ALLOMETRY_REPORT""#);
        let again = CommandObjective::new(second.spec.clone(), "ladder", fixture.runs(), Devices::default());
        assert_eq!(again.unwrap().evaluate(&fixture.trial(), &Listener::default()).unwrap().value(), 3.0);
        assert!(first.join().unwrap().is_err());
    });
    wait_until(|| !lives(&grandchild));
}

#[test]
fn a_flood_of_output_goes_to_the_log_and_its_end_to_the_store() {
    let fixture = Fixture::new(
        r#"head -c 300000000 /dev/zero | tr '\0' 'x'; printf '\377\000bytes\n'; seq 1 20000
           echo '{"final": true, "value": 1}' >> "$ALLOMETRY_REPORT""#,
    );
    assert_eq!(fixture.value(), 1.0);
    assert!(std::fs::metadata(fixture.file("log.txt")).unwrap().len() > 300_000_000);
    let log = fixture.objective().log(&fixture.trial()).unwrap();
    assert!(log.len() <= 64 * 1024 && log.ends_with("19999\n20000\n"), "{}", log.len());
    assert!(log.lines().next().unwrap().parse::<u32>().is_ok(), "an incomplete first line is left out");
    std::fs::remove_file(fixture.file("log.txt")).unwrap();
}

#[test]
fn the_process_of_an_earlier_attempt_is_killed_before_the_next() {
    let fixture = Fixture::new("echo $$ > first; exec sleep 600");
    let pid = fixture.folder.path().join("first");
    let objective = fixture.objective();
    std::thread::scope(|scope| {
        let listener = Listener::default();
        let first = scope.spawn(|| objective.evaluate(&fixture.trial(), &Listener::default()));
        let has_text = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
        wait_until(|| has_text(&fixture.file("process.json")) && has_text(&pid));
        let second = Fixture::new(r#"echo '{"final": true, "value": 3}' >> "$ALLOMETRY_REPORT""#);
        let again = CommandObjective::new(second.spec.clone(), "ladder", fixture.runs(), Devices::default());
        assert_eq!(again.unwrap().evaluate(&fixture.trial(), &listener).unwrap().value(), 3.0);
        wait_until(|| !lives(&pid));
        let Err(ObjectiveError::Failed(failure)) = first.join().unwrap() else { panic!("it was killed") };
        assert_eq!(failure.reason, "killed by signal 9");
    });
}

/// A program that reports the number in its checkpoint folder, or else writes its own rate there.
const REUSES: &str = r#"
    kept="$ALLOMETRY_CHECKPOINT_DIR/value"
    [ -e "$kept" ] || grep -o '"lr": [0-9.e-]*' "$ALLOMETRY_PARAMS" | cut -d' ' -f2 > "$kept"
    echo "{\"final\": true, \"value\": $(cat "$kept")}" >> "$ALLOMETRY_REPORT"
"#;

#[test]
fn an_attempt_continues_only_from_files_of_its_own_trial() {
    let fixture = Fixture::new(REUSES);
    let objective = fixture.objective();
    let value = |trial: &TrialSpec| objective.evaluate(trial, &Listener::default()).unwrap().value();
    let first = fixture.trial();
    assert_eq!(value(&first), 0.1);
    let kept = fixture.file("checkpoint/value");
    std::fs::write(&kept, "0.25").unwrap();
    assert_eq!(value(&first), 0.25, "the trial continues");
    assert_eq!(value(&TrialSpec { number: TrialNumber(9), ..first.clone() }), 0.25, "and its repetition");

    let mut changed = first.clone();
    changed.params.insert("lr", 0.5);
    assert_eq!(value(&changed), 0.5, "another configuration under the same number starts again");
    std::fs::write(&kept, "0.25").unwrap();
    assert_eq!(value(&TrialSpec { seed: 12, ..changed.clone() }), 0.5, "and so does another seed");
    std::fs::write(&kept, "0.25").unwrap();
    assert_eq!(value(&TrialSpec { study: study("two"), ..changed.clone() }), 0.5, "and another study");
    assert!(kept.exists(), "the first study keeps its files");

    // The remains of an interrupted write of the file, or of an earlier version without it.
    for note in ["", "{\"study\""] {
        std::fs::write(&kept, "0.25").unwrap();
        std::fs::write(fixture.file("trial.json"), note).unwrap();
        assert_eq!(value(&changed), 0.5);
    }
}

#[test]
fn a_late_attempt_does_not_stop_its_repetition() {
    let fixture = Fixture::new(
        r#"echo $$ > pid; until [ -e go ]; do sleep 0.01; done
        echo '{"final": true, "value": 1}' >> "$ALLOMETRY_REPORT""#,
    );
    let objective = fixture.objective();
    let pid = fixture.folder.path().join("pid");
    let repetition = TrialSpec { number: TrialNumber(9), ..fixture.trial() };
    std::thread::scope(|scope| {
        let again = scope.spawn(|| objective.evaluate(&repetition, &Listener::default()));
        wait_until(|| std::fs::metadata(fixture.file("process.json")).is_ok_and(|file| file.len() > 0));
        wait_until(|| std::fs::metadata(&pid).is_ok_and(|file| file.len() > 0));
        let late = objective.evaluate(&fixture.trial(), &Listener::default());
        assert!(matches!(late, Err(ObjectiveError::Interrupted)), "{late:?}");
        assert!(lives(&pid));
        std::fs::write(fixture.folder.path().join("go"), "").unwrap();
        assert_eq!(again.join().unwrap().unwrap().value(), 1.0);
    });
}

#[test]
fn a_run_of_another_study_does_not_stop_the_processes_of_the_first() {
    let fixture = Fixture::new(
        r#"echo $$ > pid; until [ -e go ]; do sleep 0.01; done
        echo '{"final": true, "value": 1}' >> "$ALLOMETRY_REPORT""#,
    );
    let objective = fixture.objective();
    let pid = fixture.folder.path().join("pid");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| objective.evaluate(&fixture.trial(), &Listener::default()));
        wait_until(|| std::fs::metadata(fixture.file("process.json")).is_ok_and(|file| file.len() > 0));
        wait_until(|| std::fs::metadata(&pid).is_ok_and(|file| file.len() > 0));
        let second = Fixture::new(r#"echo '{"final": true, "value": 2}' >> "$ALLOMETRY_REPORT""#);
        let other = CommandObjective::new(second.spec.clone(), "ladder", fixture.runs(), Devices::default());
        let elsewhere = StudyIdentity { storage: "sqlite:///other.db".into(), ..study("one") };
        for study in [study("two"), elsewhere] {
            let trial = TrialSpec { study, ..fixture.trial() };
            let outcome = other.as_ref().unwrap().evaluate(&trial, &Listener::default());
            assert_eq!(outcome.unwrap().value(), 2.0);
        }
        assert!(lives(&pid));
        std::fs::write(fixture.folder.path().join("go"), "").unwrap();
        assert_eq!(first.join().unwrap().unwrap().value(), 1.0);
    });
}

#[test]
fn a_value_file_from_before_the_attempt_is_not_used() {
    let mut fixture = Fixture::new(":");
    fixture.spec.value = ValueSource::File { path: "value.json".into(), key: "value".into() };
    let file = fixture.folder.path().join("value.json");
    std::fs::write(&file, r#"{"value": 0.75}"#).unwrap();
    assert_eq!(
        fixture.failure().0,
        format!("no value reported: {} is older than the attempt", file.display())
    );
    fixture.spec.run = Invocation::Shell("echo '{{\"value\": 0.5}}' > value.json".into());
    assert_eq!(fixture.value(), 0.5);
}

#[test]
fn sizes_follow_from_the_expression() {
    let weights = weights_expression("12 * n_layers * d_model ** 2 * d_ff_ratio / 4").unwrap();
    let params: Params =
        [("d_model", ParamValue::Int(10)), ("n_layers", ParamValue::Int(2))].into_iter().collect();
    assert_eq!(CommandObjective::size_of(&weights, &params).map(|size| size.total), Some(2400));
    let params: Params = [("d_model", ParamValue::Int(10))].into_iter().collect();
    assert_eq!(CommandObjective::size_of(&weights, &params), None);
}

#[test]
fn a_missing_program_is_an_error_before_any_trial() {
    let mut fixture = Fixture::new("");
    fixture.spec.run = Invocation::Program(vec!["pyhton".into()]);
    let new = |fixture: &Fixture| {
        CommandObjective::new(fixture.spec.clone(), "ladder", fixture.runs(), Devices::default())
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(new(&fixture).unwrap_err(), "there is no program `pyhton` in PATH");
    fixture.spec.run = Invocation::Program(vec!["./train.sh".into()]);
    assert!(new(&fixture).unwrap_err().starts_with("there is no program `./train.sh` in /"));
    std::fs::write(fixture.folder.path().join("train.sh"), "").unwrap();
    assert_eq!(new(&fixture), Ok(()));
    fixture.spec.folder = fixture.folder.path().join("none");
    assert!(new(&fixture).unwrap_err().starts_with("there is no folder"));
}
