//! The combinations of values that were tried, and the means of their trials.

use allometry_analysis::coverage::Coverage;
use allometry_analysis::{Analysis, StudyAnalysis};
use allometry_core::Direction;

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel};
use super::scale::Scale;
use super::shown;
use crate::number::{decimals, step};

/// Draws the number of trials for each pair of parameters, and beside it the mean of their values.
pub(super) fn figure(study: &StudyAnalysis, position: usize, analysis: &Analysis) -> Option<Figure> {
    if study.coverage.is_empty() {
        return None;
    }
    let panels = study.coverage.iter().flat_map(|coverage| [counts(coverage), means(coverage, analysis)]);
    let label = shown(&study.budget.label);
    let mut figure =
        Figure::new(format!("coverage-{position}"), format!("{label}: combinations tried"), panels.collect());
    figure.columns = 2;
    figure.caption = format!(
        "Two panels per pair: the number of trials at each combination, where dashed cells are empty, and \
         their mean {}, where stronger colours are better. A mean rests on few trials if its count is small.",
        shown(&analysis.metric)
    );
    figure.describe(study.coverage.iter().map(|c| {
        format!(
            "{} by {}: {} empty combinations, at most {} trials at one.",
            c.row_parameter, c.column_parameter, c.empty_cells, c.largest_cell
        )
    }));
    Some(figure)
}

fn counts(coverage: &Coverage) -> Panel {
    let largest = coverage.largest_cell.max(1) as f64;
    cells("trials", coverage, |row, column| {
        let count = coverage.counts[row][column];
        (count > 0).then(|| (count as f64 / largest, count.to_string()))
    })
}

fn means(coverage: &Coverage, analysis: &Analysis) -> Panel {
    let known = || coverage.means.iter().flatten().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    cells(&format!("mean {}", analysis.metric), coverage, |row, column| {
        let mean = (*coverage.means.get(row)?.get(column)?)?;
        let share = if high > low { (mean - low) / (high - low) } else { 0.5 };
        let strength = match analysis.direction {
            Direction::Maximize => share,
            Direction::Minimize => 1.0 - share,
        };
        Some((strength, decimals(mean)))
    })
}

fn cells(what: &str, coverage: &Coverage, cell: impl Fn(usize, usize) -> Option<(f64, String)>) -> Panel {
    let names = |steps: &[allometry_analysis::coverage::Step]| -> Vec<String> {
        steps.iter().map(|one| shown(&step(&one.value, one.upper.as_ref()))).collect()
    };
    let (rows, columns) = (names(&coverage.rows), names(&coverage.columns));
    let size = (400.0, 86.0 + rows.len().clamp(3, 14) as f64 * 24.0);
    let title = format!("{what}: {} by {}", coverage.row_parameter, coverage.column_parameter);
    let x = Axis::new(shown(&coverage.column_parameter), Scale::Places(columns.clone()));
    let y = Axis::new(shown(&coverage.row_parameter), Scale::Places(rows.clone()));
    let mut panel = Panel::new(title, x, y, size);
    for (row, row_name) in rows.iter().enumerate() {
        for (column, column_name) in columns.iter().enumerate() {
            let (strength, text) = cell(row, column).unzip();
            let text = text.unwrap_or_default();
            let (x, y) = (column as f64, row as f64);
            panel.layers.push(Layer::Cell {
                from: (x - 0.5, y - 0.5),
                to: (x + 0.5, y + 0.5),
                strength,
                tip: format!("{row_name}, {column_name}: {}", if text.is_empty() { "none" } else { &text }),
                text,
            });
        }
    }
    panel
}
