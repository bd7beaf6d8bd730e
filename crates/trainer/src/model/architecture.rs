//! Shape of a model, which determines its number of weights.

use allometry_core::Params;
use allometry_ladder::{Channels, ModelSpec, Pooling, Task};

use super::embeddings::{EmbeddingError, Embeddings, Inputs};

/// The searched part of a model's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Architecture {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of encoder blocks.
    pub n_layers: usize,
    /// Number of attention heads, a divisor of `d_model`.
    pub n_heads: usize,
    /// Width of the feed-forward layer as a multiple of `d_model`.
    pub d_ff_ratio: usize,
}

/// The part of a model's shape that the data and the ladder fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Number of columns of a row, of which one of categories with learned vectors is one.
    pub features: usize,
    /// Number of rows in a window.
    pub context: usize,
    /// Number of rows in a patch.
    pub patch: usize,
    /// Rows from one patch to the next.
    pub stride: usize,
    /// Layers before the patches, and the head.
    pub form: Form,
}

/// Layers before the patches, and the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    /// Whether a learned gain and shift per feature follow the normalisation of windows.
    pub affine: bool,
    /// Columns of categories with learned vectors.
    pub embeddings: Embeddings,
    /// Number of columns of the learned linear map of a row's features, or 0 for no map.
    pub feature_embedding: usize,
    /// Whether each column is a series of its own.
    pub channels: Channels,
    /// How the head reads the patches.
    pub head: Pooling,
    /// Number of outputs of the head: the number of classes, or 1.
    pub outputs: usize,
}

impl Form {
    /// No layers before the patches, mixed features, and a head with one output that reads all patches.
    pub const PLAIN: Self = Self {
        affine: false,
        embeddings: Embeddings::NONE,
        feature_embedding: 0,
        channels: Channels::Mixed,
        head: Pooling::Flatten,
        outputs: 1,
    };
}

/// Reason why parameters do not define a model that can be trained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ArchitectureError {
    /// A required parameter is missing.
    #[error("parameter `{name}` is missing")]
    Missing {
        /// Name of the parameter.
        name: &'static str,
    },
    /// The trainer has no such parameter.
    #[error("the built-in trainer has no parameter `{name}`")]
    Unknown {
        /// Name of the parameter.
        name: String,
    },
    /// A value is outside the parameter's range or of the wrong kind.
    #[error("parameter `{name}` is {value}, but must be {range}")]
    OutOfRange {
        /// Name of the parameter.
        name: &'static str,
        /// Value as given.
        value: String,
        /// Description of the valid values.
        range: &'static str,
    },
    /// The number of heads does not divide the width.
    #[error("n_heads = {n_heads} does not divide d_model = {d_model}")]
    HeadsDoNotDivide {
        /// Width of the residual stream.
        d_model: usize,
        /// Number of attention heads.
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
    /// Windows are longer than those of the data set.
    #[error("a window of {context} rows is longer than those of the ladder, which have {longest}")]
    LongContext {
        /// Rows in a window of the trial.
        context: usize,
        /// Rows in a window of the data set.
        longest: usize,
    },
    /// The data set has no features.
    #[error("the data set has no features")]
    NoFeatures,
    /// Categories have learned vectors that a model cannot have.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingError),
}

impl ArchitectureError {
    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { name } => Some(format!("give `{name}` in the ladder's space")),
            Self::Unknown { .. } => {
                Some(format!("its parameters are {}", crate::hyperparameters::NAMES.join(", ")))
            }
            Self::HeadsDoNotDivide { d_model, .. } => {
                let divisors: Vec<String> =
                    (1..=16).filter(|h| d_model.is_multiple_of(*h)).map(|h| h.to_string()).collect();
                Some(format!("n_heads may be {}", divisors.join(", ")))
            }
            Self::PatchesDoNotFit { .. } => {
                Some("`patch` must lie in 1..=context and `stride` above 0".into())
            }
            Self::LongContext { .. } => Some(
                "the rows of all trials are those that the longest `context` of the spaces admits".into(),
            ),
            Self::OutOfRange { .. } | Self::NoFeatures | Self::Embeddings(_) => None,
        }
    }
}

impl Architecture {
    /// Reads the architecture from `params`. `d_ff_ratio` is 4 by default.
    ///
    /// # Errors
    /// [`ArchitectureError`] for a parameter that is missing, is not a positive integer, or does not fit
    /// the others.
    pub fn from_params(params: &Params) -> Result<Self, ArchitectureError> {
        let positive_integer = |name: &'static str, default: Option<usize>| {
            let Some(value) = params.get(name) else {
                return default.ok_or(ArchitectureError::Missing { name });
            };
            match value.as_i64() {
                Some(n @ 1..=1_000_000) => Ok(n as usize),
                _ => Err(ArchitectureError::OutOfRange {
                    name,
                    value: value.repr(),
                    range: "a whole number of at least 1",
                }),
            }
        };
        let architecture = Self {
            d_model: positive_integer("d_model", None)?,
            n_layers: positive_integer("n_layers", None)?,
            n_heads: positive_integer("n_heads", None)?,
            d_ff_ratio: positive_integer("d_ff_ratio", Some(4))?,
        };
        let Self { d_model, n_heads, .. } = architecture;
        if !d_model.is_multiple_of(n_heads) {
            return Err(ArchitectureError::HeadsDoNotDivide { d_model, n_heads });
        }
        Ok(architecture)
    }

    /// Returns the width of the feed-forward layer.
    pub fn d_ff(self) -> usize {
        self.d_ff_ratio * self.d_model
    }
}

impl Geometry {
    /// Returns the shape of windows of rows of `inputs` under a ladder's settings. `classes` is the number of
    /// classes of the label, if it has classes.
    ///
    /// # Errors
    /// [`ArchitectureError`] if no patch fits into a window or there are no features.
    pub fn new(
        inputs: impl Into<Inputs>,
        classes: usize,
        spec: &ModelSpec,
    ) -> Result<Self, ArchitectureError> {
        let Inputs { features, embeddings } = inputs.into();
        let ModelSpec { context, patch, stride, .. } = *spec;
        if patch == 0 || stride == 0 || patch > context {
            return Err(ArchitectureError::PatchesDoNotFit { context, patch, stride });
        }
        if features == 0 {
            return Err(ArchitectureError::NoFeatures);
        }
        let form = Form {
            affine: spec.revin_affine && features > embeddings.count(),
            embeddings,
            feature_embedding: spec.feature_embedding,
            channels: spec.channels,
            head: spec.head,
            outputs: if spec.task == Task::Classes { classes } else { 1 },
        };
        Ok(Self { features, context, patch, stride, form })
    }

    /// Returns the number of patches of a window.
    pub fn patches(self) -> usize {
        (self.context - self.patch) / self.stride + 1
    }

    /// Returns the newest rows of a window, and the rows between patches, that no patch contains.
    pub fn unseen(self) -> [usize; 2] {
        let Self { context, patch, stride, .. } = self;
        let gaps = self.patches() - 1;
        [context - (gaps * stride + patch), gaps * stride.saturating_sub(patch)]
    }

    /// Returns the number of columns of a row that are numbers.
    pub fn numbers(self) -> usize {
        self.features.saturating_sub(self.form.embeddings.count())
    }

    /// Returns the number of values of a row with the vectors of its categories.
    pub fn inputs(self) -> usize {
        self.numbers() + self.form.embeddings.values()
    }

    /// Returns the number of columns of the series from which patches are cut.
    pub fn columns(self) -> usize {
        match self.form.feature_embedding {
            0 => self.inputs(),
            columns => columns,
        }
    }

    /// Returns the number of series that pass through the encoder separately.
    pub fn channels(self) -> usize {
        match self.form.channels {
            Channels::Mixed => 1,
            Channels::Independent => self.columns(),
        }
    }

    /// Returns the number of values of a patch.
    pub fn patch_values(self) -> usize {
        self.patch * self.columns() / self.channels()
    }

    /// Returns the number of patches of a window over all its series, which are the rows of the encoder.
    pub fn rows(self) -> usize {
        self.channels() * self.patches()
    }

    /// Returns the number of encoder rows over which the head averages.
    pub fn pooled(self) -> usize {
        match self.form.head {
            Pooling::Flatten => 1,
            Pooling::Mean => self.patches(),
        }
    }

    /// Returns the number of inputs of the head for a model of this width.
    pub fn head_inputs(self, d_model: usize) -> usize {
        self.rows() / self.pooled() * d_model
    }

    /// Whether the model has weights before the patches.
    pub fn has_front(self) -> bool {
        self.form.affine || self.form.feature_embedding > 0 || self.form.embeddings.count() > 0
    }

    /// Returns the number of values of a window.
    pub fn window_values(self) -> usize {
        self.context * self.features
    }
}
