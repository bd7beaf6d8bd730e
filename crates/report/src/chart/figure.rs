//! A figure: panels with a title, a caption, a legend and a description.

use maud::{Markup, PreEscaped, html};

use super::panel::Panel;
use crate::number::is_numeric;

/// Colours of charts, for light and dark backgrounds. Drawings that stand alone contain them.
pub const CHART_STYLE: &str = include_str!("style.css");

/// The distance between the panels of a drawing that stands alone.
const GAP: f64 = 8.0;
/// The height of a line of the legend.
const LINE: f64 = 20.0;

/// One or more panels that answer one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// A name that is unique in its report, of letters, digits and hyphens; also the name of its file.
    pub id: String,
    /// The title.
    pub title: String,
    /// The caption, which explains how to read the figure.
    pub caption: String,
    /// A description of the figure for readers who cannot see it.
    pub alt: String,
    /// The meanings of colours and lines.
    pub(crate) legend: Vec<LegendEntry>,
    pub(crate) panels: Vec<Panel>,
    /// The number of panels side by side, if there is room.
    pub(crate) columns: usize,
    /// The numbers behind the figure, if no table of the report contains them.
    pub table: Option<FigureTable>,
}

/// The meaning of a class of marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegendEntry {
    pub(crate) class: String,
    pub(crate) words: String,
}

/// The numbers behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FigureTable {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The cells of each row.
    pub rows: Vec<Vec<String>>,
}

impl Figure {
    pub(crate) fn new(id: impl Into<String>, title: impl Into<String>, panels: Vec<Panel>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            caption: String::new(),
            alt: String::new(),
            legend: Vec::new(),
            panels,
            columns: 1,
            table: None,
        }
    }

    pub(crate) fn entry(&mut self, class: impl Into<String>, words: impl Into<String>) {
        self.legend.push(LegendEntry { class: class.into(), words: words.into() });
    }

    /// Sets the description of the figure to these sentences.
    pub(crate) fn describe(&mut self, sentences: impl IntoIterator<Item = String>) {
        self.alt = sentences.into_iter().collect::<Vec<_>>().join(" ");
    }

    /// Returns the figure as an SVG file. Its colours follow the viewer's light or dark theme if the viewer
    /// reports it.
    pub fn svg(&self) -> String {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let legend = self.legend_rows(columns);
        let mut y = legend.len() as f64 * LINE + if legend.is_empty() { 0.0 } else { 6.0 };
        let mut placed = Vec::new();
        let mut width: f64 = 0.0;
        for row in self.panels.chunks(columns) {
            let mut x = 0.0;
            for panel in row {
                placed.push((panel, (x, y)));
                x += panel.drawn_size().0 + GAP;
            }
            width = width.max(x - GAP);
            y += row.iter().map(|panel| panel.drawn_size().1).fold(0.0, f64::max) + GAP;
        }
        let height = y - GAP;
        let picture = html! {
            svg.chart xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) }
                width=(width) height=(height)
                role="img" aria-labelledby={ (self.id) "-title " (self.id) "-alt" } {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-alt" } { (self.alt) }
                style { (PreEscaped(CHART_STYLE)) }
                rect.paper width=(width) height=(height) {}
                @for (line, entries) in legend.iter().enumerate() {
                    @for (x, entry) in entries {
                        @let y = line as f64 * LINE + 13.0;
                        path class={ "mark " (entry.class) } d={ "M" (x + 8.0) " " (y - 4.0) "h0" } {}
                        text x=(x + 18.0) y=(y) { (entry.words) }
                    }
                }
                @for (number, (panel, place)) in placed.iter().enumerate() {
                    (panel.svg(&format!("{}-panel-{number}", self.id), Some(*place)))
                }
            }
        };
        // One element per line, so that a small change of a drawing changes few lines.
        picture.into_string().replace("><", ">\n<") + "\n"
    }

    /// Returns the entries of the legend in lines that fit, each entry with its position.
    fn legend_rows(&self, columns: usize) -> Vec<Vec<(f64, &LegendEntry)>> {
        let room: f64 = self.panels.iter().take(columns).map(|panel| panel.drawn_size().0 + GAP).sum();
        let mut rows: Vec<Vec<(f64, &LegendEntry)>> = Vec::new();
        let mut x = f64::INFINITY;
        for entry in &self.legend {
            let width = entry.words.chars().count() as f64 * 6.6 + 34.0;
            if x + width > room {
                rows.push(Vec::new());
                x = 4.0;
            }
            rows.last_mut().expect("the first entry opens a row").push((x, entry));
            x += width;
        }
        rows
    }

    /// Returns the figure as a part of a page that has [`CHART_STYLE`]. The panels flow into as many columns
    /// as fit.
    pub fn html(&self) -> Markup {
        let wide = self.panels.iter().any(Panel::is_wide);
        html! {
            figure id=(self.id) class=[(self.panels.len() > 1 || wide).then_some("whole")] {
                figcaption { strong { (self.title) } " " span.caption { (self.caption) } }
                @if !self.legend.is_empty() {
                    ul.legend {
                        @for entry in &self.legend {
                            li {
                                svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" {
                                    path class={ "mark " (entry.class) } d="M8 8h0" {}
                                }
                                (entry.words)
                            }
                        }
                    }
                }
                div class={ "panels" @if wide { " wide" } } role="img" aria-label=(self.alt) tabindex="0" {
                    @for (number, panel) in self.panels.iter().enumerate() {
                        (panel.svg(&format!("{}-panel-{number}", self.id), None))
                    }
                }
                @if let Some(table) = &self.table { (table.html()) }
            }
        }
    }
}

impl FigureTable {
    fn html(&self) -> Markup {
        let numeric: Vec<bool> = (0..self.header.len())
            .map(|column| is_numeric(self.rows.iter().filter_map(|row| row.get(column)).map(String::as_str)))
            .collect();
        html! {
            details {
                summary { "Table" }
                div.scroll {
                    table {
                        thead {
                            tr {
                                @for (name, is) in self.header.iter().zip(&numeric) {
                                    th.number[*is] scope="col" { (name) }
                                }
                            }
                        }
                        tbody {
                            @for row in &self.rows {
                                tr {
                                    @for (cell, is) in row.iter().zip(&numeric) {
                                        td.number[*is] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
