//! Figures of a model's calibration on the test rows of its ladder.

use allometry_analysis::{
    CalibratedRows, Costs, MeasuredCalibration, NoRowError, Options, Panel, RowOrder, Series,
    measured_calibration,
};
use allometry_core::Predictions;
use allometry_trainer::Calibrated;

use crate::prepare::Prepared;

impl Prepared<'_> {
    /// Returns the figures of a model's test probabilities without and with its calibration, and of decisions
    /// by costs if they are given.
    ///
    /// # Errors
    /// [`NoRowError`] if the test rows give no errors.
    pub fn measured_calibration(
        &self,
        calibrated: &Calibrated,
        costs: Option<Costs>,
        options: &Options,
    ) -> Result<Vec<MeasuredCalibration>, NoRowError> {
        let panel = self.row_panel();
        let series = self.series(panel.as_ref());
        match &calibrated.test {
            [Predictions::Binary(before), Predictions::Binary(after)] => {
                let targets: Vec<usize> = before.labels.iter().map(|label| usize::from(*label)).collect();
                let probabilities = [&before.scores[..], &after.scores[..]];
                let (rows, targets) = (&before.rows[..], &targets[..]);
                let of = CalibratedRows { rows, targets, width: 1, probabilities, series, costs };
                measured_calibration(&of, options)
            }
            [Predictions::Other(before), Predictions::Other(after)] => {
                let targets: Vec<usize> = before.targets.iter().map(|target| *target as usize).collect();
                let probabilities = [&before.outputs[..], &after.outputs[..]];
                let width = before.outputs.len() / targets.len().max(1);
                let (rows, targets) = (&before.rows[..], &targets[..]);
                let of = CalibratedRows { rows, targets, width, probabilities, series, costs };
                measured_calibration(&of, options)
            }
            _ => unreachable!("both are predictions of one model"),
        }
    }

    /// Returns the series and the times of the rows for errors; `None` for a table of one series.
    pub(crate) fn row_panel(&self) -> Option<Panel> {
        let facts = self.panel()?;
        Some(Panel::new(facts.series.clone(), facts.rows()))
    }

    pub(crate) fn series<'p>(&self, panel: Option<&'p Panel>) -> Series<'p> {
        Series { horizon: self.objective_facts().horizon(), order: RowOrder::Stored, panel, eras: None }
    }
}
