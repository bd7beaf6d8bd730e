//! Simulations with known best learning rates.

mod random;

use allometry_analysis::{Interval, LadderTrials, Options, StudyTrials, analyze};
use allometry_core::rng::stream;
use allometry_core::{
    Direction, Distribution, FrozenTrial, Metrics, ModelSize, Origin, Params, RowCount, SearchSpace,
    TrainPart, TrainingCost, TrialRng, TrialState,
};
use random::{gaussian, uniform};

/// The exponent of the weights in the best rate.
const EXPONENT: f64 = -0.4;
/// The exponent of the training rows in the best rate.
const OF_ROWS: f64 = 0.3;
/// Number of all training rows.
const ROWS: f64 = 8_000.0;

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
    /// Parts of the training rows on which each budget is searched as well.
    parts: &'static [f64],
}

fn best_log(place: usize, share: f64) -> f64 {
    -2.2 + EXPONENT * 0.5 * place as f64 + OF_ROWS * share.log10()
}

/// Returns the value of a configuration: worse on both sides of the `best` rate, more steeply above it, and
/// lost far above.
fn value(best: f64, log: f64, dropout: f64, noise: f64) -> f64 {
    let beyond = log - best;
    let of_rate = if beyond > 1.5 { -0.2 } else { -beyond * beyond * if beyond > 0.0 { 0.05 } else { 0.02 } };
    0.8 + of_rate - 0.03 * (dropout - 0.1).abs() + noise
}

/// Searches a budget on a share of the training rows.
fn study(search: Search, place: usize, share: f64, space: &SearchSpace, rng: &mut TrialRng) -> StudyTrials {
    let mut trials = Vec::new();
    let mut best = (f64::NEG_INFINITY, -3.0);
    for number in 0..search.trials {
        let near = search.learns && number >= 10 && uniform(rng) < 0.8;
        let log = if near { best.1 + 0.4 * gaussian(rng) } else { -5.0 + 4.0 * uniform(rng) };
        let log: f64 = log.clamp(-5.0, -1.0);
        let dropout = [0.0, 0.1, 0.3][(uniform(rng) * 3.0) as usize];
        let value = value(best_log(place, share), log, dropout, search.noise * gaussian(rng));
        if value > best.0 {
            best = (value, log);
        }
        let rate = 10_f64.powf(log).clamp(1e-5, 1e-1);
        let params: Params = [("learning_rate", rate), ("dropout", dropout)].into_iter().collect();
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
        let total = (1e5 * 10_f64.powf(0.5 * place as f64)) as u64;
        trial.record.size = Some(ModelSize { total, non_embedding: 0 });
        trial.record.origin = Some(if near { Origin::Model } else { Origin::Random });
        let rows = Some((ROWS * share) as u64);
        trial.record.cost = Some(TrainingCost { train_rows: rows, ..TrainingCost::default() });
        trials.push(trial);
    }
    let label = format!("b{place}");
    let mut study = StudyTrials::new(&label, "simulation", trials);
    if share < 1.0 {
        study.budget.label = format!("{label}@{share}");
        study.budget.train = Some(TrainPart { of: label, rows: RowCount::Share(share) });
    }
    study.space = Some(space.clone());
    study
}

fn ladder(search: Search, rng: &mut TrialRng) -> LadderTrials {
    let sets = [
        ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-1, log: true, step: None }),
        ("dropout", Distribution::list(vec![0.0.into(), 0.1.into(), 0.3.into()])),
    ];
    let space = SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect());
    let budgets = || 0..search.budgets;
    let studies = budgets().map(|place| study(search, place, 1.0, &space, rng)).collect();
    let parts = budgets().flat_map(|place| search.parts.iter().map(move |share| (place, *share)));
    let parts = parts.map(|(place, share)| study(search, place, share, &space, rng)).collect();
    LadderTrials { metrics: Metrics::one("score", Direction::Maximize), parts, ..LadderTrials::new(studies) }
}

/// Counts of intervals that were stated, and of those that cover the truth.
#[derive(Debug, Default)]
struct Count {
    stated: usize,
    covering: usize,
}

impl Count {
    fn add(&mut self, interval: Interval, truth: f64) {
        self.stated += 1;
        self.covering += usize::from(interval.contains(truth));
    }

    /// Asserts that at least 93% cover, but for chance; returns the share.
    fn share(&self, name: &str) -> f64 {
        let count = self.stated.max(1) as f64;
        let share = self.covering as f64 / count;
        assert!(share >= 0.93 - 3.1 * (0.05 * 0.95 / count).sqrt() || self.stated == 0, "{name}: {share}");
        100.0 * share
    }
}

/// The 95% intervals of the best rates and of their exponents cover the truth.
#[test]
fn best_rates_and_their_exponents_cover() {
    let options = Options { permutations: 0, bootstraps: 0, ..Options::default() };
    let search = Search { budgets: 4, trials: 30, noise: 0.005, learns: false, parts: &[] };
    for search in [
        search,
        Search { budgets: 6, trials: 20, noise: 0.015, ..search },
        Search { trials: 50, learns: true, ..search },
        Search { budgets: 2, parts: &[0.25, 0.5], ..search },
        Search { budgets: 3, parts: &[0.1, 0.3], learns: true, ..search },
    ] {
        let (mut rates, mut of_weights, mut of_rows) = (Count::default(), Count::default(), Count::default());
        let mut widths = Vec::new();
        for index in 0..simulations() {
            let ladder = ladder(search, &mut stream(43, &format!("{search:?}"), index));
            let found = analyze(&ladder, &options).learning_rates.expect("there is a learning rate");
            for one in &found.budgets {
                let interval = one.rate.interval.unwrap();
                let place = one.budget[1..].split('@').next().unwrap().parse().unwrap();
                let share = one.rows.map_or(1.0, |rows| rows / ROWS);
                rates.add(interval, 10_f64.powf(best_log(place, share)));
                widths.push((interval.upper / interval.lower).log10());
            }
            for (exponent, count, truth) in
                [(found.exponent, &mut of_weights, EXPONENT), (found.rows_exponent, &mut of_rows, OF_ROWS)]
            {
                if let Some(interval) = exponent.and_then(|exponent| exponent.interval) {
                    count.add(interval, truth);
                }
            }
        }
        widths.sort_by(f64::total_cmp);
        println!(
            "| {search:?} | rates cover {:.1}% of {}, median width {:.2} decades | exponent of weights \
             {:.1}% of {}, of rows {:.1}% of {} |",
            rates.share("rates"),
            rates.stated,
            widths[widths.len() / 2],
            of_weights.share("weights"),
            of_weights.stated,
            of_rows.share("rows"),
            of_rows.stated
        );
        let has_exponent = |count: &Count, is_due: bool| (count.stated > 0) == is_due;
        assert!(has_exponent(&of_weights, search.budgets >= 4), "{search:?}");
        assert!(has_exponent(&of_rows, !search.parts.is_empty()), "{search:?}");
    }
}
