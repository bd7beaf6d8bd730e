//! The lint of a classic report in words: the statements of the report, and why they stand or not.

use allometry_analysis::Lint;
use allometry_analysis::consistency::NaiveConsistency;
use allometry_analysis::lint::{
    BestValueReason, BudgetOrder, Claim, CollapseReason, Conclusion, ConsistencyReason, Contradiction, Ends,
    ImportanceReason, LintReason, MeansReason, Note, NoteReason, OneWayTest, ScalingLint, SizeReason,
    TrendReason, TrendSlope, TrendTest,
};
use allometry_analysis::scaling::NaiveScaling;
use allometry_core::{Direction, ParamValue, human_weights};

use super::finding::end;
use super::mismatch::mismatch;
use super::verdict;
use crate::number::{counted, decimals, grouped, known_p, listed, p_value, quoted, short, signed};

/// Returns a contradiction as a clause.
pub fn contradiction_clause(of: &Contradiction) -> String {
    of.message.text(mismatch)
}

/// Returns a note as a clause.
pub fn note_clause(of: &Note) -> String {
    of.message.text(note)
}

/// Returns the statement of the report in a conclusion.
pub fn claim_clause(conclusion: &Conclusion) -> String {
    conclusion.statement.text(claim)
}

/// Returns why a conclusion stands or does not.
pub fn reason_clause(conclusion: &Conclusion, lint: &Lint) -> String {
    conclusion.reason.text(|of| reason(of, lint))
}

/// Returns the conclusion from the means of the trials, and what their error covers.
pub fn means_sentence(scaling: &ScalingLint, metric: &str, direction: Direction) -> String {
    scaling.sentence.text(|of| means(of, metric, direction))
}

pub(super) fn means(means: &MeansReason, metric: &str, direction: Direction) -> String {
    let answer = verdict::answer(&means.answer, metric, direction);
    match &means.covers {
        Some(covers) => format!("{answer} {}", verdict::covers(covers)),
        None => answer,
    }
}

/// Returns the values as a list in words.
fn values(values: &[ParamValue]) -> String {
    listed(&values.iter().map(ToString::to_string).collect::<Vec<String>>())
}

pub(super) fn claim(claim: &Claim) -> String {
    match claim {
        Claim::Scaling { word, order } => {
            let word = match word {
                NaiveScaling::Holds => "HOLDS",
                NaiveScaling::Violated => "VIOLATED",
                NaiveScaling::Partial => "PARTIAL",
            };
            format!("scaling law {word}: {order}")
        }
        Claim::Size { nominal } => format!("models of {} weights", human_weights(*nominal)),
        Claim::Consistency { parameter, word, values } => {
            let word = match word {
                NaiveConsistency::Consistent => "consistent",
                NaiveConsistency::Inconsistent => "inconsistent",
            };
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("the best {parameter} is {word}: {}", values.join(", "))
        }
        Claim::Collapse { collapsed: true } => "probabilities collapsed".into(),
        Claim::Collapse { collapsed: false } => "no collapse".into(),
        Claim::BestConfiguration { params } => {
            let params: Vec<String> = params.iter().map(|(name, value)| format!("{name} {value}")).collect();
            format!("best configuration: {}", params.join(", "))
        }
        Claim::Shares { parameters } => {
            format!("{} explain fractions of the variance", counted(*parameters, "parameter"))
        }
        Claim::Importance { parameter, share } => format!("{parameter} explains {share:.4} of the variance"),
        Claim::Trend { parameter, direction } => {
            format!("{parameter} is {}", direction.as_str().replace('_', " "))
        }
        Claim::BestValue { parameter, value } => format!("the best {parameter} is {value}"),
    }
}

pub(super) fn reason(reason: &LintReason, lint: &Lint) -> String {
    match reason {
        LintReason::Means { order } => {
            let sentence = means_sentence(&lint.scaling, &lint.metric, lint.direction);
            let sentence = uncapitalized(sentence.trim_end_matches('.'));
            let Some((basis, budgets)) = order else { return sentence };
            let basis = match basis {
                BudgetOrder::ExactSizes => "weights",
                BudgetOrder::BlockWeights | BudgetOrder::Given => "weights of their blocks",
            };
            format!("{sentence}. The {basis} of the best models give the order {}", budgets.join(" < "))
        }
        LintReason::Contradicted(found) => format!("the report contradicts itself: {}", mismatch(found)),
        LintReason::Size(reason) => size(*reason),
        LintReason::Consistency(reason) => consistency(reason),
        LintReason::Collapse(reason) => collapse(*reason),
        LintReason::Best { trials, best, ends } => best_configuration(*trials, *best, ends),
        LintReason::Shares { sum, is_more_than_whole: true } => format!(
            "they add up to {sum:.3}, more than the whole: each is computed for one parameter alone and \
             includes effects of parameters that vary with it"
        ),
        LintReason::Shares { sum, .. } => format!(
            "they add up to {sum:.3}, which is not the share of a model: each is computed for one \
             parameter alone. Adjusted effects, and shares that add up, need the trials"
        ),
        LintReason::Importance(reason) => importance(reason),
        LintReason::Trend(reason) => trend(reason),
        LintReason::BestValue(reason) => best_value(reason),
    }
}

fn uncapitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}

fn size(reason: SizeReason) -> String {
    match reason {
        SizeReason::Exact(weights) => format!("the best model has {} weights", grouped(weights)),
        SizeReason::BlocksAlone(weights) => {
            format!("the blocks of the best model alone have {} weights", grouped(weights))
        }
        SizeReason::Blocks(weights) => format!(
            "the blocks of the best model have {} weights; the option --weights is needed to count the rest",
            grouped(weights)
        ),
        SizeReason::Unknown => "its architecture is not given".into(),
    }
}

fn consistency(reason: &ConsistencyReason) -> String {
    match reason {
        ConsistencyReason::NotComparable => {
            "fewer than two budgets have a table of its values, or they tried different values".into()
        }
        ConsistencyReason::NoCommonValue => "no value can be best in every budget".into(),
        ConsistencyReason::Compatible(common) => {
            format!("compatible: {} may be best in every budget", values(common))
        }
        ConsistencyReason::OnlyValue => "in every budget all other values are significantly worse".into(),
        ConsistencyReason::OthersPossible(common) => format!(
            "{} may be best in every budget, but single budgets allow other values: best values also agree \
             by chance",
            values(common)
        ),
    }
}

fn collapse(reason: CollapseReason) -> String {
    let spans = |range: f64| format!("predictions span {} on average", decimals(range));
    match reason {
        CollapseReason::NothingRecorded => {
            "unknown: neither a range of predictions nor a recall was recorded".into()
        }
        CollapseReason::NoRange => "no range of predictions was recorded".into(),
        CollapseReason::Spans(range) => {
            format!("{}; an average does not show single collapsed trials", spans(range))
        }
        CollapseReason::RecallAlone => {
            "only the recall at 0.5 supports it: with rare positives, a calibrated model \
                                        has zero recall too"
                .into()
        }
        CollapseReason::PositivesUnknown(range) => format!(
            "{}; whether that is nearly constant depends on the share of positives (--rows)",
            spans(range)
        ),
        CollapseReason::OneNumber(range) => format!("{}: nearly constant", spans(range)),
        CollapseReason::Narrow { range, prior } => format!(
            "{}: narrow, but not constant at a share of positives of {prior:.2}; the scores would decide",
            spans(range)
        ),
    }
}

fn best_configuration(trials: Option<u64>, best: f64, ends: &Ends) -> String {
    let trials = trials.map_or_else(|| "trials".into(), |trials| counted(trials, "trial"));
    let biased = format!("as the best of {trials}, {best} is biased towards better values");
    match ends {
        Ends::None => format!("no value is at an end of the values tried; {biased}"),
        Ends::NotTold(parameters) => format!(
            "the best {} {} at an end of the values tried, without a significant slope towards it; {biased}",
            listed(parameters),
            if parameters.len() == 1 { "is" } else { "are" }
        ),
        Ends::Told(edges) => {
            let ends: Vec<String> = edges
                .iter()
                .map(|edge| {
                    let of = edge.values.map_or_else(String::new, |values| format!(" of {values}"));
                    format!("{} {} is the {}{of}", edge.parameter, short(&edge.value), end(edge.end))
                })
                .collect();
            format!(
                "{}, and the slope towards it is significant: better values may lie beyond; {biased}",
                listed(&ends)
            )
        }
    }
}

fn importance(reason: &ImportanceReason) -> String {
    match reason {
        ImportanceReason::Effect { test, corrected } => format!(
            "significant by itself: {}; the share corrected for chance is {corrected:.3}. It is not \
             adjusted for other parameters",
            one_way(test)
        ),
        ImportanceReason::Chance { test, by_chance } => {
            format!("not significant: {}; {by_chance:.3} is expected without any effect", one_way(test))
        }
        ImportanceReason::OneValue => "it was tried at one value only".into(),
        ImportanceReason::NoTest => "none of its values has enough trials, or nothing varies".into(),
        ImportanceReason::NoTableAndChance { p } => format!(
            "not significant: it has no table, but p would be {} even for two values, the fewest possible",
            p_value(*p)
        ),
        ImportanceReason::NoTablePossible { p } => {
            format!("it has no table: p would be {} for two values, and larger for more", p_value(*p))
        }
        ImportanceReason::NoTable => "it has no table".into(),
    }
}

fn one_way(test: &OneWayTest) -> String {
    let (between, within) = test.freedom;
    let f = test.f.map_or_else(|| "infinite".into(), |f| format!("{f:.1}"));
    format!("F({between}, {within}) = {f}, p (Holm) {}", p_value(test.p_holm))
}

fn trend(reason: &TrendReason) -> String {
    let test = match &reason.test {
        TrendTest::OneValue => "one value has no trend".into(),
        TrendTest::NoOrder => "its values have no order, or fewer than two of them have two trials".into(),
        TrendTest::AsStated(test) => slope(test),
        TrendTest::Other(test, direction) => format!("it is {}: {}", direction.as_str(), slope(test)),
        TrendTest::Chance(test) => format!("not significant: {}", slope(test)),
        TrendTest::SingleTrial => "the first or the last value has a single trial".into(),
        TrendTest::Change { interval, margin } => {
            let ends = format!("{} to {}", signed(interval.lower), signed(interval.upper));
            if interval.lower > -margin && interval.upper < *margin {
                format!("the interval of the change, {ends}, lies within +-{margin}")
            } else {
                format!("the interval of the change, {ends}, reaches beyond +-{margin}")
            }
        }
    };
    if reason.thin.is_empty() {
        return test;
    }
    format!("{test}; fewer than {} trials at {}", reason.few, values(&reason.thin))
}

fn slope(test: &TrendSlope) -> String {
    format!(
        "slope {} +- {:.4} per step, p (Holm) {}",
        signed(test.slope),
        test.standard_error,
        p_value(test.p_holm)
    )
}

fn best_value(reason: &BestValueReason) -> String {
    match reason {
        BestValueReason::OnlyValue => "it is the only value tried".into(),
        BestValueReason::OthersWorse { p_holm } => {
            format!("every other value is significantly worse: p (Holm) {}", known_p(*p_holm))
        }
        BestValueReason::AllBut(others) => {
            format!("all others are significantly worse except {}, tried once each", values(others))
        }
        BestValueReason::AnyOf(tried) => format!("any of the {} may be best", counted(*tried, "value")),
        BestValueReason::Chance { p_holm } => {
            format!("not significant over all tables of the report: p (Holm) {}", known_p(*p_holm))
        }
        BestValueReason::Also(others) => format!("{} may be best as well", values(others)),
    }
}

pub(super) fn note(note: &NoteReason) -> String {
    match note {
        NoteReason::Unread => "not read: it has none of the forms of a report's lines".into(),
        NoteReason::CountsBelowTrials { parameter, total, trials } => format!(
            "the counts of {parameter} add up to {total} of {}: {} have no value of it, or a count is wrong",
            counted(*trials, "trial"),
            trials - total
        ),
        NoteReason::NoRow { budget } => {
            format!("the table of best results has no row for {}", quoted(budget))
        }
        NoteReason::NotInTable { parameter, value } => {
            format!("the {parameter} of the best configuration, {value}, is not in its table")
        }
    }
}
