//! The coordinate check: what is known of both parametrizations.

mod support;

use allometry_ladder::{ModelSpec, Parametrization};
use allometry_trainer::{Architecture, Hyperparameters, Layer, LayerSizes, coordinates};

const WIDTHS: [usize; 4] = [32, 64, 128, 256];
const STEPS: usize = 6;

fn measured(parametrization: Parametrization, width: usize, seed: u64) -> Vec<LayerSizes> {
    let architecture = Architecture { d_model: width, n_layers: 2, n_heads: 4, d_ff_ratio: 2 };
    let hyperparameters =
        Hyperparameters { architecture, learning_rate: 1e-3, dropout: 0.1, weight_decay: 0.0 };
    let settings = ModelSpec { parametrization, ..support::spec() };
    coordinates(&support::series(300), &settings, hyperparameters, STEPS, seed).unwrap()
}

/// Returns the mean exponent of the width over three seeds, for each layer: the slope between logarithms.
fn exponents(
    parametrization: Parametrization,
    size: impl Fn(&LayerSizes) -> f64 + Copy,
) -> Vec<(Layer, f64)> {
    let runs: Vec<Vec<LayerSizes>> =
        (0..3).flat_map(|seed| WIDTHS.map(|width| measured(parametrization, width, seed))).collect();
    let layers = runs[0].iter().map(|layer| layer.layer).enumerate();
    layers
        .map(|(place, layer)| {
            // Weights of the least squares slope over four equal distances.
            let weights = [-0.3, -0.1, 0.1, 0.3];
            let terms = runs
                .iter()
                .enumerate()
                .map(|(run, layers)| weights[run % WIDTHS.len()] * size(&layers[place]).log2());
            (layer, terms.sum::<f64>() / 3.0)
        })
        .collect()
}

/// Returns the geometric mean of the changes over the steps.
fn mean_change(layer: &LayerSizes) -> f64 {
    let logs = layer.changes.iter().map(|change| change.log2()).sum::<f64>();
    (logs / layer.changes.len() as f64).exp2()
}

/// Under the standard parametrization updates change hidden activations in proportion to the width, or to
/// its root; under muP equally at every width.
#[test]
fn changes_grow_with_the_width_only_in_the_standard_parametrization() {
    for (layer, exponent) in exponents(Parametrization::Standard, mean_change) {
        match layer {
            Layer::Embedding => assert!(exponent.abs() < 0.15, "{layer:?}: {exponent}"),
            _ => assert!(exponent > 0.5, "{layer:?}: {exponent}"),
        }
    }
    for (layer, exponent) in exponents(Parametrization::Mup, mean_change) {
        assert!((-0.5..0.25).contains(&exponent), "{layer:?}: {exponent}");
    }
}

/// Before the first step, muP's outputs and scores fall with the root of the width, and its residual stream
/// is that of the standard parametrization.
#[test]
fn initial_activations_have_the_exponents_of_the_theory() {
    let start = |layer: &LayerSizes| layer.sizes[0];
    for (layer, exponent) in exponents(Parametrization::Standard, start) {
        assert!(exponent.abs() < 0.2, "{layer:?}: {exponent}");
    }
    for (layer, exponent) in exponents(Parametrization::Mup, start) {
        let expected = if matches!(layer, Layer::Scores(_) | Layer::Output) { -0.5 } else { 0.0 };
        assert!((exponent - expected).abs() < 0.2, "{layer:?}: {exponent}");
    }
}

/// At the base width, with heads of the base width, both parametrizations are the same model.
#[test]
fn the_parametrizations_meet_at_the_base_width() {
    let standard = measured(Parametrization::Standard, 64, 1);
    let mup = measured(Parametrization::Mup, 64, 1);
    assert_eq!(standard, mup);
    assert_ne!(measured(Parametrization::Standard, 32, 1), measured(Parametrization::Mup, 32, 1));
}

#[test]
fn every_layer_is_measured_at_every_step() {
    let layers = measured(Parametrization::Mup, 32, 5);
    let names: Vec<Layer> = layers.iter().map(|layer| layer.layer).collect();
    let expected = [
        Layer::Embedding,
        Layer::Scores(0),
        Layer::Block(0),
        Layer::Scores(1),
        Layer::Block(1),
        Layer::Output,
    ];
    assert_eq!(names, expected);
    for layer in &layers {
        assert_eq!((layer.sizes.len(), layer.changes.len()), (STEPS + 1, STEPS));
        assert!(layer.sizes.iter().chain(&layer.changes).all(|size| *size > 0.0), "{layer:?}");
    }
    assert_eq!(layers, measured(Parametrization::Mup, 32, 5));
}
