//! Findings in words.

use allometry_analysis::edge::{Edge, End, RangeSource};
use allometry_analysis::finding::{BudgetProblem, Problem, RowsNeeded};
use allometry_analysis::scaling::{DECADES_FOR_LAW, SIZES_FOR_LAW};
use allometry_analysis::size::SizeReversal;
use allometry_analysis::summary::{BrokenConstraint, DataRange};
use allometry_analysis::{Finding, FindingText};
use allometry_core::human_weights;

use super::capitalized;
use crate::number::{about, apart, counted, decimals, grouped, listed, p_value, percent, quoted, short};

/// Returns the message of a finding, with its budget and its numbers.
pub fn message(finding: &Finding) -> String {
    text(finding).message
}

/// Returns what to do about a finding.
pub fn advice(finding: &Finding) -> String {
    text(finding).advice
}

/// Returns what a finding says with a capital letter, and the numbers behind it.
pub(crate) fn headline(finding: &Finding) -> (String, String) {
    let message = message(finding);
    let (what, numbers) = message.split_once(": ").unwrap_or((&message, ""));
    (capitalized(what), numbers.to_owned())
}

/// Returns neighbouring findings of one code with the same advice as groups.
pub fn groups(findings: &[Finding]) -> impl Iterator<Item = &[Finding]> {
    findings.chunk_by(|a, b| a.code == b.code && advice(a) == advice(b))
}

/// Returns the message and the advice of a finding.
pub fn text(finding: &Finding) -> FindingText {
    finding.problem.text(|problem| {
        let message = problem_message(problem);
        let budget = finding.budget.as_ref().map_or_else(String::new, |budget| format!("{budget}: "));
        FindingText { message: format!("{budget}{message}"), advice: problem_advice(problem).into() }
    })
}

/// Returns the clause on pairs of budgets in which the larger budget has the smaller best model.
pub(super) fn reversals(reversals: &[SizeReversal]) -> String {
    let parts: Vec<String> = reversals
        .iter()
        .map(|one| {
            format!(
                "the best model of {} has {} weights, fewer than that of {} ({})",
                quoted(&one.budget),
                human_weights(one.weights as f64),
                quoted(&one.before),
                human_weights(one.before_weights as f64)
            )
        })
        .collect();
    parts.join("; ")
}

fn quoted_list(labels: &[String]) -> String {
    listed(&labels.iter().map(|label| quoted(label)).collect::<Vec<String>>())
}

fn problem_message(problem: &Problem) -> String {
    match problem {
        Problem::SizesOutOfOrder { reversals: all } => format!("sizes are out of order: {}", reversals(all)),
        Problem::TooFewRows(rows) => too_few_rows(rows),
        Problem::SearchedDifferently { adaptive, is_recorded: false } => format!(
            "the trials of {} look as if an adaptive sampler chose them, and those of the other budgets do \
             not (4% of ladders with random trials look like this)",
            quoted_list(adaptive)
        ),
        Problem::SearchedDifferently { adaptive, .. } => format!(
            "budgets were searched in different ways: {} adaptively, the others not",
            quoted_list(adaptive)
        ),
        Problem::UnequalTrials { most, least } => format!(
            "budgets were searched with unequal effort: {} of {}, {} of {}",
            counted(most.trials, "trial"),
            quoted(&most.budget),
            counted(least.trials, "trial"),
            quoted(&least.budget)
        ),
        Problem::UnequalKnowledge { budgets } => {
            let searches = if budgets.len() == 1 { "search" } else { "searches" };
            format!("the {searches} of {} learned from the trials of other budgets", quoted_list(budgets))
        }
        Problem::RowsUnknown => {
            "the numbers of positive and negative validation rows are not known, so errors do not cover \
             other rows"
                .into()
        }
        Problem::MissingScores { budgets } => format!(
            "the predictions of the best trials on the validation rows are not stored: {}",
            quoted_list(budgets)
        ),
        Problem::MissingSizes { budgets } => {
            let parts: Vec<String> = budgets
                .iter()
                .map(|one| {
                    let (unknown, trials) = (grouped(one.unknown), counted(one.trials, "trial"));
                    format!("{} ({unknown} of {trials})", quoted(&one.budget))
                })
                .collect();
            format!("the exact sizes of models are not known: {}", parts.join(", "))
        }
        Problem::SingleBudget => "there is only one budget, so scale cannot be assessed".into(),
        Problem::TooFewSizes { sizes, decades } => format!(
            "{} over {decades:.2} decades are too few for a power law and a forecast of the next size, which \
             need {SIZES_FOR_LAW} over {DECADES_FOR_LAW}",
            counted(*sizes, "size")
        ),
        Problem::AdaptiveSampling { modelled, trials } => format!(
            "an adaptive sampler chose {} of {}: means of values that it tried rarely are biased towards \
             worse values, and tests of one parameter at a time mix in effects of other parameters",
            grouped(*modelled),
            counted(*trials, "trial")
        ),
        Problem::SeveralObjectives { objectives, metric, .. } => format!(
            "trials have {objectives} objectives; apart from the fronts, the report covers only the first, \
             {metric}"
        ),
        Problem::BehindBaseline { baseline, value, budget, best, metric, standard_errors } => {
            let gap = standard_errors
                .map_or_else(String::new, |errors| format!("; the gap is about {errors:.1} standard errors"));
            let [value, best] = apart(*value, *best);
            format!(
                "no trial beats the baseline {}: {metric} {value} against {best} of the best trial (of {}), \
                 on the validation rows{gap}",
                baseline.replace('_', " "),
                quoted(budget)
            )
        }
        Problem::OfBudget(problem) => of_budget(problem),
    }
}

fn too_few_rows(rows: &RowsNeeded) -> String {
    let (found, more) = match rows.eras {
        None => (counted(rows.rows, "validation row"), "rows"),
        Some(eras) => {
            (format!("{} with {}", counted(eras, "era"), counted(rows.rows, "row")), "eras as long as these")
        }
    };
    format!(
        "{found} ({} positive) do not separate the budgets: they cause {} of the error. A true difference as \
         large as the observed one ({} {}, {} over {}) would be found in {:.0}% of cases with about {} \
         {more}",
        grouped(rows.positives),
        percent(rows.share),
        decimals(rows.difference),
        rows.metric,
        rows.better,
        rows.worse,
        rows.power * 100.0,
        about(rows.needed)
    )
}

/// Returns the message of a problem of one budget.
fn infeasible_trials(infeasible: u64, complete: u64, broken: &[BrokenConstraint]) -> String {
    let verb = if infeasible == 1 { "breaks" } else { "break" };
    let share = percent(infeasible as f64 / complete as f64);
    // Optuna numbers constraints without a name.
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let name = |name: &str| if is_number(name) { format!("constraint {name}") } else { name.to_owned() };
    let broken: Vec<(String, u64)> = broken.iter().map(|one| (name(&one.name), one.trials)).collect();
    format!(
        "{} of {} {verb} a constraint ({share}), and statistics exclude them{}",
        grouped(infeasible),
        counted(complete, "complete trial"),
        causes(broken.iter().map(|(name, trials)| (name.as_str(), *trials)))
    )
}

fn of_budget(problem: &BudgetProblem) -> String {
    match problem {
        BudgetProblem::FailedTrials { failed, ended, reasons } => {
            let share = percent(*failed as f64 / (*ended).max(1) as f64);
            let reasons = reasons.iter().map(|one| (one.reason.as_str(), one.trials));
            format!(
                "{} of {} failed ({share}){}",
                grouped(*failed),
                counted(*ended, "trial"),
                causes(reasons)
            )
        }
        BudgetProblem::NonFiniteValues { trials } => {
            let were = if *trials == 1 { "was" } else { "were" };
            format!(
                "{} completed without a usable value, which is finite and at most 1e100, and {were} left out",
                counted(*trials, "trial")
            )
        }
        BudgetProblem::InfeasibleTrials { infeasible, complete, broken } => {
            infeasible_trials(*infeasible, *complete, broken)
        }
        BudgetProblem::NoFeasibleTrial => {
            "no complete trial satisfies the constraints, so there is no best trial".into()
        }
        BudgetProblem::NoCompleteTrial => "no trial completed with a value".into(),
        BudgetProblem::FewTrials { trials } => {
            format!("only {}: means per value and importances are unreliable", counted(*trials, "trial"))
        }
        BudgetProblem::EqualValues { trials, value } => {
            format!("all {} have the value {}", counted(*trials, "trial"), decimals(*value))
        }
        BudgetProblem::MixedData(range) => mixed_data(*range),
        BudgetProblem::BestParamsMismatch { trial, differing } => {
            let differing: Vec<String> = differing
                .iter()
                .map(|one| format!("{} {} against {}", one.parameter, one.recorded, one.of_trial))
                .collect();
            format!(
                "the recorded best configuration differs from that of the best trial, number {trial} ({})",
                differing.join(", ")
            )
        }
        BudgetProblem::LargestBelowBudget { weights, nominal } => out_of_reach("largest", *weights, *nominal),
        BudgetProblem::SmallestAboveBudget { weights, nominal } => {
            out_of_reach("smallest", *weights, *nominal)
        }
        BudgetProblem::NominalNotSize { best, nominal, tried } => format!(
            "the best model has {} weights, but the label says {}{}",
            human_weights(best.total as f64),
            human_weights(*nominal),
            tried.map_or_else(String::new, |(smallest, largest)| format!(
                "; trials range from {smallest} to {largest}"
            ))
        ),
        BudgetProblem::EdgeOfSpace { edges: all } => {
            format!(
                "the metric still improves towards best values at an end of their range or within 2% of it: \
                 {}",
                edges(all)
            )
        }
        BudgetProblem::LearningRateEdge { edges: all } => {
            format!(
                "the metric still improves towards the best learning rate, which is at an end of its range \
                 or within 2% of it: {}",
                edges(all)
            )
        }
        BudgetProblem::SingleLevel { parameters } => {
            format!("tried at one value only: {}", parameters.join(", "))
        }
        BudgetProblem::Confounded { pairs, .. } => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|pair| format!("{} with {} (V = {:.2})", pair.first, pair.second, pair.cramers_v))
                .collect();
            format!("parameters were not varied independently: {}", pairs.join(", "))
        }
        BudgetProblem::Duplicates { repeats, identical, trials, repeat_sd } => {
            duplicates([*repeats, *identical, *trials], *repeat_sd)
        }
        BudgetProblem::StillImproving { last, known } => {
            format!("{last} of {} are best at their last epoch", counted(*known, "trial"))
        }
        BudgetProblem::CollapsedTrials { constant, known, share } => format!(
            "{} of {} predict nearly the same value for every row ({})",
            grouped(*constant),
            counted(*known, "trial"),
            percent(*share)
        ),
        BudgetProblem::CollapseUnknown => {
            "it is not known whether models collapsed: no trial recorded its predictions".into()
        }
    }
}

fn mixed_data(DataRange { is_distinct, smallest, largest }: DataRange) -> String {
    let amounts = format!("{} to {} rows or tokens", grouped(smallest), grouped(largest));
    if is_distinct {
        format!("trials were trained on {amounts}")
    } else {
        format!("trials used {amounts}, each counted every time")
    }
}

fn duplicates([repeats, identical, trials]: [u64; 3], repeat_sd: Option<f64>) -> String {
    let values = if identical == repeats {
        "with identical values".to_owned()
    } else {
        format!(
            "{} of them with an identical value; values of one configuration have a standard deviation of {}",
            grouped(identical),
            repeat_sd.map_or_else(|| "?".into(), decimals)
        )
    };
    format!(
        "{} of {} repeat a configuration ({}), {values}",
        grouped(repeats),
        counted(trials, "trial"),
        percent(repeats as f64 / trials as f64)
    )
}

/// Returns causes with their numbers of trials behind a colon; empty without any.
fn causes<'c>(causes: impl Iterator<Item = (&'c str, u64)>) -> String {
    let causes: Vec<String> =
        causes.map(|(name, trials)| format!("{name} ({})", counted(trials, "trial"))).collect();
    if causes.is_empty() { String::new() } else { format!(": {}", causes.join("; ")) }
}

fn out_of_reach(which: &str, weights: u64, nominal: f64) -> String {
    let ratio = weights as f64 / nominal;
    let share = if ratio < 1.0 { format!("{} of", percent(ratio)) } else { format!("{ratio:.1} times") };
    format!(
        "the {which} architecture in the space has {} weights, {share} the number in the label",
        human_weights(weights as f64)
    )
}

/// Returns best values with the ends at which they lie.
fn edges(edges: &[Edge]) -> String {
    let described: Vec<String> = edges
        .iter()
        .map(|edge| {
            let values = edge.values.map_or_else(String::new, |values| format!(" of {}", grouped(values)));
            let observed = if edge.source == RangeSource::Observed { " tried" } else { "" };
            let p = edge
                .p_towards_holm
                .map_or_else(String::new, |p| format!(", p (Holm) of the slope {}", p_value(p)));
            let value = short(&edge.value);
            format!("{} {value} ({}{values}{observed}{p})", edge.parameter, end(edge.end))
        })
        .collect();
    described.join(", ")
}

/// Returns the name of an end.
pub(super) fn end(end: End) -> &'static str {
    match end {
        End::Lowest => "lowest",
        End::Highest => "highest",
    }
}

fn problem_advice(problem: &Problem) -> &'static str {
    match problem {
        Problem::SizesOutOfOrder { .. } => {
            "Treat the labels as names only: this comparison does not measure scale."
        }
        Problem::TooFewRows(RowsNeeded { eras: Some(_), .. }) => {
            "Judge by more eras: a larger validation part in `split` with more `folds`. Longer eras do not \
             help where the difference changes from era to era."
        }
        Problem::TooFewRows(_) => {
            "Use more validation rows, or accept that these rows cannot separate the budgets."
        }
        Problem::SearchedDifferently { .. } => {
            "Search every budget in the same way: a better search looks like a better size."
        }
        Problem::UnequalTrials { .. } => {
            "More trials give a better observed best by chance alone; the verdict does not use the observed \
             best."
        }
        Problem::UnequalKnowledge { .. } => {
            "Part of their gain may come from the shared trials, not from size: turn sharing off to compare \
             budgets."
        }
        Problem::RowsUnknown => "State the numbers of validation rows: --rows POSITIVES:NEGATIVES.",
        Problem::MissingScores { .. } => {
            "Store each trial's predictions: paired rows reveal much smaller differences between two models."
        }
        Problem::MissingSizes { .. } => {
            "Record the sizes, or have them computed: --weights \
             patchtst:features=...,context=...,patch=...,stride=..."
        }
        Problem::SingleBudget => "Add budgets to the ladder.",
        Problem::TooFewSizes { .. } => "Use only the gain per decade, or add budgets that are further apart.",
        Problem::AdaptiveSampling { .. } => "Read the adjusted figures, not the means by value.",
        Problem::SeveralObjectives { knows_directions: true, .. } => {
            "Read the fronts beside the verdict: the best trial of the first objective may be bad in another."
        }
        Problem::SeveralObjectives { .. } => {
            "The direction of the other objectives is not recorded: analyse the study's database to get its \
             fronts."
        }
        problem @ Problem::BehindBaseline { .. } if problem.is_clearly_behind_baseline() => {
            "Beat the baseline before you compare sizes: try other features, another context, more epochs or \
             wider ranges. Until then use the baseline."
        }
        Problem::BehindBaseline { .. } => {
            "Report the baseline beside the models: none is shown to be better than it."
        }
        Problem::OfBudget(problem) => budget_advice(problem),
    }
}

fn budget_advice(problem: &BudgetProblem) -> &'static str {
    match problem {
        BudgetProblem::FailedTrials { .. } => {
            "Failures are rarely random, so the remaining trials are a biased sample: fix the causes and \
             run them again."
        }
        BudgetProblem::NonFiniteValues { .. } => {
            "Look for divergence: too large a learning rate, or a loss that overflows."
        }
        BudgetProblem::InfeasibleTrials { .. } => {
            "Statements about parameters hold for configurations that satisfy the constraints."
        }
        BudgetProblem::NoFeasibleTrial => {
            "Extend the space towards feasible configurations, relax the constraints, or run more trials."
        }
        BudgetProblem::NoCompleteTrial => "Run the budget, or remove it.",
        BudgetProblem::FewTrials { .. } => "Run more trials before interpreting the tables of this budget.",
        BudgetProblem::EqualValues { .. } => {
            "Check that the value depends on the parameters: the program may report a constant, or a metric \
             that cannot change."
        }
        BudgetProblem::MixedData(_) => {
            "Make each amount of data a source of its own. Otherwise differences of data count as \
             differences of configurations."
        }
        BudgetProblem::BestParamsMismatch { .. } => "Check that the two files belong together.",
        BudgetProblem::LargestBelowBudget { .. } | BudgetProblem::SmallestAboveBudget { .. } => {
            "Extend the space, or rename the budget to match its sizes."
        }
        BudgetProblem::NominalNotSize { .. } => {
            "Compare budgets by exact weights; sample architectures within a tolerance of the target."
        }
        BudgetProblem::EdgeOfSpace { .. } => {
            "Extend the ranges at whose ends the best trials lie: the optimum may lie outside."
        }
        BudgetProblem::LearningRateEdge { .. } => {
            "Extend the range of the learning rate: the optimum may lie outside. Wider models need lower \
             learning rates, so a shared range can favour one size."
        }
        BudgetProblem::SingleLevel { .. } => "The effects of these parameters cannot be estimated.",
        BudgetProblem::Confounded { is_by_design: true, .. } => {
            "A budget of weights ties the parts of an architecture together: interpret them jointly, as its \
             shape."
        }
        BudgetProblem::Confounded { .. } => {
            "Effects of tied parameters cannot be separated: vary the parameters independently, or fix one \
             of each pair."
        }
        BudgetProblem::Duplicates { repeats, identical, .. } if repeats == identical => {
            "Repeats give no information: the evaluation ignores the seed, or the seed is fixed. Sample \
             without repetition, or vary the seed."
        }
        BudgetProblem::Duplicates { .. } => {
            "Smaller differences are chance. Repeat the best configurations on purpose, or none."
        }
        BudgetProblem::CollapsedTrials { .. } => {
            "Check which settings go with the collapse: often the learning rate, or a schedule without \
             warm-up."
        }
        BudgetProblem::StillImproving { .. } => {
            "Train for more epochs, most of all if budgets differ in this: models that still improve are \
             judged before their end."
        }
        BudgetProblem::CollapseUnknown => {
            "Record with each trial its validation scores, or pred_min, pred_max, pred_sd and \
             recall_at_half, or the metric constant: 1 if all rows get the same prediction, else 0."
        }
    }
}
