//! Problems of one budget.

use allometry_core::WeightTarget;
use allometry_core::space::ARCHITECTURE;

use super::{BudgetProblem, Finding, Problem, RecordedParameter};
use crate::coverage::Confounding;
use crate::edge::Edge;
use crate::options::Options;
use crate::study::StudyAnalysis;
use crate::summary::BestEpochs;

/// Further parameters that the size of the built-in model depends on, so that a budget binds them together.
const WINDOW: [&str; 3] = ["context", "patch", "stride"];

/// Most reasons of failures in a finding.
const REASONS: usize = 3;

/// Fewest trials whose equal values are a problem.
const FEWEST_EQUAL: u64 = 3;

/// Fewest trials with a known best epoch for a finding on them.
const FEWEST_EPOCHS: u64 = 5;

/// Adds the findings of a budget; `is_auc` says whether the metric is an AUC.
pub(super) fn findings(findings: &mut Vec<Finding>, study: &StudyAnalysis, is_auc: bool, options: &Options) {
    let label = Some(study.budget.label.as_str());
    let finding = |problem| Finding::new(label, Problem::OfBudget(problem));
    let of_states = [failed(study, options), non_finite(study), infeasible(study)];
    findings.extend(of_states.into_iter().flatten().map(finding));
    let problems = if study.summary.trials == 0 {
        let has_infeasible = study.summary.counts.infeasible > 0;
        vec![Some(if has_infeasible {
            BudgetProblem::NoFeasibleTrial
        } else {
            BudgetProblem::NoCompleteTrial
        })]
    } else {
        vec![
            few_trials(study, options),
            equal_values(study),
            study.summary.data.map(BudgetProblem::MixedData),
            best_params(study),
            out_of_reach(study),
            nominal(study),
            edges(study, options, false).map(|edges| BudgetProblem::EdgeOfSpace { edges }),
            edges(study, options, true).map(|edges| BudgetProblem::LearningRateEdge { edges }),
            single_levels(study),
            confounded(study),
            duplicates(study),
            collapsed(study),
            (is_auc && !study.has_predictions()).then_some(BudgetProblem::CollapseUnknown),
            still_improving(study),
        ]
    };
    findings.extend(problems.into_iter().flatten().map(finding));
}

fn failed(study: &StudyAnalysis, options: &Options) -> Option<BudgetProblem> {
    let counts = study.summary.counts;
    let (failed, ended) = (counts.failed, counts.complete + counts.pruned + counts.failed);
    let share = failed as f64 / ended.max(1) as f64;
    (share > options.failed_share).then(|| BudgetProblem::FailedTrials {
        failed,
        ended,
        reasons: study.summary.failures.iter().take(REASONS).cloned().collect(),
    })
}

fn infeasible(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let counts = study.summary.counts;
    (counts.infeasible > 0).then(|| BudgetProblem::InfeasibleTrials {
        infeasible: counts.infeasible,
        complete: counts.complete,
        broken: study.summary.broken.iter().take(REASONS).cloned().collect(),
    })
}

fn non_finite(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let trials = study.summary.counts.complete_without_number;
    (trials > 0).then_some(BudgetProblem::NonFiniteValues { trials })
}

fn few_trials(study: &StudyAnalysis, options: &Options) -> Option<BudgetProblem> {
    let trials = study.summary.trials;
    (trials < options.few_trials).then_some(BudgetProblem::FewTrials { trials })
}

/// Returns the problem if all trials have one value, whatever their parameters.
fn equal_values(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let trials = study.summary.trials;
    let value = study.summary.incumbent()?.value.point;
    // The mean of equal values can differ from them in the last digit.
    let is_one = study.summary.sd.is_some_and(|sd| sd <= 1e-14 * value.abs());
    (is_one && trials >= FEWEST_EQUAL).then_some(BudgetProblem::EqualValues { trials, value })
}

fn best_params(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let recorded = study.summary.recorded_best_params.as_ref()?;
    let incumbent = study.summary.incumbent()?;
    let differing: Vec<RecordedParameter> = recorded
        .iter()
        .filter_map(|(name, value)| {
            let ours = incumbent.params.get(name).filter(|ours| *ours != value)?;
            Some(RecordedParameter {
                parameter: name.to_owned(),
                recorded: value.clone(),
                of_trial: ours.clone(),
            })
        })
        .collect();
    (!differing.is_empty())
        .then_some(BudgetProblem::BestParamsMismatch { trial: incumbent.number, differing })
}

fn out_of_reach(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let (nominal, reach) = study.sizes.nominal.zip(study.sizes.reach)?;
    let (largest, smallest) = (reach.largest.total, reach.smallest.total);
    if (largest as f64) < nominal * (1.0 - study.sizes.tolerance) {
        return Some(BudgetProblem::LargestBelowBudget { weights: largest, nominal });
    }
    let is_above = smallest as f64 > nominal * (1.0 + study.sizes.tolerance);
    is_above.then_some(BudgetProblem::SmallestAboveBudget { weights: smallest, nominal })
}

fn nominal(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let sizes = &study.sizes;
    let (nominal, best) = sizes.nominal.zip(sizes.best)?;
    let tried = sizes.smallest_tried.zip(sizes.largest_tried);
    sizes.best_is_off_label().then_some(BudgetProblem::NominalNotSize { best, nominal, tried })
}

/// Returns the best values at an end beyond which the optimum may lie; `None` without such values.
fn edges(study: &StudyAnalysis, options: &Options, of_learning_rates: bool) -> Option<Vec<Edge>> {
    let beyond = study.edges.iter().filter(|edge| edge.may_lie_beyond(options.level));
    let edges: Vec<Edge> =
        beyond.filter(|edge| edge.is_learning_rate() == of_learning_rates).cloned().collect();
    (!edges.is_empty()).then_some(edges)
}

fn single_levels(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let single = study.importance.iter().filter(|importance| importance.values == 1);
    let parameters: Vec<String> = single.map(|importance| importance.parameter.clone()).collect();
    let is_problem = study.summary.trials > 1 && !parameters.is_empty();
    is_problem.then_some(BudgetProblem::SingleLevel { parameters })
}

fn confounded(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let pairs = &study.space_coverage.confounded;
    let is_shape = |name: &&String| ARCHITECTURE.iter().chain(&WINDOW).any(|shape| shape == name);
    let are_shapes = |pair: &Confounding| [&pair.first, &pair.second].iter().all(is_shape);
    let is_by_design =
        matches!(study.budget.target, WeightTarget::Near { .. }) && pairs.iter().all(are_shapes);
    (!pairs.is_empty()).then(|| BudgetProblem::Confounded { pairs: pairs.clone(), is_by_design })
}

fn duplicates(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let duplicates = &study.duplicates;
    (duplicates.repeats > 0).then_some(BudgetProblem::Duplicates {
        repeats: duplicates.repeats,
        identical: duplicates.identical,
        trials: study.summary.trials,
        repeat_sd: duplicates.repeat_sd,
    })
}

fn collapsed(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let (kinds, share) = (study.collapse.kinds, study.collapse.constant_share?);
    (kinds.constant > 0).then(|| BudgetProblem::CollapsedTrials {
        constant: kinds.constant,
        known: study.summary.trials - kinds.unknown,
        share: share.point,
    })
}

/// Reports a budget most of whose trials are best at their last epoch.
fn still_improving(study: &StudyAnalysis) -> Option<BudgetProblem> {
    let BestEpochs { known, last } = study.summary.best_epochs?;
    (known >= FEWEST_EPOCHS && 2 * last > known).then_some(BudgetProblem::StillImproving { last, known })
}
