//! Interactions between parameters.

use allometry_analysis::{FanovaOutcome, StudyAnalysis};

use super::figure::Figure;
use super::label::cut;
use super::panel::{Axis, Layer, Panel};
use super::scale::Scale;
use super::shown;
use crate::number::percent;

/// The largest number of parameters that are shown, those with the largest shares.
const MOST: usize = 12;

/// Draws the shares of single parameters on the diagonal, and the additional shares of pairs elsewhere.
pub(super) fn figure(study: &StudyAnalysis, position: usize) -> Option<Figure> {
    let FanovaOutcome::Computed(fanova) = &study.space_importance.forest else { return None };
    let names: Vec<&str> = fanova.singles.iter().take(MOST).map(|single| single.parameter.as_str()).collect();
    if names.len() < 2 {
        return None;
    }
    let labels = || names.iter().map(|name| shown(name));
    let side = 90.0 + names.len() as f64 * 46.0;
    let mut panel = Panel::new(
        "",
        Axis::new("", Scale::Places(labels().map(|name| cut(&name, 16)).collect())),
        Axis::new("", Scale::Places(labels().rev().collect())),
        (side + 120.0, side * 0.72),
    );
    let largest = fanova.singles.iter().map(|single| single.share.mean);
    let largest = largest.chain(fanova.pairs.iter().map(|pair| pair.share.mean)).fold(0.01, f64::max);
    let share = |a: &str, b: &str| {
        if a == b {
            return fanova
                .singles
                .iter()
                .find(|single| single.parameter == a)
                .map(|single| single.share.mean);
        }
        let pair = fanova.pairs.iter().find(|pair| pair.parameters.iter().all(|name| name == a || name == b));
        pair.map(|pair| pair.share.mean)
    };
    for (column, a) in names.iter().enumerate() {
        for (row, b) in names.iter().rev().enumerate() {
            let share = share(a, b);
            let (x, y) = (column as f64, row as f64);
            let text = share.map_or_else(String::new, percent);
            let tip = if a == b { format!("{a} alone: {text}") } else { format!("{a} × {b}: {text}") };
            panel.layers.push(Layer::Cell {
                from: (x - 0.5, y - 0.5),
                to: (x + 0.5, y + 0.5),
                strength: share.map(|share| (share / largest).sqrt()),
                text,
                tip,
            });
        }
    }
    let mut figure = Figure::new(
        format!("interaction-{position}"),
        format!("{}: interactions between parameters", shown(&study.budget.label)),
        vec![panel],
    );
    figure.caption = "Shares of the variance of a forest's predictions over the space: single parameters on \
                      the diagonal, additional shares of pairs elsewhere. Dashed cells are too small to be \
                      listed."
        .into();
    let list = fanova
        .singles
        .iter()
        .take(MOST)
        .map(|single| format!("{} alone {}.", single.parameter, percent(single.share.mean)));
    let pairs = fanova.pairs.iter().take(5).map(|pair| {
        format!("{} with {} {}.", pair.parameters[0], pair.parameters[1], percent(pair.share.mean))
    });
    figure.describe(list.chain(pairs));
    Some(figure)
}
