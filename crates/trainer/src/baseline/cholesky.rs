//! Solution of symmetric positive definite systems.

/// Solves `A x = b` in place of `b`. `a` is row-major, `n * n` for `n = b.len()`; only its lower triangle is read, and is
/// replaced by the factor `L` of `A = L L^T`. `None` where `A` is not positive definite in `f64`.
pub(super) fn solve(a: &mut [f64], b: &mut [f64]) -> Option<()> {
    let n = b.len();
    for i in 0..n {
        let (above, below) = a.split_at_mut(i * n);
        let row = &mut below[..=i];
        for j in 0..i {
            let pivot = &above[j * n..=j * n + j];
            row[j] = (row[j] - dot(&row[..j], &pivot[..j])) / pivot[j];
        }
        let square = row[i] - dot(&row[..i], &row[..i]);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        row[i] = square.sqrt();
    }
    for i in 0..n {
        b[i] = (b[i] - dot(&a[i * n..i * n + i], &b[..i])) / a[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= a[i * n + i];
        let x = b[i];
        for j in 0..i {
            b[j] -= a[i * n + j] * x;
        }
    }
    Some(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn solutions_solve(entries in prop::collection::vec(-2.0_f64..2.0, 36), x in prop::collection::vec(-3.0_f64..3.0, 6)) {
            // A = M M^T + I is positive definite.
            let mut a = vec![0.0; 36];
            for i in 0..6 {
                for j in 0..6 {
                    a[i * 6 + j] = dot(&entries[i * 6..i * 6 + 6], &entries[j * 6..j * 6 + 6]) + f64::from(u8::from(i == j));
                }
            }
            let mut b: Vec<f64> = (0..6).map(|i| dot(&a[i * 6..i * 6 + 6], &x)).collect();
            prop_assert!(solve(&mut a, &mut b).is_some());
            for (found, wanted) in b.iter().zip(&x) {
                prop_assert!((found - wanted).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn indefinite_systems_have_none() {
        assert_eq!(solve(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0]), None);
        assert_eq!(solve(&mut [f64::NAN], &mut [1.0]), None);
    }
}
