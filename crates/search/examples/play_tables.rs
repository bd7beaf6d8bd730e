//! Runs samplers on tables of recorded trainings (made by `benches/peers/tables.py`). Each trial has the
//! value of one seed of its configuration; regrets use the mean over all seeds.
//!
//! `play_tables KIND SEEDS TRIALS TABLE...` prints, for each table and for all, the normalized regret (0:
//! best configuration of the table, 1: median one) after 25, 50 and 100 trials of the recommended
//! configuration, of the one with the best value and of the best one visited, and the CPU milliseconds of a
//! run.

mod recorded;

use std::sync::Arc;
use std::time::Instant;

use allometry_core::rng::stream;
use allometry_core::{Direction, FrozenTrial, SamplerKind, SamplerSpec};
use allometry_search::{StudyView, build_sampler};
use rand::Rng as _;
use recorded::{Parameter, Recorded, Regrets};
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    name: String,
    params: Vec<Parameter>,
    values: Vec<Vec<Option<f64>>>,
}

const CHECKPOINTS: [usize; 3] = [25, 50, 100];

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
        let Table { name, params, values } = serde_json::from_str(&text).expect("a table");
        let recorded = Recorded::new(&name, params, values);
        let start = Instant::now();
        let mut regrets = Vec::new();
        for seed in 0..seeds {
            let spec =
                SamplerSpec { probes: false, random_share: 0.0, repeats: true, ..SamplerSpec::new(kind) };
            let mut sampler =
                build_sampler(&[Direction::Minimize], spec, Arc::clone(&recorded.feasible), seed)
                    .expect("a sampler");
            let mut finished: Vec<FrozenTrial> = Vec::new();
            let mut row = [f64::NAN; 9];
            for number in 0..trials {
                let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
                let suggestion = sampler
                    .suggest(&view, &mut stream(seed, "sampler", number as u64))
                    .expect("a suggestion");
                let pick = |place, repeat| stream(seed, &replicate(repeat), place).next_u64();
                let mut trial = recorded.trial(&finished, suggestion.params, pick);
                trial.record.origin = Some(suggestion.origin);
                finished.push(trial);
                if let Some(k) = CHECKPOINTS.iter().position(|c| *c == finished.len()) {
                    let Regrets { recommended, told, visited } = recorded.regrets(&finished);
                    (row[k], row[3 + k], row[6 + k]) = (recommended, told, visited);
                }
            }
            if let Ok(folder) = std::env::var("PLAY_TRACE") {
                let line: Vec<String> = row.iter().map(|x| format!("{x:.5}")).collect();
                let distinct: std::collections::HashSet<String> =
                    finished.iter().map(|t| t.params.to_string()).collect();
                eprintln!(
                    "{folder}\t{name}\t{seed}\t{}\t{}",
                    line.join("\t"),
                    finished.len() - distinct.len()
                );
            }
            regrets.push(row);
        }
        print(&name, &regrets, start.elapsed().as_secs_f64() * 1e3 / seeds as f64);
        all.push(mean_of(&regrets));
    }
    print("all", &all, f64::NAN);
}

/// The name of the random numbers that choose the seed of a configuration's trial number `repeat`.
fn replicate(repeat: usize) -> String {
    if repeat == 0 { "replicate".into() } else { format!("replicate/{repeat}") }
}

fn mean_of(rows: &[[f64; 9]]) -> [f64; 9] {
    std::array::from_fn(|k| rows.iter().map(|r| r[k]).sum::<f64>() / rows.len() as f64)
}

fn print(name: &str, rows: &[[f64; 9]], milliseconds: f64) {
    let mean = mean_of(rows);
    let part = |k: usize| format!("{:.4} {:.4} {:.4}", mean[k], mean[k + 1], mean[k + 2]);
    println!("{name:16} recommended {} told {} visited {} ({milliseconds:.0} ms)", part(0), part(3), part(6));
}
