//! The model over tensors with a leading axis of models: several models of one shape, each with its own
//! weights, in one pass.
//!
//! Passes follow `allometry_trainer`'s `model` operation by operation, with the same names. In comments on
//! shapes, `models` counts models of one shape, `windows` those of each model, `rows` the patches of all
//! its windows, and `d` is the width.

mod attention;
mod backward;
mod forward;
mod front;
mod masks;
mod norm;
mod update;
mod weights;

pub(crate) use forward::Pass;
pub(crate) use masks::{Masks, Positions};
pub(crate) use update::{Rates, adamw, sums_of_squares};
pub(crate) use weights::{Gradient, Weights};

use allometry_ladder::Normalize;
use allometry_trainer::device::{Layout, Plan, Span};
use allometry_trainer::{Architecture, Geometry};
use burn_tensor::{Device, Int, Tensor, TensorData};

/// Number of values to whose multiples tensors are aligned: 256 bytes, the largest alignment of a storage
/// buffer that a device may ask for (WebGPU, `minStorageBufferOffsetAlignment`). A slice that starts and ends
/// aligned is not copied.
const ALIGNMENT: usize = 64;

/// Properties that models trained together have in common.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) architecture: Architecture,
    pub(crate) geometry: Geometry,
    /// Layout of the weights on the device, with [`ALIGNMENT`].
    pub(crate) layout: Layout,
    /// Where each tensor lies in the buffers of the trainer, and where on the device.
    spans: Vec<[Span; 2]>,
    /// Stride of a dropout mask for the attention probabilities of one query.
    pub(crate) lanes: usize,
    /// Whether windows are normalised by their own mean and deviation.
    pub(crate) revin: bool,
}

impl Shape {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        let architecture = plan.hyperparameters.architecture;
        let layout = Layout::aligned(architecture, plan.geometry, ALIGNMENT);
        let of_trainer = Layout::new(architecture, plan.geometry).spans();
        Self {
            architecture,
            geometry: plan.geometry,
            spans: of_trainer.into_iter().zip(layout.spans()).map(|(ours, theirs)| [ours, theirs]).collect(),
            layout,
            lanes: plan.attention_lanes(),
            revin: plan.settings.normalize == Normalize::Revin,
        }
    }

    /// Returns a buffer of the trainer in the layout of the device, with zeros between the tensors.
    pub(crate) fn to_device(&self, values: &[f32]) -> Vec<f32> {
        let mut aligned = vec![0.0; self.layout.total];
        for [ours, theirs] in &self.spans {
            theirs.of_mut(&mut aligned).copy_from_slice(ours.of(values));
        }
        aligned
    }

    /// Returns a buffer of the device in the layout of the trainer.
    pub(crate) fn to_trainer(&self, aligned: &[f32]) -> Vec<f32> {
        self.spans.iter().flat_map(|[_, theirs]| theirs.of(aligned)).copied().collect()
    }
}

/// The series on the device, with the indices that cut it into windows and patches.
#[derive(Debug)]
pub(crate) struct Series {
    /// Values of the series, `rows x features`.
    values: Tensor<2>,
    /// Offsets 0, 1, ... of a window's rows, `1 x context`.
    steps: Tensor<2, Int>,
    /// Index within the window of each row of each patch, patch by patch.
    cut: Tensor<1, Int>,
    /// Matrix that maps patch rows to window rows, `1 x context x patch rows`: 1 where the two are the same
    /// row.
    uncut: Tensor<3>,
}

impl Series {
    pub(crate) fn new(series: &[f32], geometry: Geometry, device: &Device) -> Self {
        let Geometry { features, context, patch, stride, .. } = geometry;
        let rows: Vec<i32> =
            (0..geometry.patches()).flat_map(|p| (0..patch).map(move |i| (p * stride + i) as i32)).collect();
        let mut uncut = vec![0.0f32; context * rows.len()];
        for (place, &row) in rows.iter().enumerate() {
            uncut[row as usize * rows.len() + place] = 1.0;
        }
        let count = rows.len();
        let steps: Vec<i32> = (0..context as i32).collect();
        Self {
            values: floats(series.to_vec(), [series.len() / features, features], device),
            steps: Tensor::from_data(TensorData::new(steps, [1, context]), device),
            cut: Tensor::from_data(TensorData::new(rows, [count]), device),
            uncut: floats(uncut, [1, context, count], device),
        }
    }

    /// Returns the windows that start at these rows, `windows x context x features`.
    pub(crate) fn windows(&self, starts: Vec<i32>) -> Tensor<3> {
        let (count, device) = (starts.len(), self.values.device());
        let starts = Tensor::<2, Int>::from_data(TensorData::new(starts, [count, 1]), &device);
        let [_, context] = self.steps.dims();
        let rows = (starts + self.steps.clone()).reshape([count * context]);
        let [_, features] = self.values.dims();
        self.values.clone().select(0, rows).reshape([count, context, features])
    }
}

/// Creates a tensor of these numbers.
pub(crate) fn floats<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
