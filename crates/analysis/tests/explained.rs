//! Tests of the importance of inputs by permutation: the coverage of its intervals on simulated rows, for
//! inputs of known effect and for inputs that carry nothing but are used.

mod random;

use allometry_analysis::stats::influence::RowMetric;
use allometry_analysis::stats::random::below;
use allometry_analysis::{ExplainedRows, InputImportance, NoRowError, Options, RowOrder, Series};
use allometry_core::TrialRng;
use allometry_core::rng::stream;
use random::gaussian;

const PERMUTATIONS: usize = 10;

/// Rows of a world with two inputs, of which the second carries nothing.
struct World {
    inputs: [Vec<f64>; 2],
    noise: Vec<f64>,
}

/// What a model predicts, and how it is judged.
#[derive(Clone, Copy, Debug)]
enum Judged {
    /// A number `x + noise`, predicted as `x + use * null`.
    Number(RowMetric),
    /// Whether `x + noise` is positive, with a probability that rises with `x + use * null`.
    Label(RowMetric),
}

/// How much the model uses the input that carries nothing.
const USE: f64 = 0.6;

impl World {
    fn new(rng: &mut TrialRng, rows: usize, correlation: f64) -> Self {
        let mut series = || {
            let mut last = gaussian(rng);
            (0..rows)
                .map(|_| {
                    last = correlation * last + (1.0 - correlation * correlation).sqrt() * gaussian(rng);
                    last
                })
                .collect::<Vec<f64>>()
        };
        Self { inputs: [series(), series()], noise: series() }
    }

    fn targets(&self, judged: Judged) -> Vec<f32> {
        let sums = self.inputs[0].iter().zip(&self.noise).map(|(x, noise)| x + noise);
        match judged {
            Judged::Number(_) => sums.map(|sum| sum as f32).collect(),
            Judged::Label(_) => sums.map(|sum| f32::from(u8::from(sum > 0.0))).collect(),
        }
    }

    /// Predictions with one input of each row taken from another.
    fn outputs(&self, judged: Judged, permuted: Option<(usize, &[usize])>) -> Vec<f32> {
        let value = |input: usize, row: usize| match permuted {
            Some((one, donors)) if one == input => self.inputs[input][donors[row]],
            _ => self.inputs[input][row],
        };
        let sums = (0..self.noise.len()).map(|row| value(0, row) + USE * value(1, row));
        match judged {
            Judged::Number(_) => sums.map(|sum| sum as f32).collect(),
            Judged::Label(_) => sums
                .flat_map(|sum| {
                    let p = (1.0 / (1.0 + (-1.5 * sum).exp())) as f32;
                    [1.0 - p, p]
                })
                .collect(),
        }
    }

    fn importances(
        &self,
        judged: Judged,
        donors: &[Vec<usize>],
        horizon: u64,
    ) -> Result<[InputImportance; 2], NoRowError> {
        let (Judged::Number(metric) | Judged::Label(metric)) = judged;
        let rows: Vec<u64> = (0..self.noise.len() as u64).collect();
        let targets = self.targets(judged);
        let series = Series { horizon, order: RowOrder::Stored, panel: None, eras: None };
        let own = self.outputs(judged, None);
        let explained = ExplainedRows::new(metric, (&rows, &targets), &own, &series)?;
        let of = |input: usize| {
            let mut permuted = explained.input();
            for donors in donors {
                permuted.add(donors, &self.outputs(judged, Some((input, donors))))?;
            }
            permuted.importance(&Options::default())
        };
        Ok([of(0)?, of(1)?])
    }
}

/// Returns a random permutation without rows near their own place.
fn donors(rng: &mut TrialRng, rows: usize, distance: usize) -> Vec<usize> {
    let mut donors: Vec<usize> = (0..rows).collect();
    for row in (1..rows).rev() {
        donors.swap(row, below(rng, row + 1));
    }
    for row in 0..rows {
        while row.abs_diff(donors[row]) < distance {
            let other = below(rng, rows);
            if row.abs_diff(donors[other]) >= distance && other.abs_diff(donors[row]) >= distance {
                donors.swap(row, other);
            }
        }
    }
    donors
}

/// Intervals at 95% cover the effect of an input that carries the signal, and 0 for one that the model uses
/// although it carries nothing.
#[test]
fn intervals_cover_new_rows() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(250);
    let judged = [
        Judged::Number(RowMetric::Mse),
        Judged::Number(RowMetric::R2),
        Judged::Label(RowMetric::MacroAuc),
        Judged::Label(RowMetric::LogLoss),
    ];
    for judged in judged {
        let truth = match judged {
            // The error grows by the variance of the difference of two independent inputs.
            Judged::Number(RowMetric::Mse) => 2.0,
            Judged::Number(_) => 1.0,
            Judged::Label(_) => {
                let mut rng = stream(21, "explained", 0);
                let world = World::new(&mut rng, 400_000, 0.0);
                let donors = [donors(&mut rng, 400_000, 1)];
                world.importances(judged, &donors, 1).unwrap()[0].importance.point
            }
        };
        for correlation in [0.0, 0.7] {
            let mut covered = [0_u64; 2];
            let mut widths = [0.0; 2];
            for run in 0..runs {
                let mut rng = stream(22, "explained", run);
                let world = World::new(&mut rng, 700, correlation);
                let donors: Vec<Vec<usize>> = (0..PERMUTATIONS).map(|_| donors(&mut rng, 700, 30)).collect();
                let found = world.importances(judged, &donors, 1).unwrap();
                for (place, truth) in [truth, 0.0].into_iter().enumerate() {
                    let interval = found[place].importance.interval.unwrap();
                    covered[place] += u64::from(interval.contains(truth));
                    widths[place] += (interval.upper - interval.lower) / runs as f64;
                }
            }
            let shares = covered.map(|count| count as f64 / runs as f64);
            println!(
                "{judged:?}, correlation {correlation}: truth {truth:.4}, {shares:?}, widths {widths:.3?}"
            );
            let fits = shares.iter().all(|share| (0.91..=1.0).contains(share));
            assert!(fits, "{judged:?}, correlation {correlation}: 95% intervals cover in {shares:?}");
        }
    }
}

#[test]
fn an_input_that_is_not_used_has_no_importance() {
    let mut rng = stream(23, "explained", 0);
    let world = World::new(&mut rng, 200, 0.5);
    let donors: Vec<Vec<usize>> = (0..3).map(|_| donors(&mut rng, 200, 5)).collect();
    let judged = Judged::Label(RowMetric::MacroAuc);
    let targets = world.targets(judged);
    let own = world.outputs(judged, None);
    let rows: Vec<u64> = (0..200).collect();
    let series = Series { horizon: 1, order: RowOrder::Stored, panel: None, eras: None };
    let explained = ExplainedRows::new(RowMetric::MacroAuc, (&rows, &targets), &own, &series).unwrap();
    let mut permuted = explained.input();
    for donors in &donors {
        permuted.add(donors, &own).unwrap();
    }
    let found = permuted.importance(&Options::default()).unwrap();
    assert!(found.is_unused && found.importance.point == 0.0 && found.importance.interval.is_none());
    assert_eq!(explained.input().importance(&Options::default()), Err(NoRowError::Undefined));
    let used = world.importances(judged, &donors, 1).unwrap();
    assert!(used.iter().all(|one| !one.is_unused && one.permutation_error.unwrap() > 0.0));
    let ones = vec![1.0; 200];
    let one_class = ExplainedRows::new(RowMetric::MacroAuc, (&rows, &ones), &own, &series);
    assert_eq!(one_class.unwrap_err(), NoRowError::Undefined);
}
