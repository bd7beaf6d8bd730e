//! Conversion of windows to patches, with its backward pass.

use burn_tensor::Tensor;

use super::weights::{Gradient, Weights};
use super::{Series, Shape};

/// Added to the variance of a window's feature, as on the CPU.
const EPSILON: f64 = 1e-5;

/// State for the backward pass.
#[derive(Debug)]
pub(super) struct Front {
    /// Input of the affine layer, `models x times x features`, if the model has one.
    windows: Option<Tensor<3>>,
    /// Input of the feature embedding, `models x times x features`, if the model has one.
    scaled: Option<Tensor<3>>,
}

/// Returns the patches of all windows of all models, `models x rows x patch values`, from
/// `windows x context x features`.
pub(super) fn patches(
    windows: Tensor<3>,
    series: &Series,
    shape: &Shape,
    weights: &Weights,
) -> (Tensor<3>, Front) {
    let (geometry, layout, models) = (shape.geometry, &shape.layout, weights.models());
    let [count, context, features] = windows.dims();
    let windows = if shape.revin { revin(windows) } else { windows };
    let mut values = windows.reshape([models, count / models * context, features]);
    let mut front = Front { windows: None, scaled: None };
    if let Some(affine) = layout.affine {
        front.windows = Some(values.clone());
        values = values * weights.row(affine.gain) + weights.row(affine.shift);
    }
    if let Some(linear) = layout.feature_embedding {
        front.scaled = Some(values.clone());
        values = values.matmul(weights.matrix(linear.weight, geometry.columns())) + weights.row(linear.bias);
    }
    let rows = values.reshape([count, context, geometry.columns()]).select(1, series.cut.clone());
    (to_patches(rows, shape, models), front)
}

/// Rearranges `windows x patch rows x columns` to `models x rows x patch values`.
fn to_patches(rows: Tensor<3>, shape: &Shape, models: usize) -> Tensor<3> {
    let geometry = shape.geometry;
    let [count, _, columns] = rows.dims();
    let to = [models, count / models * geometry.rows(), geometry.patch_values()];
    if geometry.channels() == 1 {
        return rows.reshape(to);
    }
    rows.reshape([count, geometry.patches(), geometry.patch, columns]).permute([0, 3, 1, 2]).reshape(to)
}

/// Scales each feature of each window by the window's own mean and standard deviation (Kim et al. 2022).
/// Like the processor's kernel it averages differences from the first row.
fn revin(windows: Tensor<3>) -> Tensor<3> {
    let from_first = windows.clone() - windows.narrow(1, 0, 1);
    let centred = from_first.clone() - from_first.mean_dim(1);
    let inverse = (centred.clone().square().mean_dim(1) + EPSILON).sqrt().recip();
    centred * inverse
}

impl Front {
    /// Adds the gradients of the weights before the patches, from the gradient of the patches.
    pub(super) fn backward(
        self,
        d_patches: Tensor<3>,
        series: &Series,
        shape: &Shape,
        weights: &Weights,
        gradient: &mut Gradient,
    ) {
        let (geometry, layout, models) = (shape.geometry, &shape.layout, weights.models());
        let columns = geometry.columns();
        let [_, rows, _] = d_patches.dims();
        let count = models * rows / geometry.rows();
        let patch_rows = geometry.patches() * geometry.patch;
        let d_rows = if geometry.channels() == 1 {
            d_patches.reshape([count, patch_rows, columns])
        } else {
            let apart = d_patches.reshape([count, columns, geometry.patches(), geometry.patch]);
            apart.permute([0, 2, 3, 1]).reshape([count, patch_rows, columns])
        };
        let times = count / models * geometry.context;
        let mut d_values = series.uncut.clone().matmul(d_rows).reshape([models, times, columns]);
        if let (Some(linear), Some(scaled)) = (layout.feature_embedding, self.scaled) {
            gradient.put_sum(linear.bias, d_values.clone());
            gradient.put(linear.weight, scaled.transpose().matmul(d_values.clone()));
            d_values = d_values.matmul(weights.matrix(linear.weight, columns).transpose());
        }
        if let (Some(affine), Some(windows)) = (layout.affine, self.windows) {
            gradient.put_sum(affine.gain, d_values.clone() * windows);
            gradient.put_sum(affine.shift, d_values);
        }
    }
}
