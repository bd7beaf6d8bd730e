//! Results by series.

use allometry_analysis::per_series::{PerSeries, SeriesValues};
use allometry_analysis::{Analysis, Estimate};

use crate::markdown::{escape, with_code};
use crate::number::{UNKNOWN, decimals, grouped, interval};
use crate::text::Text;
use crate::words;

/// Most rows of the table.
const SHOWN: usize = 20;

/// Writes what the series differ in; nothing for a table of one series.
pub(crate) fn answer(text: &mut Text, analysis: &Analysis) {
    let Some(sentence) = words::series(analysis) else { return };
    text.heading(2, format_args!("Results by series"));
    text.line(format_args!("{}", with_code(&sentence)));
}

/// Writes the answer and a table of the series, ordered by the value of the last budget. Of many series it
/// has those at both ends.
pub(super) fn render(text: &mut Text, analysis: &Analysis) {
    answer(text, analysis);
    let Some(PerSeries { trials, series, .. }) = &analysis.per_series else { return };
    let mut series: Vec<&SeriesValues> = series.iter().collect();
    let value = |one: &SeriesValues| one.values.last().copied().flatten().map_or(f64::INFINITY, |v| v.point);
    series.sort_by(|a, b| value(a).total_cmp(&value(b)));
    let hidden = series.len().saturating_sub(SHOWN);
    if hidden > 0 {
        series.drain(SHOWN / 2..SHOWN / 2 + hidden);
    }
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    let mut header = vec!["Series".to_owned(), "Rows".to_owned()];
    for one in trials {
        header.push(format!("{}, best {}", escape(&one.budget), escape(&analysis.metric)));
        header.push(level.clone());
    }
    let cells = |value: &Option<Estimate>| {
        [
            value.map_or_else(|| UNKNOWN.into(), |value| decimals(value.point)),
            interval(value.and_then(|value| value.interval)),
        ]
    };
    text.blank();
    let rows = series.into_iter().map(|one| {
        let mut row = vec![escape(&one.series), grouped(one.rows)];
        row.extend(one.values.iter().flat_map(cells));
        row
    });
    text.table(&header, rows);
    if hidden > 0 {
        text.blank();
        text.line(format_args!(
            "{} more series lie between; `allometry report -o report.json` has up to 1,000.",
            grouped(hidden as u64)
        ));
    }
}
