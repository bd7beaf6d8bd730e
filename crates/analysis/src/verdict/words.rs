//! The sentences of a verdict.

use std::fmt::Write as _;

use allometry_core::Direction;

use super::{Caveat, Evidence, EvidenceBasis, Outcome, size_disorder};
use crate::confirmation::Confirmation;
use crate::estimate::{Estimate, Interval};
use crate::input::LadderTrials;
use crate::number::{about, counted, decimals, listed, p_is, p_value, percent, signed};
use crate::options::Options;
use crate::scaling::{
    DECADES_FOR_EXPONENT, Difference, Judgement, PowerLawFit, Quantity, RowResamples, SIZES_FOR_EXPONENT,
    Scaling, SizeOrder, SizeTrend, Source, Withheld,
};
use crate::stats::power_law::EXPONENTS;
use crate::study::StudyAnalysis;

/// An outcome with its sentences.
pub(crate) struct Conclusion {
    pub(crate) outcome: Outcome,
    /// The answer and its main reason.
    pub(crate) sentence: String,
    /// What the error covers.
    pub(crate) covers: String,
}

/// The conclusion that a test of scale gives, or the reason why there is no test.
pub(crate) fn conclude(
    judgement: Option<&Judgement>,
    withheld: Option<&Withheld>,
    differences: &[Difference],
    ladder: &LadderTrials,
    options: &Options,
) -> Conclusion {
    let Some(judgement) = judgement else {
        let outcome = withheld.map_or(Outcome::Unknown, Withheld::outcome);
        let why = withheld.map_or_else(|| "nothing was compared".to_owned(), ToString::to_string);
        let sentence = format!("{}: {why}.", outcome.as_str());
        return Conclusion { outcome, sentence, covers: String::new() };
    };
    let sentence = answer(judgement, differences, ladder, options);
    Conclusion { outcome: judgement.outcome, sentence, covers: covers(judgement) }
}

/// The conclusion of a confirmation of two budgets or more; *undecided* where nothing tells its error, whatever the search said.
pub(super) fn confirmed(
    confirmation: &Confirmation,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<Conclusion> {
    if confirmation.budgets.len() < 2 {
        return None;
    }
    let Some(of_configurations) = &confirmation.configurations else {
        return Some(Conclusion {
            outcome: Outcome::Undecided,
            sentence: "Undecided: the confirmation does not tell the error of its differences; it needs two seeds or more of each \
                       budget, or predictions of the same test rows."
                .into(),
            covers: String::new(),
        });
    };
    let differences = confirmation.differences();
    let Some(of_search) = &confirmation.search else {
        let sentence = answer(of_configurations, &differences, ladder, options);
        let covers = covers(of_configurations);
        return Some(Conclusion { outcome: of_configurations.outcome, sentence, covers });
    };
    let outcome = confirmation.outcome()?;
    let judged = Judgement { outcome, ..of_search.clone() };
    let mut sentence = answer(&judged, &differences, ladder, options);
    let alone = gain_words(of_configurations, ladder);
    let _ = write!(sentence, " These configurations alone (seeds and rows): {alone}.");
    Some(Conclusion { outcome, sentence, covers: covers(of_search) })
}

/// The answer in one sentence.
fn answer(
    judgement: &Judgement,
    differences: &[Difference],
    ladder: &LadderTrials,
    options: &Options,
) -> String {
    let metric = &ladder.metric;
    let (Some(first), Some(last)) = (judgement.values.first(), judgement.values.last()) else {
        return "Unknown: there is no budget.".into();
    };
    let gain = gain_words(judgement, ladder);
    let alpha = 1.0 - options.level;
    let told = || differences.iter().filter(|d| d.p_holm.is_some_and(|p| p < alpha));
    let by_gain = |a: &&Difference, b: &&Difference| a.gain.point.total_cmp(&b.gain.point);
    let told_worse = || told().filter(|d| d.gain.point < 0.0).min_by(by_gain);
    let told_better = || told().filter(|d| d.gain.point > 0.0).max_by(by_gain);
    match judgement.outcome {
        Outcome::Flat => format!(
            "Flat: no two budgets differ by as much as {} {metric}, the smallest difference of interest ({gain}).",
            options.effect()
        ),
        Outcome::Holds => format!(
            "Holds: more weights pay; {gain}{}{}.",
            last_step(judgement),
            match judgement.lack_of_fit.filter(|_| judgement.departs(options)) {
                Some(p) => format!("; the gain is not even over the sizes ({})", p_is(p)),
                None => String::new(),
            }
        ),
        Outcome::Violated => match told_worse() {
            Some(worst) => format!(
                "Violated: {} is worse than {} by {} {metric}{}{}.",
                worst.larger,
                worst.smaller,
                decimals(-worst.gain.point),
                within(&worst.gain, |interval| (-interval.upper, -interval.lower)),
                told_better().map_or_else(String::new, |best| format!(
                    "; {} is better than {} by {}{}",
                    best.larger,
                    best.smaller,
                    decimals(best.gain.point),
                    within(&best.gain, |interval| (interval.lower, interval.upper))
                ))
            ),
            None => format!("Violated: more weights harm; {gain}."),
        },
        Outcome::Undecided if judgement.k_decides => format!(
            "Undecided: small and large models differ one way in their mean trial and the other way in their best ({gain})."
        ),
        Outcome::Undecided | Outcome::Unknown => format!(
            "Undecided: the trials do not tell whether {} is better or worse than {}; {gain}.",
            last.budget, first.budget
        ),
    }
}

/// The gain with its interval, and in what quantity.
fn gain_words(judgement: &Judgement, ladder: &LadderTrials) -> String {
    let metric = &ladder.metric;
    let quantity = match judgement.quantity {
        Quantity::BestOf { k: 1 } => "in the mean trial of the search".to_owned(),
        Quantity::BestOf { k } => format!("in the expected best of {k} trials"),
        Quantity::Configuration => "in the mean over seeds of one configuration".into(),
        Quantity::Confirmed => "on test rows".into(),
        Quantity::Mean => "in the mean of all trials".into(),
    };
    let (steps, gain) = match &judgement.values[..] {
        [first, last] => (Steps::Pair(&first.budget, &last.budget), judgement.whole),
        _ if judgement.is_per_decade => (Steps::Each("per tenfold weights"), judgement.slope),
        _ => (Steps::Each("per step of the ladder"), judgement.slope),
    };
    let point = signed(gain.point);
    let gain = interval(&gain);
    match (ladder.direction, steps) {
        (Direction::Maximize, Steps::Pair(smaller, larger)) => {
            format!("the gain of {larger} over {smaller} is {point} {metric}{gain} {quantity}")
        }
        (Direction::Minimize, Steps::Pair(smaller, larger)) => {
            format!("the fall of {metric} from {smaller} to {larger} is {point}{gain} {quantity}")
        }
        (Direction::Maximize, Steps::Each(each)) => {
            format!("the gain {each} is {point} {metric}{gain} {quantity}")
        }
        (Direction::Minimize, Steps::Each(each)) => {
            format!("the fall of {metric} {each} is {point}{gain} {quantity}")
        }
    }
}

/// The steps that a gain is given over.
enum Steps<'a> {
    /// From one budget to another.
    Pair(&'a str, &'a str),
    /// One of several like steps.
    Each(&'static str),
}

fn last_step(judgement: &Judgement) -> String {
    judgement.last_step.as_ref().map_or_else(String::new, |step| {
        let told = if step.is_told { "is told too" } else { "is not told by itself" };
        format!(
            "; the last step, {} to {}, {told} ({}{})",
            step.from,
            step.to,
            signed(step.gain.point),
            interval(&step.gain)
        )
    })
}

fn interval(estimate: &Estimate) -> String {
    let level = estimate.level * 100.0;
    estimate.interval.map_or_else(String::new, |interval| {
        format!(" ({level:.0}% interval {} to {})", signed(interval.lower), signed(interval.upper))
    })
}

/// An interval without signs, its ends given by `ends`.
fn within(gain: &Estimate, ends: impl Fn(Interval) -> (f64, f64)) -> String {
    let level = gain.level * 100.0;
    gain.interval.map(ends).map_or_else(String::new, |(lower, upper)| {
        format!(" ({level:.0}% interval {} to {})", decimals(lower), decimals(upper))
    })
}

/// What the error covers and what it leaves out.
fn covers(judgement: &Judgement) -> String {
    let name = |source: Source| match source {
        Source::Rows if judgement.quantity == Quantity::Confirmed => "other test rows",
        Source::Rows => "other validation rows",
        Source::Seeds => "other seeds",
        Source::Search => "another search with its seeds",
    };
    let covered: Vec<String> = judgement
        .shares
        .iter()
        .map(|share| format!("{} ({} of its variance)", name(share.source), percent(share.share)))
        .collect();
    let left_out: Vec<&str> = judgement.left_out.iter().map(|source| name(*source)).collect();
    let mut text = format!("The error covers {}", listed(&covered));
    if left_out.is_empty() {
        text.push('.');
    } else {
        let _ =
            write!(text, "; it leaves out {}, because nothing about them is recorded.", listed(&left_out));
    }
    if let Some(fewest) = judgement.cut_to {
        let _ = write!(
            text,
            " Budgets had unequal numbers of trials: the interval also covers the case in which each had {}.",
            counted(fewest, "configuration")
        );
    }
    match (judgement.same_rows, judgement.rows_in_order) {
        (None, _) => {}
        (Some(true), true) => {
            let rows = judgement.slope.effective_rows;
            let rows = rows.map_or_else(String::new, |rows| {
                format!(" (worth about {} independent ones here)", about(rows.rows))
            });
            let _ = write!(text, " It takes into account that rows in time order depend on each other{rows}.");
        }
        (Some(true), false) => {
            text.push_str(" Rows count as independent: nothing tells their order in time.");
        }
        (Some(false), _) => text.push_str(
            " Rows count as independent and as different for each budget, because not all predictions of the same rows are stored.",
        ),
    }
    text
}

/// What the conclusion rests on.
pub(super) fn evidence(scaling: &Scaling, ladder: &LadderTrials, options: &Options) -> Vec<Evidence> {
    let differences = scaling.differences.iter().map(|d| difference(d, ladder));
    let judgement = scaling.judgement.iter().flat_map(|one| slope(one, ladder));
    let trend = scaling.trend.iter().flat_map(|trend| trend_evidence(trend, ladder, options));
    differences
        .chain(judgement)
        .chain(trend)
        .chain(scaling.within_budgets.iter().map(|within| within_budgets(within, ladder)))
        .chain(scaling.resampled.iter().filter_map(order))
        .collect()
}

fn difference(difference: &Difference, ladder: &LadderTrials) -> Evidence {
    let Difference { larger, smaller, gain, p_holm, .. } = difference;
    let p = p_holm.map_or_else(String::new, |p| format!("; p {} after Holm's adjustment", p_value(p)));
    let gain = format!("{} {}{}", signed(gain.point), ladder.metric, interval(gain));
    Evidence { basis: EvidenceBasis::Difference, statement: format!("{larger} against {smaller}: {gain}{p}") }
}

fn slope(judgement: &Judgement, ladder: &LadderTrials) -> Vec<Evidence> {
    let per = if judgement.is_per_decade { "per tenfold weights" } else { "per step" };
    let p = judgement.p.map_or_else(String::new, |p| format!("; {}", p_is(p)));
    let mut statements = vec![format!(
        "the slope over {} is {} {} {per}{}{p}",
        counted(judgement.values.len() as u64, "budget"),
        signed(judgement.slope.point),
        ladder.metric,
        interval(&judgement.slope)
    )];
    if let Some(p) = judgement.lack_of_fit {
        statements.push(format!("departure from a straight line: {}", p_is(p)));
    }
    let basis = EvidenceBasis::Trend;
    statements.into_iter().map(|statement| Evidence { basis, statement }).collect()
}

/// What sizes as units and the configurations within budgets say.
fn trend_evidence(trend: &SizeTrend, ladder: &LadderTrials, options: &Options) -> Vec<Evidence> {
    let gain = trend.gain_per_decade;
    let metric = &ladder.metric;
    let mut statements = vec![match gain.interval {
        Some(_) => format!(
            "with the {} as units the gain per decade is {} {metric}{}",
            counted(trend.sizes, "size"),
            signed(gain.point),
            interval(&gain)
        ),
        None if trend.sizes < 3 => format!(
            "the gain per decade is {} {metric}; {} cannot tell its error",
            signed(gain.point),
            counted(trend.sizes, "size")
        ),
        None => format!(
            "the gain per decade is {} {metric}; the sizes lie on a line, which cannot tell its error",
            signed(gain.point)
        ),
    }];
    let reaches_end = |exponent: &Estimate| {
        let ends = exponent.interval;
        ends.is_some_and(|i| i.lower <= EXPONENTS.0 * 1.01 || i.upper >= EXPONENTS.1 * 0.99)
    };
    statements.push(match &trend.power_law {
        Some(PowerLawFit { exponent, .. }) if reaches_end(exponent) => format!(
            "the exponent of a saturating power law is not identified: its interval reaches an end of the range searched, {} to {}",
            EXPONENTS.0, EXPONENTS.1
        ),
        Some(PowerLawFit { exponent, .. }) => {
            let ends = exponent.interval.map_or_else(String::new, |ends| {
                format!(" ({:.0}% interval {:.2} to {:.2})", options.level * 100.0, ends.lower, ends.upper)
            });
            format!("a saturating power law through the values has the exponent {:.2}{ends}", exponent.point)
        }
        None => format!(
            "no exponent: it takes {SIZES_FOR_EXPONENT} sizes over {DECADES_FOR_EXPONENT} decades and the error of each value; there are {} over {:.2}",
            trend.sizes, trend.decades
        ),
    });
    let basis = EvidenceBasis::Trend;
    statements.into_iter().map(|statement| Evidence { basis, statement }).collect()
}

fn within_budgets(within: &Estimate, ladder: &LadderTrials) -> Evidence {
    let statement = format!(
        "among the configurations of one budget, tenfold weights go with {} {}{}, whatever else goes with their size",
        signed(within.point),
        ladder.metric,
        interval(within)
    );
    Evidence { basis: EvidenceBasis::Trend, statement }
}

/// How probable the observed order of the budgets is on fresh rows.
fn order(resampled: &RowResamples) -> Option<Evidence> {
    let likeliest = resampled.orders.first()?;
    Some(Evidence {
        basis: EvidenceBasis::Rows,
        statement: format!(
            "on fresh rows the best trials order as {} with probability {}, the likeliest order",
            likeliest.budgets.join(" > "),
            percent(likeliest.probability)
        ),
    })
}

/// What the conclusion does not take into account.
pub(super) fn caveats(scaling: &Scaling, studies: &[StudyAnalysis], is_confirmed: bool) -> Vec<Caveat> {
    let mut statements: Vec<String> = Vec::new();
    if studies.iter().any(|study| study.summary.trials > 1) {
        statements.push(match optimism(scaling) {
            Some(words) => format!("The observed best of many trials is biased towards better values: {words}."),
            None => "The observed best of many trials is biased towards better values; it is not what is compared.".to_owned(),
        });
    }
    let judged = scaling.judgement.as_ref().map(|judgement| judgement.quantity);
    if !is_confirmed && matches!(judged, Some(Quantity::BestOf { k: 2.. })) {
        statements.push(
            "The expected best of several trials rises with their spread as well as with their mean: a size that depends more on its \
             hyperparameters has the better best at the same mean."
                .to_owned(),
        );
    }
    if !is_confirmed && matches!(judged, Some(Quantity::BestOf { k: 1 })) {
        statements.push(
            "The mean trial of each search is compared: a better mean need not be a better best of many trials."
                .to_owned(),
        );
    }
    if !is_confirmed && judged.is_some() && scaling.is_unrecorded {
        statements.push(
            "Nothing records who chose the trials; they are taken for independent draws. If a sampler that learns chose them (TPE, a \
             Gaussian process, a person), the verdict errs more often than it says."
                .to_owned(),
        );
    }
    if let Some((smaller, larger)) = scaling.judgement.as_ref().and_then(Judgement::of_one_size) {
        statements
            .push(format!("{smaller} and {larger} have the same size: what tells them apart is not size."));
    }
    if is_confirmed {
        statements.push(
            "Test rows can be looked at once: a search changed after looking has chosen by them.".to_owned(),
        );
    }
    if scaling.judgement.as_ref().is_some_and(|judgement| !judgement.is_per_decade) {
        statements.push("Sizes are not known: budgets are compared in the order given.".to_owned());
    }
    if scaling.order == SizeOrder::Exact && size_disorder(studies).is_some() {
        statements.push("Budgets are compared in the order of exact sizes, not of their labels.".to_owned());
    }
    if scaling.points.iter().any(|point| is_off_label(&point.budget, studies)) {
        statements.push("Labels of budgets are not the sizes of their best models.".to_owned());
    }
    statements.into_iter().map(|statement| Caveat { statement }).collect()
}

/// By how much choosing the best of many trials flatters each budget.
fn optimism(scaling: &Scaling) -> Option<String> {
    let corrected = &scaling.resampled.as_ref()?.corrected;
    let parts: Vec<String> =
        corrected.iter().map(|one| format!("{} by about {}", one.budget, decimals(one.optimism))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn is_off_label(budget: &str, studies: &[StudyAnalysis]) -> bool {
    studies.iter().any(|study| study.budget.label == budget && study.sizes.best_is_off_label())
}
