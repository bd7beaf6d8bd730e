//! How probably the rows show a difference, before any trial.

use std::fmt::Write as _;

use allometry_analysis::Options;
use allometry_analysis::stats::auc;
use allometry_core::ClassCounts;
use allometry_ladder::Task;
use allometry_report::number::about;
use allometry_session::Evaluator;
use allometry_trainer::data::PartName;
use serde::Serialize;

use super::TYPICAL_AUC;
use crate::error::CliError;

/// The power of a part's rows to show a difference of two AUCs.
#[derive(Debug, Serialize)]
pub(super) struct Power {
    part: &'static str,
    rows: u64,
    effect: f64,
    /// Probability that a true difference of this size is significant.
    #[serde(rename = "power")]
    probability: f64,
    /// Number of rows with which that probability is `wanted`.
    rows_needed: f64,
    wanted: f64,
}

impl Power {
    /// Returns the power of the validation part, which judges the search, and of the test part, which judges
    /// a confirmation. Errors of the rows alone count.
    ///
    /// # Errors
    /// A usage error if the label is not binary or a program evaluates the trials.
    pub(super) fn of_parts(evaluator: &Evaluator<'_>, effect: f64) -> Result<Vec<Self>, CliError> {
        let usage =
            |message: &str, hint: &str| CliError::Usage { message: message.into(), hint: Some(hint.into()) };
        if !(effect > 0.0 && effect < 0.5) {
            return Err(usage(
                "--power takes a difference of two AUCs between 0 and 0.5",
                "for example --power 0.01",
            ));
        }
        let Evaluator::Model(prepared) = evaluator else {
            return Err(usage(
                "--power needs the rows of the built-in model, but the ladder runs a command",
                "after some trials `allometry report` says how many rows are needed",
            ));
        };
        if prepared.model().task != Task::Binary {
            return Err(usage(
                "--power is for labels of two classes, whose metric is an AUC",
                "after some trials `allometry report` says what would decide",
            ));
        }
        if prepared.summary().series.is_some() {
            return Err(usage(
                "--power counts rows as independent, which those of several series are not",
                "after some trials `allometry report` says what would decide",
            ));
        }
        if prepared.fold_spec().is_some() {
            return Err(usage(
                "--power counts rows as independent and trials as one training, which folds are not",
                "after some trials `allometry report` says what would decide",
            ));
        }
        let parts = [(PartName::Validation, "validation"), (PartName::Test, "test")];
        let summary = prepared.summary();
        let found = parts.into_iter().filter_map(|(name, part)| {
            let counts = summary.parts.iter().find(|summary| summary.name == name)?.counts;
            Self::new(part, counts, effect)
        });
        Ok(found.collect())
    }

    fn new(part: &'static str, counts: ClassCounts, effect: f64) -> Option<Self> {
        let options = Options::default();
        let one = auc::hanley_mcneil(TYPICAL_AUC, counts)?;
        let error = auc::difference_error(one, one, options.correlation);
        let rows = counts.positives + counts.negatives;
        Some(Self {
            part,
            rows,
            effect,
            probability: auc::power_to_detect(effect, error, options.level),
            rows_needed: auc::rows_to_detect(effect, error, rows as f64, options.level, options.power)?,
            wanted: options.power,
        })
    }

    pub(super) fn line(&self, text: &mut String) {
        let Self { part, rows, effect, probability, rows_needed, wanted } = self;
        let _ = writeln!(
            text,
            "  the {rows} {part} rows show a true difference of {effect} AUC in {:.0}% of cases; about {} \
             rows would in {:.0}%",
            100.0 * probability,
            about(*rows_needed),
            100.0 * wanted
        );
    }
}

/// Writes the powers of the parts, and what they assume.
pub(super) fn lines(powers: &[Power], text: &mut String) {
    let options = Options::default();
    let _ = writeln!(text, "\npower of two models compared on the same rows");
    for power in powers {
        power.line(text);
    }
    let _ = writeln!(
        text,
        "  (AUCs near {TYPICAL_AUC} whose errors correlate by {}, {:.0}% level, independent rows;\n  seeds \
         and searches add to the error)",
        options.correlation,
        100.0 * options.level
    );
}
