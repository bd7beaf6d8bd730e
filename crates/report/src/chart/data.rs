//! The compared value over the training rows, by budget.

use allometry_analysis::Analysis;
use allometry_analysis::scaling::DataCell;

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::{Scale, TickFormat};
use super::{budget_class, budget_line, shown};
use crate::number::{decimals, grouped, interval, percent};
use crate::words;

/// Draws a line for each budget, with the interval of each part of the rows.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let data = analysis.data_scaling.as_ref()?;
    let judgement = data.judgement.as_ref()?;
    let quantity = words::verdict::quantity(judgement.quantity, &shown(&analysis.metric));
    let ends = data.cells.iter().flat_map(|cell| {
        let point = cell.value.point;
        cell.value.interval.map_or([point; 2], |ends| [ends.lower, ends.upper])
    });
    let (label, format) = if data.counts_rows {
        ("distinct training rows", TickFormat::Weights)
    } else {
        ("share of the training rows", TickFormat::Percent)
    };
    let x = Axis::new(label, Scale::log(data.cells.iter().map(|cell| cell.rows))).format(format);
    let mut panel = Panel::new("", x, Axis::new(quantity.clone(), Scale::linear(ends)), (WIDTH, 300.0));
    panel.zoom = Zoom::Offered;
    let mut figure = Figure::new("data", "The metric over the training rows", Vec::new());
    let mut rows = Vec::new();
    for (position, study) in analysis.studies.iter().enumerate() {
        let label = shown(&study.budget.label);
        let mut cells: Vec<&DataCell> =
            data.cells.iter().filter(|cell| cell.budget == study.budget.label).collect();
        if cells.is_empty() {
            continue;
        }
        cells.sort_by(|a, b| a.rows.total_cmp(&b.rows));
        figure.entry(budget_class(position), label.clone());
        let line = cells.iter().map(|cell| (cell.rows, cell.value.point)).collect();
        panel.layers.push(Layer::Line { class: budget_line(position), at: line, tip: label.clone() });
        for cell in cells {
            let tip =
                format!("{}: {} ({})", cell.label, decimals(cell.value.point), interval(cell.value.interval));
            if let Some(ends) = cell.value.interval {
                let (from, to) = ((cell.rows, ends.lower), (cell.rows, ends.upper));
                panel.layers.push(Layer::segment(budget_class(position), from, to, tip.clone()));
            }
            let class = format!("small {}", budget_class(position));
            panel.layers.push(Layer::Mark { class, at: (cell.rows, cell.value.point), tip });
            rows.push(vec![
                label.clone(),
                if data.counts_rows { grouped(cell.rows as u64) } else { percent(cell.rows) },
                decimals(cell.value.point),
                interval(cell.value.interval),
            ]);
        }
    }
    figure.panels.push(panel);
    figure.caption = format!(
        "{quantity} of each budget on each part of the training rows, with {:.0}% intervals. All are scored \
         on the same validation rows.",
        analysis.options.level * 100.0
    );
    figure.describe(data.cells.iter().map(|cell| {
        format!("{}: {}, interval {}.", cell.label, decimals(cell.value.point), interval(cell.value.interval))
    }));
    let header = ["Budget", label, &quantity, "Interval"].map(str::to_owned).to_vec();
    figure.table = Some(FigureTable { header, rows });
    Some(figure)
}
