//! Advice for correcting a table that a trained model is applied to.

use super::{DataError, Role};

impl DataError {
    /// Returns advice for the user of a trained model to whom the error of its input is shown. What the
    /// ladder file said is fixed in the model, so only the table can be corrected.
    pub fn hint_of_input(&self) -> Option<String> {
        Some(match self {
            Self::NotANumber { .. } | Self::WrongType { role: Role::Feature, .. } => {
                "the model was trained on numbers there: correct the table".to_owned()
            }
            Self::MissingValue { .. } => {
                "the model was trained on a table without such values (`na` of its ladder file) and cannot \
                 fill them: write a value, or leave the row out of the table"
                    .to_owned()
            }
            Self::TooManyCategories { .. } => "predict parts of the table with fewer categories".to_owned(),
            Self::RepeatedTimes { are_set_back: false, times, .. }
                if times.iter().all(|time| time.series.is_none()) =>
            {
                "the model was trained on one series, with one row per time: predict one table for each \
                 series"
                    .to_owned()
            }
            Self::MissingColumn { role: Role::Series | Role::Time | Role::Category, .. } => {
                let nearest = self.hint()?;
                format!("the table must have the columns of the training; {nearest}")
            }
            Self::ShortSeries { context, .. } | Self::NoWindow { context, max_gap: None, .. } => {
                format!(
                    "the model looks at {context} rows of a series: put earlier rows before those to predict"
                )
            }
            Self::NoWindow { context, max_gap: Some(_), .. } => format!(
                "the model looks at {context} rows of a series without such a hole: put the rows between \
                 into the table"
            ),
            Self::GapUnit { .. } => "write times in the form of the training's".to_owned(),
            // The others name no setting of a ladder file.
            Self::MissingColumn { .. }
            | Self::RepeatedTimes { .. }
            | Self::BadTime { .. }
            | Self::MixedTimes { .. }
            | Self::NoSeries { .. }
            | Self::Parquet { .. } => return self.hint(),
            _ => return None,
        })
    }
}
