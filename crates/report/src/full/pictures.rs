//! The places of figures in the report.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::chart::{Figure, Figures};
use crate::markdown::escape;
use crate::text::Text;

/// The prefix of the address of a figure inside a page.
pub(crate) const INSIDE: &str = "inside:";

/// The figures of a report, and the addresses by which its text refers to them.
#[derive(Debug, Clone)]
pub struct Pictures<'a> {
    figures: Option<&'a Figures>,
    address: Address,
    study: String,
}

#[derive(Debug, Clone)]
enum Address {
    Folder(String),
    Inside,
}

impl<'a> Pictures<'a> {
    /// Returns no figures: the report has text and tables only.
    pub fn none() -> Self {
        Self { figures: None, address: Address::Inside, study: String::new() }
    }

    /// Refers to SVG files in a folder beside the report; each file has the name of its figure. `folder` is
    /// the path of the folder in the links of the report.
    pub fn beside(figures: &'a Figures, folder: &str) -> Self {
        Self { figures: Some(figures), address: Address::Folder(folder.to_owned()), study: String::new() }
    }

    /// Refers to figures inside the page that is made from the text.
    pub(crate) fn inside(figures: &'a Figures) -> Self {
        Self { figures: Some(figures), address: Address::Inside, study: String::new() }
    }

    /// Returns the figures for the part about one budget.
    pub(crate) fn of_study(&self, position: usize) -> Self {
        Self { study: format!("-{position}"), ..self.clone() }
    }

    /// Adds a figure if the report is a page. For figures that differ between runs with equal results, such
    /// as a chart of times.
    pub(crate) fn place_on_page(&self, text: &mut Text, name: &str) {
        if matches!(self.address, Address::Inside) {
            self.place(text, name);
        }
    }

    /// Adds the figure `name` of this part of the report; adds nothing if there is no such figure.
    pub(crate) fn place(&self, text: &mut Text, name: &str) {
        let figure = self.figures.and_then(|figures| figures.get(&format!("{name}{}", self.study)));
        let Some(figure) = figure else { return };
        text.blank();
        match &self.address {
            Address::Inside => text.line(format_args!("![]({INSIDE}{})", figure.id)),
            Address::Folder(folder) => beside(text, figure, folder),
        }
        text.blank();
    }
}

fn beside(text: &mut Text, figure: &Figure, folder: &str) {
    text.line(format_args!("![{}]({}/{}.svg)", escape(&figure.alt), link(folder), figure.id));
    text.blank();
    text.line(format_args!("*{}.* {}", escape(&figure.title), escape(&figure.caption)));
}

/// The characters that are encoded in a link.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// Returns a folder's name, encoded for a link.
fn link(folder: &str) -> String {
    utf8_percent_encode(folder, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_link() {
        assert_eq!(link("my (a) é-figures"), "my%20%28a%29%20%C3%A9-figures");
    }
}
