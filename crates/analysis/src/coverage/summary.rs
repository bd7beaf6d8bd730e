//! How a study's trials fill its space as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::count;
use crate::input::StudyTrials;
use crate::level::Level;
use crate::options::Options;
use crate::sample::Sample;
use crate::stats::table::association;
use crate::stats::{discrepancy, holm};
use allometry_core::Distribution;

/// Corrected Cramer's V from which two parameters are confounded.
const CONFOUNDED: f64 = 0.5;
/// Levels above which a parameter is left out of pairs.
const MOST_LEVELS: usize = 30;
/// Trials above which the discrepancy looks at evenly chosen ones: its cost grows with their square.
const MOST_POINTS: usize = 1_500;
/// Levels above which a number has a place rather than a rank.
const RANKED: usize = 12;

/// Two parameters that were not varied independently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confounding {
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
    /// Cramer's V, corrected for chance.
    pub cramers_v: f64,
    /// P-value of chi-squared after Holm's adjustment over all pairs.
    pub p_holm: f64,
}

/// How a study's trials fill its space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceCoverage {
    /// Combinations of two values, over all pairs of parameters, among the values that occur.
    pub pairs: u64,
    /// Those that some trial has.
    pub pairs_tried: u64,
    /// Pairs of parameters with a corrected V of at least 0.5 whose association is told, the strongest first.
    pub confounded: Vec<Confounding>,
    /// Centred L2 discrepancy, squared, of the trials in the unit cube of the values that occur; `null` where nothing
    /// varies. Lists of values fill equal parts of their side.
    pub discrepancy: Option<f64>,
    /// Its expectation for as many points at random.
    pub discrepancy_at_random: Option<f64>,
}

impl SpaceCoverage {
    /// Looks at all parameters, given by name with their exact and their binned levels.
    pub(crate) fn new(
        study: &StudyTrials,
        sample: &Sample<'_>,
        parameters: &[(&str, &[Level], &[Level])],
        options: &Options,
    ) -> Self {
        let usable: Vec<(&str, &[Level])> = parameters
            .iter()
            .map(|(parameter, _, binned)| (*parameter, *binned))
            .filter(|(_, binned)| (2..=MOST_LEVELS).contains(&binned.len()))
            .collect();
        let (mut pairs, mut pairs_tried) = (0, 0);
        let (mut candidates, mut p_values) = (Vec::new(), Vec::new());
        for (position, (second, columns)) in usable.iter().enumerate() {
            for (first, rows) in &usable[..position] {
                let counts = count(rows, columns);
                pairs += (rows.len() * columns.len()) as u64;
                pairs_tried += counts.iter().flatten().filter(|count| **count > 0).count() as u64;
                if let Some(association) = association(&counts) {
                    candidates.push((*first, *second, association.cramers_v));
                    p_values.push(association.p);
                }
            }
        }
        let mut confounded: Vec<Confounding> = candidates
            .into_iter()
            .zip(holm::adjust(&p_values))
            .filter(|((.., cramers_v), p)| *cramers_v >= CONFOUNDED && *p < 1.0 - options.level)
            .map(|((first, second, cramers_v), p_holm)| Confounding {
                first: first.to_owned(),
                second: second.to_owned(),
                cramers_v,
                p_holm,
            })
            .collect();
        confounded.sort_by(|a, b| b.cramers_v.total_cmp(&a.cramers_v));
        let points = points(study, sample, parameters);
        let dimension = points.first().map_or(0, Vec::len);
        let discrepancy = discrepancy::centered_l2(&points).filter(|discrepancy| discrepancy.is_finite());
        let at_random = discrepancy::centered_l2_at_random(points.len(), dimension);
        Self {
            pairs,
            pairs_tried,
            confounded,
            discrepancy_at_random: discrepancy.is_some().then_some(at_random),
            discrepancy,
        }
    }
}

/// Places of the trials in the unit cube of the parameters that vary and that every trial has.
fn points(
    study: &StudyTrials,
    sample: &Sample<'_>,
    parameters: &[(&str, &[Level], &[Level])],
) -> Vec<Vec<f64>> {
    let trials = sample.trials.len();
    let stride = trials.div_ceil(MOST_POINTS).max(1);
    let mut points: Vec<Vec<f64>> = vec![Vec::new(); trials.div_ceil(stride)];
    for (parameter, exact, _) in parameters {
        let covered: usize = exact.iter().map(|level| level.members.len()).sum();
        if exact.len() < 2 || covered < trials {
            continue;
        }
        let is_log = is_log(study, parameter);
        for (position, level) in exact.iter().enumerate() {
            let place = place(is_log, exact, position);
            for member in level.members.iter().filter(|member| **member % stride == 0) {
                points[member / stride].push(place);
            }
        }
    }
    points
}

fn place(is_log: bool, levels: &[Level], position: usize) -> f64 {
    let rank = (position as f64 + 0.5) / levels.len() as f64;
    if levels.len() <= RANKED {
        return rank;
    }
    let scale = |x: f64| if is_log { x.ln() } else { x };
    let number = |level: &Level| level.value.as_f64().map(scale);
    let ends = levels.first().and_then(number).zip(levels.last().and_then(number));
    let place = ends.zip(number(&levels[position])).map(|((low, high), x)| (x - low) / (high - low));
    place.filter(|place| place.is_finite()).unwrap_or(rank)
}

fn is_log(study: &StudyTrials, parameter: &str) -> bool {
    let known = study.space.as_ref().and_then(|space| space.get(parameter));
    let recorded = || study.trials.iter().find_map(|trial| trial.distributions.get(parameter));
    matches!(
        known.or_else(recorded),
        Some(Distribution::Float { log: true, .. } | Distribution::Int { log: true, .. })
    )
}
