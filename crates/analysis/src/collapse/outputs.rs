//! Collapse of a trial from its stored predictions of classes or numbers.

use super::{CONSTANT, CollapseKind};
use crate::outputs::Outputs;
use crate::stats::moments::sample_sd;

/// Returns the kind of a trial by its predictions: constant if, for every class or for the number, their
/// standard deviation is below 2% of that of the targets; `None` if all targets are equal.
pub(super) fn kind(predictions: Outputs<'_>) -> Option<CollapseKind> {
    let Outputs { targets, outputs, .. } = predictions;
    let width = outputs.len() / targets.len().max(1);
    let truth = |class: usize, target: f32| {
        if width == 1 { f64::from(target) } else { f64::from(u8::from(target as usize == class)) }
    };
    let ratios = (0..width).filter_map(|class| {
        let of_targets = sample_sd(targets.iter().map(|target| truth(class, *target)))?;
        let predicted = sample_sd(outputs.iter().skip(class).step_by(width).map(|x| f64::from(*x)))?;
        // A class without rows, or with all of them, cannot be told apart.
        (of_targets > 0.0).then_some(predicted / of_targets)
    });
    let largest = ratios.reduce(f64::max)?;
    Some(if largest < CONSTANT { CollapseKind::Constant } else { CollapseKind::Healthy })
}
