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

/// Returns runs of `loss = 1.69 + 406 / N^0.34`, with 1% noise, of which 5% diverged.
fn synthetic(sizes: usize, runs: usize, rng: &mut TrialRng) -> Vec<LawPoint> {
    (0..sizes)
        .flat_map(|place| {
            std::iter::repeat_n(1e6 * 10.0_f64.powf(3.0 * place as f64 / (sizes - 1) as f64), runs)
        })
        .map(|size: f64| {
            let sound = (1.69 + 406.0 * size.powf(-0.34)) * (0.01 * gauss(rng)).exp();
            let loss = if uniform(rng) < 0.05 { sound * (1.5 + 3.0 * uniform(rng)) } else { sound };
            LawPoint { sizes: vec![size], loss }
        })
        .collect()
}

/// The 95% intervals of the exponent, the floor, the next size and the forecast cover the truth in 95% of
/// simulated tables; `ALLOMETRY_LAW_TABLES` sets their number.
#[test]
fn intervals_of_a_law_cover_the_truth() {
    let tables = std::env::var("ALLOMETRY_LAW_TABLES").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let options = LawOptions { replicates: 200, ..LawOptions::default() };
    for (sizes, runs) in [(5, 3), (5, 20), (8, 3), (8, 20)] {
        let covered: Vec<[bool; 4]> = (0..tables)
            .into_par_iter()
            .map(|table| {
                let mut rng = stream(table, "law", (sizes * 100 + runs) as u64);
                let points = synthetic(sizes, runs, &mut rng);
                let law = fit_law(&[LawAxis::Weights], &points, &options).expect("the runs bear a law");
                let next: f64 = 1.69 + 406.0 * law.next.sizes[0].powf(-0.34);
                [
                    law.axes[0].exponent.interval().contains(0.34),
                    law.floor.interval().contains(1.69),
                    law.next.loss.interval().contains(next),
                    law.held_out.is_none_or(|forecast| forecast.is_inside),
                ]
            })
            .collect();
        let rate = |place: usize| covered.iter().filter(|one| one[place]).count() as f64 / tables as f64;
        let rates = [rate(0), rate(1), rate(2), rate(3)];
        println!("{sizes} sizes of {runs} runs: exponent, floor, next, held out: {rates:?}");
        let error = (0.95 * 0.05 / tables as f64).sqrt();
        for (rate, what) in rates.iter().zip(["exponent", "floor", "next size", "held out"]) {
            assert!((rate - 0.95).abs() < 0.01 + 3.0 * error, "{what}: {rate}");
        }
    }
}

#[test]
fn diverged_runs_do_not_move_the_law() {
    let mut rng = stream(1, "law", 0);
    let points = synthetic(8, 20, &mut rng);
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
    let together: Vec<LawPoint> = (0..9)
        .map(|place| {
            let size = 1e6 * 2.0_f64.powi(place);
            LawPoint { sizes: vec![size, 20.0 * size], loss: 2.0 + size.powf(-0.1) }
        })
        .collect();
    let refused = fit_law(&[LawAxis::Weights, LawAxis::Data], &together, &LawOptions::default());
    assert!(matches!(refused, Err(LawProblem::Together { .. })), "{refused:?}");
}
