//! Tests of scaling laws: published runs with the fit of others, and the coverage of intervals by simulation.

use allometry_analysis::law::{LawAxis, LawOptions, LawPoint, LawProblem, fit_law};
use allometry_analysis::stats::normal;
use allometry_analysis::stats::random::uniform;
use allometry_core::rng::{TrialRng, stream};
use rayon::prelude::*;

fn gauss(rng: &mut TrialRng) -> f64 {
    normal::quantile(uniform(rng).clamp(1e-12, 1.0 - 1e-12))
}

/// Returns the runs of Hoffmann et al. 2022, with `D = C / 6N`, but for the five largest losses.
fn published(test: &str) -> Option<Vec<LawPoint>> {
    let path = allometry_testkit::reference_file(test, "data/scaling/chinchilla-points.csv")?;
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let mut points: Vec<LawPoint> = text
        .lines()
        .skip(1)
        .map(|line| {
            let row: Vec<f64> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
            LawPoint { sizes: vec![row[0], row[1] / 6.0 / row[0]], loss: row[2] }
        })
        .collect();
    points.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    points.truncate(points.len() - 5);
    Some(points)
}

/// Besiroglu et al. 2024 publish A = 482.01, B = 2085.43, E = 1.8172, alpha = 0.34781 and beta = 0.36585 with
/// an objective of 0.00101865, which their rounded parameters raise to 0.00101876. The minimum, which
/// `SciPy`'s Nelder-Mead finds too from thirty starts, is 0.00101828 at the values below.
#[test]
fn published_runs_have_their_published_law() {
    let Some(points) = published("published_runs_have_their_published_law") else { return };
    let axes = [LawAxis::Weights, LawAxis::Data];
    let law = fit_law(&axes, &points, &LawOptions::default()).expect("the runs bear a law");
    assert!(law.objective < 0.001_018_29, "{}", law.objective);
    let [n, d] = [&law.axes[0], &law.axes[1]];
    for (name, found, published) in [
        ("alpha", n.exponent.point, 0.347_81),
        ("beta", d.exponent.point, 0.365_85),
        ("E", law.floor.point, 1.817_2),
    ] {
        assert!((found / published - 1.0).abs() < 0.005, "{name} is {found}");
    }
    for (name, found, minimum) in [
        ("A", n.amplitude.point, 477.870_3),
        ("B", d.amplitude.point, 2_142.996),
        ("alpha", n.exponent.point, 0.347_316_5),
        ("beta", d.exponent.point, 0.367_162_6),
    ] {
        assert!((found / minimum - 1.0).abs() < 0.001, "{name} is {found}");
    }
    // Their standard errors are about 0.02 for both exponents and 0.03 for the floor.
    let se = |ends: allometry_analysis::law::LawEstimate| (ends.upper - ends.lower) / 3.92;
    assert!((0.008..0.03).contains(&se(n.exponent)), "{:?}", n.exponent);
    assert!((0.008..0.04).contains(&se(d.exponent)), "{:?}", d.exponent);
    assert!((0.01..0.06).contains(&se(law.floor)), "{:?}", law.floor);
    assert_eq!(law.diverged, 0);
    // The run with the largest compute is better than the others let expect.
    let forecast = law.held_out.expect("the largest compute is forecast");
    assert!((forecast.miss + 0.025).abs() < 0.002 && !forecast.is_inside, "{forecast:?}");
    // Hoffmann et al. call for about 20 rows per weight at their budget.
    let optimum = &law.optima[0];
    assert!((5.0..50.0).contains(&(optimum.data.point / optimum.weights.point)), "{optimum:?}");
}

/// A simulated table: its number of sizes, of runs of the smallest and the largest size, the noise of
/// runs and of sizes as parts of the loss, and the share of diverged runs.
#[derive(Debug, Clone, Copy)]
struct Table {
    sizes: usize,
    runs: (usize, usize),
    run_noise: f64,
    size_noise: f64,
    diverged: f64,
}

/// Returns runs of `loss = 1.69 + 406 / N^0.34`, of which some diverged. All runs of a size share the
/// noise of its size, such as that of its best configuration.
fn synthetic(table: Table, rng: &mut TrialRng) -> Vec<LawPoint> {
    let mut points = Vec::new();
    for place in 0..table.sizes {
        let part = place as f64 / (table.sizes - 1) as f64;
        let size = 1e6 * 1e3_f64.powf(part);
        let runs = table.runs.0 as f64 + part * (table.runs.1 as f64 - table.runs.0 as f64);
        let of_size = table.size_noise * gauss(rng);
        for _ in 0..runs.round() as usize {
            let noise = of_size + table.run_noise * gauss(rng);
            let sound = (1.69 + 406.0 * size.powf(-0.34)) * noise.exp();
            let loss = if uniform(rng) < table.diverged { sound * (1.5 + 3.0 * uniform(rng)) } else { sound };
            points.push(LawPoint { sizes: vec![size], loss });
        }
    }
    points
}

/// Returns the number of simulated tables of each kind.
fn tables() -> u64 {
    std::env::var("ALLOMETRY_LAW_TABLES").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// Prints and returns how often intervals cover the truth; `None` where there is no interval.
fn rates(what: &str, names: &[&str], covered: &[Vec<Option<bool>>]) -> Vec<Option<f64>> {
    let rate = |place: usize| {
        let known: Vec<bool> = covered.iter().filter_map(|one| one[place]).collect();
        let count = known.iter().filter(|is_covered| **is_covered).count() as f64;
        (!known.is_empty()).then(|| count / known.len() as f64)
    };
    let rates: Vec<Option<f64>> = (0..names.len()).map(rate).collect();
    println!("{what}: {names:?}: {rates:?}");
    rates
}

/// Checks rates against the stated 95%.
fn check(what: &str, names: &[&str], covered: &[Vec<Option<bool>>]) {
    let error = (0.95 * 0.05 / covered.len() as f64).sqrt();
    for (rate, name) in rates(what, names, covered).into_iter().zip(names) {
        assert!(rate.is_none_or(|rate| (rate - 0.95).abs() < 0.01 + 3.0 * error), "{what}, {name}: {rate:?}");
    }
}

const COVERED: [&str; 4] = ["exponent", "floor", "next", "held out"];

/// Returns which intervals cover the truth in simulated tables; `None` for a forecast that is refused.
fn covered(table: Table, kind: u64) -> Vec<Vec<Option<bool>>> {
    let options = LawOptions { replicates: 200, ..LawOptions::default() };
    (0..tables())
        .into_par_iter()
        .map(|number| {
            let points = synthetic(table, &mut stream(number, "law", kind));
            let law = fit_law(&[LawAxis::Weights], &points, &options).expect("the runs bear a law");
            let next: f64 = 1.69 + 406.0 * law.next.sizes[0].powf(-0.34);
            vec![
                Some(law.axes[0].exponent.interval().contains(0.34)),
                Some(law.floor.interval().contains(1.69)),
                Some(law.next.loss.interval().contains(next)),
                law.held_out.map(|forecast| forecast.is_inside),
            ]
        })
        .collect()
}

/// The 95% intervals of the exponent, the floor, the next size and the forecast cover the truth in 95% of
/// simulated tables; `ALLOMETRY_LAW_TABLES` sets their number.
#[test]
fn intervals_of_a_law_cover_the_truth() {
    for (kind, (sizes, runs, size_noise, diverged)) in [
        (5, (3, 3), 0.0, 0.05),
        (5, (20, 20), 0.0, 0.05),
        (8, (3, 3), 0.0, 0.05),
        (8, (20, 20), 0.0, 0.05),
        (8, (20, 3), 0.0, 0.05),
        (8, (1, 1), 0.0, 0.0),
        (6, (20, 3), 0.005, 0.05),
        (8, (20, 3), 0.01, 0.05),
    ]
    .into_iter()
    .enumerate()
    {
        let table = Table { sizes, runs, run_noise: 0.01, size_noise, diverged };
        check(&format!("{table:?}"), &COVERED, &covered(table, kind as u64));
    }
}

/// A diverged run that is alone at the smallest size cannot be told from a steeper law.
#[test]
fn intervals_cover_less_often_where_a_diverged_run_is_alone() {
    let table = Table { sizes: 8, runs: (1, 1), run_noise: 0.01, size_noise: 0.0, diverged: 0.05 };
    let rates = rates(&format!("{table:?}"), &COVERED, &covered(table, 9));
    assert!(rates[..3].iter().flatten().all(|rate| (0.8..1.0).contains(rate)), "{rates:?}");
}

/// A simulated table of runs over weights and data.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// Number of sizes of weights, and of runs of each.
    runs: [usize; 2],
    /// Whether all runs of a size have exactly its weights, as the checkpoints of one model do.
    same: bool,
    /// Share of diverged runs.
    diverged: f64,
    /// Noise that the runs of a size share, as a part of the loss.
    shared: f64,
}

/// The floor, and the amplitude and the exponent of weights and of data.
const OF_TWO: (f64, [f64; 2], [f64; 2]) = (1.8, [480.0, 0.35], [2_100.0, 0.37]);

fn of_two(n: f64, d: f64) -> f64 {
    let (e, [a, alpha], [b, beta]) = OF_TWO;
    e + a * n.powf(-alpha) + b * d.powf(-beta)
}

impl Grid {
    /// Returns runs with 0.5% noise.
    fn points(self, number: u64, kind: u64) -> Vec<LawPoint> {
        let mut rng = stream(number, "law of two", kind);
        let mut places = stream(number, "places of two", kind);
        let [sizes, rows] = self.runs;
        let mut points = Vec::new();
        for n in 0..sizes {
            let of_size = self.shared * gauss(&mut rng);
            let mut part = |place: usize, of: usize| (place as f64 + 0.3 * gauss(&mut places)) / of as f64;
            let same = part(n, sizes);
            for d in 0..rows {
                let n = if self.same { same } else { part(n, sizes) };
                let (n, d) = (1e7 * 1e3_f64.powf(n), 1e9 * 1e2_f64.powf(part(d, rows)));
                let noise = (of_size + 0.005 * gauss(&mut rng)).exp();
                let diverged = if uniform(&mut rng) < self.diverged { 1.0 + uniform(&mut rng) } else { 1.0 };
                points.push(LawPoint { sizes: vec![n, d], loss: of_two(n, d) * noise * diverged });
            }
        }
        points
    }

    /// Returns the number of simulated tables; many runs take long to fit.
    fn tables(self) -> u64 {
        if self.runs[0] * self.runs[1] > 100 { tables() / 4 } else { tables() / 2 }
    }
}

/// The 95% intervals of a law over weights and data cover the truth too.
#[test]
fn intervals_of_a_law_over_two_axes_cover_the_truth() {
    let options = LawOptions { replicates: 200, ..LawOptions::default() };
    let (e, [a, alpha], [b, beta]) = OF_TWO;
    let covered_by = |grid: Grid, kind: u64| {
        (0..grid.tables())
            .into_par_iter()
            .map(|number| {
                let points = grid.points(number, kind);
                let axes = [LawAxis::Weights, LawAxis::Data];
                let law = fit_law(&axes, &points, &options).expect("the runs bear a law");
                let next = of_two(law.next.sizes[0], law.next.sizes[1]);
                let optimum = law.optima.first().map(|optimum| {
                    let scale = (alpha * a / (beta * b)).powf(1.0 / (alpha + beta));
                    let best = scale * (optimum.compute / 6.0).powf(beta / (alpha + beta));
                    optimum.weights.interval().contains(best)
                });
                vec![
                    Some(law.axes[0].exponent.interval().contains(alpha)),
                    Some(law.axes[1].exponent.interval().contains(beta)),
                    Some(law.floor.interval().contains(e)),
                    Some(law.next.loss.interval().contains(next)),
                    law.held_out.map(|forecast| forecast.is_inside),
                    optimum,
                ]
            })
            .collect::<Vec<Vec<Option<bool>>>>()
    };
    let grid = Grid { runs: [6, 6], same: false, diverged: 0.0, shared: 0.0 };
    for (kind, grid) in [
        grid,
        Grid { diverged: 0.05, ..grid },
        Grid { runs: [14, 14], diverged: 0.05, ..grid },
        Grid { runs: [10, 30], same: true, shared: 0.01, ..grid },
        Grid { runs: [10, 10], same: true, diverged: 0.05, shared: 0.005 },
        Grid { runs: [20, 6], same: true, shared: 0.01, ..grid },
        Grid { runs: [10, 10], same: true, diverged: 0.05, ..grid },
    ]
    .into_iter()
    .enumerate()
    {
        check(
            &format!("{grid:?}"),
            &["alpha", "beta", "floor", "next", "held out", "optimum"],
            &covered_by(grid, kind as u64),
        );
    }
}

/// A lack of fit is found in about 5% of tables whose runs follow the law with noise of their own, and in
/// most where sizes share noise twice as large.
#[test]
fn a_lack_of_fit_is_found_at_its_level() {
    let options = LawOptions { replicates: 1, ..LawOptions::default() };
    let found = |axes: &[LawAxis], points: &[LawPoint]| {
        let law = fit_law(axes, points, &options).expect("the runs bear a law");
        law.lack_of_fit.expect("sizes have several runs") < 0.05
    };
    let rate = |what: &str, count: u64, is_found: &(dyn Fn(u64) -> bool + Sync)| {
        let found = (0..count).into_par_iter().filter(|number| is_found(*number)).count();
        let rate = found as f64 / count as f64;
        println!("{what}: a lack of fit in {:.1}% of {count}", 100.0 * rate);
        (rate, 3.0 * (0.05 * 0.95 / count as f64).sqrt())
    };
    for (kind, (runs, size_noise)) in [(3, 0.0), (20, 0.0), (20, 0.02)].into_iter().enumerate() {
        let table = Table { sizes: 8, runs: (runs, runs), run_noise: 0.01, size_noise, diverged: 0.05 };
        let is_found = |number: u64| {
            found(&[LawAxis::Weights], &synthetic(table, &mut stream(number, "lack of fit", kind as u64)))
        };
        let (rate, slack) = rate(&format!("{table:?}"), tables() / 2, &is_found);
        assert!(if size_noise > 0.0 { rate > 0.8 } else { rate < 0.06 + slack }, "{table:?}: {rate}");
    }
    let grid = Grid { runs: [10, 10], same: true, diverged: 0.0, shared: 0.0 };
    for (kind, grid) in [
        grid,
        Grid { diverged: 0.05, ..grid },
        Grid { runs: [20, 4], diverged: 0.05, ..grid },
        Grid { shared: 0.01, ..grid },
    ]
    .into_iter()
    .enumerate()
    {
        let is_found =
            |number: u64| found(&[LawAxis::Weights, LawAxis::Data], &grid.points(number, 20 + kind as u64));
        let (rate, slack) = rate(&format!("{grid:?}"), tables() / 2, &is_found);
        assert!(if grid.shared > 0.0 { rate > 0.8 } else { rate < 0.06 + slack }, "{grid:?}: {rate}");
    }
}

#[test]
fn diverged_runs_do_not_move_the_law() {
    let mut rng = stream(1, "law", 0);
    let table = Table { sizes: 8, runs: (20, 20), run_noise: 0.01, size_noise: 0.0, diverged: 0.05 };
    let points = synthetic(table, &mut rng);
    let law = fit_law(&[LawAxis::Weights], &points, &LawOptions::default()).unwrap();
    assert!((law.axes[0].exponent.point - 0.34).abs() < 0.02, "{:?}", law.axes[0]);
    assert!(law.diverged >= 4, "{}", law.diverged);
}

#[test]
fn runs_that_cannot_bear_a_law_are_refused() {
    let runs = |sizes: &[f64]| -> Vec<LawPoint> {
        sizes
            .iter()
            .map(|size| LawPoint { sizes: vec![*size], loss: 2.0 + 100.0 * size.powf(-0.3) })
            .collect()
    };
    let refused = |sizes: &[f64]| {
        fit_law(&[LawAxis::Weights], &runs(sizes), &LawOptions::default()).expect_err("too little")
    };
    assert_eq!(
        refused(&[1e6, 2e6, 4e6, 4e6, 1e8]),
        LawProblem::FewSizes { axis: LawAxis::Weights, found: 4, needed: 5 }
    );
    assert!(matches!(refused(&[1e6, 2e6, 3e6, 4e6, 5e6]), LawProblem::NarrowRange { .. }));
    assert_eq!(refused(&[1e6, 0.0, 1e7]), LawProblem::NotPositive { row: 1 });
    let rising: Vec<LawPoint> = (0..6)
        .map(|place| LawPoint { sizes: vec![1e6 * 3.0_f64.powi(place)], loss: 0.7 + 0.01 * f64::from(place) })
        .collect();
    let accuracy = fit_law(&[LawAxis::Weights], &rising, &LawOptions::default());
    assert_eq!(accuracy, Err(LawProblem::Rising { axis: LawAxis::Weights, correlation: 1.0 }));
    let together: Vec<LawPoint> = (0..9)
        .map(|place| {
            let size = 1e6 * 2.0_f64.powi(place);
            LawPoint { sizes: vec![size, 20.0 * size], loss: 2.0 + size.powf(-0.1) }
        })
        .collect();
    let refused = fit_law(&[LawAxis::Weights, LawAxis::Data], &together, &LawOptions::default());
    assert!(matches!(refused, Err(LawProblem::Together { .. })), "{refused:?}");
}

/// Runs around the best size, and more to one side, at each of three amounts of compute: the parabola finds
/// about the best weights of the law `2 + 406 / N^0.34 + 410 / D^0.28`, and the law's interval covers them.
#[test]
fn the_least_loss_at_given_compute_is_found() {
    let best = |product: f64| {
        let scale = (0.34 * 406.0 / (0.28_f64 * 410.0)).powf(1.0 / 0.62);
        scale * product.powf(0.28 / 0.62)
    };
    for (name, steps, noise) in [
        ("9 sizes, noise 0.2%", -4..=4, 0.002),
        ("9 sizes, noise 1%", -4..=4, 0.01),
        ("15 sizes, noise 1%", -7..=7, 0.01),
        ("12 sizes, more of large ones, noise 0.5%", -4..=7, 0.005),
    ] {
        let (mut near, mut by_law, mut told, mut groups) = (0, 0, 0, 0);
        for table in 0..tables() {
            let mut rng = stream(5, name, table);
            let mut points = Vec::new();
            for compute in [1e18_f64, 1e19, 1e20] {
                for step in steps.clone() {
                    // Runs of a group differ a little in compute.
                    let product = compute / 6.0 * 10.0_f64.powf(0.05 * uniform(&mut rng));
                    let weights = best(compute / 6.0) * 1.6_f64.powi(step);
                    let data = product / weights;
                    let loss = 2.0 + 406.0 * weights.powf(-0.34) + 410.0 * data.powf(-0.28);
                    let loss = loss * (noise * gauss(&mut rng)).exp();
                    points.push(LawPoint { sizes: vec![weights, data], loss });
                }
            }
            let options = LawOptions { replicates: 200, ..LawOptions::default() };
            let law = fit_law(&[LawAxis::Weights, LawAxis::Data], &points, &options).expect("a law");
            groups += 3;
            for group in &law.isoflops {
                let truth = best(group.compute / 6.0);
                told += 1;
                near += u64::from((group.weights / truth).ln().abs() < 1.5_f64.ln());
                by_law += u64::from(group.by_law.interval().contains(truth));
            }
        }
        let [told_share, near, by_law] =
            [(told, groups), (near, told), (by_law, told)].map(|(of, among)| of as f64 / among.max(1) as f64);
        println!(
            "| {name} | told {:.1}% | parabola within 1.5 times {:.1}% | law covers {:.1}% |",
            told_share * 100.0,
            near * 100.0,
            by_law * 100.0
        );
        assert!(near >= 0.9, "{name}: {near}");
        assert!(by_law >= 0.88, "{name}: {by_law}");
    }
}
