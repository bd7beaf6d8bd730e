//! Plays samplers on tables of real trainings (made by `benches/peers/tables.py`): each trial is told one of the seeds' values of its
//! configuration, and what counts is the mean over all seeds.
//!
//! `play_tables KIND SEEDS TRIALS TABLE...` prints, for each table and for all, the normalised regret (0: best configuration of the
//! table, 1: median one) after 25, 50 and 100 trials of the recommended configuration, of the best told one, and of the best one visited;
//! and the CPU milliseconds of a run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use allometry_core::ladder::{SamplerKind, SamplerSpec};
use allometry_core::rng::stream;
use allometry_core::sampler::{build, recommend};
use allometry_core::space::Feasible;
use allometry_core::{
    ChoiceOrder, Direction, Distribution, FrozenTrial, ParamValue, SearchSpace, SizeBudget, StudyView,
    TrialState, WeightTarget,
};
use rand::Rng as _;
use serde::Deserialize;

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    values: Vec<ParamValue>,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    params: Vec<Parameter>,
    values: Vec<Vec<Option<f64>>>,
}

const CHECKPOINTS: [usize; 3] = [25, 50, 100];

/// True means; a configuration of which a seed diverged has the worst one.
fn means(table: &Table) -> Vec<f64> {
    let mean = |row: &Vec<Option<f64>>| {
        let values: Option<Vec<f64>> = row.iter().copied().collect();
        values.map(|v| v.iter().sum::<f64>() / v.len() as f64)
    };
    let means: Vec<Option<f64>> = table.values.iter().map(mean).collect();
    let worst = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    means.into_iter().map(|m| m.unwrap_or(worst)).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let kind = match arguments[0].as_str() {
        "gp" => SamplerKind::Gp,
        "tpe" => SamplerKind::Tpe,
        "sobol" => SamplerKind::Sobol,
        _ => SamplerKind::Random,
    };
    let (seeds, trials): (u64, usize) =
        (arguments[1].parse().expect("seeds"), arguments[2].parse().expect("trials"));
    let mut all: Vec<[f64; 9]> = Vec::new();
    for path in &arguments[3..] {
        let text = std::fs::read_to_string(path).expect("a table");
        let table: Table = serde_json::from_str(&text).expect("a table");
        let means = means(&table);
        let mut sorted = means.clone();
        sorted.sort_by(f64::total_cmp);
        let (best, median) = (sorted[0], sorted[sorted.len() / 2]);
        let regret = |i: usize| (means[i] - best) / (median - best);
        let sets = table.params.iter().map(|p| {
            let order = if p.kind == "ordinal" { ChoiceOrder::Ordinal } else { ChoiceOrder::Nominal };
            (p.name.clone(), Distribution::Categorical { choices: p.values.clone(), order })
        });
        let space = SearchSpace(sets.collect());
        let budget = SizeBudget { label: table.name.clone(), target: WeightTarget::Any };
        let feasible =
            Arc::new(Feasible::new(&space, &budget, |_| None).expect("a table has configurations"));
        let ranks: HashMap<String, usize> = (0..means.len())
            .map(|i| (feasible.params(&feasible.configuration(i as u64)).to_string(), i))
            .collect();
        let start = Instant::now();
        let mut regrets = Vec::new();
        for seed in 0..seeds {
            let spec = SamplerSpec { probes: false, random_share: 0.0, ..SamplerSpec::new(kind) };
            let mut sampler =
                build(&[Direction::Minimize], spec, Arc::clone(&feasible), seed).expect("a sampler");
            let mut finished: Vec<FrozenTrial> = Vec::new();
            let mut indices = Vec::new();
            let mut row = [f64::NAN; 9];
            for number in 0..trials {
                let view = StudyView { finished: &finished, running: &[], others: &[] };
                let suggestion = sampler
                    .suggest(&view, &mut stream(seed, "sampler", number as u64))
                    .expect("a suggestion");
                let index = ranks[&suggestion.params.to_string()];
                let replicates = &table.values[index];
                let pick = stream(seed, "replicate", index as u64).next_u64() as usize % replicates.len();
                let state =
                    if replicates[pick].is_some() { TrialState::Complete } else { TrialState::Failed };
                let mut trial = FrozenTrial::new(number as u64, state, replicates[pick], suggestion.params);
                trial.record.origin = Some(suggestion.origin);
                finished.push(trial);
                indices.push(index);
                if let Some(k) = CHECKPOINTS.iter().position(|c| *c == number + 1) {
                    let recommended = recommend(&finished, feasible.space(), Direction::Minimize)
                        .expect("a recommendation");
                    let told = finished.iter().enumerate().filter_map(|(i, t)| Some((t.value?, i)));
                    let told = told.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, i)| i);
                    row[k] = regret(ranks[&recommended.params.to_string()]);
                    row[3 + k] = regret(indices[told]);
                    row[6 + k] = indices.iter().map(|i| regret(*i)).fold(f64::INFINITY, f64::min);
                }
            }
            if let Ok(folder) = std::env::var("PLAY_TRACE") {
                let line: Vec<String> = row.iter().map(|x| format!("{x:.5}")).collect();
                eprintln!("{folder}\t{}\t{seed}\t{}", table.name, line.join("\t"));
            }
            regrets.push(row);
        }
        print(&table.name, &regrets, start.elapsed().as_secs_f64() * 1e3 / seeds as f64);
        all.push(mean_of(&regrets));
    }
    print("all", &all, f64::NAN);
}

fn mean_of(rows: &[[f64; 9]]) -> [f64; 9] {
    std::array::from_fn(|k| rows.iter().map(|r| r[k]).sum::<f64>() / rows.len() as f64)
}

fn print(name: &str, rows: &[[f64; 9]], milliseconds: f64) {
    let mean = mean_of(rows);
    let part = |k: usize| format!("{:.4} {:.4} {:.4}", mean[k], mean[k + 1], mean[k + 2]);
    println!("{name:16} recommended {} told {} visited {} ({milliseconds:.0} ms)", part(0), part(3), part(6));
}
