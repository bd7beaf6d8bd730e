//! Flat weights of several models, split into tensors, and their gradient.

use allometry_trainer::device::Span;
use burn_tensor::Tensor;

/// Weights of several models, `models x weights`.
#[derive(Debug, Clone)]
pub(crate) struct Weights(pub(crate) Tensor<2>);

impl Weights {
    pub(crate) fn models(&self) -> usize {
        self.0.dims()[0]
    }

    /// Returns a span as a matrix, `models x rows x columns`.
    pub(super) fn matrix(&self, span: Span, columns: usize) -> Tensor<3> {
        let models = self.models();
        let flat = self.0.clone().slice([0..models, span.start..span.start + span.length]);
        flat.reshape([models, span.length / columns, columns])
    }

    /// Returns a span as a row that can be added to every row, `models x 1 x columns`.
    pub(super) fn row(&self, span: Span) -> Tensor<3> {
        self.matrix(span, span.length)
    }
}

/// Gradient of several models with respect to their weights, tensor by tensor.
#[derive(Debug, Default)]
pub(crate) struct Gradient {
    parts: Vec<(usize, Tensor<2>)>,
}

impl Gradient {
    /// Sets the gradient of one tensor, `models x rows x columns`.
    pub(super) fn put(&mut self, span: Span, value: Tensor<3>) {
        let models = value.dims()[0];
        self.parts.push((span.start, value.reshape([models, span.length])));
    }

    /// Sets the gradient of a tensor that was added to every row: the sum of `value` over its rows.
    pub(super) fn put_sum(&mut self, span: Span, value: Tensor<3>) {
        self.put(span, sum_of_rows(value));
    }

    /// Returns the gradient of all weights, `models x total`, with zeros between the tensors.
    pub(crate) fn into_flat(mut self, total: usize) -> Tensor<2> {
        self.parts.sort_by_key(|(start, _)| *start);
        let (mut all, mut end) = (Vec::with_capacity(2 * self.parts.len()), 0);
        for (start, part) in self.parts {
            let [models, length] = part.dims();
            if start > end {
                all.push(Tensor::zeros([models, start - end], &part.device()));
            }
            end = start + length;
            all.push(part);
        }
        if let Some([models, _]) = all.last().map(Tensor::dims).filter(|_| end < total) {
            all.push(Tensor::zeros([models, total - end], &all[0].device()));
        }
        Tensor::cat(all, 1)
    }
}

/// Largest number of numbers that a device adds at once. A sum over 387,000 on Vulkan in software left half
/// of them out.
const LONGEST_SUM: usize = 2048;

/// Smallest part into which a longer sum is divided without padding.
const SHORTEST_PART: usize = 32;

/// Returns the sums over the rows, `models x 1 x columns`, of `models x rows x columns`.
pub(super) fn sum_of_rows(mut values: Tensor<3>) -> Tensor<3> {
    loop {
        let [models, rows, columns] = values.dims();
        if rows <= LONGEST_SUM {
            return values.sum_dim(1);
        }
        let divisor = (SHORTEST_PART..=LONGEST_SUM).rev().find(|part| rows % part == 0);
        let part = divisor.unwrap_or(LONGEST_SUM);
        let missing = rows.next_multiple_of(part) - rows;
        if missing > 0 {
            let zeros = Tensor::zeros([models, missing, columns], &values.device());
            values = Tensor::cat(vec![values, zeros], 1);
        }
        let parts = (rows + missing) / part;
        values = values.reshape([models * parts, part, columns]).sum_dim(1).reshape([models, parts, columns]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::floats;
    use super::*;

    #[test]
    fn long_sums_have_all_numbers() {
        let device = match burn_tensor::Device::wgpu_options().init() {
            Ok(device) => device,
            Err(why) => {
                return allometry_testkit::skip_absent("long_sums_have_all_numbers", &why.to_string());
            }
        };
        for (models, rows, columns) in
            [(1, 1, 1), (2, 2048, 3), (1, 2049, 2), (2, 5003, 1), (1, 120_960, 5), (2, 387_072, 1)]
        {
            let number = |place: usize| (place % 7) as f32 - 2.5;
            let values =
                floats((0..models * rows * columns).map(number).collect(), [models, rows, columns], &device);
            let sums = sum_of_rows(values).into_data().to_vec::<f32>().unwrap();
            for (place, sum) in sums.into_iter().enumerate() {
                let (model, column) = (place / columns, place % columns);
                let expected: f64 =
                    (0..rows).map(|row| f64::from(number((model * rows + row) * columns + column))).sum();
                assert!(
                    (f64::from(sum) - expected).abs() < 1e-5 * rows as f64,
                    "{rows} rows: {sum}, not {expected}"
                );
            }
        }
    }
}
