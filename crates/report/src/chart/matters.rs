//! The importance of every parameter in all budgets.

use allometry_analysis::{Analysis, Estimate};

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH};
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};
use crate::number::{UNKNOWN, counted, share};

/// The largest number of parameters that are drawn, if there are few budgets.
const MOST: usize = 20;
/// The largest number of intervals that are drawn. It limits the parameters if there are many budgets.
const MOST_INTERVALS: usize = 70;

/// Draws each parameter's share of the variance with its interval: one row per parameter, one dot per budget.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let all = analysis.parameters_by_share();
    if all.is_empty() {
        return None;
    }
    let budgets = analysis.studies.len();
    let names = &all[..all.len().min(MOST).min((MOST_INTERVALS / budgets).max(6))];
    let found = |position: usize, name: &str| -> Option<(Estimate, bool)> {
        let study = &analysis.studies[position];
        let share = study.importance.iter().find(|one| one.parameter == name)?.share?;
        Some((share, study.importance_model.surviving.iter().any(|one| one == name)))
    };
    let ends = names.iter().flat_map(|name| {
        (0..budgets).filter_map(|position| {
            let (share, _) = found(position, name)?;
            Some(share.interval.map_or(share.point, |ends| ends.upper))
        })
    });
    let high = ends.fold(0.05, f64::max) * 1.05;
    let x = Axis::new(
        format!("share of the variance of {}", shown(&analysis.metric)),
        Scale::Linear { low: 0.0, high },
    )
    .format(TickFormat::Percent);
    let labels = Scale::Places(names.iter().rev().map(|name| shown(name)).collect());
    let height = 70.0 + names.len() as f64 * (16.0 + budgets as f64 * 9.0).max(26.0);
    let mut panel = Panel::new("", x, Axis::new("", labels), (WIDTH, height));
    for (place, name) in names.iter().rev().enumerate() {
        if place > 0 {
            let y = place as f64 - 0.5;
            panel.layers.push(Layer::segment("ruler", (0.0, y), (high, y), ""));
        }
        for position in 0..budgets {
            let Some((estimate, is_significant)) = found(position, name) else { continue };
            // The first budget is at the top of its row.
            let y = place as f64 + 0.4 - 0.8 * (position as f64 + 0.5) / budgets as f64;
            let label = shown(&analysis.studies[position].budget.label);
            let tip = format!(
                "{name}, {label}: {}{}",
                share(estimate),
                if is_significant { ", significant" } else { "" }
            );
            let class = budget_class(position);
            if let Some(ends) = estimate.interval {
                let (from, to) = ((ends.lower, y), (ends.upper, y));
                panel.layers.push(Layer::segment(class.clone(), from, to, tip.clone()));
            }
            let at = (estimate.point, y);
            if is_significant {
                panel.layers.push(Layer::Mark { class: "best".into(), at, tip: tip.clone() });
            }
            panel.layers.push(Layer::Mark { class: format!("small {class}"), at, tip });
        }
    }
    let mut figure = Figure::new("importance", "Importance", vec![panel]);
    if budgets > 1 {
        for (position, study) in analysis.studies.iter().enumerate() {
            figure.entry(format!("small {}", budget_class(position)), shown(&study.budget.label));
        }
    }
    figure.entry("best", "with an outline: significant after Holm's adjustment");
    let left = all.len() - names.len();
    let left = match left {
        0 => String::new(),
        left => format!(" {} with smaller shares are left out.", counted(left as u64, "parameter")),
    };
    let has_interval = |(estimate, _): (Estimate, bool)| estimate.interval.is_some();
    let found_one = |name: &str| (0..budgets).filter_map(|position| found(position, name)).any(has_interval);
    let with = if names.iter().any(|name| found_one(name)) {
        format!(", with its {:.0}% interval", analysis.options.level * 100.0)
    } else {
        String::new()
    };
    figure.caption = format!(
        "A parameter's share of the variance between trials, averaged over all orders in which parameters \
         can be added to a linear model{with}. Shares without an outline may be chance.{left}"
    );
    figure.describe(names.iter().map(|name| {
        let shares = (0..budgets).filter_map(|position| {
            let (estimate, _) = found(position, name)?;
            Some(format!("{} {}", analysis.studies[position].budget.label, share(estimate)))
        });
        format!("{name}: {}.", shares.collect::<Vec<_>>().join(", "))
    }));
    let header = std::iter::once("Parameter".to_owned())
        .chain(analysis.studies.iter().map(|study| shown(&study.budget.label)));
    let rows = all.iter().map(|name| {
        let cells = (0..budgets).map(|position| match found(position, name) {
            Some((estimate, is_significant)) => {
                format!("{}{}", share(estimate), if is_significant { ", significant" } else { "" })
            }
            None => UNKNOWN.to_owned(),
        });
        std::iter::once(shown(name)).chain(cells).collect()
    });
    figure.table = Some(FigureTable { header: header.collect(), rows: rows.collect() });
    Some(figure)
}
