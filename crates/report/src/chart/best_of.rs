//! The expected best value by number of trials.

use allometry_analysis::Analysis;

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::Scale;
use super::{budget_class, budget_line, shown};
use crate::number::{decimals, interval};

/// Draws the expected best of `k` trials, by budget.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let budgets: Vec<_> =
        analysis.studies.iter().enumerate().filter(|(_, study)| study.best_of.len() > 1).collect();
    if budgets.is_empty() {
        return None;
    }
    let all = || budgets.iter().flat_map(|(_, study)| &study.best_of);
    let ends = all().filter_map(|best| best.expected.interval).flat_map(|i| [i.lower, i.upper]);
    let y = Scale::linear(ends.chain(all().map(|best| best.expected.point)));
    let x = Axis::new("trials", Scale::log(all().map(|best| best.k as f64)));
    let mut panel =
        Panel::new("", x, Axis::new(format!("expected best {}", shown(&analysis.metric)), y), (WIDTH, 300.0));
    panel.zoom = Zoom::Offered;
    let mut figure = Figure::new("best-of", "Expected best by number of trials", Vec::new());
    let mut rows = Vec::new();
    for (position, study) in &budgets {
        let label = shown(&study.budget.label);
        figure.entry(budget_class(*position), label.clone());
        let band = study.best_of.iter().filter_map(|best| {
            let ends = best.expected.interval?;
            Some((best.k as f64, ends.lower, ends.upper))
        });
        panel.layers.push(Layer::Band { class: budget_class(*position), at: band.collect() });
        let line = study.best_of.iter().map(|best| (best.k as f64, best.expected.point)).collect();
        panel.layers.push(Layer::Line { class: budget_line(*position), at: line, tip: label.clone() });
        for best in &study.best_of {
            let tip = format!("{label}, {} trials: {}", best.k, decimals(best.expected.point));
            panel.layers.push(Layer::Mark {
                class: format!("small {}", budget_class(*position)),
                at: (best.k as f64, best.expected.point),
                tip,
            });
            rows.push(vec![
                label.clone(),
                best.k.to_string(),
                decimals(best.expected.point),
                interval(best.expected.interval),
                decimals(best.incumbent),
            ]);
        }
    }
    figure.panels.push(panel);
    figure.caption = "A budget with more trials has a better observed best by chance alone: compare budgets \
                      at the same number of trials. If a curve still improves at its end, more trials would \
                      find better values."
        .into();
    figure.describe(budgets.iter().filter_map(|(_, study)| Some((study, study.best_of.last()?))).map(
        |(study, best)| {
            format!(
                "{}: best of all {} distinct configurations {}.",
                study.budget.label,
                best.k,
                decimals(best.expected.point)
            )
        },
    ));
    let header = ["Budget", "Trials", "Expected best", "Interval", "Best so far"].map(str::to_owned).to_vec();
    figure.table = Some(FigureTable { header, rows });
    Some(figure)
}
