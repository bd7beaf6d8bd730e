//! Checks of `[model]`.

use allometry_core::Precision;

use super::super::document::Node;
use super::super::problem::ProblemKind;
use super::super::section::{AT_LEAST_ONE, Problems, Section};
use super::super::spec::{
    BudgetSpec, Channels, DeviceKind, LossKind, ModelSpec, Monitor, Normalize, Parametrization, Pooling,
    Schedule, Task,
};
use super::searched::{Searched, largest, words};

const KINDS: &[&str] = &["patchtst"];
const TASKS: (&[&str], &[Task]) =
    (&["binary", "classes", "regression"], &[Task::Binary, Task::Classes, Task::Regression]);
const CHANNELS: (&[&str], &[Channels]) =
    (&["mixed", "independent"], &[Channels::Mixed, Channels::Independent]);
const HEADS: (&[&str], &[Pooling]) = (&["flatten", "mean"], &[Pooling::Flatten, Pooling::Mean]);
const PARAMETRIZATIONS: (&[&str], &[Parametrization]) =
    (&["standard", "mup"], &[Parametrization::Standard, Parametrization::Mup]);
const SCHEDULE: (&[&str], &[Schedule]) =
    (&["constant", "cosine", "linear"], &[Schedule::Constant, Schedule::Cosine, Schedule::Linear]);
const MONITORS: (&[&str], &[Monitor]) = (
    &[
        "auc",
        "average_precision",
        "f1_at_half",
        "f1_at_prior",
        "brier",
        "log_loss",
        "validation_loss",
        "train_loss",
        "accuracy",
        "r2",
        "mse",
        "mae",
    ],
    &[
        Monitor::Auc,
        Monitor::AveragePrecision,
        Monitor::F1AtHalf,
        Monitor::F1AtPrior,
        Monitor::Brier,
        Monitor::LogLoss,
        Monitor::ValidationLoss,
        Monitor::TrainLoss,
        Monitor::Accuracy,
        Monitor::R2,
        Monitor::Mse,
        Monitor::Mae,
    ],
);
const PRECISIONS: (&[&str], &[Precision]) = (&["auto", "f32", "bf16"], &Precision::ALL);
const DEVICES: (&[&str], &[DeviceKind]) = (&["cpu", "wgpu"], &DeviceKind::ALL);
const NOT_NEGATIVE: (fn(f64) -> bool, &str) = (|x| x >= 0.0 && x.is_finite(), "0 or more");
const POSITIVE: (fn(f64) -> bool, &str) = (|x| x > 0.0, "above 0, or inf for no clipping");
const WEIGHT: (fn(f64) -> bool, &str) = (|x| x > 0.0 && x.is_finite(), "above 0");
const PROBABILITY: (fn(f64) -> bool, &str) = (|x| (0.0..1.0).contains(&x), "from 0 to below 1");
const COLUMNS: (fn(usize) -> bool, &str) = (|n| n <= 65_536, "from 0 to 65536");
const ANY_COUNT: (fn(usize) -> bool, &str) = (|_| true, "a whole number from 0");
const EPOCHS: (fn(usize) -> bool, &str) = (|n| (1..=100).contains(&n), "from 1 to 100");

/// Checks the table. Settings that the budgets search have their defaults in the result.
pub(super) fn model(
    mut section: Section<'_>,
    searched: (&[BudgetSpec], &Searched),
    problems: &mut Problems,
) -> Option<ModelSpec> {
    searched.1.report_fixed(&mut section, problems);
    section.word("kind", (KINDS, &[()]), problems);
    let mut count = |key: &'static str, example: &'static str| match searched.1.place(key) {
        // The value is in each trial.
        Some(_) => None,
        None => section.required_count(key, example, problems),
    };
    let (context, patch) = (count("context", "context = 80"), count("patch", "patch = 16"));
    let stride = count("stride", "stride = 8");
    let defaults = ModelSpec::new(0, 0, 0);
    let spec = ModelSpec {
        context: context.as_ref().map(|c| c.value).or(largest("context", searched.0)).unwrap_or(0),
        patch: patch.as_ref().map_or(0, |p| p.value),
        stride: stride.as_ref().map_or(0, |s| s.value),
        task: section.word("task", TASKS, problems).unwrap_or_default(),
        normalize: section.word("normalize", Normalize::NAMED, problems).unwrap_or_default(),
        revin_affine: section.read("revin_affine", problems).is_some_and(|affine| affine.value),
        channels: section.word("channels", CHANNELS, problems).unwrap_or_default(),
        feature_embedding: section.within("feature_embedding", 0, COLUMNS, problems),
        head: section.word("head", HEADS, problems).unwrap_or_default(),
        head_dropout: section.within("head_dropout", 0.0, PROBABILITY, problems),
        parametrization: section.word("parametrization", PARAMETRIZATIONS, problems).unwrap_or_default(),
        base_width: section.within("base_width", defaults.base_width, AT_LEAST_ONE, problems),
        base_head_width: section.within("base_head_width", defaults.base_head_width, AT_LEAST_ONE, problems),
        loss: section.word("loss", LossKind::NAMED, problems).unwrap_or_default(),
        positive_weight: section
            .node("positive_weight")
            .is_some()
            .then(|| section.within("positive_weight", 1.0, WEIGHT, problems)),
        focal_gamma: section.within("focal_gamma", defaults.focal_gamma, NOT_NEGATIVE, problems),
        label_smoothing: section.within("label_smoothing", 0.0, PROBABILITY, problems),
        epochs: section.within("epochs", defaults.epochs, AT_LEAST_ONE, problems),
        patience: section.within("patience", defaults.patience, AT_LEAST_ONE, problems),
        collapse_epochs: section.within("collapse_epochs", 0, ANY_COUNT, problems),
        minimum_gain: section.within("minimum_gain", 0.0, NOT_NEGATIVE, problems),
        monitor: section.word("monitor", MONITORS, problems),
        batch_size: batch_size(&mut section, problems),
        accumulate: section.within("accumulate", 1, AT_LEAST_ONE, problems),
        average_epochs: section.within("average_epochs", 1, EPOCHS, problems),
        gradient_clip: section.within("gradient_clip", 1.0, POSITIVE, problems),
        schedule: section.word("schedule", SCHEDULE, problems).unwrap_or_default(),
        warmup_epochs: section.within("warmup_epochs", 0.0, NOT_NEGATIVE, problems),
        precision: section.word("precision", PRECISIONS, problems).unwrap_or_default(),
        device: section.word("device", DEVICES, problems).unwrap_or_default(),
    };
    needs(&mut section, &spec, searched, problems);
    section.finish(problems);
    if let (Some(context), Some(patch)) = (&context, &patch)
        && patch.value > context.value
    {
        let (count, limit) = (patch.value.to_string(), context.value.to_string());
        let kind = ProblemKind::Exceeds { key: "patch", count, other: "context", limit };
        problems.push_with(&patch.place, kind, Some((&context.place, "larger than this")));
    }
    let settings = [("context", &context), ("patch", &patch), ("stride", &stride)];
    let is_complete = settings.iter().all(|(key, count)| count.is_some() || searched.1.place(key).is_some());
    is_complete.then_some(spec)
}

/// A number of windows, or `"auto"`.
fn batch_size(section: &mut Section<'_>, problems: &mut Problems) -> Option<usize> {
    match section.node("batch_size").map(|node| &node.value) {
        Some(Node::Text(word)) if word == "auto" => None,
        _ => Some(section.within("batch_size", 128, AT_LEAST_ONE, problems)),
    }
}

/// Reports settings that have no effect with the other settings.
fn needs(
    section: &mut Section<'_>,
    spec: &ModelSpec,
    (budgets, searched): (&[BudgetSpec], &Searched),
    problems: &mut Problems,
) {
    let binary = spec.task == Task::Binary;
    let losses = words("loss", LossKind::NAMED, spec.loss, budgets);
    let normalizes = words("normalize", Normalize::NAMED, spec.normalize, budgets);
    let is_of_task = |loss: &LossKind| match loss {
        LossKind::Bce => true,
        LossKind::Weighted => spec.task != Task::Regression,
        LossKind::Focal | LossKind::SoftAuc => binary,
    };
    let monitored = spec.monitor.is_none_or(|monitor| monitor.is_of(spec.task));
    let mup = spec.parametrization == Parametrization::Mup;
    let defaults = ModelSpec::new(0, 0, 0);
    let is_ordered = searched.place("epochs").is_some() || spec.warmup_epochs <= spec.epochs as f64;
    let rules: [(&'static str, bool, &'static str); 11] = [
        (
            "precision",
            spec.precision != Precision::Bf16 || spec.device == DeviceKind::Cpu,
            "`device = \"cpu\"`",
        ),
        ("parametrization", !mup || spec.device == DeviceKind::Cpu, "`device = \"cpu\"`"),
        ("base_width", mup || spec.base_width == defaults.base_width, "`parametrization = \"mup\"`"),
        (
            "base_head_width",
            mup || spec.base_head_width == defaults.base_head_width,
            "`parametrization = \"mup\"`",
        ),
        (
            "revin_affine",
            !spec.revin_affine || normalizes.iter().all(|normalize| *normalize == Normalize::Revin),
            "`normalize = \"revin\"`",
        ),
        (
            "loss",
            losses.iter().all(is_of_task),
            "`task = \"binary\"`: with \"classes\" it is \"bce\" or \"weighted\"",
        ),
        (
            "positive_weight",
            spec.positive_weight.is_none() || (losses.contains(&LossKind::Weighted) && binary),
            "`loss = \"weighted\"` and `task = \"binary\"`",
        ),
        ("focal_gamma", spec.focal_gamma == 2.0 || losses.contains(&LossKind::Focal), "`loss = \"focal\"`"),
        (
            "label_smoothing",
            spec.label_smoothing == 0.0
                || (spec.task != Task::Regression && !losses.contains(&LossKind::SoftAuc)),
            "classes and a loss of single windows",
        ),
        ("monitor", monitored, "another `task`: models of this task do not report the metric"),
        ("warmup_epochs", is_ordered, "at least as many `epochs`"),
    ];
    for (key, holds, what) in rules {
        let place = section.node(key).map(|node| &node.place).or_else(|| searched.place(key));
        if let (false, Some(place)) = (holds, place) {
            problems.push(place, ProblemKind::Needs { key, what });
        }
    }
}
