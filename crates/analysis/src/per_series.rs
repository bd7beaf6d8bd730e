//! Results of the best trials on the rows of each series of a table.

use std::collections::BTreeMap;

use allometry_core::TrialNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::panel::Panel;
use crate::row_scores::RowScores;
use crate::series::Series;
use crate::study::StudyAnalysis;

/// Most series that are listed.
const LISTED: usize = 1_000;

/// Values of the budgets' best trials on the validation rows of each series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerSeries {
    /// Number of series with validation rows.
    pub count: u64,
    /// The best trials, one for each budget whose predictions are stored.
    pub trials: Vec<BestOfBudget>,
    /// The series with the most rows, at most 1,000, in the order of their names.
    pub series: Vec<SeriesValues>,
}

/// The best trial of a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestOfBudget {
    /// Label of the budget.
    pub budget: String,
    /// Number of the trial.
    pub trial: TrialNumber,
}

/// Values on the rows of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesValues {
    /// Name of the series.
    pub series: String,
    /// Number of its validation rows.
    pub rows: u64,
    /// Value of each trial, in the order of the trials, with its error over the rows of the series in time
    /// order; `None` where the metric is undefined, as an AUC without both classes.
    pub values: Vec<Option<Estimate>>,
}

impl PerSeries {
    /// Computes the values; `None` for a table of one series and without stored predictions.
    pub(crate) fn new(ladder: &LadderTrials, studies: &[StudyAnalysis], options: &Options) -> Option<Self> {
        let panel = ladder.panel.as_ref()?;
        let (trials, scores) = best_of_budgets(ladder, studies);
        let rows = panel.found(scores.first()?.row_numbers())?;
        // Places of the rows of each series, in stored order, which is that of time.
        let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            places.entry(row.series).or_default().push(place);
        }
        let count = places.len() as u64;
        let mut listed: Vec<(u32, Vec<usize>)> = places.into_iter().collect();
        listed.sort_by_key(|(series, places)| (std::cmp::Reverse(places.len()), *series));
        listed.truncate(LISTED);
        listed.sort_by_key(|(series, _)| *series);
        let of_series = |(series, places): (u32, Vec<usize>)| SeriesValues {
            series: panel.name(series).to_owned(),
            rows: places.len() as u64,
            values: scores.iter().map(|scores| value(scores, &places, None, options)).collect(),
        };
        Some(Self { count, trials, series: listed.into_iter().map(of_series).collect() })
    }
}

/// Returns the best trials of the budgets whose predictions of the same rows are stored, with these.
pub(crate) fn best_of_budgets<'l>(
    ladder: &'l LadderTrials,
    studies: &[StudyAnalysis],
) -> (Vec<BestOfBudget>, Vec<RowScores<'l>>) {
    let mut trials = Vec::new();
    let mut scores: Vec<RowScores<'l>> = Vec::new();
    for (study, analysis) in ladder.studies.iter().zip(studies) {
        let Some(best) = analysis.summary.incumbent() else { continue };
        let Some(one) = ladder.row_scores(study, best.number) else { continue };
        if scores.first().is_none_or(|first| first.same_rows(&one)) {
            trials.push(BestOfBudget { budget: study.budget.label.clone(), trial: best.number });
            scores.push(one);
        }
    }
    (trials, scores)
}

/// Returns the metric of predictions on the rows at some places, which are of one series, or of the series of
/// `panel`. Over eras it is that of all these rows: of single series an era may have too few.
pub(crate) fn value(
    scores: &RowScores<'_>,
    places: &[usize],
    panel: Option<&Panel>,
    options: &Options,
) -> Option<Estimate> {
    scores.on_rows(places, |part| {
        let part = RowScores { series: Series { panel, eras: None, ..part.series }, ..part };
        let point = part.influence()?.value;
        Some(part.estimate(point, options).unwrap_or(Estimate::observed(point, options)))
    })
}
