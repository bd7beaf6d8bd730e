//! Tests of the rate of wrong verdicts on simulated ladders where scale pays, hurts, or has no effect, with
//! stored scores and without. Seeds are fixed; bounds allow for the number of simulations.

mod random;

use allometry_analysis::stats::weighted_auc::SortedRows;
use allometry_analysis::stats::{auc, influence, normal};
use allometry_analysis::{
    Analysis, Estimate, LadderTrials, Options, Outcome, RowOrder, Scores, Series, StudyPredictions,
    StudyTrials, analyze, paired_gain,
};
use allometry_core::rng::stream;
use allometry_core::{
    ClassCounts, FrozenTrial, ModelSize, Params, TrialNumber, TrialRng, TrialState, ValidationScores,
};
use random::{gaussian, uniform};

const SIMULATIONS: u64 = 200;
const TRIALS: u64 = 10;
const BUDGETS: [(&str, u64); 3] = [("100k", 100_000), ("1M", 1_000_000), ("10M", 10_000_000)];
const ROWS: ClassCounts = ClassCounts { positives: 123, negatives: 594 };
/// Correlation between the scores of two models on a row of either class.
const SHARED: f64 = 0.8;

/// Returns a ladder whose models separate the classes by a distance that depends on the budget. The AUC is
/// `Phi(distance / sqrt 2)`, minus the loss of a configuration against the best possible one.
fn ladder(rng: &mut TrialRng, distances: [f64; 3], has_scores: bool) -> LadderTrials {
    let count = (ROWS.positives + ROWS.negatives) as usize;
    let labels: Vec<bool> = (0..count).map(|row| row < ROWS.positives as usize).collect();
    let shared: Vec<f64> = (0..count).map(|_| gaussian(rng)).collect();
    let ones = vec![1.0; count];
    let studies = BUDGETS.iter().zip(distances).map(|((label, weights), distance)| {
        let mut scores = StudyPredictions::default();
        let trials = (0..TRIALS)
            .map(|number| {
                let distance = distance - 0.1 * uniform(rng);
                let predicted: Vec<f32> = labels
                    .iter()
                    .zip(&shared)
                    .map(|(label, shared)| {
                        let noise = SHARED.sqrt() * shared + (1.0 - SHARED).sqrt() * gaussian(rng);
                        let score = noise + if *label { distance } else { 0.0 };
                        (1.0 / (1.0 + (-score).exp())) as f32
                    })
                    .collect();
                let auc = SortedRows::new(&labels, &predicted).auc(&ones).unwrap();
                let params: Params = [("distance", distance)].into_iter().collect();
                let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(auc), params);
                trial.record.size = Some(ModelSize { total: *weights, non_embedding: 0 });
                if has_scores {
                    let rows = (0..count as u64).collect();
                    let stored = ValidationScores { rows, labels: labels.clone(), scores: predicted };
                    assert!(scores.insert(TrialNumber(number), stored));
                }
                trial
            })
            .collect();
        StudyTrials { predictions: scores, ..StudyTrials::new(label, "simulation", trials) }
    });
    LadderTrials { rows: Some(ROWS), ..LadderTrials::new(studies.collect()) }
}

fn simulate(name: &str, distances: [f64; 3], has_scores: bool) -> Vec<Analysis> {
    let options = Options { permutations: 0, bootstraps: 199, ..Options::default() };
    (0..SIMULATIONS)
        .map(|index| {
            let mut rng = stream(11, name, index);
            analyze(&ladder(&mut rng, distances, has_scores), &options)
        })
        .collect()
}

fn share(analyses: &[Analysis], outcome: Outcome) -> f64 {
    analyses.iter().filter(|one| one.verdict.outcome == outcome).count() as f64 / analyses.len() as f64
}

/// If every difference is chance, at most 5% of the ladders get a verdict for or against scale. If scale pays
/// or hurts by at least 0.07 AUC per step, no ladder gets the opposite verdict.
#[test]
fn a_verdict_is_seldom_wrong() {
    for has_scores in [false, true] {
        let nothing = simulate("nothing", [0.85; 3], has_scores);
        let told = share(&nothing, Outcome::Holds) + share(&nothing, Outcome::Violated);
        assert!(told <= 0.05, "scores {has_scores}: chance is told to be an effect in {told}");
        let pays = simulate("pays", [0.6, 0.85, 1.1], has_scores);
        assert_eq!(share(&pays, Outcome::Violated), 0.0);
        assert!(share(&pays, Outcome::Holds) > 0.9, "scores {has_scores}: a gain is seldom told");
        let hurts = simulate("hurts", [1.1, 0.85, 0.6], has_scores);
        assert_eq!(share(&hurts, Outcome::Holds), 0.0);
        assert!(share(&hurts, Outcome::Violated) > 0.9, "scores {has_scores}: a loss is seldom told");
    }
}

/// A gain of about 0.03 AUC over two decades is found much more often from scores on the same rows than from
/// class counts.
#[test]
fn scores_decide_what_class_counts_cannot() {
    let distances = [0.80, 0.88, 0.96];
    let (blind, paired) = (simulate("small", distances, false), simulate("small", distances, true));
    let (blind_found, paired_found) = (share(&blind, Outcome::Holds), share(&paired, Outcome::Holds));
    assert!(paired_found > 0.2 + blind_found, "{paired_found} with scores, {blind_found} without");
    let wrong = share(&blind, Outcome::Violated) + share(&paired, Outcome::Violated);
    assert!(wrong <= 0.01, "the opposite is said in {wrong}");
}

/// The best value of ten trials is biased upwards. The corrected one, which chooses on resampled rows and
/// scores on the rows left out, is not.
#[test]
fn the_corrected_best_is_no_longer_flattered() {
    let analyses = simulate("corrected", [0.85; 3], true);
    let mean = |value: &dyn Fn(&Analysis) -> Vec<f64>| {
        let values: Vec<f64> = analyses.iter().flat_map(value).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let observed = mean(&|one| one.scaling.points.iter().map(|point| point.best.point).collect());
    let corrected = mean(&|one| {
        one.scaling.resampled.as_ref().unwrap().corrected.iter().map(|budget| budget.best.point).collect()
    });
    let truth = mean(&|one| {
        let best = one.studies.iter().map(|study| study.summary.incumbent().unwrap());
        let distance = best.map(|best| best.params.get("distance").unwrap().as_f64().unwrap());
        distance.map(|distance| normal::cdf(distance / 2.0_f64.sqrt())).collect()
    });
    assert!(observed - truth > 0.01, "the best of ten is flattered: {observed:.4} for {truth:.4}");
    assert!((corrected - truth).abs() < 0.004, "corrected {corrected:.4} for {truth:.4}");
    let mut covered = 0;
    for (point, best) in analyses.iter().flat_map(|one| {
        let resampled = one.scaling.resampled.as_ref().unwrap();
        resampled
            .corrected
            .iter()
            .zip(&one.studies)
            .map(|(point, study)| (point, study.summary.incumbent().unwrap()))
    }) {
        let distance = best.params.get("distance").unwrap().as_f64().unwrap();
        let truth = normal::cdf(distance / 2.0_f64.sqrt());
        covered += u32::from(point.best.interval.unwrap().contains(truth));
    }
    let covered = f64::from(covered) / (3.0 * SIMULATIONS as f64);
    println!("95% intervals of the corrected best cover in {covered:.3}");
    assert!((0.92..=0.98).contains(&covered), "95% intervals of the corrected best cover in {covered}");
}

/// Draws a score above 0 that exceeds `x` with probability `exp(-x / mean)`.
fn exponential(rng: &mut TrialRng, mean: f64) -> f64 {
    -mean * (1.0 - uniform(rng)).ln()
}

/// Intervals of the AUC of one model that was chosen beforehand, from class counts alone and from its scores,
/// for two mixes of the classes and three qualities. Class counts do not determine the distribution of
/// scores: Hanley and McNeil assume exponential ones, for which the interval is exact. For normal ones it is
/// too wide if the model is good.
#[test]
fn intervals_of_an_auc_cover() {
    let options = Options { level: 0.9, ..Options::default() };
    let mixes = [ROWS, ClassCounts { positives: 40, negatives: 60 }];
    let cases = mixes.iter().flat_map(|rows| [0.5, 0.73, 0.86].map(|truth| (*rows, truth)));
    for ((rows, truth), is_exponential) in cases.flat_map(|case| [(case, false), (case, true)]) {
        let labels: Vec<bool> =
            (0..rows.positives + rows.negatives).map(|row| row < rows.positives).collect();
        let series = Series { horizon: 1, order: RowOrder::Stored, panel: None, eras: None };
        let distance = 2.0_f64.sqrt() * normal::quantile(truth);
        let (mut by_counts, mut by_scores) = (0, 0);
        for index in 0..1000 {
            let mut rng = stream(17, "auc", index);
            let score = |label: &bool| match (is_exponential, label) {
                (true, true) => exponential(&mut rng, truth / (1.0 - truth)),
                (true, false) => exponential(&mut rng, 1.0),
                (false, _) => gaussian(&mut rng) + if *label { distance } else { 0.0 },
            } as f32;
            let scores: Vec<f32> = labels.iter().map(score).collect();
            let predictions = Scores { rows: &[], labels: &labels, scores: &scores };
            let auc = influence::auc(&labels, &scores).unwrap().value;
            let holds = |estimate: Estimate| u32::from(estimate.interval.unwrap().contains(truth));
            by_counts += holds(Estimate::auc(auc, rows, &options));
            by_scores += holds(Estimate::scored_auc(auc, &predictions, series, &options).unwrap());
        }
        let scores = if is_exponential { "exponential" } else { "normal" };
        for (name, covered) in [("Hanley-McNeil", by_counts), ("DeLong", by_scores)] {
            println!(
                "{name}, {scores} scores, {}+{} rows, AUC {truth:.3}: 90% intervals cover in {covered} of \
                 1000",
                rows.positives, rows.negatives
            );
            let most = if name == "DeLong" || is_exponential { 940 } else { 970 };
            assert!((860..=most).contains(&covered), "{name} at an AUC of {truth:.3}: {covered} of 1000");
        }
    }
}

/// A test on the rows finds a difference about as often as is stated before a trial, where the errors of both
/// AUCs correlate as assumed and rows are independent. Scores are normal; the formula is for exponential
/// ones, whose AUC has a larger error, so that the stated power is rather too low.
#[test]
fn power_before_a_trial_is_about_as_stated() {
    let options = Options::default();
    let many = ClassCounts { positives: 500, negatives: 1_500 };
    for (rows, effect) in [(ROWS, 0.02), (ROWS, 0.04), (many, 0.01), (many, 0.02)] {
        let one = auc::hanley_mcneil(0.75, rows).unwrap();
        let error = auc::difference_error(one, one, options.correlation);
        let stated = auc::power_to_detect(effect, error, options.level);
        let count = rows.positives + rows.negatives;
        let labels: Vec<bool> = (0..count).map(|row| row < rows.positives).collect();
        let numbers: Vec<u64> = (0..count).collect();
        let distance = |auc: f64| 2.0_f64.sqrt() * normal::quantile(auc);
        let distances = [distance(0.75 - effect / 2.0), distance(0.75 + effect / 2.0)];
        let simulations = 2 * SIMULATIONS;
        let found = (0..simulations).filter(|simulation| {
            let mut rng = stream(*simulation, "power", count);
            // Correlation of scores with which the errors of their AUCs correlate by about 0.9.
            let shared: Vec<f64> = labels.iter().map(|_| 0.905_f64.sqrt() * gaussian(&mut rng)).collect();
            let scores = distances.map(|distance| {
                let score = |(label, shared): (&bool, &f64)| {
                    let own = 0.095_f64.sqrt() * gaussian(&mut rng);
                    (shared + own + if *label { distance } else { 0.0 }) as f32
                };
                labels.iter().zip(&shared).map(score).collect::<Vec<f32>>()
            });
            let [first, second] =
                [0, 1].map(|model| Scores { rows: &numbers, labels: &labels, scores: &scores[model] });
            let series = Series { horizon: 1, order: RowOrder::RowNumbers, panel: None, eras: None };
            let gain = paired_gain(&first, &second, series, &options).unwrap();
            gain.interval.is_some_and(|interval| interval.lower > 0.0)
        });
        let found = found.count() as f64 / simulations as f64;
        println!("{count} rows, {effect} AUC: power {stated:.2} stated, {found:.2} found");
        assert!((-0.05..0.1).contains(&(found - stated)), "{count} rows, {effect}: {stated}, {found}");
    }
}
