//! Problems of the ladder as a whole.

use allometry_core::Origin;

use super::{BudgetTrials, Finding, Problem, RowsNeeded, UnknownSizes};
use crate::baseline::BaselineComparison;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::{Scaling, SearchKind, Source};
use crate::stats::normal;
use crate::study::StudyAnalysis;
use crate::verdict::{Outcome, Verdict};

/// Ratio of trial counts from which they count as unequal.
const UNEQUAL: f64 = 1.5;

/// Returns the findings on the ladder as a whole.
pub(super) fn findings(
    ladder: &LadderTrials,
    studies: &[StudyAnalysis],
    scaling: &Scaling,
    baselines: &[BaselineComparison],
    verdict: &Verdict,
    options: &Options,
) -> Vec<Finding> {
    let behind = baselines.iter().filter_map(|baseline| behind(baseline, studies, ladder));
    let others = [
        sizes_out_of_order(studies),
        too_few_rows(ladder, scaling, verdict, options),
        searched_differently(ladder, scaling),
        unequal_trials(studies),
        unequal_knowledge(studies),
        rows_unknown(ladder, scaling),
        missing_scores(ladder, studies),
        missing_sizes(studies),
        (studies.len() == 1).then_some(Problem::SingleBudget),
        too_few_sizes(scaling),
        adaptive_sampling(ladder),
        several_objectives(ladder),
    ];
    behind.chain(others.into_iter().flatten()).map(|problem| Finding::new(None, problem)).collect()
}

fn sizes_out_of_order(studies: &[StudyAnalysis]) -> Option<Problem> {
    let reversals = StudyAnalysis::size_reversals(studies);
    (!reversals.is_empty()).then_some(Problem::SizesOutOfOrder { reversals })
}

fn several_objectives(ladder: &LadderTrials) -> Option<Problem> {
    let trials = ladder.studies.iter().flat_map(|study| &study.trials);
    let objectives = trials.map(|trial| trial.values.len()).max().filter(|count| *count > 1)?;
    Some(Problem::SeveralObjectives {
        objectives,
        metric: ladder.metric().to_owned(),
        knows_directions: ladder.metrics.as_slice().len() == objectives,
    })
}

fn behind(
    baseline: &BaselineComparison,
    studies: &[StudyAnalysis],
    ladder: &LadderTrials,
) -> Option<Problem> {
    let (value, gain) = baseline.value.zip(baseline.gain)?;
    let budget = baseline.best_budget.as_deref()?;
    let best = studies.iter().find(|study| study.budget.label == budget)?.summary.incumbent()?;
    (gain.point < 0.0).then(|| Problem::BehindBaseline {
        baseline: baseline.name.clone(),
        value: value.point,
        budget: budget.to_owned(),
        best: best.value.point,
        metric: ladder.metric().to_owned(),
        standard_errors: gain.z().map(f64::abs),
    })
}

/// Reports too few rows where they cause most of the slope's error and more rows would make it small enough.
fn too_few_rows(
    ladder: &LadderTrials,
    scaling: &Scaling,
    verdict: &Verdict,
    options: &Options,
) -> Option<Problem> {
    let judgement = scaling.judgement.as_ref().filter(|_| verdict.outcome == Outcome::Undecided)?;
    let rows = ladder.rows?;
    let available = rows.positives.saturating_add(rows.negatives);
    let share = judgement.shares.iter().find(|share| share.source == Source::Rows)?.share;
    let gain = judgement.whole;
    let variance = gain.standard_error?.powi(2);
    let needed = gain.point / (normal::half_width(options.level) + normal::quantile(options.power));
    let spare = needed * needed - variance * (1.0 - share);
    let factor = variance * share / spare;
    if share < 0.5 || spare <= 0.0 || factor <= 1.0 {
        return None;
    }
    let (first, last) = (&judgement.values.first()?.budget, &judgement.values.last()?.budget);
    let (better, worse) = if gain.point >= 0.0 { (last, first) } else { (first, last) };
    Some(Problem::TooFewRows(RowsNeeded {
        rows: available,
        positives: rows.positives,
        eras: judgement.eras,
        share,
        difference: gain.point.abs(),
        metric: ladder.metric().to_owned(),
        better: better.clone(),
        worse: worse.clone(),
        needed: judgement.eras.unwrap_or(available) as f64 * factor,
        power: options.power,
    }))
}

/// Reports budgets that were searched in different ways: their values do not compare sizes.
fn searched_differently(ladder: &LadderTrials, scaling: &Scaling) -> Option<Problem> {
    let used = || {
        let studies = ladder.studies.iter().zip(&scaling.searches);
        studies.filter(|(study, _)| study.trials.iter().any(|trial| trial.value().is_some()))
    };
    let adaptive: Vec<String> = used()
        .filter(|(_, kind)| !kind.is_independent())
        .map(|(study, _)| study.budget.label.clone())
        .collect();
    let is_recorded = !used().any(|(_, kind)| *kind == SearchKind::SeeminglyAdaptive);
    let is_mixed = !adaptive.is_empty() && adaptive.len() < used().count();
    is_mixed.then_some(Problem::SearchedDifferently { adaptive, is_recorded })
}

fn unequal_trials(studies: &[StudyAnalysis]) -> Option<Problem> {
    // Infeasible trials count too, because the search ran them as well.
    let trials = |study: &StudyAnalysis| study.summary.trials + study.summary.counts.infeasible;
    let of = |study| BudgetTrials { budget: study_label(study), trials: trials(study) };
    let tried = || studies.iter().filter(|study| trials(study) > 0);
    let least = of(tried().min_by_key(|study| trials(study))?);
    let most = of(tried().max_by_key(|study| trials(study))?);
    (most.trials as f64 >= UNEQUAL * least.trials as f64).then_some(Problem::UnequalTrials { most, least })
}

fn study_label(study: &StudyAnalysis) -> String {
    study.budget.label.clone()
}

fn unequal_knowledge(studies: &[StudyAnalysis]) -> Option<Problem> {
    let learned = |study: &&StudyAnalysis| {
        let carried = study.summary.carried_over.as_ref();
        carried.is_some_and(|carried| carried.guard.is_none_or(|guard| guard.holds()))
    };
    let budgets: Vec<String> = studies.iter().filter(learned).map(study_label).collect();
    let is_mixed = !budgets.is_empty() && budgets.len() < studies.len();
    is_mixed.then_some(Problem::UnequalKnowledge { budgets })
}

fn rows_unknown(ladder: &LadderTrials, scaling: &Scaling) -> Option<Problem> {
    let is_binary = !ladder.studies.iter().any(|study| study.predictions.are_other());
    let lacks_rows = is_binary && ladder.rows.is_none() && ladder.measures_auc();
    (lacks_rows && !scaling.points.is_empty()).then_some(Problem::RowsUnknown)
}

fn missing_scores(ladder: &LadderTrials, studies: &[StudyAnalysis]) -> Option<Problem> {
    let lacking = studies.iter().zip(&ladder.studies).filter(|(analysis, study)| {
        analysis.summary.incumbent().is_some_and(|best| ladder.row_scores(study, best.number).is_none())
    });
    let budgets: Vec<String> = lacking.map(|(analysis, _)| study_label(analysis)).collect();
    (ladder.measures_auc() && !budgets.is_empty()).then_some(Problem::MissingScores { budgets })
}

fn missing_sizes(studies: &[StudyAnalysis]) -> Option<Problem> {
    let lacking = studies.iter().filter(|study| study.sizes.known < study.summary.trials);
    let budgets: Vec<UnknownSizes> = lacking
        .map(|study| UnknownSizes {
            budget: study_label(study),
            unknown: study.summary.trials - study.sizes.known,
            trials: study.summary.trials,
        })
        .collect();
    (!budgets.is_empty()).then_some(Problem::MissingSizes { budgets })
}

fn too_few_sizes(scaling: &Scaling) -> Option<Problem> {
    let trend = scaling.trend.as_ref().filter(|trend| !trend.identifies_exponent())?;
    Some(Problem::TooFewSizes { sizes: trend.sizes, decades: trend.decades })
}

fn adaptive_sampling(ladder: &LadderTrials) -> Option<Problem> {
    let trials = || ladder.studies.iter().flat_map(|study| &study.trials);
    let modelled = trials().filter(|trial| trial.record.origin == Some(Origin::Model)).count() as u64;
    (modelled > 0).then(|| Problem::AdaptiveSampling { modelled, trials: trials().count() as u64 })
}
