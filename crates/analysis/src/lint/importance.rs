//! Importances from the tables by value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conclusion::{Conclusion, Standing, Subject};
use super::groups::summaries;
use super::stated::{Stated, StatedImportance, StatedStudy};
use crate::number::{counted, p_value};
use crate::options::Options;
use crate::stats::distribution::f_upper_tail;
use crate::stats::holm;
use crate::stats::one_way::OneWay;

/// The importances of a budget as they are printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceLint {
    /// Sum of the figures; `null` without any.
    pub sum: Option<f64>,
    /// Parameters that were tested: the family of Holm's adjustment.
    pub tested: u64,
    /// The figures, in the order of the report.
    pub parameters: Vec<OneWayLint>,
}

/// One parameter's importance from its table: the one-way analysis of variance, one parameter at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OneWayLint {
    /// The parameter.
    pub parameter: String,
    /// The report's line.
    pub line: u64,
    /// The report's figure.
    pub stated: f64,
    /// Values in its table; `null` where it has none.
    pub values: Option<u64>,
    /// The report's figure recomputed from the table, before rounding.
    pub recomputed: Option<f64>,
    /// What that figure is expected to be without any effect: `(values - 1) / trials`.
    pub by_chance: Option<f64>,
    /// F.
    pub f: Option<f64>,
    /// Degrees of freedom between and within values.
    pub freedom: Option<(u64, u64)>,
    /// Its p-value.
    pub p: Option<f64>,
    /// The same after Holm's adjustment over the parameters of the budget that have tables.
    pub p_holm: Option<f64>,
    /// Share of the variance corrected for chance (Kelley 1935).
    pub epsilon_squared: Option<f64>,
    /// The same by Hays' correction.
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
        let why = if sum - rounding > 1.0 {
            let reason = format!(
                "they add up to {sum:.3}: more than the whole. Each looks at one parameter alone and counts what others share \
                 with it"
            );
            (Standing::DoesNotStand, reason)
        } else {
            let reason = format!(
                "they add up to {sum:.3}, not to a model's share: each looks at one parameter alone. Effects adjusted for the \
                 others, and shares that add up, need the trials"
            );
            (Standing::CannotBeTold, reason)
        };
        let line = study.fraction.unwrap_or(self.parameters[0].line);
        let statement = format!(
            "{} explain fractions of the variance",
            counted(self.parameters.len() as u64, "parameter")
        );
        Conclusion::new(line, Subject::Shares, statement, why).of(&study.label)
    }
}

impl OneWayLint {
    fn new(study: &StatedStudy, stated: &Stated<StatedImportance>) -> Self {
        let StatedImportance { parameter, share, .. } = &stated.value;
        let levels = study.trend(parameter).map(|trend| trend.levels.as_slice()).filter(|l| !l.is_empty());
        let groups = levels.map(summaries);
        let one_way = groups.as_deref().map(OneWay::of_summaries);
        let trials = study.trials.as_ref().map_or(0, |trials| trials.value);
        // Of the whole sum of squares the report divides by: that of all trials, where all are in the table.
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

    /// Whether the parameter's values differ beyond chance.
    pub fn survives(&self, options: &Options) -> Option<bool> {
        self.p_holm.map(|p| p < 1.0 - options.level)
    }

    fn conclusion(&self, study: &StatedStudy, options: &Options) -> Conclusion {
        let statement = format!("{} explains {:.4} of the variance", self.parameter, self.stated);
        let test = || {
            let (between, within) = self.freedom.unwrap_or_default();
            let f = self.f.map_or_else(|| "infinite".into(), |f| format!("{f:.1}"));
            format!(
                "F({between}, {within}) = {f}, p (Holm) {}",
                self.p_holm.map_or_else(String::new, p_value)
            )
        };
        let why = match self.survives(options) {
            Some(true) => {
                let corrected = self.epsilon_squared.unwrap_or(self.stated);
                let reason = format!(
                    "as an effect on its own: {}; corrected for chance the share is {corrected:.3}. Not adjusted for other \
                     parameters",
                    test()
                );
                (Standing::Stands, reason)
            }
            Some(false) => {
                let chance = self.by_chance.unwrap_or_default();
                (
                    Standing::DoesNotStand,
                    format!("not told from chance: {}; {chance:.3} is expected without any effect", test()),
                )
            }
            None => self.without_test(study, options),
        };
        Conclusion::new(self.line, Subject::Importance, statement, why).of(&study.label)
    }

    /// Without a table the number of values is unknown. Of all numbers two values make the figure most telling.
    fn without_test(&self, study: &StatedStudy, options: &Options) -> (Standing, String) {
        if self.values == Some(1) {
            return (Standing::CannotBeTold, "it was tried at one value only".into());
        }
        if self.values.is_some() {
            return (Standing::CannotBeTold, "no value of it has enough trials, or nothing varies".into());
        }
        let trials = study.trials.as_ref().map_or(0, |trials| trials.value) as f64;
        let share = self.stated * trials / (trials - 1.0);
        let f = share / (1.0 - share) * (trials - 2.0);
        match f_upper_tail(f, 1.0, trials - 2.0).filter(|_| trials > 2.0 && share < 1.0) {
            Some(p) if p >= 1.0 - options.level => {
                let reason = format!(
                    "not told from chance: it has no table, but even of two values, the fewest, p would be {}",
                    p_value(p)
                );
                (Standing::DoesNotStand, reason)
            }
            Some(p) => {
                let reason =
                    format!("it has no table: with two values p would be {}, with more larger", p_value(p));
                (Standing::CannotBeTold, reason)
            }
            None => (Standing::CannotBeTold, "it has no table".into()),
        }
    }
}
