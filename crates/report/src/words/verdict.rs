//! A verdict in words: the answer, what its error covers, what to do, its evidence and its caveats.

use allometry_analysis::scaling::{
    DECADES_FOR_LAW, Difference, Judgement, LastStep, Quantity, SIZES_FOR_LAW, Source, Withheld,
};
use allometry_analysis::stats::long_run::TooShort;
use allometry_analysis::verdict::{
    Advice, Answer, CaveatReason, Covers, EvidenceReason, Gain, GainStep, Headline, NextStep, Retraining,
    RowsCovered, Take, TakeReason,
};
use allometry_analysis::{Analysis, Caveat, Confirmation, Estimate, Evidence, Interval, NoRowError};
use allometry_core::Direction;

use super::finding::reversals;
use crate::command::ladder_words;
use crate::number::{about, counted, decimals, listed, p_is, p_value, percent, quoted, signed};

/// Returns the answer, what its error covers and what to do, as one paragraph.
pub fn paragraph(analysis: &Analysis) -> String {
    let parts = [sentence(analysis), covers_sentence(analysis), advice_sentence(analysis)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join(" ")
}

/// Returns the answer and its main reason.
pub fn sentence(analysis: &Analysis) -> String {
    analysis.verdict.sentence.text(|of| headline(of, &analysis.metric, analysis.direction))
}

/// Returns what the error of the verdict covers; empty without an error.
pub fn covers_sentence(analysis: &Analysis) -> String {
    analysis.verdict.covers.text(|of| of.as_ref().map(covers).unwrap_or_default())
}

/// Returns what to do; empty if there is nothing to do.
pub fn advice_sentence(analysis: &Analysis) -> String {
    let ladder = ladder_words(analysis, "");
    analysis.verdict.advice.text(|of| advice(of, &ladder))
}

/// Returns what to do next, without what to take; empty if there is nothing to do. A verdict that was read
/// from a document has one sentence for both.
pub fn next_sentence(analysis: &Analysis) -> String {
    let ladder = ladder_words(analysis, "");
    analysis.verdict.advice.text(|of| next_steps(of, &ladder))
}

/// Returns the command that does what [`next_sentence`] says; `None` if no command alone does. `ladder` are
/// the command's arguments that name the ladder; where it is empty, the command is one for the folder of the
/// ladder file.
pub fn next_command(analysis: &Analysis, ladder: &str) -> Option<String> {
    let advice = analysis.verdict.advice.reason()?;
    let helps = matches!(
        advice.next,
        Some(NextStep::TrainAgain | NextStep::SearchAlike | NextStep::PruneAlike | NextStep::RunMoreTrials)
    );
    let how = advice.retraining.filter(|_| helps || advice.is_provisional)?;
    Some(retraining_command(how, &ladder_words(analysis, ladder)))
}

fn retraining_command(how: Retraining, ladder: &str) -> String {
    let space = if ladder.is_empty() { "" } else { " " };
    match how {
        Retraining::Plan => format!("allometry run{space}{ladder} --plan verdict"),
        Retraining::Confirm => format!("allometry confirm{space}{ladder}"),
    }
}

/// Returns the configuration that the verdict recommends; `None` if scaling was not tested.
pub(crate) fn to_take(analysis: &Analysis) -> Option<&Take> {
    analysis.verdict.advice.reason()?.take.as_ref()
}

/// Returns what to take and why; `None` if scaling was not tested.
pub(crate) fn take_sentence(analysis: &Analysis) -> Option<String> {
    to_take(analysis).map(take)
}

/// Returns the comparison on which the verdict rests: that of a confirmation if there is one, otherwise that
/// of the search.
pub(crate) fn compared(analysis: &Analysis) -> Option<&Judgement> {
    let confirmed = analysis.confirmation.as_ref().and_then(Confirmation::headline);
    confirmed.or(analysis.scaling.judgement.as_ref())
}

/// Returns the name of the compared quantity, as a heading.
pub fn quantity(quantity: Quantity, metric: &str) -> String {
    match quantity {
        Quantity::BestOf { k: 1 } => format!("Mean {metric} of a trial"),
        Quantity::BestOf { k } => format!("Expected best {metric} of {k} trials"),
        Quantity::Configuration => format!("Mean {metric} over seeds"),
        Quantity::Confirmed => format!("Mean {metric} on test rows"),
        Quantity::Mean => format!("Mean {metric}"),
    }
}

/// Returns a piece of evidence as a clause.
pub fn evidence_clause(of: &Evidence, metric: &str) -> String {
    of.statement.text(|reason| evidence(reason, metric))
}

/// Returns a caveat as a sentence.
pub fn caveat_sentence(of: &Caveat) -> String {
    of.statement.text(caveat)
}

pub(super) fn headline(headline: &Headline, metric: &str, direction: Direction) -> String {
    let mut text = answer(&headline.answer, metric, direction);
    if let Some(alone) = &headline.alone {
        let gain = gain(alone, metric, direction);
        text = format!("{text} For these configurations alone (seeds and rows), {gain}.");
    }
    if !headline.out_of_order.is_empty() {
        text = format!("{text} Sizes are out of order: {}.", reversals(&headline.out_of_order));
    }
    text
}

/// Returns the answer in one sentence.
pub(super) fn answer(answer: &Answer, metric: &str, direction: Direction) -> String {
    let gain = |of: &Gain| gain(of, metric, direction);
    match answer {
        Answer::Flat { gain: of, smallest_effect } => format!(
            "Flat: no two budgets differ by {smallest_effect} {metric}, the smallest difference of \
             interest; {}.",
            gain(of)
        ),
        Answer::Holds { gain: of, last_step: step, lack_of_fit } => format!(
            "Holds: more weights pay; {}{}{}.",
            gain(of),
            step.as_ref().map_or_else(String::new, last_step),
            lack_of_fit.map_or_else(String::new, |p| {
                format!("; the gain per tenfold weights differs between sizes ({})", p_is(p))
            })
        ),
        Answer::Violated { worst: Some(worst), best, .. } => violated(worst, best.as_deref(), metric),
        Answer::Violated { gain: of, .. } => format!("Violated: more weights harm; {}.", gain(of)),
        Answer::MeanAgainstBest { gain: of } => format!(
            "Undecided: the mean trial and the best trial rank small and large models in opposite orders; \
             {}.",
            gain(of)
        ),
        Answer::Undecided { gain: of, smallest, largest } => format!(
            "Undecided: these trials do not show whether {largest} is better or worse than {smallest}; {}.",
            gain(of)
        ),
        Answer::ConfirmationWithoutError { why } => {
            let lead = "Undecided: the confirmation does not determine the error of its differences";
            match why {
                Some(why) => format!("{lead}: {}.", withheld(why)),
                None => format!(
                    "{lead}. It needs at least two seeds of each budget, or predictions of the same test \
                     rows."
                ),
            }
        }
        Answer::NotTested { outcome, why } => {
            let why = why.as_ref().map_or_else(|| "nothing was compared".into(), withheld);
            format!("{}: {why}.", outcome.as_str())
        }
        Answer::NoBudget => "Unknown: there is no budget.".into(),
    }
}

fn violated(worst: &Difference, best: Option<&Difference>, metric: &str) -> String {
    let better = best.map_or_else(String::new, |best| {
        format!(
            "; {} is better than {} by {}{}",
            best.larger,
            best.smaller,
            decimals(best.gain.point),
            unsigned(&best.gain, |interval| (interval.lower, interval.upper))
        )
    });
    format!(
        "Violated: {} is worse than {} by {} {metric}{}{better}.",
        worst.larger,
        worst.smaller,
        decimals(-worst.gain.point),
        unsigned(&worst.gain, |interval| (-interval.upper, -interval.lower)),
    )
}

/// Returns a gain with its interval and its quantity.
fn gain(gain: &Gain, metric: &str, direction: Direction) -> String {
    let quantity = match gain.quantity {
        Quantity::BestOf { k: 1 } => "in the mean trial of the search".to_owned(),
        Quantity::BestOf { k } => format!("in the expected best of {k} trials"),
        Quantity::Configuration => "in the mean over seeds of one configuration".into(),
        Quantity::Confirmed => "on test rows".into(),
        Quantity::Mean => "in the mean of all trials".into(),
    };
    let (point, interval) = (signed(gain.estimate.point), interval(&gain.estimate));
    let per = match &gain.step {
        GainStep::Decade => "per tenfold weights",
        GainStep::Budget => "per step of the ladder",
        GainStep::Pair { smaller, larger } => {
            return match direction {
                Direction::Maximize => {
                    format!("the gain of {larger} over {smaller} is {point} {metric}{interval} {quantity}")
                }
                Direction::Minimize => {
                    format!(
                        "the decrease of {metric} from {smaller} to {larger} is {point}{interval} {quantity}"
                    )
                }
            };
        }
    };
    match direction {
        Direction::Maximize => format!("the gain {per} is {point} {metric}{interval} {quantity}"),
        Direction::Minimize => format!("the decrease of {metric} {per} is {point}{interval} {quantity}"),
    }
}

fn last_step(step: &LastStep) -> String {
    let told = if step.is_told { "is significant too" } else { "is not significant by itself" };
    let (point, interval) = (signed(step.gain.point), interval(&step.gain));
    format!("; the last step, {} to {}, {told} ({point}{interval})", step.from, step.to)
}

fn interval(estimate: &Estimate) -> String {
    let level = estimate.level * 100.0;
    estimate.interval.map_or_else(String::new, |interval| {
        format!(" ({level:.0}% interval {} to {})", signed(interval.lower), signed(interval.upper))
    })
}

/// Returns an interval without signs; `ends` gives its ends.
fn unsigned(gain: &Estimate, ends: impl Fn(Interval) -> (f64, f64)) -> String {
    let level = gain.level * 100.0;
    gain.interval.map(ends).map_or_else(String::new, |(lower, upper)| {
        format!(" ({level:.0}% interval {} to {})", decimals(lower), decimals(upper))
    })
}

/// Returns why scale was not tested, as a clause.
pub(super) fn withheld(why: &Withheld) -> String {
    match why {
        Withheld::TooFewBudgets { budgets: 0 } => "no budget has complete trials that can be compared".into(),
        Withheld::TooFewBudgets { .. } => "only one budget has complete trials that can be compared".into(),
        Withheld::OneTrial { budget } => format!(
            "budget {} has one trial, which does not show how values vary between seeds or searches",
            quoted(budget)
        ),
        Withheld::FewTrials { budget, configurations } => format!(
            "budget {} has {}, and a search is judged by 10 or more",
            quoted(budget),
            counted(*configurations, "distinct configuration")
        ),
        Withheld::Adaptive { .. } => {
            "the sampler chose later trials by earlier ones, so the trials are not independent samples".into()
        }
        Withheld::SeeminglyAdaptive { budgets } => format!(
            "the trials of {budgets} look as if an adaptive sampler chose them: later ones are better or \
             nearer to the best; nothing records how they were chosen, and such trials are no random sample"
        ),
        Withheld::SearchedDifferently { adaptive } => {
            format!("the budgets were searched in different ways ({adaptive} adaptively)")
        }
        Withheld::Lost { budget, most, other, least } => format!(
            "{most} trials of {} and {least} trials of {} ended without a value, so more bad trials may be \
             missing at one size than at the other",
            quoted(budget),
            quoted(other)
        ),
        Withheld::PrunedDifferently { budget, most, other, least } => format!(
            "{most} trials of {} and {least} trials of {} were stopped early, and the value at which a \
             trial was stopped is not its final value",
            quoted(budget),
            quoted(other)
        ),
        Withheld::NothingVaries => {
            "all trials of a budget have the same value, so the spread of values cannot be estimated".into()
        }
        Withheld::SameSizes => "all budgets have the same size".into(),
        Withheld::TooFewRows { why } => why.text(|why| no_row_error(*why)),
    }
}

/// Returns why predictions give no error, as a clause.
pub fn no_row_error(why: NoRowError) -> String {
    match why {
        NoRowError::OtherRows => "the models predict different rows".into(),
        NoRowError::Undefined => "the metric is not defined on these rows".into(),
        NoRowError::TooShort(TooShort::ForHorizon { rows, horizon }) => {
            format!(
                "{rows} rows are too few: labels look {} ahead, and an error needs 8 times as many rows",
                counted(horizon, "row")
            )
        }
        NoRowError::TooShort(TooShort::ForTimes { times, horizon }) => {
            format!(
                "the rows are of {}, which are too few: labels look {} ahead, and an error needs 8 times as \
                 many times",
                counted(times as u64, "time"),
                counted(horizon, "time")
            )
        }
        NoRowError::TooShort(TooShort::ForMemory { rows }) => {
            format!(
                "{rows} rows depend on each other so strongly that they are worth fewer than 16 independent \
                 ones"
            )
        }
    }
}

/// Returns what an error covers and what it leaves out.
pub(super) fn covers(covers: &Covers) -> String {
    let name = |source: Source| match source {
        Source::Rows if covers.on_test_rows => "other test rows",
        Source::Rows => "other validation rows",
        Source::Seeds => "other seeds",
        Source::Search => "another search with its seeds",
    };
    let covered: Vec<String> = covers
        .shares
        .iter()
        .map(|share| format!("{} ({} of its variance)", name(share.source), percent(share.share)))
        .collect();
    let left_out: Vec<&str> = covers.left_out.iter().map(|source| name(*source)).collect();
    let left_out = match left_out.as_slice() {
        [] => String::new(),
        sources => format!("; it leaves out {}, because nothing about them is recorded", listed(sources)),
    };
    let cut = covers.cut_to.map_or_else(String::new, |fewest| {
        let fewest = counted(fewest, "configuration");
        format!(
            " Budgets had unequal numbers of trials; the interval also covers the result with {fewest} for \
             each."
        )
    });
    let rows = covers.rows.map_or_else(String::new, rows_covered);
    let eras = covers.eras.map_or_else(String::new, |eras| {
        format!(" It is at least the one that follows from the spread of the {}.", counted(eras, "era"))
    });
    format!("The error covers {}{left_out}.{cut}{rows}{eras}", listed(&covered))
}

fn rows_covered(rows: RowsCovered) -> String {
    let worth = |effective: Option<f64>| {
        let worth = |rows| format!(" (here they are worth about {} independent rows)", about(rows));
        effective.map_or_else(String::new, worth)
    };
    match rows {
        RowsCovered::InOrder { effective } => {
            let worth = worth(effective);
            format!(" It takes into account that rows in time order depend on each other{worth}.")
        }
        RowsCovered::TwoWay { effective } => {
            let worth = worth(effective);
            format!(
                " It takes into account that rows of one time and rows of one series depend on each \
                 other{worth}."
            )
        }
        RowsCovered::Unordered => " Rows count as independent because their order in time is unknown.".into(),
        RowsCovered::Apart => {
            " Rows count as independent and as different for each budget, because predictions of the same \
             rows are not stored for every budget."
                .into()
        }
    }
}

/// Returns a piece of evidence as a clause.
pub(super) fn evidence(reason: &EvidenceReason, metric: &str) -> String {
    match reason {
        EvidenceReason::Difference(Difference { larger, smaller, gain, p_holm, .. }) => {
            let p =
                p_holm.map_or_else(String::new, |p| format!("; p {} after Holm's adjustment", p_value(p)));
            format!("{larger} against {smaller}: {} {metric}{}{p}", signed(gain.point), interval(gain))
        }
        EvidenceReason::Slope { budgets, slope, is_per_decade, p } => format!(
            "the slope over {} is {} {metric} {}{}{}",
            counted(*budgets, "budget"),
            signed(slope.point),
            if *is_per_decade { "per tenfold weights" } else { "per step" },
            interval(slope),
            p.map_or_else(String::new, |p| format!("; {}", p_is(p)))
        ),
        EvidenceReason::LackOfFit { p } => format!("departure from a straight line: {}", p_is(*p)),
        EvidenceReason::SizesAsUnits { gain, sizes } => sizes_as_units(gain, *sizes, metric),
        EvidenceReason::ExponentNotIdentified { range: (lower, upper) } => format!(
            "the data do not identify the exponent of a saturating power law: its interval reaches an end \
             of the searched range, {lower} to {upper}"
        ),
        EvidenceReason::Exponent(exponent) => {
            let ends = exponent.interval.map_or_else(String::new, |ends| {
                let level = exponent.level * 100.0;
                format!(" ({level:.0}% interval {:.2} to {:.2})", ends.lower, ends.upper)
            });
            format!(
                "a saturating power law fitted to the values has the exponent {:.2}{ends}",
                exponent.point
            )
        }
        EvidenceReason::NoExponent { sizes, decades } => format!(
            "no exponent was fitted: a fit needs {SIZES_FOR_LAW} sizes over {DECADES_FOR_LAW} \
             decades and the error of each value; there are {sizes} over {decades:.2}"
        ),
        EvidenceReason::WithinBudgets(within) => format!(
            "among the configurations of one budget, tenfold weights are associated with {} {metric}{}, \
             which includes effects of other parameters that vary with size",
            signed(within.point),
            interval(within)
        ),
        EvidenceReason::Order(order) => format!(
            "on new rows the likeliest order of the best trials is {}, with probability {}",
            order.budgets.join(" > "),
            percent(order.probability)
        ),
    }
}

fn sizes_as_units(gain: &Estimate, sizes: u64, metric: &str) -> String {
    let (point, sizes_in_words) = (signed(gain.point), counted(sizes, "size"));
    match gain.interval {
        Some(_) => {
            format!(
                "with the {sizes_in_words} as units, the gain per decade is {point} {metric}{}",
                interval(gain)
            )
        }
        None if sizes < 3 => {
            format!("the gain per decade is {point} {metric}; {sizes_in_words} do not determine its error")
        }
        None => format!(
            "the gain per decade is {point} {metric}; the values lie exactly on a line, so its error is \
             unknown"
        ),
    }
}

/// Returns a caveat as a sentence.
pub(super) fn caveat(reason: &CaveatReason) -> String {
    match reason {
        CaveatReason::BestIsBiased { optimism } if optimism.is_empty() => {
            "The observed best of many trials is biased towards better values; the verdict does not use \
             it."
            .into()
        }
        CaveatReason::BestIsBiased { optimism } => {
            let parts: Vec<String> = optimism
                .iter()
                .map(|one| format!("{} by about {}", one.budget, decimals(one.bias)))
                .collect();
            format!("The observed best of many trials is biased towards better values: {}.", parts.join(", "))
        }
        CaveatReason::BestDependsOnSpread => "The expected best of several trials increases with their \
                                              spread as well as with their mean: of two sizes with the \
                                              same mean, the one that depends more on its hyperparameters \
                                              has the better best."
            .into(),
        CaveatReason::MeanIsNotBest => "The verdict compares the mean trial of each search; a better mean \
                                        does not imply a better best of many trials."
            .into(),
        CaveatReason::ChoiceUnrecorded => "No record says who chose the trials; the verdict treats them as \
                                           independent draws. If an adaptive sampler chose them (TPE, a \
                                           Gaussian process, a person), the verdict is wrong more often \
                                           than stated."
            .into(),
        CaveatReason::SameSize { smaller, larger } => {
            format!(
                "{smaller} and {larger} have the same size: a difference between them is not due to \
                     size."
            )
        }
        CaveatReason::TestRowsOnce => "Test rows are valid for one look: a search that is changed \
                                       afterwards has used them for selection."
            .into(),
        CaveatReason::SizesUnknown => "Sizes are unknown: budgets are compared in the given order.".into(),
        CaveatReason::OrderOfSizes => {
            "Budgets are compared in the order of their exact sizes, not of their labels.".into()
        }
        CaveatReason::LabelsAreNotSizes => "The labels of some budgets differ from the sizes of their best \
                                            models."
            .into(),
    }
}

/// Returns what to do, as sentences. `ladder` are the arguments of commands that name the ladder.
pub(super) fn advice(advice: &Advice, ladder: &str) -> String {
    let take = advice.take.as_ref().map(take);
    let next = Some(next_steps(advice, ladder)).filter(|steps| !steps.is_empty());
    take.into_iter().chain(next).collect::<Vec<String>>().join(" ")
}

fn next_steps(advice: &Advice, ladder: &str) -> String {
    let next = advice.next.map(|step| next(step, advice.retraining, ladder));
    let provisional = advice.is_provisional.then(|| match advice.retraining {
        Some(how) => format!(
            "This verdict is provisional because it uses the search alone: run `{}`.",
            retraining_command(how, ladder)
        ),
        None => "This verdict is provisional because it compares searches: train the best configuration of \
                 each budget again with five seeds, and add these trials."
            .to_owned(),
    });
    [next, provisional].into_iter().flatten().collect::<Vec<String>>().join(" ")
}

fn take(take: &Take) -> String {
    let Take { budget, trial, reason } = take;
    let why = match reason {
        TakeReason::BetterUpToLargest => "values improve with size, including the last step".to_owned(),
        TakeReason::LargerIsBetter => "the larger size is significantly better".into(),
        TakeReason::EverySmallerIsWorse => {
            "for every smaller size there is a larger one that is significantly better".into()
        }
        TakeReason::NoGainBeyond => {
            format!("the gain up to {budget} is significant, a gain beyond {budget} is not")
        }
        TakeReason::ConfigurationsDiffer => {
            "the configurations of smaller sizes are significantly worse, and no larger size has a \
             significantly better one"
                .into()
        }
        TakeReason::NoLargerIsBetter => "no larger size is significantly better".into(),
        TakeReason::DifferencesAreSmall => {
            "it is the smallest size, and no larger one is better by the smallest difference of interest"
                .into()
        }
    };
    format!("Take {budget}, trial {trial}: {why}.")
}

fn next(step: NextStep, retraining: Option<Retraining>, ladder: &str) -> String {
    let command = retraining.map(|how| retraining_command(how, ladder));
    let text = match (step, command) {
        (NextStep::TrainAgain, Some(command)) => {
            let until = match retraining {
                Some(Retraining::Plan) => ", until the verdict is decided",
                _ => "",
            };
            return format!(
                "Run `{command}`: it trains the best configurations of each budget again, with seeds that \
                 the search did not use{until}."
            );
        }
        (NextStep::TrainAgain, None) => {
            "Train the best configuration of each budget again with five seeds, and add these trials: the \
             report then compares them instead of the search."
        }
        (NextStep::SearchAlike, Some(command)) => {
            return format!("Search all budgets in the same way, or run `{command}`.");
        }
        (NextStep::SearchAlike, None) => "Search all budgets in the same way.",
        (NextStep::RepairTrials, _) => {
            "Fix the causes of failed trials, or record the values at which they stopped, and run them again."
        }
        (NextStep::PruneAlike, Some(command)) => {
            return format!("Stop trials of every budget by the same rule, or run `{command}`.");
        }
        (NextStep::PruneAlike, None) => "Stop trials of every budget by the same rule.",
        (NextStep::RunMoreTrials, Some(command)) => {
            return format!("Run at least 10 distinct trials per budget, or `{command}`.");
        }
        (NextStep::RunMoreTrials, None) => {
            "Run at least 10 distinct trials per budget, or train the best configuration of each again with \
             five seeds."
        }
        (NextStep::RepeatSizes, _) => {
            "Repeat each size with several seeds, or search it with at least 10 trials."
        }
        (NextStep::UseMoreRows, _) => "Use a longer validation part.",
        (NextStep::CompleteOtherBudgets, _) => {
            "Find out why the trials of the other budgets have no value, and run them again."
        }
        (NextStep::AddBudgets, _) => "Add budgets of other sizes.",
        (NextStep::CheckValues, _) => "Check the recorded values: they are constant within a budget.",
    };
    text.to_owned()
}
