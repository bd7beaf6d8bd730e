//! `allometry ask`.

use std::path::PathBuf;

use allometry_core::{Direction, SamplerKind, SearchSpace, SizeBudget, space};
use allometry_session::driven;
use allometry_store::facts::Fact;
use allometry_store::{NewStudy, Store, StoreError, StudyRecord};
use clap::Args;
use serde_json::json;

use super::declared_space;
use super::direction::DirectionArg;
use super::study_args::{Place, StudyArgs, readable};
use crate::error::CliError;
use crate::output;
use crate::styles::Label;

/// Starts a trial for another program and prints its configuration.
///
/// The output is one line of JSON. Enqueued configurations come first, then those of the sampler. The trial
/// runs until `allometry tell` ends it; there is no time limit. Any number of programs may ask at the same
/// time.
#[derive(Debug, Args)]
pub(super) struct Ask {
    #[command(flatten)]
    study: StudyArgs,

    /// Creates the study, if it does not exist, with the parameters in this JSON file.
    #[arg(long, value_name = "FILE", requires = "study")]
    space: Option<PathBuf>,

    /// Whether to minimize or maximize, for a study that is created; minimize if not given. May be repeated,
    /// once per objective.
    #[arg(long, value_name = "DIRECTION")]
    direction: Vec<DirectionArg>,

    /// Sampler for this call, instead of the study's own.
    #[arg(long, value_name = "KIND", value_parser = parse_sampler)]
    sampler: Option<SamplerKind>,

    /// Seed for this call, instead of the study's own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Ask {
    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.study.place()?;
        let store =
            if self.space.is_some() { allometry_store::open(place.url.expose())? } else { place.write()? };
        let record = self.find_or_create(&place, &*store)?;
        let mut study = driven(&*store, &record, self.sampler, self.seed)?;
        let asked = study.ask()?;
        if let Some(handover) = study.take_handover() {
            crate::output::tell(Label::Note, &handover.to_string());
        }
        let line = json!({
            "schema": "allometry.ask/1",
            "study": record.name,
            "number": asked.number,
            "params": asked.params,
            "seed": asked.record.seed,
            "weights": asked.record.size.map(|size| size.total),
        });
        output::print(&output::json_text(&format!("{line}\n")))
    }

    fn find_or_create(&self, place: &Place, store: &dyn Store) -> Result<StudyRecord, CliError> {
        let (Some(path), Some(name)) = (&self.space, self.study.wanted()) else {
            return self.study.one(place, store);
        };
        let (space, conditions) = declared_space::read(path)?;
        if let Some(existing) = store.study(name)? {
            readable(place, &existing)?;
            self.refuse_changes(&existing, &space)?;
            return Ok(existing);
        }
        let given = self.directions();
        let directions = if given.is_empty() { vec![Direction::Minimize] } else { given };
        let facts = vec![Fact::Budget(SizeBudget::nominal(name)), Fact::Conditions(conditions)];
        let new = NewStudy { name: name.into(), directions, space, facts, ..NewStudy::default() };
        match store.create_study(&new) {
            // Another process may have created the study in the meantime; both then use it.
            Ok(_) | Err(StoreError::NameTaken { .. }) => self.study.one(place, store),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the directions of the command line; may be empty.
    fn directions(&self) -> Vec<Direction> {
        self.direction.iter().map(|direction| (*direction).into()).collect()
    }

    /// Refuses a space or directions other than those of the study.
    fn refuse_changes(&self, study: &StudyRecord, space: &SearchSpace) -> Result<(), CliError> {
        let recorded = study.space.as_ref();
        let mut changes: Vec<String> = recorded
            .map_or_else(Vec::new, |recorded| space::diff(recorded, space))
            .iter()
            .map(ToString::to_string)
            .collect();
        let given = self.directions();
        if !given.is_empty() && given != study.directions {
            let words = |directions: &[Direction]| {
                directions.iter().map(|direction| direction.as_str()).collect::<Vec<_>>().join(", ")
            };
            changes.push(format!(
                "directions: {} in the study, {} given",
                words(&study.directions),
                words(&given)
            ));
        }
        if changes.is_empty() {
            return Ok(());
        }
        Err(CliError::Usage {
            message: format!(
                "study `{}` exists with another space or other directions: {}",
                study.name,
                changes.join("; ")
            ),
            hint: Some("leave out --space and --direction to continue it, or choose another name".into()),
        })
    }
}

fn parse_sampler(text: &str) -> Result<SamplerKind, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}
