//! Whether more weights pay, in words that a person can repeat.

use allometry_core::size::human_weights;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Interval;
use crate::input::LadderTrials;
use crate::number::{about, counted, decimals, percent, quoted, signed};
use crate::options::Options;
use crate::scaling::{
    DECADES_FOR_EXPONENT, Difference, PowerLawFit, RowResamples, SIZES_FOR_EXPONENT, Scaling, ScalingPoint,
    SizeOrder, SizeTrend,
};
use crate::stats::power_law::EXPONENTS;
use crate::study::StudyAnalysis;

/// The conclusion on scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The largest model is better than the smallest, and none is worse than a smaller one, beyond doubt.
    Holds,
    /// A larger model is worse than a smaller one beyond doubt.
    Violated,
    /// Every difference is smaller than what is of interest.
    Flat,
    /// The trials do not tell.
    Undecided,
    /// What would be needed to tell was not given.
    Unknown,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "Holds",
            Self::Violated => "Violated",
            Self::Flat => "Flat",
            Self::Undecided => "Undecided",
            Self::Unknown => "Unknown",
        }
    }
}

/// What a piece of evidence looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceBasis {
    /// The best trials of two budgets.
    Difference,
    /// All trials over their exact sizes.
    Trend,
    /// Resampled validation rows.
    Rows,
}

/// Something that the conclusion rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it looks at.
    pub basis: EvidenceBasis,
    /// In words, with its numbers.
    pub statement: String,
}

/// Something that the conclusion does not take into account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caveat {
    /// In words.
    pub statement: String,
}

/// A conclusion with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The conclusion.
    pub outcome: Outcome,
    /// It and its main reason, to be repeated.
    pub sentence: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What it does not take into account.
    pub caveats: Vec<Caveat>,
}

impl Verdict {
    /// Concludes from the differences between the best trials of all budgets.
    ///
    /// A difference is beyond doubt when its p-value, as if the two metrics were independent, is below `1 - level` after
    /// Holm's adjustment: on the same rows they are correlated, so this is on the safe side. The outcomes are tried in
    /// this order: unknown (no standard errors), flat (every interval inside the smallest effect), violated, holds,
    /// undecided.
    pub fn new(
        scaling: &Scaling,
        studies: &[StudyAnalysis],
        ladder: &LadderTrials,
        options: &Options,
    ) -> Self {
        let differences = scaling.differences.iter().map(|d| evidence(d, ladder, options));
        let evidence = differences
            .chain(scaling.trend.iter().flat_map(|t| trend_evidence(t, ladder)))
            .chain(scaling.resampled.iter().filter_map(order_evidence))
            .collect();
        let (outcome, mut sentence) = conclude(scaling, ladder, options);
        if let Some(disorder) = size_disorder(studies) {
            sentence = format!("{sentence} And: {disorder}");
        }
        Self { outcome, sentence, evidence, caveats: caveats(scaling, studies, options) }
    }
}

/// The conclusion and its sentence.
pub(crate) fn conclude(scaling: &Scaling, ladder: &LadderTrials, options: &Options) -> (Outcome, String) {
    let metric = &ladder.metric;
    let Some(largest) = scaling.largest() else {
        let reason = match scaling.points.len() {
            0 => "no budget has a complete trial".to_owned(),
            _ => "only one budget has complete trials, so there is nothing to compare".to_owned(),
        };
        return (Outcome::Unknown, format!("Unknown: {reason}."));
    };
    let (better, worse, gap) = largest.better_over_worse();
    let gap = decimals(gap);
    let Some(z) = largest.gain.z() else {
        let missing = if !ladder.measures_auc() {
            format!("no standard error is known for the metric {metric}")
        } else if ladder.rows.is_none() {
            "the numbers of positive and negative validation rows are not known".to_owned()
        } else if ladder.rows.is_some_and(|rows| rows.positives == 0 || rows.negatives == 0) {
            "the validation rows hold one class only".to_owned()
        } else {
            "an AUC of 0 or 1 has no standard error".to_owned()
        };
        let sentence = format!(
            "Unknown: the largest difference ({better} over {worse}, {gap} {metric}) cannot be weighed, because {missing}."
        );
        return (Outcome::Unknown, sentence);
    };
    let decided = |d: &Difference| d.p_holm.is_some_and(|p| p < 1.0 - options.level);
    let inside =
        |d: &Difference| d.gain.interval.is_some_and(|interval| interval.is_within(options.effect()));
    if scaling.differences.iter().all(inside) {
        let sentence = format!(
            "Flat: every difference between budgets is smaller than {} {metric}, the smallest of interest.",
            options.effect()
        );
        return (Outcome::Flat, sentence);
    }
    let harm = scaling.differences.iter().filter(|d| d.gain.point < 0.0 && decided(d));
    if let Some(worst) = harm.min_by(|a, b| a.gain.point.total_cmp(&b.gain.point)) {
        let sentence = format!(
            "Violated: the larger best model of {} is worse than that of {} by {} {metric}{}.",
            worst.larger,
            worst.smaller,
            decimals(-worst.gain.point),
            interval_words(worst)
        );
        return (Outcome::Violated, sentence);
    }
    let ends = scaling.points.first().zip(scaling.points.last());
    let whole = ends.and_then(|(first, last)| {
        scaling.differences.iter().find(|d| d.larger == last.budget && d.smaller == first.budget)
    });
    if let Some(whole) = whole.filter(|d| d.gain.point > 0.0 && decided(d)) {
        let sentence = format!(
            "Holds: {} is better than {} by {} {metric}{}, and no larger model is worse beyond doubt.",
            whole.larger,
            whole.smaller,
            decimals(whole.gain.point),
            interval_words(whole)
        );
        return (Outcome::Holds, sentence);
    }
    if let Some(correlation) = largest.measured_correlation {
        let rows = largest.rows_to_detect.map_or_else(String::new, |rows| {
            format!("; about {} validation rows of the same mix would decide it", about(rows))
        });
        let sentence = format!(
            "Undecided: the largest difference ({better} over {worse}, {gap} {metric}) is {:.2} of its standard error on the same \
             rows, at a measured correlation of {correlation:.2}{rows}.",
            z.abs()
        );
        return (Outcome::Undecided, sentence);
    }
    let sentence = format!(
        "Undecided: the largest difference ({better} over {worse}, {gap} {metric}) is {:.2} of its standard error if the \
         two were independent, and {:.2} at an assumed correlation of {}{}.",
        z.abs(),
        largest.gain_correlated.z().unwrap_or(z).abs(),
        options.correlation,
        what_would_decide(largest)
    );
    (Outcome::Undecided, sentence)
}

fn what_would_decide(largest: &Difference) -> String {
    let told_if_correlated = largest.gain_correlated.interval.is_some_and(|interval| !interval.contains(0.0));
    match (largest.deciding_correlation, largest.rows_to_detect) {
        (Some(correlation), _) if told_if_correlated => format!(
            "; it would be told from 0 at a correlation above {correlation:.2}, which validation scores of both would show"
        ),
        (_, Some(rows)) => {
            format!(
                "; about {} validation rows of the same mix would decide it at that correlation",
                about(rows)
            )
        }
        _ => String::new(),
    }
}

fn interval_words(difference: &Difference) -> String {
    let level = difference.gain.level * 100.0;
    difference.gain.interval.map_or_else(String::new, |interval| {
        let (lower, upper) = (decimals(interval.lower), decimals(interval.upper));
        format!(" ({level:.0}% interval of the gain {lower} to {upper})")
    })
}

/// The winners that are smaller than the winner of the budget before, in one sentence.
pub(crate) fn size_disorder(studies: &[StudyAnalysis]) -> Option<String> {
    let sized: Vec<(&str, u64)> = studies
        .iter()
        .filter_map(|study| Some((study.budget.label.as_str(), study.sizes.best?.total)))
        .collect();
    let parts: Vec<String> = sized
        .windows(2)
        .filter(|pair| pair[1].1 < pair[0].1)
        .map(|pair| {
            let [(before, larger), (label, smaller)] = [pair[0], pair[1]];
            format!(
                "the {} winner has {} weights, fewer than the {} winner ({})",
                quoted(label),
                human_weights(smaller as f64),
                quoted(before),
                human_weights(larger as f64)
            )
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("; ") + ".")
}

fn evidence(difference: &Difference, ladder: &LadderTrials, options: &Options) -> Evidence {
    let Difference { larger, smaller, gain, gain_correlated, .. } = difference;
    let mut parts = vec![format!("{larger} against {smaller}: {} {}", signed(gain.point), ladder.metric)];
    if let Some((z, correlation)) = gain.z().zip(difference.measured_correlation) {
        parts.push(format!("z = {z:.2} on the same rows, at a measured correlation of {correlation:.2}"));
    } else if let (Some(independent), Some(correlated)) = (gain.z(), gain_correlated.z()) {
        let r = options.correlation;
        parts.push(format!("z = {independent:.2} if independent, {correlated:.2} at r = {r} (assumed)"));
    }
    if let Some(rows) = difference.rows_to_detect {
        let power = options.power * 100.0;
        parts.push(format!("{power:.0}% power at that r takes about {} rows", about(rows)));
    }
    Evidence { basis: EvidenceBasis::Difference, statement: parts.join("; ") }
}

/// What the trials of all budgets say over their exact sizes.
fn trend_evidence(trend: &SizeTrend, ladder: &LadderTrials) -> Vec<Evidence> {
    let gain = trend.gain_per_decade;
    let interval = gain.interval.map_or_else(String::new, |interval| {
        let (lower, upper) = (signed(interval.lower), signed(interval.upper));
        format!(" ({:.0}% interval {lower} to {upper}, over new trials on the same rows)", gain.level * 100.0)
    });
    let mut statements = vec![format!(
        "over {} of {} to {} weights ({:.1} decades) the gain per decade is {} {}{interval}: {} by itself",
        counted(trend.evaluations, "distinct evaluation"),
        human_weights(trend.smallest as f64),
        human_weights(trend.largest as f64),
        trend.decades,
        signed(gain.point),
        ladder.metric,
        trend.outcome.as_str().to_lowercase()
    )];
    let at_end =
        |interval: Interval| interval.lower <= EXPONENTS.0 * 1.01 || interval.upper >= EXPONENTS.1 * 0.99;
    statements.push(match &trend.power_law {
        Some(PowerLawFit { exponent, .. }) if exponent.interval.is_some_and(at_end) => format!(
            "the exponent of a saturating power law is not identified: its interval reaches an end of the range searched, {} to {}",
            EXPONENTS.0, EXPONENTS.1
        ),
        Some(PowerLawFit { exponent, .. }) => {
            let interval = exponent.interval.map_or_else(String::new, |interval| {
                format!(" ({:.0}% interval {:.2} to {:.2})", exponent.level * 100.0, interval.lower, interval.upper)
            });
            format!("a saturating power law through them has the exponent {:.2}{interval}", exponent.point)
        }
        None => format!(
            "no exponent: it takes {SIZES_FOR_EXPONENT} sizes over {DECADES_FOR_EXPONENT} decades, and there are {} over {:.2}",
            trend.sizes, trend.decades
        ),
    });
    let basis = EvidenceBasis::Trend;
    statements.into_iter().map(|statement| Evidence { basis, statement }).collect()
}

/// How probable the observed order of the budgets is over new rows.
fn order_evidence(resampled: &RowResamples) -> Option<Evidence> {
    let likeliest = resampled.orders.first()?;
    Some(Evidence {
        basis: EvidenceBasis::Rows,
        statement: format!(
            "over new rows the best trials order as {} with probability {}, the likeliest order",
            likeliest.budgets.join(" > "),
            percent(likeliest.probability)
        ),
    })
}

fn caveats(scaling: &Scaling, studies: &[StudyAnalysis], options: &Options) -> Vec<Caveat> {
    let mut statements = Vec::new();
    if scaling.points.iter().any(|point| point.best.standard_error.is_some()) {
        statements.push(
            "The intervals cover new validation rows of the same mix; not new seeds, not a new search."
                .to_owned(),
        );
        if scaling.differences.iter().any(|difference| difference.measured_correlation.is_none()) {
            statements.push(format!(
                "The correlation of {} between metrics on the same rows is assumed: scores were not compared.",
                options.correlation
            ));
        }
        let adjusted = scaling.differences.len();
        if adjusted > 1 {
            statements.push(format!(
                "Numbers of rows are for one comparison on its own; a verdict adjusts for all {adjusted} (Holm)."
            ));
        }
    }
    if studies.iter().any(|study| study.summary.trials > 1) {
        statements.push(match optimism(scaling) {
            Some(words) => format!("The best of many trials is biased towards better values: {words}."),
            None => "The best of many trials is biased towards better values.".to_owned(),
        });
    }
    if scaling.trend.is_some() {
        statements.push(
            "The gain per decade is that of all trials, good and bad, whatever else differs between small and large models."
                .to_owned(),
        );
    }
    if scaling.order == SizeOrder::Given && scaling.points.len() > 1 {
        statements.push("Exact sizes are not known: budgets are compared in the order given.".to_owned());
    }
    if scaling.order == SizeOrder::Exact && size_disorder(studies).is_some() {
        statements.push("Budgets are compared in the order of exact sizes, not of their labels.".to_owned());
    }
    if scaling.points.iter().any(|point| is_off_label(point, studies)) {
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

fn is_off_label(point: &ScalingPoint, studies: &[StudyAnalysis]) -> bool {
    studies.iter().any(|study| study.budget.label == point.budget && study.sizes.best_is_off_label())
}
