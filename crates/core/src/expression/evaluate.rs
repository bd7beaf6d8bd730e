//! Evaluation of expression trees.

use super::parse::{Arithmetic, Compare, Function, Node};

impl Node {
    /// The truth value of a condition.
    pub(super) fn truth(&self, values: &[f64]) -> bool {
        match self {
            Self::Comparison(operands) => operands.windows(2).all(|pair| {
                let (left, right) = (pair[0].1.number(values), pair[1].1.number(values));
                pair[1].0.holds(left, right)
            }),
            Self::Not(inner) => !inner.truth(values),
            Self::And(parts) => parts.iter().all(|part| part.truth(values)),
            Self::Or(parts) => parts.iter().any(|part| part.truth(values)),
            _ => unreachable!("the parser takes conditions alone here"),
        }
    }

    pub(super) fn number(&self, values: &[f64]) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Name(place) => values[*place],
            Self::Negative(inner) => -inner.number(values),
            Self::Arithmetic(operator, left, right) => {
                operator.apply(left.number(values), right.number(values))
            }
            Self::Call(function, arguments) => {
                function.apply(arguments.iter().map(|argument| argument.number(values)))
            }
            _ => unreachable!("the parser takes numbers alone here"),
        }
    }

    /// Whether the tree contains the name with this index.
    pub(super) fn uses(&self, name: usize) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Name(place) => *place == name,
            Self::Negative(inner) | Self::Not(inner) => inner.uses(name),
            Self::Arithmetic(_, left, right) => left.uses(name) || right.uses(name),
            Self::Call(_, parts) | Self::And(parts) | Self::Or(parts) => {
                parts.iter().any(|part| part.uses(name))
            }
            Self::Comparison(operands) => operands.iter().any(|(_, operand)| operand.uses(name)),
        }
    }
}

impl Arithmetic {
    /// Applies the operator; `//` rounds down and `%` has the sign of the divisor, as in Python.
    fn apply(self, left: f64, right: f64) -> f64 {
        let by_zero = right == 0.0;
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide | Self::FloorDivide | Self::Modulo if by_zero => f64::NAN,
            Self::Divide => left / right,
            Self::FloorDivide => (left / right).floor(),
            Self::Modulo => left - right * (left / right).floor(),
            Self::Power => left.powf(right),
        }
    }
}

impl Compare {
    /// Whether the comparison holds; no comparison with NaN holds.
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right && !left.is_nan() && !right.is_nan(),
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
        }
    }
}

impl Function {
    fn apply(self, mut arguments: impl Iterator<Item = f64>) -> f64 {
        let first = arguments.next().unwrap_or(f64::NAN);
        let pick = |a: f64, b: f64, first: bool| if a.is_nan() || first { a } else { b };
        match self {
            Self::Min => arguments.fold(first, |a, b| pick(a, b, a <= b)),
            Self::Max => arguments.fold(first, |a, b| pick(a, b, a >= b)),
            Self::Abs => first.abs(),
            Self::Log => first.ln(),
            Self::Sqrt => first.sqrt(),
        }
    }
}
