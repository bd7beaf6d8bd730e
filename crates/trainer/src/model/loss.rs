//! Binary cross-entropy on logits: the sigmoid is inside, so that it cannot be applied twice.

use crate::kernel::Real;

/// Mean of `-log P(label)` over the windows, and its gradient by each logit.
///
/// `max(z, 0) - z y + log(1 + exp(-|z|))`, which neither overflows nor loses digits.
pub(crate) fn bce_with_logits<T: Real>(logits: &[T], labels: &[bool], d_logits: &mut [T]) -> f64 {
    let share = 1.0 / logits.len() as f64;
    let mut total = 0.0;
    for ((logit, &label), d) in logits.iter().zip(labels).zip(d_logits) {
        let z = logit.to_f64();
        let y = f64::from(u8::from(label));
        // Not `z.max(0.0)`, which would turn NaN into 0.
        let positive = if z < 0.0 { 0.0 } else { z };
        total += positive - z * y + (-z.abs()).exp().ln_1p();
        *d = T::from_f64((probability(z) - y) * share);
    }
    total * share
}

/// The logistic function.
pub(crate) fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
