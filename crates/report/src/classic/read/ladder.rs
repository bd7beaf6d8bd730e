//! Lines of the part about all budgets.

use allometry_analysis::collapse::NaiveOutcome;
use allometry_analysis::consistency::NaiveConsistency;
use allometry_analysis::lint::stated::{
    BestResult, CollapseRow, Maximum, Stated, StatedConsistency, StatedVerdict,
};
use allometry_analysis::scaling::NaiveScaling;

use super::error::ReadError;
use super::line::{Line, cells, is_rule, last_cells};
use super::literal::dictionary;
use super::{Reader, Section};

/// The names of columns in the first table that differ from the names of parameters.
const SHORT: [(&str, &str); 2] = [("LR", "learning_rate"), ("WD", "weight_decay")];

impl Reader {
    pub(super) fn ladder_line(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        match self.section {
            Section::BestResults => self.best_result(line),
            Section::Maxima => self.maximum_or_verdict(line),
            Section::Consistency => self.consistency(line),
            _ => self.collapse_row(line),
        }
    }

    /// Reads the header of a table or the rule below it. Returns whether the line is one of them.
    pub(super) fn is_heading_row(&mut self, cells: &[&str]) -> bool {
        if self.header.is_none() {
            self.header = Some(cells.iter().map(|cell| (*cell).to_owned()).collect());
            return true;
        }
        is_rule(cells)
    }

    fn best_result(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let Some(cells) = cells(line.text) else { return Ok(false) };
        if self.header.is_none() {
            let metric = cells.get(1).and_then(|cell| cell.strip_prefix("Best "));
            let Some(metric) = metric else {
                return line.expected("a header `| Budget | Best METRIC | ...`");
            };
            metric.clone_into(&mut self.report.metric);
        }
        if self.is_heading_row(&cells) {
            return Ok(true);
        }
        let header = self.header.as_deref().unwrap_or_default();
        if cells.len() != header.len() {
            return line.expected(&format!("{} cells", header.len()));
        }
        let params = header.iter().zip(&cells).skip(2).map(|(name, cell)| {
            let name = name.strip_prefix("Best ").unwrap_or(name);
            let long = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long);
            (long.to_owned(), (*cell != "N/A").then(|| (*cell).to_owned()))
        });
        let row = BestResult {
            line: line.number,
            label: cells[0].to_owned(),
            best: line.maybe_number(cells[1], "a best value, or N/A, in the second cell")?,
            params: params.collect(),
        };
        self.report.best_results.push(row);
        Ok(true)
    }

    fn maximum_or_verdict(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let text = line.text.trim();
        if let Some(verdict) = text.strip_prefix("**Scaling law ") {
            const FORM: &str =
                "one verdict: **Scaling law HOLDS**, VIOLATED or PARTIAL, a colon, and the order";
            let Some((word, order)) = verdict.split_once("**") else { return line.expected(FORM) };
            let word = match word {
                "HOLDS" => NaiveScaling::Holds,
                "VIOLATED" => NaiveScaling::Violated,
                "PARTIAL" => NaiveScaling::Partial,
                _ => return line.expected(FORM),
            };
            let order = order.trim_start_matches(':').trim().to_owned();
            let verdict = Stated { line: line.number, value: StatedVerdict { word, order } };
            if self.report.verdict.replace(verdict).is_some() {
                return line.expected(FORM);
            }
            return Ok(true);
        }
        let Some(item) = text.strip_prefix("- ") else {
            return Ok(text.starts_with("This suggests "));
        };
        let Some((label, best)) = item.rsplit_once(": ") else { return line.expected("`- BUDGET: VALUE`") };
        let best = line.maybe_number(best, "a best value, or N/A, behind the budget")?;
        self.report.maxima.push(Maximum { line: line.number, label: label.trim().to_owned(), best });
        Ok(true)
    }

    fn consistency(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        const FORM: &str = "`- **PARAMETER**: Consistent - {'BUDGET': VALUE, ...}`, or Inconsistent";
        let Some(item) = line.text.trim().strip_prefix("- **") else { return Ok(false) };
        let parts = item.split_once("**: ").and_then(|(name, rest)| Some((name, rest.split_once(" - ")?)));
        let Some((parameter, (word, values))) = parts else { return line.expected(FORM) };
        let word = match word {
            "Consistent" => NaiveConsistency::Consistent,
            "Inconsistent" => NaiveConsistency::Inconsistent,
            _ => return line.expected(FORM),
        };
        let Some(values) = dictionary(values) else { return line.expected(FORM) };
        let value = StatedConsistency { parameter: parameter.to_owned(), word, values };
        self.report.consistency.push(Stated { line: line.number, value });
        Ok(true)
    }

    fn collapse_row(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let Some(row) = cells(line.text) else { return Ok(false) };
        if self.is_heading_row(&row) {
            return Ok(true);
        }
        let Some((label, [word, range, recall])) = last_cells(line.text) else {
            return line.expected("a row of budget, Yes or No, range and recall");
        };
        let range = line.maybe_number(range, "a range of predictions, or N/A")?;
        let recall = line.maybe_number(recall, "a recall, or N/A")?;
        let outcome = match word {
            "Yes" => NaiveOutcome::Collapsed,
            "No" if range.is_none() && recall.is_none() => NaiveOutcome::Unknown,
            "No" => NaiveOutcome::NotCollapsed,
            _ => return line.expected("Yes or No in the second cell"),
        };
        let label = label.to_owned();
        self.report.collapse.push(CollapseRow { line: line.number, label, outcome, range, recall });
        Ok(true)
    }
}
