//! The trainings of `allometry check --coordinates`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use allometry_analysis::coordinates::{CoordinateLayer, CoordinateRun, LayerRun};
use allometry_core::Params;
use allometry_core::rng::stream_seed;
use allometry_ladder::Normalize;
use allometry_trainer::{Layer, LayerSizes, TrialSettings, coordinates};

use crate::prepare::Prepared;
use crate::{SessionError, cores};

/// Trains the configuration for some steps at each width and under each seed, and returns the sizes of its
/// activations. Trainings share the cores.
///
/// # Errors
/// [`SessionError::Usage`] if the parameters do not define a model of each width;
/// [`SessionError::TrialsFailed`] if a training diverges.
pub fn coordinate_runs(
    prepared: &Prepared<'_>,
    params: &Params,
    widths: &[usize],
    seeds: usize,
    steps: usize,
) -> Result<Vec<CoordinateRun>, SessionError> {
    let models = widths.iter().map(|width| {
        let mut params = params.clone();
        params.insert("d_model", *width as i64);
        let (dataset, ladder) = (prepared.dataset(), prepared.model());
        let classes = dataset.preparation.classes;
        let inputs = dataset.inputs();
        let model = inputs.and_then(|inputs| TrialSettings::new(&params, ladder, inputs, classes));
        model.map(|model| (*width, model)).map_err(|error| SessionError::Usage {
            message: format!("the model of width {width} cannot be trained: {error}"),
            hint: error.hint(),
        })
    });
    let models: Vec<(usize, TrialSettings)> = models.collect::<Result<_, _>>()?;
    let jobs: Vec<(usize, &TrialSettings, usize)> = (0..seeds)
        .flat_map(|seed| models.iter().rev().map(move |(width, settings)| (*width, settings, seed)))
        .collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(jobs.len())));
    let work = || {
        while let Some(&(width, settings, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let run = one(prepared, settings, width, seed, steps);
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(run);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..cores().min(jobs.len()) {
            scope.spawn(work);
        }
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut runs: Vec<CoordinateRun> = done.into_iter().collect::<Result<_, _>>()?;
    runs.sort_by_key(|run| (run.width, run.seed));
    Ok(runs)
}

fn one(
    prepared: &Prepared<'_>,
    settings: &TrialSettings,
    width: usize,
    seed: usize,
    steps: usize,
) -> Result<CoordinateRun, SessionError> {
    let own = stream_seed(prepared.seed(), "coordinates", seed as u64);
    let dataset = match settings.model.normalize {
        Normalize::Standard => prepared.dataset(),
        Normalize::Revin | Normalize::None => prepared.unscaled().unwrap_or(prepared.dataset()),
    };
    let layers = coordinates(dataset, &settings.model, settings.hyperparameters, steps, own)
        .map_err(|error| SessionError::TrialsFailed { message: format!("at d_model = {width}: {error}") })?;
    Ok(CoordinateRun { width, seed, layers: layers.into_iter().map(layer_run).collect() })
}

fn layer_run(sizes: LayerSizes) -> LayerRun {
    let LayerSizes { layer, sizes, changes } = sizes;
    let layer = match layer {
        Layer::Embedding => CoordinateLayer::Embedding,
        Layer::Scores(block) => CoordinateLayer::Scores(block + 1),
        Layer::Block(block) => CoordinateLayer::Block(block + 1),
        Layer::Output => CoordinateLayer::Output,
    };
    LayerRun { layer, sizes, changes }
}
