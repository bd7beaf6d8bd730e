//! The losses from using the settings of one budget in another.

use allometry_analysis::Analysis;
use allometry_analysis::transfer::TransferCell;

use super::figure::Figure;
use super::label::cut;
use super::panel::{Axis, Layer, Panel};
use super::scale::Scale;
use crate::number::decimals;

/// The largest number of budgets that are shown, the first ones.
const MOST: usize = 12;

/// Draws a matrix with a row for each budget whose settings are used, and a column for each budget that
/// trained them.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let transfer = analysis.transfer.as_ref()?;
    let budgets: Vec<&String> = transfer.budgets.iter().take(MOST).collect();
    if transfer.cells.is_empty() {
        return None;
    }
    let names = || budgets.iter().map(|name| cut(name, 16));
    let side = 100.0 + budgets.len() as f64 * 64.0;
    let mut panel = Panel::new(
        "",
        Axis::new("trained at", Scale::Places(names().collect())),
        Axis::new("settings of", Scale::Places(names().rev().collect())),
        (side + 120.0, side * 0.8),
    );
    let lost = |cell: &TransferCell| cell.loss.map(|loss| loss.point);
    let largest = transfer.cells.iter().filter_map(lost).fold(analysis.options.effect(), f64::max);
    for (column, to) in budgets.iter().enumerate() {
        for (row, from) in budgets.iter().rev().enumerate() {
            let cell = transfer.cell(from, to);
            let (text, tip) = match cell.map(|cell| (cell, lost(cell))) {
                None => (String::new(), format!("settings of {from} at {to}: not trained")),
                Some((cell, None)) => (decimals(cell.value), said(cell)),
                Some((cell, Some(loss))) => (format!("{loss:+.3}"), said(cell)),
            };
            let (x, y) = (column as f64, row as f64);
            panel.layers.push(Layer::Cell {
                from: (x - 0.5, y - 0.5),
                to: (x + 0.5, y + 0.5),
                strength: cell.map(|cell| lost(cell).map_or(0.0, |loss| (loss / largest).clamp(0.0, 1.0))),
                text,
                tip,
            });
        }
    }
    let mut figure = Figure::new("transfer", "Settings of one budget at another", vec![panel]);
    figure.caption = "Off the diagonal: the loss of a budget with the settings of another instead of its \
                      own, trained with the same seeds; darker cells lose more. On the diagonal: the value \
                      with its own settings, trained again. The table has the errors: a loss smaller than \
                      its error may be chance."
        .into();
    figure.describe(transfer.cells.iter().map(|cell| format!("{}.", said(cell))));
    Some(figure)
}

fn said(cell: &TransferCell) -> String {
    match cell.loss {
        Some(loss) => {
            format!("settings of {} at {}: loss {}", cell.from, cell.to, crate::number::signed(loss.point))
        }
        None => format!("{} with its own settings: {}", cell.from, decimals(cell.value)),
    }
}
