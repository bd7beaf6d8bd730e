//! Results by series, in words.

use allometry_analysis::per_series::{PerSeries, SeriesValues};
use allometry_analysis::{Analysis, Estimate};

use crate::number::{counted, decimals, grouped};

/// Returns the lowest and the highest value of the last budget's best trial on one series; `None` for a table
/// of one series.
pub fn series(analysis: &Analysis) -> Option<String> {
    let PerSeries { count, trials, series } = analysis.per_series.as_ref()?;
    let last = trials.len().checked_sub(1)?;
    let budget = &trials[last].budget;
    let known: Vec<(&SeriesValues, &Estimate)> =
        series.iter().filter_map(|one| Some((one, one.values[last].as_ref()?))).collect();
    let by_value =
        |a: &&(&SeriesValues, &Estimate), b: &&(&SeriesValues, &Estimate)| a.1.point.total_cmp(&b.1.point);
    let one = |(series, value): &(&SeriesValues, &Estimate)| {
        format!("{} (`{}`, {})", decimals(value.point), series.series, counted(series.rows, "row"))
    };
    let all = format!("{} series have validation rows.", grouped(*count));
    let (Some(lowest), Some(highest)) = (known.iter().min_by(by_value), known.iter().max_by(by_value)) else {
        return Some(format!("{all} The {} of single series is undefined.", analysis.metric));
    };
    let undefined = match series.len() - known.len() {
        0 => String::new(),
        some => format!(" It is undefined on {} of them.", grouped(some as u64)),
    };
    Some(format!(
        "{all} The {} of the best trial of `{budget}` lies between {} and {} on single series.{undefined} Of \
         many series some lie far apart by chance.",
        analysis.metric,
        one(lowest),
        one(highest)
    ))
}
