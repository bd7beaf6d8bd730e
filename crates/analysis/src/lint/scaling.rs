//! Check of the verdict on scaling.

use allometry_core::Metrics;
use allometry_core::{Direction, SizeBudget};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Knowledge;
use super::conclusion::{Conclusion, Standing};
use super::reason::{BudgetOrder, Claim, LintReason, MeansReason};
use super::size::{Budget, SizeLint};
use super::stated::{StatedReport, StatedVerdict};
use crate::effort::FEWEST;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::{
    BudgetPart, Budgets, Difference, NaiveScaling, Quantity, ScalingPoint, Units, Withheld, judge,
};
use crate::statement::Statement;
use crate::stats::auc;
use crate::summary::metric_estimate;
use crate::verdict::{Conclusion as Concluded, Outcome};

/// The best values over sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingLint {
    /// The report's word.
    pub stated: Option<NaiveScaling>,
    /// The conclusion from the means of the report's trials.
    pub outcome: Outcome,
    /// The conclusion on scaling with its reason, in words.
    pub sentence: Statement<MeansReason>,
    /// Source of the order of the budgets.
    pub order: BudgetOrder,
    /// The observed best of each budget, from the smallest best model to the largest.
    pub points: Vec<ScalingPoint>,
    /// Differences of every pair of budgets, from the means of their trials.
    pub differences: Vec<Difference>,
    /// Sizes, in the report's order.
    pub sizes: Vec<SizeLint>,
}

impl ScalingLint {
    pub(super) fn new(
        report: &StatedReport,
        budgets: &[Budget],
        direction: Direction,
        knowledge: &Knowledge<'_>,
        options: &Options,
    ) -> Self {
        let sizes: Vec<SizeLint> =
            budgets.iter().map(|budget| SizeLint::new(report, budget, knowledge)).collect();
        let ladder = LadderTrials {
            tag: report.tag.clone(),
            metrics: Metrics::one(report.metric.clone(), direction),
            rows: knowledge.rows,
            ..LadderTrials::new(Vec::new())
        };
        let mut sized: Vec<(&SizeLint, &Budget)> = sizes.iter().zip(budgets).collect();
        sized.retain(|(_, budget)| budget.best.is_some());
        let all =
            |known: fn(&SizeLint) -> bool| !sized.is_empty() && sized.iter().all(|(size, _)| known(size));
        let order = if all(|size| size.exact.is_some()) {
            BudgetOrder::ExactSizes
        } else if all(|size| size.blocks.is_some()) {
            BudgetOrder::BlockWeights
        } else {
            BudgetOrder::Given
        };
        match order {
            BudgetOrder::ExactSizes => sized.sort_by_key(|(size, _)| size.exact),
            BudgetOrder::BlockWeights => sized.sort_by_key(|(size, _)| size.blocks),
            BudgetOrder::Given => {}
        }
        let point = |(size, budget): &(&SizeLint, &Budget)| {
            Some(ScalingPoint {
                budget: budget.label.clone(),
                nominal: SizeBudget::nominal(&budget.label).nominal_weights(),
                size: size.exact,
                best: metric_estimate(budget.best?, &ladder, options),
            })
        };
        let points: Vec<ScalingPoint> = sized.iter().filter_map(point).collect();
        let means = sized.iter().map(|(size, budget)| part(report, size, budget, &ladder));
        let judged = match means.collect::<Option<Vec<BudgetPart<'_>>>>() {
            Some(parts) if parts.len() > 1 => Budgets::new(parts)
                .map_err(Withheld::from)
                .and_then(|budgets| judge(&budgets, Quantity::Mean, direction.sign(), Vec::new(), options)),
            Some(parts) => Err(Withheld::TooFewBudgets { budgets: parts.len() as u64 }),
            None => Err(Withheld::TooFewBudgets { budgets: 0 }),
        };
        let (judgement, differences, withheld) = match judged {
            Ok((judgement, differences)) => (Some(judgement), differences, None),
            Err(why) => (None, Vec::new(), Some(why)),
        };
        let Concluded { outcome, answer, covers, .. } =
            Concluded::new(judgement.as_ref(), withheld.as_ref(), &differences, options);
        Self {
            stated: report.verdict.as_ref().map(|verdict| verdict.value.word),
            outcome,
            sentence: Statement::Reason(MeansReason { answer, covers }),
            order,
            points,
            differences,
            sizes,
        }
    }

    pub(super) fn conclusions(&self, report: &StatedReport, options: &Options) -> Vec<Conclusion> {
        let verdict = report.verdict.as_ref().map(|verdict| {
            let StatedVerdict { word, order } = &verdict.value;
            let claim = Claim::Scaling { word: *word, order: order.clone() };
            Conclusion::new(verdict.line, claim, (self.standing(*word, options), self.reason()))
        });
        verdict.into_iter().chain(self.sizes.iter().filter_map(|size| size.conclusion(options))).collect()
    }

    fn standing(&self, word: NaiveScaling, options: &Options) -> Standing {
        let told = |sign: f64| {
            let is_told = |d: &Difference| d.p_holm.is_some_and(|p| p < 1.0 - options.level);
            self.differences.iter().any(|d| d.gain.point * sign > 0.0 && is_told(d))
        };
        match (self.outcome, word) {
            (Outcome::Unknown, _) => Standing::CannotBeTold,
            (Outcome::Holds, NaiveScaling::Holds) | (Outcome::Violated, NaiveScaling::Violated) => {
                Standing::Stands
            }
            (Outcome::Violated, NaiveScaling::Partial) if told(1.0) && told(-1.0) => Standing::Stands,
            _ => Standing::DoesNotStand,
        }
    }

    fn reason(&self) -> LintReason {
        let given: Vec<&str> = self.sizes.iter().map(|size| size.budget.as_str()).collect();
        let sorted: Vec<&str> = self.points.iter().map(|point| point.budget.as_str()).collect();
        let is_in_order = self.order == BudgetOrder::Given || sorted == given || sorted.len() < given.len();
        let order = (!is_in_order)
            .then(|| (self.order, sorted.into_iter().map(ToOwned::to_owned).collect::<Vec<String>>()));
        LintReason::Means { order }
    }
}

/// Returns the mean of a budget's trials, from the number of trials and the standard deviation in the report;
/// the maxima of a report give no evidence about another search. `None` where these figures are missing, or
/// for fewer than ten trials.
fn part<'a>(
    report: &StatedReport,
    size: &SizeLint,
    budget: &Budget,
    ladder: &LadderTrials,
) -> Option<BudgetPart<'a>> {
    let study = report.studies.get(budget.study?)?;
    let trials = study.trials.as_ref()?.value;
    let mean = study.mean.as_ref()?.value?.value;
    let sd = study.sd.as_ref()?.value?.value;
    if trials < FEWEST as u64 || !mean.is_finite() || !sd.is_finite() {
        return None;
    }
    let rows = ladder.rows.filter(|_| ladder.measures_auc());
    Some(BudgetPart {
        weights: size.exact.map(|size| size.total as f64).or(size.blocks.map(|blocks| blocks as f64)),
        value: ladder.direction().sign() * mean,
        units: Some(Units::of_sample(sd * sd, trials)),
        by_counts: rows.and_then(|rows| auc::hanley_mcneil(mean, rows)),
        ..BudgetPart::named(&budget.label)
    })
}
