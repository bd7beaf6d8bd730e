//! Means and variances. Values are summed in the order given, so that results are reproducible.

/// Returns the arithmetic mean in two passes, so that the mean of equal values is that value; `None` without
/// values.
pub fn mean<I>(values: I) -> Option<f64>
where
    I: IntoIterator<Item = f64>,
    I::IntoIter: Clone,
{
    let values = values.into_iter();
    let (mut sum, mut count) = (0.0, 0_u64);
    for value in values.clone() {
        sum += value;
        count += 1;
    }
    let first = (count > 0).then(|| sum / count as f64)?;
    let mut correction = 0.0;
    for value in values {
        correction += value - first;
    }
    Some(first + correction / count as f64)
}

/// Returns the sample variance (divisor `n - 1`) in two passes; 0 for one value or equal values, `None`
/// without values.
pub fn sample_variance<I>(values: I) -> Option<f64>
where
    I: IntoIterator<Item = f64>,
    I::IntoIter: Clone,
{
    let values = values.into_iter();
    let center = mean(values.clone())?;
    let (mut squares, mut count) = (0.0, 0_u64);
    for value in values {
        squares += (value - center) * (value - center);
        count += 1;
    }
    Some(if count > 1 { squares / (count - 1) as f64 } else { 0.0 })
}

/// Returns the square root of [`sample_variance`].
pub fn sample_sd<I>(values: I) -> Option<f64>
where
    I: IntoIterator<Item = f64>,
    I::IntoIter: Clone,
{
    sample_variance(values).map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_by_hand() {
        assert_eq!(mean([1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(sample_variance([1.0, 2.0, 6.0]), Some(7.0));
        assert_eq!(sample_sd([2.0]), Some(0.0));
        assert_eq!(mean([]), None);
        assert_eq!(sample_variance([]), None);
    }

    #[test]
    fn equal_values_do_not_vary() {
        for value in [0.1, 0.7, 1e-300, 3e15, -2.0 / 3.0] {
            for count in 1..200 {
                let equal = vec![value; count];
                assert_eq!(mean(equal.iter().copied()), Some(value));
                assert_eq!(sample_variance(equal), Some(0.0));
            }
        }
    }
}
