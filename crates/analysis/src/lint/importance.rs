//! Check of importances, from the tables by value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conclusion::{Conclusion, Standing};
use super::groups::summaries;
use super::reason::{Claim, ImportanceReason, LintReason, OneWayTest};
use super::stated::{Stated, StatedImportance, StatedStudy};
use crate::options::Options;
use crate::stats::distribution::f_upper_tail;
use crate::stats::holm;
use crate::stats::one_way::OneWay;

/// The importances of a budget as printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceLint {
    /// Sum of the figures; `null` without figures.
    pub sum: Option<f64>,
    /// Number of tested parameters: the family of Holm's adjustment.
    pub tested: u64,
    /// The figures, in the order of the report.
    pub parameters: Vec<OneWayLint>,
}

/// The one-way analysis of variance of one parameter, from its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OneWayLint {
    /// The parameter.
    pub parameter: String,
    /// The report's line.
    pub line: u64,
    /// The report's figure.
    pub stated: f64,
    /// Number of values in its table; `null` without a table.
    pub values: Option<u64>,
    /// The report's figure recomputed from the table, before rounding.
    pub recomputed: Option<f64>,
    /// Expected figure without any effect: `(values - 1) / trials`.
    pub by_chance: Option<f64>,
    /// F.
    pub f: Option<f64>,
    /// Degrees of freedom between and within values.
    pub freedom: Option<(u64, u64)>,
    /// Its p-value.
    pub p: Option<f64>,
    /// The p-value after Holm's adjustment over the parameters of the budget that have tables.
    pub p_holm: Option<f64>,
    /// Share of the variance corrected for chance (Kelley 1935).
    pub epsilon_squared: Option<f64>,
    /// Share of the variance by Hays' correction.
    pub omega_squared: Option<f64>,
}

impl ImportanceLint {
    pub(super) fn new(study: &StatedStudy) -> Self {
        let mut parameters: Vec<OneWayLint> =
            study.importance.iter().map(|stated| OneWayLint::new(study, stated)).collect();
        let tested: Vec<&mut OneWayLint> = parameters.iter_mut().filter(|one| one.p.is_some()).collect();
        let p_values: Vec<f64> = tested.iter().filter_map(|one| one.p).collect();
        for (one, p) in tested.into_iter().zip(holm::adjust(&p_values)) {
            one.p_holm = Some(p);
        }
        let sum = (!parameters.is_empty()).then(|| parameters.iter().map(|one| one.stated).sum());
        Self { sum, tested: p_values.len() as u64, parameters }
    }

    pub(super) fn conclusions(&self, study: &StatedStudy, options: &Options) -> Vec<Conclusion> {
        let shares = self.sum.map(|sum| self.shares(study, sum));
        let parameters = self.parameters.iter().map(|one| one.conclusion(study, options));
        shares.into_iter().chain(parameters).collect()
    }

    fn shares(&self, study: &StatedStudy, sum: f64) -> Conclusion {
        let rounding: f64 = study.importance.iter().map(|stated| stated.value.share.half_unit).sum();
        let is_more_than_whole = sum - rounding > 1.0;
        let standing = if is_more_than_whole { Standing::DoesNotStand } else { Standing::CannotBeTold };
        let line = study.fraction.unwrap_or(self.parameters[0].line);
        let claim = Claim::Shares { parameters: self.parameters.len() as u64 };
        let why = (standing, LintReason::Shares { sum, is_more_than_whole });
        Conclusion::new(line, claim, why).of(&study.label)
    }
}

impl OneWayLint {
    fn new(study: &StatedStudy, stated: &Stated<StatedImportance>) -> Self {
        let StatedImportance { parameter, share, .. } = &stated.value;
        let levels = study.trend(parameter).map(|trend| trend.levels.as_slice()).filter(|l| !l.is_empty());
        let groups = levels.map(summaries);
        let one_way = groups.as_deref().map(OneWay::of_summaries);
        let trials = study.trials.as_ref().map_or(0, |trials| trials.value);
        // The report divides by the sum of squares of all trials, which is the table's if it contains all
        // trials.
        let is_whole = one_way.is_some_and(|one_way| one_way.count as u64 == trials);
        let count = trials as f64;
        let naive = |one_way: &OneWay| one_way.between / one_way.total * (count - 1.0) / count;
        Self {
            parameter: parameter.clone(),
            line: stated.line,
            stated: share.value,
            values: levels.map(|levels| levels.len() as u64),
            recomputed: one_way.as_ref().filter(|_| is_whole).map(naive).filter(|share| share.is_finite()),
            by_chance: levels.filter(|_| trials > 0).map(|levels| (levels.len() as f64 - 1.0) / count),
            f: one_way.and_then(|one_way| one_way.f()).filter(|f| f.is_finite()),
            freedom: one_way
                .filter(|one_way| one_way.f().is_some())
                .map(|one_way| ((one_way.groups - 1) as u64, (one_way.count - one_way.groups) as u64)),
            p: one_way.and_then(|one_way| one_way.p()),
            p_holm: None,
            epsilon_squared: one_way.and_then(|one_way| one_way.epsilon_squared()),
            omega_squared: one_way.and_then(|one_way| one_way.omega_squared()),
        }
    }

    /// Whether the effect of the parameter is significant after adjustment.
    pub fn survives(&self, options: &Options) -> Option<bool> {
        self.p_holm.map(|p| p < 1.0 - options.level)
    }

    fn conclusion(&self, study: &StatedStudy, options: &Options) -> Conclusion {
        let claim = Claim::Importance { parameter: self.parameter.clone(), share: self.stated };
        let test = self.p_holm.map(|p_holm| OneWayTest {
            freedom: self.freedom.unwrap_or_default(),
            f: self.f,
            p_holm,
        });
        let (standing, reason) = match test.zip(self.survives(options)) {
            Some((test, true)) => {
                let corrected = self.epsilon_squared.unwrap_or(self.stated);
                (Standing::Stands, ImportanceReason::Effect { test, corrected })
            }
            Some((test, false)) => {
                let by_chance = self.by_chance.unwrap_or_default();
                (Standing::DoesNotStand, ImportanceReason::Chance { test, by_chance })
            }
            None => self.without_test(study, options),
        };
        Conclusion::new(self.line, claim, (standing, LintReason::Importance(reason))).of(&study.label)
    }

    /// Judges an importance without a test. Without a table the number of values is unknown; the test then
    /// uses two values, the number with the smallest p-value.
    fn without_test(&self, study: &StatedStudy, options: &Options) -> (Standing, ImportanceReason) {
        if let Some(values) = self.values {
            let reason = if values == 1 { ImportanceReason::OneValue } else { ImportanceReason::NoTest };
            return (Standing::CannotBeTold, reason);
        }
        let trials = study.trials.as_ref().map_or(0, |trials| trials.value) as f64;
        let share = self.stated * trials / (trials - 1.0);
        let f = share / (1.0 - share) * (trials - 2.0);
        match f_upper_tail(f, 1.0, trials - 2.0).filter(|_| trials > 2.0 && share < 1.0) {
            Some(p) if p >= 1.0 - options.level => {
                (Standing::DoesNotStand, ImportanceReason::NoTableAndChance { p })
            }
            Some(p) => (Standing::CannotBeTold, ImportanceReason::NoTablePossible { p }),
            None => (Standing::CannotBeTold, ImportanceReason::NoTable),
        }
    }
}
