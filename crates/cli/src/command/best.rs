//! `allometry best`.

use std::fmt::Write as _;

use allometry_core::trial::incumbent;
use clap::Args;
use serde_json::{Value, json};

use super::study_args::{StudyArgs, label};
use crate::error::CliError;
use crate::output;

/// Prints the best complete trial of each study.
#[derive(Debug, Args)]
pub(super) struct Best {
    #[command(flatten)]
    study: StudyArgs,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

impl Best {
    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.study.place()?;
        let store = place.read()?;
        let store = &*store;
        let mut text = String::new();
        let mut documents: Vec<Value> = Vec::new();
        for study in self.study.select(&place, store)? {
            let trials = store.trials(study.id)?;
            let Some(best) = incumbent(&trials, study.direction) else { continue };
            let weights = best.record.size.map(|size| size.total);
            documents.push(json!({
                "study": study.name,
                "budget": label(&study),
                "number": best.number,
                "value": best.value,
                "weights": weights,
                "params": best.params,
            }));
            let value = best.value.unwrap_or(f64::NAN);
            let weights = weights.map_or_else(String::new, |weights| format!(", {weights} weights"));
            let _ = writeln!(
                text,
                "{}: {value:.4} (trial {}{weights})  {}",
                label(&study),
                best.number,
                best.params
            );
        }
        if documents.is_empty() {
            return Err(CliError::NotFound {
                message: format!("{} has no complete trial yet", place.shown()),
                hint: Some("`allometry status` says what there is".into()),
            });
        }
        if self.json {
            return output::print_json(&json!({"schema": "allometry.best/1", "studies": documents}));
        }
        output::print(&text)
    }
}
