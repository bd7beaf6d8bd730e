//! The distribution of the values of all trials.

use allometry_analysis::LadderTrials;
use allometry_analysis::sample::Sample;
use allometry_core::Direction;

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::{Scale, TickFormat};
use super::{budget_class, budget_line, shown};
use crate::number::decimals;

/// The largest number of points of a curve.
const MOST_STEPS: usize = 400;

/// Draws the share of trials up to each value, by budget: the empirical distribution function.
pub(super) fn figure(ladder: &LadderTrials) -> Option<Figure> {
    let budgets: Vec<(usize, &str, Vec<f64>)> = ladder
        .studies
        .iter()
        .enumerate()
        .map(|(position, study)| {
            let mut values = Sample::new(study, ladder.direction()).values;
            values.sort_by(f64::total_cmp);
            (position, study.budget.label.as_str(), values)
        })
        .filter(|(.., values)| values.len() > 1)
        .collect();
    if budgets.is_empty() {
        return None;
    }
    let x = Axis::new(
        shown(ladder.metric()),
        Scale::linear(budgets.iter().flat_map(|(.., values)| values.iter().copied())),
    );
    let y = Axis::new("share of trials", Scale::Linear { low: 0.0, high: 1.0 }).format(TickFormat::Percent);
    let mut panel = Panel::new("", x, y, (WIDTH, 300.0));
    panel.zoom = Zoom::Offered;
    let mut figure = Figure::new("distribution", "Values of all trials", Vec::new());
    for (position, label, values) in &budgets {
        figure.entry(budget_class(*position), shown(label));
        let (count, every) = (values.len() as f64, values.len().div_ceil(MOST_STEPS));
        let mut at = vec![(values[0], 0.0)];
        for (rank, value) in
            values.iter().enumerate().filter(|(rank, _)| (rank + 1) % every == 0 || rank + 1 == values.len())
        {
            let below = at.last().map_or(0.0, |last| last.1);
            at.extend([(*value, below), (*value, (rank + 1) as f64 / count)]);
        }
        panel.layers.push(Layer::Line { class: budget_line(*position), at, tip: shown(label) });
    }
    figure.panels.push(panel);
    let better = match ladder.direction() {
        Direction::Maximize => "right",
        Direction::Minimize => "left",
    };
    figure.caption = format!(
        "A curve further to the {better} means more good trials, not only a better best trial. If two curves \
         cross, one budget has the better best trials and the other has the better typical trials."
    );
    let quantile =
        |values: &[f64], share: f64| decimals(values[((values.len() - 1) as f64 * share).round() as usize]);
    let rows: Vec<Vec<String>> = budgets
        .iter()
        .map(|(_, label, values)| {
            let mut row = vec![shown(label)];
            row.extend([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(values, share)));
            row
        })
        .collect();
    figure.describe(
        rows.iter().map(|row| format!("{}: from {} to {}, median {}.", row[0], row[1], row[5], row[3])),
    );
    let header = ["Budget", "Lowest", "Lower quartile", "Median", "Upper quartile", "Highest"]
        .map(str::to_owned)
        .to_vec();
    figure.table = Some(FigureTable { header, rows });
    Some(figure)
}
