//! Checks of `[space]` and `[budget.space]`: the distribution of each parameter.

use allometry_core::space::{When, WhenError};
use allometry_core::{Distribution, ParamValue, SearchSpace};

use super::super::document::{Located, Node, Place};
use super::super::parameter::{Kind, PARAMETERS, Parameter, Values, parameter};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, wrong_type};
use super::super::template;
use super::constraint::{self, CONSTRAINTS};
use super::searched::Searched;
use super::{range, when};

/// Key of the list of values in a parameter's table that also has a condition.
const VALUES: &str = "values";

/// Which parameters a search space may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The parameters of the built-in model.
    BuiltIn,
    /// Any parameters, which a command interprets.
    Any,
}

/// The distributions of the parameters with their places, in the order of the text; `None` where a problem
/// was reported.
#[derive(Default, Clone)]
pub(super) struct Parameters(Vec<(String, Option<Distribution>, Place)>);

impl Parameters {
    /// The parameters with those of `own` replaced or appended.
    pub(super) fn overlaid(&self, own: Self) -> Self {
        let mut merged = self.clone();
        for own in own.0 {
            match merged.0.iter_mut().find(|(name, ..)| *name == own.0) {
                Some(entry) => *entry = own,
                None => merged.0.push(own),
            }
        }
        merged
    }

    /// Whether no parameter had a problem.
    pub(super) fn is_complete(&self) -> bool {
        self.0.iter().all(|(_, set, _)| set.is_some())
    }

    /// The settings of the model among the parameters, with their places.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&'static str, &Place)> {
        self.0.iter().filter_map(|(name, _, place)| {
            let setting = parameter(name).filter(|known| known.kind.is_setting())?;
            Some((setting.name, place))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_space(self) -> SearchSpace {
        SearchSpace(self.0.into_iter().filter_map(|(name, set, _)| Some((name, set?))).collect())
    }
}

/// A checked table: distributions, constraints and conditions.
#[derive(Default, Clone)]
pub(super) struct Space {
    pub(super) parameters: Parameters,
    /// Constraints as text.
    pub(super) constraints: Vec<Located<String>>,
    /// Conditions of parameters with their places.
    pub(super) conditions: Vec<(When, Place)>,
}

impl Space {
    /// Checks all entries of a table.
    pub(super) fn read(section: &mut Section<'_>, known: Known, problems: &mut Problems) -> Self {
        let constraints = constraint::constraints(section, problems);
        let (parameters, conditions) = parameters(section, known, problems);
        Self { parameters, constraints, conditions }
    }

    /// The space with the parameters of `own` replaced or appended, including their conditions, and its
    /// constraints added.
    pub(super) fn overlaid(&self, own: Self) -> Self {
        let constraints = self.constraints.iter().cloned().chain(own.constraints).collect();
        let is_own = |name: &str| own.parameters.0.iter().any(|(other, ..)| *other == name);
        let shared = self.conditions.iter().filter(|(when, _)| !is_own(&when.parameter));
        let conditions = shared.cloned().chain(own.conditions.iter().cloned()).collect();
        Self { parameters: self.parameters.overlaid(own.parameters), constraints, conditions }
    }
}

/// The parameters that each budget has, collected so that one problem is reported for all budgets that lack
/// the same ones.
#[derive(Default)]
pub(super) struct Given(Vec<(Vec<String>, String, Place)>);

impl Given {
    pub(super) fn note(&mut self, parameters: &Parameters, budget: &str, place: &Place) {
        let names = parameters.0.iter().map(|(name, ..)| name.clone()).collect();
        self.0.push((names, budget.into(), place.clone()));
    }

    /// Reports budgets without a required parameter, or without a setting that another budget searches.
    pub(super) fn report_missing(self, searched: &Searched, problems: &mut Problems) {
        let is_needed = |p: &Parameter<'_>| p.kind == Kind::Required || searched.place(p.name).is_some();
        let missing = |given: &[String]| -> Vec<&'static str> {
            let needed = PARAMETERS.iter().filter(|p| is_needed(p) && !given.iter().any(|g| g == p.name));
            needed.map(|p| p.name).collect()
        };
        let mut reported: Vec<Vec<&'static str>> = vec![Vec::new()];
        for (given, _, place) in &self.0 {
            let names = missing(given);
            if reported.contains(&names) {
                continue;
            }
            let alike = self.0.iter().filter(|(other, ..)| missing(other) == names);
            let budgets = alike.map(|(_, budget, _)| budget.clone()).collect();
            problems.push(place, ProblemKind::MissingParameter { names: names.clone(), budgets });
            reported.push(names);
        }
    }
}

/// Checks all parameters of a table.
fn parameters(
    section: &Section<'_>,
    known: Known,
    problems: &mut Problems,
) -> (Parameters, Vec<(When, Place)>) {
    let mut checked = Parameters::default();
    let mut conditions = Vec::new();
    for (key, node) in section.table().entries.iter().filter(|(key, _)| key.value != CONSTRAINTS) {
        if known == Known::Any {
            if !is_name(&key.value) || template::TRIAL_NAMES.contains(&key.value.as_str()) {
                problems.push(&key.place, ProblemKind::BadParameterName { name: key.value.clone() });
            }
            let parameter = Parameter::of_command(&key.value);
            checked.0.push((key.value.clone(), parameter.set(node, problems), node.place.clone()));
            if let Node::Table(table) = &node.value {
                conditions.extend(when::when(&key.value, table, problems));
            }
            continue;
        }
        let Some(parameter) = parameter(&key.value) else {
            let known = PARAMETERS.iter().map(|p| p.name).collect();
            problems.push(&key.place, ProblemKind::UnknownParameter { name: key.value.clone(), known });
            continue;
        };
        checked.0.push((parameter.name.into(), parameter.set(node, problems), node.place.clone()));
        let Node::Table(table) = &node.value else { continue };
        let Some((when, place)) = when::when(parameter.name, table, problems) else { continue };
        if parameter.kind == Kind::Shape {
            let error = WhenError::Architecture { parameter: parameter.name.into() };
            let kind = ProblemKind::BadCondition { message: error.to_string(), hint: error.hint() };
            problems.push(&place, kind);
            continue;
        }
        conditions.push((when, place));
    }
    (checked, conditions)
}

/// Whether a name is valid in templates and command-line options.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// The indices, ascending, of values that equal an earlier value.
fn repeated(values: &[ParamValue]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let pairs = order.windows(2).filter(|pair| values[pair[0]] == values[pair[1]]);
    let mut repeated: Vec<usize> = pairs.map(|pair| pair[1]).collect();
    repeated.sort_unstable();
    repeated
}

impl Parameter<'_> {
    fn set(&self, node: &Located<Node>, problems: &mut Problems) -> Option<Distribution> {
        const EXPECTED: &str = "a list of values, { int = [low, high] } or { float = [low, high] }";
        match &node.value {
            Node::Text(_) | Node::Boolean(_) if self.values == Values::Any => {
                self.list(std::slice::from_ref(node), &node.place, problems)
            }
            Node::Text(_) if matches!(self.values, Values::Word(_)) => {
                self.list(std::slice::from_ref(node), &node.place, problems)
            }
            Node::List(items) => self.list(items, &node.place, problems),
            Node::Integer(_) | Node::Float(_) => self.list(std::slice::from_ref(node), &node.place, problems),
            Node::Table(table) if table.entries.iter().any(|(key, _)| key.value == VALUES) => {
                let mut section = Section::new(format!("`{}`", self.name), table, node.place.clone());
                section.node(when::WHEN);
                let values = section.node(VALUES);
                section.finish(problems);
                let node = values?;
                match &node.value {
                    Node::List(items) => self.list(items, &node.place, problems),
                    _ => self.list(std::slice::from_ref(node), &node.place, problems),
                }
            }
            Node::Table(table) if !matches!(self.values, Values::Word(_)) => {
                range::range(self, table, &node.place, problems)
            }
            other => {
                let is_word = matches!(self.values, Values::Word(_));
                let expected = if is_word { "a list of words" } else { EXPECTED };
                problems.push(&node.place, wrong_type(self.name, expected, other));
                None
            }
        }
    }

    /// A list, or a single value. Numbers are sorted, because their order has no meaning and must not change
    /// a study.
    fn list(&self, items: &[Located<Node>], place: &Place, problems: &mut Problems) -> Option<Distribution> {
        if items.is_empty() {
            problems.push(place, ProblemKind::Empty { key: self.name.into() });
            return None;
        }
        let mut values: Vec<ParamValue> = Vec::with_capacity(items.len());
        let mut places: Vec<&Place> = Vec::with_capacity(items.len());
        let mut complete = true;
        for item in items {
            let Some(value) = self.value(item, problems) else {
                complete = false;
                continue;
            };
            values.push(value);
            places.push(&item.place);
        }
        for again in repeated(&values) {
            let kind = ProblemKind::Repeated { key: self.name.into(), value: values[again].to_string() };
            problems.push(places[again], kind);
            complete = false;
        }
        // The order of words is kept, because it may be intended.
        if values.iter().all(|value| matches!(value, ParamValue::Int(_) | ParamValue::Float(_))) {
            values.sort_by(ParamValue::total_cmp);
        }
        complete.then(|| Distribution::list(values))
    }

    fn value(&self, node: &Located<Node>, problems: &mut Problems) -> Option<ParamValue> {
        let value = match (&node.value, self.values) {
            (Node::Integer(i), Values::Whole | Values::Any) => ParamValue::Int(*i),
            (Node::Integer(i), Values::Real) => ParamValue::Float(*i as f64),
            (Node::Float(x), Values::Real | Values::Any) => ParamValue::Float(*x),
            (Node::Boolean(b), Values::Any) => return Some(ParamValue::Bool(*b)),
            (Node::Text(text), Values::Any) => return Some(ParamValue::Text(text.clone())),
            (Node::Text(text), Values::Word(known)) => {
                if known.contains(&text.as_str()) {
                    return Some(ParamValue::Text(text.clone()));
                }
                let (key, word) = (self.name.into(), text.clone());
                problems.push(&node.place, ProblemKind::UnknownWord { key, word, known });
                return None;
            }
            (other, values) => {
                let expected = match values {
                    Values::Whole => "a whole number",
                    Values::Real => "a number",
                    Values::Word(_) => "a word",
                    Values::Any => "a number, a word, true or false",
                };
                problems.push(&node.place, wrong_type(self.name, expected, other));
                return None;
            }
        };
        if (self.allows)(value.as_f64()?) {
            return Some(value);
        }
        let kind = ProblemKind::OutOfRange {
            key: self.name.into(),
            value: value.to_string(),
            allowed: self.allowed,
        };
        problems.push(&node.place, kind);
        None
    }
}
