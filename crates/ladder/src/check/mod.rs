//! Checks that turn the tree of a file into the ladder.

mod budget;
mod command;
mod constraint;
mod data;
mod limit;
mod metric;
mod model;
mod pruner;
mod range;
mod searched;
mod space;
mod train_part;
mod when;

use std::path::Path;

use allometry_core::{Metrics, SamplerKind, SamplerSpec, Secret, Share, WeightTarget};

use super::document::{Located, Table};
use super::limit::Limit;
use super::problem::ProblemKind;
use super::section::{Problems, Section};
use super::spec::{
    BudgetSpec, ConfirmSpec, LabelSpec, Ladder, ObjectiveSpec, Parametrization, StopRule, Task,
};
use searched::Searched;
use space::Known;

const SEED: u64 = 42;
const TRIALS: u64 = 50;
const SAMPLERS: (&[&str], &[SamplerKind]) = (
    &["gp", "tpe", "sobol", "random", "grid"],
    &[SamplerKind::Gp, SamplerKind::Tpe, SamplerKind::Sobol, SamplerKind::Random, SamplerKind::Grid],
);
const COUNT_FROM_ONE: (fn(u64) -> bool, &str) = (|n| n >= 1, "at least 1");

/// Checks the file. Returns `None` only where a problem was reported.
pub(super) fn ladder(root: &Located<Table>, folder: &Path, problems: &mut Problems) -> Option<Ladder> {
    let mut file = Section::new("the file", &root.value, root.place.clone());
    let name = file.required_text("name", "name = \"sp500-up-1pct\"", problems);
    let name = name.map(|name| safe_name("name", name, problems));
    let tag = file.text("tag", problems).map(|tag| tag.value);
    let has_command = file.node("command").is_some();
    let trials = file.within("trials", TRIALS, COUNT_FROM_ONE, problems);
    let seed = file.within("seed", SEED, (|_| true, ""), problems);
    let known = if has_command { Known::Any } else { Known::BuiltIn };
    let shared =
        file.section("space", problems).map(|mut section| space::Space::read(&mut section, known, problems));
    let (budgets, searched) =
        budget::budgets(&mut file, &shared.unwrap_or_default(), trials, known, problems);
    let mut budgets = train_part::with_parts(&mut file, budgets, problems);
    let objective = if has_command {
        command(&mut file, folder, &budgets, problems)
    } else {
        model_on_data(&mut file, folder, (&mut budgets, &searched), problems)
    };
    let metrics = metric::metrics(&mut file, objective.as_ref(), has_command, problems);
    metric::single_only(&mut file, &metrics, problems);
    let limits = limit::limits(&mut file, objective.as_ref(), problems);
    let sampler = file.section("sampler", problems).map_or(SAMPLER, |inner| {
        sampler(inner, &budgets, (metrics.len(), &limits), objective.as_ref(), problems)
    });
    let stop = file.section("stop", problems).map_or_else(StopRule::default, |inner| stop(inner, problems));
    let folds = match &objective {
        Some(ObjectiveSpec::Model { data, .. }) => data.folds,
        Some(ObjectiveSpec::Command(_)) | None => None,
    };
    let pruner = file.section("pruner", problems).and_then(|inner| pruner::pruner(inner, folds, problems));
    let storage = file.section("storage", problems).and_then(|inner| storage(inner, problems));
    let smallest_effect = smallest_effect(&mut file, problems);
    let confirm = confirm(&mut file, objective.as_ref(), problems);
    file.finish(problems);
    Some(Ladder {
        name: name?.value,
        tag,
        seed,
        metrics: Metrics::new(metrics)?,
        limits,
        objective: objective?,
        budgets,
        sampler,
        stop,
        pruner,
        storage,
        smallest_effect,
        confirm,
    })
}

fn model_on_data(
    file: &mut Section<'_>,
    folder: &Path,
    (budgets, searched): (&mut [BudgetSpec], &Searched),
    problems: &mut Problems,
) -> Option<ObjectiveSpec> {
    let data = file
        .required_section("data", "[data] with path = \"rows.csv\" and label = \"label\"", problems)
        .and_then(|section| data::data(section, folder, problems));
    let model = file
        .required_section("model", "[model] with context = 80, patch = 16 and stride = 8", problems)
        .and_then(|section| model::model(section, (budgets, searched), problems));
    let (data, model) = (data?, model?);
    searched::order(budgets, searched, &model, problems);
    let has_positive = matches!(&data.label, LabelSpec::Column { positive: Some(_), .. });
    if has_positive && model.task != Task::Binary {
        let place = file.section("data", problems).and_then(|mut data| data.text("positive", problems));
        if let Some(positive) = place {
            let what = "`task = \"binary\"`: other tasks have no positive class";
            problems.push(&positive.place, ProblemKind::Needs { key: "positive", what });
        }
    }
    Some(ObjectiveSpec::Model { data, model })
}

fn command(
    file: &mut Section<'_>,
    folder: &Path,
    budgets: &[BudgetSpec],
    problems: &mut Problems,
) -> Option<ObjectiveSpec> {
    let section = file.section("command", problems);
    for other in ["data", "model"] {
        if let Some(node) = file.node(other) {
            problems.push(&node.place, ProblemKind::Both { first: other, second: "command" });
        }
    }
    let mut names: Vec<&str> = budgets.iter().flat_map(|b| b.space.iter().map(|(name, _)| name)).collect();
    names.sort_unstable();
    names.dedup();
    let mut section = section?;
    let (place, says_weights) = (section.place().clone(), section.node("weights").is_some());
    let command = command::command(section, folder, &names, problems)?;
    let sized = budgets.iter().find(|b| b.budget.target != WeightTarget::Any);
    if let Some(spec) = sized.filter(|_| !says_weights) {
        problems.push(&place, ProblemKind::UnknownSizes { label: spec.budget.label.clone() });
    }
    Some(ObjectiveSpec::Command(command))
}

const SHARES: (&[&str], &[Share]) = (&["none", "budgets"], &[Share::None, Share::Budgets]);
const SAMPLER: SamplerSpec = SamplerSpec::new(SamplerKind::Gp);
const SHARE: (fn(f64) -> bool, &str) = (|share| (0.0..=1.0).contains(&share), "between 0 and 1");

fn sampler(
    mut section: Section<'_>,
    budgets: &[BudgetSpec],
    (objectives, limits): (usize, &[Limit]),
    objective: Option<&ObjectiveSpec>,
    problems: &mut Problems,
) -> SamplerSpec {
    const EXPONENT: (fn(f64) -> bool, &str) = (|x| (-3.0..=3.0).contains(&x), "between -3 and 3");
    let kind = section.word("kind", SAMPLERS, problems).unwrap_or(SAMPLER.kind);
    let probes = section.read("probes", problems).map_or(SAMPLER.probes, |probes| probes.value);
    let random_share = section.within("random", SAMPLER.random_share, SHARE, problems);
    let share = section.word("share", SHARES, problems).unwrap_or_default();
    if share == Share::Budgets
        && let Some(node) = section.node("share")
    {
        let sized = budgets.iter().all(|spec| spec.budget.target != WeightTarget::Any);
        let what = match kind {
            _ if objectives > 1 => Some(metric::SINGLE),
            SamplerKind::Gp if sized => None,
            SamplerKind::Gp => Some("`weights` of every budget: the distance between budgets"),
            _ => Some("the sampler `gp`"),
        };
        if let Some(what) = what {
            problems.push(&node.place, ProblemKind::Needs { key: "share", what });
        }
    }
    let given = section.node("rate_exponent").map(|node| node.place.clone());
    let exponent = section.within("rate_exponent", 0.0, EXPONENT, problems);
    if let Some(place) = given.as_ref().filter(|_| share == Share::None) {
        problems.push(place, ProblemKind::Needs { key: "rate_exponent", what: "`share = \"budgets\"`" });
    }
    // Rates carry over between widths under muP.
    let carries_over = share == Share::Budgets
        && matches!(objective, Some(ObjectiveSpec::Model { model, .. })
            if model.parametrization == Parametrization::Mup);
    let rate_exponent = (given.is_some() || carries_over).then_some(exponent);
    let place = section.node("repeats").map(|node| node.place.clone());
    let repeats = section.read("repeats", problems).is_some_and(|repeats| repeats.value);
    let is_finite = |spec: &BudgetSpec| spec.space.iter().all(|(_, set)| set.levels().is_some());
    let what = match kind {
        _ if objectives > 1 => Some(metric::SINGLE),
        SamplerKind::Gp if !limits.is_empty() => Some("a ladder without `limits`"),
        SamplerKind::Gp if budgets.iter().all(is_finite) => None,
        SamplerKind::Gp => Some("lists, or ranges with steps, of all parameters"),
        _ => Some("the sampler `gp`"),
    };
    if let (true, Some(what), Some(place)) = (repeats, what, place.as_ref()) {
        problems.push(place, ProblemKind::Needs { key: "repeats", what });
    }
    section.finish(problems);
    SamplerSpec { kind, probes, random_share, share, rate_exponent, repeats }
}

fn stop(mut section: Section<'_>, problems: &mut Problems) -> StopRule {
    const GAIN: (fn(f64) -> bool, &str) = (|x| x > 0.0 && x.is_finite(), "above 0");
    let given = section.node("expected_gain").is_some();
    let least = section.within("expected_gain", 0.0, GAIN, problems);
    section.finish(problems);
    StopRule { expected_gain: Some(least).filter(|_| given) }
}

fn smallest_effect(file: &mut Section<'_>, problems: &mut Problems) -> Option<f64> {
    const EFFECT: (fn(f64) -> bool, &str) = (|x| x > 0.0 && x.is_finite(), "above 0 and finite");
    // A value that fails the test is reported, and 0 means that there is none.
    Some(file.within("smallest_effect", 0.0, EFFECT, problems)).filter(|effect| *effect > 0.0)
}

fn confirm(
    file: &mut Section<'_>,
    objective: Option<&ObjectiveSpec>,
    problems: &mut Problems,
) -> Option<ConfirmSpec> {
    const COUNT: (fn(u64) -> bool, &str) = (|n| (1..=ConfirmSpec::MOST).contains(&n), "from 1 to 1000");
    let mut section = file.section("confirm", problems)?;
    let ConfirmSpec { top, seeds } = ConfirmSpec::default();
    let top = section.within("top", top, COUNT, problems);
    let seeds = section.within("seeds", seeds, COUNT, problems);
    let place = section.place().clone();
    section.finish(problems);
    if let Some(ObjectiveSpec::Command(command)) = objective
        && !command.test_part
    {
        let what = "`test_part = true` in [command], which says that the program can score its test rows";
        problems.push(&place, ProblemKind::Needs { key: "confirm", what });
    }
    Some(ConfirmSpec { top, seeds })
}

fn storage(mut section: Section<'_>, problems: &mut Problems) -> Option<Secret> {
    let url = section.required_text("url", "url = \"sqlite:///trials.db\"", problems);
    section.finish(problems);
    let url = url?;
    if url.value.is_empty() {
        problems.push(&url.place, ProblemKind::Empty { key: "url".into() });
    }
    Some(url.value.into())
}

/// Reports a name that is not valid in the names of studies (`name/label`) and folders.
fn safe_name(key: &'static str, name: Located<String>, problems: &mut Problems) -> Located<String> {
    if name.value.trim().is_empty() {
        problems.push(&name.place, ProblemKind::Empty { key: key.into() });
    } else if name.value == "." || name.value == ".." {
        problems.push(&name.place, ProblemKind::BadFolder { key, value: name.value.clone() });
    } else if let Some(character) = name.value.chars().find(|c| c.is_control() || matches!(c, '/' | '\\')) {
        problems.push(&name.place, ProblemKind::BadCharacter { key, character });
    }
    name
}
