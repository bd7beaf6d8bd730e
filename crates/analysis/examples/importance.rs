//! `importance fanova|ped-anova TRIALS`: one importance of that many trials of 20 parameters, as JSON with
//! the seconds that it took. `benches/peers/importance.py` runs it beside Optuna.

use std::time::Instant;

use allometry_analysis::fanova::{FanovaOptions, fanova};
use allometry_analysis::ped_anova::ped_anova;
use allometry_core::{Direction, Params};
use serde_json::json;

#[path = "../benches/trials/mod.rs"]
mod trials;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, count) = match arguments.as_slice() {
        [what, count] => (what.as_str(), count.parse().expect("a number of trials")),
        _ => panic!("importance fanova|ped-anova TRIALS"),
    };
    let space = trials::space();
    let trials = trials::trials(count);
    let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
    let started = Instant::now();
    let outcome = match what {
        "fanova" => json!(fanova(&space, &trials, &FanovaOptions::default())),
        "ped-anova" => json!(ped_anova(&space, &trials, Direction::Maximize)),
        other => panic!("{other} is neither fanova nor ped-anova"),
    };
    println!("{}", json!({ "seconds": started.elapsed().as_secs_f64(), "outcome": outcome }));
}
