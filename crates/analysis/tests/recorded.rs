//! Tests of the rate at which tests fire on parameters without an effect if Optuna's samplers chose the
//! trials (`recorded/optuna_studies.py`), and if ours did.

mod random;

use std::sync::Arc;

use allometry_analysis::stats::permutation;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::{LadderTrials, Options, StudyAnalysis, StudyTrials, analyze};
use allometry_core::rng::stream;
use allometry_core::{
    Direction, Distribution, FrozenTrial, ParamValue, Params, SamplerKind, SamplerSpec, SearchSpace,
    SizeBudget, TrialState,
};
use allometry_search::{Feasible, StudyView, build_sampler};
use random::gaussian;
use rayon::prelude::*;

const PARAMETERS: [&str; 7] =
    ["d_model", "n_layers", "n_heads", "d_ff_ratio", "learning_rate", "dropout", "weight_decay"];
/// Parameters that the recorded objective ignores.
const NULL: [&str; 4] = ["n_layers", "n_heads", "d_ff_ratio", "weight_decay"];
const LEVEL: f64 = 0.1;

/// A recorded study as trials and as their analysis.
struct Recorded {
    trials: Vec<FrozenTrial>,
    analysis: StudyAnalysis,
}

/// One study per line: trials of seven digits, the levels, and a value in millionths.
fn recorded(text: &str) -> Vec<Recorded> {
    text.lines()
        .map(|line| {
            let mut ladder = ladder(line);
            let analysis = analyze(&ladder, &options()).studies.remove(0);
            Recorded { trials: ladder.studies.remove(0).trials.into_inner(), analysis }
        })
        .collect()
}

/// Levels of each parameter and, by level, what it adds to the metric: those of the script.
const LEVELS: [i64; 7] = [5, 5, 3, 2, 4, 4, 4];
const EFFECTS: [&[f64]; 7] = [
    &[0.0, 0.002, 0.004, 0.006, 0.008],
    &[],
    &[],
    &[],
    &[0.010, 0.014, 0.004, 0.0],
    &[0.012, 0.008, 0.004, 0.0],
    &[],
];
const NOISE: f64 = 0.012;
const TRIALS: u64 = 50;

/// Returns a study in which one of our samplers searches the script's objective.
fn driven(kind: SamplerKind, seed: u64) -> Recorded {
    // No constraint of the trainer applies to parameters with these names. Levels stand for values.
    let names: Vec<String> = (0..PARAMETERS.len()).map(|place| format!("parameter_{place}")).collect();
    let list = |levels: i64| Distribution::list((0..levels).map(ParamValue::from).collect());
    let space = SearchSpace(names.iter().cloned().zip(LEVELS.map(list)).collect());
    let feasible = Arc::new(Feasible::new(&space, &SizeBudget::nominal("any"), |_| None).unwrap());
    let spec = SamplerSpec { probes: false, ..SamplerSpec::new(kind) };
    let mut sampler = build_sampler(&[Direction::Maximize], spec, feasible, seed).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    for number in 0..TRIALS {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let suggestion = sampler.suggest(&view, &mut stream(seed, "sampler", number)).unwrap();
        let params = suggestion.params;
        let effects = names.iter().zip(EFFECTS).map(|(name, effects)| {
            let level = params.get(name).unwrap().as_i64().unwrap() as usize;
            effects.get(level).copied().unwrap_or(0.0)
        });
        let value = 0.68 + effects.sum::<f64>() + NOISE * gaussian(&mut stream(seed, "noise", number));
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
        trial.record.origin = Some(suggestion.origin);
        finished.push(trial);
    }
    for trial in &mut finished {
        trial.params = PARAMETERS.into_iter().zip(trial.params.0.values().cloned()).collect();
    }
    let ladder = LadderTrials::new(vec![StudyTrials::new("driven", "driven", finished.clone())]);
    Recorded { trials: finished, analysis: analyze(&ladder, &options()).studies.remove(0) }
}

fn options() -> Options {
    Options { level: 1.0 - LEVEL, permutations: 499, bootstraps: 0, ..Options::default() }
}

fn ladder(line: &str) -> LadderTrials {
    let trial = |(number, text): (usize, &str)| {
        let (levels, value) = text.split_once(':').unwrap();
        let levels = levels.bytes().map(|digit| i64::from(digit - b'0'));
        let params: Params = PARAMETERS.into_iter().zip(levels).collect();
        let value = value.parse::<f64>().unwrap() / 1e6;
        FrozenTrial::new(number as u64, TrialState::Complete, Some(value), params)
    };
    let study = StudyTrials::new("recorded", "recorded", line.split(' ').enumerate().map(trial).collect());
    LadderTrials::new(vec![study])
}

/// Returns the share of tests on `parameters` that fire in all studies. Parameters without a test do not
/// count.
fn fired(studies: &[Recorded], parameters: &[&str], test: impl Fn(&Recorded, &str) -> Option<bool>) -> f64 {
    let tests: Vec<bool> =
        studies.iter().flat_map(|study| parameters.iter().filter_map(|name| test(study, name))).collect();
    assert!(tests.len() > studies.len() * parameters.len() / 2, "most parameters have a test");
    tests.iter().filter(|fired| **fired).count() as f64 / tests.len() as f64
}

fn adjusted(study: &Recorded, name: &str) -> Option<bool> {
    let importance = study.analysis.importance.iter().find(|one| one.parameter == name)?;
    Some(importance.adjusted?.p? < LEVEL)
}

fn marginal(study: &Recorded, name: &str) -> Option<bool> {
    let importance = study.analysis.importance.iter().find(|one| one.parameter == name)?;
    Some(importance.p_permutation? < LEVEL)
}

/// Tests the parameter alone over all trials. Repeats of a configuration with the same value count as often
/// as they occur.
fn marginal_with_repeats(study: &Recorded, name: &str) -> Option<bool> {
    let values: Vec<f64> = study.trials.iter().filter_map(FrozenTrial::value).collect();
    let codes: Vec<usize> =
        study.trials.iter().filter_map(|trial| Some(trial.params.get(name)?.as_i64()? as usize)).collect();
    let groups = codes.iter().max()? + 1;
    let p = permutation::one_way(&values, &[(&codes, groups)], 499, &mut stream(5, name, 0));
    Some(p[0] < LEVEL)
}

fn called(study: &Recorded, name: &str) -> Option<bool> {
    let trend = study.analysis.trends.iter().find(|one| one.parameter == name)?;
    let class = trend.adjusted.as_ref()?.class;
    Some(matches!(class, TrendClass::Increasing | TrendClass::Decreasing))
}

#[test]
fn adjusted_tests_keep_their_level_where_marginal_ones_do_not() {
    let samplers = [("TPE", include_str!("recorded/tpe.txt")), ("GP", include_str!("recorded/gp.txt"))];
    for (sampler, text) in samplers {
        let studies = recorded(text);
        let of_null = |test: fn(&Recorded, &str) -> Option<bool>| fired(&studies, &NULL, test);
        let (adjusted_rate, repeats_rate) = (of_null(adjusted), of_null(marginal_with_repeats));
        println!(
            "{sampler}, {} studies: tests of null parameters at {LEVEL} fire in {adjusted_rate:.3} \
             (adjusted), {:.3} (marginal), {repeats_rate:.3} (marginal, repeats counted); their trends are \
             called in {:.3}",
            studies.len(),
            of_null(marginal),
            of_null(called)
        );
        assert!(adjusted_rate <= 1.3 * LEVEL, "{sampler}: adjusted tests fire in {adjusted_rate}");
        assert!(repeats_rate > 1.3 * LEVEL, "{sampler}: marginal tests fire in {repeats_rate}");
        assert!(of_null(called) <= 0.5 * LEVEL, "{sampler}: trends of null parameters are called");
        let found = fired(&studies, &["learning_rate", "dropout"], adjusted);
        assert!(found > 2.0 * adjusted_rate, "{sampler}: real effects are found in {found} only");
    }
}

#[test]
fn adjusted_tests_keep_their_level_under_our_own_samplers() {
    for (kind, count) in [(SamplerKind::Tpe, 600), (SamplerKind::Gp, 60)] {
        let studies: Vec<Recorded> = (0..count).into_par_iter().map(|seed| driven(kind, seed)).collect();
        let (null, alone) = (fired(&studies, &NULL, adjusted), fired(&studies, &NULL, marginal));
        let found = fired(&studies, &["learning_rate", "dropout"], adjusted);
        let mean = |from: usize| {
            let trials = studies.iter().flat_map(|study| &study.trials[from..from + 15]);
            trials.filter_map(FrozenTrial::value).sum::<f64>() / (15 * studies.len()) as f64
        };
        let (early, late) = (mean(0), mean(35));
        println!("{kind:?}: the first trials reach {early:.4}, the last {late:.4}");
        assert!(late > early + 0.003, "{kind:?} does not learn");
        println!(
            "{kind:?}, {count} studies: tests of null parameters at {LEVEL} fire in {null:.3} (adjusted), \
             {alone:.3} (marginal); of real ones in {found:.3}"
        );
        assert!(null <= 1.3 * LEVEL, "{kind:?}: adjusted tests fire in {null}");
        assert!(found > 2.0 * null, "{kind:?}: real effects are found in {found} only");
    }
}
