//! Charts as data, drawn as SVG. Markdown reports, pages and the dashboard share the drawing.

mod best_of;
mod budgets;
mod confirmation;
mod coverage;
mod differences;
mod distribution;
mod effects;
mod figure;
mod figures;
mod front;
mod history;
mod importance;
mod interaction;
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

pub use figure::{CHART_STYLE, Figure, FigureTable};
pub use figures::{Figures, ladder_figures, study_figures};
pub use learning::{Curve, curves_figure};
pub(crate) use parameter::ParameterAxis;
pub use reliability::reliability_figure;

/// Returns the class of a budget's marks, by the budget's position.
fn budget_class(position: usize) -> String {
    format!("b{}", position % 8)
}

/// Returns the class of a budget's line, which also sets its dashes.
fn budget_line(position: usize) -> String {
    format!("b{0} dash-{0}", position % 8)
}

/// Returns a name, shortened to fit into a chart.
fn shown(name: &str) -> String {
    crate::number::shortened(name, 40)
}
