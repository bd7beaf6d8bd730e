//! Minimization of a smooth function with its gradient.

use std::collections::VecDeque;

use allometry_core::cholesky::dot;

/// Number of stored pairs of steps and gradient differences.
const MEMORY: usize = 8;
/// Constant of the sufficient decrease condition (Armijo).
const DECREASE: f64 = 1e-4;
/// Constant of the curvature condition (weak Wolfe conditions): largest ratio of the new slope to the old.
const CURVATURE: f64 = 0.9;

/// Minimizes `f`, which returns value and gradient, from `x` by limited-memory BFGS (Nocedal 1980; two-loop
/// recursion as in Nocedal & Wright 2006, algorithm 7.4) with a bracketing line search for the weak Wolfe
/// conditions. Ends when no component of the gradient exceeds `tolerance`, when a step gains less than a
/// millionth, or after `evaluations` calls of `f`. Returns the best point and its value. Points with infinite
/// or NaN values are never accepted.
pub(super) fn minimize(
    mut f: impl FnMut(&[f64]) -> (f64, Vec<f64>),
    mut x: Vec<f64>,
    tolerance: f64,
    evaluations: usize,
) -> (Vec<f64>, f64) {
    let (mut value, mut gradient) = f(&x);
    let mut left = evaluations.saturating_sub(1);
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    while left > 0 && gradient.iter().any(|g| g.abs() > tolerance) {
        let mut direction = two_loops(&memory, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            memory.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        let norm = dot(&direction, &direction).sqrt();
        // The first step has no scale: it has a length of at most 1; later steps of at most 4.
        let mut step = if memory.is_empty() { 1.0 / norm.max(1.0) } else { (4.0 / norm).min(1.0) };
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut accepted = None;
        while left > 0 {
            let next: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            let (next_value, next_gradient) = f(&next);
            left -= 1;
            let decreased = next_value.is_finite() && next_value <= value + DECREASE * step * slope;
            if !decreased {
                high = step;
            } else if dot(&next_gradient, &direction) < CURVATURE * slope {
                low = step;
                accepted = Some((next, next_value, next_gradient));
            } else {
                accepted = Some((next, next_value, next_gradient));
                break;
            }
            if high - low < 1e-3 * high && accepted.is_some() || high < 1e-10 {
                break;
            }
            step = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * step };
        }
        let Some((next, next_value, next_gradient)) = accepted else { break };
        let s: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        if dot(&s, &y) > 1e-12 {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((s, y));
        }
        let gain = value - next_value;
        (x, value, gradient) = (next, next_value, next_gradient);
        if gain < 1e-6 * value.abs().max(1.0) {
            break;
        }
    }
    (x, value)
}

/// The negative product of the approximate inverse Hessian and the gradient.
fn two_loops(memory: &VecDeque<(Vec<f64>, Vec<f64>)>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for (s, y) in memory.iter().rev() {
        let factor = dot(s, &q) / dot(s, y);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= factor * y);
        factors.push(factor);
    }
    if let Some((s, y)) = memory.back() {
        let scale = dot(s, y) / dot(y, y);
        for q in &mut q {
            *q *= scale;
        }
    }
    for ((s, y), factor) in memory.iter().zip(factors.iter().rev()) {
        let correction = factor - dot(y, &q) / dot(s, y);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += correction * s);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rosenbrock_is_minimised() {
        let f = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
        };
        let (x, value) = minimize(f, vec![-1.2, 1.0], 1e-8, 500);
        // The minimization ends before a last step that gains less than a millionth.
        assert!(value < 1e-5 && (x[0] - 1.0).abs() < 1e-2, "{x:?} {value}");
    }

    #[test]
    fn infinite_values_are_never_taken() {
        let f = |x: &[f64]| {
            if x[0] <= 0.0 { (f64::INFINITY, vec![0.0]) } else { (x[0] - x[0].ln(), vec![1.0 - 1.0 / x[0]]) }
        };
        let (x, _) = minimize(f, vec![5.0], 1e-8, 200);
        assert!((x[0] - 1.0).abs() < 1e-5, "{x:?}");
    }
}
