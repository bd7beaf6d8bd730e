//! From the tree of a file to the checked ladder.

mod budget;
mod constraint;
mod data;
mod model;
mod pruner;
mod range;
mod space;
mod when;

use std::path::Path;

use super::document::{Located, Table};
use super::problem::ProblemKind;
use super::section::{Problems, Section};
use super::spec::{Ladder, SamplerKind, SamplerSpec, StopRule};
pub(super) use space::is_parameter;

const SEED: u64 = 42;
const TRIALS: u64 = 50;
const METRICS: &[&str] = &["auc"];
const SAMPLERS: (&[&str], &[SamplerKind]) = (
    &["gp", "tpe", "sobol", "random", "grid"],
    &[SamplerKind::Gp, SamplerKind::Tpe, SamplerKind::Sobol, SamplerKind::Random, SamplerKind::Grid],
);
const COUNT_FROM_ONE: (fn(u64) -> bool, &str) = (|n| n >= 1, "at least 1");

/// Checks the whole file. `None` only where something was reported.
pub(super) fn ladder(root: &Located<Table>, folder: &Path, problems: &mut Problems) -> Option<Ladder> {
    let mut file = Section::new("the file", &root.value, root.place.clone());
    let name = file.required_text("name", "name = \"sp500-up-1pct\"", problems);
    let name = name.map(|name| safe_name("name", name, problems));
    let tag = file.text("tag", problems).map(|tag| tag.value);
    file.word("metric", (METRICS, &[()]), problems);
    let trials = file.within("trials", TRIALS, COUNT_FROM_ONE, problems);
    let seed = file.within("seed", SEED, (|_| true, ""), problems);
    let data = file
        .required_section("data", "[data] with path = \"rows.csv\" and label = \"label\"", problems)
        .and_then(|section| data::data(section, folder, problems));
    let model = file
        .required_section("model", "[model] with context = 80, patch = 16 and stride = 8", problems)
        .and_then(|section| model::model(section, problems));
    let shared =
        file.section("space", problems).map(|mut section| space::Space::read(&mut section, problems));
    let budgets = budget::budgets(&mut file, &shared.unwrap_or_default(), trials, problems);
    let sampler = file.section("sampler", problems).map_or(SAMPLER, |inner| sampler(inner, problems));
    let stop = file.section("stop", problems).map_or_else(StopRule::default, |inner| stop(inner, problems));
    let pruner = file.section("pruner", problems).and_then(|inner| pruner::pruner(inner, problems));
    let storage = file.section("storage", problems).and_then(|inner| storage(inner, problems));
    file.finish(problems);
    Some(Ladder {
        name: name?.value,
        tag,
        seed,
        data: data?,
        model: model?,
        budgets,
        sampler,
        stop,
        pruner,
        storage,
    })
}

const SAMPLER: SamplerSpec = SamplerSpec::new(SamplerKind::Gp);
const SHARE: (fn(f64) -> bool, &str) = (|share| (0.0..=1.0).contains(&share), "between 0 and 1");

fn sampler(mut section: Section<'_>, problems: &mut Problems) -> SamplerSpec {
    let kind = section.word("kind", SAMPLERS, problems).unwrap_or(SAMPLER.kind);
    let probes = section.read("probes", problems).map_or(SAMPLER.probes, |probes| probes.value);
    let random_share = section.within("random", SAMPLER.random_share, SHARE, problems);
    section.finish(problems);
    SamplerSpec { kind, probes, random_share }
}

fn stop(mut section: Section<'_>, problems: &mut Problems) -> StopRule {
    const GAIN: (fn(f64) -> bool, &str) = (|x| x > 0.0 && x.is_finite(), "above 0");
    let given = section.node("expected_gain").is_some();
    let least = section.within("expected_gain", 0.0, GAIN, problems);
    section.finish(problems);
    StopRule { expected_gain: Some(least).filter(|_| given) }
}

fn storage(mut section: Section<'_>, problems: &mut Problems) -> Option<String> {
    let url = section.required_text("url", "url = \"sqlite:///trials.db\"", problems);
    section.finish(problems);
    let url = url?;
    if url.value.is_empty() {
        problems.push(&url.place, ProblemKind::Empty { key: "url".into() });
    }
    Some(url.value)
}

/// Reports a name that cannot be part of the names of studies (`name/label`) and folders.
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
