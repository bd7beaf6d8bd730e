//! The significant effects of parameters, in one sentence.

use allometry_analysis::importance::ImportanceModel;

use crate::number::{counted, listed};

/// Returns the sentence on the effects of a budget's parameters.
pub fn importance(model: &ImportanceModel) -> String {
    model.sentence.text(|()| surviving(model))
}

fn surviving(model: &ImportanceModel) -> String {
    let evaluations = counted(model.evaluations, "distinct evaluation");
    let Some(freedom) = model.residual_freedom else {
        return format!("Unknown: a model of all parameters needs more than {evaluations}.");
    };
    if model.family == 0 {
        return format!("Unknown: with {evaluations} no parameter can be tested by itself.");
    }
    let basis = format!(
        "main effects of {}, {evaluations}, {freedom} residual degrees of freedom",
        counted(model.family, "parameter")
    );
    match model.surviving.as_slice() {
        [] => format!("No parameter has a significant effect after Holm's adjustment ({basis})."),
        [one] => format!("Only {one} has a significant effect after Holm's adjustment ({basis})."),
        several => {
            let names = listed(several);
            format!("{names} have significant effects after Holm's adjustment ({basis}).")
        }
    }
}
