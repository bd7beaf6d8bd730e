//! Tests of figures recomputed from a report's tables against SciPy and statsmodels (`oracle/lint.py`).

use allometry_analysis::lint::stated::{
    Printed, Stated, StatedImportance, StatedLevel, StatedReport, StatedStudy, StatedTrend,
};
use allometry_analysis::lint::{ContrastLint, Lint};
use allometry_analysis::{Knowledge, Options, lint};
use serde_json::Value;

fn oracle() -> Vec<Vec<Value>> {
    serde_json::from_str(include_str!("oracle/lint.json")).unwrap()
}

fn number(json: &Value) -> f64 {
    json.as_f64().unwrap_or_else(|| panic!("no number: {json}"))
}

fn printed(value: f64) -> Printed {
    Printed { value, half_unit: 0.5e-4 }
}

#[track_caller]
fn close(ours: Option<f64>, theirs: &Value) {
    let (ours, theirs) = (ours.expect("a number"), number(theirs));
    assert!((ours - theirs).abs() <= 1e-8 * theirs.abs().max(1e-3), "{ours} against {theirs}");
}

/// Returns a report with the oracle's tables, in which each value is named by its position.
fn report(studies: &[Vec<Value>]) -> StatedReport {
    let studies = studies.iter().map(|trends| {
        let trends: Vec<StatedTrend> = trends
            .iter()
            .enumerate()
            .map(|(position, trend)| StatedTrend {
                line: 0,
                parameter: format!("p{position}"),
                word: None,
                best: None,
                worst: None,
                levels: levels(&trend["levels"]),
            })
            .collect();
        let importance = trends.iter().map(|trend| {
            let value = StatedImportance { parameter: trend.parameter.clone(), bar: 0, share: printed(0.0) };
            Stated { line: 0, value }
        });
        let trials = trends[0].levels.iter().map(|level| level.count).sum();
        StatedStudy {
            trials: Some(Stated { line: 0, value: trials }),
            importance: importance.collect(),
            trends,
            ..StatedStudy::default()
        }
    });
    StatedReport { metric: "AUC".into(), studies: studies.collect(), ..StatedReport::default() }
}

fn levels(json: &Value) -> Vec<StatedLevel> {
    let level = |(position, level): (usize, &Value)| StatedLevel {
        line: 0,
        value: (position as i64).into(),
        mean: printed(number(&level["mean"])),
        sd: printed(number(&level["sd"])),
        count: level["count"].as_u64().unwrap(),
    };
    json.as_array().unwrap().iter().enumerate().map(level).collect()
}

fn linted() -> (Lint, Vec<Vec<Value>>) {
    let oracle = oracle();
    (lint(&report(&oracle), &Knowledge::default(), &Options::default()), oracle)
}

#[test]
fn contrasts_with_holm_over_the_report() {
    let (lint, oracle) = linted();
    let check = |ours: Option<ContrastLint>, theirs: &Value| {
        close(ours.map(|test| test.slope), &theirs["slope"]);
        close(ours.map(|test| test.standard_error), &theirs["standard_error"]);
        close(ours.map(|test| test.freedom), &theirs["freedom"]);
        close(ours.map(|test| test.p), &theirs["p"]);
        close(ours.map(|test| test.p_holm), &theirs["p_holm"]);
    };
    for (study, expected) in lint.studies.iter().zip(&oracle) {
        assert_eq!(study.trends.len(), expected.len());
        for (trend, expected) in study.trends.iter().zip(expected) {
            check(trend.contrast, &expected["welch"]);
            check(trend.pooled, &expected["pooled"]);
        }
    }
}

#[test]
fn one_way_with_holm_over_the_budget() {
    let (lint, oracle) = linted();
    for (study, expected) in lint.studies.iter().zip(&oracle) {
        for (one, expected) in study.importance.parameters.iter().zip(expected) {
            let expected = &expected["one_way"];
            close(one.f, &expected["f"]);
            close(one.p, &expected["p"]);
            close(one.p_holm, &expected["p_holm"]);
            close(one.epsilon_squared, &expected["epsilon_squared"]);
            close(one.omega_squared, &expected["omega_squared"]);
        }
    }
}

#[test]
fn values_that_may_be_best_and_the_change_over_all() {
    let (lint, oracle) = linted();
    for (study, expected) in lint.studies.iter().zip(&oracle) {
        for (trend, expected) in study.trends.iter().zip(expected) {
            let possible: Vec<i64> =
                trend.best_values.possible.iter().map(|step| step.value.as_i64().unwrap()).collect();
            assert_eq!(serde_json::json!(possible), expected["possible"], "{}", trend.parameter);
            if let Some(change) = trend.change {
                close(Some(change.point), &expected["change"]["point"]);
                close(Some(change.interval.lower), &expected["change"]["lower"]);
                close(Some(change.interval.upper), &expected["change"]["upper"]);
            } else {
                assert!(expected["change"].is_null());
            }
        }
    }
}
