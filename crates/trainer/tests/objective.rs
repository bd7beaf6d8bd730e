//! Tests of whole trials of the built-in objective on small series.

mod support;

use allometry_core::{
    Objective, ObjectiveError, ObjectiveOutcome, Params, Precision, Retraining, RowCount, TrainingCost,
    TrialSpec,
};
use allometry_ladder::{ModelSpec, Normalize, Parametrization, Schedule};
use allometry_trainer::data::Dataset;
use allometry_trainer::device::{Layout, Span};
use allometry_trainer::{Architecture, BrokenLayer, Geometry, Hyperparameters, Learner, PatchTstObjective};
use support::{CONTEXT, Recorder, bits, params, series, spec, trial};

fn run(
    dataset: &Dataset,
    spec: ModelSpec,
    trial: &TrialSpec,
    reporter: &Recorder,
) -> Result<ObjectiveOutcome, ObjectiveError> {
    PatchTstObjective::new(dataset, spec).unwrap().evaluate(trial, reporter)
}

fn failure(result: Result<ObjectiveOutcome, ObjectiveError>) -> (String, String) {
    match result {
        Err(ObjectiveError::Failed(failure)) => (failure.reason, failure.detail),
        other => panic!("expected a failed trial, got {other:?}"),
    }
}

#[test]
fn a_plain_signal_is_learned_and_reported() {
    let dataset = series(700);
    let recorder = Recorder::default();
    let outcome = run(&dataset, spec(), &trial(1, params(&[])), &recorder).unwrap();
    assert!(outcome.value() > 0.95, "AUC {}", outcome.value());
    let epochs = recorder.epochs.into_inner().unwrap();
    let best = epochs.iter().map(|e| e.value).fold(0.0, f64::max);
    assert_eq!(outcome.value(), best);
    let step = outcome.best_step.unwrap();
    assert_eq!(epochs[step as usize - 1].value, best);
    assert_eq!(epochs[step as usize - 1].metrics, outcome.metrics);
    assert_eq!(outcome.metrics["auc"], outcome.value());
    let (validation, log_loss) = (outcome.metrics["validation_loss"], outcome.metrics["log_loss"]);
    assert!((validation - log_loss).abs() < 1e-4 * validation, "{validation} and {log_loss}");
    assert!(epochs.last().unwrap().metrics["train_loss"] < epochs[0].metrics["train_loss"]);
    let predictions = outcome.predictions.unwrap();
    let scores = predictions.scores().unwrap();
    assert_eq!(scores.rows, dataset.validation.windows.iter().map(|w| w.row).collect::<Vec<_>>());
    assert_eq!(scores.labels, dataset.validation.windows.iter().map(|w| w.is_positive()).collect::<Vec<_>>());
}

#[test]
fn a_trial_depends_on_its_seed_alone() {
    let dataset = series(300);
    let alone = run(&dataset, spec(), &trial(5, params(&[])), &Recorder::default()).unwrap();
    let other = run(&dataset, spec(), &trial(6, params(&[])), &Recorder::default()).unwrap();
    assert_ne!(bits(&alone), bits(&other));
    std::thread::scope(|scope| {
        let crowd: Vec<_> = (4..8)
            .map(|seed| {
                let dataset = &dataset;
                scope.spawn(move || {
                    run(dataset, spec(), &trial(seed, params(&[])), &Recorder::default()).unwrap()
                })
            })
            .collect();
        let crowd: Vec<ObjectiveOutcome> = crowd.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(bits(&crowd[1]), bits(&alone));
        assert_eq!(crowd[1].metrics, alone.metrics);
        assert_eq!(bits(&crowd[2]), bits(&other));
    });
}

#[test]
fn the_best_epochs_weights_are_kept() {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let fitted = objective.fit(&trial(2, params(&[])), &Recorder::default()).unwrap();
    let again = fitted.score(&dataset, &dataset.validation);
    assert_eq!(again.as_ref(), fitted.outcome.predictions.as_ref().unwrap().scores());
    let test = fitted.score(&dataset, &dataset.test).unwrap();
    assert_eq!(test.scores.len(), dataset.test.windows.len());
}

#[test]
fn a_confirming_trial_is_judged_by_the_test_part() {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let fitted = objective.fit(&trial(2, params(&[])), &Recorder::default()).unwrap();
    let test = fitted.score(&dataset, &dataset.test).unwrap();
    let recorder = Recorder::default();
    let confirming = PatchTstObjective::new(&dataset, spec()).unwrap().confirming();
    let confirmed = confirming.evaluate(&trial(2, params(&[])), &recorder).unwrap();
    assert_eq!(confirmed.metrics[Retraining::VALIDATION], fitted.outcome.value());
    assert_eq!(confirmed.best_step, fitted.outcome.best_step, "epochs are chosen as before");
    let reported = recorder.epochs.into_inner().unwrap();
    assert!(reported.iter().any(|epoch| epoch.value == fitted.outcome.value()), "and reported");
    let (positive, negative): (Vec<_>, Vec<_>) =
        test.scores.iter().zip(&test.labels).partition(|(_, label)| **label);
    let wins: f64 = positive
        .iter()
        .flat_map(|(high, _)| negative.iter().map(move |(low, _)| (high, low)))
        .map(|(high, low)| {
            if high > low {
                1.0
            } else if high == low {
                0.5
            } else {
                0.0
            }
        })
        .sum();
    let auc = wins / (positive.len() * negative.len()) as f64;
    assert!((confirmed.value() - auc).abs() < 1e-12);
    assert_eq!(confirmed.metrics["test_auc"], confirmed.value());
    assert_eq!(confirmed.predictions, Some(test.into()), "the predictions are those of test rows");
}

#[test]
fn reporters_stop_a_trial() {
    let dataset = series(300);
    let pruner = Recorder { prune_at: Some(2), ..Recorder::default() };
    let pruned = run(&dataset, spec(), &trial(1, params(&[])), &pruner);
    assert!(matches!(pruned, Err(ObjectiveError::Pruned(_))));
    assert_eq!(pruner.epochs.into_inner().unwrap().len(), 2);
    let interrupter = Recorder { interrupt_after_polls: Some(3), ..Recorder::default() };
    let interrupted = run(&dataset, spec(), &trial(1, params(&[])), &interrupter);
    assert!(matches!(interrupted, Err(ObjectiveError::Interrupted)));
    assert!(interrupter.epochs.into_inner().unwrap().is_empty(), "it is polled between batches");
}

#[test]
fn patience_ends_a_trial() {
    let dataset = series(300);
    let recorder = Recorder::default();
    let impatient = ModelSpec { patience: 1, minimum_gain: 1.0, ..spec() };
    run(&dataset, impatient, &trial(1, params(&[])), &recorder).unwrap();
    assert_eq!(recorder.epochs.into_inner().unwrap().len(), 2);
}

#[test]
fn divergence_fails_the_trial_and_says_where() {
    let dataset = series(300);
    let wild = trial(1, params(&[("learning_rate", 1e30)]));
    let (reason, detail) = failure(run(&dataset, spec(), &wild, &Recorder::default()));
    assert!(reason.starts_with("diverged: the loss is") && reason.contains("at step"), "{reason}");
    assert!(detail.contains("largest activation") && detail.contains("largest gradient norm"), "{detail}");
}

#[test]
fn a_step_that_is_not_finite_changes_nothing_and_says_how_large_activations_were() {
    let dataset = series(300);
    let architecture = Architecture { d_model: 16, n_layers: 2, n_heads: 2, d_ff_ratio: 2 };
    let hyperparameters =
        Hyperparameters { architecture, learning_rate: 1e-3, dropout: 0.0, weight_decay: 0.0 };
    let geometry = Geometry::new(2, 0, &spec()).unwrap();
    let mut learner = Learner::new(hyperparameters, geometry, &spec(), 4, 1);
    let windows: Vec<Vec<f32>> =
        dataset.train.windows[..4].iter().map(|w| dataset.window(*w).to_vec()).collect();
    let mut step = |windows: &[Vec<f32>], target: f32| {
        let targets = [0.0, 1.0, target, 0.0];
        let result = learner.step(windows.iter().map(Vec::as_slice), &targets, 1e-3, 1.0);
        (result, learner.weights().to_vec())
    };
    step(&windows, 1.0).0.unwrap();
    let (_, before) = step(&windows, 1.0);
    let mut large = windows.clone();
    large[1][5] = 1e20;
    let (result, after) = step(&large, f32::NAN);
    let diverged = result.unwrap_err();
    assert!(diverged.step == 3 && diverged.loss.is_nan(), "{diverged}");
    assert!((1e18..1e22).contains(&diverged.largest_activation) && diverged.not_finite == 0, "{diverged:?}");
    assert_eq!(diverged.first_layer, None);
    assert_eq!(after, before);
    let mut broken = windows.clone();
    broken[1][0] = f32::NAN;
    let diverged = step(&broken, 1.0).0.unwrap_err();
    assert!(diverged.not_finite > 0 && diverged.largest_activation < 1e3, "{diverged:?}");
    assert_eq!(diverged.first_layer, Some(BrokenLayer::Embedding));
    assert_eq!(step(&broken, 1.0).1, before);
    assert!(step(&windows, 1.0).0.is_ok(), "it goes on from the weights before");
}

/// One step of `AdamW` under muP moves each tensor by its own share of the trial's rate, and decays all
/// weights equally. The head's width is the base width, so that both models compute the same.
#[test]
fn each_tensor_has_its_own_rate() {
    let dataset = series(300);
    let architecture = Architecture { d_model: 32, n_layers: 2, n_heads: 2, d_ff_ratio: 2 };
    let (learning_rate, weight_decay) = (1e-3, 10.0);
    let hyperparameters = Hyperparameters { architecture, learning_rate, dropout: 0.0, weight_decay };
    let standard = spec();
    let mup = ModelSpec { parametrization: Parametrization::Mup, base_width: 8, ..spec() };
    let geometry = Geometry::new(2, 0, &standard).unwrap();
    let initial = Learner::new(hyperparameters, geometry, &standard, 4, 1).weights().to_vec();
    let targets = [0.0, 1.0, 1.0, 0.0];
    let [all, own] = [standard, mup].map(|settings| {
        let mut learner = Learner::new(hyperparameters, geometry, &settings, 4, 1);
        learner.set_weights(&initial);
        let windows = dataset.train.windows[..4].iter().map(|window| dataset.window(*window));
        learner.step(windows, &targets, learning_rate, 1.0).unwrap();
        let decay = 1.0 - (learning_rate * weight_decay) as f32;
        let moved = learner.weights().iter().zip(&initial).map(|(now, before)| now - decay * before);
        moved.collect::<Vec<f32>>()
    });
    let layout = Layout::new(architecture, geometry);
    let blocks = layout.blocks.iter().flat_map(|b| [b.qkv, b.projection, b.widen, b.narrow]);
    let matrices: Vec<Span> = blocks.chain([layout.head]).map(|linear| linear.weight).collect();
    let mut slower = 0;
    for (place, (all, own)) in all.iter().zip(&own).enumerate() {
        let is_matrix =
            matrices.iter().any(|matrix| (matrix.start..matrix.start + matrix.length).contains(&place));
        let expected = if is_matrix { all / 4.0 } else { *all };
        assert!((own - expected).abs() < 1e-6, "{place}: {own}, not {expected}");
        slower += usize::from(is_matrix && all.abs() > 9e-4);
    }
    let values: usize = matrices.iter().map(|matrix| matrix.length).sum();
    assert!(slower * 10 > values * 9, "{slower} of {values} values moved by the rate");
}

#[test]
fn impossible_configurations_fail_with_the_parameter_named() {
    let dataset = series(100);
    for (extra, reason) in [
        (("n_heads", 3.0), "n_heads = 3 does not divide d_model = 16"),
        (("d_model", 0.0), "parameter `d_model` is 0.0, but must be a whole number of at least 1"),
        (("dropout", 1.0), "parameter `dropout` is 1.0, but must be a number in [0, 1)"),
        (("learning_rate", 0.0), "parameter `learning_rate` is 0.0, but must be a number above 0"),
        (("momentum", 0.9), "the built-in trainer has no parameter `momentum`"),
    ] {
        let result = run(&dataset, spec(), &trial(1, params(&[extra])), &Recorder::default());
        assert_eq!(failure(result).0, reason);
    }
    let missing: Params = [("d_model", 16i64), ("n_layers", 1)].into_iter().collect();
    let result = run(&dataset, spec(), &trial(1, missing), &Recorder::default());
    assert_eq!(failure(result).0, "parameter `n_heads` is missing");
}

#[test]
fn what_cannot_be_scored_fails() {
    let mut dataset = series(300);
    for window in &mut dataset.validation.windows {
        window.target = 1.0;
    }
    let (reason, _) = failure(run(&dataset, spec(), &trial(1, params(&[])), &Recorder::default()));
    assert!(reason.contains("only one class"), "{reason}");
    dataset.validation.windows.clear();
    let (reason, _) = failure(run(&dataset, spec(), &trial(1, params(&[])), &Recorder::default()));
    assert!(reason.contains("no windows"), "{reason}");
}

#[test]
fn a_trial_that_does_not_fit_fails_before_it_starts() {
    let dataset = series(200);
    let huge = trial(1, params(&[("d_model", 1e6)]));
    let (reason, detail) = failure(run(&dataset, spec(), &huge, &Recorder::default()));
    assert_eq!(reason, "the trial does not fit into memory");
    assert!(detail.contains("MiB"), "{detail}");
}

#[test]
fn costs_grow_with_the_model() {
    let dataset = series(300);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    // Per window: 3 patches of 8 values; forward 2 x (3 x (8 + 12 x 16) x 16 + attention 2 x 3 x 3 x 16 +
    // head 48).
    let cost = objective.cost(&params(&[]), None).unwrap();
    let forward = 2 * (3 * (8 + 12 * 16) * 16 + 2 * 9 * 16 + 48);
    let step = 3 * forward - 2 * 3 * 8 * 16;
    assert_eq!(cost.flops_per_step, 32 * step);
    let [train, validation] = [dataset.train.windows.len() as u64, dataset.validation.windows.len() as u64];
    assert_eq!(cost.flops_per_epoch, train * step + validation * forward);
    assert!(objective.cost(&params(&[("n_layers", 4.0)]), None).unwrap().memory_bytes > cost.memory_bytes);
}

#[test]
fn a_part_of_the_rows_is_trained_as_if_there_were_no_others() {
    let dataset = series(700);
    let windows = dataset.train.windows.len();
    let mut part = trial(1, params(&[]));
    part.budget = part.budget.trained_on(RowCount::Share(0.25));
    let recorder = Recorder::default();
    let of_part = run(&dataset, spec(), &part, &recorder).unwrap();
    let mut fewer = dataset.clone();
    fewer.train.windows.drain(..windows - windows.div_ceil(4));
    let alone = run(&fewer, spec(), &trial(1, params(&[])), &Recorder::default()).unwrap();
    assert_eq!(bits(&of_part), bits(&alone));
    assert_eq!(of_part.metrics, alone.metrics);

    let epochs = recorder.epochs.into_inner().unwrap().len() as u64;
    let rows = windows.div_ceil(4) as u64;
    let forward = 2 * (3 * (8 + 12 * 16) * 16 + 2 * 9 * 16 + 48);
    let step = 3 * forward - 2 * 3 * 8 * 16;
    let cost = TrainingCost {
        train_rows: Some(rows),
        tokens: Some(epochs * rows),
        flops: Some((epochs * rows * step) as f64),
        seconds: None,
        precision: Some(Precision::F32),
    };
    assert_eq!((of_part.cost, alone.cost), (cost, cost));
}

fn weights_after(dataset: &Dataset, spec: ModelSpec) -> ObjectiveOutcome {
    run(dataset, spec, &trial(3, params(&[("dropout", 0.0)])), &Recorder::default()).unwrap()
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let dataset = series(400);
    let whole = ModelSpec { batch_size: Some(48), epochs: 3, ..spec() };
    let parts = ModelSpec { batch_size: Some(12), accumulate: 4, ..whole.clone() };
    let (whole, parts) = (weights_after(&dataset, whole), weights_after(&dataset, parts));
    let scores =
        |outcome: &ObjectiveOutcome| outcome.predictions.as_ref().unwrap().scores().unwrap().scores.clone();
    for (a, b) in scores(&whole).iter().zip(&scores(&parts)) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
    let loss = |metrics: &std::collections::BTreeMap<String, f64>| metrics["train_loss"];
    assert!((loss(&whole.metrics) - loss(&parts.metrics)).abs() < 1e-5);
}

#[test]
fn averaged_weights_are_the_mean_of_the_last_epochs() {
    let dataset = series(300);
    let folder = tempfile::tempdir().unwrap();
    // The training loss falls, so the last epoch is the one that is kept.
    let tensor = |epochs: usize, average_epochs: usize| {
        let monitor = Some(serde_json::from_value("train_loss".into()).unwrap());
        let schedule = Schedule::Constant;
        let model = ModelSpec { epochs, average_epochs, monitor, schedule, ..spec() };
        let path = folder.path().join(format!("{epochs}-{average_epochs}.safetensors"));
        let objective = PatchTstObjective::new(&dataset, model).unwrap();
        let trial = trial(3, params(&[]));
        let fitted = objective.fit_with_checkpoint(&trial, &Recorder::default(), &path, false).unwrap();
        assert_eq!(fitted.outcome.best_step, Some(epochs as i64));
        let bytes = std::fs::read(&path).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let data = tensors.tensor("blocks.0.widen.weight").unwrap().data().to_vec();
        data.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<f32>>()
    };
    let ends = [tensor(1, 1), tensor(2, 1), tensor(3, 1)];
    for (averaged, over) in [(tensor(3, 2), &ends[1..]), (tensor(3, 3), &ends[..]), (tensor(3, 9), &ends[..])]
    {
        for (i, weight) in averaged.iter().enumerate() {
            let mean = over.iter().map(|end| end[i]).sum::<f32>() / over.len() as f32;
            assert!((weight - mean).abs() < 1e-6, "{weight} and {mean}");
        }
    }
}

#[test]
fn what_is_monitored_chooses_the_epoch() {
    let dataset = series(300);
    let epochs = |monitor: &str| {
        let monitor = Some(serde_json::from_value(monitor.into()).unwrap());
        let recorder = Recorder::default();
        let model = ModelSpec { monitor, epochs: 8, patience: 8, ..spec() };
        let outcome = run(&dataset, model, &trial(3, params(&[])), &recorder).unwrap();
        (outcome, recorder.epochs.into_inner().unwrap())
    };
    for (monitor, sign) in
        [("validation_loss", -1.0), ("brier", -1.0), ("average_precision", 1.0), ("auc", 1.0)]
    {
        let (outcome, epochs) = epochs(monitor);
        let best = epochs.iter().map(|e| sign * e.metrics[monitor]).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(sign * outcome.metrics[monitor], best, "{monitor}");
        assert_eq!(outcome.value(), outcome.metrics["auc"], "the value stays the AUC");
    }
}

#[test]
fn parts_that_share_rows_are_refused() {
    let mut dataset = series(300);
    let last = dataset.train.windows.last_mut().unwrap();
    last.last = dataset.validation.windows[0].last - CONTEXT + 1;
    let (reason, detail) = failure(run(&dataset, spec(), &trial(1, params(&[])), &Recorder::default()));
    assert_eq!(reason, "the parts of the data share rows");
    assert!(detail.starts_with("windows of the training part reach to row"), "{detail}");
}

#[test]
fn constant_predictions_are_noticed() {
    let dataset = series(300);
    let recorder = Recorder::default();
    let still = trial(1, params(&[("learning_rate", 1e-12), ("weight_decay", 0.0)]));
    run(&dataset, ModelSpec { epochs: 1, normalize: Normalize::Revin, ..spec() }, &still, &recorder).unwrap();
    let spread = recorder.epochs.lock().unwrap()[0].metrics["pred_sd"];
    assert_eq!(
        recorder.epochs.lock().unwrap()[0].metrics["constant"],
        f64::from(u8::from(spread < 0.02 * 0.5))
    );
}
