//! The tensors of a model under the names and in the shapes that `PyTorch` modules give them.

use std::borrow::Cow;

use safetensors::{Dtype, View};

use crate::model::Tensor;

/// One tensor of a flat buffer, as it goes to a file.
pub(super) struct Stored<'a> {
    /// Its values as they lie in memory.
    pub(super) values: &'a [f32],
    /// Its shape in the file.
    pub(super) shape: Vec<usize>,
    /// Whether memory holds it with rows and columns exchanged.
    pub(super) turned: bool,
}

impl<'a> Stored<'a> {
    /// A tensor of the model whose weights lie in `buffer`.
    pub(super) fn of(tensor: &Tensor, buffer: &'a [f32]) -> Self {
        Self { values: tensor.span.of(buffer), shape: tensor.shape.clone(), turned: tensor.turned }
    }

    /// A whole buffer.
    pub(super) fn flat(values: &'a [f32]) -> Self {
        Self { values, shape: vec![values.len()], turned: false }
    }
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes = match self.shape[..] {
            [rows, columns] if self.turned => (0..rows)
                .flat_map(|row| (0..columns).map(move |column| column * rows + row))
                .flat_map(|place| self.values[place].to_le_bytes())
                .collect(),
            _ => self.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>(),
        };
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
}

/// Reads the bytes of a file's tensor into its place in a buffer, the other way round.
pub(super) fn read_into(bytes: &[u8], shape: &[usize], turned: bool, values: &mut [f32]) {
    let (numbers, _) = bytes.as_chunks::<4>();
    for (place, number) in numbers.iter().enumerate() {
        let place = match *shape {
            [rows, columns] if turned => place % columns * rows + place / columns,
            _ => place,
        };
        values[place] = f32::from_le_bytes(*number);
    }
}
