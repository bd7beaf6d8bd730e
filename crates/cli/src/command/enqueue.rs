//! `allometry enqueue`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use allometry_analysis::StudyTrials;
use allometry_core::{FrozenTrial, Params, TrialState};
use allometry_runner::{AskError, DrivenStudy, Enqueued};
use allometry_session::driven;
use allometry_store::StudyRecord;
use allometry_study::{self, Objective, Source};
use clap::Args;
use serde_json::{Value, json};

use super::study_args::{StudyArgs, label};
use crate::error::CliError;
use crate::notes;
use crate::output;

/// Adds configurations to the queue of a study.
///
/// `allometry run` and `allometry ask` evaluate them first.
///
/// The sampler draws parameters that are not given when the configuration is evaluated. A configuration that
/// the study already has is not added, except with --again.
#[derive(Debug, Args)]
pub(super) struct Enqueue {
    #[command(flatten)]
    study: StudyArgs,

    /// Values of the parameters, such as learning_rate=1e-4 dropout=0.1.
    #[arg(value_name = "PARAM=VALUE", required_unless_present = "from")]
    values: Vec<String>,

    /// Adds the best configurations of other trials: of a ladder file, a storage, or LABEL=FILE:STUDY.
    #[arg(long, value_name = "SOURCE", conflicts_with = "values")]
    from: Option<Source>,

    /// Number of configurations to take from SOURCE.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    top: u64,

    /// Adds a configuration even if the study already has it.
    #[arg(long)]
    again: bool,
}

impl Enqueue {
    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.study.place()?;
        let store = place.write()?;
        let store = &*store;
        let study = self.study.one(&place, store)?;
        let driven = driven(store, &study, None, None)?;
        let configurations = match &self.from {
            None => vec![self.given(&driven)?],
            Some(source) => {
                let Chosen { best, unfit, left_out } = best_of(source, &study, &driven, self.top as usize)?;
                if best.is_empty() {
                    return Err(CliError::NotFound {
                        message: format!("`{source}` has no complete trial that fits study `{}`", study.name),
                        hint: (unfit > 0).then(|| format!("configurations outside its space: {unfit}")),
                    });
                }
                if unfit > 0 {
                    crate::output::say(&format!(
                        "configurations of `{source}` outside the space, which are left out: {unfit}"
                    ));
                }
                if !left_out.is_empty() {
                    let names: Vec<&str> = left_out.iter().map(String::as_str).collect();
                    crate::output::say(&format!(
                        "parameters of `{source}` that study `{}` does not have are left out: {}",
                        study.name,
                        names.join(", ")
                    ));
                }
                best
            }
        };
        let mut lines = String::new();
        for params in configurations {
            let line = match driven.enqueue(&params, self.again)? {
                Enqueued::New(number) => answer(number.0, &params, true),
                Enqueued::Known(number, state) => {
                    crate::output::say(&format!(
                        "trial {number} already has this configuration and is {}: {params}",
                        state.as_str()
                    ));
                    answer(number.0, &params, false)
                }
            };
            let _ = writeln!(lines, "{line}");
        }
        output::print(&output::json_text(&lines))
    }

    fn given(&self, driven: &DrivenStudy<'_>) -> Result<Params, CliError> {
        let mut params = Params::default();
        for text in &self.values {
            let Some((name, value)) = text.split_once('=') else {
                return Err(CliError::Usage {
                    message: format!("`{text}` is not PARAM=VALUE"),
                    hint: Some("write, for example, learning_rate=1e-4".into()),
                });
            };
            if params.get(name).is_some() {
                return Err(CliError::Usage { message: format!("`{name}` is given twice"), hint: None });
            }
            let problem = match driven.space().get(name).map(|set| (set, set.read(value))) {
                Some((_, Some(value))) => {
                    params.0.insert(name.into(), value);
                    continue;
                }
                Some((set, None)) => format!("`{name}` cannot be {value}; its set is {set}"),
                None => {
                    let known: Vec<&str> = driven.space().iter().map(|(name, _)| name).collect();
                    format!("the space has no parameter `{name}`; it has {}", known.join(", "))
                }
            };
            return Err(AskError::Unfit { problem }.into());
        }
        Ok(params)
    }
}

fn answer(number: u64, params: &Params, is_new: bool) -> Value {
    json!({"schema": "allometry.enqueue/1", "number": number, "params": params, "new": is_new})
}

/// Configurations taken from a source.
#[derive(Debug, Default)]
struct Chosen {
    /// The best distinct configurations that fit the study.
    best: Vec<Params>,
    /// Number of better configurations that do not fit.
    unfit: usize,
    /// Parameters of the chosen configurations that the study does not have.
    left_out: BTreeSet<String>,
}

/// Returns the best `top` distinct configurations of a source that fit the study. If the source has a study
/// with the same label, only that one is used.
fn best_of(
    source: &Source,
    study: &StudyRecord,
    driven: &DrivenStudy<'_>,
    top: usize,
) -> Result<Chosen, CliError> {
    // A file that does not record its direction is taken to have that of the study.
    let objective = Objective { otherwise: Some(study.direction()), ..Objective::default() };
    let other = notes::read(std::slice::from_ref(source), &objective)?;
    let own = |s: &&StudyTrials| s.budget.label == label(study);
    let same: Vec<&StudyTrials> = other.studies.iter().filter(own).collect();
    let studies = if same.is_empty() { other.studies.iter().collect() } else { same };
    let mut trials: Vec<(&FrozenTrial, f64)> = studies
        .iter()
        .flat_map(|study| &study.trials)
        .filter(|trial| trial.state == TrialState::Complete && !trial.is_infeasible())
        .filter_map(|trial| Some((trial, trial.value().filter(|value| value.is_finite())?)))
        .collect();
    trials.sort_by(|a, b| {
        let ascending = a.1.total_cmp(&b.1);
        if other.direction().better(1.0, 0.0) { ascending.reverse() } else { ascending }
    });
    let (mut chosen, mut seen) = (Chosen::default(), BTreeSet::new());
    for (trial, _) in trials {
        if chosen.best.len() == top {
            break;
        }
        let mut params = trial.params.clone();
        let is_known = |name: &str| driven.space().get(name).is_some();
        params.0.retain(|name, _| is_known(name));
        if !seen.insert(params.to_string()) {
            continue;
        }
        if params.0.is_empty() || driven.check(&params).is_err() {
            chosen.unfit += 1;
        } else {
            let others = trial.params.iter().filter(|(name, _)| !is_known(name));
            chosen.left_out.extend(others.map(|(name, _)| name.to_owned()));
            chosen.best.push(params);
        }
    }
    Ok(chosen)
}
