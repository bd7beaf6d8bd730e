//! Tests of the rates at which intervals cover and tests fire on simulated studies whose true effects are
//! known. Seeds are fixed; bounds allow for the number of simulations.

mod random;

use allometry_analysis::consistency::Agreement;
use allometry_analysis::fanova::{Fanova, FanovaOutcome, TreeShare};
use allometry_analysis::stats::design::{Design, Term};
use allometry_analysis::stats::least_squares::Fit;
use allometry_analysis::stats::lmg;
use allometry_analysis::stats::random::below;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::{Analysis, LadderTrials, Options, Outcome, StudyTrials, analyze};
use allometry_core::rng::stream;
use allometry_core::{FrozenTrial, ModelSize, Params, TrialRng, TrialState};
use random::{gaussian, uniform};

const SIMULATIONS: u64 = 200;

fn options() -> Options {
    Options { level: 0.9, permutations: 199, bootstraps: 199, ..Options::default() }
}

fn ladder(studies: Vec<Vec<FrozenTrial>>) -> LadderTrials {
    let study = |(position, trials): (usize, Vec<FrozenTrial>)| {
        StudyTrials::new(&format!("b{position}"), "simulation", trials)
    };
    LadderTrials::new(studies.into_iter().enumerate().map(study).collect())
}

/// Returns trials whose metric rises with `real`, peaks inside `peak`, and ignores `null`; a third of the
/// noise is the effect of `real`. Later trials prefer good values of `real` and, with it, the value of `null`
/// that came with the best so far, as a model-based sampler does.
fn study(rng: &mut TrialRng, trials: u64, is_adaptive: bool) -> Vec<FrozenTrial> {
    let mut done: Vec<FrozenTrial> = Vec::new();
    for number in 0..trials {
        let best = done.iter().max_by(|a, b| a.value().unwrap().total_cmp(&b.value().unwrap()));
        let copy = is_adaptive && number >= 10 && uniform(rng) < 0.6;
        let mut pick = |name: &str, count: usize| match best.filter(|_| copy && uniform(rng) < 0.7) {
            Some(best) => best.params.get(name).unwrap().as_i64().unwrap(),
            None => below(rng, count) as i64,
        };
        let (real, peak, null, other) =
            (pick("real", 4), pick("peak", 3), pick("null", 4), pick("dropout", 4));
        let params: Params =
            [("real", real), ("peak", peak), ("null", null), ("dropout", other)].into_iter().collect();
        let value = 0.7 + 0.01 * real as f64 + if peak == 1 { 0.03 } else { 0.0 } + 0.015 * gaussian(rng);
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
        trial.record.size = Some(ModelSize { total: 10_u64.pow(4 + real as u32), non_embedding: 0 });
        done.push(trial);
    }
    done
}

fn simulate(name: &str, trials: u64, is_adaptive: bool) -> Vec<Analysis> {
    (0..SIMULATIONS)
        .map(|index| {
            let mut rng = stream(7, name, index);
            let studies = vec![study(&mut rng, trials, is_adaptive), study(&mut rng, trials, is_adaptive)];
            analyze(&ladder(studies), &options())
        })
        .collect()
}

/// Returns the share of the simulated studies for which a condition holds.
fn share(analyses: &[Analysis], holds: impl Fn(&allometry_analysis::StudyAnalysis) -> bool) -> f64 {
    let studies = || analyses.iter().flat_map(|analysis| &analysis.studies);
    studies().filter(|study| holds(study)).count() as f64 / studies().count() as f64
}

fn p_of(study: &allometry_analysis::StudyAnalysis, name: &str) -> f64 {
    let importance = study.importance.iter().find(|one| one.parameter == name).unwrap();
    importance.adjusted.unwrap().p.unwrap()
}

fn class_of(study: &allometry_analysis::StudyAnalysis, name: &str) -> TrendClass {
    study.trends.iter().find(|trend| trend.parameter == name).unwrap().adjusted.as_ref().unwrap().class
}

#[test]
fn tests_fire_at_their_level_and_find_what_is_there() {
    for (name, is_adaptive) in [("random", false), ("adaptive", true)] {
        let analyses = simulate(name, 50, is_adaptive);
        let nulls = share(&analyses, |study| p_of(study, "null") < 0.1);
        assert!(nulls < 0.13, "{name}: tests of a null parameter at 10% fire in {nulls}");
        let found = share(&analyses, |study| p_of(study, "real") < 0.1);
        assert!(found > 0.8, "{name}: a real effect is found in {found}");
        let called = share(&analyses, |study| {
            matches!(class_of(study, "null"), TrendClass::Increasing | TrendClass::Decreasing)
        });
        assert!(called < 0.13, "{name}: a null trend is called in {called}");
        let rising = share(&analyses, |study| class_of(study, "real") == TrendClass::Increasing);
        let falling = share(&analyses, |study| class_of(study, "real") == TrendClass::Decreasing);
        assert!(rising > 0.6 && falling < 0.01, "{name}: a rise is called in {rising}, a fall in {falling}");
        let peaks = share(&analyses, |study| class_of(study, "peak") == TrendClass::PeakInside);
        assert!(peaks > 0.7, "{name}: a peak is called in {peaks}");
    }
}

#[test]
fn intervals_cover() {
    let analyses = simulate("cover", 50, false);
    let slopes = share(&analyses, |study| {
        let trend = study.trends.iter().find(|trend| trend.parameter == "real").unwrap();
        trend.adjusted.as_ref().unwrap().slope.unwrap().interval.unwrap().contains(0.01)
    });
    assert!((0.86..=0.94).contains(&slopes), "90% intervals of a slope cover in {slopes}");
    // Sizes differ within budgets only.
    let gains =
        analyses.iter().filter(|one| one.scaling.within_budgets.unwrap().interval.unwrap().contains(0.01));
    let gains = gains.count() as f64 / analyses.len() as f64;
    assert!((0.84..=0.95).contains(&gains), "90% intervals of the gain within budgets cover in {gains}");
}

/// Returns the effect of a parameter's value on the metric.
type Effect = fn(i64) -> f64;

const PARAMETERS: [&str; 4] = ["real", "peak", "null", "dropout"];

fn code(trial: &FrozenTrial, name: &str) -> i64 {
    trial.params.get(name).unwrap().as_i64().unwrap()
}

fn design_of(trials: &[FrozenTrial]) -> Design {
    let factor = |name: &&str| {
        let codes = trials.iter().map(|trial| code(trial, name) as usize).collect();
        Term::Factor { codes, levels: 4 }
    };
    Design::new(trials.len(), &PARAMETERS.iter().map(factor).collect::<Vec<_>>())
}

/// Returns the noncentrality of a parameter at the configurations of `trials`: the part of its effect that
/// the other parameters cannot fit, in units of the noise.
fn noncentrality(trials: &[FrozenTrial], name: &str, effect: Effect, sd: f64) -> f64 {
    let response: Vec<f64> = trials.iter().map(|trial| effect(code(trial, name))).collect();
    let design = design_of(trials);
    let position = PARAMETERS.iter().position(|one| *one == name).unwrap();
    let fit = Fit::new(&design, &response);
    fit.map_or(0.0, |fit| fit.term_tests()[position].sum_of_squares / (sd * sd))
}

/// Returns the shares of the metric's variance at the configurations of `trials`, under the effects and a
/// noise of `sd`.
fn true_shares(trials: &[FrozenTrial], effects: &[(&str, Effect)], sd: f64) -> Vec<f64> {
    let mean = |trial: &FrozenTrial| effects.iter().map(|(name, effect)| effect(code(trial, name))).sum();
    let means: Vec<f64> = trials.iter().map(mean).collect();
    let design = design_of(trials);
    let center = means.iter().sum::<f64>() / means.len() as f64;
    let signal = means.iter().map(|mean| (mean - center).powi(2)).sum::<f64>() / means.len() as f64;
    let shares = lmg::exact(&design.cross_products(&means, None), design.terms());
    shares.iter().map(|share| share * signal / (signal + sd * sd)).collect()
}

#[test]
fn intervals_of_shares_cover_at_the_same_configurations() {
    let studies = 600;
    let worlds: [(&str, [(&str, Effect); 2]); 3] = [
        (
            "two effects",
            [("real", |value| 0.01 * value as f64), ("peak", |value| 0.03 * f64::from(value == 1))],
        ),
        ("one effect", [("real", |value| 0.02 * value as f64), ("peak", |_| 0.0)]),
        ("no effect", [("real", |_| 0.0), ("peak", |_| 0.0)]),
    ];
    for (world, effects) in worlds {
        let mut covered = [0; 3];
        for index in 0..studies {
            let mut rng = stream(7, world, index);
            let mut trials = study(&mut rng, 50, false);
            for trial in &mut trials {
                let mean: f64 = effects.iter().map(|(name, effect)| effect(code(trial, name))).sum();
                trial.values = vec![0.7 + mean + 0.015 * gaussian(&mut rng)];
            }
            let truths = true_shares(&trials, &effects, 0.015);
            let analysis = analyze(&ladder(vec![trials]), &options());
            for ((name, truth), covered) in PARAMETERS.iter().zip(&truths).zip(&mut covered) {
                let importance =
                    analysis.studies[0].importance.iter().find(|one| one.parameter == *name).unwrap();
                let interval = importance.share.unwrap().interval.unwrap();
                *covered += u32::from(interval.contains(*truth));
            }
        }
        for ((name, covered), effect) in PARAMETERS.iter().zip(covered).zip(0..) {
            let covered = f64::from(covered) / studies as f64;
            println!("{world}: 90% intervals of the share of {name} cover in {covered:.3}");
            let is_real = effects.get(effect).is_some_and(|(_, effect)| effect(1) != effect(0));
            // For a share of 0, only the upper end of the interval can miss.
            let expected = if is_real { 0.86..=0.94 } else { 0.93..=1.0 };
            assert!(expected.contains(&covered), "{world}: intervals of the share of {name}: {covered}");
        }
    }
}

#[test]
fn intervals_of_partial_omega_squared_cover_at_the_same_configurations() {
    let (trials, studies) = (50, 600);
    let effects: [(&str, Effect); 3] = [
        ("real", |value| 0.01 * value as f64),
        ("peak", |value| if value == 1 { 0.03 } else { 0.0 }),
        ("null", |_| 0.0),
    ];
    let mut covered = [0; 3];
    for index in 0..studies {
        let trials = study(&mut stream(7, "partial", index), trials, false);
        let analysis = analyze(&ladder(vec![trials.clone()]), &options());
        for ((name, effect), covered) in effects.iter().zip(&mut covered) {
            let lambda = noncentrality(&trials, name, *effect, 0.015);
            let importance =
                analysis.studies[0].importance.iter().find(|one| one.parameter == *name).unwrap();
            let interval = importance.adjusted.unwrap().partial_omega_squared.unwrap().interval.unwrap();
            *covered += u32::from(interval.contains(lambda / (lambda + trials.len() as f64)));
        }
    }
    for ((name, _), covered) in effects.iter().zip(covered) {
        let covered = f64::from(covered) / studies as f64;
        println!("90% intervals of the partial omega squared of {name} cover in {covered:.3}");
        // Without an effect, only the upper end of the interval can miss.
        let expected = if *name == "null" { 0.93..=0.98 } else { 0.86..=0.94 };
        assert!(
            expected.contains(&covered),
            "90% intervals of the partial omega squared of {name}: {covered}"
        );
    }
}

/// The middle 90% of a forest's trees contain the mean share of all simulated studies in at least 86% of the
/// studies.
#[test]
fn the_spread_of_a_forest_holds_what_other_trials_would_tell_it() {
    let analyses = simulate("forest", 100, false);
    let shares = |name: &str| -> Vec<TreeShare> {
        let forests =
            analyses.iter().flat_map(|one| &one.studies).map(|study| &study.space_importance.forest);
        let computed = forests.filter_map(|forest| match forest {
            FanovaOutcome::Computed(fanova) => Some(fanova),
            FanovaOutcome::Withheld { .. } => None,
        });
        let of = |fanova: &Fanova| fanova.singles.iter().find(|one| one.parameter == name).unwrap().share;
        computed.map(of).collect()
    };
    for name in ["real", "peak", "null"] {
        let shares = shares(name);
        assert!(shares.len() > 200, "the forest predicts in {}", shares.len());
        let expected = shares.iter().map(|share| share.mean).sum::<f64>() / shares.len() as f64;
        let covered = shares.iter().filter(|share| share.interval.contains(expected)).count();
        let covered = covered as f64 / shares.len() as f64;
        println!("the middle 90% of the trees hold the expected share of {name} in {covered:.3}");
        assert!(
            covered >= 0.86,
            "the middle 90% of the trees hold the expected share of {name} in {covered}"
        );
    }
}

#[test]
fn budgets_that_agree_are_seldom_called_inconsistent() {
    let analyses = simulate("agree", 50, true);
    let called = |analysis: &&Analysis| {
        let null = analysis.consistency.iter().find(|one| one.parameter == "real").unwrap();
        null.agreement == Agreement::Inconsistent
    };
    let share = analyses.iter().filter(called).count() as f64 / analyses.len() as f64;
    assert!(share < 0.2, "two sets at 90% miss the common best value in {share}");
    let wrong = analyses.iter().filter(|one| one.verdict.outcome == Outcome::Violated).count();
    assert!(wrong <= analyses.len() / 20, "scale pays here, and is told to harm in {wrong}");
}
