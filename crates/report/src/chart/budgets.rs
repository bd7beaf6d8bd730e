//! The budgets with their intervals, and the differences that are too small to matter.

use allometry_analysis::scaling::Source;
use allometry_analysis::{Analysis, Estimate};
use allometry_core::human_weights;

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH};
use super::scale::Scale;
use super::{budget_class, shown};
use crate::number::{UNKNOWN, decimals, interval};
use crate::words;

/// A budget with the value that the verdict compares.
struct Row<'a> {
    position: usize,
    label: &'a str,
    weights: Option<f64>,
    value: Estimate,
}

/// Draws a forest plot with one line per budget, the smallest at the top.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let judgement = words::verdict::compared(analysis);
    let rows: Vec<Row<'_>> = analysis
        .studies
        .iter()
        .enumerate()
        .filter_map(|(position, study)| {
            let label = study.budget.label.as_str();
            let judged = judgement.map(|of| of.values.iter().find(|value| value.budget == label));
            let value = match judged {
                Some(judged) => judged?.value,
                None => study.summary.incumbent()?.value,
            };
            let weights = judged.flatten().and_then(|value| value.weights);
            let weights = weights.or_else(|| study.sizes.best.map(|size| size.total as f64));
            Some(Row { position, label, weights, value })
        })
        .collect();
    if rows.len() < 2 {
        return None;
    }
    let take = words::verdict::to_take(analysis);
    let reference = rows.iter().find(|row| take.is_some_and(|take| take.budget == row.label));
    let reference = reference.unwrap_or(&rows[0]);
    let (interest, center) = (analysis.options.effect(), reference.value.point);
    let ends = rows.iter().flat_map(|row| {
        let ends = row.value.interval.map_or([row.value.point; 2], |ends| [ends.lower, ends.upper]);
        ends.into_iter().chain([row.value.point])
    });
    let metric = shown(&analysis.metric);
    let quantity = judgement.map_or_else(
        || format!("Best {metric}"),
        |judgement| words::verdict::quantity(judgement.quantity, &metric),
    );
    let x = Axis::new(quantity.clone(), Scale::linear(ends.chain([center - interest, center + interest])));
    let name = |row: &Row<'_>| {
        let take = if take.is_some_and(|take| take.budget == row.label) { ", to take" } else { "" };
        format!("{}{take}", shown(row.label))
    };
    let names = Scale::Places(rows.iter().rev().map(name).collect());
    let height = 70.0 + rows.len() as f64 * 30.0;
    let mut panel = Panel::new("", x, Axis::new("", names), (WIDTH, height));
    let (bottom, top) = panel.y.scale.ends();
    if interest > 0.0 {
        let tip = format!("differs from {} by less than {}", shown(reference.label), decimals(interest));
        let (from, to) = ((center - interest, bottom), (center + interest, top));
        panel.layers.push(Layer::Bar { class: "pale soft".into(), from, to, tip });
    }
    panel.layers.push(Layer::segment("guide", (center, bottom), (center, top), ""));
    for (place, row) in rows.iter().rev().enumerate() {
        let (y, class) = (place as f64, budget_class(row.position));
        let tip = format!("{}: {} ({})", row.label, decimals(row.value.point), interval(row.value.interval));
        if let Some(ends) = row.value.interval {
            let (from, to) = ((ends.lower, y), (ends.upper, y));
            panel.layers.push(Layer::segment(class.clone(), from, to, tip.clone()));
        }
        panel.layers.push(Layer::Mark { class, at: (row.value.point, y), tip });
    }
    let mut figure = Figure::new("budgets", "The budgets", vec![panel]);
    figure.caption = caption(analysis, &rows, reference.label, judgement.is_some());
    figure.describe(rows.iter().map(|row| {
        format!("{}: {}, interval {}.", row.label, decimals(row.value.point), interval(row.value.interval))
    }));
    figure.table = Some(table(&rows, &quantity, analysis));
    Some(figure)
}

fn caption(analysis: &Analysis, rows: &[Row<'_>], reference: &str, is_compared: bool) -> String {
    let (interest, level) = (analysis.options.effect(), analysis.options.level * 100.0);
    let strip = if interest > 0.0 {
        format!(
            "The grey strip marks values that differ from {} by less than {}, the smallest difference of \
             interest.",
            shown(reference),
            decimals(interest)
        )
    } else {
        format!(
            "The dashed line is the value of {}. `--smallest-effect` adds a strip of differences that are \
             too small to matter.",
            shown(reference)
        )
    };
    let luck = if is_compared { "" } else { " The best value of many trials is partly luck." };
    let lines = if rows.iter().any(|row| row.value.interval.is_some()) {
        let covered = analysis.verdict.covers.reason().and_then(Option::as_ref);
        let has_search =
            covered.is_some_and(|covers| covers.shares.iter().any(|share| share.source == Source::Search));
        let search = if has_search { ", which cover what another search would find" } else { "" };
        format!("Lines are the {level:.0}% intervals of each budget by itself{search}. ")
    } else {
        String::new()
    };
    format!("{lines}{strip}{luck}")
}

fn table(rows: &[Row<'_>], quantity: &str, analysis: &Analysis) -> FigureTable {
    let level = analysis.options.level * 100.0;
    let interval_name = format!("{level:.0}% interval");
    let header = ["Budget", "Weights", quantity, &interval_name].map(str::to_owned).to_vec();
    let cells = rows.iter().map(|row| {
        vec![
            shown(row.label),
            row.weights.map_or_else(|| UNKNOWN.into(), human_weights),
            decimals(row.value.point),
            interval(row.value.interval),
        ]
    });
    FigureTable { header, rows: cells.collect() }
}
