//! Checks of ranges: `{ int = [low, high] }` and `{ float = [low, high] }`, with `log` or `step`.

use allometry_core::{Distribution, ParamValue, python};

use super::super::document::{Located, Node, Place, Table};
use super::super::parameter::{Parameter, Values};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, wrong_type};
use super::when::WHEN;

/// Largest number of values of one range, so that a typing error cannot exhaust the memory.
const MAX_VALUES: f64 = 100_000.0;

/// Checks a range. All numbers are compared as `f64`, which is exact because the parameters' bounds are far
/// below 2^53.
pub(super) fn range(
    parameter: &Parameter<'_>,
    table: &Table,
    place: &Place,
    problems: &mut Problems,
) -> Option<Distribution> {
    let mut section = Section::new(format!("the range of `{}`", parameter.name), table, place.clone());
    let bounds = (section.node("int"), section.node("float"));
    let log = section.read("log", problems).is_some_and(|log| log.value);
    let step = section.node("step");
    section.node(WHEN);
    section.finish(problems);
    let (whole, bounds) = match (bounds, parameter.values) {
        ((Some(bounds), None), _) => (true, bounds),
        ((None, Some(bounds)), Values::Real | Values::Any) => (false, bounds),
        (_, values) => {
            let expected = match values {
                Values::Whole => "a range of whole numbers, int = [low, high]",
                Values::Real | Values::Word(_) | Values::Any => {
                    "one range, int = [low, high] or float = [low, high]"
                }
            };
            problems.push(place, ProblemKind::NotARange { key: parameter.name.into(), expected });
            return None;
        }
    };
    let range = Range { parameter, whole, log };
    let (low, high) = range.ends(bounds, problems)?;
    let step = match step {
        Some(node) => Some(range.step(node, low, high, problems)?),
        None => None,
    };
    if log && low <= 0.0 {
        let kind = ProblemKind::LogOfNonPositive { key: parameter.name.into(), low: range.show(low) };
        problems.push(&bounds.place, kind);
        return None;
    }
    Some(if whole {
        Distribution::Int {
            low: low as i64,
            high: high as i64,
            log,
            step: step.map_or(1, |step| step as i64),
        }
    } else {
        Distribution::Float { low, high, log, step }
    })
}

struct Range<'a> {
    parameter: &'a Parameter<'a>,
    whole: bool,
    log: bool,
}

impl Range<'_> {
    fn key(&self) -> String {
        self.parameter.name.into()
    }

    /// A number in the notation of the file.
    fn show(&self, x: f64) -> String {
        if self.whole { ParamValue::Int(x as i64) } else { ParamValue::Float(x) }.to_string()
    }

    fn number(&self, node: &Node) -> Option<f64> {
        match node {
            Node::Float(_) if self.whole => None,
            other => other.as_f64(),
        }
    }

    fn ends(&self, node: &Located<Node>, problems: &mut Problems) -> Option<(f64, f64)> {
        let ends = match &node.value {
            Node::List(items) => items.as_slice(),
            _ => &[],
        };
        let [first, second] = ends else {
            problems.push(&node.place, wrong_type(&self.key(), "two numbers, [low, high]", &node.value));
            return None;
        };
        let mut read = |end: &Located<Node>| {
            let Some(x) = self.number(&end.value) else {
                let expected = if self.whole { "a whole number" } else { "a number" };
                problems.push(&end.place, wrong_type(&self.key(), expected, &end.value));
                return None;
            };
            if (self.parameter.allows)(x) {
                return Some(x);
            }
            // Zero also violates a log scale; there that message is more helpful than the parameter's own
            // bounds.
            let kind = if self.log && x <= 0.0 {
                ProblemKind::LogOfNonPositive { key: self.key(), low: self.show(x) }
            } else {
                let allowed = self.parameter.allowed;
                ProblemKind::OutOfRange { key: self.key(), value: self.show(x), allowed }
            };
            problems.push(&end.place, kind);
            None
        };
        let (low, high) = (read(first), read(second));
        let (low, high) = (low?, high?);
        if low > high {
            let kind =
                ProblemKind::RangeReversed { key: self.key(), low: self.show(low), high: self.show(high) };
            problems.push(&node.place, kind);
            return None;
        }
        Some((low, high))
    }

    fn step(&self, node: &Located<Node>, low: f64, high: f64, problems: &mut Problems) -> Option<f64> {
        let allowed = if self.whole { "a whole number, at least 1" } else { "a number above 0" };
        let Some(step) = self.number(&node.value).filter(|step| *step > 0.0 && step.is_finite()) else {
            let value = problems.sources.text(&node.place).to_owned();
            problems.push(&node.place, ProblemKind::OutOfRange { key: "step".into(), value, allowed });
            return None;
        };
        if self.log {
            problems.push(&node.place, ProblemKind::LogWithStep { key: self.key() });
            return None;
        }
        let steps = (high - low) / step;
        if steps + 1.0 > MAX_VALUES {
            let (count, limit) = (steps as u64 + 1, MAX_VALUES as u64);
            problems.push(&node.place, ProblemKind::TooManyValues { key: self.key(), count, limit });
            return None;
        }
        if (steps - steps.round()).abs() > 1e-8 {
            let last = python::round(low + steps.floor() * step, 12);
            let kind = ProblemKind::StepDoesNotDivide {
                step: self.show(step),
                low: self.show(low),
                high: self.show(high),
                last: self.show(last),
            };
            problems.push(&node.place, kind);
            return None;
        }
        Some(step)
    }
}
