//! The calibration of a trained model: the option of the command line, and what it changes on test rows.

use std::fmt::Write as _;
use std::path::Path;

use allometry_analysis::{Costs, Estimate, MeasuredCalibration, NoRowError, Options};
use allometry_core::Predictions;
use allometry_core::significant::significant;
use allometry_report::number::counted;
use allometry_report::words::verdict::no_row_error;
use allometry_session::Prepared;
use allometry_trainer::{
    CalibrateError, Calibrated, Calibration, CalibrationMethod, Fitted, PatchTstObjective,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use crate::command::costs;
use crate::error::CliError;

/// Fewest validation rows of an isotonic calibration that is not called into question: with fewer it often
/// does worse than the others (Niculescu-Mizil & Caruana 2005).
const FEW_ROWS: usize = 1000;

/// What becomes of the calibration of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calibrate {
    /// It is removed.
    Remove,
    /// It is fitted by this method.
    By(CalibrationMethod),
}

/// A calibration with its figures on the test rows.
pub(super) struct Judged {
    calibrated: Calibrated,
    measures: Result<Vec<MeasuredCalibration>, NoRowError>,
    costs: Option<Costs>,
}

/// Returns the parser of `--calibrate`.
pub(super) fn parser() -> impl TypedValueParser<Value = Calibrate> {
    let (names, methods) = CalibrationMethod::NAMED;
    PossibleValuesParser::new(names.iter().copied().chain(["none"])).map(move |name| {
        let place = names.iter().position(|one| **one == name);
        place.map_or(Calibrate::Remove, |place| Calibrate::By(methods[place]))
    })
}

impl Calibrate {
    /// Checks that the method applies to the model of a ladder, before it is trained.
    ///
    /// # Errors
    /// [`CliError::Calibration`].
    pub(super) fn check(self, prepared: &Prepared<'_>) -> Result<(), CliError> {
        match self {
            Self::Remove => Ok(()),
            Self::By(method) => Ok(method.check(prepared.model().task)?),
        }
    }

    /// Sets the calibration of the checkpoint at `path` of a trained model. Returns it with its figures on
    /// the test rows; `None` if it was removed.
    ///
    /// # Errors
    /// [`CliError::Calibration`]; [`CliError::Checkpoint`] if the file cannot be written.
    pub(super) fn apply(
        self,
        (prepared, objective): (&Prepared<'_>, &PatchTstObjective<'_>),
        fitted: &Fitted,
        path: &Path,
        costs: Option<Costs>,
    ) -> Result<Option<Judged>, CliError> {
        match self {
            Self::Remove => {
                PatchTstObjective::remove_calibration(path)?;
                Ok(None)
            }
            Self::By(method) => {
                let calibrated = objective.calibrate(fitted, method, path).map_err(|error| match error {
                    CalibrateError::Calibration(error) => CliError::from(error),
                    CalibrateError::Checkpoint(error) => error.into(),
                })?;
                let measures = prepared.measured_calibration(&calibrated, costs, &Options::default());
                Ok(Some(Judged { calibrated, measures, costs }))
            }
        }
    }
}

impl Judged {
    /// Returns what was fitted and its figures as lines of text.
    pub(super) fn text(&self) -> String {
        let Calibrated { calibration, rows, test } = &self.calibrated;
        let fitted = match calibration {
            Calibration::Temperature { temperature } => {
                format!("temperature {}", significant(*temperature))
            }
            Calibration::Platt { slope, intercept } => {
                format!("platt, slope {}, intercept {}", significant(*slope), significant(*intercept))
            }
            Calibration::Isotonic { logits, .. } => {
                format!("isotonic, {}", counted(logits.len() as u64, "knot"))
            }
        };
        let on = counted(*rows as u64, "validation row");
        let mut text = format!("calibration: {fitted}, fitted on {on}, kept in the checkpoint\n");
        if calibration.method() == CalibrationMethod::Isotonic && *rows < FEW_ROWS {
            let _ = writeln!(
                text,
                "note: an isotonic calibration wants {FEW_ROWS} validation rows or more; temperature and \
                 platt need fewer"
            );
        }
        match &self.measures {
            Err(error) => {
                let _ = writeln!(text, "the test rows cannot judge it: {}", no_row_error(*error));
            }
            Ok(measures) => {
                let on = counted(rows_of(&test[0]) as u64, "test row");
                let _ = writeln!(text, "on {on}, each with its 95% interval over new rows:");
                let shown = |estimate: &Estimate| {
                    let interval = estimate.interval.map_or_else(String::new, |ends| {
                        format!(" ({} to {})", significant(ends.lower), significant(ends.upper))
                    });
                    format!("{}{interval}", significant(estimate.point))
                };
                let _ = writeln!(text, "  {:<22}{:<30}{:<30}change", "", "without", "with");
                for one in measures {
                    let cells = [&one.before, &one.after, &one.change].map(shown);
                    let name = one.measure.name();
                    let _ = writeln!(text, "  {name:<22}{:<30}{:<30}{}", cells[0], cells[1], cells[2]);
                }
            }
        }
        if let Some(costs) = self.costs {
            let _ = writeln!(text, "decisions for {}", costs::rule(costs));
        }
        text
    }

    /// Returns what was fitted and its figures as JSON.
    pub(super) fn json(&self) -> Value {
        let Calibrated { calibration, rows, test } = &self.calibrated;
        json!({
            "fitted": calibration,
            "validation_rows": rows,
            "test_rows": rows_of(&test[0]),
            "measures": self.measures.as_ref().ok(),
            "no_measures": self.measures.as_ref().err().map(|error| no_row_error(*error)),
            "costs": self.costs,
            "threshold": self.costs.map(Costs::threshold),
        })
    }
}

/// Returns the number of predicted rows.
fn rows_of(predictions: &Predictions) -> usize {
    match predictions {
        Predictions::Binary(scores) => scores.rows.len(),
        Predictions::Other(outputs) => outputs.rows.len(),
    }
}
