//! Linear model of a study: its distinct configurations, with the parameters as terms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::sample::Sample;
use crate::stats::design::Term;

/// Residual degrees of freedom that a model with an effect for every level needs; with fewer, ordered
/// parameters get one slope each.
const ENOUGH_FREEDOM: usize = 10;
/// Residual degrees of freedom below which there is no model.
const LEAST_FREEDOM: usize = 3;
/// Number of levels above which a parameter is left out.
const MOST_LEVELS: usize = 30;

/// Coding of the parameters in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Each level has its own effect.
    Levels,
    /// Ordered parameters have one slope over the ranks of their levels, because there are too few
    /// evaluations for separate effects.
    Scores,
}

/// One parameter in the model.
#[derive(Debug, Clone)]
pub(crate) struct Factor {
    pub(crate) parameter: String,
    /// Level of each evaluation, ascending by value; evaluations without the parameter have the last level.
    pub(crate) codes: Vec<usize>,
    /// Number of levels with a value.
    pub(crate) levels: usize,
    /// Whether some evaluation lacks the parameter.
    pub(crate) has_absent: bool,
    /// Whether its levels are numbers.
    pub(crate) is_ordered: bool,
}

impl Factor {
    fn new(parameter: &str, levels: &[Level], kept: &[usize]) -> Self {
        let last = kept.last().map_or(0, |last| last + 1);
        let mut by_position = vec![levels.len(); last];
        for (code, level) in levels.iter().enumerate() {
            for &position in level.members.iter().filter(|position| **position < last) {
                by_position[position] = code;
            }
        }
        let codes: Vec<usize> = kept.iter().map(|&position| by_position[position]).collect();
        Self {
            parameter: parameter.to_owned(),
            has_absent: codes.contains(&levels.len()),
            codes,
            levels: levels.len(),
            is_ordered: levels.iter().all(|level| level.value.as_f64().is_some_and(f64::is_finite)),
        }
    }

    /// Returns the number of groups of evaluations; those without the parameter form a group.
    pub(crate) fn groups(&self) -> usize {
        self.levels + usize::from(self.has_absent)
    }

    fn is_usable(&self) -> bool {
        (2..=MOST_LEVELS).contains(&self.groups())
    }

    pub(crate) fn term(&self, coding: Coding) -> Term {
        match coding {
            Coding::Scores if self.is_ordered && !self.has_absent => Term::Score(self.scores()),
            _ => Term::Factor { codes: self.codes.clone(), levels: self.groups() },
        }
    }

    /// Returns the rank of each evaluation's level. Evaluations without the parameter get the mean of the
    /// others, so that they do not affect the slope.
    pub(crate) fn scores(&self) -> Vec<f64> {
        let present = || self.codes.iter().filter(|code| **code < self.levels).map(|code| *code as f64);
        let mean = present().sum::<f64>() / present().count().max(1) as f64;
        self.codes.iter().map(|&code| if code < self.levels { code as f64 } else { mean }).collect()
    }

    /// Returns the term for evaluations without the parameter; `None` if all have it.
    pub(crate) fn absence(&self) -> Option<Term> {
        let codes = || self.codes.iter().map(|code| usize::from(*code >= self.levels)).collect();
        self.has_absent.then(|| Term::Factor { codes: codes(), levels: 2 })
    }
}

/// Evaluations and parameters to which the models of a study are fitted.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// Values of the distinct configurations: the mean over the trials of each.
    pub(crate) values: Vec<f64>,
    /// All parameters.
    pub(crate) factors: Vec<Factor>,
    /// Coding of the parameters of the model; `None` with too few evaluations.
    pub(crate) coding: Option<Coding>,
}

impl Model {
    /// Makes the model of a study from its usable trials; `parameters` are names with their levels.
    pub(crate) fn new(sample: &Sample<'_>, parameters: &[(&str, &[Level])]) -> Self {
        let (kept, values): (Vec<usize>, Vec<f64>) = sample.distinct_positions().into_iter().unzip();
        let factors: Vec<Factor> =
            parameters.iter().map(|(parameter, levels)| Factor::new(parameter, levels, &kept)).collect();
        let mut model = Self { values, factors, coding: None };
        let freedom = |coding| {
            let columns: usize = model.included().map(|factor| factor.term(coding).width()).sum();
            model.values.len().saturating_sub(columns + 1)
        };
        model.coding = if freedom(Coding::Levels) >= ENOUGH_FREEDOM {
            Some(Coding::Levels)
        } else {
            (freedom(Coding::Scores) >= LEAST_FREEDOM).then_some(Coding::Scores)
        };
        model
    }

    /// Returns the parameters of the model: those with several levels, but not too many.
    pub(crate) fn included(&self) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(|factor| factor.is_usable())
    }

    /// Returns the names of the parameters that vary but have too many levels for the model.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let wide = self.factors.iter().filter(|factor| factor.groups() > MOST_LEVELS);
        wide.map(|factor| factor.parameter.clone()).collect()
    }
}
