//! The share of each parameter in the metric's variance.

use allometry_analysis::StudyAnalysis;

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, WIDTH};
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};
use crate::number::share;

/// The largest number of parameters that are shown, those with the largest shares.
const MOST: usize = 24;

/// Draws the shares of the model's R squared with their intervals, and the shares expected by chance.
pub(super) fn figure(study: &StudyAnalysis, position: usize) -> Option<Figure> {
    let mut shares: Vec<_> = study.importance.iter().filter_map(|one| Some((one, one.share?))).collect();
    if shares.is_empty() {
        return None;
    }
    shares.sort_by(|a, b| b.1.point.total_cmp(&a.1.point));
    shares.truncate(MOST);
    let ends =
        shares.iter().flat_map(|(_, share)| [share.point, share.interval.map_or(0.0, |ends| ends.upper)]);
    let high = ends.fold(0.05, f64::max) * 1.05;
    let x = Axis::new("share of the variance", Scale::Linear { low: 0.0, high }).format(TickFormat::Percent);
    let names = shares.iter().rev().map(|(one, _)| shown(&one.parameter)).collect();
    let mut panel =
        Panel::new("", x, Axis::new("", Scale::Places(names)), (WIDTH, 70.0 + shares.len() as f64 * 26.0));
    for (place, (one, estimate)) in shares.iter().rev().enumerate() {
        let y = place as f64;
        let tip = format!("{}: {}", one.parameter, share(*estimate));
        let class = format!("pale {}", budget_class(position));
        panel.layers.push(Layer::Bar {
            class,
            from: (0.0, y - 0.32),
            to: (estimate.point, y + 0.32),
            tip: tip.clone(),
        });
        if let Some(ends) = estimate.interval {
            let (from, to) = ((ends.lower, y), (ends.upper, y));
            panel.layers.push(Layer::segment(budget_class(position), from, to, tip.clone()));
        }
        if let Some(chance) = one.share_by_chance {
            let (from, to) = ((chance, y - 0.4), (chance, y + 0.4));
            panel.layers.push(Layer::segment("guide", from, to, "expected without an effect"));
        }
    }
    let mut figure = Figure::new(
        format!("importance-{position}"),
        format!("{}: importance", shown(&study.budget.label)),
        vec![panel],
    );
    figure.entry(format!("{} small", budget_class(position)), "share with its interval");
    figure.caption = "Bars are averages over all orders in which parameters can be added to a linear model; \
                      lines are their intervals. The dashed tick is the share expected for a parameter \
                      without any effect: if the line of a bar reaches the tick, the share may be chance."
        .into();
    figure.describe(shares.iter().map(|(one, estimate)| format!("{}: {}.", one.parameter, share(*estimate))));
    Some(figure)
}
