//! Tests of training in bf16.

mod support;

use std::process::Command;

use allometry_core::Precision;
use allometry_ladder::ModelSpec;
use allometry_trainer::checkpoint::Checkpoint;
use allometry_trainer::data::Dataset;
use allometry_trainer::{
    Architecture, Geometry, Hyperparameters, ISA_VARIABLE, InstructionSet, Learner, PatchTstObjective,
    Predictor, instruction_sets,
};
use support::{CONTEXT, Recorder, bits, number, params, series, spec, trial};

fn bf16() -> ModelSpec {
    ModelSpec { precision: Precision::Bf16, ..spec() }
}

const ARCHITECTURE: Architecture = Architecture { d_model: 48, n_layers: 2, n_heads: 4, d_ff_ratio: 3 };
const BATCH: usize = 100;

/// A model of several blocks, with batches that are no multiple of a tile.
fn learner(precision: Precision) -> Learner {
    let settings = ModelSpec { precision, ..spec() };
    let hyperparameters =
        Hyperparameters { architecture: ARCHITECTURE, learning_rate: 1e-3, dropout: 0.2, weight_decay: 0.01 };
    Learner::new(hyperparameters, Geometry::new(2, 0, &settings).unwrap(), &settings, BATCH, 1)
}

fn windows(dataset: &Dataset, first: usize) -> Vec<&[f32]> {
    dataset.train.windows[first..first + BATCH].iter().map(|window| dataset.window(*window)).collect()
}

fn targets(dataset: &Dataset, first: usize) -> Vec<f32> {
    dataset.train.windows[first..first + BATCH].iter().map(|window| window.target).collect()
}

/// Returns the gradient of the first of `steps` steps, and the logits after them.
fn trained(precision: Precision, steps: usize) -> (Vec<f32>, Vec<f32>) {
    let dataset = series(400);
    let mut learner = learner(precision);
    let mut gradient = Vec::new();
    for step in 0..steps {
        learner.step(windows(&dataset, 20 * step), &targets(&dataset, 20 * step), 1e-3, 1.0).unwrap();
        if step == 0 {
            gradient = learner.gradient().to_vec();
        }
    }
    let logits = learner.logits(windows(&dataset, 50)).to_vec();
    (gradient, logits)
}

/// Returns the L2 norm of a difference as a share of the norm of `a`.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b)));
    difference / norm(&mut a.iter().map(|a| f64::from(*a)))
}

#[test]
fn a_step_in_bf16_is_near_the_one_in_single_precision() {
    let (single, rounded) = (trained(Precision::F32, 1), trained(Precision::Bf16, 1));
    // A factor is rounded by at most 2^-9 of itself; a gradient is a product through five layers.
    let distance = distance(&single.0, &rounded.0);
    assert!(distance > 1e-5 && distance < 0.02, "{distance}");
}

#[test]
fn logits_follow_the_weights_when_these_change() {
    let dataset = series(400);
    let mut learner = learner(Precision::Bf16);
    let before = learner.logits(windows(&dataset, 0)).to_vec();
    assert_eq!(learner.logits(windows(&dataset, 0)), before, "the copies that are kept are the same");
    let weights = learner.weights().to_vec();
    let other: Vec<f32> = (0..weights.len()).map(|place| 0.1 * number(place)).collect();
    learner.set_weights(&other);
    assert!(distance(&before, learner.logits(windows(&dataset, 0))) > 0.1);
    learner.set_weights(&weights);
    assert_eq!(learner.logits(windows(&dataset, 0)), before);
    learner.step(windows(&dataset, 0), &targets(&dataset, 0), 1e-2, 1.0).unwrap();
    assert!(distance(&before, learner.logits(windows(&dataset, 0))) > 1e-3);
}

#[test]
fn a_trial_is_the_same_alone_beside_others_and_after_interruptions() {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, bf16()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fit = |path: &std::path::Path, reporter: &Recorder| {
        objective.fit_with_checkpoint(&trial(3, params(&[("dropout", 0.2)])), reporter, path, false)
    };
    let alone = folder.path().join("alone");
    let expected = fit(&alone, &Recorder::default()).unwrap().outcome;
    std::thread::scope(|scope| {
        let beside: Vec<_> = (0..3)
            .map(|thread| {
                let path = folder.path().join(thread.to_string());
                scope.spawn(move || fit(&path, &Recorder::default()).unwrap().outcome)
            })
            .collect();
        for thread in beside {
            assert_eq!(bits(&thread.join().unwrap()), bits(&expected));
        }
    });
    let parts = folder.path().join("parts");
    for polls in [3, 5, 17] {
        let reporter = Recorder { interrupt_after_polls: Some(polls), ..Recorder::default() };
        assert!(fit(&parts, &reporter).is_err());
    }
    assert_eq!(bits(&fit(&parts, &Recorder::default()).unwrap().outcome), bits(&expected));
    assert!(std::fs::read(&parts).unwrap() == std::fs::read(&alone).unwrap(), "the same bytes");
    let single = PatchTstObjective::new(&dataset, spec()).unwrap();
    let other = single.fit(&trial(3, params(&[("dropout", 0.2)])), &Recorder::default()).unwrap().outcome;
    assert_ne!(bits(&other), bits(&expected), "bf16 is another computation");
}

#[test]
fn a_checkpoint_tells_its_precision_and_predicts_in_single_precision() {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, bf16()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, table) = (folder.path().join("c.safetensors"), folder.path().join("rows.csv"));
    let fitted =
        objective.fit_with_checkpoint(&trial(3, params(&[])), &Recorder::default(), &path, false).unwrap();
    let checkpoint = Checkpoint::load(&path).unwrap();
    assert_eq!(checkpoint.description.model.precision, Precision::Bf16);
    let rows = dataset.values.chunks(2).map(|r| format!("{:?},{:?}\n", r[0], r[1]));
    std::fs::write(&table, format!("signal,noise\n{}", rows.collect::<String>())).unwrap();
    let mut predictor = Predictor::load(&path).unwrap();
    let predictions = predictor.predict(&table).unwrap().windows;
    let scores = fitted.outcome.predictions.unwrap().scores().unwrap().clone();
    let differences =
        scores.rows.iter().zip(&scores.scores).map(|(row, score)| {
            f64::from((predictions[*row as usize - (CONTEXT - 1)].scores[0] - score).abs())
        });
    let largest = differences.fold(0.0, f64::max);
    assert!(largest > 1e-6 && largest < 0.02, "{largest}");
    // The file is compared with the predictor's logits, to 1e-5.
    assert!(predictor.to_onnx().unwrap().largest_difference <= 1e-5);
}

/// Child process of `instruction_sets_differ_in_the_order_of_sums_only`.
#[test]
fn trained_with_the_instruction_set_of_the_environment() {
    if std::env::var("ALLOMETRY_PRECISION_CHILD").is_err() {
        return;
    }
    let (gradient, logits) = trained(Precision::Bf16, 5);
    println!("used {}", InstructionSet::chosen().unwrap());
    for (name, values) in [("gradient", gradient), ("logits", logits)] {
        println!("{name} {}", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    }
}

#[test]
fn instruction_sets_differ_in_the_order_of_sums_only() {
    let results: Vec<[Vec<f32>; 2]> = instruction_sets()
        .into_iter()
        .map(|set| {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "trained_with_the_instruction_set_of_the_environment", "--nocapture"])
                .env("ALLOMETRY_PRECISION_CHILD", "1")
                .env(ISA_VARIABLE, set.word())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let found = |name: &str| {
                let (_, rest) =
                    text.split_once(&format!("{name} ")).unwrap_or_else(|| panic!("{set}: {text}"));
                rest.lines().next().unwrap().to_owned()
            };
            assert_eq!(found("used"), set.word());
            ["gradient", "logits"]
                .map(|name| found(name).split(' ').map(|number| number.parse().unwrap()).collect())
        })
        .collect();
    for (set, [gradient, logits]) in instruction_sets().into_iter().zip(&results) {
        // A sum in another order may round a number to the next bf16 number; few do.
        let distances = [distance(&results[0][0], gradient), distance(&results[0][1], logits)];
        println!("{set}: {distances:?}");
        assert!(distances[0] < 2e-3 && distances[1] < 5e-3, "{set}: {distances:?}");
    }
}
