//! Rates of false verdicts and of false differences where values are means over walk-forward folds. What
//! scale does may differ between eras: it does nothing where its mean over eras is 0.

use allometry_analysis::scores::Scores;
use allometry_analysis::{Analysis, Eras, Options, Outcome, RowOrder, Series, paired_gain};
use allometry_core::TrialRng;
use allometry_core::rng::stream;

use crate::random::gaussian;
use crate::world::{Folds, Rows, World};
use crate::{run, simulations, slack};

/// Two equally good models on the rows of some eras.
#[derive(Debug, Clone, Copy)]
struct Pair {
    eras: usize,
    rows_of_era: usize,
    /// Standard deviation of what one model is better by on single eras, in units of its scores' noise.
    of_eras: f64,
    /// Autocorrelation of the scores.
    memory: f64,
}

impl Pair {
    fn noise(self, rng: &mut TrialRng) -> Vec<f64> {
        let mut last = gaussian(rng);
        let mut next = || {
            last = self.memory * last + (1.0 - self.memory * self.memory).sqrt() * gaussian(rng);
            last
        };
        (0..self.eras * self.rows_of_era).map(|_| next()).collect()
    }

    /// Whether the models are called different at 5%, with the eras known, or taken for rows alone.
    fn is_false(self, name: &str, index: u64, knows_eras: bool) -> bool {
        let mut rng = stream(31, name, index);
        let labels: Vec<bool> = self.noise(&mut rng).iter().map(|value| *value > 0.6).collect();
        let mut model = || -> Vec<f32> {
            let own: Vec<f64> = (0..self.eras).map(|_| self.of_eras * gaussian(&mut rng)).collect();
            let noise = self.noise(&mut rng);
            let score = |(row, noise): (usize, f64)| {
                let signal = if labels[row] { 1.0 + own[row / self.rows_of_era] } else { 0.0 };
                (noise + signal) as f32
            };
            noise.into_iter().enumerate().map(score).collect()
        };
        let (first, second) = (model(), model());
        let rows: Vec<u64> = (0..labels.len() as u64).collect();
        let of = |scores| Scores { rows: &rows, labels: &labels, scores };
        let places = rows.iter().map(|row| (*row, (*row as usize / self.rows_of_era) as u32));
        let eras = Eras::new(vec![(None, None); self.eras], places);
        let series =
            Series { horizon: 1, order: RowOrder::Stored, panel: None, eras: knows_eras.then_some(&eras) };
        let gain = paired_gain(&of(&first), &of(&second), series, &Options::default());
        gain.and_then(|gain| gain.interval).is_some_and(|interval| !interval.contains(0.0))
    }

    fn rate(self, name: &str, knows_eras: bool) -> f64 {
        let runs = 10 * simulations();
        (0..runs).filter(|index| self.is_false(name, *index, knows_eras)).count() as f64 / runs as f64
    }
}

#[test]
fn models_that_are_equally_good_over_eras_are_seldom_called_different() {
    let plain = Pair { eras: 5, rows_of_era: 150, of_eras: 0.0, memory: 0.0 };
    let most = 0.07 + 3.1 * (0.07 * 0.93 / (10.0 * simulations() as f64)).sqrt();
    for (name, pair) in [
        ("rows alone", plain),
        ("eras", Pair { of_eras: 0.3, ..plain }),
        ("eras with much noise", Pair { of_eras: 0.1, ..plain }),
        ("3 eras", Pair { eras: 3, of_eras: 0.3, ..plain }),
        ("10 eras", Pair { eras: 10, rows_of_era: 75, of_eras: 0.3, ..plain }),
        ("eras, scores 0.9", Pair { of_eras: 0.3, memory: 0.9, ..plain }),
        ("scores 0.9", Pair { memory: 0.9, ..plain }),
    ] {
        let rate = pair.rate(name, true);
        println!("| {name} | {:.1}% |", 100.0 * rate);
        assert!(rate <= most, "{name}: {rate}");
    }
    // Without the eras the rows alone are taken for the error, which is then far too small.
    let rate = Pair { of_eras: 0.3, ..plain }.rate("eras", false);
    println!("| eras, as rows alone | {:.1}% |", 100.0 * rate);
    assert!(rate > 0.1, "{rate}");
}

fn share(analyses: &[Analysis], outcome: impl Fn(Outcome) -> bool) -> f64 {
    analyses.iter().filter(|one| outcome(one.verdict.outcome)).count() as f64 / analyses.len() as f64
}

const ROWS: Rows = Rows::Scores { count: 1_000, horizon: 1, memory: 0.0, volatility: 0.0 };
const FOLDS: Folds = Folds { count: 5, gain_spread: 0.0, training_spread: 0.004 };

fn world() -> World {
    World { rows: ROWS, folds: Some(FOLDS), spread: 0.006, trials: vec![10; 3], ..World::default() }
}

#[test]
fn false_verdicts_over_folds() {
    let dependent = Rows::Scores { count: 1_000, horizon: 5, memory: 0.9, volatility: 0.0 };
    let with = |gain_spread: f64| Some(Folds { gain_spread, ..FOLDS });
    for (name, world) in [
        ("folds, scale alike in all eras", world()),
        ("folds, gains of eras 0.01", World { folds: with(0.01), ..world() }),
        ("folds, gains of eras 0.03", World { folds: with(0.03), ..world() }),
        ("folds, gains of eras 0.03, 2 budgets", World { folds: with(0.03), trials: vec![10; 2], ..world() }),
        (
            "folds, 10 eras, gains of eras 0.03",
            World { folds: Some(Folds { count: 10, gain_spread: 0.03, ..FOLDS }), ..world() },
        ),
        (
            "folds, 10 / 30 / 60 trials, gains of eras 0.01",
            World { folds: with(0.01), trials: vec![10, 30, 60], ..world() },
        ),
        ("folds, dependent rows", World { rows: dependent, ..world() }),
        (
            "folds, dependent rows, gains of eras 0.02",
            World { rows: dependent, folds: with(0.02), ..world() },
        ),
    ] {
        let analyses = run(name, &world, 0);
        let wrong = share(&analyses, |one| matches!(one, Outcome::Holds | Outcome::Violated));
        println!("| {name} | {:.1}% |", 100.0 * wrong);
        assert!(wrong <= 0.07 + slack(0.07), "{name}: {wrong} of the verdicts are false");
    }
}

#[test]
fn gains_over_folds_are_found() {
    for (name, gain_spread) in [("alike", 0.0), ("of eras 0.01", 0.01)] {
        let world = World { gain: 0.03, folds: Some(Folds { gain_spread, ..FOLDS }), ..world() };
        let analyses = run(&format!("a gain over folds, {name}"), &world, 0);
        let found = share(&analyses, |one| one == Outcome::Holds);
        let eras = |one: &Analysis| {
            let gains = &one.scaling.judgement.as_ref().expect("it is judged").gains_of_eras;
            assert_eq!(gains.len(), 5);
            gains.iter().filter(|era| era.gain.point > 0.0).count() as f64 / 5.0
        };
        let better = analyses.iter().map(eras).sum::<f64>() / analyses.len() as f64;
        println!("| {name} | {:.0}% | better in {:.0}% of the eras |", 100.0 * found, 100.0 * better);
        assert!(found > 0.6 && better > 0.8, "{name}: {found}, {better}");
    }
}
