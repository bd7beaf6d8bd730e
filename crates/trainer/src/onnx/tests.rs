//! Tests of the export: every setting of the model that changes what it computes, and a file that does not
//! compute it.

use std::collections::BTreeMap;

use allometry_core::{Params, SizeBudget, TrialNumber, TrialSpec};
use allometry_ladder::{Channels, ModelSpec, Normalize, Parametrization, Pooling, Task};

use super::*;
use crate::checkpoint::Epoch;
use crate::data::{Categories, Dataset, Preparation, SplitPart};
use crate::model::{WidthScaling, initial_weights};
use crate::network::Network;

/// Returns an untrained model of these settings over three numbers.
fn predictor(model: &ModelSpec) -> Predictor {
    with_categories(model, ["a", "b", "c"].map(String::from).to_vec(), Vec::new())
}

/// Returns an untrained model of these settings over three numbers, if `features` has them, and columns of
/// categories.
fn with_categories(model: &ModelSpec, features: Vec<String>, categories: Vec<Categories>) -> Predictor {
    let params: Params = [("d_model", 12i64), ("n_layers", 2), ("n_heads", 3)].into_iter().collect();
    let trial = TrialSpec {
        study: allometry_core::StudyIdentity::default(),
        budget: SizeBudget::nominal("tiny"),
        number: TrialNumber(0),
        first_attempt: TrialNumber(0),
        params,
        seed: 5,
    };
    let scaling = vec![(1e4, 0.5), (-0.25, 3.0), (0.0, 1e-3)];
    let preparation = Preparation {
        scaling: (model.normalize == Normalize::Standard).then_some(scaling),
        categories,
        classes: if model.task == Task::Classes { 4 } else { 0 },
        target: (model.task == Task::Regression).then_some((250.0, 40.0)),
        ..Preparation::default()
    };
    let dataset = Dataset {
        panel: None,
        feature_names: features,
        values: Vec::new(),
        context: model.context,
        targets: Vec::new(),
        train: SplitPart::default(),
        validation: SplitPart::default(),
        test: SplitPart::default(),
        preparation,
    };
    let mut description = Description::new(&trial, model, &dataset);
    description.best = Some(Epoch { step: 1, value: 0.5, metrics: BTreeMap::new() });
    let (hyperparameters, geometry) = description.shape().unwrap();
    let architecture = hyperparameters.architecture;
    let scaling = WidthScaling::new(model, architecture);
    let weights = initial_weights(architecture, geometry, scaling, 7);
    let network = Network::new(architecture, geometry, model, 4, weights);
    Predictor { description, network }
}

fn settings() -> ModelSpec {
    ModelSpec::new(17, 5, 3)
}

#[test]
fn vectors_of_categories_are_exported() {
    let column = |name: &str, categories: usize, embedding: Option<usize>| Categories {
        column: name.into(),
        names: (0..categories).map(|category| format!("category {category}")).collect(),
        embedding,
    };
    let columns = vec![column("size", 2, None), column("shop", 9, Some(4)), column("kind", 3, Some(1))];
    let numbers = ["a", "b", "c"].map(String::from).to_vec();
    let names = columns.iter().flat_map(Categories::features);
    let features: Vec<String> = numbers.into_iter().chain(names).collect();
    assert_eq!(features.join(","), "a,b,c,size=category 0,size=category 1,shop,kind");
    let revin = ModelSpec { normalize: Normalize::Revin, revin_affine: true, ..settings() };
    let cases = [
        settings(),
        ModelSpec { channels: Channels::Independent, head: Pooling::Mean, ..revin.clone() },
        ModelSpec { feature_embedding: 2, ..revin },
    ];
    for model in cases {
        let mut predictor = with_categories(&model, features.clone(), columns.clone());
        let exported = predictor.to_onnx().unwrap_or_else(|error| panic!("{error}: {model:?}"));
        assert!(exported.largest_difference > 0.0, "{model:?}");
    }
    // Columns of categories alone.
    let alone = ModelSpec { normalize: Normalize::Revin, ..settings() };
    let shop = vec![column("shop", 9, Some(4))];
    assert!(with_categories(&alone, vec!["shop".into()], shop).to_onnx().is_ok());
}

#[test]
fn calibrations_are_exported_or_refused() {
    let mut binary = predictor(&settings());
    let mut classes = predictor(&ModelSpec { task: Task::Classes, ..settings() });
    let plain = [binary.to_onnx().unwrap().bytes, classes.to_onnx().unwrap().bytes];
    binary.description.calibration = Some(Calibration::Platt { slope: 0.25, intercept: -1.5 });
    classes.description.calibration = Some(Calibration::Temperature { temperature: 0.125 });
    for (predictor, plain) in [&mut binary, &mut classes].into_iter().zip(plain) {
        let exported = predictor.to_onnx().unwrap();
        assert!(exported.largest_difference > 0.0 && exported.bytes.len() > plain.len());
        // A file without the calibration is told from one with it.
        assert!(matches!(predictor.largest_difference(&plain), Err(OnnxError::Differs { .. })));
    }
    let (logits, probabilities) = (vec![-1.0, 1.0], vec![0.2, 0.7]);
    binary.description.calibration = Some(Calibration::Isotonic { logits, probabilities });
    assert!(matches!(binary.to_onnx(), Err(OnnxError::Isotonic)));
}

#[test]
fn every_setting_of_the_model_is_exported() {
    let revin = ModelSpec { normalize: Normalize::Revin, revin_affine: true, ..settings() };
    let cases = [
        settings(),
        ModelSpec { normalize: Normalize::None, ..settings() },
        ModelSpec { normalize: Normalize::Revin, ..settings() },
        revin.clone(),
        ModelSpec { channels: Channels::Independent, ..settings() },
        ModelSpec { channels: Channels::Independent, head: Pooling::Mean, ..revin },
        ModelSpec { feature_embedding: 2, channels: Channels::Independent, ..settings() },
        ModelSpec { feature_embedding: 5, ..settings() },
        ModelSpec { head: Pooling::Mean, head_dropout: 0.3, ..settings() },
        ModelSpec { parametrization: Parametrization::Mup, base_width: 4, base_head_width: 2, ..settings() },
        ModelSpec { task: Task::Classes, ..settings() },
        ModelSpec { task: Task::Regression, ..settings() },
    ];
    for model in cases {
        let exported = predictor(&model).to_onnx().unwrap_or_else(|error| panic!("{error}: {model:?}"));
        assert_eq!(exported.windows, 4);
        assert!(exported.largest_difference > 0.0, "kernels and loops round differently: {model:?}");
    }
}

/// Returns why a changed file is refused.
fn refused(change: impl FnOnce(&mut ModelProto)) -> String {
    let mut predictor = predictor(&settings());
    let mut model = ModelProto::decode(&*predictor.to_onnx().unwrap().bytes).unwrap();
    change(&mut model);
    predictor.largest_difference(&model.encode_to_vec()).unwrap_err().to_string()
}

#[test]
fn a_graph_with_other_outputs_is_refused() {
    let error = refused(|model| {
        let graph = model.graph.as_mut().unwrap();
        let bias = graph.initializer.iter_mut().find(|tensor| tensor.name == "head.bias").unwrap();
        let value = f32::from_le_bytes(bias.raw_data[..].try_into().unwrap());
        bias.raw_data = (value + 1e-3).to_le_bytes().to_vec();
    });
    assert!(error.starts_with("the exported graph gives ") && error.ends_with(" (logits)"), "{error}");
    let error = refused(|model| model.graph.as_mut().unwrap().node[0].op_type = "Floor".into());
    assert_eq!(error, "the exported graph cannot be evaluated: scale/double: Floor of 1 inputs is not known");
    let error = refused(|model| {
        model.graph.as_mut().unwrap().node.pop();
    });
    assert_eq!(error, "the exported graph cannot be evaluated: there is no scores");
    assert_eq!(
        refused(|model| model.graph = None),
        "the exported graph cannot be evaluated: there is no graph"
    );
}
