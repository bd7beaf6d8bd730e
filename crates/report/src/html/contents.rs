//! Converts a Markdown report to parts of a page, with its figures.

use std::collections::HashSet;

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::chart::Figures;
use crate::full::INSIDE;
use crate::number::numeric;

/// A heading in the list of contents of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) id: String,
    pub(super) words: String,
}

/// How the headings of a text become those of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// They keep their levels.
    Flat,
    /// Each part of the text is a section that the reader opens.
    Folded,
}

/// Returns a Markdown text as HTML without figures, and the headings for the list of contents: those of the
/// first level, and those of the second level before the second heading of the first level.
pub(super) fn render(markdown: &str) -> (Markup, Vec<Heading>) {
    Page { layout: Layout::Flat, figures: &Figures::default(), shown: &mut HashSet::new() }.render(markdown)
}

/// Returns a Markdown text as sections that the reader opens, and their headings. A section is a part with a
/// heading of the second level before the first budget, or all of a budget. A figure that is among those
/// `shown` becomes a link to it.
pub(super) fn folded(
    markdown: &str,
    figures: &Figures,
    shown: &mut HashSet<String>,
) -> (Markup, Vec<Heading>) {
    Page { layout: Layout::Folded, figures, shown }.render(markdown)
}

struct Page<'a> {
    layout: Layout,
    figures: &'a Figures,
    shown: &'a mut HashSet<String>,
}

/// The section of a page that is open while a text is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    OfLadder,
    OfBudget,
}

impl Page<'_> {
    fn render(mut self, markdown: &str) -> (Markup, Vec<Heading>) {
        let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
        let mut headings: Vec<Heading> = Vec::new();
        let (mut first_level, mut count, mut section) = (0, 0, Section::None);
        let mut open: Option<String> = None;
        let mut events = Vec::new();
        let mut picture = None;
        for event in parser {
            match event {
                Event::Start(Tag::Heading { .. }) => open = Some(String::new()),
                Event::End(TagEnd::Heading(level)) => {
                    let words = open.take().unwrap_or_default();
                    count += 1;
                    let id = format!("section-{count}");
                    first_level += usize::from(level == HeadingLevel::H1);
                    let is_section = match self.layout {
                        Layout::Flat => first_level == 1 || level == HeadingLevel::H1,
                        Layout::Folded => section != Section::OfBudget || level == HeadingLevel::H1,
                    };
                    if level <= HeadingLevel::H2 && is_section {
                        headings.push(Heading { id: id.clone(), words: words.clone() });
                    }
                    let heading = match self.layout {
                        Layout::Flat => heading(level, &id, &words).into_string(),
                        Layout::Folded => folded_heading(level, &id, &words, &mut section),
                    };
                    events.push(Event::Html(heading.into()));
                }
                Event::Text(text) | Event::Code(text) if open.is_some() => {
                    open.as_mut().expect("a heading is open").push_str(&text);
                }
                Event::Rule if self.layout == Layout::Folded => {
                    if section != Section::None {
                        events.push(Event::Html("</details>".into()));
                    }
                    section = Section::None;
                }
                // User text is already escaped; if a tag still gets through, it is shown as text.
                Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
                Event::Start(Tag::Image { dest_url, .. }) => picture = Some(dest_url),
                Event::End(TagEnd::Image) => {
                    let id = picture.take();
                    let figure = id.as_deref().and_then(|url| self.figure(url.strip_prefix(INSIDE)?));
                    events.extend(figure.map(|figure| Event::Html(figure.into_string().into())));
                }
                _ if picture.is_some() => {}
                event => events.push(event),
            }
        }
        if section != Section::None {
            events.push(Event::Html("</details>".into()));
        }
        let mut out = String::new();
        pulldown_cmark::html::push_html(&mut out, tables(unwrapped(events)).into_iter());
        (PreEscaped(out), headings)
    }

    /// Returns a figure, or a link to it if the page shows it already.
    fn figure(&mut self, id: &str) -> Option<Markup> {
        let figure = self.figures.get(id)?;
        if self.shown.insert(id.to_owned()) {
            return Some(figure.html());
        }
        Some(html! { figure.elsewhere { a href={ "#" (id) } { "Figure: " (figure.title) } } })
    }
}

fn heading(level: HeadingLevel, id: &str, words: &str) -> Markup {
    match level {
        HeadingLevel::H1 => html! { h1 id=(id) { (words) } },
        HeadingLevel::H2 => html! { h2 id=(id) { (words) } },
        _ => html! { h3 id=(id) { (words) } },
    }
}

/// Returns the start of a section, or a heading inside one.
fn folded_heading(level: HeadingLevel, id: &str, words: &str, section: &mut Section) -> String {
    let opens = match level {
        HeadingLevel::H1 => Some(Section::OfBudget),
        HeadingLevel::H2 if *section != Section::OfBudget => Some(Section::OfLadder),
        _ => None,
    };
    let Some(opens) = opens else {
        let inside = match (level, &*section) {
            (HeadingLevel::H2, _) | (_, Section::OfLadder) => html! { h4 id=(id) { (words) } },
            _ => html! { h5 id=(id) { (words) } },
        };
        return inside.into_string();
    };
    let end = if *section == Section::None { "" } else { "</details>" };
    let class = if opens == Section::OfBudget { "fold budget" } else { "fold" };
    *section = opens;
    // Sections are closed where the next one begins.
    let start = html! { summary { h3 id=(id) { (words) } } }.into_string();
    format!("{end}<details class=\"{class}\">{start}")
}

/// Removes the paragraphs around figures, because HTML allows no figure inside a paragraph.
fn unwrapped(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut out: Vec<Event<'_>> = Vec::with_capacity(events.len());
    let mut rest = events.into_iter().peekable();
    while let Some(event) = rest.next() {
        match (&event, rest.peek()) {
            (Event::Start(Tag::Paragraph), Some(Event::Html(html))) if html.starts_with("<figure") => {
                out.extend(rest.next());
                // Skips the end of the paragraph, which contains only the figure.
                rest.next();
            }
            _ => out.push(event),
        }
    }
    out
}

/// Lets wide tables scroll, and aligns columns of numbers at their right.
fn tables(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut out: Vec<Event<'_>> = Vec::with_capacity(events.len());
    let mut start = 0;
    let mut is_numeric: Vec<Option<bool>> = Vec::new();
    let (mut column, mut cell, mut in_head) = (0, String::new(), false);
    for event in events {
        match &event {
            Event::Start(Tag::Table(alignment)) => {
                out.push(Event::Html("<div class=\"scroll\" tabindex=\"0\">".into()));
                start = out.len();
                is_numeric = vec![None; alignment.len()];
            }
            Event::Start(Tag::TableHead) => in_head = true,
            Event::End(TagEnd::TableHead) => in_head = false,
            Event::Start(Tag::TableRow) => column = 0,
            Event::Start(Tag::TableCell) => cell.clear(),
            Event::Text(text) | Event::Code(text) => cell.push_str(text),
            Event::End(TagEnd::TableCell) => {
                if let Some(known) = is_numeric.get_mut(column).filter(|_| !in_head) {
                    *known = numeric(&cell).map_or(*known, |is| Some(is && *known != Some(false)));
                }
                column += usize::from(!in_head);
            }
            Event::End(TagEnd::Table) => {
                let side = |numeric: &Option<bool>| match numeric {
                    Some(true) => Alignment::Right,
                    _ => Alignment::None,
                };
                out[start] = Event::Start(Tag::Table(is_numeric.iter().map(side).collect()));
                out.push(event);
                out.push(Event::Html(CowStr::from("</div>")));
                continue;
            }
            _ => {}
        }
        out.push(event);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_numbers_are_aligned_right() {
        let (html, _) = render("| a | b | c |\n|---|---|---|\n| x | 0.5 | unknown |\n| 1 | 1e-05 | 387k |\n");
        let html = html.into_string();
        assert!(html.contains("<td>x</td><td style=\"text-align: right\">0.5</td>"), "{html}");
        assert!(html.contains("<td style=\"text-align: right\">387k</td>"), "{html}");
    }

    #[test]
    fn parts_are_folded_and_budgets_whole() {
        let text = "## A\n\na\n\n### B\n\n---\n\n# 2M\n\n## C\n\n### D\n\n---\n\n## E\n\ne\n";
        let (html, headings) = folded(text, &Figures::default(), &mut HashSet::new());
        let html = html.into_string();
        let words: Vec<&str> = headings.iter().map(|heading| heading.words.as_str()).collect();
        assert_eq!(words, ["A", "2M", "E"]);
        assert_eq!(html.matches("<details").count(), 3);
        assert_eq!(html.matches("</details>").count(), 3);
        assert!(html.contains("<h4 id=\"section-2\">B</h4>") && html.contains("<h5 id=\"section-5\">D</h5>"));
    }
}
