//! Tests of the rates of right and wrong verdicts.

use allometry_analysis::{Analysis, Outcome};
use allometry_core::rng::stream;
use allometry_core::{Direction, Origin};

use crate::world::{Rows, Shape, World};
use crate::{run, simulations, slack};

/// Returns the largest share that a true rate is likely to show in the simulations.
fn at_most(rate: f64) -> f64 {
    rate + slack(rate)
}

fn share(analyses: &[Analysis], outcomes: &[Outcome]) -> f64 {
    let is_one = |analysis: &&Analysis| outcomes.contains(&analysis.verdict.outcome);
    analyses.iter().filter(is_one).count() as f64 / analyses.len() as f64
}

/// Returns the share of the judged ladders whose interval of the gain per decade covers the true gain.
fn coverage(analyses: &[Analysis], truth: f64) -> f64 {
    let judged: Vec<_> = analyses.iter().filter_map(|one| one.scaling.judgement.as_ref()).collect();
    let covers = judged.iter().filter(|one| one.slope.interval.is_some_and(|i| i.contains(truth)));
    covers.count() as f64 / judged.len().max(1) as f64
}

const TOLD: [Outcome; 2] = [Outcome::Holds, Outcome::Violated];

/// Asserts that the share of false verdicts is at most `most` and that intervals cover; prints both shares.
fn errs_seldom(name: &str, world: &World, most: f64) {
    let analyses = run(name, world, 0);
    let wrong = share(&analyses, &TOLD);
    let covered = coverage(&analyses, 0.0);
    println!("| {name} | {:.1}% | {:.1}% |", wrong * 100.0, covered * 100.0);
    assert!(wrong <= at_most(most), "{name}: {wrong} of the verdicts are false");
    assert!(covered >= 1.0 - at_most(0.09), "{name}: intervals cover in {covered}");
}

#[test]
fn false_verdicts_on_searches() {
    for (trials, name) in [
        (vec![10; 3], "10"),
        (vec![20; 3], "20"),
        (vec![50; 3], "50"),
        (vec![100; 3], "100"),
        (vec![10, 30, 100], "10 / 30 / 100"),
    ] {
        for shape in [Shape::Normal, Shape::FewBad, Shape::LongTail] {
            let world = World { trials: trials.clone(), shape, ..World::default() };
            errs_seldom(&format!("{shape:?} values, {name} trials, rows unknown"), &world, 0.05);
        }
    }
    for budgets in [2, 5, 8] {
        let world = World { trials: vec![50; budgets], ..World::default() };
        errs_seldom(&format!("{budgets} budgets of 50 trials"), &world, 0.05);
        let minimised =
            World { trials: vec![50; budgets], direction: Direction::Minimize, ..World::default() };
        errs_seldom(&format!("{budgets} budgets of 50 trials, a loss"), &minimised, 0.05);
    }
    let counts = World { rows: Rows::Counts(50_000, 200_000), spread: 0.008, ..World::default() };
    errs_seldom("class counts 50k:200k", &counts, 0.05);
    let counts = World { rows: Rows::Counts(76, 346), ..World::default() };
    errs_seldom("class counts 76:346", &counts, 0.05);
}

#[test]
fn false_verdicts_on_stored_scores() {
    for (name, rows, seed, trials) in [
        (
            "717 rows, seeds 0.012",
            Rows::Scores { count: 717, horizon: 1, memory: 0.0, volatility: 0.0 },
            0.012,
            10,
        ),
        (
            "2,000 rows, seeds 0.012",
            Rows::Scores { count: 2_000, horizon: 1, memory: 0.0, volatility: 0.0 },
            0.012,
            10,
        ),
    ] {
        let world =
            World { rows, spread: 0.006, seed_spread: seed, trials: vec![trials; 3], ..World::default() };
        errs_seldom(name, &world, 0.05);
    }
}

#[test]
fn false_verdicts_on_rows_that_depend_on_each_other() {
    for (name, horizon, memory, volatility) in [
        ("horizon 1, scores 0.9", 1, 0.9, 0.0),
        ("horizon 1, volatility 0.97", 1, 0.97, 0.97),
        ("horizon 5, scores 0.9", 5, 0.9, 0.0),
        ("horizon 20, scores 0.9", 20, 0.9, 0.0),
    ] {
        for budgets in [2, 5] {
            let rows = Rows::Scores { count: 717, horizon, memory, volatility };
            let world = World {
                rows,
                spread: 0.003,
                seed_spread: 0.002,
                trials: vec![10; budgets],
                ..World::default()
            };
            errs_seldom(&format!("{name}, {budgets} budgets of 10 trials"), &world, 0.075);
        }
    }
}

#[test]
fn false_verdicts_on_several_series() {
    for (series, times) in [(30, 60), (8, 150)] {
        for budgets in [2, 4] {
            let world = World {
                rows: Rows::Panel { series, times },
                spread: 0.003,
                seed_spread: 0.002,
                trials: vec![10; budgets],
                ..World::default()
            };
            let name = format!("{series} series of {times} times, {budgets} budgets of 10 trials");
            errs_seldom(&name, &world, 0.075);
        }
    }
}

#[test]
fn gains_are_told() {
    let mut powers = Vec::new();
    for budgets in [2, 3, 5, 8] {
        for direction in [Direction::Maximize, Direction::Minimize] {
            let world = World { trials: vec![50; budgets], gain: 0.005, direction, ..World::default() };
            let analyses = run(&format!("power {budgets} {direction:?}"), &world, 0);
            let power = share(&analyses, &[Outcome::Holds]);
            let covered = coverage(&analyses, 0.005);
            println!(
                "| gain 0.005 a decade, {budgets} budgets of 50, {direction:?} | told {:.1}% | covered \
                 {:.1}% |",
                power * 100.0,
                covered * 100.0
            );
            assert!(power >= 0.9 - 3.1 * (0.09 / simulations() as f64).sqrt(), "{budgets} budgets: {power}");
            assert!(covered >= 1.0 - at_most(0.09), "{budgets} budgets: {covered}");
            assert!(share(&analyses, &[Outcome::Violated]) <= 0.01);
            powers.push(power);
        }
    }
    let (low, high) =
        powers.iter().fold((1.0_f64, 0.0_f64), |(low, high), power| (low.min(*power), high.max(*power)));
    assert!(high - low <= 0.05 + 3.1 * (0.05 / simulations() as f64).sqrt(), "powers from {low} to {high}");
}

/// If one budget is searched by a model that improves and the others at random, there is no verdict, whether
/// this is recorded or not.
#[test]
fn searches_of_different_kinds_are_not_compared() {
    for is_recorded in [true, false] {
        let world = World { adaptive: Some(is_recorded), ..World::default() };
        let analyses = run(&format!("adaptive {is_recorded}"), &world, 0);
        let wrong = share(&analyses, &TOLD);
        println!("| one budget adaptive, recorded {is_recorded} | {:.1}% |", wrong * 100.0);
        // If the search is not recorded, only the values show that it learned.
        assert!(wrong <= at_most(if is_recorded { 0.0 } else { 0.1 }), "recorded {is_recorded}: {wrong}");
    }
    let origins = World::default().ladder(&mut stream(17, "origins", 0));
    assert!(origins.studies.iter().flat_map(|s| &s.trials).all(|t| t.record.origin == Some(Origin::Random)));
}
