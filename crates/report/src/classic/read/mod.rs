//! Reads the statements of a classic report, line by line.
//!
//! Sections may be missing. Lines of unknown form are noted and skipped, but a line that begins like a line
//! of the report must be complete.

mod error;
mod ladder;
mod line;
mod literal;
mod study;

use allometry_analysis::lint::stated::{StatedReport, StatedStudy};

pub use error::ReadError;
use line::Line;

/// Reads a classic report.
///
/// # Errors
/// [`ReadError`] if the text is not such a report, or if a line does not have the expected form.
pub fn read(text: &str) -> Result<StatedReport, ReadError> {
    let mut reader = Reader::default();
    // Windows editors write a byte-order mark at the start of files.
    for (index, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = Line { number: index as u64 + 1, text };
        let is_known = reader.line(&line)?;
        if !is_known && !reader.was_unread {
            reader.report.unread.push(line.number);
        }
        // Empty lines neither begin nor end a run of unread lines.
        if !text.trim().is_empty() {
            reader.was_unread = !is_known;
        }
    }
    let report = reader.report;
    if report.studies.is_empty() && report.best_results.is_empty() && report.maxima.is_empty() {
        return Err(ReadError::NoReport);
    }
    Ok(report)
}

/// The section of the report that contains a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Other,
    BestResults,
    Maxima,
    Consistency,
    CollapseTable,
    Summary,
    BestConfiguration,
    StudyCollapse,
    Importance,
    Trends,
    Trend,
    Coverage,
    Combinations,
}

#[derive(Debug, Default)]
struct Reader {
    report: StatedReport,
    section: Section,
    /// The cells of the header of the current table.
    header: Option<Vec<String>>,
    was_unread: bool,
}

impl Reader {
    /// Reads a line. Returns whether its form is known.
    fn line(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let text = line.text.trim();
        if text.starts_with("**Do more weights pay?**") || text == "## Do more weights pay?" {
            return Err(ReadError::FullReport { line: line.number });
        }
        if let Some(title) = text.strip_prefix("# ") {
            return Ok(self.title(line.number, title.trim()));
        }
        if let Some(title) = text.strip_prefix("## ") {
            self.enter(section(title.trim()));
            return Ok(self.section != Section::Other);
        }
        if let Some(title) = text.strip_prefix("### ") {
            return self.subsection(line, title.trim());
        }
        if text.is_empty() || text == "---" {
            return Ok(true);
        }
        match self.section {
            Section::Other => Ok(false),
            Section::BestResults | Section::Maxima | Section::Consistency | Section::CollapseTable => {
                self.ladder_line(line)
            }
            _ => self.study_line(line),
        }
    }

    fn enter(&mut self, section: Section) {
        self.section = section;
        self.header = None;
    }

    fn title(&mut self, line: u64, title: &str) -> bool {
        self.enter(Section::Other);
        if title == "Cross-Budget HPO Comparison" {
            return true;
        }
        // With an empty label, there is no space after the colon.
        let Some(name) = title.strip_prefix("HPO Analysis:") else { return false };
        let (label, tag) = self.label_and_tag(name.trim());
        self.report.tag = self.report.tag.take().or(tag);
        self.report.studies.push(StatedStudy { line, label, ..StatedStudy::default() });
        true
    }

    /// Splits the title of a study into label and tag. The label is that of the table of best results, if it
    /// has one.
    fn label_and_tag(&self, name: &str) -> (String, Option<String>) {
        let tag_behind = |label: &str| {
            let rest = name.strip_prefix(label)?.trim();
            if rest.is_empty() {
                return Some(None);
            }
            rest.strip_prefix('(')?.strip_suffix(')').map(|tag| Some(tag.to_owned()))
        };
        let beside = self.report.best_results.get(self.report.studies.len());
        if let Some((row, tag)) = beside.and_then(|row| Some((row, tag_behind(&row.label)?))) {
            return (row.label.clone(), tag);
        }
        match name.rfind(" (").filter(|_| name.ends_with(')')) {
            Some(at) => (name[..at].trim().to_owned(), Some(name[at + 2..name.len() - 1].to_owned())),
            None => (name.to_owned(), None),
        }
    }
}

fn section(title: &str) -> Section {
    match title {
        "Best Results by Budget" => Section::BestResults,
        "Scaling Law Analysis" => Section::Maxima,
        "Parameter Consistency Across Budgets" => Section::Consistency,
        "Probability Collapse by Budget" => Section::CollapseTable,
        "Summary Statistics" => Section::Summary,
        "Probability Collapse Analysis" => Section::StudyCollapse,
        "Parameter Importance" => Section::Importance,
        "Parameter Trends" => Section::Trends,
        "Coverage Matrices" => Section::Coverage,
        _ => Section::Other,
    }
}
