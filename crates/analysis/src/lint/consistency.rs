//! Check, from the tables, whether one value may be best in every budget.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StudyLint;
use super::conclusion::{Conclusion, Standing};
use super::reason::{Claim, ConsistencyReason, LintReason};
use super::stated::{StatedConsistency, StatedReport};
use crate::consistency::{Agreement, BestValueSet, NaiveConsistency, agreement};
use crate::coverage::Step;

/// Parameters that are compared by default, where the report compares none.
const COMPARED: [&str; 3] = ["dropout", "learning_rate", "weight_decay"];

/// One parameter's possible best values across budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsistencyLint {
    /// The parameter.
    pub parameter: String,
    /// The report's line, where it has one.
    pub line: Option<u64>,
    /// The report's word.
    pub stated: Option<NaiveConsistency>,
    /// Whether one value may be the best in every budget.
    pub agreement: Agreement,
    /// Values that may be the best in every budget.
    pub common: Vec<Step>,
    /// The possible best values of each budget that has a table.
    pub budgets: Vec<BudgetValues>,
}

/// The possible best values of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetValues {
    /// The budget.
    pub budget: String,
    /// Its values.
    pub values: BestValueSet,
}

impl ConsistencyLint {
    /// Compares the parameters that the report compares; the default ones where it compares none.
    pub(super) fn all(report: &StatedReport, studies: &[StudyLint]) -> Vec<Self> {
        let stated = report.consistency.iter().map(|one| (one.value.parameter.as_str(), Some(one)));
        let mut names: Vec<(&str, Option<_>)> = stated.collect();
        if names.is_empty() {
            names = COMPARED.iter().map(|name| (*name, None)).collect();
        }
        names
            .into_iter()
            .map(|(parameter, stated)| {
                let budgets: Vec<BudgetValues> = studies
                    .iter()
                    .filter_map(|study| {
                        let trend = study.trends.iter().find(|trend| trend.parameter == parameter)?;
                        Some(BudgetValues { budget: study.budget.clone(), values: trend.best_values.clone() })
                    })
                    .collect();
                let sets: Vec<&BestValueSet> = budgets.iter().map(|budget| &budget.values).collect();
                let (agreement, common) = agreement(&sets);
                Self {
                    parameter: parameter.to_owned(),
                    line: stated.map(|one| one.line),
                    stated: stated.map(|one| one.value.word),
                    agreement,
                    common,
                    budgets,
                }
            })
            .filter(|one| one.stated.is_some() || one.budgets.len() > 1)
            .collect()
    }

    pub(super) fn conclusion(&self, line: u64, stated: &StatedConsistency) -> Conclusion {
        let claim = Claim::Consistency {
            parameter: self.parameter.clone(),
            word: stated.word,
            values: stated.values.iter().map(|best| best.value.clone()).collect(),
        };
        let (standing, reason) = self.weigh(stated);
        Conclusion::new(line, claim, (standing, LintReason::Consistency(reason)))
    }

    fn weigh(&self, stated: &StatedConsistency) -> (Standing, ConsistencyReason) {
        let common = || self.common.iter().map(|step| step.value.clone()).collect();
        match (stated.word, self.agreement) {
            (_, Agreement::Undetermined) => (Standing::CannotBeTold, ConsistencyReason::NotComparable),
            (NaiveConsistency::Inconsistent, Agreement::Inconsistent) => {
                (Standing::Stands, ConsistencyReason::NoCommonValue)
            }
            (NaiveConsistency::Inconsistent, Agreement::Compatible) => {
                (Standing::DoesNotStand, ConsistencyReason::Compatible(common()))
            }
            (NaiveConsistency::Consistent, Agreement::Inconsistent) => {
                (Standing::DoesNotStand, ConsistencyReason::NoCommonValue)
            }
            (NaiveConsistency::Consistent, Agreement::Compatible) => {
                let named = stated.values.first().map(|best| &best.value);
                let is_only = self.budgets.iter().all(|budget| {
                    let possible = &budget.values.possible;
                    possible.len() == 1 && Some(&possible[0].value) == named
                });
                if is_only {
                    (Standing::Stands, ConsistencyReason::OnlyValue)
                } else {
                    (Standing::DoesNotStand, ConsistencyReason::OthersPossible(common()))
                }
            }
        }
    }
}
