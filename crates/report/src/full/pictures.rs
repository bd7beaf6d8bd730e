//! Where figures stand in the report.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::chart::{Figure, Figures};
use crate::markdown::escape;
use crate::text::Text;

/// Begins the address of a figure that a page holds itself.
pub(crate) const INSIDE: &str = "inside:";

/// The figures of a report, and how its text refers to them.
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
    /// None: text and tables alone.
    pub fn none() -> Self {
        Self { figures: None, address: Address::Inside, study: String::new() }
    }

    /// SVG files in a folder beside the report, named as the figures are; `folder` is as the report's links
    /// say it.
    pub fn beside(figures: &'a Figures, folder: &str) -> Self {
        Self { figures: Some(figures), address: Address::Folder(folder.to_owned()), study: String::new() }
    }

    /// Inside the page that the text becomes.
    pub(crate) fn inside(figures: &'a Figures) -> Self {
        Self { figures: Some(figures), address: Address::Inside, study: String::new() }
    }

    /// The same for the part about one budget.
    pub(crate) fn of_study(&self, position: usize) -> Self {
        Self { study: format!("-{position}"), ..self.clone() }
    }

    /// Puts a figure here if the report is a page: for what differs between runs that found the same, such as
    /// times.
    pub(crate) fn place_on_page(&self, text: &mut Text, name: &str) {
        if matches!(self.address, Address::Inside) {
            self.place(text, name);
        }
    }

    /// Puts a figure here, by the first part of its name; nothing where there is none.
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

/// What a link may hold as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// A folder's name inside a link.
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
