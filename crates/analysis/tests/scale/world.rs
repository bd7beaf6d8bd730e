//! Simulated ladders whose true effects are known.

use allometry_analysis::stats::weighted_auc::SortedRows;
use allometry_analysis::{Eras, LadderTrials, Panel, RowOrder, StudyPredictions, StudyTrials};
use allometry_core::{
    ClassCounts, Direction, FrozenTrial, Metrics, ModelSize, Origin, PanelRow, Params, RowCount, SizeBudget,
    TrainingCost, TrialNumber, TrialRng, TrialState, ValidationScores,
};
use allometry_search::normal::cdf;

use crate::random::{gaussian, uniform};

/// The distribution of the values of configurations; all have mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Normal.
    Normal,
    /// Most values are good; one in five is far worse.
    FewBad,
    /// Exponential towards worse values.
    LongTail,
}

impl Shape {
    fn draw(self, rng: &mut TrialRng) -> f64 {
        match self {
            Self::Normal => gaussian(rng),
            Self::FewBad => {
                let bad = if uniform(rng) < 0.2 { -5.0 } else { 0.0 };
                (bad + 1.0 + 0.5 * gaussian(rng)) / 2.062
            }
            Self::LongTail => 1.0 + uniform(rng).ln(),
        }
    }
}

/// What is stored about the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows {
    /// Nothing: the metric is a score without rows.
    Unknown,
    /// The counts of both classes.
    Counts(u64, u64),
    /// Every trial's scores on the same rows, in time order.
    Scores {
        /// Number of rows.
        count: usize,
        /// Number of rows that a label looks ahead.
        horizon: usize,
        /// Autocorrelation of the scores.
        memory: f64,
        /// Autocorrelation of the logarithm of the volatility; 0 for a constant one.
        volatility: f64,
    },
    /// Every trial's scores on the same rows of several series with common times, time after time. Labels and
    /// scores have shocks of a time and effects of a series.
    Panel {
        /// Number of series.
        series: usize,
        /// Number of times.
        times: usize,
    },
}

/// Walk-forward folds whose eras are equally many rows each. A trial's value is the mean over them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folds {
    /// Number of folds.
    pub(crate) count: usize,
    /// Standard deviation over eras of the gain per decade, around [`World::gain`].
    pub(crate) gain_spread: f64,
    /// Standard deviation of what one training adds on its era.
    pub(crate) training_spread: f64,
}

/// A ladder over two decades of weights.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Number of trials of each budget.
    pub(crate) trials: Vec<u64>,
    /// Gain for each tenfold number of weights.
    pub(crate) gain: f64,
    /// Standard deviation over configurations.
    pub(crate) spread: f64,
    pub(crate) shape: Shape,
    /// Standard deviation over seeds.
    pub(crate) seed_spread: f64,
    pub(crate) direction: Direction,
    pub(crate) rows: Rows,
    /// Folds of the rows; `None` for one training of each trial.
    pub(crate) folds: Option<Folds>,
    /// Shares of the training rows on which every budget is searched as well.
    pub(crate) shares: Vec<f64>,
    /// Gain for each doubling of the training rows.
    pub(crate) data_gain: f64,
    /// Number of trials of each budget on each of its parts of the rows.
    pub(crate) trials_of_parts: u64,
    /// Whether the first budget's search learns from its trials, and whether that is recorded.
    pub(crate) adaptive: Option<bool>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            trials: vec![50; 3],
            gain: 0.0,
            spread: 0.012,
            shape: Shape::Normal,
            seed_spread: 0.0,
            direction: Direction::Maximize,
            rows: Rows::Unknown,
            folds: None,
            shares: Vec::new(),
            data_gain: 0.0,
            trials_of_parts: 50,
            adaptive: None,
        }
    }
}

impl World {
    /// Returns a ladder of this world.
    pub(crate) fn ladder(&self, rng: &mut TrialRng) -> LadderTrials {
        let mut market = match self.rows {
            Rows::Scores { count, horizon, memory, volatility } => {
                Some(Market::new(rng, count, horizon, memory, volatility))
            }
            Rows::Panel { series, times } => Some(Market::of_panel(rng, series, times)),
            Rows::Unknown | Rows::Counts(..) => None,
        };
        if let (Some(market), Some(folds)) = (&mut market, self.folds) {
            market.gains = (0..folds.count).map(|_| folds.gain_spread * gaussian(rng)).collect();
        }
        let studies =
            (0..self.trials.len()).map(|place| self.study(rng, place, None, market.as_ref())).collect();
        let places =
            (0..self.trials.len()).flat_map(|place| self.shares.iter().map(move |share| (place, *share)));
        let places: Vec<(usize, f64)> = places.collect();
        let parts = places
            .into_iter()
            .map(|(place, share)| self.study(rng, place, Some(share), market.as_ref()))
            .collect();
        let rows = match (self.rows, &market) {
            (Rows::Counts(positives, negatives), _) => Some(ClassCounts { positives, negatives }),
            (_, Some(market)) => Some(market.counts()),
            _ => None,
        };
        let horizon = if let Rows::Scores { horizon, .. } = self.rows { horizon as u64 } else { 1 };
        let metric = if matches!(self.rows, Rows::Unknown) { "score" } else { "AUC" };
        LadderTrials {
            metrics: Metrics::one(metric, self.direction),
            rows,
            horizon,
            row_order: RowOrder::Stored,
            panel: market.as_ref().and_then(Market::panel),
            eras: market.as_ref().and_then(Market::eras),
            parts,
            ..LadderTrials::new(studies)
        }
    }

    /// Returns the search of a budget, on a share of the rows if one is given.
    fn study(
        &self,
        rng: &mut TrialRng,
        place: usize,
        share: Option<f64>,
        market: Option<&Market>,
    ) -> StudyTrials {
        let decades = 2.0 * place as f64 / (self.trials.len() - 1) as f64;
        let total = (1e6 * 10.0_f64.powf(decades)) as u64;
        let mut scores = StudyPredictions::default();
        let (mut trials, mut best): (Vec<FrozenTrial>, f64) = (Vec::new(), f64::NEG_INFINITY);
        let adaptive = self.adaptive.filter(|_| place == 0);
        // The effect on single rows that two models of one budget share.
        let family = market.map(|market| market.noise(rng));
        let rows = 1e4 * share.unwrap_or(1.0);
        for number in 0..share.map_or(self.trials[place], |_| self.trials_of_parts) {
            let mut level = self.shape.draw(rng);
            if adaptive.is_some() && number >= 10 {
                // A model-based sampler proposes neighbours of the best trials.
                level = 0.7 * best + 0.4 * level;
            }
            best = best.max(level);
            let of_rows = self.data_gain * share.unwrap_or(1.0).log2();
            let quality =
                self.gain * decades + of_rows + self.spread * level + self.seed_spread * gaussian(rng);
            let value = match (market, &family) {
                (Some(market), Some(family)) => {
                    let training_spread = self.folds.map_or(0.0, |folds| folds.training_spread);
                    let of_eras: Vec<f64> = market
                        .gains
                        .iter()
                        .map(|gain| quality + gain * decades + training_spread * gaussian(rng))
                        .collect();
                    let own = |row: usize| of_eras.get(market.era(row)).copied().unwrap_or(quality);
                    let predicted = market.scores(rng, family, own);
                    let auc = market.auc(&predicted);
                    let rows = (0..predicted.len() as u64).collect();
                    let stored = ValidationScores { rows, labels: market.labels.clone(), scores: predicted };
                    assert!(scores.insert(TrialNumber(number), stored));
                    auc
                }
                _ => 0.7 + quality,
            };
            let value = if self.direction == Direction::Minimize { -value } else { value };
            let params: Params = [("level", level), ("quality", quality)].into_iter().collect();
            let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
            trial.record.size = Some(ModelSize { total, non_embedding: 0 });
            let cost = TrainingCost {
                train_rows: Some(rows as u64),
                tokens: Some(10 * rows as u64),
                flops: Some(60.0 * rows * total as f64),
                seconds: None,
                precision: None,
            };
            trial.record.cost = Some(cost).filter(|_| !self.shares.is_empty());
            trial.record.origin = match adaptive {
                Some(false) => None,
                Some(true) if number >= 10 => Some(Origin::Model),
                _ => Some(Origin::Random),
            };
            trials.push(trial);
        }
        if self.adaptive == Some(false) {
            for trial in &mut trials {
                trial.record.origin = None;
            }
        }
        let budget = SizeBudget::nominal(&format!("b{place}"));
        let budget = share.map_or(budget.clone(), |share| budget.trained_on(RowCount::Share(share)));
        StudyTrials { predictions: scores, budget, ..StudyTrials::new("", "simulation", trials) }
    }
}

/// Returns the AUC over all rows of a model of that quality: its scores have a variance of 1 in each class.
pub(crate) fn true_auc(quality: f64) -> f64 {
    cdf(distance(quality) / f64::sqrt(2.0))
}

/// The AUC is about 0.72 at a quality of 0; its slope over the distance is about 0.24 there.
fn distance(quality: f64) -> f64 {
    0.82 + quality / 0.24
}

/// Rows of a series whose labels are positive if the next rows rise far enough, in 17% of the rows.
pub(crate) struct Market {
    pub(crate) labels: Vec<bool>,
    common: Vec<f64>,
    memory: f64,
    /// Number of series with common times; 0 for rows of one series.
    series: usize,
    /// What each era adds to the gain per decade; empty without folds.
    gains: Vec<f64>,
}

impl Market {
    pub(crate) fn new(
        rng: &mut TrialRng,
        count: usize,
        horizon: usize,
        memory: f64,
        volatility: f64,
    ) -> Self {
        let log_volatility = series(rng, count + horizon, volatility);
        let scale = if volatility > 0.0 { 0.6 } else { 0.0 };
        let returns: Vec<f64> = log_volatility.iter().map(|v| (scale * v).exp() * gaussian(rng)).collect();
        let ahead: Vec<f64> = (0..count).map(|t| returns[t + 1..=t + horizon].iter().sum()).collect();
        let mut sorted = ahead.clone();
        sorted.sort_by(f64::total_cmp);
        let threshold = sorted[count * 83 / 100];
        let labels = ahead.iter().map(|sum| *sum > threshold).collect();
        Self { labels, common: series(rng, count, memory), memory, series: 0, gains: Vec::new() }
    }

    /// Returns rows of several series, of which 17% are positive.
    fn of_panel(rng: &mut TrialRng, series: usize, times: usize) -> Self {
        let values = panel_noise(rng, series, times);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let threshold = sorted[values.len() * 83 / 100];
        let labels = values.iter().map(|value| *value > threshold).collect();
        Self { labels, common: panel_noise(rng, series, times), memory: 0.0, series, gains: Vec::new() }
    }

    fn panel(&self) -> Option<Panel> {
        let row = |row: usize| PanelRow {
            row: row as u64,
            series: (row % self.series) as u32,
            time: (row / self.series) as u32,
        };
        let names = (0..self.series).map(|series| series.to_string()).collect();
        (self.series > 0).then(|| Panel::new(names, (0..self.labels.len()).map(row)))
    }

    /// Returns the place of a row's era; 0 without folds.
    fn era(&self, row: usize) -> usize {
        row * self.gains.len() / self.labels.len()
    }

    fn eras(&self) -> Option<Eras> {
        let rows = (0..self.labels.len()).map(|row| (row as u64, self.era(row) as u32));
        (!self.gains.is_empty()).then(|| Eras::new(vec![(None, None); self.gains.len()], rows))
    }

    /// Returns the AUC over all rows, or the mean of those of the eras.
    fn auc(&self, scores: &[f32]) -> f64 {
        let sorted = SortedRows::new(&self.labels, scores);
        let eras = self.gains.len().max(1);
        let of_era = |era: usize| {
            let weights = (0..scores.len()).map(|row| f64::from(u8::from(self.era(row) == era)));
            sorted.auc(&weights.collect::<Vec<f64>>()).unwrap()
        };
        (0..eras).map(of_era).sum::<f64>() / eras as f64
    }

    fn counts(&self) -> ClassCounts {
        let positives = self.labels.iter().filter(|label| **label).count() as u64;
        ClassCounts { positives, negatives: self.labels.len() as u64 - positives }
    }

    pub(crate) fn noise(&self, rng: &mut TrialRng) -> Vec<f64> {
        match self.series {
            0 => series(rng, self.labels.len(), self.memory),
            series => panel_noise(rng, series, self.labels.len() / series),
        }
    }

    /// Returns scores whose AUC is higher by about `quality`, which may differ between rows.
    pub(crate) fn scores(
        &self,
        rng: &mut TrialRng,
        family: &[f64],
        quality: impl Fn(usize) -> f64,
    ) -> Vec<f32> {
        let own = self.noise(rng);
        let row = |row: usize| {
            let noise = 0.8 * self.common[row] + 0.5 * family[row] + 0.332 * own[row];
            let score = noise + if self.labels[row] { distance(quality(row)) } else { 0.0 };
            (1.0 / (1.0 + (-score).exp())) as f32
        };
        (0..self.labels.len()).map(row).collect()
    }
}

/// Returns a standard normal series with that autocorrelation at lag 1 (AR(1)).
fn series(rng: &mut TrialRng, count: usize, memory: f64) -> Vec<f64> {
    let mut last = gaussian(rng);
    (0..count)
        .map(|_| {
            last = memory * last + (1.0 - memory * memory).sqrt() * gaussian(rng);
            last
        })
        .collect()
}

/// Returns standard normal noise of rows, time after time: a quarter of the variance is of the time, a
/// quarter of the series.
fn panel_noise(rng: &mut TrialRng, series: usize, times: usize) -> Vec<f64> {
    let shocks = self::series(rng, times, 0.0);
    let effects = self::series(rng, series, 0.0);
    let row =
        |row: usize| 0.5 * (shocks[row / series] + effects[row % series]) + 0.5_f64.sqrt() * gaussian(rng);
    (0..series * times).map(row).collect()
}
