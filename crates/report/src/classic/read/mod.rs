//! Reads the classic report back: what it says, line by line.
//!
//! Sections may be absent, and what is of no known form is noted and left out. A line that starts as one of
//! the report's own must be whole.

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
/// [`ReadError`]: the text is no such report, or a line of it is not as it should be.
pub fn read(text: &str) -> Result<StatedReport, ReadError> {
    let mut reader = Reader::default();
    // Files of Windows editors start with a byte-order mark.
    for (index, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = Line { number: index as u64 + 1, text };
        let is_known = reader.line(&line)?;
        if !is_known && !reader.was_unread {
            reader.report.unread.push(line.number);
        }
        // Empty lines neither start nor end a run of unread ones.
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

/// Where in the report a line stands.
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
    /// Cells of the header of the table under way.
    header: Option<Vec<String>>,
    was_unread: bool,
}

impl Reader {
    /// Takes up a line; whether it is of a known form.
    fn line(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let text = line.text.trim();
        if text.starts_with("**Do more weights pay?**") {
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
        // An empty label leaves no space behind the colon.
        let Some(name) = title.strip_prefix("HPO Analysis:") else { return false };
        let (label, tag) = self.label_and_tag(name.trim());
        self.report.tag = self.report.tag.take().or(tag);
        self.report.studies.push(StatedStudy { line, label, ..StatedStudy::default() });
        true
    }

    /// Parts a study's title: the label is that of the table of best results, if it has one.
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
