//! Resampling of validation rows, jointly for all budgets: which results other rows would have given.

use allometry_core::rng::stream;
use allometry_core::{TrialNumber, TrialRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Method};
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::sample::Sample;
use crate::scores::Scores;
use crate::stats::long_run::Cosines;
use crate::stats::moments::{mean, sample_sd};
use crate::stats::two_way::Clusters;
use crate::stats::weighted_auc::SortedRows;
use crate::stats::{block_length, bootstrap, random};
use crate::study::StudyAnalysis;

/// Number of trials of a budget, the best by value, that may win a resample. Others are too far behind to
/// matter.
const CANDIDATES: usize = 50;
/// Most row visits of all replicates together, over all candidates.
const BUDGET: usize = 100_000_000;
/// Fewest replicates of a result.
const FEWEST: usize = 100;
/// Fewest blocks of rows of a result.
const FEWEST_BLOCKS: usize = 8;
/// Most orders that are listed.
const LISTED: usize = 6;

/// An order of the budgets by the metric of their best trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderProbability {
    /// Labels of the budgets, the best first.
    pub budgets: Vec<String>,
    /// Share of the resamples with this order.
    pub probability: f64,
}

/// A budget's best value, corrected for the bias of choosing the best of many trials on these rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectedBest {
    /// Label of the size budget.
    pub budget: String,
    /// Corrected value: the mean over resamples of the value, on the rows left out, of the trial that was
    /// best on the resample (Tsamardinos, Greasidou & Borboudakis 2018). The interval consists of
    /// percentiles, scaled to the spread of all rows. It covers new rows and the choice that they would lead
    /// to among these trials.
    pub best: Estimate,
    /// Observed value less the corrected one.
    pub optimism: f64,
    /// Number of trials with stored scores that could win.
    pub candidates: u64,
}

/// Results over resampled validation rows; requires stored scores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowResamples {
    /// Number of resamples of the rows.
    pub replicates: u64,
    /// Number of neighbouring rows that are drawn together; of times, if the table has several series.
    #[serde(default)]
    pub block: u64,
    /// Probability of each order of the budgets' best trials on as many new rows with the same class balance,
    /// for fixed models. The values are first shrunk towards each other by the share of chance in their
    /// distances. The most probable order comes first, at most six are listed. Empty unless all best trials
    /// have scores on the same rows.
    pub orders: Vec<OrderProbability>,
    /// Corrected best values, one per budget with scores.
    pub corrected: Vec<CorrectedBest>,
}

/// One budget's candidates, the best trial first.
struct Candidates<'a> {
    budget: &'a str,
    best: Scores<'a>,
    observed: f64,
    sorted: Vec<SortedRows>,
    /// Order of the rows in time, or their stored order where the time is not known.
    order: Vec<usize>,
    /// Number of neighbouring rows, or times of a table with several series, that must be drawn together.
    block: usize,
    /// Series and times of the rows; `None` for rows of one series.
    clusters: Option<Clusters>,
}

impl<'a> Candidates<'a> {
    fn new(study: &'a StudyTrials, analysis: &'a StudyAnalysis, ladder: &LadderTrials) -> Option<Self> {
        let incumbent = analysis.summary.incumbent()?;
        let best = study.predictions.scores(incumbent.number)?;
        let scores = ladder.row_scores(study, incumbent.number)?;
        let influence = scores.influence()?;
        let clusters = match &ladder.panel {
            Some(panel) => Some(panel.clusters(best.rows, ladder.horizon)?),
            None => None,
        };
        let order = scores.time_order();
        let in_time =
            |order: &Vec<usize>| order.iter().map(|&place| influence.rows[place]).collect::<Vec<f64>>();
        let block = match (&clusters, order.as_ref().map(in_time)) {
            (Some(clusters), _) => block(&clusters.by_time(&influence.rows), clusters.horizon())?,
            (None, Some(series)) => block(&series, ladder.horizon)?,
            (None, None) => 1,
        };
        let order = order.unwrap_or_else(|| (0..best.rows.len()).collect());
        let sample = Sample::new(study, ladder.direction());
        let mut ranked: Vec<(f64, TrialNumber)> =
            sample.values.iter().zip(&sample.trials).map(|(value, trial)| (*value, trial.number)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let sorted = ranked
            .iter()
            .filter_map(|(_, number)| study.predictions.scores(*number))
            .take(CANDIDATES)
            .map(|scores| SortedRows::new(scores.labels, scores.scores))
            .collect();
        let observed = incumbent.value.point;
        Some(Self { budget: &study.budget.label, best, observed, sorted, order, block, clusters })
    }
}

impl Candidates<'_> {
    /// Draws rows with replacement: blocks of neighbours, or, of a table with several series, blocks of times
    /// and independently series, a row as often as both (the pigeonhole bootstrap, Owen 2007, whose variances
    /// are at least those of two-way random effects). Stores how often each row was drawn, and 1 for each
    /// row that was left out or whose time was.
    fn draw(&self, rng: &mut TrialRng, block: usize, drawn: &mut [f64], left_out: &mut [f64]) {
        let is_none = |count: f64| if count == 0.0 { 1.0 } else { 0.0 };
        let Some(clusters) = &self.clusters else {
            let mut in_time = vec![0.0; drawn.len()];
            random::resample(rng, block, &mut in_time);
            self.order.iter().zip(&in_time).for_each(|(&place, count)| drawn[place] = *count);
            left_out.iter_mut().zip(drawn).for_each(|(left_out, drawn)| *left_out = is_none(*drawn));
            return;
        };
        let (mut times, mut series) = (vec![0.0; clusters.all_times], vec![0.0; clusters.all_series]);
        random::resample(rng, block, &mut times);
        random::resample(rng, 1, &mut series);
        for (row, (own_series, time)) in clusters.series.iter().zip(&clusters.times).enumerate() {
            drawn[row] = times[*time] * series[*own_series];
            left_out[row] = is_none(times[*time]);
        }
    }
}

/// Returns the length of the blocks: the largest of the horizon, the number of rows that count as one, and
/// Politis and White's length (2004). `None` where fewer than eight blocks remain.
fn block(series: &[f64], horizon: u64) -> Option<usize> {
    let rows = series.len();
    let error = Cosines::new(rows, horizon).ok()?.error_of(series).ok()?;
    let memory = rows as f64 / error.effective_rows;
    let length = block_length::automatic(series).max(memory).max(horizon as f64).round() as usize;
    (FEWEST_BLOCKS * length <= rows).then_some(length.max(1))
}

impl RowResamples {
    /// Resamples the rows; `None` where no best trial has scores, where the metric is not a maximised AUC, or
    /// where it is a mean over eras, of which there are too few to be resampled.
    pub(super) fn new(studies: &[StudyAnalysis], ladder: &LadderTrials, options: &Options) -> Option<Self> {
        if ladder.eras.is_some() || !ladder.measures_auc() || !ladder.direction().better(1.0, 0.0) {
            return None;
        }
        let with_trials = studies.iter().filter(|study| study.summary.trials > 0).count();
        let candidates: Vec<Candidates<'_>> = ladder
            .studies
            .iter()
            .zip(studies)
            .filter_map(|(study, analysis)| Candidates::new(study, analysis, ladder))
            .collect();
        let visits: usize = candidates.iter().map(|one| one.sorted.len() * one.best.labels.len()).sum();
        let replicates = (BUDGET / visits.max(1)).min(options.bootstraps as usize);
        if candidates.is_empty() || replicates < FEWEST {
            return None;
        }
        let block = candidates.iter().map(|one| one.block).max().unwrap_or(1);
        let resamples: Vec<Resampled> =
            candidates.iter().map(|one| Resampled::new(one, block, replicates, options)).collect();
        let is_joint = candidates.len() == with_trials
            && candidates.iter().all(|one| one.best.same_rows(&candidates[0].best));
        let orders = if is_joint && candidates.len() > 1 {
            orders(&candidates, &resamples, replicates)
        } else {
            Vec::new()
        };
        let corrected = candidates
            .iter()
            .zip(resamples)
            .filter_map(|(candidates, resampled)| resampled.corrected(candidates, options))
            .collect();
        Some(Self { replicates: replicates as u64, block: block as u64, orders, corrected })
    }
}

/// Values of one budget over the resamples. Budgets with equally many rows share the drawn rows.
struct Resampled {
    /// Value of the best trial on each resample; `None` for a resample without both classes.
    best: Vec<Option<f64>>,
    /// Value of the trial that won a resample, on the rows left out.
    left_out: Vec<f64>,
    /// Mean share of the rows that a resample leaves out.
    left_out_share: f64,
}

impl Resampled {
    fn new(candidates: &Candidates<'_>, block: usize, replicates: usize, options: &Options) -> Self {
        let rows = candidates.best.labels.len();
        let (mut drawn, mut left_out) = (vec![0.0; rows], vec![0.0; rows]);
        let mut resampled =
            Self { best: Vec::with_capacity(replicates), left_out: Vec::new(), left_out_share: 0.0 };
        for replicate in 0..replicates {
            let mut rng = stream(options.seed, "validation rows", replicate as u64);
            candidates.draw(&mut rng, block, &mut drawn, &mut left_out);
            let values: Vec<Option<f64>> =
                candidates.sorted.iter().map(|sorted| sorted.auc(&drawn)).collect();
            resampled.best.push(values.first().copied().flatten());
            let winner =
                (0..values.len()).reduce(|best, next| if values[next] > values[best] { next } else { best });
            resampled.left_out_share += mean(left_out.iter().copied()).unwrap_or(0.0) / replicates as f64;
            resampled.left_out.extend(winner.and_then(|winner| candidates.sorted[winner].auc(&left_out)));
        }
        resampled
    }

    fn corrected(mut self, candidates: &Candidates<'_>, options: &Options) -> Option<CorrectedBest> {
        let point = mean(self.left_out.iter().copied())?;
        // Fewer rows have a larger spread, by the factor of a delete-d jackknife (Shao & Wu 1989).
        let scale = (self.left_out_share / (1.0 - self.left_out_share)).sqrt();
        for value in &mut self.left_out {
            *value = point + scale * (*value - point);
        }
        let standard_error = sample_sd(self.left_out.iter().copied());
        let interval = bootstrap::percentile(&mut self.left_out, options.level)?;
        let best = Estimate {
            standard_error,
            interval: Some(interval.into()),
            method: Method::LeftOutRows,
            ..Estimate::observed(point, options)
        };
        Some(CorrectedBest {
            budget: candidates.budget.to_owned(),
            best,
            optimism: candidates.observed - point,
            candidates: candidates.sorted.len() as u64,
        })
    }
}

fn orders(
    candidates: &[Candidates<'_>],
    resamples: &[Resampled],
    replicates: usize,
) -> Vec<OrderProbability> {
    let observed: Vec<f64> = candidates.iter().map(|one| one.observed).collect();
    let deviations: Vec<Vec<f64>> = (0..replicates)
        .filter_map(|replicate| {
            let deviation = |(one, observed): (&Resampled, &f64)| Some(one.best[replicate]? - observed);
            resamples.iter().zip(&observed).map(deviation).collect()
        })
        .collect();
    // Distances that chance alone explains give no order, so values shrink towards their mean by the share of
    // chance in their distances (James & Stein 1961). New rows then add their own chance to the uncertainty
    // about the true values.
    let center = mean(observed.iter().copied()).unwrap_or(0.0);
    let square = |values: &[f64]| {
        let center = mean(values.iter().copied()).unwrap_or(0.0);
        values.iter().map(|value| (value - center) * (value - center)).sum::<f64>()
    };
    let chance = deviations.iter().map(|one| square(one)).sum::<f64>() / deviations.len().max(1) as f64;
    let kept = (1.0 - chance / square(&observed).max(f64::MIN_POSITIVE)).max(0.0);
    let mut counts: Vec<(Vec<usize>, u64)> = Vec::new();
    for deviation in &deviations {
        let fresh = |(observed, deviation): (&f64, &f64)| {
            center + kept * (observed - center) + (1.0 + kept).sqrt() * deviation
        };
        let values: Vec<f64> = observed.iter().zip(deviation).map(fresh).collect();
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        match counts.iter_mut().find(|(known, _)| *known == order) {
            Some((_, count)) => *count += 1,
            None => counts.push((order, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
        .into_iter()
        .take(LISTED)
        .map(|(order, count)| OrderProbability {
            budgets: order.into_iter().map(|position| candidates[position].budget.to_owned()).collect(),
            probability: count as f64 / deviations.len() as f64,
        })
        .collect()
}
