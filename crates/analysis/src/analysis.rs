//! The analysis of a ladder's trials.

use allometry_core::space::ARCHITECTURE;
use allometry_core::{ClassCounts, Direction, ParamValue, Params};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::BaselineComparison;
use crate::confirmation::Confirmation;
use crate::consistency::{self, BestValueSet, Consistency, interaction};
use crate::finding::{Finding, findings};
use crate::front::{Front, Objectives};
use crate::input::{LadderTrials, Training};
use crate::learning_rate::LearningRates;
use crate::options::Options;
use crate::per_era::PerEra;
use crate::per_series::PerSeries;
use crate::sample::Sample;
use crate::scaling::{DataScaling, Scaling, Withheld};
use crate::statement::Statement;
use crate::stats::bootstrap::quantile;
use crate::study::StudyAnalysis;
use crate::transfer::Transfer;
use crate::verdict::Verdict;

/// Parameters whose best values are compared across budgets, ahead of the parameters of other programs.
const COMPARED: [&str; 3] = ["dropout", "learning_rate", "weight_decay"];

/// The analysis of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// The ladder's name; `None` if it has none.
    pub name: Option<String>,
    /// Name of the data set or feature tier.
    pub tag: Option<String>,
    /// The metric.
    pub metric: String,
    /// Whether larger or smaller values of the metric are better.
    pub direction: Direction,
    /// All objectives of a multi-objective ladder; all other fields are about the first objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectives: Option<Objectives>,
    /// Numbers of validation rows by class, if known.
    pub rows: Option<ClassCounts>,
    /// Settings of the analysis.
    pub options: Options,
    /// Whether more weights pay.
    pub verdict: Verdict,
    /// Problems with the data, most severe first.
    pub findings: Vec<Finding>,
    /// Comparisons of the best trial with simple models.
    pub baselines: Vec<BaselineComparison>,
    /// Scaling of the best value with model size.
    pub scaling: Scaling,
    /// What more training rows buy; absent for a ladder that was not trained on parts of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_scaling: Option<DataScaling>,
    /// Whether the budgets agree on the best values of parameters.
    pub consistency: Vec<Consistency>,
    /// The best learning rates of the budgets; absent without a learning rate in the spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rates: Option<LearningRates>,
    /// Whether the best settings of one budget also suit the others; absent if this was not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// Performance of the best configurations of each budget on the test rows, which played no part in any
    /// choice; absent if this was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Values on the validation rows of each series; absent for a table of one series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_series: Option<PerSeries>,
    /// Values on each era of walk-forward folds; absent without folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_era: Option<PerEra>,
    /// What `allometry train` repeats a trial with; absent if it cannot, because the trials come from another
    /// program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Name of the ladder file for commands; absent if it is `ladder.toml`, and if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Analyses of the size budgets, in the order given.
    pub studies: Vec<StudyAnalysis>,
}

impl Analysis {
    /// Returns the parameters with a share of the variance in some budget, those with the largest share in
    /// any of them first.
    pub fn parameters_by_share(&self) -> Vec<&str> {
        let mut all: Vec<(&str, f64)> = Vec::new();
        for one in self.studies.iter().flat_map(|study| &study.importance) {
            let Some(share) = one.share else { continue };
            match all.iter_mut().find(|(name, _)| *name == one.parameter) {
                Some((_, largest)) => *largest = largest.max(share.point),
                None => all.push((&one.parameter, share.point)),
            }
        }
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.into_iter().map(|(name, _)| name).collect()
    }

    /// Replaces every statement by an empty text and keeps the figures.
    pub(crate) fn clear_statements(&mut self) {
        let Verdict { sentence, covers, advice, evidence, caveats, .. } = &mut self.verdict;
        *sentence = Statement::default();
        *covers = Statement::default();
        *advice = Statement::default();
        for one in evidence {
            one.statement = Statement::default();
        }
        for one in caveats {
            one.statement = Statement::default();
        }
        for finding in &mut self.findings {
            finding.problem = Statement::default();
        }
        if let Some(Withheld::TooFewRows { why }) = &mut self.scaling.withheld {
            *why = Statement::default();
        }
        if let Some(Withheld::TooFewRows { why }) =
            self.data_scaling.as_mut().and_then(|data| data.withheld.as_mut())
        {
            *why = Statement::default();
        }
        if let Some(confirmation) = &mut self.confirmation {
            confirmation.sentence = Statement::default();
        }
        for study in &mut self.studies {
            study.importance_model.sentence = Statement::default();
        }
    }
}

/// Analyses the trials of a ladder. Never fails: a figure that cannot be computed is absent, with the reason.
/// Equal trials give bit-identical results for any number of threads.
pub fn analyze(ladder: &LadderTrials, options: &Options) -> Analysis {
    let options = &Options { smallest_effect: smallest_effect(ladder, options), ..*options };
    let mut studies: Vec<StudyAnalysis> =
        ladder.studies.par_iter().map(|study| StudyAnalysis::new(study, ladder, options)).collect();
    let objectives = Objectives::new(ladder);
    for (analysed, study) in studies.iter_mut().zip(&ladder.studies) {
        analysed.front = objectives.as_ref().map(|objectives| Front::new(study, objectives));
    }
    StudyAnalysis::weigh_edges(&mut studies, ladder.direction());
    let best: Vec<(&str, &Params)> = studies
        .iter()
        .filter_map(|study| Some((study.budget.label.as_str(), study.best_params()?)))
        .collect();
    let (scaling, consistency) =
        rayon::join(|| Scaling::new(&studies, ladder, options), || consistency(ladder, &studies, &best));
    let baselines = BaselineComparison::all(&scaling.points, ladder, options);
    let confirmation = Confirmation::new(ladder, options);
    let verdict = Verdict::new(&scaling, confirmation.as_ref(), &studies, ladder, options);
    let findings = findings(ladder, &studies, &scaling, &baselines, &verdict, options);
    Analysis {
        name: ladder.name.clone(),
        tag: ladder.tag.clone(),
        metric: ladder.metric().to_owned(),
        direction: ladder.direction(),
        objectives,
        rows: ladder.rows,
        options: *options,
        verdict,
        findings,
        baselines,
        scaling,
        data_scaling: DataScaling::new(ladder, options),
        consistency,
        learning_rates: LearningRates::new(&studies, ladder, options),
        transfer: Transfer::new(ladder, options),
        confirmation,
        per_series: PerSeries::new(ladder, &studies, options),
        per_era: PerEra::new(ladder, &studies, options),
        training: ladder.training,
        file: ladder.file.clone(),
        studies,
    }
}

/// Returns the smallest difference of interest: the one in the options, else the ladder's own, else a fifth
/// of the spread between configurations, rounded to two digits. `None` if the values do not vary. The spread
/// of a budget is its interquartile range divided by that of a standard normal distribution, so that diverged
/// trials do not count; the spread of a ladder is the median over its budgets.
pub(crate) fn smallest_effect(ladder: &LadderTrials, options: &Options) -> Option<f64> {
    const OF_SPREAD: f64 = 0.2;
    const NORMAL_RANGE: f64 = 1.349;
    let is_effect = |effect: &f64| effect.is_finite() && *effect > 0.0;
    if let Some(given) = options.smallest_effect.or(ladder.smallest_effect).filter(is_effect) {
        return Some(given);
    }
    let spread = |study: &crate::input::StudyTrials| {
        let mut values: Vec<f64> =
            Sample::new(study, ladder.direction()).distinct().into_iter().map(|(_, value)| value).collect();
        values.sort_by(f64::total_cmp);
        let range = quantile(&values, 0.75)? - quantile(&values, 0.25)?;
        Some(range / NORMAL_RANGE).filter(is_effect)
    };
    let mut spreads: Vec<f64> = ladder.studies.iter().filter_map(spread).collect();
    spreads.sort_by(f64::total_cmp);
    let effect = OF_SPREAD * quantile(&spreads, 0.5)?;
    let unit = 10.0_f64.powf(effect.log10().floor() - 1.0);
    Some((effect / unit).round() * unit).filter(is_effect)
}

fn consistency(
    ladder: &LadderTrials,
    studies: &[StudyAnalysis],
    best: &[(&str, &Params)],
) -> Vec<Consistency> {
    let evaluations: Vec<Vec<(&Params, f64)>> =
        ladder.studies.iter().map(|study| Sample::new(study, ladder.direction()).distinct()).collect();
    let mut names = COMPARED.to_vec();
    // The best architectures of different budgets differ by design.
    for set in studies.iter().flat_map(|study| &study.best_values) {
        let name = set.parameter.as_str();
        if !names.contains(&name) && !ARCHITECTURE.contains(&name) {
            names.push(name);
        }
    }
    let mut compared: Vec<Consistency> = names
        .into_iter()
        .map(|parameter| {
            let sets: Vec<&BestValueSet> = studies
                .iter()
                .filter_map(|study| study.best_values.iter().find(|set| set.parameter == parameter))
                .collect();
            let budgets: Vec<Vec<(ParamValue, f64)>> = evaluations
                .iter()
                .map(|budget| {
                    let value =
                        |(params, value): &(&Params, f64)| Some((params.get(parameter)?.clone(), *value));
                    budget.iter().filter_map(value).collect()
                })
                .collect();
            Consistency::new(parameter, best, &sets, interaction(&budgets))
        })
        .filter(|consistency| !consistency.values.is_empty())
        .collect();
    consistency::adjust(&mut compared);
    compared
}
