//! Runs `gp` on recorded ladders (made by `benches/peers/ladder_tables.py`), one budget after another. Each
//! trial has the value of one seed of its configuration; regrets use the mean over all seeds.
//!
//! `play_ladders ARM SEEDS TRIALS LADDER...`, with ARM `alone` or `shared`, writes a JSON list of runs to
//! standard output, one for each ladder, budget after the first and seed. A run has the normalized regret (0:
//! best configuration of the budget, 1: median one) after 10, 15, 25 and 50 trials of the recommended
//! configuration, of the one with the best value and of the best one visited, and the seconds that the
//! sampler took. `benches/peers/between_budgets.py` compares two such lists.

mod recorded;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use allometry_core::rng::stream;
use allometry_core::{Direction, FrozenTrial, SamplerKind, SamplerSpec};
use allometry_search::{OtherBudget, StudyView, build_sampler};
use rand::Rng as _;
use recorded::{Parameter, Recorded};
use serde::{Deserialize, Serialize};

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

/// A budget of a ladder.
struct Rung {
    label: String,
    decades: f64,
    recorded: Recorded,
}

const CHECKPOINTS: [usize; 4] = [10, 15, 25, 50];

impl Rung {
    fn new(budget: Budget) -> Self {
        let label = format!("{}", budget.weights);
        let recorded = Recorded::new(&label, budget.params, budget.values);
        Self { label, decades: budget.weights.log10(), recorded }
    }

    /// Runs a study of `trials` trials and returns them with the regrets.
    fn play(
        &self,
        table: String,
        seed: u64,
        trials: usize,
        others: &[OtherBudget<'_>],
    ) -> (Vec<FrozenTrial>, Run) {
        let spec = SamplerSpec { probes: false, ..SamplerSpec::new(SamplerKind::Gp) };
        let mut sampler =
            build_sampler(&[Direction::Minimize], spec, Arc::clone(&self.recorded.feasible), seed)
                .expect("a sampler");
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
        for number in 0..trials {
            let view = StudyView { finished: &finished, running: &[], other_budgets: others };
            let mut rng = stream(seed, &format!("sampler/{}", self.label), number as u64);
            let start = Instant::now();
            let suggestion = sampler.suggest(&view, &mut rng).expect("a suggestion");
            run.seconds += start.elapsed().as_secs_f64();
            run.dropped |= sampler.carried_over().and_then(|c| c.guard).is_some_and(|guard| !guard.holds());
            let pick = |place, repeat| {
                let name = format!("replicate/{}", self.label);
                let name = if repeat == 0 { name } else { format!("{name}/{repeat}") };
                stream(seed, &name, place).next_u64()
            };
            let mut trial = self.recorded.trial(&finished, suggestion.params, pick);
            trial.record.origin = Some(suggestion.origin);
            finished.push(trial);
            if CHECKPOINTS.contains(&finished.len()) {
                let (key, regrets) = (finished.len().to_string(), self.recorded.regrets(&finished));
                run.recommended.insert(key.clone(), regrets.recommended);
                run.told.insert(key.clone(), regrets.told);
                run.visited.insert(key, regrets.visited);
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
        let budgets: Vec<Rung> = ladder.budgets.into_iter().map(Rung::new).collect();
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
                        space: other.recorded.feasible.space(),
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
