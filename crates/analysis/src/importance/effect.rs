//! Effects of parameters in the main-effects model.

use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::share::{adjusted_r_squared, points, shares};
use crate::estimate::{Estimate, Interval, Method};
use crate::model::{Coding, Model};
use crate::options::Options;
use crate::statement::Statement;
use crate::stats::design::{Design, Term};
use crate::stats::least_squares::{Fit, TermTest};
use crate::stats::moments::sample_variance;
use crate::stats::{benjamini_hochberg, holm, noncentral_f, permutation};

/// Number of evaluations up to which every assignment to levels is tried, if there are not too many.
const FEW: usize = 12;
/// Most assignments that are tried.
const MOST_ASSIGNMENTS: usize = 5_000;
/// Most visits of a value over all permutations.
const PERMUTATION_BUDGET: usize = 50_000_000;

/// A parameter's effect given all other parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdjustedEffect {
    /// Degrees of freedom that the other parameters leave it; 0 where they determine it.
    pub freedom: u64,
    /// Type-II F of the main-effects model.
    pub f: Option<f64>,
    /// Partial omega squared, `df (F - 1) / (df (F - 1) + N)`, at least 0: share of the variance that the
    /// other parameters leave. The interval transforms the interval of the noncentrality `lambda` of F
    /// (Steiger 2004) by `lambda / (lambda + N)`; it contains the share.
    pub partial_omega_squared: Option<Estimate>,
    /// P-value of F.
    pub p: Option<f64>,
    /// P-value after Holm's adjustment over the parameters of the budget.
    pub p_holm: Option<f64>,
}

/// The model behind the adjusted effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceModel {
    /// Number of distinct evaluations: a repeat of a configuration with exactly equal value is left out.
    pub evaluations: u64,
    /// Coding of the parameters; `null` where there are too few evaluations for a model.
    pub coding: Option<Coding>,
    /// Share of the evaluations' variance that the model explains.
    pub r_squared: Option<f64>,
    /// R squared, corrected for the number of coefficients.
    pub adjusted_r_squared: Option<f64>,
    /// Number of evaluations less the number of coefficients.
    pub residual_freedom: Option<u64>,
    /// Parameters with a level that other parameters determine.
    pub aliased: Vec<String>,
    /// Parameters with too many levels for the model.
    pub left_out: Vec<String>,
    /// Largest share of the variance that any model can explain; the rest is the variance between repeats of
    /// one configuration. `null` (unknown) without repeats that differ.
    pub noise_ceiling: Option<f64>,
    /// Number of tests in Holm's adjustment.
    pub family: u64,
    /// Parameters with a significant effect after Holm's adjustment.
    pub surviving: Vec<String>,
    /// Number of permutations behind each permutation p-value.
    pub permutations: u64,
    /// Number of replicates behind each interval of a share.
    pub bootstraps: u64,
    /// Sentence that names the surviving parameters.
    pub sentence: Statement<()>,
}

/// The effect of one parameter.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    parameter: String,
    pub(super) adjusted: AdjustedEffect,
    pub(super) share: Option<Estimate>,
}

/// Returns the parameters of a model, each with its share in R squared and the share that is expected without
/// an effect; nothing with too few evaluations.
pub(crate) fn shares_of(model: &Model, options: &Options) -> Vec<(String, f64, f64)> {
    let Some(coding) = model.coding else { return Vec::new() };
    let terms: Vec<Term> = model.included().map(|factor| factor.term(coding)).collect();
    let design = Design::new(model.values.len(), &terms);
    let Some(fit) = Fit::new(&design, &model.values).filter(|fit| fit.residual_freedom > 0) else {
        return Vec::new();
    };
    let freedom = model.values.len().saturating_sub(1).max(1) as f64;
    let tests = fit.term_tests();
    let shares = points(&fit, &design, options);
    let named = model.included().zip(shares).zip(&tests);
    named
        .map(|((factor, share), test)| (factor.parameter.clone(), share, test.freedom as f64 / freedom))
        .collect()
}

/// The effects of all parameters.
pub(super) struct Effects {
    by_parameter: Vec<Effect>,
    permutations: Vec<(String, [f64; 2])>,
    pub(super) model: ImportanceModel,
}

impl Effects {
    pub(super) fn new(model: &Model, repeat_sd: Option<f64>, seed_name: &str, options: &Options) -> Self {
        let (permutations, count) = permute(model, seed_name, options);
        let mut summary = ImportanceModel {
            evaluations: model.values.len() as u64,
            coding: None,
            r_squared: None,
            adjusted_r_squared: None,
            residual_freedom: None,
            aliased: Vec::new(),
            left_out: model.left_out(),
            noise_ceiling: ceiling(model, repeat_sd),
            family: 0,
            surviving: Vec::new(),
            permutations: count as u64,
            bootstraps: 0,
            sentence: Statement::Reason(()),
        };
        let mut effects = Vec::new();
        if let Some(coding) = model.coding {
            let terms: Vec<Term> = model.included().map(|factor| factor.term(coding)).collect();
            let design = Design::new(model.values.len(), &terms);
            if let Some(fit) = Fit::new(&design, &model.values).filter(|fit| fit.residual_freedom > 0) {
                effects = summary.fill(&fit, &design, model, coding, options);
                let (shares, bootstraps) = shares(&fit, &design, seed_name, options);
                summary.bootstraps = bootstraps as u64;
                for (effect, share) in effects.iter_mut().zip(shares) {
                    effect.share = Some(share);
                }
            }
        }
        Self { by_parameter: effects, permutations, model: summary }
    }

    pub(super) fn of(&self, parameter: &str) -> Option<&Effect> {
        self.by_parameter.iter().find(|effect| effect.parameter == parameter)
    }

    /// Returns the permutation p-value of a parameter alone, without and with adjustment.
    pub(super) fn permutation(&self, parameter: &str) -> Option<[f64; 2]> {
        self.permutations.iter().find(|(name, _)| name == parameter).map(|(_, p)| *p)
    }
}

impl ImportanceModel {
    fn fill(
        &mut self,
        fit: &Fit<'_>,
        design: &Design,
        model: &Model,
        coding: Coding,
        options: &Options,
    ) -> Vec<Effect> {
        let n = model.values.len() as f64;
        self.coding = Some(coding);
        self.r_squared = Some(fit.r_squared());
        self.adjusted_r_squared = Some(adjusted_r_squared(fit));
        self.residual_freedom = Some(fit.residual_freedom as u64);
        self.aliased = model
            .included()
            .zip(design.terms())
            .filter(|(_, columns)| fit.aliased.iter().any(|column| columns.contains(column)))
            .map(|(factor, _)| factor.parameter.clone())
            .collect();
        let tests = fit.term_tests();
        let mut effects: Vec<Effect> = model
            .included()
            .zip(&tests)
            .map(|(factor, test)| {
                let adjusted = AdjustedEffect {
                    freedom: test.freedom as u64,
                    f: test.f,
                    partial_omega_squared: partial_omega_squared(test, fit.residual_freedom, n, options),
                    p: test.p,
                    p_holm: None,
                };
                Effect { parameter: factor.parameter.clone(), adjusted, share: None }
            })
            .collect();
        let tested: Vec<usize> =
            (0..effects.len()).filter(|&position| effects[position].adjusted.p.is_some()).collect();
        let p_values: Vec<f64> = tested.iter().filter_map(|&position| effects[position].adjusted.p).collect();
        for (&position, p) in tested.iter().zip(holm::adjust(&p_values)) {
            effects[position].adjusted.p_holm = Some(p);
            if p < 1.0 - options.level {
                self.surviving.push(effects[position].parameter.clone());
            }
        }
        self.family = tested.len() as u64;
        effects
    }
}

fn partial_omega_squared(
    test: &TermTest,
    residual_freedom: usize,
    evaluations: f64,
    options: &Options,
) -> Option<Estimate> {
    let (f, freedom) = (test.f?, test.freedom as f64);
    let share = |noncentrality: f64| noncentrality / (noncentrality + evaluations);
    // A noncentrality, and therefore its interval, is never below 0.
    let point = share((freedom * (f - 1.0)).max(0.0));
    let ends = noncentral_f::noncentrality(f, freedom, residual_freedom as f64, options.level);
    let interval = ends.map(|(lower, upper)| Interval { lower: share(lower), upper: share(upper) });
    let method = if interval.is_some() { Method::NoncentralF } else { Method::Observed };
    Some(Estimate { interval, method, ..Estimate::observed(point, options) })
}

fn ceiling(model: &Model, repeat_sd: Option<f64>) -> Option<f64> {
    let noise = repeat_sd.filter(|sd| *sd > 0.0)?;
    let variance = sample_variance(model.values.iter().copied()).filter(|variance| *variance > 0.0)?;
    Some((1.0 - noise * noise / variance).max(0.0))
}

/// Returns the permutation p-values of the model's parameters by name, without and with adjustment, and the
/// number of permutations.
fn permute(model: &Model, seed_name: &str, options: &Options) -> (Vec<(String, [f64; 2])>, usize) {
    let factors: Vec<(&[usize], usize)> =
        model.included().map(|factor| (factor.codes.as_slice(), factor.groups())).collect();
    if factors.is_empty() || model.values.len() < 3 {
        return (Vec::new(), 0);
    }
    let affordable = PERMUTATION_BUDGET / (model.values.len() * (factors.len() + 1));
    let count = (options.permutations as usize).min(affordable.max(199));
    let mut rng = stream(options.seed, seed_name, 0);
    let mut p_values = permutation::one_way(&model.values, &factors, count, &mut rng);
    if model.values.len() <= FEW {
        for (p, (codes, groups)) in p_values.iter_mut().zip(&factors) {
            *p = permutation::one_way_exact(&model.values, codes, *groups, MOST_ASSIGNMENTS).unwrap_or(*p);
        }
    }
    let adjusted = benjamini_hochberg::adjust(&p_values);
    let pairs = p_values.into_iter().zip(adjusted).map(<[f64; 2]>::from);
    (model.included().map(|factor| factor.parameter.clone()).zip(pairs).collect(), count)
}
