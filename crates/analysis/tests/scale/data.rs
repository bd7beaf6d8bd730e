//! Rates of false answers on what more training rows buy, and of covering intervals.

use allometry_analysis::scaling::DataJudgement;
use allometry_analysis::{LadderTrials, Outcome, StudyTrials, analyze};
use allometry_core::rng::stream;
use allometry_core::{
    Direction, FrozenTrial, Metrics, ModelSize, Origin, Params, RowCount, SizeBudget, TrainingCost, TrialRng,
    TrialState,
};

use crate::random::gaussian;
use crate::world::{Rows, Shape, World};
use crate::{options, run, simulations, slack};

fn share(of: usize, among: usize) -> f64 {
    of as f64 / among.max(1) as f64
}

/// A ladder of three sizes, searched on quarters and halves of the rows as well, with the noise of seeds,
/// configurations and dependent rows.
fn world(gain: f64, data_gain: f64) -> World {
    let rows = Rows::Scores { count: 600, horizon: 5, memory: 0.7, volatility: 0.0 };
    let shares = vec![0.25, 0.5];
    let (trials, trials_of_parts) = (vec![20; 3], 20);
    World { trials, gain, seed_spread: 0.006, rows, shares, data_gain, trials_of_parts, ..World::default() }
}

fn judgements(name: &str, world: &World) -> Vec<DataJudgement> {
    run(name, world, 0).into_iter().filter_map(|one| one.data_scaling?.judgement).collect()
}

/// Where more rows change nothing, or more weights buy as much, no more than 5% of ladders say otherwise.
#[test]
fn more_rows_that_change_nothing_are_seldom_told() {
    let unequal = World { trials: vec![60, 30, 20], trials_of_parts: 15, ..world(0.0, 0.0) };
    let loss = World {
        direction: Direction::Minimize,
        rows: Rows::Unknown,
        shape: Shape::LongTail,
        ..world(0.03, 0.0)
    };
    let bad = World { rows: Rows::Unknown, shape: Shape::FewBad, trials: vec![12; 3], ..world(0.03, 0.0) };
    for (name, world) in [
        ("dependent rows", world(0.03, 0.0)),
        ("no gain at all", world(0.0, 0.0)),
        ("unequal effort", unequal),
        ("a loss with a long tail", loss),
        ("few bad trials", bad),
    ] {
        let found = judgements(&format!("data null, {name}"), &world);
        let told = |one: &&DataJudgement| matches!(one.outcome, Outcome::Holds | Outcome::Violated);
        let told = share(found.iter().filter(told).count(), found.len());
        // A doubling of the weights gains log10(2) of a decade.
        let of_weights = world.gain * std::f64::consts::LOG10_2;
        let covered = |of: &dyn Fn(&DataJudgement) -> Option<bool>| {
            let all: Vec<bool> = found.iter().filter_map(of).collect();
            share(all.iter().filter(|one| **one).count(), all.len())
        };
        let weights = covered(&|one| Some(one.weights.as_ref()?.gain.interval?.contains(of_weights)));
        let apart = covered(&|one| Some(one.difference.as_ref()?.gain.interval?.contains(-of_weights)));
        println!(
            "| {name} | false {:.1}% | weights {:.1}% | difference {:.1}% of {} |",
            told * 100.0,
            weights * 100.0,
            apart * 100.0,
            found.len()
        );
        assert!(told <= 0.06 + slack(0.06), "{name}: {told}");
        // An AUC saturates, so that equal gains of quality are not quite equal gains of the metric.
        for covered in [weights, apart] {
            assert!(covered >= 0.9 - slack(0.9), "{name}: {covered}");
        }
    }
}

/// Where more rows pay, most ladders say so, and intervals cover the gain.
#[test]
fn more_rows_that_pay_are_found() {
    for (name, gain, world) in [
        ("dependent rows", 0.03, world(0.0, 0.03)),
        ("a score", 0.012, World { rows: Rows::Unknown, ..world(0.01, 0.012) }),
    ] {
        let found = judgements(&format!("data pays, {name}"), &world);
        let holds = share(found.iter().filter(|one| one.outcome == Outcome::Holds).count(), found.len());
        let inside = |one: &&DataJudgement| one.rows.gain.interval.is_some_and(|ends| ends.contains(gain));
        let inside = share(found.iter().filter(inside).count(), found.len());
        println!("| {name} | found {:.1}% | covers {:.1}% |", holds * 100.0, inside * 100.0);
        assert!(holds >= 0.8 - slack(0.8), "{name}: {holds}");
        assert!(inside >= 0.9 - slack(0.9), "{name}: {inside}");
    }
}

/// Returns five budgets, each on five parts of the rows, whose losses follow a law over weights and rows,
/// with the noise of configurations.
fn grid(trials: u64, spread: f64, rng: &mut TrialRng) -> LadderTrials {
    let mut study = |place: u64, share: f64| {
        let weights = 1e6 * 10.0_f64.powf(0.5 * place as f64);
        let rows = 1e6 * share;
        let loss = 1.5 + 400.0 * weights.powf(-0.34) + 200.0 * rows.powf(-0.36);
        let trials = (0..trials).map(|number| {
            let level = gaussian(rng);
            let params: Params = [("level", level)].into_iter().collect();
            let mut trial =
                FrozenTrial::new(number, TrialState::Complete, Some(loss + spread * level), params);
            trial.record.size = Some(ModelSize { total: weights as u64, non_embedding: 0 });
            trial.record.origin = Some(Origin::Random);
            trial.record.cost = Some(TrainingCost {
                train_rows: Some(rows as u64),
                tokens: Some(rows as u64),
                flops: Some(6.0 * weights * rows),
                seconds: None,
                precision: None,
            });
            trial
        });
        let budget = SizeBudget::nominal(&format!("b{place}"));
        let budget = if share < 1.0 { budget.trained_on(RowCount::Share(share)) } else { budget };
        StudyTrials { budget, ..StudyTrials::new("", "simulation", trials.collect()) }
    };
    let whole = (0..5).map(|place| study(place, 1.0)).collect();
    let shares = [1.0, 2.0, 3.0, 4.0].map(|step: f64| 10.0_f64.powf(-0.4 * step));
    let parts = (0..5).flat_map(|place| shares.map(|share| (place, share)));
    let parts = parts.map(|(place, share)| study(place, share)).collect();
    LadderTrials { metrics: Metrics::one("loss", Direction::Minimize), parts, ..LadderTrials::new(whole) }
}

/// The exponents of a law over weights and rows, and its best sizes, lie in their intervals. The searches add
/// the same gain everywhere, which moves the floor alone.
#[test]
fn laws_over_weights_and_rows_cover() {
    let (trials, spread) = (15, 0.03);
    let mut covered = [0; 4];
    let mut count = 0;
    for index in 0..simulations() {
        let ladder = grid(trials, spread, &mut stream(31, "grid law", index));
        let judgement = analyze(&ladder, &options(0)).data_scaling.unwrap().judgement.unwrap();
        let law = judgement.grid.unwrap();
        let of_rows = judgement.law.unwrap().exponent.interval.unwrap().contains(0.36);
        // The least loss for given compute: alpha A / N^alpha = beta B / D^beta, with C = 6 N D.
        let best = law.optima.first().map(|best| {
            let scale = (0.34 * 400.0 / (0.36_f64 * 200.0)).powf(1.0 / 0.7);
            best.weights.interval().contains(scale * (best.compute / 6.0).powf(0.36 / 0.7))
        });
        let alpha = law.alpha.interval.unwrap().contains(0.34);
        let beta = law.beta.interval.unwrap().contains(0.36);
        // A law that is not identified makes no statement on the best sizes.
        let is_covered = [alpha, beta, best.unwrap_or(true), of_rows];
        covered.iter_mut().zip(is_covered).for_each(|(sum, one)| *sum += usize::from(one));
        count += 1;
    }
    let covered = covered.map(|one| share(one, count));
    let [alpha, beta, best, rows] = covered.map(|one| one * 100.0);
    println!("| weights and rows | alpha {alpha:.1}%, beta {beta:.1}%, best {best:.1}%, rows {rows:.1}% |");
    for covered in covered {
        assert!(covered >= 0.91 - slack(0.91), "{covered}");
    }
}
