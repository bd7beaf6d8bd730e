//! Problems with the data that change the meaning of figures, with stable codes.

mod ladder;
mod problem;
mod study;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use problem::{BudgetProblem, BudgetTrials, Problem, RecordedParameter, RowsNeeded, UnknownSizes};

use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::Scaling;
use crate::statement::Statement;
use crate::study::StudyAnalysis;
use crate::verdict::Verdict;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// A figure may mislead.
    Warning,
    /// A figure does not exist or means something else.
    Error,
}

impl Severity {
    /// All severities, from the mildest to the worst.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// Returns the name of the severity in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The kind of a problem. Codes never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// A budget has no usable trial.
    NoTrials,
    /// A budget has few trials.
    FewTrials,
    /// Many trials failed.
    FailedTrials,
    /// Complete trials have no finite value.
    NonFiniteValues,
    /// Budgets have very different numbers of trials.
    UnequalEffort,
    /// Budgets were searched in different ways, some adaptively.
    SearchedDifferently,
    /// There is one budget.
    SingleBudget,
    /// The recorded best configuration is not that of the best trial.
    BestParamsMismatch,
    /// Exact sizes of models are not known.
    MissingSizes,
    /// No architecture of the space has the weights that the budget names.
    BudgetOutOfReach,
    /// The best model's weights are not those that the budget names.
    NominalNotSize,
    /// The best model of a larger budget has fewer weights than that of a smaller one.
    SizesOutOfOrder,
    /// Best values lie at an end of their range towards which the metric improves.
    EdgeOfSpace,
    /// The best learning rate lies at an end of its range towards which the metric improves.
    LearningRateEdge,
    /// Parameters were tried at one value only.
    SingleLevel,
    /// Configurations were tried more than once.
    Duplicates,
    /// Nothing was recorded about predictions.
    CollapseUnknown,
    /// Models give every row nearly the same prediction.
    CollapsedTrials,
    /// The classes of the validation rows are not known.
    RowsUnknown,
    /// The scores of the best trials on the validation rows were not stored.
    MissingScores,
    /// The validation rows are too few to distinguish the budgets.
    TooFewRows,
    /// A simple baseline is better than every trial.
    BehindBaseline,
    /// Two parameters were not varied independently.
    ConfoundedParameters,
    /// There are too few sizes for an exponent.
    TooFewSizes,
    /// A model of earlier trials chose later ones.
    AdaptiveSampling,
    /// Trials have several objectives, of which the first is analysed.
    SeveralObjectives,
    /// Complete trials break a constraint.
    InfeasibleTrials,
    /// All usable trials have the same value.
    EqualValues,
    /// Most trials are best at their last epoch.
    StillImproving,
    /// Trials of a budget were trained on different amounts of data.
    MixedData,
}

impl FindingCode {
    /// Every code, in the order of their definition.
    pub const ALL: [Self; 30] = [
        Self::NoTrials,
        Self::FewTrials,
        Self::FailedTrials,
        Self::NonFiniteValues,
        Self::UnequalEffort,
        Self::SearchedDifferently,
        Self::SingleBudget,
        Self::BestParamsMismatch,
        Self::MissingSizes,
        Self::BudgetOutOfReach,
        Self::NominalNotSize,
        Self::SizesOutOfOrder,
        Self::EdgeOfSpace,
        Self::LearningRateEdge,
        Self::SingleLevel,
        Self::Duplicates,
        Self::CollapseUnknown,
        Self::CollapsedTrials,
        Self::RowsUnknown,
        Self::MissingScores,
        Self::TooFewRows,
        Self::BehindBaseline,
        Self::ConfoundedParameters,
        Self::TooFewSizes,
        Self::AdaptiveSampling,
        Self::SeveralObjectives,
        Self::InfeasibleTrials,
        Self::EqualValues,
        Self::StillImproving,
        Self::MixedData,
    ];

    /// Returns the severity of findings with this code.
    pub fn severity(self) -> Severity {
        match self {
            Self::NoTrials => Severity::Error,
            Self::FewTrials
            | Self::FailedTrials
            | Self::NonFiniteValues
            | Self::UnequalEffort
            | Self::SearchedDifferently
            | Self::BestParamsMismatch
            | Self::BudgetOutOfReach
            | Self::NominalNotSize
            | Self::SizesOutOfOrder
            | Self::EdgeOfSpace
            | Self::LearningRateEdge
            | Self::CollapsedTrials
            | Self::TooFewRows
            | Self::BehindBaseline
            | Self::ConfoundedParameters
            | Self::EqualValues
            | Self::MixedData => Severity::Warning,
            Self::SingleBudget
            | Self::MissingSizes
            | Self::SingleLevel
            | Self::Duplicates
            | Self::CollapseUnknown
            | Self::RowsUnknown
            | Self::MissingScores
            | Self::TooFewSizes
            | Self::AdaptiveSampling
            | Self::SeveralObjectives
            | Self::InfeasibleTrials
            | Self::StillImproving => Severity::Info,
        }
    }
}

/// Writes the code in its text form: `behind-baseline`.
impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A problem with the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The code.
    pub code: FindingCode,
    /// The severity.
    pub severity: Severity,
    /// Label of the affected budget; `null` for the ladder.
    pub budget: Option<String>,
    /// The problem as data, or in words.
    #[serde(flatten)]
    pub problem: Statement<Problem, FindingText>,
}

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FindingText {
    /// The problem with its numbers.
    pub message: String,
    /// Advice on the problem.
    pub advice: String,
}

impl Finding {
    fn new(budget: Option<&str>, problem: Problem) -> Self {
        let (code, budget) = (problem.code(), budget.map(ToOwned::to_owned));
        Self { code, severity: code.severity(), budget, problem: Statement::Reason(problem) }
    }
}

/// Returns all findings, the worst first and those with one code together; findings on the ladder come before
/// those on its budgets.
pub fn findings(
    ladder: &LadderTrials,
    studies: &[StudyAnalysis],
    scaling: &Scaling,
    baselines: &[crate::baseline::BaselineComparison],
    verdict: &Verdict,
    options: &Options,
) -> Vec<Finding> {
    let mut findings = ladder::findings(ladder, studies, scaling, baselines, verdict, options);
    for study in studies {
        study::findings(&mut findings, study, ladder.measures_auc(), options);
    }
    let mut order: Vec<FindingCode> = Vec::new();
    for finding in &findings {
        if !order.contains(&finding.code) {
            order.push(finding.code);
        }
    }
    let first = |code| order.iter().position(|known| *known == code);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), first(finding.code)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the codes in the schema, which lists those of the definition: the test fails for a code that
    /// is missing from the list of all codes.
    fn variants<T: JsonSchema>() -> Vec<String> {
        let schema = schemars::schema_for!(T);
        let listed = schema.get("oneOf").and_then(serde_json::Value::as_array).expect("an enum of words");
        listed.iter().map(|one| one["const"].as_str().expect("a word").to_owned()).collect()
    }

    #[test]
    fn every_code_and_severity_is_listed() {
        assert_eq!(FindingCode::ALL.map(|code| code.to_string()).to_vec(), variants::<FindingCode>());
        assert_eq!(
            Severity::ALL.map(|severity| severity.as_str().to_owned()).to_vec(),
            variants::<Severity>()
        );
    }
}
