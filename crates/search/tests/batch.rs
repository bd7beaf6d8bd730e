//! Batches of configurations against what the sampler `gp` suggests one after the other, on tables of real
//! trainings and on known functions with noise.

use std::f64::consts::PI;
use std::path::Path;
use std::sync::Arc;

use allometry_core::rng::{stream, uniform};
use allometry_core::{
    Direction, Distribution, FrozenTrial, ParamValue, Params, SamplerKind, SamplerSpec, SearchSpace,
    SizeBudget, TrialRng, TrialState,
};
use allometry_search::{Feasible, StudyView, batch, build_sampler, recommend};

/// Number of random trials before the first batch.
const START: usize = 20;
/// Number of configurations of a batch.
const BATCH: usize = 3;
/// Number of batches.
const BATCHES: usize = 4;

/// Draws the value of a configuration.
type Sample = dyn Fn(&Params, &mut TrialRng) -> f64 + Sync;

/// Returns one of the results of a course.
type Measure = fn(&Found) -> f64;

/// A loss with noise, whose mean is known.
struct World {
    name: &'static str,
    space: SearchSpace,
    /// The mean loss of a configuration.
    mean: Box<dyn Fn(&Params) -> f64 + Sync>,
    /// A loss as one training has it.
    sample: Box<Sample>,
    /// The least mean loss.
    least: f64,
    /// The median loss of random configurations, the unit of regret.
    median: f64,
}

fn x(params: &Params, name: &str) -> f64 {
    params.get(name).and_then(ParamValue::as_f64).unwrap()
}

fn gauss(rng: &mut TrialRng) -> f64 {
    (-2.0 * (1.0 - uniform(rng)).ln()).sqrt() * (2.0 * PI * uniform(rng)).cos()
}

fn feasible(space: &SearchSpace) -> Arc<Feasible> {
    Arc::new(Feasible::new(space, &SizeBudget::nominal("any"), |_| None).unwrap())
}

/// A function of numbers in [0, 1) with normal noise; `noise` is a share of the distance from the least to
/// the median loss.
fn function(name: &'static str, dimensions: usize, least: f64, noise: f64, mean: fn(&[f64]) -> f64) -> World {
    let range = || Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
    let space = SearchSpace((0..dimensions).map(|i| (format!("x{i}"), range())).collect());
    let mut rng = stream(3, name, 0);
    let mut losses: Vec<f64> =
        (0..2001).map(|_| mean(&(0..dimensions).map(|_| uniform(&mut rng)).collect::<Vec<f64>>())).collect();
    losses.sort_by(f64::total_cmp);
    let median = losses[1000];
    let of = move |params: &Params| {
        mean(&(0..dimensions).map(|i| x(params, &format!("x{i}"))).collect::<Vec<f64>>())
    };
    let noise = noise * (median - least);
    World {
        name,
        space,
        mean: Box::new(of),
        sample: Box::new(move |params, rng| of(params) + noise * gauss(rng)),
        least,
        median,
    }
}

fn branin(x: &[f64]) -> f64 {
    let (a, b) = (15.0 * x[0] - 5.0, 15.0 * x[1]);
    (b - 5.1 / (4.0 * PI * PI) * a * a + 5.0 / PI * a - 6.0).powi(2)
        + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * a.cos()
        + 10.0
}

fn hartmann(x: &[f64]) -> f64 {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let term = |i: usize| (0..6).map(|j| A[i][j] * (x[j] - P[i][j]).powi(2)).sum::<f64>();
    -[1.0, 1.2, 3.0, 3.2].iter().enumerate().map(|(i, weight)| weight * (-term(i)).exp()).sum::<f64>()
}

/// A narrow valley along a bent line beside a slope: a model of few trials expects most next to the best one.
fn valley(x: &[f64]) -> f64 {
    let (a, b) = (4.0 * x[0] - 2.0, 4.0 * x[1] - 1.0);
    (1.0 + 100.0 * (b - a * a).powi(2) + (1.0 - a).powi(2)).ln()
}

/// A table of real trainings under four seeds each.
fn table(name: &'static str) -> World {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/tables").join(format!("{name}.json"));
    let document: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let axes = document["params"].as_array().unwrap().iter().map(|param| {
        let values = param["values"].as_array().unwrap().iter().map(|value| match value.as_str() {
            Some(word) => ParamValue::from(word),
            None => ParamValue::Float(value.as_f64().unwrap()),
        });
        (param["name"].as_str().unwrap().to_owned(), values.collect())
    });
    let axes: Vec<(String, Vec<ParamValue>)> = axes.collect();
    let values: Vec<Vec<Option<f64>>> = serde_json::from_value(document["values"].clone()).unwrap();
    // A training that diverged counts as the worst one.
    let worst = values.iter().flatten().flatten().copied().fold(0.0, f64::max);
    let values: Vec<Vec<f64>> =
        values.iter().map(|seeds| seeds.iter().map(|value| value.unwrap_or(worst)).collect()).collect();
    let space = axes.iter().map(|(name, values)| (name.clone(), Distribution::list(values.clone())));
    let space = SearchSpace(space.collect());
    let mean_of = |seeds: &Vec<f64>| seeds.iter().sum::<f64>() / seeds.len() as f64;
    let mut means: Vec<f64> = values.iter().map(mean_of).collect();
    means.sort_by(f64::total_cmp);
    let (least, median) = (means[0], means[means.len() / 2]);
    let row = move |params: &Params| {
        axes.iter().fold(0, |row, (name, values)| {
            row * values.len() + values.iter().position(|one| Some(one) == params.get(name)).unwrap()
        })
    };
    let (values, row) = (Arc::new(values), Arc::new(row));
    let (same_values, same_row) = (Arc::clone(&values), Arc::clone(&row));
    World {
        name,
        space,
        mean: Box::new(move |params| mean_of(&values[row(params)])),
        sample: Box::new(move |params, rng| {
            let seeds = &same_values[same_row(params)];
            seeds[(uniform(rng) * seeds.len() as f64) as usize]
        }),
        least,
        median,
    }
}

/// What one course found.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// Regret of the best configuration after the first batch and after the last one.
    best: [f64; 2],
    /// Regret of the recommended one after the last batch.
    recommended: f64,
    /// Smallest distance between two configurations of a batch, in ranges of single parameters, on average.
    distance: f64,
}

impl World {
    fn evaluate(&self, params: Params, seed: u64, finished: &mut Vec<FrozenTrial>) {
        let number = finished.len() as u64;
        let value = (self.sample)(&params, &mut stream(seed, "value", number));
        finished.push(FrozenTrial::new(number, TrialState::Complete, Some(value), params));
    }

    fn regret(&self, params: &Params) -> f64 {
        ((self.mean)(params) - self.least) / (self.median - self.least)
    }

    /// Returns the root mean square of the distances of two configurations along their parameters.
    fn distance(&self, a: &Params, b: &Params) -> f64 {
        let axes = self.space.iter().map(|(name, set)| {
            let (low, high) = match set {
                Distribution::Categorical { choices, .. } => {
                    let at = |params: &Params| {
                        choices.iter().position(|one| Some(one) == params.get(name)).unwrap() as f64
                    };
                    return (at(a) - at(b)) / (choices.len() - 1) as f64;
                }
                Distribution::Float { low, high, .. } => (*low, *high),
                Distribution::Int { .. } => unreachable!("no world has integers"),
            };
            (x(a, name) - x(b, name)) / (high - low)
        });
        let squares: Vec<f64> = axes.map(|difference| difference * difference).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    }

    fn play(&self, seed: u64, is_batch: bool) -> Found {
        let feasible = feasible(&self.space);
        let directions = [Direction::Minimize];
        let spec = |kind| SamplerSpec { probes: false, ..SamplerSpec::new(kind) };
        let sampler = |kind| build_sampler(&directions, spec(kind), Arc::clone(&feasible), seed).unwrap();
        let mut finished = Vec::new();
        let mut random = sampler(SamplerKind::Random);
        for number in 0..START {
            let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
            let params = random.suggest(&view, &mut stream(seed, "sampler", number as u64)).unwrap().params;
            self.evaluate(params, seed, &mut finished);
        }
        let (mut best, mut distances) = ([0.0; 2], Vec::new());
        for round in 0..BATCHES {
            let mut proposals: Vec<Params> = Vec::new();
            if is_batch {
                let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
                let mut rng = stream(seed, "batch", finished.len() as u64);
                proposals = batch(&view, &feasible, &directions, BATCH, &mut rng).unwrap();
            } else {
                let mut gp = sampler(SamplerKind::Gp);
                let mut running: Vec<FrozenTrial> = Vec::new();
                for number in finished.len()..finished.len() + BATCH {
                    let view = StudyView { finished: &finished, running: &running, other_budgets: &[] };
                    let mut rng = stream(seed, "sampler", number as u64);
                    let params = gp.suggest(&view, &mut rng).unwrap().params;
                    running.push(FrozenTrial::new(number as u64, TrialState::Running, None, params.clone()));
                    proposals.push(params);
                }
            }
            let pairs = (0..BATCH).flat_map(|i| (0..i).map(move |j| (i, j)));
            let distance = pairs.map(|(i, j)| self.distance(&proposals[i], &proposals[j]));
            distances.push(distance.fold(f64::INFINITY, f64::min));
            for params in proposals {
                self.evaluate(params, seed, &mut finished);
            }
            let regrets = finished.iter().map(|trial| self.regret(&trial.params));
            let least = regrets.fold(f64::INFINITY, f64::min);
            if round == 0 {
                best[0] = least;
            }
            best[1] = least;
        }
        let recommended = recommend(&finished, &self.space, Direction::Minimize).unwrap();
        let recommended = self.regret(&recommended.params);
        let distance = distances.iter().sum::<f64>() / distances.len() as f64;
        Found { best, recommended, distance }
    }
}

/// Returns the geometric mean over the worlds of the quotient of the mean regrets of both, with its 95%
/// interval over courses, which are resampled within each world.
fn ratio(all: &[Vec<[Found; 2]>], of: Measure) -> [f64; 3] {
    let quotient = |pick: &mut dyn FnMut(usize, usize) -> usize| {
        let log = |courses: &Vec<[Found; 2]>| {
            let mut sums = [0.0; 2];
            for place in 0..courses.len() {
                let course = &courses[pick(place, courses.len())];
                sums.iter_mut().zip(course).for_each(|(sum, found)| *sum += of(found));
            }
            (sums[1] / sums[0]).ln()
        };
        (all.iter().map(log).sum::<f64>() / all.len() as f64).exp()
    };
    let mut rng = stream(5, "ratio", 0);
    let mut drawn: Vec<f64> =
        (0..1000).map(|_| quotient(&mut |_, count| (uniform(&mut rng) * count as f64) as usize)).collect();
    drawn.sort_by(f64::total_cmp);
    [quotient(&mut |place, _| place), drawn[24], drawn[974]]
}

/// Batches find better configurations than suggestions of the sampler `gp` that know each other as pending.
/// `ALLOMETRY_SIMULATIONS` sets the number of courses of each world.
#[test]
fn batches_find_more_than_single_suggestions() {
    let courses: u64 = std::env::var("ALLOMETRY_SIMULATIONS").map_or(12, |count| count.parse().unwrap());
    let worlds = [
        table("plain-digits"),
        table("plain-wine"),
        table("sgd-spirals"),
        function("Branin", 2, 0.397_887, 0.02, branin),
        function("Branin, noisy", 2, 0.397_887, 0.2, branin),
        function("valley", 2, 0.0, 0.05, valley),
        function("Hartmann", 6, -3.322_37, 0.02, hartmann),
        function("Hartmann, noisy", 6, -3.322_37, 0.2, hartmann),
    ];
    let all: Vec<Vec<[Found; 2]>> = worlds
        .iter()
        .map(|world| {
            let play = |seed: u64| [world.play(seed, false), world.play(seed, true)];
            let courses: Vec<[Found; 2]> = std::thread::scope(|scope| {
                let half = |from: u64| move || (from..courses).step_by(2).map(play).collect::<Vec<_>>();
                let other = scope.spawn(half(1));
                let mut found = half(0)();
                found.extend(other.join().unwrap());
                found
            });
            let mean = |which: usize, of: Measure| {
                courses.iter().map(|pair| of(&pair[which])).sum::<f64>() / courses.len() as f64
            };
            println!("{}:", world.name);
            let of: [(&str, Measure); 4] = [
                ("best after one batch", |one| one.best[0]),
                ("best after four", |one| one.best[1]),
                ("recommended after four", |one| one.recommended),
                ("distance", |one| one.distance),
            ];
            for (name, of) in of {
                println!("  {name}: single {:.4}, batch {:.4}", mean(0, of), mean(1, of));
            }
            courses
        })
        .collect();
    let [first, last, recommended]: [Measure; 3] =
        [|one| one.best[0], |one| one.best[1], |one| one.recommended];
    let measures = [
        ("the best after one batch", first),
        ("the best after four batches", last),
        ("the recommended one after four batches", recommended),
    ];
    let found = measures.map(|(name, of)| {
        let [point, lower, upper] = ratio(&all, of);
        println!("{name}: {point:.3} ({lower:.3} to {upper:.3}) of the regret of single suggestions");
        point
    });
    assert!(found[1] < 1.0, "{found:?}");
    for (world, courses) in worlds.iter().zip(&all) {
        let mean = |which: usize| courses.iter().map(|pair| pair[which].distance).sum::<f64>();
        assert!(mean(1) > mean(0), "{}: {} {}", world.name, mean(1), mean(0));
    }
}
