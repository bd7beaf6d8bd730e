//! Charts as data, drawn as SVG: the same drawing beside a Markdown report, inside a page, and on the
//! dashboard.

mod best_of;
mod confirmation;
mod coverage;
mod differences;
mod distribution;
mod figure;
mod figures;
mod front;
mod history;
mod importance;
mod interaction;
mod learning;
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

/// Class of a budget's marks, by its position.
fn budget_class(position: usize) -> String {
    format!("b{}", position % 8)
}

/// The same for a line: it also differs by its dashes.
fn budget_line(position: usize) -> String {
    format!("b{0} dash-{0}", position % 8)
}

/// A name that fits into a chart.
fn shown(name: &str) -> String {
    crate::number::shortened(name, 40)
}
