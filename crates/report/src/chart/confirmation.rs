//! The values of each budget's best configurations in the search, and after they were trained again.

use allometry_analysis::Analysis;
use allometry_analysis::confirmation::{ConfirmedBudget, ConfirmedConfiguration};

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, WIDTH};
use super::scale::Scale;
use super::shown;
use crate::number::decimals;

/// Draws one line per configuration, grouped by budget.
pub(super) fn figure(analysis: &Analysis) -> Option<Figure> {
    let budgets = &analysis.confirmation.as_ref()?.budgets;
    let rows: Vec<(&ConfirmedBudget, &ConfirmedConfiguration)> = budgets
        .iter()
        .flat_map(|budget| budget.configurations.iter().map(move |one| (budget, one)))
        .collect();
    let name = |(budget, one): &(&ConfirmedBudget, &ConfirmedConfiguration)| {
        let chosen = std::ptr::eq(budget.chosen(), *one) && budget.configurations.len() > 1;
        let mark = if chosen { ", chosen" } else { "" };
        format!("{} #{}{mark}", shown(&budget.budget), one.trial.0)
    };
    let ends = rows.iter().flat_map(|(_, one)| {
        let interval = one.test.interval.map_or([one.test.point; 2], |i| [i.lower, i.upper]);
        interval.into_iter().chain(one.search).chain(one.validation)
    });
    let x = Axis::new(shown(&analysis.metric), Scale::linear(ends));
    let names = Scale::Places(rows.iter().rev().map(name).collect());
    let height = 70.0 + rows.len() as f64 * 26.0;
    let mut panel = Panel::new("", x, Axis::new("", names), (WIDTH, height));
    for (place, row) in rows.iter().rev().enumerate() {
        let ((_, one), y) = (row, place as f64);
        let tip = |what: &str, value: f64| format!("{}, {what}: {}", name(row), decimals(value));
        if let Some(ends) = one.test.interval {
            let (from, to) = ((ends.lower, y), (ends.upper, y));
            panel.layers.push(Layer::segment("ink", from, to, tip("test rows", one.test.point)));
        }
        let marks = [
            ("soft hollow", one.search, "search"),
            ("b0 small", one.validation, "validation rows, trained again"),
            ("best small", Some(one.test.point), "test rows"),
        ];
        for (class, value, what) in marks {
            let Some(value) = value else { continue };
            panel.layers.push(Layer::Mark { class: class.into(), at: (value, y), tip: tip(what, value) });
        }
    }
    let mut figure = Figure::new("confirmation", "The best configurations, trained again", vec![panel]);
    figure.entry("soft hollow", "value in the search");
    figure.entry("b0 small", "validation rows, trained again");
    figure.entry("best small", "test rows, trained again");
    let line = if rows.iter().any(|(_, one)| one.test.interval.is_some()) {
        format!("; the line is the {:.0}% interval on test rows", analysis.options.level * 100.0)
    } else {
        String::new()
    };
    figure.caption = format!(
        "Means over new seeds{line}. Test rows were not used for any choice. The value in the search is \
         biased towards better values."
    );
    figure.describe(rows.iter().map(|row| {
        let (_, one) = row;
        format!("{}: {} on test rows.", name(row), decimals(one.test.point))
    }));
    Some(figure)
}
