//! A coordinate system with its marks, as SVG.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::label::{self, Turn};
use super::scale::{Scale, Tick, TickFormat};
use crate::page_json::page_json;

/// Width of a panel that stands alone, in units of the drawing.
pub(crate) const WIDTH: f64 = 520.0;
/// Width from which a panel is drawn smaller on a phone, where the page enlarges its letters.
const LARGE: f64 = 450.0;
/// Number of points of a panel above which neighbouring points of a layer are drawn as one.
const MOST_DOTS: usize = 1_500;
/// Distance between the places of neighbouring points that are drawn as one.
const BIN: f64 = 6.0;
/// Width from which a panel keeps its size on every screen.
const WIDE: f64 = 700.0;
/// Height of the letters of labels.
const LETTERS: f64 = 12.0;
/// Height of the letters of labels of a large panel on a phone; labels have room for these.
const LARGE_LETTERS: f64 = 15.0;
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
    /// Part of the distance between named places over which the script spreads trials, as `jitter` does.
    pub(crate) spread: f64,
}

impl Axis {
    pub(crate) fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, format: TickFormat::Number, field: None, spread: 0.0 }
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
    /// The size of the whole drawing, which grows with its labels.
    size: (f64, f64),
    /// The height of letters for which labels have room.
    letters: f64,
    /// The direction of the labels below.
    turn: Turn,
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

    /// Whether the page enlarges the letters of this panel on a phone.
    fn is_large(&self) -> bool {
        self.size.0 > LARGE && !self.is_wide()
    }

    /// Whether the panel keeps its size on every screen, where the reader scrolls along it.
    pub(crate) fn is_wide(&self) -> bool {
        self.size.0 > WIDE
    }

    /// Returns the height of letters for which labels have room.
    fn letters(&self) -> f64 {
        if self.is_large() { LARGE_LETTERS } else { LETTERS }
    }

    fn points(&self) -> usize {
        let counts = self.layers.iter().map(|layer| match layer {
            Layer::Points { at, .. } => at.len(),
            _ => 0,
        });
        counts.sum()
    }

    /// Returns the size of the whole drawing.
    pub(crate) fn drawn_size(&self) -> (f64, f64) {
        self.frame().size
    }

    /// Returns the frame. Its margins have room for all labels, and its sides for all named places.
    fn frame(&self) -> Frame {
        let letters = self.letters();
        let widths = |ticks: &[Tick]| -> Vec<f64> {
            ticks.iter().map(|tick| label::width(&label::cut(&tick.label, LONGEST_NAME), letters)).collect()
        };
        let longest = |widths: &[f64]| widths.iter().copied().fold(0.0, f64::max);
        let name = if self.y.label.is_empty() { 0.0 } else { 18.0 };
        let left = (longest(&widths(&self.ticks(&self.y))) + 10.0 + name).max(24.0).ceil();
        let across = widths(&self.x.scale.ticks(6, self.x.format));
        let mut right: f64 = 14.0;
        let (mut turn, mut width, mut below) = (Turn::None, self.size.0, letters * label::LINE);
        if matches!(self.x.scale, Scale::Places(_)) {
            // Upright labels need this room each.
            width = width.max(left + right + across.len() as f64 * letters * 1.2).ceil();
            let slot = (width - left - right) / across.len().max(1) as f64;
            turn = label::turn(&across, slot, left, letters);
            below = turn.height(longest(&across), letters);
        } else {
            // A label at the end of the axis reaches beyond it.
            right = right.max(across.last().map_or(0.0, |last| last / 2.0 + 1.0)).ceil();
        }
        let top = if self.title.is_empty() { 10.0 } else { 28.0 };
        let name_below = if self.x.label.is_empty() { 0.0 } else { letters * label::LINE + 3.0 };
        let bottom = (10.0 + below + name_below).ceil();
        let flat = (10.0 + letters * label::LINE + name_below).ceil();
        let mut height = self.size.1 - top - flat;
        if let Scale::Places(names) = &self.y.scale {
            let named: Vec<usize> = (0..names.len()).filter(|place| !names[*place].is_empty()).collect();
            let closest = named.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(names.len());
            height = height.max(letters * 1.2 * names.len() as f64 / closest.max(1) as f64).ceil();
        }
        let size = (width, top + height + bottom);
        Frame { left, top, width: width - left - right, height, size, letters, turn }
    }

    /// Returns the drawing. `id` is unique on the page; `place` is its position in a larger drawing.
    pub(crate) fn svg(&self, id: &str, place: Option<(f64, f64)>) -> Markup {
        let frame = self.frame();
        let (width, height) = (round(frame.size.0), round(frame.size.1));
        let at = |(x, y): (f64, f64)| frame.at(self, x, y);
        let is_crowded = self.points() > MOST_DOTS;
        html! {
            svg.panel.large[self.is_large()] id=(id) viewBox={ "0 0 " (width) " " (height) }
                width=(width) height=(height)
                x=[place.map(|place| place.0)] y=[place.map(|place| place.1)]
                data-frame={ (round(frame.left)) " " (round(frame.top)) " "
                    (round(frame.width)) " " (round(frame.height)) }
                data-x=(described(&self.x)) data-y=(described(&self.y))
                data-axes=[(!self.axes.is_empty()).then(|| described_all(&self.axes))]
                data-below=(4.0 + frame.letters * label::LINE)
                data-turn=[(frame.turn != Turn::None).then(|| frame.turn.angle())]
                data-study=[self.study] data-zoom=[(self.zoom == Zoom::Offered).then_some("offered")] {
                @if !self.title.is_empty() {
                    text.title x=(round(frame.left)) y="17"
                        { (label::fitted(&self.title, width - frame.left, self.letters() * 1.15)) }
                }
                clipPath id={ (id) "-clip" } {
                    rect x=(round(frame.left)) y=(round(frame.top))
                        width=(round(frame.width)) height=(round(frame.height)) {}
                }
                g.axes { (frame.axes(self)) }
                g clip-path={ "url(#" (id) "-clip)" } {
                    g.marks {
                        @for layer in &self.layers {
                            @if !matches!(layer, Layer::Words { .. }) {
                                (layer.svg(&at, self.letters(), is_crowded))
                            }
                        }
                    }
                }
                g.words { (self.words(&at)) }
            }
        }
    }
}

impl Panel {
    /// Returns the texts beside points; one that would cover another moves up.
    fn words(&self, at: &impl Fn((f64, f64)) -> (f64, f64)) -> Markup {
        let letters = self.letters();
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        let words = self.layers.iter().filter_map(|layer| match layer {
            Layer::Words { at: point, text, anchor } => Some((at(*point), text, anchor)),
            _ => None,
        });
        let placed: Vec<(f64, f64, &str, &str)> = words
            .map(|((x, y), text, anchor)| {
                let width = label::width(text, letters);
                let (left, anchor) = match anchor {
                    Anchor::Start => (x, "start"),
                    Anchor::Middle => (x - width / 2.0, "middle"),
                };
                let line = letters * label::LINE;
                let mut y = y - 7.0;
                // A line further up may be rounded to a little less.
                while let Some((.., other)) = taken.iter().find(|(start, end, other)| {
                    left < *end && *start < left + width && (y - other).abs() < line * 0.999
                }) {
                    y = other - line;
                }
                taken.push((left, left + width, y));
                (x, round(y), anchor, text.as_str())
            })
            .collect();
        html! {
            @for (x, y, anchor, text) in placed { text x=(x) y=(y) text-anchor=(anchor) { (text) } }
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
        let letters = panel.letters();
        let across = self.fitting(panel);
        let up = panel.ticks(&panel.y);
        let places = |axis: &Axis| matches!(axis.scale, Scale::Places(_));
        let name_room = self.width + 2.0 * self.left.min(self.size.0 - right);
        html! {
            g.grid {
                @for tick in &across {
                    @let x = round(self.left + panel.x.scale.unit(tick.at) * self.width);
                    @if !places(&panel.x) { line x1=(x) x2=(x) y1=(round(self.top)) y2=(round(bottom)) {} }
                    (self.tick_below(x, bottom, &tick.label))
                }
                @for tick in &up {
                    @let y = round(bottom - panel.y.scale.unit(tick.at) * self.height);
                    @if !places(&panel.y) { line x1=(round(self.left)) x2=(round(right)) y1=(y) y2=(y) {} }
                    text x=(round(self.left - 7.0)) y=(round(y + 4.0))
                        text-anchor="end" { (named(&tick.label)) }
                }
            }
            rect.frame x=(round(self.left)) y=(round(self.top))
                width=(round(self.width)) height=(round(self.height)) {}
            @if !panel.x.label.is_empty() {
                text.label x=(round(self.left + self.width / 2.0)) y=(round(self.size.1 - 7.0))
                    text-anchor="middle" { (label::fitted(&panel.x.label, name_room, letters)) }
            }
            @if !panel.y.label.is_empty() {
                @let y = round(self.top + self.height / 2.0);
                text.label x="13" y=(y) text-anchor="middle" transform={ "rotate(-90 13 " (y) ")" }
                    { (label::fitted(&panel.y.label, self.height + self.top, letters)) }
            }
        }
    }

    fn tick_below(&self, x: f64, bottom: f64, text: &str) -> Markup {
        match self.turn {
            Turn::None => html! {
                text x=(x) y=(round(bottom + 4.0 + self.letters * label::LINE)) text-anchor="middle"
                    { (named(text)) }
            },
            turn => {
                let (x, y) = (round(x + 4.0), round(bottom + 9.0));
                html! {
                    text x=(x) y=(y) text-anchor="end"
                        transform={ "rotate(" (turn.angle()) " " (x) " " (y) ")" } { (named(text)) }
                }
            }
        }
    }

    /// Returns ticks whose labels do not touch. Named places all have a label: these are turned if needed.
    fn fitting(&self, panel: &Panel) -> Vec<Tick> {
        let (axis, letters) = (&panel.x, panel.letters());
        if matches!(axis.scale, Scale::Places(_)) {
            return axis.scale.ticks(1, axis.format);
        }
        (1..=6)
            .rev()
            .map(|wanted| axis.scale.ticks(wanted, axis.format))
            .find(|ticks| {
                let place = |tick: &Tick| axis.scale.unit(tick.at) * self.width;
                let width = |tick: &Tick| label::width(&tick.label, letters);
                ticks.windows(2).all(|pair| {
                    place(&pair[0]) + f64::midpoint(width(&pair[0]), width(&pair[1])) + letters * 0.6
                        <= place(&pair[1])
                })
            })
            .unwrap_or_default()
    }
}

/// Returns a name, cut if it is long; then the whole of it is its title.
fn named(name: &str) -> Markup {
    let cut = label::cut(name, LONGEST_NAME);
    html! { (cut) @if cut != name { title { (name) } } }
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

    fn svg(&self, at: &impl Fn((f64, f64)) -> (f64, f64), letters: f64, is_crowded: bool) -> Markup {
        match self {
            Self::Points { class, at: points } if is_crowded => {
                let bins = bins(points.iter().map(|point| at(*point)));
                html! {
                    @for (density, places) in bins {
                        path class={ "dots bin " (density) " " (class) } d=(dots(places)) {}
                    }
                }
            }
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
                    @if !text.is_empty() && label::width(text, letters) <= width - 2.0 && height >= letters {
                        text class=(words) x=(round(x + width / 2.0)) y=(round(y + height / 2.0 + 4.0))
                            text-anchor="middle" { (text) }
                    }
                }
            }
            Self::Mark { class, at: point, tip } => {
                html! { path class={ "mark " (class) } d=(dots([at(*point)])) { (title(tip)) } }
            }
            // Texts are drawn together, see `Panel::words`.
            Self::Words { .. } => html! {},
        }
    }
}

fn title(tip: &str) -> Markup {
    html! { @if !tip.is_empty() { title { (tip) } } }
}

/// Returns the data of an axis with which the script finds values along it.
fn described(axis: &Axis) -> String {
    page_json(description(axis).to_string())
}

fn described_all(axes: &[Axis]) -> String {
    page_json(serde_json::Value::from(axes.iter().map(description).collect::<Vec<_>>()).to_string())
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
        "label": axis.label, "spread": axis.spread,
    })
}

fn rectangle(a: (f64, f64), b: (f64, f64)) -> (f64, f64, f64, f64) {
    let (left, right) = (a.0.min(b.0), a.0.max(b.0));
    let (top, bottom) = (a.1.min(b.1), a.1.max(b.1));
    (left, top, round(right - left), round(bottom - top))
}

/// Gathers points at the places of a hexagonal grid, and returns the places by the number of their points: up
/// to an eighth, a quarter and a half of the largest number, and more. A blob of thousands of dots would show
/// only where points are, not how many.
fn bins(points: impl Iterator<Item = (f64, f64)>) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let height = BIN * 0.75_f64.sqrt();
    let mut counts: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    for (x, y) in points {
        let row = (y / height).round() as i64;
        let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
        *counts.entry((row, (x / BIN - shift).round() as i64)).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let shares = [("few", 8), ("some", 4), ("many", 2), ("most", 1)];
    let mut bins: Vec<(&str, Vec<(f64, f64)>)> =
        shares.iter().map(|(density, _)| (*density, Vec::new())).collect();
    for ((row, column), count) in counts {
        let place = shares.iter().position(|(_, part)| count * part <= most).unwrap_or(shares.len() - 1);
        let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
        bins[place].1.push(((column as f64 + shift) * BIN, row as f64 * height));
    }
    bins.retain(|(_, places)| !places.is_empty());
    bins
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
    fn many_points_are_gathered_by_their_number() {
        let crowd = std::iter::repeat_n((60.0, 51.0), 1_600);
        let bins = bins(crowd.chain([(90.0, 51.9), (91.0, 52.0)]));
        let found: Vec<(&str, usize)> =
            bins.iter().map(|(density, places)| (*density, places.len())).collect();
        assert_eq!(found, [("few", 1), ("most", 1)]);
        let (x, y) = bins[1].1[0];
        assert!((x - 60.0).abs() <= BIN / 2.0 && (y - 51.0).abs() <= BIN / 2.0, "{x}, {y}");
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

    /// Heights that are not exact in binary end the search for a free line too.
    #[test]
    fn texts_at_one_place_are_on_lines_of_their_own() {
        for height in 0..10 {
            let axis = || Axis::new("", Scale::Linear { low: 0.0, high: 1.0 });
            let mut panel = Panel::new("", axis(), axis(), (314.0, 234.0));
            for word in 0..30 {
                let (at, text) = ((0.1, 0.5 + f64::from(height) * 0.0013), format!("word {word}"));
                panel.layers.push(Layer::Words { at, text, anchor: Anchor::Start });
            }
            let svg = panel.svg("a", None).into_string();
            let place = |word: &str| word.split_once(" text-anchor").map(|(place, _)| place.to_owned());
            let places: std::collections::BTreeSet<String> =
                svg.split("<text ").filter(|word| word.contains("word ")).filter_map(place).collect();
            assert_eq!(places.len(), 30);
        }
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
