//! `allometry ask`.

use std::path::PathBuf;

use allometry_core::ladder::SamplerKind;
use allometry_core::{Direction, SearchSpace, SizeBudget, space};
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

/// Hands out the next configuration of a study to another program, as one line of JSON.
///
/// Enqueued configurations come first, then what the sampler says. The trial then runs until `allometry tell` ends it, however
/// long that takes. Any number of programs may ask at the same time.
#[derive(Debug, Args)]
pub(super) struct Ask {
    #[command(flatten)]
    study: StudyArgs,

    /// Makes the study where it is not there, with the parameters in this JSON file.
    #[arg(long, value_name = "FILE", requires = "study")]
    space: Option<PathBuf>,

    /// Which values are better, for a study that is made: minimize if not given. Given several times, the study
    /// has as many objectives.
    #[arg(long, value_name = "DIRECTION")]
    direction: Vec<DirectionArg>,

    /// The sampler, in place of the study's own.
    #[arg(long, value_name = "KIND", value_parser = parse_sampler)]
    sampler: Option<SamplerKind>,

    /// The seed, in place of the study's own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Ask {
    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.study.place()?;
        let store =
            if self.space.is_some() { allometry_store::open(place.url.expose())? } else { place.write()? };
        let record = self.find_or_make(&place, &*store)?;
        let mut study = driven(&*store, &record, self.sampler, self.seed)?;
        let asked = study.ask()?;
        if let Some(handover) = study.take_handover() {
            crate::output::say(&format!("note: {handover}"));
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

    fn find_or_make(&self, place: &Place, store: &dyn Store) -> Result<StudyRecord, CliError> {
        let (Some(path), Some(name)) = (&self.space, self.study.wanted()) else {
            return self.study.one(place, store);
        };
        let (space, conditions) = declared_space::read(path)?;
        if let Some(existing) = store.study(name)? {
            readable(place, &existing)?;
            self.refuse_changes(&existing, &space)?;
            return Ok(existing);
        }
        let mut directions = self.direction.iter().map(|direction| (*direction).into());
        let direction = directions.next().unwrap_or(Direction::Minimize);
        let further = directions.collect();
        let facts = vec![Fact::Budget(SizeBudget::nominal(name)), Fact::Conditions(conditions)];
        let new = NewStudy { name: name.into(), direction, further, space, facts, ..NewStudy::default() };
        match store.create_study(&new) {
            // Another process that asks for its first trial may be faster: they share its study.
            Ok(_) | Err(StoreError::NameTaken { .. }) => self.study.one(place, store),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a space or directions other than those of the study.
    fn refuse_changes(&self, study: &StudyRecord, space: &SearchSpace) -> Result<(), CliError> {
        let recorded = study.space.as_ref();
        let mut changes: Vec<String> = recorded
            .map_or_else(Vec::new, |recorded| space::diff(recorded, space))
            .iter()
            .map(ToString::to_string)
            .collect();
        let given: Vec<Direction> = self.direction.iter().map(|direction| (*direction).into()).collect();
        if !given.is_empty() && given != study.directions() {
            let words = |directions: &[Direction]| {
                directions.iter().map(|direction| direction.as_str()).collect::<Vec<_>>().join(", ")
            };
            changes.push(format!(
                "directions: {} in the study, {} given",
                words(&study.directions()),
                words(&given)
            ));
        }
        if changes.is_empty() {
            return Ok(());
        }
        Err(CliError::Usage {
            message: format!(
                "study `{}` is there, with another question: {}",
                study.name,
                changes.join("; ")
            ),
            hint: Some("leave out --space and --direction to go on with it, or choose another name".into()),
        })
    }
}

fn parse_sampler(text: &str) -> Result<SamplerKind, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}
