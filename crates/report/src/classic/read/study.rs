//! Lines of the part about one budget.

use allometry_analysis::lint::stated::{
    Stated, StatedCoverage, StatedImportance, StatedLevel, StatedStudy, StatedTrend, StudyCollapse, value_of,
};
use allometry_analysis::trend::NaiveDirection;
use allometry_core::ParamValue;

use super::error::ReadError;
use super::line::{Line, cells, is_rule, last_cells};
use super::{Reader, Section};

impl Reader {
    pub(super) fn subsection(&mut self, line: &Line<'_>, title: &str) -> Result<bool, ReadError> {
        let Some(study) = self.report.studies.last_mut() else { return Ok(false) };
        match self.section {
            Section::Trends | Section::Trend => {
                if study.trend(title).is_some() {
                    return line.expected("one trend for each parameter");
                }
                study.trends.push(StatedTrend {
                    line: line.number,
                    parameter: title.to_owned(),
                    word: None,
                    best: None,
                    worst: None,
                    levels: Vec::new(),
                });
                self.enter(Section::Trend);
            }
            Section::Coverage | Section::Combinations => {
                let parts = title.split_once(" × ").or_else(|| title.split_once(" x "));
                let Some((row, column)) = parts else { return line.expected("`### PARAMETER × PARAMETER`") };
                study.coverage.push(StatedCoverage {
                    line: line.number,
                    row_parameter: row.trim().to_owned(),
                    column_parameter: column.trim().to_owned(),
                    columns: Vec::new(),
                    rows: Vec::new(),
                });
                self.enter(Section::Combinations);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn study_line(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let section = self.section;
        let text = line.text.trim();
        if section == Section::Combinations {
            return self.combinations(line);
        }
        if section == Section::Trend && text.starts_with('|') {
            return self.level(line);
        }
        let Some(study) = self.report.studies.last_mut() else { return Ok(false) };
        match section {
            Section::Summary if text == "**Best Configuration:**" => {
                self.section = Section::BestConfiguration;
                Ok(true)
            }
            Section::Summary => summary(study, &mut self.report.metric, line),
            Section::BestConfiguration => Ok(best_parameter(study, line)),
            Section::StudyCollapse => collapse(study, line),
            Section::Importance => importance(study, line),
            Section::Trend => trend(study, line),
            Section::Coverage => Ok(text.starts_with("(Count of ")),
            _ => Ok(false),
        }
    }

    fn level(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        const FORM: &str = "a row of value, mean, standard deviation and count";
        let Some((value, [mean, sd, count])) = last_cells(line.text) else { return line.expected(FORM) };
        if self.header.is_none() {
            self.header = Some(Vec::new());
            return if count == "Count" { Ok(true) } else { line.expected("a header that ends in Count") };
        }
        if is_rule(&[value, mean, sd, count]) {
            return Ok(true);
        }
        let level = StatedLevel {
            line: line.number,
            value: value_of(value),
            mean: line.number(mean, FORM)?,
            sd: line
                .number(sd, FORM)
                .and_then(|sd| if sd.value < 0.0 { line.expected(FORM) } else { Ok(sd) })?,
            count: line.count(count, FORM)?,
        };
        if level.count == 0 {
            return line.expected("a count of at least 1: values without trials have no row");
        }
        if let Some(trend) = self.report.studies.last_mut().and_then(|study| study.trends.last_mut()) {
            trend.levels.push(level);
        }
        Ok(true)
    }

    fn combinations(&mut self, line: &Line<'_>) -> Result<bool, ReadError> {
        let Some(cells) = cells(line.text) else { return Ok(false) };
        let is_first = self.header.is_none();
        let is_heading = self.is_heading_row(&cells);
        let width = self.header.as_ref().map_or(0, Vec::len);
        let coverage = self.report.studies.last_mut().and_then(|study| study.coverage.last_mut());
        let Some(coverage) = coverage else { return Ok(false) };
        if cells.len() != width || width < 2 {
            return line.expected(&format!("{} cells", width.max(2)));
        }
        if is_first {
            coverage.columns = cells[1..].iter().map(|cell| value_of(cell)).collect();
        }
        if !is_heading {
            let counts = cells[1..].iter().map(|cell| line.count(cell, "counts of trials"));
            let value = (value_of(cells[0]), counts.collect::<Result<_, _>>()?);
            coverage.rows.push(Stated { line: line.number, value });
        }
        Ok(true)
    }
}

fn summary(study: &mut StatedStudy, metric: &mut String, line: &Line<'_>) -> Result<bool, ReadError> {
    let Some((name, text)) = line.text.trim().strip_prefix("- ").and_then(|item| item.rsplit_once(':'))
    else {
        return Ok(false);
    };
    if name == "Total trials" {
        let stated = Stated { line: line.number, value: line.count(text, "a number of trials")? };
        return once(line, study.trials.replace(stated).is_none());
    }
    let (slot, measured) = match name.split_once(' ') {
        Some(("Best", measured)) => (&mut study.best, measured),
        Some(("Mean", measured)) => (&mut study.mean, measured),
        Some(("Std", measured)) => (&mut study.sd, measured),
        _ => return Ok(false),
    };
    if metric.is_empty() {
        measured.trim().clone_into(metric);
    }
    let number = line.maybe_number(text, "a number with decimals, or N/A")?;
    if name.starts_with("Std") && number.is_some_and(|sd| sd.value < 0.0) {
        return line.expected("a standard deviation of at least 0");
    }
    once(line, slot.replace(Stated { line: line.number, value: number }).is_none())
}

fn once(line: &Line<'_>, is_first: bool) -> Result<bool, ReadError> {
    if is_first { Ok(true) } else { line.expected("each figure of the summary once") }
}

fn best_parameter(study: &mut StatedStudy, line: &Line<'_>) -> bool {
    let item = line.text.trim().strip_prefix("- ").and_then(|item| item.split_once(':'));
    let Some((name, value)) = item else { return false };
    let value = (name.trim().to_owned(), value.trim().to_owned());
    study.best_params.push(Stated { line: line.number, value });
    true
}

fn collapse(study: &mut StatedStudy, line: &Line<'_>) -> Result<bool, ReadError> {
    let text = line.text.trim();
    let collapsed = match text {
        "No probability collapse detected." => Some(false),
        "**WARNING: Probability collapse detected!**" => Some(true),
        _ => None,
    };
    if let Some(collapsed) = collapsed {
        let value = StudyCollapse { collapsed, ..StudyCollapse::default() };
        let is_first = study.collapse.replace(Stated { line: line.number, value }).is_none();
        return if is_first { Ok(true) } else { line.expected("one statement on collapse") };
    }
    let Some(collapse) = study.collapse.as_mut() else { return Ok(false) };
    if let Some(range) = text.strip_prefix("- Mean prediction range:") {
        collapse.value.range = Some(line.number(range, "a range of predictions")?);
    } else if let Some(share) = text.strip_prefix("- Trials with zero recall:") {
        let share = share.trim().trim_end_matches('%');
        collapse.value.zero_recall = Some(line.number(share, "a percentage")?);
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn importance(study: &mut StatedStudy, line: &Line<'_>) -> Result<bool, ReadError> {
    const FORM: &str = "`PARAMETER | BAR OF # | FIGURE`";
    let text = line.text.trim();
    if text.starts_with("(Fraction of ") {
        study.fraction = Some(line.number);
        return Ok(true);
    }
    let parts: Vec<&str> = text.rsplitn(3, '|').map(str::trim).collect();
    let &[share, bar, parameter] = parts.as_slice() else { return Ok(false) };
    if !bar.bytes().all(|b| b == b'#') {
        return line.expected(FORM);
    }
    let share = line.number(share, FORM)?;
    if study.importance.iter().any(|other| other.value.parameter == parameter) {
        return line.expected("one figure for each parameter");
    }
    let value = StatedImportance { parameter: parameter.to_owned(), bar: bar.len() as u64, share };
    study.importance.push(Stated { line: line.number, value });
    Ok(true)
}

fn trend(study: &mut StatedStudy, line: &Line<'_>) -> Result<bool, ReadError> {
    let (Some(trend), Some(item)) = (study.trends.last_mut(), line.text.trim().strip_prefix("- ")) else {
        return Ok(false);
    };
    if let Some(word) = item.strip_prefix("Trend:") {
        let value = match word.trim().trim_matches('*') {
            "increasing" => NaiveDirection::Increasing,
            "decreasing" => NaiveDirection::Decreasing,
            "flat" => NaiveDirection::Flat,
            "insufficient_data" => NaiveDirection::InsufficientData,
            _ => return line.expected("increasing, decreasing, flat or insufficient_data"),
        };
        trend.word = Some(Stated { line: line.number, value });
    } else if let Some(rest) = item.strip_prefix("Best value:") {
        trend.best = Some(Stated { line: line.number, value: value_and_mean(line, rest)? });
    } else if let Some(rest) = item.strip_prefix("Worst value:") {
        trend.worst = Some(Stated { line: line.number, value: value_and_mean(line, rest)? });
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Reads `96 (mean AUC: 0.705)`.
fn value_and_mean(line: &Line<'_>, text: &str) -> Result<(ParamValue, f64), ReadError> {
    let parts = text.trim_end().strip_suffix(')').and_then(|text| text.rsplit_once("(mean "));
    let read = parts.and_then(|(value, mean)| {
        let mean: f64 = mean.rsplit_once(':')?.1.trim().parse().ok()?;
        Some((value_of(value.trim()), mean)).filter(|_| mean.abs() <= 1e100)
    });
    read.map_or_else(|| line.expected("`VALUE (mean METRIC: MEAN)`"), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_best_value_with_its_mean() {
        let line = Line { number: 3, text: "x" };
        assert_eq!(value_and_mean(&line, " 5e-05 (mean log loss: 1e+16)"), Ok((5e-5.into(), 1e16)));
        assert_eq!(value_and_mean(&line, " a (b) (mean AUC: 0.7)"), Ok(("a (b)".into(), 0.7)));
        assert!(value_and_mean(&line, " 5e-05 (mean AUC: nan)").is_err());
    }
}
