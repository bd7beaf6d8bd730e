//! The option `--weights patchtst:features=105,context=80,...`: exact weights for trials recorded without
//! them.

use std::str::FromStr;

use allometry_core::{ModelSize, Params};
use allometry_trainer::{Architecture, Form, Geometry};

/// Counts the weights of configurations for one geometry of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WeightCounter(Geometry);

impl WeightCounter {
    /// Returns the exact size of a configuration's model; `None` if a parameter of the architecture is
    /// missing.
    pub(crate) fn size(&self, params: &Params) -> Option<ModelSize> {
        Architecture::from_params(params).ok().map(|a| a.model_size(self.0))
    }
}

impl FromStr for WeightCounter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "expected patchtst:features=105,context=80,patch=16,stride=8";
        let fields = text.strip_prefix("patchtst:").ok_or_else(|| format!("unknown model; {FORM}"))?;
        let (mut features, mut context, mut patch, mut stride) = (None, None, None, None);
        for field in fields.split(',') {
            let (name, value) =
                field.split_once('=').ok_or_else(|| format!("`{field}` has no value; {FORM}"))?;
            let slot = match name.trim() {
                "features" => &mut features,
                "context" => &mut context,
                "patch" => &mut patch,
                "stride" => &mut stride,
                other => return Err(format!("unknown field `{other}`; {FORM}")),
            };
            let count: usize =
                value.trim().parse().map_err(|_| format!("`{value}` is not a whole number; {FORM}"))?;
            if count == 0 || slot.replace(count).is_some() {
                return Err(format!("`{name}` must be given once, and be at least 1; {FORM}"));
            }
        }
        let (Some(features), Some(context), Some(patch), Some(stride)) = (features, context, patch, stride)
        else {
            return Err(format!("all four fields are needed; {FORM}"));
        };
        if patch > context {
            return Err(format!("a patch of {patch} rows does not fit into a context of {context}"));
        }
        Ok(Self(Geometry { features, context, patch, stride, form: Form::PLAIN }))
    }
}
