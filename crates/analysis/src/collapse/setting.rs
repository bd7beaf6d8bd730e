//! Settings associated with constant models.

use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CollapseKind;
use crate::coverage::Step;
use crate::level::Level;
use crate::options::Options;
use crate::stats::{benjamini_hochberg, permutation};

/// Fewest constant models, and fewest others, needed to test for an association with a setting.
const FEWEST: usize = 3;
/// Most visits of a trial that all permutations together may make.
const BUDGET: usize = 20_000_000;

/// A parameter associated with constant models, by a permutation test over its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollapseSetting {
    /// The parameter.
    pub parameter: String,
    /// The value with the largest share of constant models.
    pub value: Step,
    /// Number of constant models with that value.
    pub constant: u64,
    /// Number of trials of known kind with that value.
    pub trials: u64,
    /// P-value of the parameter, unadjusted.
    pub p: f64,
    /// P-value after Benjamini and Hochberg's adjustment over the parameters of the budget.
    pub p_adjusted: f64,
}

/// Tests every parameter that has several levels; `parameters` gives names with their levels. Empty with
/// fewer than three constant models or fewer than three others.
pub(super) fn settings(
    kinds: &[CollapseKind],
    parameters: &[(&str, &[Level])],
    seed_name: &str,
    options: &Options,
) -> Vec<CollapseSetting> {
    let known: Vec<usize> = (0..kinds.len()).filter(|&trial| kinds[trial] != CollapseKind::Unknown).collect();
    let constant = |trial: usize| kinds[trial] == CollapseKind::Constant;
    let hits = known.iter().filter(|trial| constant(**trial)).count();
    if hits < FEWEST || known.len() - hits < FEWEST {
        return Vec::new();
    }
    let mut tested = Vec::new();
    for (name, levels) in parameters {
        // Trials without the parameter form a level of their own.
        let mut codes = vec![levels.len(); kinds.len()];
        for (code, level) in levels.iter().enumerate() {
            level.members.iter().for_each(|&trial| codes[trial] = code);
        }
        let codes: Vec<usize> = known.iter().map(|&trial| codes[trial]).collect();
        if codes.iter().any(|code| *code != codes[0]) {
            tested.push((*name, *levels, codes));
        }
    }
    let factors: Vec<(&[usize], usize)> =
        tested.iter().map(|(_, levels, codes)| (codes.as_slice(), levels.len() + 1)).collect();
    let values: Vec<f64> = known.iter().map(|&trial| f64::from(u8::from(constant(trial)))).collect();
    let affordable = BUDGET / (values.len() * (factors.len() + 1));
    let count = (options.permutations as usize).min(affordable.max(199));
    let p_values = permutation::one_way(&values, &factors, count, &mut stream(options.seed, seed_name, 5));
    let adjusted = benjamini_hochberg::adjust(&p_values);
    let mut found: Vec<CollapseSetting> = tested
        .iter()
        .zip(p_values.into_iter().zip(adjusted))
        .filter_map(|((name, levels, _), (p, p_adjusted))| {
            let shares = levels.iter().filter_map(|level| {
                let of_known =
                    || level.members.iter().filter(|&&trial| kinds[trial] != CollapseKind::Unknown);
                let (trials, hits) =
                    (of_known().count(), of_known().filter(|&&trial| constant(trial)).count());
                (trials > 0).then_some((level, hits as u64, trials as u64))
            });
            let (level, constant, trials) = shares.reduce(|best, next| {
                if next.1 as f64 / next.2 as f64 > best.1 as f64 / best.2 as f64 { next } else { best }
            })?;
            let value = Step { value: level.value.clone(), upper: level.upper.clone() };
            Some(CollapseSetting { parameter: (*name).to_owned(), value, constant, trials, p, p_adjusted })
        })
        .collect();
    found.sort_by(|a, b| a.p.total_cmp(&b.p));
    found
}
