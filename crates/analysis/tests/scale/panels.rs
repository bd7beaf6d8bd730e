//! Rates at which differences of models that are equally good are called different, on tables of several
//! series with common shocks of a time and effects of a series.

use allometry_analysis::scores::Scores;
use allometry_analysis::stats::distribution::t_two_sided;
use allometry_analysis::stats::two_way::{Clusters, TwoWay};
use allometry_analysis::{Estimate, Options, Panel, RowOrder, Series, paired_gain};
use allometry_core::rng::stream;
use allometry_core::{PanelRow, TrialRng};

use crate::random::{gaussian, uniform};

/// Number of simulations: 20 times as many as of whole ladders, which take longer.
fn runs() -> u64 {
    20 * crate::simulations()
}

/// A table of series that start and end at different times.
#[derive(Debug, Clone, Copy)]
struct Table {
    series: usize,
    times: usize,
    /// Share of the times that the shortest series have.
    shortest: f64,
    /// Standard deviations of the shocks of a time and of the effects of a series; single rows have 1.
    of_times: f64,
    of_series: f64,
    /// Autocorrelation of the shocks, and of the single rows of a series.
    memory: f64,
}

const PLAIN: Table =
    Table { series: 40, times: 120, shortest: 1.0, of_times: 0.0, of_series: 0.0, memory: 0.0 };

impl Table {
    /// Returns the series and the time of each row.
    fn rows(self, rng: &mut TrialRng) -> Vec<(u32, u32)> {
        let mut rows = Vec::new();
        for series in 0..self.series {
            let share = self.shortest + (1.0 - self.shortest) * uniform(rng);
            let length = ((self.times as f64 * share) as usize).clamp(1, self.times);
            let first = (uniform(rng) * (self.times - length + 1) as f64) as usize;
            rows.extend((first..first + length).map(|time| (series as u32, time as u32)));
        }
        rows
    }

    /// Returns what a model adds to each row by chance: shocks, effects of series, and noise of single rows.
    fn noise(self, rng: &mut TrialRng, rows: &[(u32, u32)]) -> Vec<f64> {
        let remembered = |rng: &mut TrialRng, last: f64| {
            self.memory * last + (1.0 - self.memory * self.memory).sqrt() * gaussian(rng)
        };
        let mut shock = gaussian(rng);
        let mut shocks = Vec::new();
        for _ in 0..self.times {
            shocks.push(shock);
            shock = remembered(rng, shock);
        }
        let effects: Vec<f64> = (0..self.series).map(|_| gaussian(rng)).collect();
        let mut own = gaussian(rng);
        let one = |(series, time): &(u32, u32)| {
            own = remembered(rng, own);
            self.of_times * shocks[*time as usize] + self.of_series * effects[*series as usize] + own
        };
        rows.iter().map(one).collect()
    }
}

/// Returns the share of simulations in which the mean of noise, whose true value is 0, is called different
/// from 0 at a level of 5%.
fn false_means(name: &str, table: Table) -> f64 {
    let is_false = |index: &u64| {
        let mut rng = stream(23, name, *index);
        let rows = table.rows(&mut rng);
        let mut values = table.noise(&mut rng, &rows);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        for value in &mut values {
            *value -= mean;
        }
        let (series, times): (Vec<u32>, Vec<u32>) = rows.into_iter().unzip();
        let errors = TwoWay::new(Clusters::new(&series, &times, 1)).expect("there are enough times");
        let Ok(error) = errors.error(&values) else { return false };
        t_two_sided(mean / error.variance.sqrt(), error.freedom).is_some_and(|p| p < 0.05)
    };
    (0..runs()).filter(is_false).count() as f64 / runs() as f64
}

/// Returns the share of simulations in which two models with the same true AUC are called different, with the
/// series known or not.
fn false_gains(name: &str, table: Table, is_panel: bool) -> f64 {
    let is_false = |index: &u64| {
        let mut rng = stream(29, name, *index);
        let rows = table.rows(&mut rng);
        let market = table.noise(&mut rng, &rows);
        let labels: Vec<bool> = market.iter().map(|value| *value + gaussian(&mut rng) > 0.8).collect();
        let mut model = || -> Vec<f32> {
            let noise = table.noise(&mut rng, &rows);
            let score = |(noise, label): (f64, &bool)| (0.6 * noise + f64::from(u8::from(*label))) as f32;
            noise.into_iter().zip(&labels).map(score).collect()
        };
        let (first, second) = (model(), model());
        // In the order of the times, as the trainer stores them.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| (rows[row].1, rows[row].0));
        let numbers: Vec<u64> = order.iter().map(|row| *row as u64).collect();
        let labels: Vec<bool> = order.iter().map(|row| labels[*row]).collect();
        let [first, second] =
            [first, second].map(|scores| order.iter().map(|row| scores[*row]).collect::<Vec<f32>>());
        let of = |scores| Scores { rows: &numbers, labels: &labels, scores };
        let known =
            rows.iter().zip(0..).map(|((series, time), row)| PanelRow { row, series: *series, time: *time });
        let panel = Panel::new(vec![String::new(); table.series], known);
        let series =
            Series { horizon: 1, order: RowOrder::Stored, panel: is_panel.then_some(&panel), eras: None };
        let gain = paired_gain(&of(&first), &of(&second), series, &Options::default());
        let interval = |gain: Estimate| gain.interval;
        gain.and_then(interval).is_some_and(|interval| !interval.contains(0.0))
    };
    let runs = runs() / 2;
    (0..runs).filter(is_false).count() as f64 / runs as f64
}

/// Asserts that each rate is near 5%. It may be lower where rows are independent, because the variance is at
/// least as large as each of the one-way variances.
fn holds_its_level(rates: &[(&str, f64)]) {
    let least = |name: &str| if name == "no dependence" { 0.01 } else { 0.025 };
    let fails = |(name, rate): &&(&str, f64)| !(least(name)..=0.08).contains(rate);
    assert_eq!(rates.iter().find(fails), None);
}

#[test]
fn means_over_panels_keep_their_level() {
    let both = Table { of_times: 0.5, of_series: 0.5, ..PLAIN };
    let mut rates = Vec::new();
    for (name, table) in [
        ("no dependence", PLAIN),
        ("shocks", Table { of_times: 0.7, ..PLAIN }),
        ("series", Table { of_series: 0.7, ..PLAIN }),
        ("both", both),
        ("unlike lengths", Table { shortest: 0.1, ..both }),
        ("memory", Table { memory: 0.6, ..both }),
        ("few series", Table { series: 6, ..both }),
        ("many series", Table { series: 120, times: 60, ..both }),
        ("few times", Table { times: 24, ..both }),
    ] {
        let rate = false_means(name, table);
        println!("| {name} | {:.1}% |", 100.0 * rate);
        rates.push((name, rate));
    }
    holds_its_level(&rates);
}

#[test]
fn models_that_are_equally_good_are_seldom_called_different_on_panels() {
    let both = Table { of_times: 0.6, of_series: 0.6, ..PLAIN };
    let mut rates = Vec::new();
    for (name, table) in [
        ("no dependence", PLAIN),
        ("both", both),
        ("unlike lengths", Table { shortest: 0.2, series: 60, ..both }),
        ("memory", Table { memory: 0.5, ..both }),
    ] {
        let rate = false_gains(name, table, true);
        println!("| {name} | {:.1}% |", 100.0 * rate);
        rates.push((name, rate));
    }
    holds_its_level(&rates);
    // As rows of one series in time order they are called different far too often.
    let rate = false_gains("both", both, false);
    println!("as one series: {:.1}%", 100.0 * rate);
    assert!(rate > 0.15, "{rate}");
}
