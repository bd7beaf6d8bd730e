//! The trials of a page, in the form that its script reads.

use allometry_analysis::{LadderTrials, StudyTrials};
use allometry_core::{Direction, FrozenTrial, Standing, TrialState};
use indexmap::IndexSet;
use serde::{Serialize, Serializer};

use crate::chart::ParameterAxis;
use crate::page_json::page_json;

/// The number of significant digits: more than any drawing or table of the page shows.
const DIGITS: i32 = 6;

/// Returns the trials of all studies by column, as text that is safe inside a `script` element.
///
/// `{"metric", "direction", "studies": [{"label", "numbers", "states", "values", "sizes", "seconds",
/// "params": [{"name", "names", "values"}]}]}`; `states` has one letter per trial (`C`omplete, `P`runed,
/// `F`ailed, `I`nterrupted, `R`unning, `W`aiting). If a parameter has `names`, its values are indices of the
/// names.
pub fn trials_json(ladder: &LadderTrials) -> String {
    let studies = ladder.studies.iter().map(Study::new).collect();
    let document = Document { metric: ladder.metric(), direction: ladder.direction(), studies };
    let text = serde_json::to_string(&document).expect("columns have text keys only");
    page_json(text)
}

#[derive(Serialize)]
struct Document<'a> {
    metric: &'a str,
    direction: Direction,
    studies: Vec<Study<'a>>,
}

#[derive(Serialize)]
struct Study<'a> {
    label: &'a str,
    numbers: Column<'a>,
    states: String,
    values: Column<'a>,
    sizes: Column<'a>,
    seconds: Column<'a>,
    params: Vec<Param<'a>>,
}

#[derive(Serialize)]
struct Param<'a> {
    name: &'a str,
    names: Option<Vec<String>>,
    values: Column<'a>,
}

impl<'a> Study<'a> {
    fn new(study: &'a StudyTrials) -> Self {
        let column = |of: fn(&FrozenTrial) -> Number| Column { trials: &study.trials, of: Box::new(of) };
        let names: IndexSet<&str> =
            study.trials.iter().flat_map(|trial| trial.params.iter().map(|(name, _)| name)).collect();
        let param = |name: &'a str| {
            let axis = ParameterAxis::new(study, name)?;
            let names = axis.names().map(<[String]>::to_vec);
            let of = Box::new(move |trial: &FrozenTrial| axis.of(trial, name).map_or(Number::None, number));
            Some(Param { name, names, values: Column { trials: &study.trials, of } })
        };
        Self {
            label: &study.budget.label,
            numbers: column(|trial| Number::Whole(trial.number.0 as i64)),
            states: study.trials.iter().map(|trial| letter(trial.standing())).collect(),
            values: column(|trial| trial.value().map_or(Number::None, number)),
            sizes: column(|trial| {
                trial.record.size.map_or(Number::None, |size| Number::Whole(size.total as i64))
            }),
            seconds: column(|trial| trial.cost().seconds.map_or(Number::None, number)),
            params: names.into_iter().filter_map(param).collect(),
        }
    }
}

/// A number for each trial, serialized one by one: as values in memory, a hundred thousand trials would take
/// hundreds of megabytes.
struct Column<'a> {
    trials: &'a [FrozenTrial],
    of: Box<dyn Fn(&FrozenTrial) -> Number + 'a>,
}

impl Serialize for Column<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.trials.iter().map(&self.of))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    None,
    Whole(i64),
    Float(f64),
}

fn letter(standing: Standing) -> char {
    match standing {
        Standing::Of(TrialState::Complete) => 'C',
        Standing::Of(TrialState::Pruned) => 'P',
        Standing::Of(TrialState::Failed) => 'F',
        Standing::Of(TrialState::Running) => 'R',
        Standing::Of(TrialState::Waiting) => 'W',
        Standing::Interrupted => 'I',
    }
}

/// Returns a number with few digits; whole numbers have no point, and numbers that JSON cannot represent are
/// null.
fn number(x: f64) -> Number {
    if x.fract() == 0.0 && x.abs() < 1e15 {
        return Number::Whole(x as i64);
    }
    let text = format!("{x:.*e}", (DIGITS - 1) as usize);
    text.parse().map_or(Number::None, Number::Float)
}

#[cfg(test)]
mod tests {
    use allometry_core::Params;
    use serde_json::Value;

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

    #[test]
    fn marks_of_direction_are_shown() {
        let params: Params = [("a\u{202e}b\u{9b}", 1i64)].into_iter().collect();
        let trial = FrozenTrial::new(0, TrialState::Complete, Some(0.5), params);
        let text = trials_json(&LadderTrials::new(vec![StudyTrials::new("a", "test", vec![trial])]));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["studies"][0]["params"][0]["name"], "a\\u{202e}b\\u{9b}");
    }
}
