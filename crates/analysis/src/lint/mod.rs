//! Checks the conclusions of a classic report with its own tables alone.
//!
//! [`lint`] takes the content of a report ([`stated::StatedReport`]) and returns a [`Lint`]: the report's
//! contradictions, a judgement on each of its conclusions, and the statistics that its tables allow.

mod arithmetic;
mod code;
mod collapse;
pub mod conclusion;
mod consistency;
mod edge;
mod groups;
mod importance;
mod mismatch;
mod reason;
mod rounding;
mod scaling;
mod size;
pub mod stated;
mod subject;
mod trend;

use allometry_core::{ClassCounts, Direction, ModelSize, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use arithmetic::{Contradiction, Note};
pub use code::LintCode;
pub use conclusion::{Conclusion, Standing, Subject};
pub use consistency::{BudgetValues, ConsistencyLint};
pub use importance::{ImportanceLint, OneWayLint};
pub use mismatch::{
    CoverageMismatch, Extreme, Implied, ImportanceMismatch, LadderMismatch, Mismatch, Place, SummaryFigure,
    SummaryMismatch, TableSide, TrendMismatch,
};
pub use reason::{
    BestValueReason, BudgetOrder, Claim, CollapseReason, ConsistencyReason, Ends, ImportanceReason,
    LintReason, MeansReason, NoteReason, OneWayTest, SizeReason, TrendReason, TrendSlope, TrendTest,
};
pub use scaling::ScalingLint;
pub use size::SizeLint;
pub use trend::{BestLint, ChangeLint, ContrastLint, TrendLint};

use crate::coverage::{Coverage, Step};
use crate::edge::Edge;
use crate::options::Options;
use size::Budget;
use stated::{StatedReport, StatedStudy};

/// Returns the exact size of a configuration's model; `None` for an incomplete architecture.
pub type CountWeights<'k> = &'k dyn Fn(&Params) -> Option<ModelSize>;

/// Facts that are known in addition to the report.
#[derive(Clone, Copy, Default)]
pub struct Knowledge<'k> {
    /// Classes of the validation rows.
    pub rows: Option<ClassCounts>,
    /// Function that counts the weights of a configuration's model.
    pub size: Option<CountWeights<'k>>,
}

/// A report's conclusions and tables, checked with its own numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lint {
    /// The metric.
    pub metric: String,
    /// Names the data set or feature tier.
    pub tag: Option<String>,
    /// Direction of the metric, as far as the report shows it.
    pub direction: Direction,
    /// Classes of the validation rows, where given.
    pub rows: Option<ClassCounts>,
    /// Probability with which intervals cover; tests are at `1 - level`.
    pub level: f64,
    /// Correlation assumed between the metrics of two models on the same rows.
    pub correlation: f64,
    /// Places where the report contradicts itself.
    pub contradictions: Vec<Contradiction>,
    /// Other remarks for a reader.
    pub notes: Vec<Note>,
    /// The report's conclusions in the order of its lines.
    pub conclusions: Vec<Conclusion>,
    /// The best values over sizes.
    pub scaling: ScalingLint,
    /// Best values across budgets.
    pub consistency: Vec<ConsistencyLint>,
    /// Results for each budget that has its own part in the report.
    pub studies: Vec<StudyLint>,
}

/// The statistics that one budget's tables allow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyLint {
    /// The budget.
    pub budget: String,
    /// Line of its title.
    pub line: u64,
    /// Number of trials.
    pub trials: Option<u64>,
    /// Importances.
    pub importance: ImportanceLint,
    /// Trends.
    pub trends: Vec<TrendLint>,
    /// Coverage of pairs of parameters.
    pub coverage: Vec<Coverage>,
    /// Best values at an end of the tried values.
    pub edges: Vec<Edge>,
}

/// Checks a report with its own numbers and with `knowledge`. It never fails: results that cannot be computed
/// are absent, with a note.
pub fn lint(report: &StatedReport, knowledge: &Knowledge<'_>, options: &Options) -> Lint {
    let direction = arithmetic::direction(report);
    let checks = arithmetic::check(report, direction);
    let budgets = size::budgets(report);
    let mut studies: Vec<StudyLint> = report
        .studies
        .iter()
        .enumerate()
        .map(|(position, study)| StudyLint::new(study, budget_of(&budgets, position), direction, options))
        .collect();
    trend::adjust(studies.iter_mut().flat_map(|study| &mut study.trends));
    for study in &mut studies {
        edge::weigh(&mut study.edges, &study.trends, direction);
    }
    let scaling = ScalingLint::new(report, &budgets, direction, knowledge, options);
    let consistency = ConsistencyLint::all(report, &studies);
    let mut conclusions = scaling.conclusions(report, options);
    for (stated, one) in report.consistency.iter().zip(&consistency) {
        conclusions.push(one.conclusion(stated.line, &stated.value));
    }
    conclusions.extend(collapse::conclusions(report, knowledge));
    for (position, (stated, study)) in report.studies.iter().zip(&studies).enumerate() {
        let best = budget_of(&budgets, position);
        conclusions.extend(best.and_then(|budget| edge::conclusion(report, budget, &study.edges, options)));
        conclusions.extend(study.importance.conclusions(stated, options));
        conclusions.extend(study.trends.iter().flat_map(|trend| trend.conclusions(stated, options)));
    }
    conclusions.sort_by_key(|conclusion| conclusion.line);
    let held = |conclusion: Conclusion| conclusion.held_against(&checks.contradictions);
    Lint {
        metric: report.metric.clone(),
        tag: report.tag.clone(),
        direction,
        rows: knowledge.rows,
        level: options.level,
        correlation: options.correlation,
        conclusions: conclusions.into_iter().map(held).collect(),
        contradictions: checks.contradictions,
        notes: checks.notes,
        scaling,
        consistency,
        studies,
    }
}

fn budget_of(budgets: &[Budget], study: usize) -> Option<&Budget> {
    budgets.iter().find(|budget| budget.study == Some(study))
}

impl StudyLint {
    fn new(study: &StatedStudy, budget: Option<&Budget>, direction: Direction, options: &Options) -> Self {
        let tables = study.trends.iter().filter(|trend| !trend.levels.is_empty());
        Self {
            budget: study.label.clone(),
            line: study.line,
            trials: study.trials.as_ref().map(|trials| trials.value),
            importance: ImportanceLint::new(study),
            trends: tables.map(|trend| trend::TrendLint::new(trend, direction, options)).collect(),
            coverage: study.coverage.iter().filter_map(coverage).collect(),
            edges: budget.map_or_else(Vec::new, |budget| edge::edges(study, budget)),
        }
    }
}

/// Returns the coverage that a table of counts shows.
fn coverage(stated: &stated::StatedCoverage) -> Option<Coverage> {
    let rows: Vec<Step> = stated.rows.iter().map(|row| groups::step(&row.value.0)).collect();
    let columns: Vec<Step> = stated.columns.iter().map(groups::step).collect();
    let counts: Vec<Vec<u64>> = stated.rows.iter().map(|row| row.value.1.clone()).collect();
    (!rows.is_empty() && !columns.is_empty()).then(|| {
        Coverage::of_counts((&stated.row_parameter, rows), (&stated.column_parameter, columns), counts)
    })
}

impl Lint {
    /// Returns the number of conclusions with a standing.
    pub fn count(&self, standing: Standing) -> usize {
        self.conclusions.iter().filter(|conclusion| conclusion.standing == standing).count()
    }

    /// Returns the number of conclusions on a subject with a standing.
    pub fn count_of(&self, subject: Subject, standing: Standing) -> usize {
        let of = |conclusion: &&Conclusion| conclusion.subject == subject && conclusion.standing == standing;
        self.conclusions.iter().filter(of).count()
    }
}
