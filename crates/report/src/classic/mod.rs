//! The classic report: only the naive figures, in the fixed layout that existing users know, byte for byte.
//!
//! Its statements never change, even if the trials do not support them.

mod ladder;
mod read;
mod study;

use allometry_analysis::input::{LadderTrials, StudyTrials};
use allometry_analysis::sample::Sample;
use allometry_core::Params;

pub use read::{ReadError, read};

use crate::text::Text;

/// The parameters of the classic report, in its order; it contains no others.
const PARAMETERS: [&str; 7] =
    ["d_model", "n_layers", "n_heads", "d_ff_ratio", "learning_rate", "dropout", "weight_decay"];

/// A study and its usable trials.
struct ClassicStudy<'a> {
    label: &'a str,
    sample: Sample<'a>,
    best_params: Option<&'a Params>,
}

impl<'a> ClassicStudy<'a> {
    fn new(study: &'a StudyTrials, ladder: &LadderTrials) -> Self {
        let sample = Sample::new(study, ladder.direction());
        let best_params = study.best_params.as_ref();
        let best_params =
            best_params.filter(|params| !sample.values.is_empty() && params.iter().next().is_some());
        Self { label: &study.budget.label, sample, best_params }
    }

    fn best_value(&self) -> Option<f64> {
        self.sample.best().map(|position| self.sample.values[position])
    }
}

/// Renders the classic report.
pub fn classic(ladder: &LadderTrials) -> String {
    let studies: Vec<ClassicStudy<'_>> =
        ladder.studies.iter().map(|study| ClassicStudy::new(study, ladder)).collect();
    let mut text = Text::default();
    ladder::render(&mut text, &studies, ladder);
    for study in &studies {
        text.blank();
        text.line(format_args!("---"));
        study::render(&mut text, study, ladder);
    }
    text.into_string()
}

/// Returns a number with four decimals, or `N/A`.
fn decimals(value: Option<f64>) -> String {
    value.map_or_else(|| "N/A".into(), |value| format!("{value:.4}"))
}
