//! Converts a Markdown report to a part of a page, with its figures.

use maud::html;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::chart::Figures;
use crate::full::INSIDE;

/// A heading in the list of contents of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) id: String,
    pub(super) words: String,
}

/// Returns a Markdown text as HTML, and the headings for the list of contents: those of the first level, and
/// those of the second level before the part about the first budget.
pub(super) fn render(markdown: &str, figures: &Figures) -> (String, Vec<Heading>) {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut headings: Vec<Heading> = Vec::new();
    let mut first_level = 0;
    let mut open: Option<(HeadingLevel, String)> = None;
    let mut count = 0;
    let mut events = Vec::new();
    let mut picture = None;
    for event in parser {
        match event {
            Event::Start(Tag::Heading { level, .. }) => open = Some((level, String::new())),
            Event::End(TagEnd::Heading(level)) => {
                let (_, words) = open.take().unwrap_or((level, String::new()));
                count += 1;
                let id = format!("section-{count}");
                first_level += usize::from(level == HeadingLevel::H1);
                if level == HeadingLevel::H1 || (level == HeadingLevel::H2 && first_level == 1) {
                    headings.push(Heading { id: id.clone(), words: words.clone() });
                }
                let heading = match level {
                    HeadingLevel::H1 => html! { h1 id=(id) { (words) } },
                    HeadingLevel::H2 => html! { h2 id=(id) { (words) } },
                    _ => html! { h3 id=(id) { (words) } },
                };
                events.push(Event::Html(CowStr::from(heading.into_string())));
            }
            Event::Text(text) | Event::Code(text) if open.is_some() => {
                open.as_mut().expect("a heading is open").1.push_str(&text);
            }
            // User text is already escaped; if a tag still gets through, it is shown as text.
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            Event::Start(Tag::Image { dest_url, .. }) => picture = Some(dest_url),
            Event::End(TagEnd::Image) => {
                let figure = picture.take().and_then(|url| figures.get(url.strip_prefix(INSIDE)?));
                events.extend(figure.map(|figure| Event::Html(figure.html().into_string().into())));
            }
            _ if picture.is_some() => {}
            Event::Start(Tag::Table(alignment)) => {
                events.push(Event::Html("<div class=\"scroll\" tabindex=\"0\">".into()));
                events.push(Event::Start(Tag::Table(alignment)));
            }
            Event::End(TagEnd::Table) => {
                events.push(Event::End(TagEnd::Table));
                events.push(Event::Html("</div>".into()));
            }
            event => events.push(event),
        }
    }
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, unwrapped(events).into_iter());
    (out, headings)
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
