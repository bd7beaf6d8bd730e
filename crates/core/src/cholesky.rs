//! Factors of symmetric positive definite matrices, stored by rows.

/// A lower triangular factor `L` with `L L' = A`.
#[derive(Debug, Clone)]
pub struct Cholesky {
    n: usize,
    /// Entries by rows of length `n`; entries right of the diagonal are never read.
    rows: Vec<f64>,
}

impl Cholesky {
    /// Factors the `n` by `n` matrix whose lower triangle is in `a`; `None` where it is not positive
    /// definite.
    pub fn new(mut a: Vec<f64>, n: usize) -> Option<Self> {
        for i in 0..n {
            let (above, from_i) = a.split_at_mut(i * n);
            let row = &mut from_i[..n];
            for j in 0..i {
                let other = &above[j * n..][..=j];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if pivot <= 0.0 || !pivot.is_finite() {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { n, rows: a })
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.n..][..=i]
    }

    /// Replaces `b` by `L^-1 b`.
    pub fn solve_lower(&self, b: &mut [f64]) {
        for i in 0..self.n {
            let row = self.row(i);
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
    }

    /// Returns `L b`, whose covariance is `A` if the numbers of `b` are independent with variance 1.
    pub fn times(&self, b: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.row(i), &b[..=i])).collect()
    }

    /// Returns `A^-1 b`.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        self.solve_lower(&mut x);
        for i in (0..self.n).rev() {
            let row = self.row(i);
            x[i] /= row[i];
            let xi = x[i];
            for (earlier, l) in x[..i].iter_mut().zip(&row[..i]) {
                *earlier -= xi * l;
            }
        }
        x
    }

    /// The sum of the logarithms of the diagonal, which is half of `ln det A`.
    pub fn half_log_determinant(&self) -> f64 {
        (0..self.n).map(|i| self.row(i)[i].ln()).sum()
    }

    /// The lower triangle of `A^-1`, by rows of length `n`.
    pub fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        // Row j of `columns` is column j of L^-1, so that the products below run along memory.
        let mut columns = vec![0.0; n * n];
        for j in 0..n {
            let column = &mut columns[j * n..(j + 1) * n];
            column[j] = 1.0 / self.row(j)[j];
            for i in j + 1..n {
                let row = self.row(i);
                column[i] = -dot(&row[j..i], &column[j..i]) / row[i];
            }
        }
        let mut inverse = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                inverse[i * n + j] = dot(&columns[i * n + i..(i + 1) * n], &columns[j * n + i..(j + 1) * n]);
            }
        }
        inverse
    }
}

/// The dot product, as four partial sums so that the compiler emits vector instructions.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_solve_and_invert() {
        let n = 23;
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1_u32 << 24) - 0.5
        };
        let b: Vec<f64> = (0..n * n).map(|_| next()).collect();
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                a[i * n + j] =
                    dot(&b[i * n..(i + 1) * n], &b[j * n..(j + 1) * n]) + if i == j { 0.1 } else { 0.0 };
            }
        }
        let factor = Cholesky::new(a.clone(), n).unwrap();
        let right: Vec<f64> = (0..n).map(|_| next()).collect();
        let x = factor.solve(&right);
        let inverse = factor.inverse();
        for i in 0..n {
            assert!((dot(&a[i * n..(i + 1) * n], &x) - right[i]).abs() < 1e-9);
            for j in 0..n {
                let product: f64 = (0..n).map(|k| a[i * n + k] * inverse[k.max(j) * n + k.min(j)]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-8);
            }
        }
        assert!(Cholesky::new(vec![1.0, 0.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::new(vec![f64::NAN], 1).is_none());
    }
}
