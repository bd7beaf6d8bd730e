//! Plays `gp` on recorded ladders (made by `benches/peers/ladder_tables.py`), budget after budget: each trial is told one of the seeds' values
//! of its configuration, and what counts is the mean over all seeds.
//!
//! `play_ladders ARM SEEDS TRIALS LADDER...`, ARM `alone` or `shared`, writes a JSON list of runs to standard output, one for each ladder, budget after the first
//! and seed: normalised regret (0: best configuration of the budget, 1: median one) of the recommended configuration, of the best told one and of the
//! best one visited after 10, 15, 25 and 50 trials, and the seconds that the sampler took. `benches/peers/between_budgets.py` compares two such lists.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use allometry_core::ladder::{SamplerKind, SamplerSpec};
use allometry_core::rng::stream;
use allometry_core::sampler::{OtherBudget, build, recommend};
use allometry_core::space::Feasible;
use allometry_core::{
    ChoiceOrder, Direction, Distribution, FrozenTrial, ParamValue, SearchSpace, SizeBudget, StudyView,
    TrialState,
};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Parameter {
    name: String,
    values: Vec<ParamValue>,
}

#[derive(Deserialize)]
struct Budget {
    weights: f64,
    params: Vec<Parameter>,
    values: Vec<Vec<Option<f64>>>,
}

#[derive(Deserialize)]
struct Ladder {
    name: String,
    budgets: Vec<Budget>,
}

#[derive(Serialize)]
struct Run {
    table: String,
    seed: u64,
    recommended: BTreeMap<String, f64>,
    told: BTreeMap<String, f64>,
    visited: BTreeMap<String, f64>,
    /// Whether the other budgets' trials were dropped.
    dropped: bool,
    seconds: f64,
}

/// A budget whose every configuration was trained.
struct Recorded {
    label: String,
    decades: f64,
    feasible: Arc<Feasible>,
    places: HashMap<String, usize>,
    values: Vec<Vec<Option<f64>>>,
    means: Vec<f64>,
    best: f64,
    median: f64,
}

const CHECKPOINTS: [usize; 4] = [10, 15, 25, 50];

impl Recorded {
    fn new(budget: Budget) -> Self {
        let mean = |row: &Vec<Option<f64>>| {
            let values: Option<Vec<f64>> = row.iter().copied().collect();
            values.map(|v| v.iter().sum::<f64>() / v.len() as f64)
        };
        let means: Vec<Option<f64>> = budget.values.iter().map(mean).collect();
        let worst = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let means: Vec<f64> = means.into_iter().map(|m| m.unwrap_or(worst)).collect();
        let mut sorted = means.clone();
        sorted.sort_by(f64::total_cmp);
        let set = |p: Parameter| {
            (p.name, Distribution::Categorical { choices: p.values, order: ChoiceOrder::Ordinal })
        };
        let space = SearchSpace(budget.params.into_iter().map(set).collect());
        let label = format!("{}", budget.weights);
        let feasible = Feasible::new(&space, &SizeBudget::nominal(&label), |_| None);
        let feasible = Arc::new(feasible.expect("a table has configurations"));
        let places = (0..means.len())
            .map(|i| (feasible.params(&feasible.configuration(i as u64)).to_string(), i))
            .collect();
        let (best, median) = (sorted[0], sorted[sorted.len() / 2]);
        let decades = budget.weights.log10();
        Self { label, decades, feasible, places, values: budget.values, means, best, median }
    }

    fn regret(&self, place: usize) -> f64 {
        (self.means[place] - self.best) / (self.median - self.best)
    }

    /// A study of `trials` trials, and what it came to.
    fn play(
        &self,
        table: String,
        seed: u64,
        trials: usize,
        others: &[OtherBudget<'_>],
    ) -> (Vec<FrozenTrial>, Run) {
        let spec = SamplerSpec { probes: false, ..SamplerSpec::new(SamplerKind::Gp) };
        let mut sampler =
            build(&[Direction::Minimize], spec, Arc::clone(&self.feasible), seed).expect("a sampler");
        let mut run = Run {
            table,
            seed,
            recommended: BTreeMap::new(),
            told: BTreeMap::new(),
            visited: BTreeMap::new(),
            dropped: false,
            seconds: 0.0,
        };
        let mut finished: Vec<FrozenTrial> = Vec::new();
        let mut visited = Vec::new();
        for number in 0..trials {
            let view = StudyView { finished: &finished, running: &[], others };
            let mut rng = stream(seed, &format!("sampler/{}", self.label), number as u64);
            let start = Instant::now();
            let suggestion = sampler.suggest(&view, &mut rng).expect("a suggestion");
            run.seconds += start.elapsed().as_secs_f64();
            run.dropped |= sampler.carried_over().and_then(|c| c.guard).is_some_and(|guard| !guard.holds());
            let place = self.places[&suggestion.params.to_string()];
            let replicates = &self.values[place];
            let pick = stream(seed, &format!("replicate/{}", self.label), place as u64).next_u64() as usize
                % replicates.len();
            let state = if replicates[pick].is_some() { TrialState::Complete } else { TrialState::Failed };
            let mut trial = FrozenTrial::new(number as u64, state, replicates[pick], suggestion.params);
            trial.record.origin = Some(suggestion.origin);
            finished.push(trial);
            visited.push(place);
            if CHECKPOINTS.contains(&(number + 1)) {
                let key = (number + 1).to_string();
                let recommended = recommend(&finished, self.feasible.space(), Direction::Minimize);
                let recommended = recommended.expect("a recommendation").params.to_string();
                run.recommended.insert(key.clone(), self.regret(self.places[&recommended]));
                let told = finished.iter().enumerate().filter_map(|(i, t)| Some((t.value?, i)));
                let told = told.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, i)| i);
                run.told.insert(key.clone(), self.regret(visited[told]));
                let best = visited.iter().map(|place| self.regret(*place)).fold(f64::INFINITY, f64::min);
                run.visited.insert(key, best);
            }
        }
        (finished, run)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_shared = arguments[0] == "shared";
    let (seeds, trials): (u64, usize) =
        (arguments[1].parse().expect("seeds"), arguments[2].parse().expect("trials"));
    let mut runs = Vec::new();
    for path in &arguments[3..] {
        let text = std::fs::read_to_string(path).expect("a ladder");
        let ladder: Ladder = serde_json::from_str(&text).expect("a ladder");
        let budgets: Vec<Recorded> = ladder.budgets.into_iter().map(Recorded::new).collect();
        for seed in 0..seeds {
            let mut played: Vec<Vec<FrozenTrial>> = Vec::new();
            for budget in &budgets {
                let others: Vec<OtherBudget<'_>> = played
                    .iter()
                    .zip(&budgets)
                    .filter(|_| is_shared)
                    .map(|(finished, other)| OtherBudget {
                        label: &other.label,
                        decades: other.decades - budget.decades,
                        space: other.feasible.space(),
                        finished,
                    })
                    .collect();
                let table = format!("{}/{}", ladder.name, budget.label);
                let (finished, run) = budget.play(table, seed, trials, &others);
                if !played.is_empty() {
                    runs.push(run);
                }
                played.push(finished);
            }
        }
    }
    println!("{}", serde_json::to_string(&runs).expect("a run has text keys"));
}
