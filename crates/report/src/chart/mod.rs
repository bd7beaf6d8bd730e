//! Charts as data, drawn as SVG. Markdown reports, pages and the dashboard share the drawing.

mod best_of;
mod budgets;
mod confirmation;
mod coordinates;
mod coverage;
mod data;
mod differences;
mod distribution;
mod effects;
mod figure;
mod figures;
mod front;
mod history;
mod importance;
mod interaction;
mod label;
mod law;
mod learning;
mod matters;
mod panel;
mod parallel;
mod parameter;
mod reliability;
mod scale;
mod scaling;
mod slice;
mod timeline;
mod transfer;

pub use coordinates::coordinates_figure;
pub use figure::{CHART_STYLE, Figure, FigureTable};
pub use figures::{Figures, ladder_figures, opening_figures, study_figures};
pub use law::{ladder_figure, law_figure};
pub use learning::{Behind, Curve, curves_figure, curves_figure_over};
pub(crate) use parameter::ParameterAxis;
pub use reliability::reliability_figure;

/// The number of colours of budgets.
const COLOURS: usize = 8;

/// Returns the class of a budget's marks, by the budget's position. The ninth budget has the colour of the
/// first, but its marks are square.
fn budget_class(position: usize) -> String {
    let shape = if (position / COLOURS).is_multiple_of(2) { "" } else { " again" };
    format!("b{}{shape}", position % COLOURS)
}

/// Returns the class of a budget's line, which also sets its dashes.
fn budget_line(position: usize) -> String {
    format!("{} dash-{}", budget_class(position), position % COLOURS)
}

/// Returns a name, shortened to fit into a chart.
fn shown(name: &str) -> String {
    crate::number::shortened(name, 40)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Neither do two budgets look alike, nor a budget and a state of a trial.
    #[test]
    fn marks_of_budgets_differ() {
        let classes: HashSet<String> = (0..2 * COLOURS).map(budget_class).collect();
        assert_eq!(classes.len(), 2 * COLOURS);
        let color = |class: &str| {
            let rule = CHART_STYLE.split_once(&format!(".{class} {{ color: ")).expect("it has a colour").1;
            rule.split_once(';').expect("the colour has an end").0
        };
        for state in ["complete", "running", "pruned", "infeasible", "bad"] {
            for budget in 0..COLOURS {
                assert_ne!(color(state), color(&budget_class(budget)), "{state}");
            }
        }
    }
}
