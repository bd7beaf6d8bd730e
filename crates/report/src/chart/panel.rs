//! A coordinate system with its marks, as SVG.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::{Scale, Tick, TickFormat};
use crate::number::shortened;

/// Width of a panel that stands alone, in units of the drawing.
pub(crate) const WIDTH: f64 = 520.0;
/// Width of a character of a label, in units of the drawing; labels are 12 units high.
const CHARACTER: f64 = 7.0;
/// Number of characters beyond which a name on an axis is cut.
const LONGEST_NAME: usize = 22;

/// An axis of a panel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) label: String,
    pub(crate) scale: Scale,
    pub(crate) format: TickFormat,
    /// The property of trials along the axis, if the script can find trials by it: `number`, `value`, `size`,
    /// or `param:` and a name.
    pub(crate) field: Option<String>,
}

impl Axis {
    pub(crate) fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, format: TickFormat::Number, field: None }
    }

    pub(crate) fn format(self, format: TickFormat) -> Self {
        Self { format, ..self }
    }

    pub(crate) fn of(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}

/// A layer of a drawing. Classes name colours: see `style.css`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layer {
    /// A dot at each point.
    Points { class: String, at: Vec<(f64, f64)> },
    /// A line through the points.
    Line { class: String, at: Vec<(f64, f64)>, tip: String },
    /// The area between two lines, as triples of place, lower end and upper end.
    Band { class: String, at: Vec<(f64, f64, f64)> },
    /// Many lines, drawn as one element.
    Lines { class: String, lines: Vec<Vec<(f64, f64)>> },
    /// A rectangle between two corners.
    Bar { class: String, from: (f64, f64), to: (f64, f64), tip: String },
    /// A rectangle with a colour of strength `strength`, from 0 to 1, and text inside.
    Cell { from: (f64, f64), to: (f64, f64), strength: Option<f64>, text: String, tip: String },
    /// A mark that stands out.
    Mark { class: String, at: (f64, f64), tip: String },
    /// Text beside a point.
    Words { at: (f64, f64), text: String, anchor: Anchor },
}

/// The alignment of text at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
}

/// A coordinate system.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) layers: Vec<Layer>,
    /// Size of the whole drawing in its own units.
    pub(crate) size: (f64, f64),
    /// Position of the study whose trials are the dots; `None` if the dots are trials of all studies, or no
    /// trials.
    pub(crate) study: Option<usize>,
    /// Whether the reader can zoom in.
    pub(crate) zoom: Zoom,
    /// The vertical axes of parallel coordinates, at the places of `x`.
    pub(crate) axes: Vec<Axis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zoom {
    Offered,
    Fixed,
}

/// The rectangle inside the axes.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Panel {
    pub(crate) fn new(title: impl Into<String>, x: Axis, y: Axis, size: (f64, f64)) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            layers: Vec::new(),
            size,
            study: None,
            zoom: Zoom::Fixed,
            axes: Vec::new(),
        }
    }

    /// Returns the ticks of the vertical axis; none for parallel coordinates, which have ticks along each
    /// line.
    fn ticks(&self, axis: &Axis) -> Vec<Tick> {
        if self.axes.is_empty() { axis.scale.ticks(5, axis.format) } else { Vec::new() }
    }

    fn frame(&self) -> Frame {
        let widest = |axis: &Axis| {
            let ticks = self.ticks(axis);
            ticks.iter().map(|tick| shortened(&tick.label, LONGEST_NAME).chars().count()).max().unwrap_or(0)
                as f64
        };
        let name = if self.y.label.is_empty() { 0.0 } else { 18.0 };
        let left = (widest(&self.y) * CHARACTER + 12.0 + name).max(24.0);
        let top = if self.title.is_empty() { 10.0 } else { 28.0 };
        let bottom = if self.x.label.is_empty() { 24.0 } else { 42.0 };
        Frame { left, top, width: self.size.0 - left - 14.0, height: self.size.1 - top - bottom }
    }

    /// Returns the drawing. `id` is unique on the page; `place` is its position in a larger drawing.
    pub(crate) fn svg(&self, id: &str, place: Option<(f64, f64)>) -> Markup {
        let frame = self.frame();
        let (width, height) = self.size;
        let at = |(x, y): (f64, f64)| frame.at(self, x, y);
        html! {
            svg.panel id=(id) viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
                x=[place.map(|place| place.0)] y=[place.map(|place| place.1)]
                data-frame={ (round(frame.left)) " " (round(frame.top)) " "
                    (round(frame.width)) " " (round(frame.height)) }
                data-x=(described(&self.x)) data-y=(described(&self.y))
                data-axes=[(!self.axes.is_empty()).then(|| described_all(&self.axes))]
                data-study=[self.study] data-zoom=[(self.zoom == Zoom::Offered).then_some("offered")] {
                @if !self.title.is_empty() {
                    text.title x=(round(frame.left)) y="17"
                        { (shortened(&self.title, (width / CHARACTER) as usize - 4)) }
                }
                clipPath id={ (id) "-clip" } {
                    rect x=(round(frame.left)) y=(round(frame.top))
                        width=(round(frame.width)) height=(round(frame.height)) {}
                }
                g.axes { (frame.axes(self)) }
                g clip-path={ "url(#" (id) "-clip)" } {
                    g.marks {
                        @for layer in &self.layers {
                            @if !matches!(layer, Layer::Words { .. }) { (layer.svg(&at)) }
                        }
                    }
                }
                g.words {
                    @for layer in &self.layers {
                        @if matches!(layer, Layer::Words { .. }) { (layer.svg(&at)) }
                    }
                }
            }
        }
    }
}

impl Frame {
    fn at(&self, panel: &Panel, x: f64, y: f64) -> (f64, f64) {
        // A point far outside is moved closer: it stays invisible, and its numbers stay short.
        let across = panel.x.scale.unit(x).clamp(-3.0, 4.0);
        let up = panel.y.scale.unit(y).clamp(-3.0, 4.0);
        (round(self.left + across * self.width), round(self.top + (1.0 - up) * self.height))
    }

    fn axes(&self, panel: &Panel) -> Markup {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let across = self.fitting(&panel.x);
        let up = panel.ticks(&panel.y);
        let places = |axis: &Axis| matches!(axis.scale, Scale::Places(_));
        html! {
            g.grid {
                @for tick in &across {
                    @let x = round(self.left + panel.x.scale.unit(tick.at) * self.width);
                    @if !places(&panel.x) { line x1=(x) x2=(x) y1=(round(self.top)) y2=(round(bottom)) {} }
                    text x=(x) y=(round(bottom + 16.0)) text-anchor="middle"
                        { (shortened(&tick.label, LONGEST_NAME)) }
                }
                @for tick in &up {
                    @let y = round(bottom - panel.y.scale.unit(tick.at) * self.height);
                    @if !places(&panel.y) { line x1=(round(self.left)) x2=(round(right)) y1=(y) y2=(y) {} }
                    text x=(round(self.left - 7.0)) y=(round(y + 4.0))
                        text-anchor="end" { (shortened(&tick.label, LONGEST_NAME)) }
                }
            }
            rect.frame x=(round(self.left)) y=(round(self.top))
                width=(round(self.width)) height=(round(self.height)) {}
            @if !panel.x.label.is_empty() {
                text.label x=(round(self.left + self.width / 2.0)) y=(round(bottom + 35.0))
                    text-anchor="middle" { (panel.x.label) }
            }
            @if !panel.y.label.is_empty() {
                @let y = round(self.top + self.height / 2.0);
                text.label x="13" y=(y) text-anchor="middle" transform={ "rotate(-90 13 " (y) ")" }
                    { (panel.y.label) }
            }
        }
    }

    /// Returns ticks whose labels do not touch.
    fn fitting(&self, axis: &Axis) -> Vec<Tick> {
        (1..=6)
            .rev()
            .map(|wanted| axis.scale.ticks(wanted, axis.format))
            .find(|ticks| {
                let room = ticks.iter().map(|tick| {
                    (shortened(&tick.label, LONGEST_NAME).chars().count() + 2) as f64 * CHARACTER
                });
                room.sum::<f64>() <= self.width || ticks.len() <= 2
            })
            .unwrap_or_default()
    }
}

impl Layer {
    /// Returns a line between two points.
    pub(crate) fn segment(
        class: impl Into<String>,
        from: (f64, f64),
        to: (f64, f64),
        tip: impl Into<String>,
    ) -> Self {
        Self::Line { class: class.into(), at: vec![from, to], tip: tip.into() }
    }

    fn svg(&self, at: &impl Fn((f64, f64)) -> (f64, f64)) -> Markup {
        match self {
            Self::Points { class, at: points } => {
                html! { path class={ "dots " (class) } d=(dots(points.iter().map(|point| at(*point)))) {} }
            }
            Self::Line { class, at: points, tip } => {
                html! { path class={ "line " (class) }
                d=(path(points.iter().map(|point| at(*point)))) { (title(tip)) } }
            }
            Self::Band { class, at: points } => {
                let upper = points.iter().map(|(x, _, upper)| at((*x, *upper)));
                let lower = points.iter().rev().map(|(x, lower, _)| at((*x, *lower)));
                html! { path class={ "band " (class) } d={ (path(upper.chain(lower))) "Z" } {} }
            }
            Self::Lines { class, lines } => {
                let d: String = lines.iter().map(|line| path(line.iter().map(|point| at(*point)))).collect();
                html! { path class={ "line " (class) } d=(d) {} }
            }
            Self::Bar { class, from, to, tip } => {
                let (x, y, width, height) = rectangle(at(*from), at(*to));
                html! { rect class={ "bar " (class) } x=(x) y=(y) width=(width) height=(height)
                { (title(tip)) } }
            }
            Self::Cell { from, to, strength, text, tip } => {
                let (x, y, width, height) = rectangle(at(*from), at(*to));
                let step = strength.map(|strength| (strength.clamp(0.0, 1.0) * 8.999).floor() as u8);
                let class = step.map_or_else(|| "cell empty".to_owned(), |step| format!("cell heat-{step}"));
                let words = if step.is_some_and(|step| step >= 5) { "on-strong" } else { "on-weak" };
                html! {
                    rect class=(class) x=(x) y=(y) width=(width) height=(height) { (title(tip)) }
                    @if !text.is_empty() && text.chars().count() as f64 * CHARACTER < width + 4.0 {
                        text class=(words) x=(round(x + width / 2.0)) y=(round(y + height / 2.0 + 4.0))
                            text-anchor="middle" { (text) }
                    }
                }
            }
            Self::Mark { class, at: point, tip } => {
                html! { path class={ "mark " (class) } d=(dots([at(*point)])) { (title(tip)) } }
            }
            Self::Words { at: point, text, anchor } => {
                let (x, y) = at(*point);
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                };
                html! { text x=(x) y=(round(y - 7.0)) text-anchor=(anchor) { (text) } }
            }
        }
    }
}

fn title(tip: &str) -> Markup {
    html! { @if !tip.is_empty() { title { (tip) } } }
}

/// Returns the data of an axis with which the script finds values along it.
fn described(axis: &Axis) -> String {
    description(axis).to_string()
}

fn described_all(axes: &[Axis]) -> String {
    serde_json::Value::from(axes.iter().map(description).collect::<Vec<_>>()).to_string()
}

fn description(axis: &Axis) -> serde_json::Value {
    let (low, high) = axis.scale.ends();
    let names = match &axis.scale {
        Scale::Places(names) => names.as_slice(),
        _ => &[],
    };
    let format = match axis.format {
        TickFormat::Number | TickFormat::Count => "number",
        TickFormat::Weights => "weights",
        TickFormat::Percent => "percent",
    };
    serde_json::json!({
        "kind": axis.scale.kind(), "low": low, "high": high,
            "names": names, "format": format, "field": axis.field,
        "label": axis.label,
    })
}

fn rectangle(a: (f64, f64), b: (f64, f64)) -> (f64, f64, f64, f64) {
    let (left, right) = (a.0.min(b.0), a.0.max(b.0));
    let (top, bottom) = (a.1.min(b.1), a.1.max(b.1));
    (left, top, round(right - left), round(bottom - top))
}

/// Returns dots as strokes of zero length: one element for any number of dots. Dots at one place are drawn
/// once.
fn dots(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut places: Vec<(i64, i64)> =
        points.into_iter().map(|(x, y)| ((x * 2.0).round() as i64, (y * 2.0).round() as i64)).collect();
    places.sort_unstable();
    places.dedup();
    let mut d = String::new();
    for (x, y) in places {
        write!(d, "M{} {}h0", x as f64 / 2.0, y as f64 / 2.0).expect("writing to a string cannot fail");
    }
    d
}

fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    for (x, y) in points {
        let letter = if d.is_empty() { 'M' } else { 'L' };
        write!(d, "{letter}{x} {y}").expect("writing to a string cannot fail");
    }
    d
}

/// Rounds to one digit after the point, a tenth of a pixel.
pub(crate) fn round(x: f64) -> f64 {
    let rounded = (x * 10.0).round() / 10.0;
    if rounded == 0.0 { 0.0 } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_at_one_place_are_one() {
        assert_eq!(dots([(10.0, 5.1), (10.1, 5.0), (3.0, 4.0)]), "M3 4h0M10 5h0");
    }

    #[test]
    fn names_are_text() {
        let axis = Axis::new("<script>alert(1)</script>", Scale::Places(vec!["</text><b>\"&".into()]));
        let panel =
            Panel::new("<img onerror=x>", axis, Axis::new("", Scale::linear([0.0, 1.0])), (300.0, 200.0));
        let svg = panel.svg("a", None).into_string();
        assert!(!svg.contains("<script") && !svg.contains("<b>") && !svg.contains("<img"), "{svg}");
        assert!(svg.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_point_lies_inside_its_frame() {
        let axis = || Axis::new("", Scale::Linear { low: 0.0, high: 1.0 });
        let mut panel = Panel::new("", axis(), axis(), (214.0, 134.0));
        panel.layers.push(Layer::Mark { class: "best".into(), at: (1.0, 0.0), tip: String::new() });
        let frame = panel.frame();
        let svg = panel.svg("a", None).into_string();
        let corner = format!("M{} {}h0", frame.left + frame.width, frame.top + frame.height);
        assert!(svg.contains(&corner), "{corner} in {svg}");
    }
}
