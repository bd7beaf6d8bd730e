//! The `PatchTST` classifier (Nie et al., ICLR 2023): shape, weights, forward and backward pass.

mod activations;
mod architecture;
mod backward;
mod cost;
mod embeddings;
mod forward;
mod initial;
mod layout;
mod lookup;
mod loss;
mod parametrization;
mod tensors;
mod workspace;

pub use activations::Layer;
pub use architecture::{Architecture, ArchitectureError, Form, Geometry};
pub use cost::{Cost, cost};
pub use embeddings::{CategoryEmbedding, EmbeddingError, Embeddings, Inputs};
pub(crate) use initial::initial_weights;
pub use layout::{BlockSpans, Layout, LinearSpans, NormSpans, Span};
pub(crate) use loss::{Loss, probability};
pub(crate) use parametrization::{RatePart, WidthScaling};
pub(crate) use tensors::{Tensor, named_tensors};
pub use workspace::{BrokenLayer, DropoutSite};
pub(crate) use workspace::{Masks, Workspace, cut};

#[cfg(test)]
mod tests;
