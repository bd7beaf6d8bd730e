//! The distinct configurations of a study with its parameters as terms of one linear model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::sample::Sample;
use crate::stats::design::Term;

/// Residual degrees of freedom that a model with every level needs; below, ordered parameters get one slope
/// each.
const ENOUGH_FREEDOM: usize = 10;
/// Residual degrees of freedom below which there is no model.
const LEAST_FREEDOM: usize = 3;
/// Levels above which a parameter is left out.
const MOST_LEVELS: usize = 30;

/// How parameters enter the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Each level has its own effect.
    Levels,
    /// Ordered parameters have one slope over the ranks of their levels: there are too few evaluations for
    /// more.
    Scores,
}

/// One parameter as the model sees it.
#[derive(Debug, Clone)]
pub(crate) struct Factor {
    pub(crate) parameter: String,
    /// Level by evaluation, ascending by value; evaluations without the parameter have the last one.
    pub(crate) codes: Vec<usize>,
    /// Levels with a value.
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

    /// Groups of evaluations, those without the parameter being one.
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

    /// Rank of the level by evaluation; evaluations without the parameter get the mean of the others, so that
    /// they do not bear on a slope.
    pub(crate) fn scores(&self) -> Vec<f64> {
        let present = || self.codes.iter().filter(|code| **code < self.levels).map(|code| *code as f64);
        let mean = present().sum::<f64>() / present().count().max(1) as f64;
        self.codes.iter().map(|&code| if code < self.levels { code as f64 } else { mean }).collect()
    }

    /// Which evaluations lack the parameter, as a term; `None` where none does.
    pub(crate) fn absence(&self) -> Option<Term> {
        let codes = || self.codes.iter().map(|code| usize::from(*code >= self.levels)).collect();
        self.has_absent.then(|| Term::Factor { codes: codes(), levels: 2 })
    }
}

/// The evaluations and parameters that models of a study are fitted to.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// Values of the distinct configurations: the mean over the trials of each.
    pub(crate) values: Vec<f64>,
    /// Every parameter.
    pub(crate) factors: Vec<Factor>,
    /// How the parameters of the model are coded; `None` where there are too few evaluations.
    pub(crate) coding: Option<Coding>,
}

impl Model {
    /// Takes the parameters, by name with their levels, of the usable trials of a study.
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

    /// Parameters of the model: those with several levels, but not very many.
    pub(crate) fn included(&self) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(|factor| factor.is_usable())
    }

    /// Parameters that vary but have too many levels for the model.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let wide = self.factors.iter().filter(|factor| factor.groups() > MOST_LEVELS);
        wide.map(|factor| factor.parameter.clone()).collect()
    }
}
