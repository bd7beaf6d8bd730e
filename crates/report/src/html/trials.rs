//! The trials of a page, as its script reads them.

use allometry_analysis::{LadderTrials, StudyTrials};
use allometry_core::{FrozenTrial, TrialState};
use indexmap::IndexSet;
use serde_json::{Value, json};

use crate::chart::ParameterAxis;

/// Significant digits of a number: more than any drawing or table of the page shows.
const DIGITS: i32 = 6;

/// The trials of all studies by column, as text that is safe inside a `script` element.
///
/// `{"metric", "direction", "studies": [{"label", "numbers", "states", "values", "sizes", "seconds", "params": [{"name", "names",
/// "values"}]}]}`; `states` has one letter a trial (`C`omplete, `P`runed, `F`ailed, `R`unning, `W`aiting); of a parameter with
/// `names` the values are positions among them.
pub fn trials_json(ladder: &LadderTrials) -> String {
    let document = json!({
        "metric": ladder.metric,
        "direction": ladder.direction,
        "studies": ladder.studies.iter().map(study).collect::<Vec<Value>>(),
    });
    document.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn study(study: &StudyTrials) -> Value {
    let column = |of: &dyn Fn(&FrozenTrial) -> Value| -> Value { study.trials.iter().map(of).collect() };
    let states: String = study.trials.iter().map(|trial| letter(trial.state)).collect();
    let names: IndexSet<&str> =
        study.trials.iter().flat_map(|trial| trial.params.iter().map(|(name, _)| name)).collect();
    let params: Vec<Value> = names
        .into_iter()
        .filter_map(|name| {
            let axis = ParameterAxis::new(study, name)?;
            let values = column(&|trial| axis.of(trial, name).map_or(Value::Null, number));
            Some(json!({ "name": name, "names": axis.names(), "values": values }))
        })
        .collect();
    json!({
        "label": study.budget.label,
        "numbers": column(&|trial| trial.number.0.into()),
        "states": states,
        "values": column(&|trial| trial.value.map_or(Value::Null, number)),
        "sizes": column(&|trial| trial.record.size.map_or(Value::Null, |size| size.total.into())),
        "seconds": column(&|trial| seconds(trial).map_or(Value::Null, number)),
        "params": params,
    })
}

fn letter(state: TrialState) -> char {
    match state {
        TrialState::Complete => 'C',
        TrialState::Pruned => 'P',
        TrialState::Failed => 'F',
        TrialState::Running => 'R',
        TrialState::Waiting => 'W',
    }
}

fn seconds(trial: &FrozenTrial) -> Option<f64> {
    let (start, end) = (trial.started?, trial.completed?);
    Some((end.as_microsecond() - start.as_microsecond()) as f64 / 1e6)
}

/// A number in few digits; whole ones without a point.
fn number(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 {
        return Value::from(x as i64);
    }
    let text = format!("{x:.*e}", (DIGITS - 1) as usize);
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use allometry_core::Params;

    use super::*;

    #[test]
    fn a_name_cannot_end_the_script() {
        let params: Params = [("</script><b>", 1i64)].into_iter().collect();
        let trial = FrozenTrial::new(0, TrialState::Complete, Some(0.123_456_789), params);
        let text = trials_json(&LadderTrials::new(vec![StudyTrials::new("a", "test", vec![trial])]));
        assert!(!text.contains('<'), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["studies"][0]["params"][0]["name"], "</script><b>");
        assert_eq!(read["studies"][0]["values"][0], 0.123_457);
        assert_eq!(read["studies"][0]["states"], "C");
    }
}
