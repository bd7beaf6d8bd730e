use allometry_core::Precision;
use allometry_ladder::{Channels, ModelSpec, Normalize, Parametrization, Pooling, Task};

use super::layout::Span;
use super::*;
use crate::batch::Cutter;
use crate::kernel::Real;

const SEED: u64 = 7;

fn geometry(features: usize, context: usize, patch: usize, stride: usize) -> Geometry {
    Geometry { features, context, patch, stride, form: Form::PLAIN }
}

fn architecture(d_model: usize, n_layers: usize, n_heads: usize, d_ff_ratio: usize) -> Architecture {
    Architecture { d_model, n_layers, n_heads, d_ff_ratio }
}

#[test]
fn weights_are_counted_exactly() {
    let shared_table = geometry(105, 80, 16, 8);
    for (d_model, n_layers, d_ff_ratio, total) in
        [(96, 2, 4, 386_977), (64, 4, 2, 242_753), (128, 6, 4, 1_407_361), (192, 8, 4, 3_885_505)]
    {
        let size = architecture(d_model, n_layers, 8, d_ff_ratio).model_size(shared_table);
        assert_eq!(size.total, total);
        assert_eq!(size.non_embedding, total - (16 * 105 + 1 + 9) * d_model as u64);
    }
}

/// A small deterministic pseudo-random number in (-1, 1).
fn number(index: usize) -> f64 {
    ((index as f64 + 1.0) * 12.989_8).sin()
}

struct Case {
    architecture: Architecture,
    geometry: Geometry,
    normalize: Normalize,
    masks: Masks,
    loss: Loss,
    windows: usize,
    parametrization: Parametrization,
}

fn scaling(parametrization: Parametrization, architecture: Architecture) -> WidthScaling {
    WidthScaling::new(&ModelSpec { parametrization, ..ModelSpec::new(8, 4, 4) }, architecture)
}

impl Case {
    fn scaling(&self) -> WidthScaling {
        scaling(self.parametrization, self.architecture)
    }

    fn workspace<T: Real>(&self) -> Workspace<T> {
        let capacity = self.windows + 1;
        let mut workspace = Workspace::new(
            self.architecture,
            self.geometry,
            self.scaling(),
            Precision::F32,
            self.drops(),
            capacity,
        );
        let mut cutter = Cutter::new(self.normalize, self.geometry);
        let values = self.geometry.window_values();
        for w in 0..self.windows {
            let window: Vec<f32> = (0..values).map(|i| self.value(w * values + i)).collect();
            cutter.load(&window, w, &mut workspace);
        }
        workspace
    }

    /// A number or, in a column with vectors, the number of a category; also that of an unknown one.
    fn value(&self, place: usize) -> f32 {
        let Geometry { features, form, .. } = self.geometry;
        match (place % features).checked_sub(self.geometry.numbers()) {
            Some(column) => (place / features % (form.embeddings.columns()[column].categories + 1)) as f32,
            None => number(place) as f32,
        }
    }

    fn weights<T: Real>(&self) -> Vec<T> {
        // Shifts and gains differ from 0 and 1, so that no gradient is checked at a special point.
        let mut weights: Vec<T> = initial_weights(self.architecture, self.geometry, self.scaling(), SEED);
        for (i, weight) in weights.iter_mut().enumerate() {
            *weight += T::from_f64(0.1 * number(i));
        }
        weights
    }

    /// Whether the head has dropout.
    fn drops(&self) -> bool {
        matches!(self.masks, Masks::Step { head, .. } if head > 0.0)
    }

    fn targets(&self) -> Vec<f32> {
        let classes = self.geometry.form.outputs.max(2);
        (0..self.windows).map(|w| if w % 3 == 0 { 1.0 } else { (w % classes / 2 * 2) as f32 }).collect()
    }

    fn loss<T: Real>(&self, workspace: &mut Workspace<T>, weights: &[T]) -> f64 {
        workspace.forward(weights, self.windows, self.masks);
        let n = self.windows * self.geometry.form.outputs;
        self.loss.evaluate(&workspace.logits[..n], &self.targets(), &mut workspace.d_logits[..n])
    }

    /// Compares the gradient of every tensor with central differences.
    fn check(&self) {
        let mut workspace = self.workspace::<f64>();
        let mut weights = self.weights::<f64>();
        let mut gradient = vec![f64::NAN; weights.len()];
        self.loss(&mut workspace, &weights);
        workspace.backward(&weights, &mut gradient, self.windows, self.masks);
        let largest = gradient.iter().fold(0.0f64, |a, g| a.max(g.abs()));
        let layout = Layout::new(self.architecture, self.geometry);
        for Tensor { name, span, .. } in named_tensors(&layout, self.architecture, self.geometry) {
            let own_largest = span.of(&gradient).iter().fold(0.0f64, |a, g| a.max(g.abs()));
            // The gradient of the keys' bias is zero up to rounding, but the queries and values share its
            // tensor. Only tensors that shift all logits equally have no gradient with the soft AUC.
            let idle = self.loss == Loss::SoftAuc && ["final_norm.bias", "head.bias"].contains(&&*name);
            assert!(idle || own_largest > 1e-6 * largest, "{name}: no gradient");
            let stride = span.length.div_ceil(23);
            for i in (span.start..span.start + span.length).step_by(stride) {
                let step = 1e-4;
                let old = weights[i];
                let mut at = |x: f64| {
                    weights[i] = x;
                    self.loss(&mut workspace, &weights)
                };
                // Richardson extrapolation of two central differences, with error O(step^4).
                let near = (at(old + step) - at(old - step)) / (2.0 * step);
                let far = (at(old + 2.0 * step) - at(old - 2.0 * step)) / (4.0 * step);
                weights[i] = old;
                let expected = (4.0 * near - far) / 3.0;
                let error = (gradient[i] - expected).abs();
                assert!(
                    error <= 1e-6 * expected.abs().max(1e-3 * own_largest) + 1e-11,
                    "{name}[{}]: {} by backward, {expected} by differences",
                    i - span.start,
                    gradient[i],
                );
            }
        }
    }
}

#[test]
fn the_tensors_tile_the_buffer() {
    let (architecture, geometry) = (architecture(12, 2, 3, 2), geometry(3, 20, 4, 4));
    let layout = Layout::new(architecture, geometry);
    let tensors = named_tensors(&layout, architecture, geometry);
    let mut spans: Vec<Span> = tensors.iter().map(|t| t.span).collect();
    assert!(tensors.iter().all(|t| t.shape.iter().product::<usize>() == t.span.length));
    spans.sort_by_key(|s| s.start);
    let mut end = 0;
    for span in &spans {
        assert_eq!(span.start, end);
        end += span.length;
    }
    assert_eq!(end, layout.total);
    assert_eq!(layout.spans(), spans, "all tensors in their order");
    let aligned = Layout::aligned(architecture, geometry, 64);
    assert!(aligned.total.is_multiple_of(64));
    let mut end = 0;
    for (span, own) in aligned.spans().into_iter().zip(spans) {
        assert!(span.start.is_multiple_of(64) && span.length == own.length);
        assert!((end..end + 64).contains(&span.start), "there is no gap of a whole alignment");
        end = span.start + span.length;
    }
}

const STANDARD: Parametrization = Parametrization::Standard;
const BCE: Loss = Loss::Binary { weight: 1.0, gamma: 0.0, smoothing: 0.0 };

fn dropout(head: f64) -> Masks {
    Masks::Step { probability: 0.3, head, seed: SEED, step: 5 }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let cases = [
        // One head narrower than a chunk of lanes, five patches.
        (architecture(12, 2, 3, 2), geometry(3, 20, 4, 4), Normalize::None, Masks::Off, 5),
        (architecture(12, 2, 3, 2), geometry(3, 20, 4, 4), Normalize::Revin, dropout(0.0), 5),
        // Heads wider than a chunk, more patches than a chunk, overlapping patches.
        (architecture(40, 1, 2, 1), geometry(2, 40, 4, 2), Normalize::None, dropout(0.0), 2),
        // One patch, one head, one window.
        (architecture(16, 1, 1, 4), geometry(4, 6, 6, 1), Normalize::None, dropout(0.0), 1),
    ];
    for (architecture, geometry, normalize, masks, windows) in cases {
        for parametrization in [STANDARD, Parametrization::Mup] {
            Case { architecture, geometry, normalize, masks, loss: BCE, windows, parametrization }.check();
        }
    }
}

#[test]
fn gradients_of_every_form_agree_with_finite_differences() {
    let (independent, mean) = (Channels::Independent, Pooling::Mean);
    let forms = [
        Form { affine: true, ..Form::PLAIN },
        Form { feature_embedding: 2, ..Form::PLAIN },
        Form { affine: true, feature_embedding: 5, ..Form::PLAIN },
        Form { channels: independent, ..Form::PLAIN },
        Form {
            channels: independent,
            affine: true,
            feature_embedding: 2,
            head: mean,
            outputs: 3,
            ..Form::PLAIN
        },
        Form { head: mean, ..Form::PLAIN },
        Form { outputs: 4, ..Form::PLAIN },
    ];
    for form in forms {
        let geometry = Geometry { form, ..geometry(3, 20, 4, 4) };
        let architecture = architecture(12, 1, 3, 2);
        let classes = || Loss::Classes { weights: vec![0.5, 1.0, 2.5], smoothing: 0.1 };
        let loss = if form.outputs > 1 { classes() } else { BCE };
        for masks in [Masks::Off, dropout(0.2)] {
            let normalize = if form.affine { Normalize::Revin } else { Normalize::None };
            let (loss, parametrization) = (loss.clone(), STANDARD);
            Case { architecture, geometry, normalize, masks, loss, windows: 4, parametrization }.check();
        }
    }
}

/// Returns columns of categories with vectors, each by its numbers of categories and of values.
fn embeddings<const N: usize>(columns: [[usize; 2]; N]) -> Embeddings {
    Embeddings::new(columns.map(|[categories, size]| CategoryEmbedding { categories, size })).unwrap()
}

#[test]
fn gradients_of_vectors_of_categories_agree_with_finite_differences() {
    let (one, two) = (embeddings([[4, 3]]), embeddings([[4, 3], [2, 1]]));
    let independent = Channels::Independent;
    let forms = [
        Form { embeddings: one, ..Form::PLAIN },
        Form { embeddings: two, ..Form::PLAIN },
        Form { embeddings: two, affine: true, ..Form::PLAIN },
        Form { embeddings: two, feature_embedding: 2, ..Form::PLAIN },
        Form { embeddings: two, affine: true, feature_embedding: 5, ..Form::PLAIN },
        Form { embeddings: two, channels: independent, head: Pooling::Mean, ..Form::PLAIN },
    ];
    for form in forms {
        for normalize in [Normalize::Revin, Normalize::None] {
            let geometry = Geometry { form, ..geometry(3, 20, 4, 4) };
            let (architecture, loss, masks) = (architecture(12, 1, 3, 2), BCE, dropout(0.2));
            let parametrization = STANDARD;
            Case { architecture, geometry, normalize, masks, loss, windows: 4, parametrization }.check();
        }
    }
    // No column of numbers.
    let form = Form { embeddings: two, ..Form::PLAIN };
    let (architecture, geometry) = (architecture(12, 1, 3, 2), Geometry { form, ..geometry(2, 20, 4, 4) });
    let (normalize, masks, parametrization) = (Normalize::Revin, Masks::Off, STANDARD);
    Case { architecture, geometry, normalize, masks, loss: BCE, windows: 4, parametrization }.check();
}

/// A learned vector is a linear map of features of 0 and 1, one for each category: two models whose weights
/// agree so have equal logits.
#[test]
fn vectors_of_categories_are_a_linear_map_of_indicators() {
    let (architecture, context) = (architecture(12, 2, 3, 2), 20);
    let with = Geometry {
        form: Form { embeddings: embeddings([[4, 3]]), ..Form::PLAIN },
        ..geometry(3, context, 4, 4)
    };
    let indicators = geometry(2 + 4, context, 4, 4);
    let scaling = scaling(STANDARD, architecture);
    let weights = initial_weights::<f64>(architecture, with, scaling, SEED);
    let (layout, wide) = (Layout::new(architecture, with), Layout::new(architecture, indicators));
    // The table of vectors, and patches of 5 values instead of 6.
    assert_eq!(layout.total, wide.total + 4 * 3 - 4 * 12);
    let mut other = vec![0.0; wide.total];
    let same = weights.len() - layout.embedding_bias.start;
    other[wide.embedding_bias.start..].copy_from_slice(&weights[weights.len() - same..]);
    let (from, table) = (layout.embedding.of(&weights), layout.categories[0].of(&weights));
    let to = wide.embedding.of_mut(&mut other);
    for row in 0..4 {
        for width in 0..12 {
            let at = |column: usize| from[(row * 5 + column) * 12 + width];
            for column in 0..2 {
                to[(row * 6 + column) * 12 + width] = at(column);
            }
            for category in 0..4 {
                let of_vector = (0..3).map(|value| table[category * 3 + value] * at(2 + value));
                to[(row * 6 + 2 + category) * 12 + width] = of_vector.sum();
            }
        }
    }
    let window: Vec<[f32; 3]> = (0..context)
        .map(|row| [number(2 * row) as f32, number(2 * row + 1) as f32, (row % 5) as f32])
        .collect();
    let short: Vec<f32> = window.iter().flatten().copied().collect();
    let is_of = |code: f32, category: usize| f32::from(u8::from(code == (category + 1) as f32));
    let long: Vec<f32> = window
        .iter()
        .flat_map(|&[a, b, code]| [a, b].into_iter().chain((0..4).map(move |c| is_of(code, c))))
        .collect();
    let logit = |geometry: Geometry, weights: &[f64], window: &[f32]| {
        let mut workspace = Workspace::<f64>::new(architecture, geometry, scaling, Precision::F32, false, 1);
        Cutter::new(Normalize::None, geometry).load(window, 0, &mut workspace);
        workspace.forward(weights, 1, Masks::Off);
        workspace.logits[0]
    };
    let found = [logit(with, &weights, &short), logit(indicators, &other, &long)];
    assert!((found[0] - found[1]).abs() < 1e-12, "{found:?}");
}

#[test]
fn gradients_of_every_loss_agree_with_finite_differences() {
    for loss in [
        Loss::Binary { weight: 3.0, gamma: 0.0, smoothing: 0.1 },
        Loss::Binary { weight: 1.0, gamma: 2.0, smoothing: 0.0 },
        Loss::Binary { weight: 0.5, gamma: 0.7, smoothing: 0.2 },
        Loss::SoftAuc,
        Loss::Squared,
    ] {
        let (architecture, geometry) = (architecture(12, 1, 3, 2), geometry(3, 20, 4, 4));
        let (normalize, masks) = (Normalize::None, Masks::Off);
        Case { architecture, geometry, normalize, masks, loss, windows: 5, parametrization: STANDARD }
            .check();
    }
}

#[test]
fn the_head_drops_its_share_of_what_it_sees() {
    let (architecture, geometry) = (architecture(12, 1, 3, 2), geometry(3, 20, 4, 4));
    let masks = Masks::Step { probability: 0.0, head: 0.25, seed: SEED, step: 0 };
    let case = Case {
        architecture,
        geometry,
        normalize: Normalize::None,
        masks,
        loss: BCE,
        windows: 64,
        parametrization: STANDARD,
    };
    let (mut workspace, weights) = (case.workspace::<f64>(), case.weights::<f64>());
    workspace.forward(&weights, 64, Masks::Off);
    let seen = workspace.pooled.clone();
    workspace.forward(&weights, 64, masks);
    let used = 64 * geometry.head_inputs(12);
    let dropped = workspace.pooled[..used].iter().filter(|x| **x == 0.0).count() as f64 / used as f64;
    // Five standard deviations.
    assert!((dropped - 0.25).abs() < 5.0 * (0.1875 / used as f64).sqrt(), "{dropped}");
    for (kept, all) in workspace.pooled[..used].iter().zip(&seen).filter(|(kept, _)| **kept != 0.0) {
        assert!((kept * 0.75 - all).abs() < 1e-12);
    }
}

#[test]
fn weights_of_every_form_are_those_allocated() {
    for d_model in [12, 24, 40] {
        for affine in [false, true] {
            for feature_embedding in [0, 5] {
                for channels in [Channels::Mixed, Channels::Independent] {
                    for (head, outputs) in [(Pooling::Flatten, 1), (Pooling::Mean, 1), (Pooling::Flatten, 3)]
                    {
                        let form = Form { affine, feature_embedding, channels, head, outputs, ..Form::PLAIN };
                        let geometry = Geometry { form, ..geometry(7, 20, 4, 4) };
                        let architecture = architecture(d_model, 2, 2, 2);
                        let total = architecture.model_size(geometry).total;
                        let scaling = scaling(STANDARD, architecture);
                        let weights = initial_weights::<f32>(architecture, geometry, scaling, SEED);
                        assert_eq!(total, weights.len() as u64, "{form:?}");
                        // Independent count of the weights: front, patches, positions, blocks, last
                        // normalisation, head.
                        let columns = if feature_embedding == 0 { 7 } else { 5 };
                        let series = if channels == Channels::Mixed { 1 } else { columns };
                        let front =
                            if affine { 14 } else { 0 } + if feature_embedding > 0 { 7 * 5 + 5 } else { 0 };
                        let d = d_model;
                        let block = 4 * d + (d + 1) * 3 * d + (d + 1) * d + (d + 1) * 2 * d + (2 * d + 1) * d;
                        let seen = series * d * if head == Pooling::Mean { 1 } else { 5 };
                        let embedding = (4 * columns / series + 1) * d + 5 * d;
                        let expected = front + embedding + 2 * block + 2 * d + outputs * (seen + 1);
                        assert_eq!(total, expected as u64, "{form:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn single_precision_follows_double() {
    let case = Case {
        architecture: architecture(24, 3, 2, 4),
        geometry: geometry(5, 36, 8, 4),
        normalize: Normalize::Revin,
        masks: Masks::Step { probability: 0.2, head: 0.1, seed: SEED, step: 1 },
        loss: BCE,
        windows: 6,
        parametrization: STANDARD,
    };
    let (mut single, mut double) = (case.workspace::<f32>(), case.workspace::<f64>());
    let (narrow, wide) = (case.weights::<f32>(), case.weights::<f64>());
    let losses = [case.loss(&mut single, &narrow), case.loss(&mut double, &wide)];
    assert!((losses[0] - losses[1]).abs() < 1e-5 * losses[1], "{losses:?}");
    let (mut g32, mut g64) = (vec![0f32; narrow.len()], vec![0f64; wide.len()]);
    single.backward(&narrow, &mut g32, case.windows, case.masks);
    double.backward(&wide, &mut g64, case.windows, case.masks);
    let largest = g64.iter().fold(0.0f64, |a, g| a.max(g.abs()));
    for (a, b) in g32.iter().zip(&g64) {
        assert!((f64::from(*a) - b).abs() < 2e-5 * largest, "{a} and {b}, largest {largest}");
    }
}

#[test]
fn logits_do_not_depend_on_the_other_windows_of_a_batch() {
    let case = Case {
        architecture: architecture(24, 2, 3, 2),
        geometry: geometry(5, 36, 8, 4),
        normalize: Normalize::None,
        masks: Masks::Off,
        loss: BCE,
        windows: 7,
        parametrization: STANDARD,
    };
    let weights = case.weights::<f32>();
    let mut workspace = case.workspace::<f32>();
    workspace.forward(&weights, 7, Masks::Off);
    let together = workspace.logits.clone();
    workspace.forward(&weights, 3, Masks::Off);
    for (a, b) in together.iter().zip(&workspace.logits[..3]) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

#[test]
fn predicted_memory_is_what_is_allocated() {
    let independent = Channels::Independent;
    let forms = [
        Form::PLAIN,
        Form {
            affine: true,
            feature_embedding: 3,
            channels: independent,
            head: Pooling::Mean,
            outputs: 4,
            ..Form::PLAIN
        },
        Form { affine: true, ..Form::PLAIN },
        Form { feature_embedding: 2, ..Form::PLAIN },
        Form { embeddings: embeddings([[7, 3], [2, 5]]), ..Form::PLAIN },
        Form { embeddings: embeddings([[7, 3]]), affine: true, feature_embedding: 2, ..Form::PLAIN },
    ];
    for (form, drops) in forms.into_iter().zip([false, true, true, false, false, true]) {
        let architecture = architecture(24, 3, 2, 4);
        let geometry = Geometry { form, ..geometry(5, 36, 8, 4) };
        let w = Workspace::<f32>::new(
            architecture,
            geometry,
            scaling(STANDARD, architecture),
            Precision::F32,
            drops,
            6,
        );
        let sites: usize =
            w.sites.iter().map(|s| s.stream.len() + s.normed.len() + 2 * s.statistics.len()).sum();
        let blocks: usize = w
            .blocks
            .iter()
            .map(|b| b.qkv.len() + b.probabilities.len() + b.mixed.len() + b.wide.len() + b.activated.len())
            .sum();
        let front = w.front.as_ref().map_or(0, |f| {
            let buffers =
                [&f.windows, &f.scaled, &f.joined, &f.embedded, &f.d_patches, &f.d_series, &f.d_inputs];
            f.codes.len() + buffers.iter().map(|b| b.len()).sum::<usize>()
        });
        let rest = w.patches.len() + w.branch.len() + w.d_stream.len() + w.d_narrow.len() + w.d_wide.len();
        let ends = w.scratch.len() + w.logits.len() + w.d_logits.len() + w.pooled.len() + w.d_pooled.len();
        let values = Workspace::<f32>::values(architecture, geometry, drops, 6);
        assert_eq!(values, sites + blocks + front + rest + ends, "{form:?}");
    }
}

#[test]
fn losses_that_a_ladder_asks_for() {
    let spec =
        |text: &str| ModelSpec { loss: serde_json::from_str(text).unwrap(), ..ModelSpec::new(8, 4, 4) };
    let weights = [1.0, 3.5];
    let weighted = Loss::new(&spec("\"weighted\""), &weights);
    assert_eq!(weighted, Loss::Binary { weight: 3.5, gamma: 0.0, smoothing: 0.0 });
    let focal = Loss::new(&spec("\"focal\""), &weights);
    assert_eq!(focal, Loss::Binary { weight: 1.0, gamma: 2.0, smoothing: 0.0 });
    assert_eq!(Loss::new(&spec("\"soft_auc\""), &weights), Loss::SoftAuc);
    let classes = |text: &str| Loss::new(&ModelSpec { task: Task::Classes, ..spec(text) }, &weights);
    let counted = Loss::Classes { weights: weights.into(), smoothing: 0.0 };
    assert_eq!(classes("\"weighted\""), counted);
    assert_eq!(classes("\"bce\""), Loss::Classes { weights: vec![], smoothing: 0.0 });
    // Two windows with equal outputs: log 3 each, times the weights of their classes.
    let mut d = [0.0; 6];
    let loss = Loss::Classes { weights: vec![0.5, 4.0, 1.0], smoothing: 0.0 };
    let found = loss.evaluate(&[0.0f64; 6], &[0.0, 1.0], &mut d);
    assert!((found - 2.25 * 3f64.ln()).abs() < 1e-14);
    let third = 1.0 / 3.0;
    let expected = [0.25 * (third - 1.0), 0.25 * third, 0.25 * third, 2.0 * third, 2.0 * (third - 1.0)];
    assert!(d.iter().zip(expected).all(|(d, expected)| (d - expected).abs() < 1e-15), "{d:?}");
}

#[test]
fn the_loss_is_that_of_the_definition() {
    let (logits, targets) = ([0.0f64, 2.0, -3.0, 800.0], [1.0, 0.0, 1.0, 1.0]);
    let mut d = [0.0; 4];
    let loss = BCE.evaluate(&logits, &targets, &mut d);
    let expected = (2f64.ln() + (1.0 + 2f64.exp()).ln() + (1.0 + 3f64.exp()).ln()) / 4.0;
    assert!((loss - expected).abs() < 1e-14);
    assert_eq!(d[0], -0.125);
    assert_eq!(d[3], 0.0);
    for loss in [BCE, Loss::Classes { weights: vec![], smoothing: 0.0 }, Loss::Squared] {
        assert!(loss.evaluate(&[f64::NAN], &[0.0], &mut [0.0]).is_nan(), "{loss:?}");
    }
    let ranked = Loss::SoftAuc.evaluate(&[1.0f64, -1.0, 0.0], &[1.0, 0.0, 0.0], &mut d[..3]);
    let pairs = [2.0f64, 1.0].map(|gap| (-gap).exp().ln_1p());
    assert!((ranked - f64::midpoint(pairs[0], pairs[1])).abs() < 1e-14);
    assert_eq!(Loss::SoftAuc.evaluate(&[1.0f64, 2.0], &[1.0, 1.0], &mut d[..2]), 0.0, "nothing to rank");
}
