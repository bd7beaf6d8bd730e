//! Checks of `[pruner]`.

use allometry_core::{
    CollapseSpec, HalvingSpec, HyperbandSpec, IntervalSpec, PercentileSpec, PrunerKind, PrunerSpec,
};

use super::super::document::{Located, Node};
use super::super::problem::ProblemKind;
use super::super::section::{AT_LEAST_ONE, FromNode as _, Problems, Section, wrong_type};
use super::super::spec::FoldSpec;
use super::COUNT_FROM_ONE;

const KINDS: (&[&str], &[Kind]) = (
    &[
        "median",
        "percentile",
        "successive_halving",
        "hyperband",
        "threshold",
        "patience",
        "wilcoxon",
        "collapse",
    ],
    &[
        Kind::Median,
        Kind::Percentile,
        Kind::Halving,
        Kind::Hyperband,
        Kind::Threshold,
        Kind::Patience,
        Kind::Wilcoxon,
        Kind::Collapse,
    ],
);
const COLLAPSE: CollapseSpec = CollapseSpec { epochs: 5, spread: 0.01 };
const COMPLETE_SHARE: f64 = 0.2;
const ANY_COUNT: (fn(u64) -> bool, &str) = (|_| true, "0 or more");
const PERCENT: (fn(f64) -> bool, &str) = (|x| (0.0..=100.0).contains(&x), "from 0 to 100");
const SHARE: (fn(f64) -> bool, &str) = (|x| (0.0..=1.0).contains(&x), "from 0 to 1");
const NOT_NEGATIVE: (fn(f64) -> bool, &str) = (|x| x >= 0.0 && x.is_finite(), "0 or more");
const NUMBER: (fn(f64) -> bool, &str) = (|x| !x.is_nan(), "a number");
const FACTOR: (fn(u64) -> bool, &str) = (|n| (2..=1000).contains(&n), "from 2 to 1000");
const RATE: (fn(u64) -> bool, &str) = (|n| n <= 60, "at most 60");

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Median,
    Percentile,
    Halving,
    Hyperband,
    Threshold,
    Patience,
    Wilcoxon,
    Collapse,
}

/// Checks the section. Returns `None` only where a problem was reported.
///
/// With folds a trial reports the value of each fold, which differ in level: only the test of pairs compares
/// them.
pub(super) fn pruner(
    mut section: Section<'_>,
    folds: Option<FoldSpec>,
    problems: &mut Problems,
) -> Option<PrunerSpec> {
    if section.node("kind").is_none() {
        let example = if folds.is_some() { "kind = \"wilcoxon\"" } else { "kind = \"median\"" };
        section.missing("kind", example, problems);
    }
    if folds.is_some() {
        only_pairs(&mut section, problems);
    }
    let kind = section.word("kind", KINDS, problems);
    let complete_share = section.within("complete_share", COMPLETE_SHARE, SHARE, problems);
    let collapse = collapse(&mut section, kind == Some(Kind::Collapse), problems);
    let kind = kind.and_then(|kind| settings(kind, &mut section, problems));
    if kind.is_some() {
        section.finish(problems);
    }
    Some(PrunerSpec { kind: kind?, collapse, complete_share })
}

/// Reports pruners of epochs where trials report folds.
fn only_pairs(section: &mut Section<'_>, problems: &mut Problems) {
    if let Some(Located { value: Node::Text(kind), place }) = section.node("kind")
        && kind != "wilcoxon"
        && KINDS.0.contains(&kind.as_str())
    {
        let what = "the value \"wilcoxon\" where [data] has `folds`: trials report folds, not epochs";
        problems.push(place, ProblemKind::Needs { key: "kind", what });
    }
    if let Some(collapse) =
        section.node("collapse").filter(|node| !matches!(node.value, Node::Boolean(false)))
    {
        let what =
            "trials without folds, which report epochs; `collapse_epochs` in [model] acts in each fold";
        problems.push(&collapse.place, ProblemKind::Needs { key: "collapse", what });
    }
}

/// The collapse pruner, given as a number of epochs, as `{ epochs, spread }` or as true or false.
fn collapse(section: &mut Section<'_>, default: bool, problems: &mut Problems) -> Option<CollapseSpec> {
    const EXPECTED: &str = "true, a number of epochs or a table { epochs, spread }";
    let given = |wanted: bool| wanted.then_some(COLLAPSE);
    let Some(Located { value, place }) = section.node("collapse") else { return given(default) };
    match value {
        Node::Boolean(wanted) => given(*wanted),
        Node::Table(table) => {
            let mut inner = Section::new("the collapse pruner", table, place.clone());
            let epochs = inner.within("epochs", COLLAPSE.epochs, COUNT_FROM_ONE, problems);
            let spread = inner.within("spread", COLLAPSE.spread, SHARE, problems);
            inner.finish(problems);
            Some(CollapseSpec { epochs, spread })
        }
        other => {
            let epochs = u64::from_node(other).filter(|epochs| *epochs >= 1);
            if epochs.is_none() {
                problems.push(place, wrong_type("collapse", EXPECTED, other));
            }
            Some(CollapseSpec { epochs: epochs?, ..COLLAPSE })
        }
    }
}

fn settings(kind: Kind, section: &mut Section<'_>, problems: &mut Problems) -> Option<PrunerKind> {
    Some(match kind {
        Kind::Median => PrunerKind::Percentile(percentile(50.0, section, problems)),
        Kind::Percentile => {
            if section.node("percentile").is_none() {
                section.missing("percentile", "percentile = 25", problems);
            }
            let share = section.within("percentile", 25.0, PERCENT, problems);
            PrunerKind::Percentile(percentile(share, section, problems))
        }
        Kind::Halving => PrunerKind::Halving(HalvingSpec {
            min_resource: optional_count(section, "min_resource", problems),
            reduction_factor: section.within("reduction_factor", 4, FACTOR, problems),
            min_early_stopping_rate: section.within("min_early_stopping_rate", 0, RATE, problems) as u32,
            bootstrap_count: section.within("bootstrap_count", 0, ANY_COUNT, problems),
        }),
        Kind::Hyperband => PrunerKind::Hyperband(HyperbandSpec {
            min_resource: section.within("min_resource", 1, COUNT_FROM_ONE, problems),
            max_resource: optional_count(section, "max_resource", problems),
            reduction_factor: section.within("reduction_factor", 3, FACTOR, problems),
            bootstrap_count: section.within("bootstrap_count", 0, ANY_COUNT, problems),
        }),
        Kind::Threshold => threshold(section, problems)?,
        Kind::Patience => {
            let patience = section.required_count("patience", "patience = 5", problems);
            let min_delta = section.within("min_delta", 0.0, NOT_NEGATIVE, problems);
            let wrapped = section.section("wrapped", problems).map(|inner| wrapped(inner, problems));
            let wrapped = match wrapped {
                Some(inner) => Some(Box::new(inner?)),
                None => None,
            };
            PrunerKind::Patience { patience: patience?.value as u64, min_delta, wrapped }
        }
        Kind::Wilcoxon => PrunerKind::Wilcoxon {
            p_threshold: section.within("p_threshold", 0.1, SHARE, problems),
            n_startup_steps: section.within("n_startup_steps", 2, ANY_COUNT, problems),
        },
        Kind::Collapse => PrunerKind::None,
    })
}

fn optional_count(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Option<u64> {
    section.node(key)?;
    Some(section.within(key, 1, AT_LEAST_ONE, problems) as u64)
}

fn interval(section: &mut Section<'_>, problems: &mut Problems) -> IntervalSpec {
    IntervalSpec {
        n_warmup_steps: section.within("n_warmup_steps", 0, ANY_COUNT, problems),
        interval_steps: section.within("interval_steps", 1, COUNT_FROM_ONE, problems),
    }
}

fn percentile(percentile: f64, section: &mut Section<'_>, problems: &mut Problems) -> PercentileSpec {
    PercentileSpec {
        percentile,
        n_startup_trials: section.within("n_startup_trials", 5, ANY_COUNT, problems),
        n_min_trials: section.within("n_min_trials", 1, COUNT_FROM_ONE, problems),
        interval: interval(section, problems),
    }
}

fn threshold(section: &mut Section<'_>, problems: &mut Problems) -> Option<PrunerKind> {
    let place = |section: &mut Section<'_>, key| section.node(key).map(|node| node.place.clone());
    let (low_place, high_place) = (place(section, "lower"), place(section, "upper"));
    if low_place.is_none() && high_place.is_none() {
        section.missing("lower", "lower = 0.5", problems);
        return None;
    }
    let lower = section.within("lower", f64::NEG_INFINITY, NUMBER, problems);
    let upper = section.within("upper", f64::INFINITY, NUMBER, problems);
    if let (true, Some(place)) = (lower > upper, &low_place) {
        let show = allometry_core::python::float_repr;
        let kind = ProblemKind::RangeReversed { key: "lower".into(), low: show(lower), high: show(upper) };
        problems.push_with(place, kind, high_place.as_ref().map(|place| (place, "below this")));
        return None;
    }
    Some(PrunerKind::Threshold { lower, upper, interval: interval(section, problems) })
}

/// The pruner that decides after patience is exhausted.
fn wrapped(mut section: Section<'_>, problems: &mut Problems) -> Option<PrunerKind> {
    const INNER: &[&str] =
        &["median", "percentile", "successive_halving", "hyperband", "threshold", "wilcoxon"];
    let text = section.required_text("kind", "kind = \"median\"", problems)?;
    let Some(place) =
        KINDS.0.iter().position(|word| *word == text.value).filter(|_| INNER.contains(&text.value.as_str()))
    else {
        let kind = ProblemKind::UnknownWord { key: "kind".into(), word: text.value, known: INNER };
        problems.push(&text.place, kind);
        return None;
    };
    let kind = settings(KINDS.1[place], &mut section, problems);
    if kind.is_some() {
        section.finish(problems);
    }
    kind
}
