//! Ordinary least squares with an intercept: type-II tests of terms and robust errors of single coefficients.

use super::design::Design;
use super::distribution;
use super::moments::mean;
use super::sweep::Sweep;

/// Leverage from which a row determines its own fitted value.
const FULL_LEVERAGE: f64 = 1.0 - 1e-8;
/// Share of the response's variation below which the residuals are rounding error.
const EXACT: f64 = 1e-13;

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit<'d> {
    design: &'d Design,
    response: Vec<f64>,
    sweep: Sweep,
    /// Number of rows less the number of estimated coefficients.
    pub residual_freedom: usize,
    /// Sum of squares of the centred response.
    pub total: f64,
    /// Columns that are linear combinations of earlier columns and so have no coefficient.
    pub aliased: Vec<usize>,
}

/// The test of one term given all others (type II of a model without interactions).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermTest {
    /// Degrees of freedom that the other terms leave to the term.
    pub freedom: usize,
    /// Increase of the residual sum of squares when the term is removed.
    pub sum_of_squares: f64,
    /// Mean square of the term over the residual mean square; `None` without residual degrees of freedom or
    /// for an aliased term.
    pub f: Option<f64>,
    /// Probability of a larger F if the term has no effect.
    pub p: Option<f64>,
}

/// A coefficient, or a contrast of coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// Estimate of the coefficient.
    pub estimate: f64,
    /// Standard error of the estimate.
    pub standard_error: f64,
    /// Degrees of freedom of its t statistic.
    pub freedom: f64,
}

impl Coefficient {
    /// Returns the two-sided p-value; `None` where the standard error is 0.
    pub fn p(&self) -> Option<f64> {
        (self.standard_error > 0.0)
            .then(|| distribution::t_two_sided(self.estimate / self.standard_error, self.freedom))?
    }
}

impl<'d> Fit<'d> {
    /// Fits `response` by the columns of `design` and an intercept. `None` without rows or for a constant
    /// response.
    pub fn new(design: &'d Design, response: &[f64]) -> Option<Self> {
        let center = mean(response.iter().copied())?;
        let response: Vec<f64> = response.iter().map(|y| y - center).collect();
        let mut sweep = Sweep::new(design.columns() + 1, design.cross_products(&response, None));
        let total = sweep.residual();
        if total.is_nan() || total <= 0.0 {
            return None;
        }
        let aliased: Vec<usize> = (0..design.columns()).filter(|&column| !sweep.add(column)).collect();
        let rank = design.columns() - aliased.len();
        let residual_freedom = response.len().saturating_sub(rank + 1);
        Some(Self { design, response, sweep, residual_freedom, total, aliased })
    }

    /// Returns the response less its mean.
    pub fn response(&self) -> &[f64] {
        &self.response
    }

    /// Returns the fitted response less the mean.
    pub fn fitted(&self) -> Vec<f64> {
        let means = self.design.means();
        let intercept: f64 =
            -means.iter().enumerate().map(|(j, mean)| self.sweep.coefficient(j) * mean).sum::<f64>();
        let fitted = |row: &[(usize, f64)]| {
            intercept + row.iter().map(|&(column, x)| self.sweep.coefficient(column) * x).sum::<f64>()
        };
        self.design.rows().map(fitted).collect()
    }

    /// Returns the residual sum of squares; exactly 0 where it is rounding error.
    pub fn residual(&self) -> f64 {
        let residual = self.sweep.residual();
        if residual <= EXACT * self.total { 0.0 } else { residual }
    }

    /// Returns the share of the response's variation that the model explains.
    pub fn r_squared(&self) -> f64 {
        1.0 - self.residual() / self.total
    }

    /// Tests each term of the design given all others (Yates 1934; "type II" in SAS). A term that the others
    /// alias completely has no degrees of freedom.
    pub fn term_tests(&self) -> Vec<TermTest> {
        let mean_square = self.residual() / self.residual_freedom as f64;
        self.design
            .terms()
            .iter()
            .map(|columns| {
                let mut without = self.sweep.clone();
                let removed = columns.clone().filter(|&column| without.remove(column)).count();
                // Without the term, columns that were aliased with it may be estimable again.
                let regained = self
                    .aliased
                    .iter()
                    .filter(|column| !columns.contains(column))
                    .filter(|&&column| without.add(column))
                    .count();
                let freedom = removed.saturating_sub(regained);
                let sum_of_squares = (without.residual() - self.sweep.residual()).max(0.0);
                let f =
                    (freedom > 0 && mean_square > 0.0).then(|| sum_of_squares / freedom as f64 / mean_square);
                let p = f.and_then(|f| {
                    distribution::f_upper_tail(f, freedom as f64, self.residual_freedom as f64)
                });
                TermTest { freedom, sum_of_squares, f, p }
            })
            .collect()
    }

    /// Returns the difference of the coefficients of two columns with its classical error; a side of `None`
    /// is the level without a column. `None` where a column is aliased or no degrees of freedom are left.
    pub fn contrast(&self, plus: Option<usize>, minus: Option<usize>) -> Option<Coefficient> {
        let known = |column: Option<usize>| column.is_none_or(|column| self.sweep.contains(column));
        if self.residual_freedom == 0 || !known(plus) || !known(minus) {
            return None;
        }
        let coefficient = |column: Option<usize>| column.map_or(0.0, |column| self.sweep.coefficient(column));
        let inverse =
            |a: Option<usize>, b: Option<usize>| a.zip(b).map_or(0.0, |(a, b)| self.sweep.inverse(a, b));
        let spread = inverse(plus, plus) + inverse(minus, minus) - 2.0 * inverse(plus, minus);
        let freedom = self.residual_freedom as f64;
        Some(Coefficient {
            estimate: coefficient(plus) - coefficient(minus),
            standard_error: (self.residual() / freedom * spread.max(0.0)).sqrt(),
            freedom,
        })
    }

    /// Returns the coefficient of a column with its HC3 error (Long & Ervin 2000), which allows for unequal
    /// variances between rows: each residual is divided by `1 - h`. Rows that determine their own fitted
    /// value carry no information on the error and are left out. `None` where the column is aliased, no
    /// degrees of freedom are left, or such a row alone determines the coefficient.
    pub fn robust(&self, column: usize) -> Option<Coefficient> {
        if !self.sweep.contains(column) || self.residual_freedom == 0 {
            return None;
        }
        let size = self.design.columns();
        let means = self.design.means();
        let of_means: Vec<f64> =
            (0..size).map(|i| (0..size).map(|j| self.sweep.inverse(i, j) * means[j]).sum()).collect();
        let means_form: f64 = means.iter().zip(&of_means).map(|(mean, product)| mean * product).sum();
        let mut variance = 0.0;
        for ((row, y), fitted) in self.design.rows().zip(&self.response).zip(self.fitted()) {
            let (mut influence, mut form, mut cross) = (-of_means[column], 0.0, 0.0);
            for &(i, x) in row {
                influence += self.sweep.inverse(column, i) * x;
                cross += of_means[i] * x;
                form += row.iter().map(|&(j, other)| self.sweep.inverse(i, j) * x * other).sum::<f64>();
            }
            let leverage = 1.0 / self.response.len() as f64 + form - 2.0 * cross + means_form;
            if leverage >= FULL_LEVERAGE {
                if influence * influence > 1e-9 * self.sweep.inverse(column, column) {
                    return None;
                }
                continue;
            }
            let residual = (y - fitted) / (1.0 - leverage);
            variance += influence * influence * residual * residual;
        }
        let standard_error = if self.residual() == 0.0 { 0.0 } else { variance.sqrt() };
        let freedom = self.residual_freedom as f64;
        Some(Coefficient { estimate: self.sweep.coefficient(column), standard_error, freedom })
    }
}
