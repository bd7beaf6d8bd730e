//! Contradictions of a classic report in words.

use allometry_analysis::consistency::NaiveConsistency;
use allometry_analysis::lint::{
    CoverageMismatch, Extreme, Implied, ImportanceMismatch, LadderMismatch, Mismatch, Place, SummaryFigure,
    SummaryMismatch, TableSide, TrendMismatch,
};

use crate::number::{counted, decimals, quoted};

/// Returns a contradiction as a clause.
pub(super) fn mismatch(found: &Mismatch) -> String {
    match found {
        Mismatch::Ladder(found) => ladder(found),
        Mismatch::Summary(found) => summary(found),
        Mismatch::Importance(found) => importance(found),
        Mismatch::Trend(found) => trend(found),
        Mismatch::Coverage(found) => coverage(found),
    }
}

fn ladder(found: &LadderMismatch) -> String {
    match found {
        LadderMismatch::OtherBest { here, there, place } => {
            let value = |value: &Option<f64>| value.map_or_else(|| "N/A".into(), |value| value.to_string());
            let place = match place {
                Place::Table => "in the table",
                Place::AllBudgets => "in the part about all budgets",
            };
            format!("the best value is {} here and {} {place}", value(here), value(there))
        }
        LadderMismatch::NotThreeBudgets => "a verdict needs the best values of exactly three budgets".into(),
        LadderMismatch::VerdictWord(values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("the verdict does not follow from the maxima {}", values.join(", "))
        }
        LadderMismatch::VerdictOrder { stated, meant } => {
            format!("the verdict states the order {stated}, but its word means {meant}")
        }
        LadderMismatch::FewerThanTwoValues { parameter } => {
            format!("{parameter} has fewer than two values to compare")
        }
        LadderMismatch::ConsistencyWord { parameter, word: NaiveConsistency::Consistent } => {
            format!("the values of {parameter} differ, but the line calls them consistent")
        }
        LadderMismatch::ConsistencyWord { parameter, word: NaiveConsistency::Inconsistent } => {
            format!("the values of {parameter} are equal, but the line calls them inconsistent")
        }
        LadderMismatch::OtherBestParameter { parameter, budget: Some(budget), here, there } => {
            format!("the best {parameter} of {} is {here} here and {there} in the table", quoted(budget))
        }
        LadderMismatch::OtherBestParameter { parameter, budget: None, here, there } => {
            format!("the best {parameter} is {here} here and {there} in the table of best results")
        }
        LadderMismatch::CollapseWord => "the table and the part about the budget disagree".into(),
        LadderMismatch::OtherRange => "the part about the budget states another range".into(),
        LadderMismatch::CollapseRule { range, percent } => format!(
            "the word does not follow: a collapse is a range below {range}, or zero recall in more than \
             {percent}% of trials"
        ),
    }
}

/// Returns a number with its bounds: `0.7005 (0.7004 to 0.7006)`.
fn implied(implied: Implied) -> String {
    if implied.high.is_infinite() {
        return format!("at least {:.4}", implied.low);
    }
    let middle = f64::midpoint(implied.low, implied.high);
    format!("{} ({} to {})", decimals(middle), decimals(implied.low), decimals(implied.high))
}

fn summary(found: &SummaryMismatch) -> String {
    match found {
        SummaryMismatch::CountsExceedTrials { parameter, total, line, trials } => {
            format!("the counts of {parameter} add up to {total}, but line {line} says {trials} trials")
        }
        SummaryMismatch::Figure { figure: SummaryFigure::Mean, parameter, implied: table, line, stated } => {
            format!(
                "the means of {parameter}, weighted by their counts, give {}; line {line} says {stated}",
                implied(*table)
            )
        }
        SummaryMismatch::Figure { parameter, implied: table, line, stated, .. } => format!(
            "the table of {parameter} gives a standard deviation of all trials of {}; line {line} says \
             {stated}",
            implied(*table)
        ),
        SummaryMismatch::FigureAgainstMost { figure, disagreeing, tables, first } => {
            let figure = match figure {
                SummaryFigure::Mean => "mean",
                SummaryFigure::Deviation => "standard deviation",
            };
            format!(
                "the {figure} of all trials disagrees with {disagreeing} of {tables} tables; {}",
                summary(first)
            )
        }
        SummaryMismatch::DeviationOfOneTrial(deviation) => deviation_of_one_trial(*deviation),
        SummaryMismatch::BestBelowMean { best, mean } => {
            format!("the best value, {best}, is worse than the mean, {mean}")
        }
        SummaryMismatch::BestTooFar { trials, reach, best } => format!(
            "no value of {} can be further from the mean than {reach:.1} standard deviations, but {best} is",
            counted(*trials, "trial")
        ),
        SummaryMismatch::MeanAboveBest { parameter, value, best, line } => {
            format!("the mean at {parameter} {value} is better than the best value, {best} (line {line})")
        }
        SummaryMismatch::BestInNoGroup { parameter, best, line } => format!(
            "no value of {parameter} can include the best trial, {best} (line {line}): it is too far from \
             all their means"
        ),
    }
}

fn deviation_of_one_trial(deviation: f64) -> String {
    format!("one trial has a standard deviation of 0, not {deviation}")
}

fn importance(found: &ImportanceMismatch) -> String {
    match found {
        ImportanceMismatch::NotSorted { below, above } => format!(
            "figures must be sorted, but {} stands below {} although {} is larger than {}",
            below.0, above.0, below.1, above.1
        ),
        ImportanceMismatch::BarLength { parameter, characters, share, expected } => {
            format!("the bar of {parameter} has {characters} characters, but {share} gives {expected}")
        }
        ImportanceMismatch::MoreThanAll(share) => {
            format!("no parameter can explain {share}, which is more than the whole variance")
        }
        ImportanceMismatch::OfTable { parameter, implied: table, share } => {
            format!("the table of {parameter} gives {}; this line says {share}", implied(*table))
        }
    }
}

fn trend(found: &TrendMismatch) -> String {
    match found {
        TrendMismatch::DeviationOfOneTrial(deviation) => deviation_of_one_trial(*deviation),
        TrendMismatch::OneValue { parameter } => {
            format!("{parameter} has one value, so it has no trend")
        }
        TrendMismatch::Word { parameter, word, change, margin } => format!(
            "{parameter} is called {}, but its mean changes by {change:+.4} (a trend is flat below {margin})",
            word.as_str()
        ),
        TrendMismatch::NotInTable { parameter, value } => {
            format!("{value} is not in the table of {parameter}")
        }
        TrendMismatch::OtherMean { value, table, here } => {
            format!("the mean at {value} is {table} in the table and {here} here")
        }
        TrendMismatch::NotExtreme { extreme, parameter, value, beyond } => {
            let extreme = match extreme {
                Extreme::Best => "best",
                Extreme::Worst => "worst",
            };
            format!(
                "{} is called the {extreme} value of {parameter}, but {} has {} against {}",
                value.0, beyond.0, beyond.1, value.1
            )
        }
    }
}

fn coverage(found: &CoverageMismatch) -> String {
    let name = |side: TableSide| match side {
        TableSide::Row => "row",
        TableSide::Column => "column",
    };
    match found {
        CoverageMismatch::CellsExceedTrials { total, line, trials } => {
            format!("the cells add up to {total}, but line {line} says {trials} trials")
        }
        CoverageMismatch::OtherValues { side, parameter } => {
            format!("the {}s are not the values in the table of {parameter}", name(*side))
        }
        CoverageMismatch::SideSum { side, parameter, value, sum, line, trials } => format!(
            "the {} of {parameter} {value} adds up to {sum}, but line {line} says {trials} trials",
            name(*side)
        ),
    }
}
