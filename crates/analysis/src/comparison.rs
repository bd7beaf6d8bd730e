//! Comparison of two ladders, for example of two data sets, two feature tiers, or before and after a change.

mod budget;
mod distribution;
mod finding;
mod importance;
mod optimum;
mod rows;
mod statement;
mod value;

use allometry_core::{ClassCounts, Direction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use budget::{BudgetComparison, ComparedBudget, NoValue};
pub use distribution::{DistributionComparison, ValueDistribution};
pub use finding::{FindingChanges, StayedFinding};
pub use importance::{ComparedImportance, ImportanceComparison, Survival};
pub use optimum::OptimumComparison;
pub use rows::RowRelation;
pub use statement::{
    ComparisonCaveat, ComparisonCaveatReason, Obstacle, ObstacleReason, ObstacleText, Settings, Sides,
    SizesOfBoth, TrialsOfBoth,
};
pub use value::{NotCompared, Preference, ValueDifference};

use crate::analysis::Analysis;
use crate::estimate::{Estimate, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::SizeTrend;
use crate::statement::Statement;
use crate::verdict::{Headline, Outcome};

/// One of the two ladders with its analysis, its source and, where known, its trials.
#[derive(Debug, Clone, Copy)]
pub struct Side<'s> {
    /// The source in a form for people.
    pub source: &'s str,
    /// Its analysis.
    pub analysis: &'s Analysis,
    /// Its trials, with the studies in the order of the analysis; `None` for a report document.
    pub trials: Option<&'s LadderTrials>,
}

/// Summary of one ladder in a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedLadder {
    /// The source of the ladder.
    pub source: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its data set or feature tier.
    pub tag: Option<String>,
    /// Its metric.
    pub metric: String,
    /// Whether larger or smaller values of the metric are better.
    pub direction: Direction,
    /// Classes of its validation rows, where known.
    pub rows: Option<ClassCounts>,
    /// Outcome of its verdict on scaling.
    pub outcome: Outcome,
    /// Its verdict in words.
    pub verdict: Statement<Headline>,
    /// Trend of its metric over exact weights.
    pub trend: Option<SizeTrend>,
}

/// The gain per tenfold weights in B less the gain in A.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GainDifference {
    /// Difference of the two slopes behind the verdicts, with the ladders treated as independent.
    pub difference: Estimate,
    /// The ladder with the larger gain from weights.
    pub outcome: Preference,
}

/// The comparison of two ladders. Differences are B less A.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The first ladder.
    pub a: ComparedLadder,
    /// The second.
    pub b: ComparedLadder,
    /// Settings of A's analysis, which the comparison uses.
    pub options: Options,
    /// Whether all figures of the two analyses are equal, which means that they use the same trials.
    pub identical: bool,
    /// The outcome of all budgets in one sentence.
    pub sentence: Statement<()>,
    /// Whether both ladders have the same validation rows.
    pub rows: RowRelation,
    /// The budgets that both ladders have, matched by label, in A's order.
    pub budgets: Vec<BudgetComparison>,
    /// Labels of budgets that only A has.
    pub only_a: Vec<String>,
    /// Labels of budgets that only B has.
    pub only_b: Vec<String>,
    /// Difference of the gains per decade; `null` where a gain is unknown or the metrics differ.
    pub gain_per_decade: Option<GainDifference>,
    /// Findings that appeared, disappeared or stayed.
    pub findings: FindingChanges,
    /// The parts that could not be compared.
    pub obstacles: Vec<Obstacle>,
    /// The limits of the comparison.
    pub caveats: Vec<ComparisonCaveat>,
}

impl Comparison {
    /// Compares two ladders. It never fails: parts that cannot be compared are absent and listed as
    /// obstacles.
    pub fn new(a: &Side<'_>, b: &Side<'_>) -> Self {
        let options = a.analysis.options;
        let identical = are_identical(a.analysis, b.analysis);
        let rows = if identical { RowRelation::Same } else { RowRelation::new(a, b) };
        let (matched, only_a, only_b) = matched(a.analysis, b.analysis);
        let budgets = BudgetComparison::all(a, b, &matched, identical, &options);
        let mut comparison = Self {
            a: ComparedLadder::new(a),
            b: ComparedLadder::new(b),
            identical,
            sentence: Statement::Reason(()),
            rows,
            budgets,
            only_a,
            only_b,
            gain_per_decade: gain_difference(a.analysis, b.analysis, identical, &options),
            findings: FindingChanges::new(&a.analysis.findings, &b.analysis.findings),
            obstacles: statement::obstacles(a, b),
            caveats: Vec::new(),
            options,
        };
        comparison.caveats = statement::caveats(&comparison, &b.analysis.options);
        comparison
    }
}

impl ComparedLadder {
    fn new(side: &Side<'_>) -> Self {
        let analysis = side.analysis;
        Self {
            source: side.source.to_owned(),
            name: analysis.name.clone(),
            tag: analysis.tag.clone(),
            metric: analysis.metric.clone(),
            direction: analysis.direction,
            rows: analysis.rows,
            outcome: analysis.verdict.outcome,
            verdict: analysis.verdict.sentence.clone(),
            trend: analysis.scaling.trend,
        }
    }
}

/// Whether two analyses have equal figures. The source of their trials and the form of their statements (data
/// or text) are ignored.
fn are_identical(a: &Analysis, b: &Analysis) -> bool {
    let figures = |analysis: &Analysis| {
        let mut analysis = analysis.clone();
        analysis.studies.iter_mut().for_each(|study| study.source.clear());
        analysis.clear_statements();
        analysis
    };
    figures(a) == figures(b)
}

/// Whether both use the same metric and direction.
fn measure_alike(a: &Analysis, b: &Analysis) -> bool {
    let letters = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    a.direction == b.direction && letters(&a.metric) == letters(&b.metric)
}

/// Returns the positions in both of studies with equal labels, and the labels without a match. Several
/// studies with one label are matched in their order.
fn matched(a: &Analysis, b: &Analysis) -> (Vec<(usize, usize)>, Vec<String>, Vec<String>) {
    let label = |analysis: &Analysis, position: usize| analysis.studies[position].budget.label.clone();
    let mut left: Vec<usize> = (0..b.studies.len()).collect();
    let (mut pairs, mut only_a) = (Vec::new(), Vec::new());
    for first in 0..a.studies.len() {
        match left.iter().position(|&second| label(b, second) == label(a, first)) {
            Some(place) => pairs.push((first, left.remove(place))),
            None => only_a.push(label(a, first)),
        }
    }
    (pairs, only_a, left.into_iter().map(|second| label(b, second)).collect())
}

/// Returns the difference of the two verdicts' slopes, with the ladders treated as independent: the
/// half-width of its interval is the root of the sum of the squared half-widths.
fn gain_difference(a: &Analysis, b: &Analysis, identical: bool, options: &Options) -> Option<GainDifference> {
    let slope = |analysis: &Analysis| {
        let judgement = analysis.scaling.judgement.as_ref().filter(|judgement| judgement.is_per_decade)?;
        Some(judgement.slope)
    };
    let (first, second) = slope(a).zip(slope(b)).filter(|_| measure_alike(a, b))?;
    let point = second.point - first.point;
    let half = |estimate: Estimate| estimate.interval.map(|i| (i.upper - i.lower) / 2.0);
    let errors = first.standard_error.zip(second.standard_error);
    let difference = match errors.zip(half(first).zip(half(second))) {
        _ if identical => Estimate::normal(0.0, 0.0, Method::Identical, options),
        Some(((a, b), (half_a, half_b))) => {
            let half = half_a.hypot(half_b);
            let interval = Some((point - half, point + half).into());
            Estimate { interval, ..Estimate::normal(point, a.hypot(b), Method::IndependentTrials, options) }
        }
        None => Estimate::observed(point, options),
    };
    let outcome = match difference.interval {
        None => Preference::Unknown,
        Some(interval) if interval.is_within(options.effect()) => Preference::Equivalent,
        Some(interval) if interval.lower > 0.0 => Preference::B,
        Some(interval) if interval.upper < 0.0 => Preference::A,
        Some(_) => Preference::Undecided,
    };
    Some(GainDifference { difference, outcome })
}
