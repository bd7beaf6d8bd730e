//! Conversion of tensors to and from the bytes of a file.

use std::borrow::Cow;

use safetensors::{Dtype, View};

use crate::model::Tensor;

/// Numbers to be stored in single precision.
pub(super) enum Stored<'a> {
    /// A tensor of the model, and the flat buffer that contains it.
    Weights(Tensor, &'a [f32]),
    /// A whole buffer, and its length as a shape.
    Buffer(&'a [f32], [usize; 1]),
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Weights(tensor, _) => &tensor.shape,
            Self::Buffer(_, shape) => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Weights(tensor, buffer) => {
                let values = tensor.span.of(buffer);
                let bytes = (0..values.len()).flat_map(|place| values[tensor.place(place)].to_le_bytes());
                Cow::Owned(bytes.collect())
            }
            // A copy would take a quarter of the memory of a training.
            Self::Buffer(values, _) if cfg!(target_endian = "little") => {
                Cow::Borrowed(bytemuck::cast_slice(values))
            }
            Self::Buffer(values, _) => {
                Cow::Owned(values.iter().flat_map(|value| value.to_le_bytes()).collect())
            }
        }
    }

    fn data_len(&self) -> usize {
        let values = match self {
            Self::Weights(tensor, _) => tensor.span.length,
            Self::Buffer(values, _) => values.len(),
        };
        values * size_of::<f32>()
    }
}

/// Returns the numbers in a file's bytes.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number))
}
