//! Findings on the ladder as a whole.

use allometry_core::Origin;

use super::{Finding, FindingCode};
use crate::baseline::BaselineComparison;
use crate::input::LadderTrials;
use crate::number::{about, counted, decimals, grouped, percent, quoted};
use crate::options::Options;
use crate::scaling::{DECADES_FOR_EXPONENT, SIZES_FOR_EXPONENT, Scaling, SearchKind, Source};
use crate::stats::normal;
use crate::study::StudyAnalysis;
use crate::verdict::{Outcome, Verdict, size_disorder};

/// Ratio of trial counts from which efforts are unequal.
const UNEQUAL: f64 = 1.5;

pub(super) fn findings(
    ladder: &LadderTrials,
    studies: &[StudyAnalysis],
    scaling: &Scaling,
    baselines: &[BaselineComparison],
    verdict: &Verdict,
    options: &Options,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        baselines.iter().filter_map(|baseline| behind(baseline, studies, ladder)).collect();
    let mut found = |code, words: Option<(String, &str)>| {
        if let Some((message, advice)) = words {
            findings.push(Finding::new(code, None, message, advice));
        }
    };
    found(
        FindingCode::SizesOutOfOrder,
        size_disorder(studies).map(|disorder| {
            let advice = "Read the budgets as names: what is compared is not scale.";
            (format!("sizes are out of order: {}", disorder.trim_end_matches('.')), advice)
        }),
    );
    found(FindingCode::TooFewRows, too_few_rows(ladder, scaling, verdict, options));
    found(FindingCode::SearchedDifferently, searched_differently(ladder, scaling));
    found(FindingCode::UnequalEffort, unequal_effort(studies));
    found(FindingCode::UnequalEffort, unequal_knowledge(studies));
    found(FindingCode::RowsUnknown, rows_unknown(ladder, scaling));
    found(FindingCode::MissingScores, missing_scores(ladder, studies));
    found(FindingCode::MissingSizes, missing_sizes(studies));
    found(FindingCode::SingleBudget, single_budget(studies));
    found(FindingCode::TooFewSizes, too_few_sizes(scaling));
    found(FindingCode::AdaptiveSampling, adaptive_sampling(ladder));
    found(FindingCode::SeveralObjectives, several_objectives(ladder));
    findings
}

fn several_objectives(ladder: &LadderTrials) -> Option<(String, &'static str)> {
    let trials = ladder.studies.iter().flat_map(|study| &study.trials);
    let objectives = trials.map(|trial| trial.values().len()).max().filter(|count| *count > 1)?;
    let message = format!(
        "trials have {objectives} objectives; everything but the fronts is about the first, {}",
        ladder.metric
    );
    let advice = if ladder.further.len() + 1 == objectives {
        "Read the fronts beside the verdict: what is best in the first objective may be bad in another."
    } else {
        "Which values of the others are better is not recorded there: give the study's database for its fronts."
    };
    Some((message, advice))
}

fn behind(
    baseline: &BaselineComparison,
    studies: &[StudyAnalysis],
    ladder: &LadderTrials,
) -> Option<Finding> {
    let (value, gain) = baseline.value.zip(baseline.gain)?;
    if gain.point >= 0.0 {
        return None;
    }
    let budget = baseline.best_budget.as_deref()?;
    let best = studies.iter().find(|study| study.budget.label == budget)?.summary.incumbent()?;
    let name = &baseline.name;
    let weight = gain.z().map_or_else(String::new, |z| {
        format!("; the gap is {:.1} of its standard error at the assumed correlation", z.abs())
    });
    let message = format!(
        "transformers are behind {name}: {} against {} {} (best trial of {}){weight}",
        decimals(best.value.point),
        decimals(value.point),
        ladder.metric,
        quoted(budget)
    );
    let advice = "Until a trial beats it, a larger model answers no question that the baseline does not.";
    Some(Finding::new(FindingCode::BehindBaseline, None, message, advice))
}

/// The rows are too few where they are most of the slope's error, and more of them would make it small enough.
fn too_few_rows(
    ladder: &LadderTrials,
    scaling: &Scaling,
    verdict: &Verdict,
    options: &Options,
) -> Option<(String, &'static str)> {
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
    let (first, last) = (judgement.values.first()?, judgement.values.last()?);
    let message = format!(
        "{} ({} positive) do not tell the budgets apart: {} of the error is theirs. A true difference as large as the one found ({} {}, \
         {} over {}) would be found in {:.0}% of cases with about {} rows",
        counted(available, "validation row"),
        grouped(rows.positives),
        percent(share),
        decimals(gain.point.abs()),
        ladder.metric,
        if gain.point >= 0.0 { &last.budget } else { &first.budget },
        if gain.point >= 0.0 { &first.budget } else { &last.budget },
        options.power * 100.0,
        about(available as f64 * factor)
    );
    Some((message, "Use a larger validation part, or accept that the budgets are not told apart."))
}

/// Budgets that were searched in different ways are no comparison of sizes.
fn searched_differently(ladder: &LadderTrials, scaling: &Scaling) -> Option<(String, &'static str)> {
    let used = || {
        let studies = ladder.studies.iter().zip(&scaling.searches);
        studies.filter(|(study, _)| study.trials.iter().any(|trial| trial.value.is_some()))
    };
    let adaptive: Vec<String> = used()
        .filter(|(_, kind)| !kind.is_independent())
        .map(|(study, _)| quoted(&study.budget.label))
        .collect();
    (!adaptive.is_empty() && adaptive.len() < used().count()).then(|| {
        let seemingly = used().any(|(_, kind)| *kind == SearchKind::SeeminglyAdaptive);
        let message = if seemingly {
            format!(
                "the trials of {} look as if a search that learns chose them, those of the other budgets do not (so look 4 of 100 ladders \
                 of random trials)",
                adaptive.join(", ")
            )
        } else {
            format!(
                "budgets were searched in different ways: {} adaptively, the others not",
                adaptive.join(", ")
            )
        };
        (message, "Search every budget in the same way: a better search looks like a better size.")
    })
}

fn unequal_effort(studies: &[StudyAnalysis]) -> Option<(String, &'static str)> {
    // A trial that breaks a constraint was searched for as much as any other.
    let effort = |study: &StudyAnalysis| study.summary.trials + study.summary.counts.infeasible;
    let tried = || studies.iter().filter(|study| effort(study) > 0);
    let least = tried().min_by_key(|study| effort(study))?;
    let most = tried().max_by_key(|study| effort(study))?;
    (effort(most) as f64 >= UNEQUAL * effort(least) as f64).then(|| {
        let message = format!(
            "budgets were searched with unequal effort: {} of {}, {} of {}",
            counted(effort(most), "trial"),
            quoted(&most.budget.label),
            counted(effort(least), "trial"),
            quoted(&least.budget.label)
        );
        (
            message,
            "The observed best of more trials is better by chance alone; the verdict does not rest on it.",
        )
    })
}

fn unequal_knowledge(studies: &[StudyAnalysis]) -> Option<(String, &'static str)> {
    let learned = |study: &&StudyAnalysis| {
        let carried = study.summary.carried_over.as_ref();
        carried.is_some_and(|carried| carried.guard.is_none_or(|guard| guard.holds()))
    };
    let labels: Vec<String> =
        studies.iter().filter(learned).map(|study| quoted(&study.budget.label)).collect();
    (!labels.is_empty() && labels.len() < studies.len()).then(|| {
        let message = format!("the search of {} learned from the trials of other budgets", labels.join(", "));
        (message, "What these gain is not of their size alone: leave sharing off to compare budgets.")
    })
}

fn rows_unknown(ladder: &LadderTrials, scaling: &Scaling) -> Option<(String, &'static str)> {
    let is_binary = !ladder.studies.iter().any(|study| study.predictions.are_other());
    (is_binary && ladder.rows.is_none() && ladder.measures_auc() && !scaling.points.is_empty()).then(|| {
        let message = "the numbers of positive and negative validation rows are not known, so errors leave out other rows";
        (message.to_owned(), "Give them: --rows POSITIVES:NEGATIVES.")
    })
}

fn missing_scores(ladder: &LadderTrials, studies: &[StudyAnalysis]) -> Option<(String, &'static str)> {
    let lacking: Vec<String> = studies
        .iter()
        .zip(&ladder.studies)
        .filter(|(analysis, study)| {
            analysis.summary.incumbent().is_some_and(|best| ladder.row_scores(study, best.number).is_none())
        })
        .map(|(analysis, _)| quoted(&analysis.budget.label))
        .collect();
    (ladder.measures_auc() && !lacking.is_empty()).then(|| {
        let message = format!(
            "the best trials' scores on the validation rows are not known: {}",
            lacking.join(", ")
        );
        (message, "Store each trial's scores: two models on the same rows are told apart by far smaller differences.")
    })
}

fn missing_sizes(studies: &[StudyAnalysis]) -> Option<(String, &'static str)> {
    let lacking: Vec<String> = studies
        .iter()
        .filter(|study| study.sizes.known < study.summary.trials)
        .map(|study| {
            format!(
                "{} ({} of {})",
                quoted(&study.budget.label),
                grouped(study.summary.trials - study.sizes.known),
                counted(study.summary.trials, "trial")
            )
        })
        .collect();
    (!lacking.is_empty()).then(|| {
        let message = format!("exact sizes of models are not known: {}", lacking.join(", "));
        (message, "Record them, or let them be computed: --weights patchtst:features=...,context=...,patch=...,stride=...")
    })
}

fn single_budget(studies: &[StudyAnalysis]) -> Option<(String, &'static str)> {
    (studies.len() == 1).then(|| {
        let message = "there is one budget, so nothing can be said about scale".to_owned();
        (message, "Add budgets to the ladder.")
    })
}

fn too_few_sizes(scaling: &Scaling) -> Option<(String, &'static str)> {
    let trend = scaling.trend.as_ref().filter(|trend| !trend.identifies_exponent())?;
    let message = format!(
        "{} over {:.2} decades are too few for an exponent, which takes {SIZES_FOR_EXPONENT} over {DECADES_FOR_EXPONENT}",
        counted(trend.sizes, "size"),
        trend.decades
    );
    Some((message, "Read the gain per decade alone, or add budgets further apart."))
}

fn adaptive_sampling(ladder: &LadderTrials) -> Option<(String, &'static str)> {
    let trials = || ladder.studies.iter().flat_map(|study| &study.trials);
    let modelled = trials().filter(|trial| trial.record.origin == Some(Origin::Model)).count() as u64;
    (modelled > 0).then(|| {
        let message = format!(
            "{} of {} were chosen by a model of earlier ones: where it looked little, means are biased towards worse values, \
             and parameters tested one at a time show effects that are not theirs",
            grouped(modelled),
            counted(trials().count() as u64, "trial")
        );
        (message, "Read the adjusted figures, not the means by value.")
    })
}
