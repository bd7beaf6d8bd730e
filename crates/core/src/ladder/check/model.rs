//! `[model]`.

use super::super::problem::ProblemKind;
use super::super::section::{AT_LEAST_ONE, Problems, Section};
use super::super::spec::{ModelSpec, Normalize, Schedule};

const KINDS: &[&str] = &["patchtst"];
const NORMALIZE: (&[&str], &[Normalize]) =
    (&["standard", "revin", "none"], &[Normalize::Standard, Normalize::Revin, Normalize::None]);
const SCHEDULE: (&[&str], &[Schedule]) = (&["constant", "cosine"], &[Schedule::Constant, Schedule::Cosine]);
const NOT_NEGATIVE: (fn(f64) -> bool, &str) = (|x| x >= 0.0 && x.is_finite(), "0 or more");
const POSITIVE: (fn(f64) -> bool, &str) = (|x| x > 0.0, "above 0, or inf for no clipping");

pub(super) fn model(mut section: Section<'_>, problems: &mut Problems) -> Option<ModelSpec> {
    section.word("kind", (KINDS, &[()]), problems);
    let context = section.required_count("context", "context = 80", problems);
    let patch = section.required_count("patch", "patch = 16", problems);
    let stride = section.required_count("stride", "stride = 8", problems);
    let normalize = section.word("normalize", NORMALIZE, problems).unwrap_or_default();
    let epochs = section.within("epochs", 50, AT_LEAST_ONE, problems);
    let patience = section.within("patience", 10, AT_LEAST_ONE, problems);
    let minimum_gain = section.within("minimum_gain", 0.0, NOT_NEGATIVE, problems);
    let batch_size = section.within("batch_size", 128, AT_LEAST_ONE, problems);
    let gradient_clip = section.within("gradient_clip", 1.0, POSITIVE, problems);
    let schedule = section.word("schedule", SCHEDULE, problems).unwrap_or_default();
    let warmup_epochs = section.within("warmup_epochs", 0.0, NOT_NEGATIVE, problems);
    section.finish(problems);
    if let (Some(context), Some(patch)) = (&context, &patch)
        && patch.value > context.value
    {
        let kind =
            ProblemKind::Exceeds { key: "patch", count: patch.value, other: "context", limit: context.value };
        problems.push_with(&patch.place, kind, Some((&context.place, "larger than this")));
    }
    Some(ModelSpec {
        context: context?.value,
        patch: patch?.value,
        stride: stride?.value,
        normalize,
        epochs,
        patience,
        minimum_gain,
        batch_size,
        gradient_clip,
        schedule,
        warmup_epochs,
    })
}
