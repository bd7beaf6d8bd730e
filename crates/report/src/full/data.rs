//! The gain from more training rows.

use allometry_analysis::Analysis;
use allometry_core::human_weights;

use super::Pictures;
use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, interval, known_p, percent, signed};
use crate::text::Text;
use crate::words;

/// Writes whether more rows pay, with the figure; nothing for a ladder that was not trained on parts of them.
pub(crate) fn answer(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    let Some(sentence) = words::data(analysis) else { return };
    text.heading(2, format_args!("More data or more weights?"));
    let (word, reason) = sentence.split_once(": ").unwrap_or(("", &sentence));
    text.line(format_args!("**{}:** {}", escape(word), escape(&words::capitalized(reason))));
    for sentence in words::data_details(analysis) {
        text.blank();
        text.line(format_args!("{}", escape(&sentence)));
    }
    text.blank();
    pictures.place(text, "data");
}

/// Writes the answer and its tables.
pub(super) fn render(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    answer(text, analysis, pictures);
    let Some(data) = &analysis.data_scaling else { return };
    let Some(judgement) = &data.judgement else { return };
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    let quantity = words::verdict::quantity(judgement.quantity, &escape(&analysis.metric));
    let rows = if data.counts_rows { "Training rows" } else { "Share of the rows" };
    text.table(
        &["Budget", "Weights", rows, &quantity, &level, "Units"],
        data.cells.iter().map(|cell| {
            vec![
                escape(&cell.budget),
                cell.weights.map_or_else(|| UNKNOWN.into(), human_weights),
                if data.counts_rows { human_weights(cell.rows) } else { percent(cell.rows) },
                decimals(cell.value.point),
                interval(cell.value.interval),
                cell.units.to_string(),
            ]
        }),
    );
    text.blank();
    text.table(
        &["Budget", "Gain from its smallest part to all rows", &level, "p (Holm)"],
        judgement.budgets.iter().map(|one| {
            vec![
                escape(&one.budget),
                signed(one.gain.point),
                interval(one.gain.interval),
                known_p(one.p_holm),
            ]
        }),
    );
}
