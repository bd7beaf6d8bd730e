//! What fixes the number of weights.

use allometry_core::ladder::{Channels, ModelSpec, Pooling, Task};
use allometry_core::{ModelSize, Params};

use super::layout::Layout;

/// The searched part of a model's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Architecture {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Encoder blocks.
    pub n_layers: usize,
    /// Attention heads; they divide `d_model`.
    pub n_heads: usize,
    /// Width of the feed-forward layer as a multiple of `d_model`.
    pub d_ff_ratio: usize,
}

/// The part of a model's shape that the data and the ladder fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Features of a row.
    pub features: usize,
    /// Rows in a window.
    pub context: usize,
    /// Rows in a patch.
    pub patch: usize,
    /// Rows from one patch to the next.
    pub stride: usize,
    /// What stands before the patches and after them.
    pub form: Form,
}

/// What stands before the patches and after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    /// Whether windows that are scaled by themselves are then multiplied and moved by learned numbers per feature.
    pub affine: bool,
    /// Columns that a learned linear map makes of a row's features; 0 for no map.
    pub feature_embedding: usize,
    /// Whether each column is a series of its own.
    pub channels: Channels,
    /// What the head sees of the patches.
    pub head: Pooling,
    /// Outputs of the head: the classes, or 1.
    pub outputs: usize,
}

impl Form {
    /// Nothing before the patches, features mixed, all patches seen by one output.
    pub const PLAIN: Self = Self {
        affine: false,
        feature_embedding: 0,
        channels: Channels::Mixed,
        head: Pooling::Flatten,
        outputs: 1,
    };
}

/// Why parameters are no architecture, or not one that can be trained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ArchitectureError {
    /// A parameter without which there is no model is absent.
    #[error("parameter `{name}` is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A parameter that the trainer does not have.
    #[error("the built-in trainer has no parameter `{name}`")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A value outside the parameter's range, or of the wrong kind.
    #[error("parameter `{name}` is {value}, but must be {range}")]
    OutOfRange {
        /// Its name.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// The heads cannot share the width equally.
    #[error("n_heads = {n_heads} does not divide d_model = {d_model}")]
    HeadsDoNotDivide {
        /// Width of the residual stream.
        d_model: usize,
        /// Attention heads.
        n_heads: usize,
    },
    /// Patches do not fit into the window.
    #[error("patches of {patch} rows every {stride} do not fit into a window of {context} rows")]
    PatchesDoNotFit {
        /// Rows in a window.
        context: usize,
        /// Rows in a patch.
        patch: usize,
        /// Rows from one patch to the next.
        stride: usize,
    },
    /// A data set without features.
    #[error("the data set has no features")]
    NoFeatures,
}

impl ArchitectureError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { name } => Some(format!("give `{name}` in the ladder's space")),
            Self::Unknown { .. } => Some(format!("it has {}", crate::hyperparameters::NAMES.join(", "))),
            Self::HeadsDoNotDivide { d_model, .. } => {
                let divisors: Vec<String> =
                    (1..=16).filter(|h| d_model.is_multiple_of(*h)).map(|h| h.to_string()).collect();
                Some(format!("n_heads may be {}", divisors.join(", ")))
            }
            Self::PatchesDoNotFit { .. } => {
                Some("`patch` must lie in 1..=context and `stride` above 0".into())
            }
            Self::OutOfRange { .. } | Self::NoFeatures => None,
        }
    }
}

impl Architecture {
    /// The architecture that `params` name; `d_ff_ratio` is 4 unless given.
    ///
    /// # Errors
    /// [`ArchitectureError`] for a parameter that is missing, no positive whole number, or does not fit the others.
    pub fn from_params(params: &Params) -> Result<Self, ArchitectureError> {
        let whole = |name: &'static str, default: Option<usize>| {
            let Some(value) = params.get(name) else {
                return default.ok_or(ArchitectureError::Missing { name });
            };
            match value.as_i64() {
                Some(n @ 1..=1_000_000) => Ok(n as usize),
                _ => Err(ArchitectureError::OutOfRange {
                    name,
                    value: value.repr(),
                    range: "a whole number from 1",
                }),
            }
        };
        let architecture = Self {
            d_model: whole("d_model", None)?,
            n_layers: whole("n_layers", None)?,
            n_heads: whole("n_heads", None)?,
            d_ff_ratio: whole("d_ff_ratio", Some(4))?,
        };
        let Self { d_model, n_heads, .. } = architecture;
        if !d_model.is_multiple_of(n_heads) {
            return Err(ArchitectureError::HeadsDoNotDivide { d_model, n_heads });
        }
        Ok(architecture)
    }

    /// Width of the feed-forward layer.
    pub fn d_ff(self) -> usize {
        self.d_ff_ratio * self.d_model
    }

    /// Exact number of weights in a model of this architecture.
    pub fn model_size(self, geometry: Geometry) -> ModelSize {
        let layout = Layout::new(self, geometry);
        let embedding = layout.blocks[0].attention_norm.gain.start;
        ModelSize { total: layout.total as u64, non_embedding: (layout.total - embedding) as u64 }
    }
}

impl Geometry {
    /// The shape of windows of `features` columns under a ladder's settings; `classes` are those of the label where there
    /// are such.
    ///
    /// # Errors
    /// [`ArchitectureError`] where no patch fits into a window or there are no features.
    pub fn new(features: usize, classes: usize, spec: &ModelSpec) -> Result<Self, ArchitectureError> {
        let ModelSpec { context, patch, stride, .. } = *spec;
        if patch == 0 || stride == 0 || patch > context {
            return Err(ArchitectureError::PatchesDoNotFit { context, patch, stride });
        }
        if features == 0 {
            return Err(ArchitectureError::NoFeatures);
        }
        let form = Form {
            affine: spec.revin_affine,
            feature_embedding: spec.feature_embedding,
            channels: spec.channels,
            head: spec.head,
            outputs: if spec.task == Task::Classes { classes } else { 1 },
        };
        Ok(Self { features, context, patch, stride, form })
    }

    /// Patches of a window.
    pub fn patches(self) -> usize {
        (self.context - self.patch) / self.stride + 1
    }

    /// Columns of the series that patches are cut from.
    pub fn columns(self) -> usize {
        match self.form.feature_embedding {
            0 => self.features,
            columns => columns,
        }
    }

    /// Series that pass through the encoder by themselves.
    pub fn channels(self) -> usize {
        match self.form.channels {
            Channels::Mixed => 1,
            Channels::Independent => self.columns(),
        }
    }

    /// Values of a patch.
    pub fn patch_values(self) -> usize {
        self.patch * self.columns() / self.channels()
    }

    /// Patches of a window over all its series: rows of the encoder.
    pub fn rows(self) -> usize {
        self.channels() * self.patches()
    }

    /// Rows of the encoder that the head takes the mean of.
    pub fn pooled(self) -> usize {
        match self.form.head {
            Pooling::Flatten => 1,
            Pooling::Mean => self.patches(),
        }
    }

    /// Inputs of the head of a model of this width.
    pub fn head_inputs(self, d_model: usize) -> usize {
        self.rows() / self.pooled() * d_model
    }

    /// Whether there are weights before the patches.
    pub fn has_front(self) -> bool {
        self.form.affine || self.form.feature_embedding > 0
    }

    /// Values of a window.
    pub fn window_values(self) -> usize {
        self.context * self.features
    }
}
