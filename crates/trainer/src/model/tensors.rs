//! Tensors of a model by the names that `PyTorch` modules would give them.

use super::architecture::{Architecture, Geometry};
use super::layout::{Layout, LinearSpans, NormSpans, Span};

/// A named tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tensor {
    /// Name, such as `blocks.0.qkv.weight`.
    pub(crate) name: String,
    /// Shape in `PyTorch`, where the weight of a linear map has one row per output.
    pub(crate) shape: Vec<usize>,
    /// Position in the flat buffer.
    pub(crate) span: Span,
    /// Whether the buffer contains the transpose.
    pub(crate) transposed: bool,
}

impl Tensor {
    /// Returns the index within the span of the number that `PyTorch` has at index `place` of the flattened
    /// tensor.
    pub(crate) fn place(&self, place: usize) -> usize {
        match self.shape[..] {
            [rows, columns] if self.transposed => place % columns * rows + place / columns,
            _ => place,
        }
    }
}

/// Returns every tensor of a model, in the order of the buffer.
pub(crate) fn named_tensors(layout: &Layout, architecture: Architecture, geometry: Geometry) -> Vec<Tensor> {
    let (d, ff) = (architecture.d_model, architecture.d_ff());
    let mut all = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, span: Span, transposed: bool| {
        all.push(Tensor { name, shape, span, transposed });
    };
    if let Some(affine) = layout.affine {
        add("revin.weight".into(), vec![geometry.numbers()], affine.gain, false);
        add("revin.bias".into(), vec![geometry.numbers()], affine.shift, false);
    }
    let embedded = geometry.form.embeddings;
    for (number, (column, span)) in embedded.columns().iter().zip(&layout.categories).enumerate() {
        let shape = vec![column.categories, column.size];
        add(format!("category_embeddings.{number}.weight"), shape, *span, false);
    }
    if let Some(linear) = layout.feature_embedding {
        let shape = vec![geometry.columns(), geometry.inputs()];
        add("feature_embedding.weight".into(), shape, linear.weight, true);
        add("feature_embedding.bias".into(), vec![geometry.columns()], linear.bias, false);
    }
    let depth = geometry.patch_values();
    add("embedding.weight".into(), vec![d, depth], layout.embedding, true);
    add("embedding.bias".into(), vec![d], layout.embedding_bias, false);
    add("positions".into(), vec![geometry.patches(), d], layout.positions, false);
    for (b, block) in layout.blocks.iter().enumerate() {
        let mut norm = |name: &str, spans: NormSpans| {
            add(format!("blocks.{b}.{name}.weight"), vec![d], spans.gain, false);
            add(format!("blocks.{b}.{name}.bias"), vec![d], spans.shift, false);
        };
        norm("attention_norm", block.attention_norm);
        norm("feed_forward_norm", block.feed_forward_norm);
        let mut linear = |name: &str, spans: LinearSpans, [outputs, inputs]: [usize; 2], transposed: bool| {
            add(format!("blocks.{b}.{name}.weight"), vec![outputs, inputs], spans.weight, transposed);
            add(format!("blocks.{b}.{name}.bias"), vec![outputs], spans.bias, false);
        };
        linear("qkv", block.qkv, [3 * d, d], true);
        linear("projection", block.projection, [d, d], true);
        linear("widen", block.widen, [ff, d], false);
        linear("narrow", block.narrow, [d, ff], true);
    }
    add("final_norm.weight".into(), vec![d], layout.final_norm.gain, false);
    add("final_norm.bias".into(), vec![d], layout.final_norm.shift, false);
    add(
        "head.weight".into(),
        vec![geometry.form.outputs, geometry.head_inputs(d)],
        layout.head.weight,
        false,
    );
    add("head.bias".into(), vec![geometry.form.outputs], layout.head.bias, false);
    all
}
