//! Text built line by line.

use std::fmt;

/// A text under construction.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// Adds a line.
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        fmt::write(&mut self.0, line).expect("writing to a string cannot fail");
        self.0.push('\n');
    }

    /// Adds an empty line, unless the text is empty or already ends with one.
    pub(crate) fn blank(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    /// Adds a heading of the given level between empty lines.
    pub(crate) fn heading(&mut self, level: usize, title: fmt::Arguments<'_>) {
        self.blank();
        self.line(format_args!("{} {title}", "#".repeat(level)));
        self.blank();
    }

    /// Adds a row of a table from its cells.
    pub(crate) fn row<C: fmt::Display>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.0.push('|');
        for cell in cells {
            fmt::write(&mut self.0, format_args!(" {cell} |")).expect("writing to a string cannot fail");
        }
        self.0.push('\n');
    }

    /// Adds a table with a header.
    pub(crate) fn table<H: fmt::Display>(
        &mut self,
        header: &[H],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) {
        self.row(header);
        self.row(header.iter().map(|_| "---"));
        for row in rows {
            self.row(row);
        }
    }

    /// Returns the text without an empty line at its end.
    pub(crate) fn into_string(mut self) -> String {
        if self.0.ends_with("\n\n") {
            self.0.pop();
        }
        self.0
    }
}
