//! Tests of the dashboard in a browser, while another process writes to the store.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use allometry_core::{
    Direction, Distribution, EpochReport, Failure, ParamValue, Params, SearchSpace, SizeBudget, StopReason,
    TrialRecord,
};
use allometry_store::facts::{Fact, LadderPlace};
use allometry_store::{
    Finished, FinishedState, NewStudy, NewTrial, Owner, SqliteStore, Start, Store as _, StudyId, TrialId,
};
use serde_json::{Value, json};

use crate::driver::{Browser, Screen};

const DESKTOP: Screen = Screen { width: 1280, height: 900, theme: "light" };

/// A running dashboard of a store.
struct Dashboard {
    process: Child,
    url: String,
}

impl Dashboard {
    fn start(storage: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_allometry"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(storage)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the dashboard starts");
        let line = BufReader::new(process.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let url = line.strip_prefix("Dashboard: ").expect("it says where").to_owned();
        Self { process, url }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A study of one budget in a store.
struct Study {
    store: SqliteStore,
    id: StudyId,
    space: SearchSpace,
}

impl Study {
    fn create(path: &Path) -> Self {
        let store = SqliteStore::open(&path.display().to_string()).unwrap();
        let rate = Distribution::Float { low: 1e-5, high: 1e-2, log: true, step: None };
        let width = Distribution::list(vec![ParamValue::Int(32), ParamValue::Int(64), ParamValue::Int(96)]);
        let space = SearchSpace(
            [("learning_rate".to_owned(), rate), ("d_model".into(), width)].into_iter().collect(),
        );
        let place = LadderPlace { name: "watched".into(), tag: None, seed: 0, position: 0 };
        let facts =
            vec![Fact::Ladder(place), Fact::Budget(SizeBudget::nominal("1M")), Fact::TargetTrials(40)];
        let new = NewStudy {
            name: "watched/1M".into(),
            directions: vec![Direction::Maximize],
            space: space.clone(),
            facts,
            ..NewStudy::default()
        };
        let id = store.create_study(&new).unwrap();
        Self { store, id, space }
    }

    fn begin(&self, number: u32) -> TrialId {
        let mut params = Params::default();
        params.insert("learning_rate", 1e-5 * 10.0_f64.powf(f64::from(number * 7 % 29) / 10.0));
        params.insert("d_model", [32, 64, 96][number as usize % 3]);
        let (record, owner) = (TrialRecord::default(), Owner::this_process());
        let new =
            NewTrial { start: Start::Running(&owner), params: &params, space: &self.space, record: &record };
        self.store.create_trial(self.id, &new).unwrap().id
    }

    /// Runs the first twenty trials.
    fn end_twenty(&self) {
        for number in 0..20 {
            self.end(self.begin(number), 0.6 + f64::from(number * 11 % 20) / 100.0);
        }
    }

    fn end(&self, trial: TrialId, value: f64) {
        let finished = Finished { values: vec![value], ..Finished::default() };
        self.store.finish(trial, FinishedState::Complete, &finished).unwrap();
    }
}

#[test]
fn a_running_study_is_followed() {
    let Some(browser) = Browser::start("a_running_study_is_followed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let dashboard = Dashboard::start(&path);
    browser.open(&dashboard.url, DESKTOP);
    browser.wait_for(
        "document.body.textContent.includes('holds no study yet') \
         || document.body.textContent.includes('unavailable')",
    );
    let study = Study::create(&path);
    browser.wait_for("document.querySelector('#live .stack') !== null");
    study.end_twenty();
    browser
        .wait_for("document.querySelector('#live .run td:nth-child(2)').textContent.startsWith('20 of 40')");
    browser.wait_for("document.querySelector('#history-0') !== null");
    browser.wait_for("document.querySelector('#trials-table p.count').textContent.startsWith('20 trials')");

    let running = study.begin(20);
    for epoch in 1..=3 {
        let metrics = BTreeMap::new();
        study
            .store
            .report(running, &[EpochReport { step: epoch, value: 0.7 + epoch as f64 / 100.0, metrics }])
            .unwrap();
    }
    browser.wait_for("document.querySelector('#live').textContent.includes('trial 20, epoch 3: 0.7300')");
    browser.wait_for("document.querySelector('#live figure svg .marks path') !== null");
    browser.picture("dashboard-running");

    let told = Instant::now();
    study.end(running, 0.95);
    browser.wait_for("document.querySelector('#live').textContent.includes('0.9500')");
    println!("a told trial is on the page after {:.2} s", told.elapsed().as_secs_f64());
    browser.wait_for("document.querySelector('#trials-table p.count').textContent.startsWith('21 trials')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(requests.iter().all(|asked| asked.starts_with(&dashboard.url)), "{requests:?}");
}

/// A reader of a failure keeps the open log and the keyboard's place while other trials begin and fail.
#[test]
fn an_open_log_stays_while_trials_fail() {
    let Some(browser) = Browser::start("an_open_log_stays_while_trials_fail") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let study = Study::create(&path);
    let fail = |number: u32| {
        let detail = format!("the log of trial {number}");
        let failure = Failure { reason: "loss is not finite".into(), detail };
        let record = TrialRecord { failure: Some(failure), ..TrialRecord::default() };
        let failed = Finished { record, ..Finished::default() };
        study.store.finish(study.begin(number), FinishedState::Failed, &failed).unwrap();
    };
    (0..2).for_each(fail);
    let dashboard = Dashboard::start(&path);
    browser.open(&dashboard.url, DESKTOP);
    browser.wait_for("document.querySelectorAll('#live details').length === 2");
    browser.click("#live details summary");
    browser.value("document.querySelector('#live details summary').focus()");
    let open =
        "Array.from(document.querySelectorAll('#live details[open] pre'), (one) => one.textContent).join()";
    assert_eq!(browser.value(open), "the log of trial 1");
    study.begin(9);
    browser.wait_for("document.querySelector('#live').textContent.includes('1 running')");
    assert_eq!(browser.value(open), "the log of trial 1");
    (2..4).for_each(fail);
    browser.wait_for("document.querySelectorAll('#live details').length === 4");
    assert_eq!(browser.value(open), "the log of trial 1");
    assert_eq!(browser.value("document.activeElement.parentElement.open"), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Progress, table and charts follow a study of a thousand trials; their delays are printed.
#[test]
fn a_thousand_trials_are_followed() {
    let Some(browser) = Browser::start("a_thousand_trials_are_followed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let study = Study::create(&path);
    for number in 0..1_000 {
        study.end(study.begin(number), 0.6 + f64::from(number * 11 % 20) / 100.0);
    }
    let dashboard = Dashboard::start(&path);
    browser.open(&dashboard.url, DESKTOP);
    browser.wait_for("document.querySelector('#history-0') !== null");
    let places = "placesOf(panelOf(document.querySelector('#history-0 svg.panel'))).length";
    for told in 1_001..=1_003 {
        let at = Instant::now();
        study.end(study.begin(told), 0.9);
        for (part, shown) in [
            ("progress", format!("document.querySelector('#live .stack').ariaLabel.includes(' {told} of')")),
            (
                "table",
                format!("document.querySelector('#trials-table p.count').textContent.startsWith('{told} ')"),
            ),
            ("charts", format!("{places} === {told}")),
        ] {
            browser.wait_for(&shown);
            println!("trial {told} is in the {part} after {:.2} s", at.elapsed().as_secs_f64());
        }
    }
}

/// Trials that a pruner stopped count as in a run, and a study says why it ended.
#[test]
fn progress_counts_as_a_run_does() {
    let Some(browser) = Browser::start("progress_counts_as_a_run_does") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let study = Study::create(&path);
    for number in 0..40 {
        let trial = study.begin(number);
        if number % 3 == 0 {
            let finished = Finished { values: vec![0.6], ..Finished::default() };
            study.store.finish(trial, FinishedState::Pruned, &finished).unwrap();
        } else {
            study.end(trial, 0.7);
        }
    }
    study.store.set_facts(study.id, &[Fact::Ended(Some(StopReason::TrialsReached))]).unwrap();
    let dashboard = Dashboard::start(&path);
    browser.open(&dashboard.url, DESKTOP);
    let cells =
        "Array.from(document.querySelectorAll('#live .run tbody td'), (one) => one.textContent.trim())";
    assert_eq!(
        browser.value(cells),
        json!([
            "1M",
            "40 of 40 26 complete, 14 pruned",
            "complete",
            "0.7000",
            "learning_rate 5.01e-05, d_model 64",
            "–"
        ])
    );
    assert_eq!(
        browser.value("document.querySelector('.total').textContent"),
        "Complete 40 of 40 trials with a result"
    );
}

#[test]
fn the_dashboard_fits_its_screen_and_axe_finds_no_barrier() {
    let test = "the_dashboard_fits_its_screen_and_axe_finds_no_barrier";
    let Some(axe) = allometry_testkit::npm_file(test, "axe-core/axe.min.js") else { return };
    let Some(browser) = Browser::start(test) else { return };
    let axe = std::fs::read_to_string(axe).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let study = Study::create(&path);
    study.end_twenty();
    let running = study.begin(20);
    let curve: Vec<EpochReport> =
        (1..=9).map(|step| EpochReport { step, value: 0.7, metrics: BTreeMap::new() }).collect();
    study.store.report(running, &curve).unwrap();
    let failure =
        Failure { reason: "loss is not finite".into(), detail: "step 12\nlargest activation 3e38".into() };
    let record = TrialRecord { failure: Some(failure), ..TrialRecord::default() };
    let failed = Finished { record, ..Finished::default() };
    study.store.finish(study.begin(21), FinishedState::Failed, &failed).unwrap();
    let dashboard = Dashboard::start(&path);
    let home = dashboard.url.trim_end_matches('/');
    let pages = [
        ("home", String::new()),
        ("trial", "/studies/1/trials/20".into()),
        ("compare", "/compare?trials=1:3,1:5".into()),
    ];
    for (name, page) in pages {
        for (width, height) in [(360, 740), (1024, 768), (1920, 1080)] {
            for theme in ["light", "dark"] {
                browser.open(&format!("{home}{page}"), Screen { width, height, theme });
                browser.wait_for(if name == "home" {
                    "document.querySelector('#history-0') !== null"
                } else {
                    "document.querySelector('h1') !== null"
                });
                let wide = browser.value("document.documentElement.scrollWidth");
                assert!(wide.as_u64().unwrap() <= u64::from(width), "{name}, {width} pixels: {wide} wide");
                let hidden = "Array.from(document.querySelectorAll('.run .scroll')) \
                     .some((one) => one.scrollWidth > one.clientWidth)";
                assert_eq!(
                    browser.value(hidden),
                    false,
                    "{name}, {width} pixels: the progress has to scroll"
                );
                browser.picture(&format!("dashboard-{name}-{width}-{theme}"));
            }
        }
        browser.cdp("Runtime.evaluate", &json!({ "expression": axe }));
        let barriers = browser.promised(
            "axe.run().then((result) => result.violations.map(\
             (one) => `${one.id}: ${one.nodes.length} at ${one.nodes[0].target}`))",
        );
        assert_eq!(barriers, Value::Array(vec![]), "{name}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_tab_does_not_grow_while_trials_come() {
    let Some(browser) = Browser::start("a_tab_does_not_grow_while_trials_come") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let study = Study::create(&path);
    study.end_twenty();
    let dashboard = Dashboard::start(&path);
    browser.open(&dashboard.url, DESKTOP);
    browser.wait_for("document.querySelector('#history-0') !== null");
    let nodes = || {
        browser.cdp("HeapProfiler.collectGarbage", &json!({}));
        let counted = browser.cdp("Memory.getDOMCounters", &json!({}));
        (counted["nodes"].as_u64().unwrap(), counted["jsEventListeners"].as_u64().unwrap())
    };
    let trial = study.begin(20);
    let round = |step: i64| {
        let report = EpochReport { step, value: 0.7, metrics: BTreeMap::new() };
        study.store.report(trial, &[report]).unwrap();
        browser.wait_for(&format!("document.querySelector('#live').textContent.includes('epoch {step}:')"));
    };
    (1..=3).for_each(round);
    let before = nodes();
    (4..=24).for_each(round);
    let after = nodes();
    // The axes of the curve get a few more ticks; the updated parts replace the old ones.
    assert!(after.0 < before.0 + 300, "nodes: {before:?}, then {after:?}");
    assert!(after.1 <= before.1 + 5, "listeners: {before:?}, then {after:?}");
}

#[test]
fn zoomed_charts_are_updated_and_outlive_the_server() {
    let Some(browser) = Browser::start("zoomed_charts_are_updated_and_outlive_the_server") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    let study = Study::create(&path);
    study.end_twenty();
    let dashboard = Dashboard::start(&path);
    browser.open(&dashboard.url, DESKTOP);
    browser.wait_for("document.querySelector('#history-0') !== null");
    browser.value("document.querySelector('#history-0 .panels').focus()");
    browser.key("+");
    let ends = "JSON.stringify(windowOf(panelOf(document.querySelector('#history-0 svg.panel'))))";
    let before = browser.value(ends);
    study.end(study.begin(20), 0.9);
    browser.wait_for("document.querySelector('#trials-table p.count').textContent.startsWith('21 trials')");
    // The chart has the new trial, and shows the values that it showed before.
    assert_eq!(browser.value("placesOf(panelOf(document.querySelector('#history-0 svg.panel'))).length"), 21);
    let near = |ends: &Value| -> Vec<f64> {
        let ends: Value = serde_json::from_str(ends.as_str().unwrap()).unwrap();
        ["x", "y"]
            .iter()
            .flat_map(|axis| ends[axis].as_array().unwrap())
            .map(|end| end.as_f64().unwrap())
            .collect()
    };
    let after = browser.value(ends);
    for (before, after) in near(&before).into_iter().zip(near(&after)) {
        assert!((before - after).abs() < 0.01 * before.abs(), "{before} is {after}");
    }
    assert_eq!(browser.value("document.activeElement.matches('#history-0 .panels')"), true);
    browser.click("#trials-table tbody tr:nth-child(1) a");
    browser.wait_for("location.pathname.startsWith('/studies/1/trials/')");
    let title = browser.value("document.querySelector('h1').textContent");
    assert_eq!(title, Value::from("watched/1M, trial 20"));
    browser.open(&dashboard.url, DESKTOP);
    browser.wait_for("document.querySelector('#history-0') !== null");
    drop(dashboard);
    browser.wait_for("document.querySelector('.away') !== null");
    assert_eq!(browser.value("document.querySelector('#history-0') !== null"), true);
}
