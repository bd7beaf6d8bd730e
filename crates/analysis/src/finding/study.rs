//! Findings on one budget.

use allometry_core::WeightTarget;
use allometry_core::size::human_weights;
use allometry_core::space::ARCHITECTURE;

use super::{Finding, FindingCode};
use crate::coverage::Confounding;
use crate::edge::{Edge, End, RangeSource};
use crate::number::{counted, decimals, grouped, p_value, percent};
use crate::options::Options;
use crate::study::StudyAnalysis;

/// Reasons of failures that a finding lists.
const REASONS: usize = 3;

/// Adds what is found on a budget; `is_auc` says whether the metric is an AUC.
pub(super) fn findings(findings: &mut Vec<Finding>, study: &StudyAnalysis, is_auc: bool, options: &Options) {
    let label = study.budget.label.as_str();
    let mut found = |code, (message, advice): (String, &str)| {
        findings.push(Finding::new(code, Some(label), format!("{label}: {message}"), advice));
    };
    if let Some(words) = failed(study, options) {
        found(FindingCode::FailedTrials, words);
    }
    if let Some(words) = non_finite(study) {
        found(FindingCode::NonFiniteValues, words);
    }
    if let Some(words) = infeasible(study) {
        found(FindingCode::InfeasibleTrials, words);
    }
    if study.summary.trials == 0 && study.summary.counts.infeasible > 0 {
        let words = (
            "no complete trial meets its constraints, so that none is the best".to_owned(),
            "Widen the space towards what meets them, loosen the limits, or run more trials.",
        );
        found(FindingCode::NoTrials, words);
        return;
    }
    if study.summary.trials == 0 {
        found(
            FindingCode::NoTrials,
            ("no trial completed with a value".to_owned(), "Run the budget, or leave it out."),
        );
        return;
    }
    let checks = [
        (FindingCode::FewTrials, few_trials(study, options)),
        (FindingCode::BestParamsMismatch, best_params(study)),
        (FindingCode::BudgetOutOfReach, out_of_reach(study)),
        (FindingCode::NominalNotSize, nominal(study)),
        (FindingCode::EdgeOfSpace, edges(study, options)),
        (FindingCode::LearningRateEdge, learning_rate(study, options)),
        (FindingCode::SingleLevel, single_levels(study)),
        (FindingCode::ConfoundedParameters, confounded(study)),
        (FindingCode::Duplicates, duplicates(study)),
        (FindingCode::CollapsedTrials, collapsed(study)),
        (FindingCode::CollapseUnknown, collapse_unknown(study).filter(|_| is_auc)),
    ];
    for (code, words) in checks {
        if let Some(words) = words {
            found(code, words);
        }
    }
}

type Words = Option<(String, &'static str)>;

fn failed(study: &StudyAnalysis, options: &Options) -> Words {
    let counts = study.summary.counts;
    let ended = counts.complete + counts.pruned + counts.failed;
    let share = counts.failed as f64 / ended.max(1) as f64;
    (share > options.failed_share).then(|| {
        let mut message =
            format!("{} of {} failed ({})", grouped(counts.failed), counted(ended, "trial"), percent(share));
        let reasons = study.summary.failures.iter().take(REASONS);
        let reasons: Vec<String> =
            reasons.map(|one| format!("{} ({})", one.reason, counted(one.trials, "trial"))).collect();
        if !reasons.is_empty() {
            message = format!("{message}: {}", reasons.join("; "));
        }
        (message, "What fails is not missing at random, so the rest is a biased sample: mend the reasons and run the trials again.")
    })
}

fn infeasible(study: &StudyAnalysis) -> Words {
    let counts = study.summary.counts;
    (counts.infeasible > 0).then(|| {
        let share = percent(counts.infeasible as f64 / counts.complete as f64);
        let breaks = if counts.infeasible == 1 { "breaks" } else { "break" };
        let mut message = format!(
            "{} of {} {breaks} a constraint ({share}) and no statistic uses them",
            grouped(counts.infeasible),
            counted(counts.complete, "complete trial"),
        );
        let broken = study.summary.broken.iter().take(REASONS);
        let broken: Vec<String> =
            broken.map(|one| format!("{} ({})", one.name, counted(one.trials, "trial"))).collect();
        if !broken.is_empty() {
            message = format!("{message}: {}", broken.join("; "));
        }
        (message, "What is said of the parameters holds among configurations that meet the constraints.")
    })
}

fn non_finite(study: &StudyAnalysis) -> Words {
    let count = study.summary.counts.complete_without_number;
    (count > 0).then(|| {
        let message = format!("{} completed without a finite value and left out", counted(count, "trial"));
        (message, "Look for divergence: a learning rate too large, a loss that overflows.")
    })
}

fn few_trials(study: &StudyAnalysis, options: &Options) -> Words {
    let trials = study.summary.trials;
    (trials < options.few_trials).then(|| {
        let message =
            format!("{} only; means per value and importances rest on very little", counted(trials, "trial"));
        (message, "Run more trials before reading anything into its tables.")
    })
}

fn best_params(study: &StudyAnalysis) -> Words {
    let recorded = study.summary.recorded_best_params.as_ref()?;
    let incumbent = study.summary.incumbent()?;
    let differing: Vec<String> = recorded
        .iter()
        .filter_map(|(name, value)| {
            let ours = incumbent.params.get(name).filter(|ours| *ours != value)?;
            Some(format!("{name} {value} against {ours}"))
        })
        .collect();
    (!differing.is_empty()).then(|| {
        let message = format!(
            "the recorded best configuration is not that of the best trial, number {} ({})",
            incumbent.number,
            differing.join(", ")
        );
        (message, "Check that the two files belong together.")
    })
}

fn out_of_reach(study: &StudyAnalysis) -> Words {
    let (nominal, reach) = study.sizes.nominal.zip(study.sizes.reach)?;
    let advice = "Widen the space, or name the budget after what it holds.";
    let share = |weights: u64| {
        let ratio = weights as f64 / nominal;
        if ratio < 1.0 {
            format!("{} of what the label says", percent(ratio))
        } else {
            format!("{ratio:.1} times what the label says")
        }
    };
    let (largest, smallest) = (reach.largest.total, reach.smallest.total);
    if (largest as f64) < nominal * (1.0 - study.sizes.tolerance) {
        let message = format!(
            "largest architecture in the space has {} weights, {}",
            human_weights(largest as f64),
            share(largest)
        );
        return Some((message, advice));
    }
    (smallest as f64 > nominal * (1.0 + study.sizes.tolerance)).then(|| {
        let message = format!(
            "smallest architecture in the space has {} weights, {}",
            human_weights(smallest as f64),
            share(smallest)
        );
        (message, advice)
    })
}

fn nominal(study: &StudyAnalysis) -> Words {
    let sizes = &study.sizes;
    let (nominal, best) = sizes.nominal.zip(sizes.best)?;
    if !sizes.best_is_off_label() {
        return None;
    }
    let tried = sizes.smallest_tried.zip(sizes.largest_tried);
    let message = format!(
        "the best model has {} weights where the label says {}{}",
        human_weights(best.total as f64),
        human_weights(nominal),
        tried
            .map_or_else(String::new, |(smallest, largest)| format!("; trials have {smallest} to {largest}"))
    );
    Some((
        message,
        "Compare budgets by exact weights; sample architectures within a tolerance of the target.",
    ))
}

/// The values at an end beyond which the optimum may lie.
fn beyond(study: &StudyAnalysis, options: &Options, is_learning_rate: bool) -> Option<String> {
    let edges = study.edges.iter().filter(|edge| edge.may_lie_beyond(options.level));
    described(&edges.filter(|edge| edge.is_learning_rate() == is_learning_rate).collect::<Vec<_>>())
}

fn edges(study: &StudyAnalysis, options: &Options) -> Words {
    let described = beyond(study, options, false)?;
    Some((
        format!("the metric still gets better towards best values at an end of their range: {described}"),
        "Extend these ranges: the optimum may lie beyond them.",
    ))
}

fn learning_rate(study: &StudyAnalysis, options: &Options) -> Words {
    let described = beyond(study, options, true)?;
    Some((
        format!(
            "the metric still gets better towards the best learning rate, at an end of its range: {described}"
        ),
        "Extend the range: the optimum may lie beyond it. Wider models want lower rates, and sizes are compared at rates that suit one better than another.",
    ))
}

/// Best values with their ends; `None` without any.
fn described(edges: &[&Edge]) -> Option<String> {
    let described: Vec<String> = edges
        .iter()
        .map(|edge| {
            let end = match edge.end {
                End::Lowest => "lowest",
                End::Highest => "highest",
            };
            let values = edge.values.map_or_else(String::new, |values| format!(" of {}", grouped(values)));
            let observed = if edge.source == RangeSource::Observed { " tried" } else { "" };
            let p = edge
                .p_towards_holm
                .map_or_else(String::new, |p| format!(", slope's p (Holm) {}", p_value(p)));
            format!("{} {} ({end}{values}{observed}{p})", edge.parameter, edge.value)
        })
        .collect();
    (!described.is_empty()).then(|| described.join(", "))
}

fn single_levels(study: &StudyAnalysis) -> Words {
    if study.summary.trials < 2 {
        return None;
    }
    let single: Vec<&str> = study
        .importance
        .iter()
        .filter(|importance| importance.values == 1)
        .map(|importance| importance.parameter.as_str())
        .collect();
    (!single.is_empty()).then(|| {
        let message = format!("tried at one value only: {}", single.join(", "));
        (message, "Nothing can be said about what these parameters do.")
    })
}

fn confounded(study: &StudyAnalysis) -> Words {
    let pairs: Vec<String> = study
        .space_coverage
        .confounded
        .iter()
        .map(|pair| format!("{} with {} (V = {:.2})", pair.first, pair.second, pair.cramers_v))
        .collect();
    (!pairs.is_empty()).then(|| {
        let message = format!("parameters were not varied independently: {}", pairs.join(", "));
        let shapes = |pair: &Confounding| {
            [&pair.first, &pair.second].into_iter().all(|name| ARCHITECTURE.contains(&name.as_str()))
        };
        let is_by_design = matches!(study.budget.target, WeightTarget::Near { .. })
            && study.space_coverage.confounded.iter().all(shapes);
        let advice = if is_by_design {
            "A budget of weights makes the parts of an architecture trade off: read them together, as its shape."
        } else {
            "What one of a pair does may be the other's doing: vary them independently, or fix one."
        };
        (message, advice)
    })
}

fn duplicates(study: &StudyAnalysis) -> Words {
    let duplicates = &study.duplicates;
    let trials = study.summary.trials;
    (duplicates.repeats > 0).then(|| {
        let (values, advice) = if duplicates.identical == duplicates.repeats {
            let advice =
                "The repeats tell nothing: the evaluation does not depend on a seed, or the seed is fixed. Sample without repetition, or vary the seed.";
            ("with identical values".to_owned(), advice)
        } else {
            let values = format!(
                "{} of them with an identical value; values of one configuration differ with a standard deviation of {}",
                grouped(duplicates.identical),
                duplicates.repeat_sd.map_or_else(|| "?".into(), decimals)
            );
            let advice = "Differences below that deviation are chance. Repeat the best on purpose, or not at all.";
            (values, advice)
        };
        let message = format!(
            "{} of {} repeat a configuration ({}), {values}",
            grouped(duplicates.repeats),
            counted(trials, "trial"),
            percent(duplicates.repeats as f64 / trials as f64)
        );
        (message, advice)
    })
}

fn collapsed(study: &StudyAnalysis) -> Words {
    let (kinds, share) = (study.collapse.kinds, study.collapse.constant_share?);
    (kinds.constant > 0).then(|| {
        let known = study.summary.trials - kinds.unknown;
        let message = format!(
            "{} of {} predict nearly the same for every row ({})",
            grouped(kinds.constant),
            counted(known, "trial"),
            percent(share.point)
        );
        (message, "See which settings go with it: often the learning rate, or a schedule without warm-up.")
    })
}

fn collapse_unknown(study: &StudyAnalysis) -> Words {
    (!study.has_predictions()).then(|| {
        let message = "whether models collapsed is unknown: no trial recorded its predictions".to_owned();
        (message, "Record pred_min, pred_max, pred_sd and recall_at_half with each trial, or its validation scores.")
    })
}
