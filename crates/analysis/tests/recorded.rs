//! How often tests fire on parameters without any effect when Optuna's samplers chose the trials (`recorded/optuna_studies.py`).

use allometry_analysis::stats::permutation;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::{LadderTrials, Options, StudyAnalysis, StudyTrials, analyze};
use allometry_core::rng::stream;
use allometry_core::{FrozenTrial, Params, TrialState};

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
            Recorded { trials: ladder.studies.remove(0).trials, analysis }
        })
        .collect()
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

/// Share of tests on `parameters` that fire, over all studies; a parameter without a test does not count.
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

/// The parameter on its own over all trials, repeats of a configuration with the same value counted as often as they occur.
fn marginal_with_repeats(study: &Recorded, name: &str) -> Option<bool> {
    let values: Vec<f64> = study.trials.iter().filter_map(|trial| trial.value).collect();
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
            "{sampler}, {} studies: tests of null parameters at {LEVEL} fire in {adjusted_rate:.3} (adjusted), {:.3} (marginal), \
             {repeats_rate:.3} (marginal, repeats counted); their trends are called in {:.3}",
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
