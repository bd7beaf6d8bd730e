//! Tests of the figures of calibrated probabilities: against statsmodels and scikit-learn
//! (`oracle/recalibration.py`), and the coverage of their intervals on simulated rows whose truth is known.

mod random;

use allometry_analysis::CalibrationMeasure::{
    Bias, Brier, Cost, CostAboveConstant, LogLoss, Overconfidence, Slope,
};
use allometry_analysis::{
    CalibratedRows, CalibrationMeasure, Costs, Estimate, MeasuredCalibration, NoRowError, Options, RowOrder,
    Series, measured_calibration,
};
use allometry_core::TrialRng;
use allometry_core::rng::stream;
use random::{gaussian, uniform};
use serde::Deserialize;

const COSTS: Costs = Costs { false_positive: 1.0, false_negative: 2.0 };
const SERIES: Series<'static> = Series { horizon: 1, order: RowOrder::Stored, panel: None, eras: None };

#[derive(Deserialize)]
struct Case {
    name: String,
    width: usize,
    probabilities: Vec<f32>,
    targets: Vec<usize>,
    slope: f64,
    error: f64,
    log_loss: f64,
    brier: f64,
    gap: f64,
}

fn measures(width: usize, targets: &[usize], probabilities: [&[f32]; 2]) -> Vec<MeasuredCalibration> {
    let rows: Vec<u64> = (0..targets.len() as u64).collect();
    let costs = (width == 1).then_some(COSTS);
    let of = CalibratedRows { rows: &rows, targets, width, probabilities, series: SERIES, costs };
    measured_calibration(&of, &Options::default()).unwrap()
}

fn find(measures: &[MeasuredCalibration], measure: CalibrationMeasure) -> &MeasuredCalibration {
    measures.iter().find(|one| one.measure == measure).unwrap()
}

#[test]
fn agrees_with_statsmodels_and_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/recalibration.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let found = measures(case.width, &case.targets, [&case.probabilities, &case.probabilities]);
        let gap = if case.width == 1 { Bias } else { Overconfidence };
        let expected = [(Slope, case.slope), (LogLoss, case.log_loss), (Brier, case.brier), (gap, case.gap)];
        assert_eq!(found.len(), expected.len() + 2 * usize::from(case.width == 1));
        for (measure, expected) in expected {
            let one = find(&found, measure);
            let close = (one.before.point - expected).abs() <= 1e-6 * expected.abs().max(0.1);
            assert!(close, "{}: {measure:?} {}, expected {expected}", case.name, one.before.point);
            assert_eq!(one.before, one.after);
            assert_eq!((one.change.point, one.change.interval), (0.0, None), "nothing changes");
        }
        // Independent rows: the long-run error is near that of the rows, which statsmodels has.
        let error = find(&found, Slope).before.standard_error.unwrap();
        assert!((0.6..1.6).contains(&(error / case.error)), "{}: {error}, {}", case.name, case.error);
    }
}

#[test]
fn figures_without_a_value_are_left_out() {
    let targets: Vec<usize> = (0..60).map(|row| row % 2).collect();
    let constant = vec![0.5; 60];
    let separated: Vec<f32> = targets.iter().map(|target| 0.1 + 0.8 * *target as f32).collect();
    for probabilities in [&constant, &separated] {
        let found = measures(1, &targets, [probabilities, probabilities]);
        let found: Vec<CalibrationMeasure> = found.iter().map(|one| one.measure).collect();
        assert_eq!(found, [LogLoss, Brier, Bias, Cost, CostAboveConstant], "there is no slope");
    }
    let of = CalibratedRows {
        rows: &[0],
        targets: &[1],
        width: 1,
        probabilities: [&[0.5], &[0.5]],
        series: SERIES,
        costs: None,
    };
    assert_eq!(measured_calibration(&of, &Options::default()), Err(NoRowError::Undefined));
}

#[test]
fn costs_are_those_of_the_decisions() {
    let (targets, probabilities) = ([1, 0, 1, 0, 0, 1], [0.4, 0.4, 0.2, 0.1, 0.9, 0.6]);
    assert!((COSTS.threshold() - 1.0 / 3.0).abs() < 1e-15);
    let targets: Vec<usize> = targets.iter().cycle().take(60).copied().collect();
    let sharp: Vec<f32> = targets.iter().map(|target| *target as f32).collect();
    let probabilities: Vec<f32> = probabilities.iter().cycle().take(60).copied().collect();
    let found = measures(1, &targets, [&probabilities, &sharp]);
    // Of six rows two false positives at 1 and one false negative at 2; deciding always for 1 costs 3.
    let cost = find(&found, Cost);
    assert!((cost.before.point - 4.0 / 6.0).abs() < 1e-12 && cost.after.point == 0.0);
    let above = find(&found, CostAboveConstant);
    assert!((above.before.point - 1.0 / 6.0).abs() < 1e-12 && (above.after.point + 0.5).abs() < 1e-12);
}

fn expit(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Returns the next number of a series with this correlation of neighbours, whose deviation is 1.
fn next(rng: &mut TrialRng, last: f64, correlation: f64) -> f64 {
    correlation * last + (1.0 - correlation * correlation).sqrt() * gaussian(rng)
}

/// Returns labels with the probit `0.5 z - 0.3` of a logit `2 z`, which depend on their neighbours by `z` and
/// by their noise, and the probabilities by the logit and by a calibration of it.
fn rows(rng: &mut TrialRng, count: usize, correlation: f64) -> (Vec<usize>, [Vec<f32>; 2]) {
    let (mut z, mut noise) = (gaussian(rng), gaussian(rng));
    let mut targets = Vec::with_capacity(count);
    let mut probabilities = [Vec::with_capacity(count), Vec::with_capacity(count)];
    for _ in 0..count {
        z = next(rng, z, correlation);
        noise = next(rng, noise, correlation);
        targets.push(usize::from(0.5 * z - 0.3 + noise > 0.0));
        probabilities[0].push(expit(2.0 * z) as f32);
        probabilities[1].push(expit(0.7 * z - 0.4) as f32);
    }
    (targets, probabilities)
}

/// Intervals at 95% of every figure and of its change, with independent rows and with rows that depend on
/// their neighbours.
#[test]
fn intervals_cover_new_rows() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(250);
    let mut rng = stream(11, "calibrated", 0);
    // The truth by very many independent rows.
    let (mut targets, mut all) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..40 {
        let (more, probabilities) = rows(&mut rng, 10_000, 0.0);
        targets.extend(more);
        all.iter_mut().zip(probabilities).for_each(|(all, more)| all.extend(more));
    }
    let truth = measures(1, &targets, [&all[0], &all[1]]);
    for correlation in [0.0, 0.7] {
        let mut covered = [[0_u64; 3]; 6];
        for run in 0..runs {
            let mut rng = stream(12, "calibrated", run);
            let (targets, [before, after]) = rows(&mut rng, 700, correlation);
            let found = measures(1, &targets, [&before, &after]);
            for (place, (found, truth)) in found.iter().zip(&truth).enumerate() {
                assert_eq!(found.measure, truth.measure);
                let parts = |one: &MeasuredCalibration| [one.before, one.after, one.change];
                for (part, (found, truth)) in parts(found).iter().zip(parts(truth)).enumerate() {
                    covered[place][part] += u64::from(covers(found, truth.point));
                }
            }
        }
        for (place, counts) in covered.iter().enumerate() {
            let measure = truth[place].measure;
            let shares = counts.map(|count| count as f64 / runs as f64);
            println!("correlation {correlation}, {measure:?}: without, with and change {shares:?}");
            let fits = shares.iter().all(|share| (0.91..=1.0).contains(share));
            assert!(fits, "correlation {correlation}, {measure:?}: 95% intervals cover in {shares:?}");
        }
    }
}

fn covers(estimate: &Estimate, truth: f64) -> bool {
    estimate.interval.unwrap().contains(truth)
}

#[test]
fn several_classes_have_their_figures() {
    let mut rng = stream(13, "classes", 0);
    let (mut targets, mut sharp, mut soft) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..900 {
        let z = [0.0; 3].map(|_: f64| gaussian(&mut rng));
        let shares = |factor: f64| {
            let odds = z.map(|z| (factor * z).exp());
            let sum: f64 = odds.iter().sum();
            odds.map(|odds| odds / sum)
        };
        let (own, draw) = (shares(1.0), uniform(&mut rng));
        targets.push(usize::from(draw > own[0]) + usize::from(draw > own[0] + own[1]));
        sharp.extend(shares(2.0).map(|p| p as f32));
        soft.extend(own.map(|p| p as f32));
    }
    let found = measures(3, &targets, [&sharp, &soft]);
    let slope = find(&found, Slope);
    assert!(covers(&slope.before, 0.5) && covers(&slope.after, 1.0), "{slope:?}");
    let confidence = find(&found, Overconfidence);
    assert!(confidence.before.interval.unwrap().lower > 0.0 && covers(&confidence.after, 0.0));
    for measure in [LogLoss, Brier] {
        assert!(find(&found, measure).change.interval.unwrap().upper < 0.0, "{measure:?}");
    }
}
