//! Slope of labels on predicted logits (Cox 1958), with each row's influence on it.

use super::influence::Influence;

/// Largest slope that is accepted: where the classes are separated there is no finite one.
const LARGEST: f64 = 1e3;
/// Most steps of Newton's method.
const STEPS: usize = 100;

/// Returns the slope of a logistic regression of a binary label on a logit, with an intercept; `None` if the
/// logits are constant, a class is absent, or the classes are separated.
pub fn slope_of_binary(logits: &[f64], targets: &[usize]) -> Option<Influence> {
    let rows = logits.len() as f64;
    let (mut slope, mut intercept) = (0.0, 0.0);
    for _ in 0..STEPS {
        let (gradient, hessian) = of_binary(logits, targets, slope, intercept);
        let [[a, b], [_, d]] = hessian;
        let determinant = a * d - b * b;
        if determinant.is_nan() || determinant <= 1e-14 * a.max(1e-300) * d.max(1e-300) {
            return None;
        }
        let step = [
            (d * gradient[0] - b * gradient[1]) / determinant,
            (a * gradient[1] - b * gradient[0]) / determinant,
        ];
        // Newton's steps may overshoot while probabilities are near 0 or 1.
        let length = step[0].abs().max(step[1].abs());
        let share = (4.0 / length).min(1.0);
        slope += share * step[0];
        intercept += share * step[1];
        if slope.abs() > LARGEST {
            return None;
        }
        if length <= 1e-11 {
            let influence = |(x, target): (&f64, &usize)| {
                let error = *target as f64 - probability(slope * x + intercept);
                (d * error * x - b * error) / determinant
            };
            let scale = (rows / (rows - 2.0).max(1.0)).sqrt();
            let values = logits.iter().zip(targets).map(|row| scale * influence(row)).collect();
            return Some(Influence { value: slope, rows: values });
        }
    }
    None
}

/// Returns the gradient of the mean log likelihood and the negative of its second derivatives.
fn of_binary(logits: &[f64], targets: &[usize], slope: f64, intercept: f64) -> ([f64; 2], [[f64; 2]; 2]) {
    let (mut gradient, mut hessian) = ([0.0; 2], [[0.0; 2]; 2]);
    for (x, target) in logits.iter().zip(targets) {
        let p = probability(slope * x + intercept);
        let (error, weight) = (*target as f64 - p, p * (1.0 - p));
        gradient[0] += error * x;
        gradient[1] += error;
        hessian[0][0] += weight * x * x;
        hessian[0][1] += weight * x;
        hessian[1][1] += weight;
    }
    hessian[1][0] = hessian[0][1];
    let rows = logits.len() as f64;
    (gradient.map(|sum| sum / rows), hessian.map(|row| row.map(|sum| sum / rows)))
}

/// Returns the common factor of all logits with the largest likelihood, `width` logits a row; `None` if there
/// is no finite one.
pub fn slope_of_classes(logits: &[f64], targets: &[usize], width: usize) -> Option<Influence> {
    let rows = targets.len() as f64;
    let mut slope: f64 = 1.0;
    for _ in 0..STEPS {
        // The score of a row and its share of the second derivative.
        let each = || {
            logits.chunks_exact(width).zip(targets).map(|(row, target)| {
                let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
                for z in row {
                    let centred = z - highest;
                    let odds = (slope * centred).exp();
                    sum += odds;
                    first += odds * centred;
                    second += odds * centred * centred;
                }
                let mean = first / sum;
                (row[*target] - highest - mean, second / sum - mean * mean)
            })
        };
        let gradient = each().map(|(score, _)| score).sum::<f64>() / rows;
        let curvature = each().map(|(_, weight)| weight).sum::<f64>() / rows;
        if curvature.is_nan() || curvature <= 1e-14 {
            return None;
        }
        let step = gradient / curvature;
        if step.abs() <= 1e-11 {
            let scale = (rows / (rows - 1.0).max(1.0)).sqrt();
            let values = each().map(|(score, _)| scale * score / curvature).collect();
            return Some(Influence { value: slope, rows: values });
        }
        slope += step.clamp(-1.0, 1.0);
        if slope.abs() > LARGEST {
            return None;
        }
    }
    None
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
