use allometry_core::ladder::Normalize;

use super::layout::Span;
use super::*;
use crate::batch::Cutter;
use crate::kernel::Real;

const SEED: u64 = 7;

fn geometry(features: usize, context: usize, patch: usize, stride: usize) -> Geometry {
    Geometry { features, context, patch, stride }
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
    windows: usize,
}

impl Case {
    fn workspace<T: Real>(&self) -> Workspace<T> {
        let mut workspace = Workspace::new(self.architecture, self.geometry, self.windows + 1);
        let mut cutter = match self.normalize {
            Normalize::Revin => Cutter::revin(self.geometry),
            _ => Cutter::Plain,
        };
        let values = self.geometry.window_values();
        let size = self.geometry.patches() * self.geometry.patch_values();
        for (w, patches) in workspace.patches.chunks_exact_mut(size).take(self.windows).enumerate() {
            let window: Vec<f32> = (0..values).map(|i| number(w * values + i) as f32).collect();
            cutter.cut(self.geometry, &window, patches);
        }
        workspace
    }

    fn weights<T: Real>(&self) -> Vec<T> {
        // Shifts and gains away from 0 and 1, so that no gradient is checked at a special point.
        let mut weights: Vec<T> = initial_weights(self.architecture, self.geometry, SEED);
        for (i, weight) in weights.iter_mut().enumerate() {
            *weight += T::from_f64(0.1 * number(i));
        }
        weights
    }

    fn labels(&self) -> Vec<bool> {
        (0..self.windows).map(|w| w % 3 == 0).collect()
    }

    fn loss<T: Real>(&self, workspace: &mut Workspace<T>, weights: &[T]) -> f64 {
        workspace.forward(weights, self.windows, self.masks);
        let n = self.windows;
        bce_with_logits(&workspace.logits[..n], &self.labels(), &mut workspace.d_logits[..n])
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
            // The gradient of the keys' bias is zero but for rounding; every other tensor must matter.
            assert!(own_largest > 1e-6 * largest, "{name}: no gradient");
            let stride = span.length.div_ceil(23);
            for i in (span.start..span.start + span.length).step_by(stride) {
                let step = 1e-4;
                let old = weights[i];
                let mut at = |x: f64| {
                    weights[i] = x;
                    self.loss(&mut workspace, &weights)
                };
                // Richardson's extrapolation of two central differences, of error O(step^4).
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
    for span in spans {
        assert_eq!(span.start, end);
        end += span.length;
    }
    assert_eq!(end, layout.total);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let dropout = Masks::Step { probability: 0.3, seed: SEED, step: 5 };
    let cases = [
        // One head narrower than a chunk of lanes, five patches.
        (architecture(12, 2, 3, 2), geometry(3, 20, 4, 4), Normalize::None, Masks::Off, 5),
        (architecture(12, 2, 3, 2), geometry(3, 20, 4, 4), Normalize::Revin, dropout, 5),
        // Heads wider than a chunk, more patches than a chunk, overlapping patches.
        (architecture(40, 1, 2, 1), geometry(2, 40, 4, 2), Normalize::None, dropout, 2),
        // One patch, one head, one window.
        (architecture(16, 1, 1, 4), geometry(4, 6, 6, 1), Normalize::None, dropout, 1),
    ];
    for (architecture, geometry, normalize, masks, windows) in cases {
        Case { architecture, geometry, normalize, masks, windows }.check();
    }
}

#[test]
fn single_precision_follows_double() {
    let case = Case {
        architecture: architecture(24, 3, 2, 4),
        geometry: geometry(5, 36, 8, 4),
        normalize: Normalize::Revin,
        masks: Masks::Step { probability: 0.2, seed: SEED, step: 1 },
        windows: 6,
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
fn a_window_scores_the_same_in_any_company() {
    let case = Case {
        architecture: architecture(24, 2, 3, 2),
        geometry: geometry(5, 36, 8, 4),
        normalize: Normalize::None,
        masks: Masks::Off,
        windows: 7,
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
    let (architecture, geometry) = (architecture(24, 3, 2, 4), geometry(5, 36, 8, 4));
    let w = Workspace::<f32>::new(architecture, geometry, 6);
    let sites: usize = w.sites.iter().map(|s| s.stream.len() + s.normed.len() + 2 * s.statistics.len()).sum();
    let blocks: usize = w
        .blocks
        .iter()
        .map(|b| b.qkv.len() + b.probabilities.len() + b.mixed.len() + b.wide.len() + b.activated.len())
        .sum();
    let rest = w.patches.len() + w.branch.len() + w.d_stream.len() + w.d_narrow.len() + w.d_wide.len();
    let ends = w.scratch.len() + w.logits.len() + w.d_logits.len();
    assert_eq!(Workspace::<f32>::values(architecture, geometry, 6), sites + blocks + rest + ends);
}

#[test]
fn the_loss_is_that_of_the_definition() {
    let (logits, labels) = ([0.0f64, 2.0, -3.0, 800.0], [true, false, true, true]);
    let mut d = [0.0; 4];
    let loss = bce_with_logits(&logits, &labels, &mut d);
    let expected = (2f64.ln() + (1.0 + 2f64.exp()).ln() + (1.0 + 3f64.exp()).ln()) / 4.0;
    assert!((loss - expected).abs() < 1e-14);
    assert_eq!(d[0], -0.125);
    assert_eq!(d[3], 0.0);
    assert!(bce_with_logits(&[f64::NAN], &[true], &mut [0.0]).is_nan());
}
