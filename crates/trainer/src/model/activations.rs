//! Activations of the last forward pass, layer by layer.

use crate::kernel::Real;

use super::workspace::Workspace;

/// A layer whose activations are measured. Blocks count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The residual stream before the first block.
    Embedding,
    /// The scores of a block's attention, before the softmax.
    Scores(usize),
    /// The residual stream after a block.
    Block(usize),
    /// The outputs of the head.
    Output,
}

impl<T: Real> Workspace<T> {
    /// Returns the activations of the first `windows` windows after a forward pass.
    pub(crate) fn activations(&self, windows: usize) -> Vec<(Layer, Vec<T>)> {
        let length = windows * self.geometry.rows() * self.architecture.d_model;
        let mut layers = vec![(Layer::Embedding, self.sites[0].stream[..length].to_vec())];
        for block in 0..self.architecture.n_layers {
            layers.push((Layer::Scores(block), self.scores(block, windows)));
            layers.push((Layer::Block(block), self.sites[2 * block + 2].stream[..length].to_vec()));
        }
        layers.push((Layer::Output, self.logits[..windows * self.geometry.form.outputs].to_vec()));
        layers
    }

    /// Returns the scaled products of queries and keys for every series, head, query and key.
    fn scores(&self, block: usize, windows: usize) -> Vec<T> {
        let (patches, width) = (self.geometry.patches(), self.architecture.d_model);
        let head_width = width / self.architecture.n_heads;
        let scale = T::from_f64(self.scaling.scores);
        let rows = windows * self.geometry.rows();
        let mut scores = Vec::with_capacity(rows * patches * self.architecture.n_heads);
        for series in self.blocks[block].qkv[..rows * 3 * width].chunks_exact(patches * 3 * width) {
            for column in (0..width).step_by(head_width) {
                for query in series.chunks_exact(3 * width) {
                    for key in series.chunks_exact(3 * width) {
                        let query = &query[column..][..head_width];
                        let key = &key[width + column..][..head_width];
                        let mut sum = T::ZERO;
                        for (&q, &k) in query.iter().zip(key) {
                            sum += q * k;
                        }
                        scores.push(scale * sum);
                    }
                }
            }
        }
        scores
    }
}
