//! Whether one value may be best in every budget, from the tables.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StudyLint;
use super::conclusion::{Conclusion, Standing, Subject};
use super::stated::{StatedConsistency, StatedReport};
use crate::consistency::{Agreement, BestValueSet, NaiveConsistency, agreement};
use crate::coverage::Step;
use crate::number::listed;

/// Parameters that are compared where the report compares none.
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
    /// Whether one value may be best everywhere.
    pub agreement: Agreement,
    /// Values that may be best of every budget.
    pub common: Vec<Step>,
    /// The values that may be best of each budget that has a table.
    pub budgets: Vec<BudgetValues>,
}

/// The values that may be best of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetValues {
    /// The budget.
    pub budget: String,
    /// Its values.
    pub values: BestValueSet,
}

impl ConsistencyLint {
    /// Compares the parameters that the report compares; the usual ones where it compares none.
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
        let word = match stated.word {
            NaiveConsistency::Consistent => "consistent",
            NaiveConsistency::Inconsistent => "inconsistent",
        };
        let values: Vec<String> = stated.values.iter().map(|best| best.value.to_string()).collect();
        let statement = format!("the best {} is {word}: {}", self.parameter, values.join(", "));
        Conclusion::new(line, Subject::Consistency, statement, self.weigh(stated))
    }

    fn weigh(&self, stated: &StatedConsistency) -> (Standing, String) {
        let common: Vec<String> = self.common.iter().map(|step| step.value.to_string()).collect();
        let common_words = format!("{} may be best in every budget", listed(&common));
        match (stated.word, self.agreement) {
            (_, Agreement::Undetermined) => (
                Standing::CannotBeTold,
                "fewer than two budgets have a table of its values, or they tried different ones".into(),
            ),
            (NaiveConsistency::Inconsistent, Agreement::Inconsistent) => {
                (Standing::Stands, "no value may be best in every budget".into())
            }
            (NaiveConsistency::Inconsistent, Agreement::Compatible) => {
                (Standing::DoesNotStand, format!("compatible: {common_words}"))
            }
            (NaiveConsistency::Consistent, Agreement::Inconsistent) => {
                (Standing::DoesNotStand, "no value may be best in every budget".into())
            }
            (NaiveConsistency::Consistent, Agreement::Compatible) => {
                let named = stated.values.first().map(|best| &best.value);
                let is_only = self.budgets.iter().all(|budget| {
                    let possible = &budget.values.possible;
                    possible.len() == 1 && Some(&possible[0].value) == named
                });
                if is_only {
                    (Standing::Stands, "in every budget each other value is told to be worse".into())
                } else {
                    let reason =
                        format!("{common_words}, but others may in single ones: winners also agree by luck");
                    (Standing::DoesNotStand, reason)
                }
            }
        }
    }
}
