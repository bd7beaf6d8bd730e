//! Tests of transfers between budgets.

mod random;
mod retrained;

use allometry_analysis::transfer::{TransferCell, TransferOutcome};
use allometry_analysis::{
    Analysis, LadderTrials, Method, Options, RetrainedTrials, RowOrder, Series, analyze, paired_gain,
};
use allometry_core::Metrics;
use allometry_core::rng::stream;
use allometry_core::{Direction, ValidationScores};
use random::gaussian;
use retrained::{Training, auc, scored, study, trained};

fn analysis(metric: &str, transfers: Vec<RetrainedTrials>, options: &Options) -> Analysis {
    let ladder = LadderTrials {
        metrics: Metrics::one(metric, Direction::Maximize),
        transfers,
        ..LadderTrials::new(vec![study("small"), study("large")])
    };
    analyze(&ladder, options)
}

fn cell(analysis: &Analysis, from: &str, to: &str) -> TransferCell {
    analysis.transfer.as_ref().unwrap().cell(from, to).unwrap().clone()
}

#[test]
fn losses_are_paired_by_seed() {
    let plan = [("small", 0, 0.1), ("large", 0, 0.2)];
    let home = vec![
        Training::new(0.1, 1, 0.80),
        Training::new(0.1, 2, 0.90),
        // This seed is not in the plan, so the training is ignored.
        Training::new(0.2, 9, 0.10),
        Training::new(0.2, 2, 0.86),
        Training::new(0.2, 1, 0.78),
    ];
    let away = vec![Training::new(0.1, 1, 0.5), Training::new(0.2, 1, 0.5)];
    let transfers = vec![trained("large", &plan, 2, away), trained("small", &plan, 2, home)];
    let found = analysis("accuracy", transfers, &Options { level: 0.9, ..Options::default() });
    let transfer = found.transfer.as_ref().unwrap();
    assert_eq!(transfer.budgets, ["small", "large"], "in the ladder's order");
    assert_eq!((transfer.planned, transfer.complete), (8, 6));
    let lost = cell(&found, "large", "small");
    assert!((lost.value - 0.82).abs() < 1e-12);
    assert_eq!(lost.seeds, 2);
    let loss = lost.loss.unwrap();
    // Differences of 0.02 and 0.04: a mean of 0.03, an error of 0.01 with one degree of freedom.
    assert!((loss.point - 0.03).abs() < 1e-12);
    assert!((loss.standard_error.unwrap() - 0.01).abs() < 1e-12);
    let half = 0.01 * 6.313_751_514_675_04;
    assert!((loss.interval.unwrap().upper - 0.03 - half).abs() < 1e-9);
    assert_eq!(loss.method, Method::PairedSeeds);
    // Student's t with one degree of freedom is Cauchy's distribution.
    let p = 1.0 - 2.0 * 3.0_f64.atan() / std::f64::consts::PI;
    assert!((lost.p.unwrap() - p).abs() < 1e-9);
    assert_eq!(lost.outcome, Some(TransferOutcome::Undecided));
    assert_eq!(cell(&found, "small", "small").loss, None);
    let alone = cell(&found, "small", "large").loss.unwrap();
    assert_eq!((alone.point, alone.method), (0.0, Method::Observed), "one seed and no scores tell no error");
}

#[test]
fn settings_that_are_the_same_lose_nothing() {
    let plan = [("small", 0, 0.1), ("large", 0, 0.1)];
    let home = vec![Training::new(0.1, 1, 0.8)];
    let away = vec![Training::new(0.1, 1, 0.7)];
    let transfers = vec![trained("small", &plan, 1, home), trained("large", &plan, 1, away)];
    let found = analysis("AUC", transfers, &Options::default());
    let same = cell(&found, "small", "large");
    assert_eq!(same.loss.unwrap().method, Method::Identical);
    assert_eq!((same.p, same.outcome), (None, Some(TransferOutcome::CarriesOver)));
}

#[test]
fn best_configurations_may_change_their_order() {
    let rates = [0.1, 0.2, 0.3, 0.4];
    let of_small: Vec<(&str, u64, f64)> =
        (0..).zip(rates).map(|(rank, rate)| ("small", rank, rate)).chain([("large", 0, 0.9)]).collect();
    let home = rates.iter().map(|rate| Training::new(*rate, 1, 1.0 - rate)).collect();
    // One of six pairs changes its order.
    let away = vec![
        Training::new(0.1, 1, 0.8),
        Training::new(0.2, 1, 0.9),
        Training::new(0.3, 1, 0.6),
        Training::new(0.4, 1, 0.5),
    ];
    let transfers = vec![trained("small", &of_small, 1, home), trained("large", &of_small, 1, away)];
    let found = analysis("accuracy", transfers, &Options::default());
    let order = cell(&found, "small", "large").order.unwrap();
    assert!((order.tau - 4.0 / 6.0).abs() < 1e-12);
    assert_eq!(order.configurations, 4);
}

/// Returns trainings on new rows under new seeds, which change the distance of the classes at random.
fn simulated(
    index: u64,
    seeds: u64,
    [own, carried]: [f64; 2],
    luck: f64,
    options: &Options,
) -> (Analysis, [ValidationScores; 2]) {
    let mut rng = stream(3, "transfer", index);
    let rows: Vec<f64> = (0..300).map(|_| gaussian(&mut rng)).collect();
    let mut home = Vec::new();
    let mut first = Vec::new();
    for seed in 1..=seeds {
        for (rate, distance) in [(0.1, own), (0.2, carried)] {
            let distance = distance + luck * gaussian(&mut rng);
            let scores = scored(&rows, distance, &mut rng);
            if seed == 1 {
                first.push(scores.clone());
            }
            home.push(Training { scores: Some(scores.clone()), ..Training::new(rate, seed, auc(&scores)) });
        }
    }
    let plan = [("small", 0, 0.1), ("large", 0, 0.2)];
    let away = vec![Training::new(0.1, 1, 0.5), Training::new(0.2, 1, 0.6)];
    let transfers = vec![trained("small", &plan, seeds, home), trained("large", &plan, 1, away)];
    (analysis("AUC", transfers, options), first.try_into().unwrap())
}

#[test]
fn one_seed_has_the_error_of_the_rows() {
    let options = Options::default();
    let (found, [own, carried]) = simulated(0, 1, [1.2, 0.9], 0.1, &options);
    let [own, carried] = [&own, &carried].map(|one| allometry_analysis::Scores {
        rows: &one.rows,
        labels: &one.labels,
        scores: &one.scores,
    });
    let series = Series { horizon: 1, order: RowOrder::RowNumbers, panel: None, eras: None };
    let expected = paired_gain(&carried, &own, series, &options).unwrap();
    let loss = cell(&found, "large", "small").loss.unwrap();
    assert_eq!(loss.method, Method::PairedRows);
    assert!((loss.point - expected.point).abs() < 1e-9);
    assert!((loss.standard_error.unwrap() - expected.standard_error.unwrap()).abs() < 1e-9);
}

/// If all settings are equally good, intervals of their loss cover 0, for new rows and new seeds, and few are
/// reported as a loss or gain.
#[test]
fn intervals_of_a_loss_cover() {
    let options = Options { level: 0.9, permutations: 9, bootstraps: 9, ..Options::default() };
    for (seeds, luck) in [(2, 0.0), (2, 0.3), (3, 0.1), (4, 0.3)] {
        let mut covered = 0;
        for index in 0..400 {
            let (found, _) = simulated(index, seeds, [1.0, 1.0], luck, &options);
            let loss = cell(&found, "large", "small").loss.unwrap();
            covered += u32::from(loss.interval.unwrap().contains(0.0));
        }
        let covered = f64::from(covered) / 400.0;
        println!("{seeds} seeds, luck {luck}: 90% intervals of a loss cover in {covered:.3}");
        // Few seeds are a poor estimate of their spread, which cannot be below 0: intervals are too wide.
        let most = if seeds == 2 { 0.97 } else { 0.96 };
        assert!((0.86..=most).contains(&covered), "{seeds} seeds, luck {luck}: {covered}");
    }
}

#[test]
fn a_real_loss_is_told() {
    let options = Options { permutations: 9, bootstraps: 9, ..Options::default() };
    let mut told = 0;
    for index in 0..40 {
        let (found, _) = simulated(index, 4, [1.6, 0.8], 0.05, &options);
        told += u32::from(cell(&found, "large", "small").outcome == Some(TransferOutcome::Costs));
    }
    assert!(told >= 36, "{told} of 40");
}
