//! Tests of the forest's properties, and of its variance against enumeration.

use allometry_core::{Distribution, Params, SearchSpace, TrialRng};

use super::*;
use crate::forest::axis::Axis;
use crate::forest::variance::decompose;
use crate::stats::random::below;

fn uniform(rng: &mut TrialRng) -> f64 {
    below(rng, 1 << 53) as f64 / (1_u64 << 53) as f64
}

fn space() -> SearchSpace {
    let words = ["a", "b", "c", "d", "e"].map(Into::into).to_vec();
    let sets = [
        ("word", Distribution::list(words)),
        ("rank", Distribution::list(vec![8.into(), 1.into(), 2.into(), 4.into()])),
        ("width", Distribution::Int { low: 1, high: 7, log: true, step: 1 }),
        ("rate", Distribution::Float { low: 1e-5, high: 1e-2, log: true, step: None }),
        ("share", Distribution::Float { low: 0.0, high: 0.4, log: false, step: Some(0.1) }),
    ];
    SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect())
}

/// Returns trials at random points of the space whose values depend on single parameters, on pairs and on
/// noise.
fn trials(n: usize, noise: f64) -> Vec<(Params, f64)> {
    let mut rng = rng::stream(5, "forest tests", n as u64);
    let points = (0..n).map(|_| {
        let (word, rank, width, share) = (
            below(&mut rng, 5),
            below(&mut rng, 4),
            1 + below(&mut rng, 7) as i64,
            below(&mut rng, 5) as i64,
        );
        let rate = -5.0 + 3.0 * uniform(&mut rng);
        let mut params = Params::default();
        params.insert("word", ["a", "b", "c", "d", "e"][word]);
        params.insert("rank", [1_i64, 2, 4, 8][rank]);
        params.insert("width", width);
        params.insert("rate", 10_f64.powf(rate));
        params.insert("share", share as f64 * 0.1);
        let peak = -(rate + 3.5) * (rate + 3.5);
        let joint = if word % 2 == 0 { rank as f64 } else { -(rank as f64) };
        let value = peak + joint + 0.3 * (width as f64).ln() + noise * (2.0 * uniform(&mut rng) - 1.0);
        (params, value)
    });
    points.collect()
}

fn fitted(n: usize, options: ForestOptions) -> (Domain, Rows, Forest) {
    let trials = trials(n, 0.2);
    let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
    let domain = Domain::new(&space(), &trials);
    let rows = domain.rows(&trials);
    let forest = Forest::fit(&domain, &rows, options).unwrap();
    (domain, rows, forest)
}

/// Returns representative positions of an axis with their masses. No tree changes its prediction within one
/// of them.
fn atoms(axis: &Axis, forest: &Forest, index: usize) -> Vec<(f64, f64)> {
    if let Some(count) = axis.atoms() {
        let atom = |i: usize| (i as f64, axis.below(i as f64 + 1.0) - axis.below(i as f64));
        return (0..count as usize).map(atom).collect();
    }
    let mut ends = vec![0.0, 1.0];
    for node in forest.trees.iter().flat_map(|tree| &tree.nodes) {
        if let tree::Node::Split { axis, left: tree::Side::Below(cut), .. } = node
            && *axis as usize == index
        {
            ends.push(*cut);
        }
    }
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    ends.windows(2).map(|ends| (f64::midpoint(ends[0], ends[1]), ends[1] - ends[0])).collect()
}

/// Returns `E[f | x_S]` and its mass in each cell of the axes `given`, by visiting every point of the grid.
fn conditional(tree: &tree::Tree, atoms: &[Vec<(f64, f64)>], given: &[usize]) -> Vec<(f64, f64)> {
    let size: usize = given.iter().map(|axis| atoms[*axis].len()).product();
    let (mut sums, mut masses) = (vec![0.0; size], vec![0.0; size]);
    let points: usize = atoms.iter().map(Vec::len).product();
    for point in 0..points {
        let mut rest = point;
        let mut digits = Vec::with_capacity(atoms.len());
        for axis in atoms {
            digits.push(rest % axis.len());
            rest /= axis.len();
        }
        let mass: f64 = digits.iter().zip(atoms).map(|(digit, axis)| axis[*digit].1).product();
        let cell = given.iter().fold(0, |cell, axis| cell * atoms[*axis].len() + digits[*axis]);
        sums[cell] += mass * tree.predict(|axis| atoms[axis][digits[axis]].0);
        masses[cell] += mass;
    }
    sums.into_iter().zip(masses).map(|(sum, mass)| (sum / mass, mass)).collect()
}

/// Returns `Var(E[f | x_S])`.
fn enumerated(tree: &tree::Tree, atoms: &[Vec<(f64, f64)>], given: &[usize]) -> f64 {
    let cells: Vec<(f64, f64)> =
        conditional(tree, atoms, given).into_iter().filter(|(_, mass)| *mass > 0.0).collect();
    let mean: f64 = cells.iter().map(|(value, mass)| value * mass).sum();
    cells.iter().map(|(value, mass)| mass * (value - mean).powi(2)).sum()
}

#[test]
fn box_variances_are_those_of_enumeration() {
    let options = ForestOptions { trees: 4, min_leaf: 4, ..ForestOptions::default() };
    let (domain, _, forest) = fitted(120, options);
    let axes = domain.axes.len();
    let atoms: Vec<Vec<(f64, f64)>> =
        domain.axes.iter().enumerate().map(|(index, axis)| atoms(axis, &forest, index)).collect();
    let all: Vec<usize> = (0..axes).collect();
    let grids: Vec<Vec<f64>> = atoms.iter().map(|axis| axis.iter().map(|atom| atom.0).collect()).collect();
    for tree in &forest.trees {
        let ours = decompose(tree, &domain, &grids);
        let total = enumerated(tree, &atoms, &all);
        let close = |ours: f64, theirs: f64| {
            assert!((ours - theirs).abs() <= 1e-10 * total, "{ours} against {theirs} of {total}");
        };
        close(ours.total, total);
        let singles: Vec<f64> = all.iter().map(|axis| enumerated(tree, &atoms, &[*axis])).collect();
        for (ours, theirs) in ours.singles.iter().zip(&singles) {
            close(*ours, *theirs);
        }
        for (axis, marginals) in ours.marginals.iter().enumerate() {
            for (ours, (theirs, _)) in marginals.iter().zip(conditional(tree, &atoms, &[axis])) {
                assert!((ours - theirs).abs() <= 1e-12, "{ours} against {theirs}");
            }
            assert_eq!(marginals.len(), atoms[axis].len());
        }
        for second in 0..axes {
            for first in 0..second {
                let theirs = enumerated(tree, &atoms, &[first, second]) - singles[first] - singles[second];
                let found = ours.pairs.iter().find(|(pair, _)| *pair == (first as u32, second as u32));
                close(found.map_or(0.0, |(_, variance)| *variance), theirs);
            }
        }
    }
}

#[test]
fn the_forest_does_not_depend_on_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (domain, _, forest) = fitted(200, ForestOptions { trees: 9, ..ForestOptions::default() });
            let variances: Vec<_> =
                forest.trees.par_iter().map(|tree| decompose(tree, &domain, &[])).collect();
            (forest, variances)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(7));
    let other = fitted(200, ForestOptions { trees: 9, seed: 1, ..ForestOptions::default() }).2;
    assert_ne!(one.0, other);
}

#[test]
fn out_of_bag_predictions_see_signal_and_no_noise() {
    let (_, _, forest) = fitted(400, ForestOptions::default());
    let r_squared = forest.oob_r_squared.unwrap();
    assert!((0.8..0.99).contains(&r_squared), "{r_squared}");

    let (domain, mut rows, _) = fitted(400, ForestOptions::default());
    let mut noise = rng::stream(1, "noise", 0);
    rows.values = rows.values.iter().map(|_| uniform(&mut noise)).collect();
    let r_squared = Forest::fit(&domain, &rows, ForestOptions::default()).unwrap().oob_r_squared.unwrap();
    assert!(r_squared < 0.1, "{r_squared}");
}

#[test]
fn leaves_hold_enough_draws_and_trees_end_at_the_depth_allowed() {
    let (_, _, stump) = fitted(100, ForestOptions { max_depth: 1, ..ForestOptions::default() });
    assert!(stump.trees.iter().all(|tree| tree.leaves() == 2));
    let (_, _, coarse) = fitted(100, ForestOptions { min_leaf: 30, ..ForestOptions::default() });
    assert!(coarse.trees.iter().all(|tree| (2..=3).contains(&tree.leaves())));
}

#[test]
fn one_of_many_categories_is_parted_from_the_rest() {
    let names: Vec<String> = (0..40).map(|i| format!("n{i:02}")).collect();
    let set = Distribution::list(names.iter().map(|name| name.as_str().into()).collect());
    let space = SearchSpace([("name".to_owned(), set)].into_iter().collect());
    let trials: Vec<(Params, f64)> = (0..400)
        .map(|i| (Params::from_iter([("name", names[i % 40].as_str())]), if i % 40 == 7 { 1.0 } else { 0.0 }))
        .collect();
    let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
    let domain = Domain::new(&space, &trials);
    let rows = domain.rows(&trials);
    let forest = Forest::fit(&domain, &rows, ForestOptions { trees: 5, ..ForestOptions::default() }).unwrap();
    for tree in &forest.trees {
        assert_eq!(tree.leaves(), 2);
        let variance = decompose(tree, &domain, &[]);
        let expected = 1.0 / 40.0 * (39.0 / 40.0);
        assert!((variance.total - expected).abs() < 1e-12 && (variance.singles[0] - expected).abs() < 1e-12);
    }
}

#[test]
fn rows_are_the_trials_inside_the_domain() {
    let mut trials = trials(20, 0.0);
    trials[0].0.insert("word", "z");
    trials[1].0.0.shift_remove("rank");
    trials[2].1 = f64::NAN;
    for trial in &mut trials[..15] {
        trial.0.0.shift_remove("share");
    }
    let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
    let domain = Domain::new(&space(), &trials);
    assert_eq!(domain.absent, ["share"]);
    let rows = domain.rows(&trials);
    assert_eq!((rows.values.len(), rows.left_out), (17, 3));
    assert!(rows.columns.iter().all(|column| column.len() == 17));
    assert_eq!(Forest::fit(&Domain { axes: vec![], absent: vec![] }, &rows, ForestOptions::default()), None);
}
