//! Tests of the rates at which stated intervals cover and alarms fire without an effect, on simulated ladders
//! whose true effects are known. Seeds are fixed; bounds allow for the number of simulations. `RUNS=2000
//! cargo test --release -p allometry-analysis --test intervals -- --nocapture` is the longer run whose
//! figures `docs/methods` has.

mod random;

use allometry_analysis::consistency::Agreement;
use allometry_analysis::effort::Support;
use allometry_analysis::finding::FindingCode;
use allometry_analysis::lint::stated::{
    Printed, Stated, StatedLevel, StatedReport, StatedStudy, StatedTrend,
};
use allometry_analysis::lint::{Standing, Subject};
use allometry_analysis::ped_anova::PedAnovaOutcome;
use allometry_analysis::stats::moments::{mean, sample_sd};
use allometry_analysis::stats::random::below;
use allometry_analysis::trend::TrendClass;
use allometry_analysis::{Analysis, Knowledge, LadderTrials, Options, StudyTrials, analyze, lint};
use allometry_core::Metrics;
use allometry_core::rng::stream;
use allometry_core::{Direction, FrozenTrial, Params, TrialRng, TrialState};
use random::{gaussian, uniform};

/// Returns the number of simulations: that of `RUNS`, or else `few`.
fn runs(few: u64) -> u64 {
    std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(few)
}

/// Returns the largest accepted share: three standard errors above `p`.
fn at_most(p: f64, runs: u64) -> f64 {
    p + 3.0 * (p * (1.0 - p) / runs as f64).sqrt()
}

fn options() -> Options {
    Options { permutations: 199, bootstraps: 0, ..Options::default() }
}

const LEVELS: [(&str, usize); 5] =
    [("learning_rate", 5), ("d_model", 4), ("n_layers", 4), ("dropout", 4), ("weight_decay", 3)];

/// Returns trials whose metric is the `effect` of the learning rate's level, plus noise. An
/// adaptive search copies most values of the best trial so far in its later trials.
fn study(rng: &mut TrialRng, trials: u64, is_adaptive: bool, effect: fn(i64) -> f64) -> Vec<FrozenTrial> {
    let mut done: Vec<FrozenTrial> = Vec::new();
    for number in 0..trials {
        let best = done.iter().max_by(|a, b| a.value().unwrap().total_cmp(&b.value().unwrap()));
        let copies = is_adaptive && number >= 10 && uniform(rng) < 0.6;
        let mut params = Params::default();
        for (name, count) in LEVELS {
            let value = match best.filter(|_| copies && uniform(rng) < 0.7) {
                Some(best) => best.params.get(name).unwrap().as_i64().unwrap(),
                None => below(rng, count) as i64,
            };
            params.insert(name, value + 1);
        }
        let rate = params.get("learning_rate").unwrap().as_i64().unwrap() - 1;
        let value = 0.7 + effect(rate) + 0.015 * gaussian(rng);
        done.push(FrozenTrial::new(number, TrialState::Complete, Some(value), params));
    }
    done
}

fn ladder(rng: &mut TrialRng, trials: u64, is_adaptive: bool, effect: fn(i64) -> f64) -> LadderTrials {
    let study = |label| StudyTrials::new(label, "simulation", study(rng, trials, is_adaptive, effect));
    LadderTrials::new(["2M", "20M", "200M"].map(study).into())
}

fn simulate(name: &str, runs: u64, trials: u64, is_adaptive: bool, effect: fn(i64) -> f64) -> Vec<Analysis> {
    (0..runs)
        .map(|run| analyze(&ladder(&mut stream(11, name, run), trials, is_adaptive, effect), &options()))
        .collect()
}

fn share(analyses: &[Analysis], holds: impl Fn(&Analysis) -> bool) -> f64 {
    analyses.iter().filter(|one| holds(one)).count() as f64 / analyses.len() as f64
}

fn has(analysis: &Analysis, codes: &[FindingCode]) -> bool {
    analysis.findings.iter().any(|finding| codes.contains(&finding.code))
}

const EDGES: [FindingCode; 2] = [FindingCode::EdgeOfSpace, FindingCode::LearningRateEdge];

/// If no parameter has an effect, each alarm fires in at most 5% of the ladders.
#[test]
fn alarms_are_seldom_where_nothing_matters() {
    let runs = runs(150);
    for (name, is_adaptive) in [("random", false), ("adaptive", true)] {
        let analyses = simulate(name, runs, 50, is_adaptive, |_| 0.0);
        let at_an_end = share(&analyses, |one| {
            one.studies.iter().any(|study| study.edges.iter().any(allometry_analysis::edge::Edge::is_telling))
        });
        let beyond = share(&analyses, |one| has(one, &EDGES));
        let differ = share(&analyses, |one| {
            one.consistency.iter().filter_map(|one| one.interaction?.p_holm).any(|p| p < 0.05)
        });
        let unadjusted = share(&analyses, |one| {
            one.consistency.iter().filter_map(|one| one.interaction).any(|test| test.p < 0.05)
        });
        let inconsistent = share(&analyses, |one| {
            one.consistency.iter().any(|one| one.agreement == Agreement::Inconsistent)
        });
        let confounded = share(&analyses, |one| has(one, &[FindingCode::ConfoundedParameters]));
        let classes = share(&analyses, |one| {
            let trends = one.studies.iter().flat_map(|study| &study.trends);
            let class = |class| matches!(class, TrendClass::Undecided | TrendClass::Flat);
            trends.filter_map(|trend| trend.adjusted.as_ref()).any(|adjusted| !class(adjusted.class))
        });
        println!(
            "{name}: a best value at an end {at_an_end:.3}, the optimum may lie beyond {beyond:.3}; \
             budgets differ {differ:.3} (unadjusted {unadjusted:.3}), inconsistent {inconsistent:.3}; \
             confounded {confounded:.3}; a trend in some of three budgets {classes:.3}"
        );
        assert!(beyond <= at_most(0.05, runs), "{name}: {beyond}");
        assert!(inconsistent <= at_most(0.05, runs), "{name}: {inconsistent}");
        if !is_adaptive {
            assert!(differ <= at_most(0.05, runs), "{differ}");
            assert!(confounded <= at_most(0.01, runs), "{confounded}");
            assert!(classes <= at_most(0.27, runs), "two families in each of three budgets: {classes}");
        }
    }
}

/// An effect of one or two noise deviations over the range of the learning rate is found.
#[test]
fn an_optimum_beyond_an_end_is_found() {
    let runs = runs(60);
    for (name, effect, least) in [
        ("half a deviation a step", (|rate| 0.0075 * rate as f64) as fn(i64) -> f64, 0.8),
        ("a deviation a step", |rate| 0.015 * rate as f64, 0.95),
    ] {
        let analyses = simulate(name, runs, 50, false, effect);
        let found = share(&analyses, |one| has(one, &[FindingCode::LearningRateEdge]));
        let others = share(&analyses, |one| has(one, &[FindingCode::EdgeOfSpace]));
        println!("{name}: the learning rate's edge is found in {found:.3}, another's in {others:.3}");
        assert!(found >= least, "{name}: {found}");
        assert!(others <= at_most(0.05, runs), "{name}: {others}");
    }
    // An optimum inside the range is not at an edge.
    let analyses = simulate("inside", runs, 50, false, |rate| -0.01 * (rate - 2).pow(2) as f64);
    let found = share(&analyses, |one| has(one, &[FindingCode::LearningRateEdge]));
    assert!(found <= at_most(0.05, runs), "inside: {found}");
}

/// The p-values of PED-ANOVA for parameters without an effect are small at most as often as they should be,
/// and the shares by chance sum to 1.
#[test]
fn what_sets_the_best_apart_is_held_against_chance() {
    let runs = runs(150);
    for (name, is_adaptive) in [("random", false), ("adaptive", true)] {
        let analyses = simulate(name, runs, 50, is_adaptive, |rate| 0.01 * rate as f64);
        let (mut nulls, mut first, mut found, mut tables, mut alarms) = (0, 0, 0, 0, 0);
        for study in analyses.iter().flat_map(|one| &one.studies) {
            let PedAnovaOutcome::Computed(ped) = &study.space_importance.among_best else { panic!() };
            let is_rate = |name: &str| name == "learning_rate";
            tables += 1;
            first += u32::from(!is_rate(&ped.parameters[0].parameter));
            let null = || ped.parameters.iter().filter(|one| !is_rate(&one.parameter));
            nulls += null().filter(|one| one.p.unwrap() < 0.1).count() as u32;
            alarms += u32::from(null().any(|one| one.p_holm.unwrap() < 0.05));
            found += u32::from(
                ped.parameters.iter().any(|one| is_rate(&one.parameter) && one.p_holm.unwrap() < 0.05),
            );
            let chance: f64 = ped.parameters.iter().map(|one| one.share_by_chance.unwrap()).sum();
            assert!((chance - 1.0).abs() < 1e-6, "{chance}");
        }
        let of = |count: u32, all: u32| f64::from(count) / f64::from(all);
        println!(
            "{name}: a null parameter comes first in {:.3}, has p < 0.1 in {:.3}, some null p (Holm) < \
             0.05 in {:.3}; the learning rate is told in {:.3}",
            of(first, tables),
            of(nulls, 4 * tables),
            of(alarms, tables),
            of(found, tables)
        );
        if !is_adaptive {
            assert!(of(nulls, 4 * tables) <= at_most(0.1, 3 * runs));
            assert!(of(alarms, tables) <= at_most(0.05, 3 * runs));
        }
    }
}

/// The estimate of a partial omega squared is inside its interval for every F.
#[test]
fn partial_omega_squared_lies_in_its_interval() {
    for effect in [(|_| 0.0) as fn(i64) -> f64, |rate| 0.005 * rate as f64, |rate| 0.1 * rate as f64] {
        for analysis in simulate("omega", 20, 40, false, effect) {
            for one in analysis.studies.iter().flat_map(|study| &study.importance) {
                let estimate = one.adjusted.unwrap().partial_omega_squared.unwrap();
                assert!(estimate.interval.unwrap().contains(estimate.point), "{estimate:?}");
            }
        }
    }
}

/// Returns a study with metrics from `draw`. Each trial has a configuration of its own, so none is a repeat.
fn draws(rng: &mut TrialRng, n: usize, draw: fn(&mut TrialRng) -> f64) -> LadderTrials {
    let trial = |number: u64| {
        let params: Params = [("number", number as i64)].into_iter().collect();
        FrozenTrial::new(number, TrialState::Complete, Some(draw(rng)), params)
    };
    let study = StudyTrials::new("x", "simulation", (0..n as u64).map(trial).collect());
    LadderTrials { metrics: Metrics::one("score", Direction::Maximize), ..LadderTrials::new(vec![study]) }
}

/// Stated intervals of the expected best of k trials cover in 91 to 99% of the simulations, for values with a
/// tail on either side. No interval is stated for k above a tenth of the trials.
#[test]
fn intervals_of_the_expected_best_cover() {
    type Draw = fn(&mut TrialRng) -> f64;
    let runs = runs(400);
    let worlds: [(&str, Draw); 5] = [
        ("normal", gaussian),
        ("uniform", uniform),
        ("long tail to the worse", |rng| uniform(rng).ln()),
        ("long tail to the better", |rng| -uniform(rng).ln()),
        ("lognormal to the worse", |rng| -(0.8 * gaussian(rng)).exp()),
    ];
    for (name, draw) in worlds {
        let mut rng = stream(12, name, 0);
        let truth = |k: u64, rng: &mut TrialRng| {
            let best = |rng: &mut TrialRng| (0..k).map(|_| draw(rng)).fold(f64::NEG_INFINITY, f64::max);
            (0..40_000).map(|_| best(rng)).sum::<f64>() / 40_000.0
        };
        let truths: Vec<(u64, f64)> = [1, 2, 5, 10].map(|k| (k, truth(k, &mut rng))).into();
        for n in [10, 15, 20, 50, 100] {
            let mut covered = vec![0; truths.len()];
            for _ in 0..runs {
                let analysis = analyze(&draws(&mut rng, n, draw), &Options { permutations: 0, ..options() });
                for best in &analysis.studies[0].best_of {
                    assert_eq!(best.expected.interval.is_some(), 10 * best.k <= n as u64, "{best:?}");
                    assert_eq!(best.support == Support::Solid, best.expected.interval.is_some());
                    let place = truths.iter().position(|(k, _)| *k == best.k);
                    if let Some((place, interval)) = place.zip(best.expected.interval) {
                        covered[place] += u32::from(interval.contains(truths[place].1));
                    }
                }
            }
            for ((k, _), covered) in truths.iter().zip(covered).filter(|((k, _), _)| 10 * k <= n as u64) {
                let covered = f64::from(covered) / runs as f64;
                println!("{name}, best of {k} of {n}: {covered:.3}");
                let slack = 3.0 * (0.95 * 0.05 / runs as f64).sqrt();
                assert!(
                    (0.91 - slack..=0.99 + slack).contains(&covered),
                    "{name}, best of {k} of {n}: {covered}"
                );
            }
        }
    }
}

/// Returns a report of three budgets with a table of five parameters each. Only the first parameter has an
/// effect, and only with `effect`.
fn report(rng: &mut TrialRng, levels: usize, effect: f64) -> StatedReport {
    let printed = |value: f64| Printed { value, half_unit: 0.5e-4 };
    let studies = (0..3).map(|_| {
        let trends = (0..5).map(|parameter| {
            let levels: Vec<StatedLevel> = (0..levels)
                .map(|level| {
                    let shift = if parameter == 0 && level == 1 { effect } else { 0.0 };
                    let values: Vec<f64> = (0..12).map(|_| shift + 0.015 * gaussian(rng)).collect();
                    StatedLevel {
                        line: 0,
                        value: (level as i64 + 1).into(),
                        mean: printed(mean(values.iter().copied()).unwrap()),
                        sd: printed(sample_sd(values.iter().copied()).unwrap()),
                        count: 12,
                    }
                })
                .collect();
            let best = levels.iter().max_by(|a, b| a.mean.value.total_cmp(&b.mean.value)).unwrap();
            let best = (best.value.clone(), best.mean.value);
            StatedTrend {
                line: 0,
                parameter: format!("p{parameter}"),
                word: None,
                best: Some(Stated { line: 0, value: best }),
                worst: None,
                levels,
            }
        });
        StatedStudy { label: "x".into(), trends: trends.collect(), ..StatedStudy::default() }
    });
    StatedReport { metric: "AUC".into(), studies: studies.collect(), ..StatedReport::default() }
}

/// If no parameter has an effect, a statement "The best value is ..." stands in at most 5% of the reports,
/// over all their tables.
#[test]
fn best_values_seldom_stand_where_nothing_matters() {
    let runs = runs(400);
    for levels in [2, 3, 5] {
        let stands = |effect: f64, name: &str| {
            let stands = |run: &u64| {
                let report = report(&mut stream(13, name, *run + 1_000_000 * levels as u64), levels, effect);
                let lint = lint(&report, &Knowledge::default(), &Options::default());
                lint.count_of(Subject::BestValue, Standing::Stands) > 0
            };
            (0..runs).filter(stands).count() as f64 / runs as f64
        };
        let (null, real) = (stands(0.0, "null"), stands(0.03, "real"));
        println!(
            "of {levels} values, some best value stands in {null:.3} of reports at null, in {real:.3} with \
             an effect"
        );
        assert!(null <= at_most(0.05, runs), "{levels}: {null}");
        assert!(real > 0.7, "{levels}: {real}");
    }
}
