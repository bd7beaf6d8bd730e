//! Simulations with known best learning rates.

mod random;

use allometry_analysis::{LadderTrials, Options, StudyTrials, analyze};
use allometry_core::rng::stream;
use allometry_core::{
    Direction, Distribution, FrozenTrial, Metrics, ModelSize, Origin, Params, SearchSpace, TrialRng,
    TrialState,
};
use random::{gaussian, uniform};

/// The exponent of the weights in the best rate.
const EXPONENT: f64 = -0.4;

fn simulations() -> u64 {
    std::env::var("ALLOMETRY_SIMULATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(12)
}

/// A simulated search.
#[derive(Debug, Clone, Copy)]
struct Search {
    budgets: usize,
    trials: u64,
    /// Standard deviation over seeds; the rate moves the metric by about 0.1 over its range.
    noise: f64,
    /// Whether later trials lie near the best earlier ones.
    learns: bool,
}

fn best_log(place: usize) -> f64 {
    -2.2 + EXPONENT * 0.5 * place as f64
}

/// Returns the value of a configuration: worse on both sides of the best rate, more steeply above it, and
/// lost far above.
fn value(place: usize, log: f64, dropout: f64, noise: f64) -> f64 {
    let beyond = log - best_log(place);
    let of_rate = if beyond > 1.5 { -0.2 } else { -beyond * beyond * if beyond > 0.0 { 0.05 } else { 0.02 } };
    0.8 + of_rate - 0.03 * (dropout - 0.1).abs() + noise
}

fn ladder(search: Search, rng: &mut TrialRng) -> LadderTrials {
    let sets = [
        ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-1, log: true, step: None }),
        ("dropout", Distribution::list(vec![0.0.into(), 0.1.into(), 0.3.into()])),
    ];
    let space = SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect());
    let studies = (0..search.budgets).map(|place| {
        let mut trials = Vec::new();
        let mut best = (f64::NEG_INFINITY, -3.0);
        for number in 0..search.trials {
            let near = search.learns && number >= 10 && uniform(rng) < 0.8;
            let log = if near { best.1 + 0.4 * gaussian(rng) } else { -5.0 + 4.0 * uniform(rng) };
            let log: f64 = log.clamp(-5.0, -1.0);
            let dropout = [0.0, 0.1, 0.3][(uniform(rng) * 3.0) as usize];
            let value = value(place, log, dropout, search.noise * gaussian(rng));
            if value > best.0 {
                best = (value, log);
            }
            let rate = 10_f64.powf(log).clamp(1e-5, 1e-1);
            let params: Params = [("learning_rate", rate), ("dropout", dropout)].into_iter().collect();
            let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
            let total = (1e5 * 10_f64.powf(0.5 * place as f64)) as u64;
            trial.record.size = Some(ModelSize { total, non_embedding: 0 });
            trial.record.origin = Some(if near { Origin::Model } else { Origin::Random });
            trials.push(trial);
        }
        let mut study = StudyTrials::new(&format!("b{place}"), "simulation", trials);
        study.space = Some(space.clone());
        study
    });
    LadderTrials {
        metrics: Metrics::one("score", Direction::Maximize),
        ..LadderTrials::new(studies.collect())
    }
}

/// The 95% intervals of the best rates and of their exponent cover the truth.
#[test]
fn best_rates_and_their_exponent_cover() {
    let options = Options { permutations: 0, bootstraps: 0, ..Options::default() };
    for search in [
        Search { budgets: 4, trials: 30, noise: 0.005, learns: false },
        Search { budgets: 6, trials: 20, noise: 0.015, learns: false },
        Search { budgets: 4, trials: 50, noise: 0.005, learns: true },
    ] {
        let (mut rates, mut covered, mut exponents, mut of_exponent) = (0, 0, 0, 0);
        let mut widths = Vec::new();
        for index in 0..simulations() {
            let ladder = ladder(search, &mut stream(43, &format!("{search:?}"), index));
            let found = analyze(&ladder, &options).learning_rates.expect("there is a learning rate");
            for (place, one) in found.budgets.iter().enumerate() {
                let interval = one.rate.interval.unwrap();
                rates += 1;
                covered += usize::from(interval.contains(10_f64.powf(best_log(place))));
                widths.push((interval.upper / interval.lower).log10());
            }
            if let Some(exponent) = found.exponent {
                exponents += 1;
                of_exponent += usize::from(exponent.interval.unwrap().contains(EXPONENT));
            }
        }
        widths.sort_by(f64::total_cmp);
        let share = |of: usize, among: usize| of as f64 / among.max(1) as f64;
        let (rate, exponent) = (share(covered, rates), share(of_exponent, exponents));
        println!(
            "| {search:?} | rates cover {:.1}% of {rates}, median width {:.2} decades | exponent {:.1}% of \
             {exponents} |",
            100.0 * rate,
            widths[widths.len() / 2],
            100.0 * exponent
        );
        let slack = |count: usize| 3.1 * (0.05 * 0.95 / count.max(1) as f64).sqrt();
        assert!(rate >= 0.93 - slack(rates), "{search:?}: {rate}");
        assert!(exponent >= 0.93 - slack(exponents), "{search:?}: {exponent}");
    }
}
