//! The coverage of the intervals of recommended configurations, where the model holds.

use std::sync::Arc;

use allometry_core::constraints::Constraints;
use allometry_core::rng::{stream, uniform};
use allometry_core::{SamplerKind, SamplerSpec, TrialRng};

use super::*;
use crate::normal;
use crate::sampler::gp::kernel::OWN_SHARE;
use crate::sampler::gp::kernel::matern;
use crate::sampler::gp::point::squared_difference;
use crate::sampler::tests::ordinals;
use crate::sampler::{StudyView, build};
use crate::space::Feasible;

/// Functions drawn from the model: a smooth part, a configuration-specific part, and noise.
struct World {
    feasible: Arc<Feasible>,
    factor: Vec<Vec<f64>>,
    noise: f64,
}

fn standard_normal(rng: &mut TrialRng) -> f64 {
    normal::quantile(uniform(rng).clamp(1e-12, 1.0 - 1e-12))
}

impl World {
    fn new(levels: &[i64], scales: &[f64], noise: f64) -> Self {
        let feasible = Arc::new(ordinals(levels));
        let lattice = Lattice::new(&feasible);
        let count = feasible.configurations().unwrap();
        let positions: Vec<Vec<f64>> = (0..count)
            .map(|n| lattice.positions(&lattice.cell(&feasible.params(&feasible.configuration(n))).unwrap()))
            .collect();
        let distance = |a: &[f64], b: &[f64]| -> f64 {
            let axes = lattice.axes.iter().zip(scales).zip(a.iter().zip(b));
            axes.map(|((axis, scale), (a, b))| squared_difference(axis.scale, *a, *b) / (scale * scale)).sum()
        };
        let n = positions.len();
        let mut covariance = Vec::with_capacity(n * n);
        for (i, a) in positions.iter().enumerate() {
            for (j, b) in positions.iter().enumerate() {
                let jitter = if i == j { 1e-8 } else { 0.0 };
                covariance.push(matern(distance(a, b)).0 + jitter);
            }
        }
        // Rows of the Cholesky factor L, so that L z is a draw for standard normal z.
        let factor = lower(&covariance, n);
        Self { feasible, factor, noise }
    }

    fn covers(&self, kind: SamplerKind, trials: usize, seed: u64) -> bool {
        let mut rng = stream(seed, "world", 0);
        let z: Vec<f64> = self.factor.iter().map(|_| standard_normal(&mut rng)).collect();
        let mean = standard_normal(&mut rng);
        let truth: Vec<f64> = self
            .factor
            .iter()
            .map(|row| {
                let smooth: f64 = row.iter().zip(&z).map(|(l, z)| l * z).sum();
                mean + smooth + (OWN_SHARE * self.noise).sqrt() * standard_normal(&mut rng)
            })
            .collect();
        let spec = SamplerSpec { probes: false, random_share: 0.0, ..SamplerSpec::new(kind) };
        let mut sampler = build(&[Direction::Maximize], spec, Arc::clone(&self.feasible), seed).unwrap();
        let mut finished: Vec<FrozenTrial> = Vec::new();
        let true_mean =
            |params: &Params| truth[self.feasible.index(&self.feasible.find(params).unwrap()) as usize];
        for number in 0..trials as u64 {
            let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
            let params = sampler.suggest(&view, &mut stream(seed, "sampler", number)).unwrap().params;
            let value =
                true_mean(&params) + ((1.0 - OWN_SHARE) * self.noise).sqrt() * standard_normal(&mut rng);
            finished.push(FrozenTrial::new(number, TrialState::Complete, Some(value), params));
        }
        let found = recommend(&finished, self.feasible.space(), Direction::Maximize).unwrap();
        let (low, high) = found.expected.unwrap().interval;
        (low..=high).contains(&true_mean(&found.params))
    }
}

fn lower(a: &[f64], n: usize) -> Vec<Vec<f64>> {
    let mut l = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let s: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            l[i][j] = if i == j { (a[i * n + i] - s).sqrt() } else { (a[i * n + j] - s) / l[j][j] };
        }
    }
    l
}

/// The coverage is at least 90 of 100 over short and long length scales and little and much noise, which the
/// model has to estimate. Without repeats the interval must hold for every configuration-specific share of
/// the noise, so that it covers more with a share in between.
#[test]
fn intervals_cover_the_true_mean() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(32);
    let mut shares = Vec::new();
    for (levels, scales) in [
        (vec![8, 8, 6], vec![0.7, 1.5, 3.0]),
        (vec![8, 8, 6], vec![0.4, 0.6, 1.0]),
        (vec![6, 5, 4, 4], vec![1.0, 1.0, 2.0, 4.0]),
    ] {
        for noise in [0.03, 0.1, 0.3] {
            let world = World::new(&levels, &scales, noise);
            let covered = (0..runs).filter(|seed| world.covers(SamplerKind::Random, 40, *seed)).count();
            shares.push(covered as f64 / runs as f64);
            println!("length scales {scales:?}, noise {noise}: {:.3}", covered as f64 / runs as f64);
        }
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    println!("all: {mean:.3}");
    assert!(mean >= 0.86, "{mean}");
}

/// Twelve configurations, of which the first three are repeated; `difference` is added to the second values.
fn repeated(difference: f64) -> Recommendation {
    let feasible = ordinals(&[4, 3]);
    let mut trials: Vec<FrozenTrial> = (0..12_u64)
        .map(|n| {
            let params = feasible.params(&feasible.configuration(n));
            FrozenTrial::new(n, TrialState::Complete, Some(((n * 5) % 12) as f64), params)
        })
        .collect();
    for n in 0..3 {
        let value = trials[n].value().unwrap() + difference;
        let params = trials[n].params.clone();
        trials.push(FrozenTrial::new(12 + n as u64, TrialState::Complete, Some(value), params));
    }
    recommend(&trials, feasible.space(), Direction::Maximize).unwrap()
}

#[test]
fn identical_repeats_give_no_interval() {
    assert_eq!(repeated(0.0).expected, Err(NoExpectation::IdenticalRepeats));
    let expected = repeated(0.5).expected.unwrap();
    assert!(expected.interval.1 - expected.interval.0 > 0.1, "{expected:?}");
}

/// Main effects of parameters, with noise between seeds.
struct Effects {
    levels: Vec<i64>,
    /// Size of the effects in standard deviations of the noise; 0 for a flat space.
    size: f64,
    /// Share of the trials that repeat an earlier configuration, half of them the best one.
    repeats: f64,
    /// Variance of the configuration-specific part, relative to that of the noise.
    own: f64,
    /// Whether the sampler itself may repeat configurations.
    again: bool,
}

impl Effects {
    fn truth(&self, seed: u64, params: &Params) -> f64 {
        let effects = self.levels.iter().enumerate().map(|(d, count)| {
            let x = params.get(&format!("x{d}")).unwrap().as_f64().unwrap() / (count - 1) as f64;
            let mut rng = stream(seed, "effect", d as u64);
            let (slope, centre) = (standard_normal(&mut rng), uniform(&mut rng));
            match d % 3 {
                0 => slope * x,
                1 => -2.0 * (x - centre).powi(2),
                _ => 0.0,
            }
        });
        let own = self.own.sqrt() * standard_normal(&mut stream(seed, &params.to_string(), 1));
        self.size * effects.sum::<f64>() + own
    }

    /// Whether the interval covers; `None` where there is none.
    fn covers(&self, kind: SamplerKind, trials: u64, seed: u64) -> Option<bool> {
        let feasible = Arc::new(ordinals(&self.levels));
        let spec = SamplerSpec::new(kind);
        let spec = SamplerSpec { probes: false, random_share: 0.2, repeats: self.again, ..spec };
        let mut sampler = build(&[Direction::Maximize], spec, Arc::clone(&feasible), seed).unwrap();
        let mut finished: Vec<FrozenTrial> = Vec::new();
        let mut rng = stream(seed, "noise", 0);
        for number in 0..trials {
            let params = if number > 8 && uniform(&mut rng) < self.repeats {
                let best = finished.iter().max_by(|a, b| a.values[0].total_cmp(&b.values[0]));
                let any = &finished[(uniform(&mut rng) * finished.len() as f64) as usize];
                if uniform(&mut rng) < 0.5 { best.unwrap().params.clone() } else { any.params.clone() }
            } else {
                let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
                sampler.suggest(&view, &mut stream(seed, "sampler", number)).unwrap().params
            };
            let value = self.truth(seed, &params) + standard_normal(&mut rng);
            finished.push(FrozenTrial::new(number, TrialState::Complete, Some(value), params));
        }
        let found = recommend(&finished, feasible.space(), Direction::Maximize).unwrap();
        let (low, high) = found.expected.ok()?.interval;
        Some((low..=high).contains(&self.truth(seed, &found.params)))
    }
}

/// The intervals cover where all noise is between seeds, in flat spaces and others, with the best of all
/// trials selected. `RUNS` sets the number of runs; `CASES=all` runs the table of `docs/adr/0046`, and a list
/// of `sampler case trials`, separated by semicolons, a part of it.
#[test]
fn intervals_cover_under_noise_between_seeds() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(24);
    let cases = std::env::var("CASES")
        .unwrap_or_else(|_| "Random flat 20;Random effects 20;Tpe flat 20;Gp effects, again 20".into());
    let (small, large) = (vec![5, 5, 4, 4], vec![5, 5, 4, 4, 3, 6, 4]);
    let mut shares = Vec::new();
    for kind in [SamplerKind::Random, SamplerKind::Tpe, SamplerKind::Gp] {
        for (name, levels, size, repeats, own, again) in [
            ("flat", &small, 0.0, 0.0, 0.0, false),
            ("effects", &small, 2.0, 0.0, 0.0, false),
            ("flat of 7", &large, 0.0, 0.0, 0.0, false),
            ("effects of 7", &large, 2.0, 0.0, 0.0, false),
            ("flat, repeats", &small, 0.0, 0.3, 0.0, false),
            ("effects, repeats", &small, 2.0, 0.3, 0.0, false),
            ("own, repeats", &small, 2.0, 0.3, 0.7, false),
            ("own", &small, 2.0, 0.0, 0.7, false),
            ("flat, again", &small, 0.0, 0.0, 0.0, true),
            ("effects, again", &small, 2.0, 0.0, 0.0, true),
            ("own, again", &small, 2.0, 0.0, 0.7, true),
        ] {
            for trials in [20, 50, 100] {
                let case = format!("{kind:?} {name} {trials}");
                if cases != "all" && !cases.split(';').any(|one| one == case) {
                    continue;
                }
                let world = Effects { levels: levels.clone(), size, repeats, own, again };
                let told: Vec<bool> = (0..runs).filter_map(|seed| world.covers(kind, trials, seed)).collect();
                let covered = told.iter().filter(|covers| **covers).count() as f64 / told.len() as f64;
                println!("{case}: {covered:.3} of {}", told.len());
                shares.push(covered);
            }
        }
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let error = (0.9 * 0.1 / (shares.len() as u64 * runs) as f64).sqrt();
    assert!(mean > 0.9 - 3.0 * error, "{mean}");
}

/// Runs a study with learning curves of ten steps that end at the world's value. Trials below the median of
/// the earlier trials are stopped at steps 2, 4 and 7. Returns whether the interval covers, its length, and
/// the number of stopped trials.
fn covers_after_pruning(world: &Effects, seed: u64) -> (bool, f64, usize) {
    const STEPS: i64 = 10;
    let feasible = Arc::new(ordinals(&world.levels));
    let spec = SamplerSpec { probes: false, random_share: 0.2, ..SamplerSpec::new(SamplerKind::Tpe) };
    let mut sampler = build(&[Direction::Maximize], spec, Arc::clone(&feasible), seed).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    let mut rng = stream(seed, "noise", 0);
    for number in 0..50 {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let params = sampler.suggest(&view, &mut stream(seed, "sampler", number)).unwrap().params;
        let value = world.truth(seed, &params) + standard_normal(&mut rng);
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
        for step in 1..=STEPS {
            let told = value - 20.0 * (-0.5 * step as f64).exp() + 0.3 * standard_normal(&mut rng);
            trial.intermediate.insert(step, if step == STEPS { value } else { told });
            let mut others: Vec<f64> =
                finished.iter().filter_map(|other| other.intermediate.get(&step).copied()).collect();
            others.sort_by(f64::total_cmp);
            if number >= 5 && [2, 4, 7].contains(&step) && told < others[others.len() / 2] {
                (trial.state, trial.values) = (TrialState::Pruned, vec![told]);
                break;
            }
        }
        finished.push(trial);
    }
    let found = recommend(&finished, feasible.space(), Direction::Maximize).unwrap();
    let (low, high) = found.expected.unwrap().interval;
    let pruned = finished.iter().filter(|trial| trial.state == TrialState::Pruned).count();
    assert_eq!(finished[found.number.0 as usize].state, TrialState::Complete);
    ((low..=high).contains(&world.truth(seed, &found.params)), high - low, pruned)
}

/// Two thirds of the trials are stopped, by curves that share the noise of the final values. In 200 runs the
/// interval had a coverage of 0.82 (flat) and 0.96 (effects), with a length of 2.4. With intermediate values
/// taken as final ones its length was 7.6; with complete trials only it covered in none of 100 flat runs,
/// because these are a lucky sample.
#[test]
fn intervals_cover_where_trials_are_stopped_early() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(40);
    for (name, size) in [("flat", 0.0), ("effects", 2.0)] {
        let world = Effects { levels: vec![5, 5, 4, 4], size, repeats: 0.0, own: 0.0, again: false };
        let told: Vec<(bool, f64, usize)> =
            (0..runs).map(|seed| covers_after_pruning(&world, seed)).collect();
        let covered = told.iter().filter(|(covers, ..)| *covers).count() as f64 / runs as f64;
        let length = told.iter().map(|(_, length, _)| length).sum::<f64>() / runs as f64;
        let longest = told.iter().map(|(_, length, _)| *length).fold(0.0, f64::max);
        let pruned = told.iter().map(|(.., pruned)| pruned).sum::<usize>() as f64 / runs as f64;
        println!(
            "{name}: {covered:.3} of {runs}, length {length:.2}, longest {longest:.2}, \
             stopped {pruned:.1} of 50"
        );
        assert!(covered > 0.7, "{name}: {covered}");
        assert!(length < 4.0 && longest < 8.0 && pruned > 15.0, "{name}: {length} {longest} {pruned}");
    }
}

/// A configuration that violates a constraint is not recommended, regardless of its values; where all do,
/// none is.
#[test]
fn configurations_that_violate_a_constraint_are_not_recommended() {
    let feasible = ordinals(&[4, 3]);
    let limited = |bound: i64| -> Vec<FrozenTrial> {
        let trial = |n: u64| {
            let params = feasible.params(&feasible.configuration(n));
            let x = params.get("x0").unwrap().as_f64().unwrap();
            let mut trial =
                FrozenTrial::new(n, TrialState::Complete, Some(10.0 * x + n as f64 % 3.0), params);
            let constraints = Constraints { listed: vec![x - bound as f64], ..Constraints::default() };
            trial.system_attributes = constraints.attributes().into_iter().collect();
            trial
        };
        (0..12).map(trial).collect()
    };
    let found = recommend(&limited(2), feasible.space(), Direction::Maximize).unwrap();
    assert_eq!(found.params.get("x0").unwrap().as_f64(), Some(2.0));
    let (low, high) = found.expected.unwrap().interval;
    assert!(low < 22.0 && high > 20.0 && high < 30.0, "{low} {high}");
    assert!(recommend(&limited(-1), feasible.space(), Direction::Maximize).is_none());
}
