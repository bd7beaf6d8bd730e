//! Export as a table: the columns of Optuna's `trials_dataframe`, then reports and distributions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{directions, import_attribute, trial};
use crate::distribution::write_value;
use crate::error::StoreError;
use crate::import::{ImportAttribute, attribute_json, param_value};
use crate::json;
use crate::optuna::{StudyWithTrials, TrialWithExtras};

/// Returns a table with a header and one line per trial; missing values are empty cells. Times are in the
/// local time zone.
///
/// # Errors
/// [`StoreError::Invalid`] with the trial and the part that cannot be read.
pub fn write(study: &StudyWithTrials) -> Result<String, StoreError> {
    let columns = Columns::of(study);
    let directions = directions(study).join(" ");
    let mut table = csv::Writer::from_writer(Vec::new());
    let written = "writing to memory cannot fail, and all lines have the header's length";
    let mut header = columns.header(study.directions.len(), metric_names(study));
    header.push("directions".to_owned());
    table.write_record(&header).expect(written);
    for (number, whole) in study.trials.iter().enumerate() {
        let mut cells =
            columns.cells(number, whole, study.directions.len()).map_err(|e| e.in_trial(number))?;
        cells.push(directions.clone());
        table.write_record(&cells).expect(written);
    }
    let bytes = table.into_inner().expect("memory is flushed");
    Ok(String::from_utf8(bytes).expect("cells are texts"))
}

/// Returns the names of the objectives, if a reader of the header can distinguish them from indices and from
/// each other.
fn metric_names(study: &StudyWithTrials) -> Option<Vec<String>> {
    let names = super::metric_names(study)?;
    let is_place = |name: &String| name.is_empty() || name.trim() != name || name.parse::<u32>().is_ok();
    let distinct: BTreeSet<&String> = names.iter().collect();
    (distinct.len() == names.len() && !names.iter().any(is_place)).then_some(names)
}

/// Columns of the table: the parts that any trial has.
struct Columns<'a> {
    params: Vec<&'a str>,
    /// Parameters whose values a reader cannot tell without the distribution, for example the text `0` from
    /// the number.
    ambiguous: BTreeSet<&'a str>,
    import: ImportAttribute,
    user_attributes: BTreeSet<&'a str>,
    system_attributes: BTreeSet<&'a str>,
    steps: BTreeSet<i64>,
}

impl<'a> Columns<'a> {
    fn of(study: &'a StudyWithTrials) -> Self {
        let templates = || study.trials.iter().map(|trial| &trial.template);
        let mut params: Vec<&str> = Vec::new();
        let mut known = BTreeSet::new();
        for (name, ..) in templates().flat_map(|template| &template.params) {
            if known.insert(name.as_str()) {
                params.push(name);
            }
        }
        let all = templates().flat_map(|template| &template.params);
        // Most parameters have one distribution in all trials.
        let sets: BTreeSet<(&str, &str)> = all.map(|(name, _, set)| (name.as_str(), set.as_str())).collect();
        let ambiguous = sets.into_iter().filter(|(_, set)| has_ambiguous_choice(set));
        Self {
            ambiguous: ambiguous.map(|(name, _)| name).collect(),
            params,
            import: import_attribute(study),
            user_attributes: templates().flat_map(|t| t.user_attributes.keys()).map(String::as_str).collect(),
            system_attributes: templates()
                .flat_map(|t| t.system_attributes.keys())
                .map(String::as_str)
                .collect(),
            steps: templates().flat_map(|t| t.intermediate.keys().copied()).collect(),
        }
    }

    fn header(&self, objectives: usize, names: Option<Vec<String>>) -> Vec<String> {
        let mut header = vec!["number".to_owned()];
        let group = if objectives == 1 { "value" } else { "values" };
        match names {
            Some(names) => header.extend(names.iter().map(|name| format!("{group}_{name}"))),
            None if objectives == 1 => header.push(group.into()),
            None => header.extend((0..objectives).map(|objective| format!("{group}_{objective}"))),
        }
        header.extend(["datetime_start".into(), "datetime_complete".into()]);
        let mut put = |prefix: &str, names: &mut dyn Iterator<Item = String>| {
            header.extend(names.map(|name| format!("{prefix}_{name}")));
        };
        let owned = |name: &&str| (*name).to_owned();
        put("params", &mut self.params.iter().map(owned));
        put("user_attrs", &mut self.user_attributes.iter().map(owned));
        put("system_attrs", &mut self.system_attributes.iter().map(owned));
        put("intermediate_values", &mut self.steps.iter().map(i64::to_string));
        put("distributions", &mut self.params.iter().map(owned));
        header.push("state".into());
        header
    }

    fn cells(
        &self,
        number: usize,
        whole: &TrialWithExtras,
        objectives: usize,
    ) -> Result<Vec<String>, StoreError> {
        let template = &whole.template;
        let mut cells = vec![number.to_string()];
        let value = |place| template.values.get(place).map(|value| cell(&json::float(*value)));
        cells.extend((0..objectives).map(|place| value(place).unwrap_or_default()));
        cells.extend([template.started, template.completed].map(|t| t.map(trial::time).unwrap_or_default()));
        let param = |name: &str| template.params.iter().find(|(known, ..)| known == name);
        for name in &self.params {
            let value = param(name).map(|(name, internal, set)| trial::param(name, *internal, set));
            let text = value.transpose()?.map(|(value, set)| choice_cell(&value, &set));
            cells.push(text.unwrap_or_default());
        }
        for (names, texts) in [
            (&self.user_attributes, &template.user_attributes),
            (&self.system_attributes, &template.system_attributes),
        ] {
            for name in names {
                let value = texts.get(*name).map(|text| trial::attribute(name, text));
                cells.push(value.transpose()?.map(|value| attribute_cell(&value)).unwrap_or_default());
            }
        }
        for step in &self.steps {
            let value = template.intermediate.get(step);
            cells.push(value.map(|value| cell(&json::float(*value))).unwrap_or_default());
        }
        for name in &self.params {
            let is_inferred = self.import.is_inferred(number as u64, name);
            let set = param(name).filter(|_| !is_inferred || self.ambiguous.contains(name));
            cells.push(set.map(|(.., set)| set.clone()).unwrap_or_default());
        }
        cells.push(trial::state(template.state).trim_start_matches("TrialState.").into());
        Ok(cells)
    }
}

/// Whether a distribution has a choice whose cell alone would be read as another value.
fn has_ambiguous_choice(set: &str) -> bool {
    let is_read_otherwise = |choice: &Value| {
        let text = cell(choice);
        text.is_empty() || write_value(&param_value(text.trim())) != json::write(choice)
    };
    let Ok(set) = json::parse(set) else { return false };
    set["attributes"]["choices"].as_array().is_some_and(|choices| choices.iter().any(is_read_otherwise))
}

/// Returns the cell of a parameter's value: JSON if the plain cell may be that of another choice or of a
/// missing value, or if a reader may remove its blanks.
fn choice_cell(value: &Value, set: &Value) -> String {
    let text = cell(value);
    let choices = set["attributes"]["choices"].as_array().into_iter().flatten();
    let is_alike = |choice: &&Value| cell(choice) == text || json::write(choice) == text;
    let is_plain = !text.is_empty() && text.trim() == text && choices.filter(is_alike).count() < 2;
    if is_plain { text } else { json::write(value) }
}

/// Returns the cell of an attribute: JSON if the plain cell would be read as another value.
fn attribute_cell(value: &Value) -> String {
    let (text, json) = (cell(value), json::write(value));
    if !text.is_empty() && text.trim() == text && attribute_json(&text) == json { text } else { json }
}

/// Returns a value as Python's `str` prints it; lists and objects as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) if json::number(value).is_none() => text.clone(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Null => "None".into(),
        other => match json::number(other) {
            Some(x) if x.is_nan() => "nan".into(),
            Some(x) if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.into(),
            _ => json::write(other),
        },
    }
}
