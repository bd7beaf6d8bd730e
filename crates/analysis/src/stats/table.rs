//! Association in contingency tables.

use super::distribution;

/// Association of rows and columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Association {
    /// Pearson's chi-squared.
    pub chi_squared: f64,
    /// Degrees of freedom of chi-squared.
    pub freedom: f64,
    /// P-value by the chi-squared distribution.
    pub p: f64,
    /// Cramer's V, corrected for chance: 0 without association, 1 where one variable determines the other.
    pub cramers_v: f64,
}

/// Returns the association of rows and columns in a table of counts; empty rows and columns are left out.
/// `None` with fewer than two rows or columns.
///
/// V is Bergsma's (2013): `sqrt(max(0, phi^2 - (r-1)(c-1)/(n-1)) / min(r' - 1, c' - 1))` with `r' = r -
/// (r-1)^2/(n-1)`, `c'` likewise.
pub fn association(counts: &[Vec<u64>]) -> Option<Association> {
    let rows: Vec<f64> =
        counts.iter().map(|row| row.iter().sum::<u64>() as f64).filter(|sum| *sum > 0.0).collect();
    let width = counts.first().map_or(0, Vec::len);
    let columns: Vec<f64> =
        (0..width).map(|column| counts.iter().map(|row| row[column]).sum::<u64>() as f64).collect();
    let (r, c) = (rows.len() as f64, columns.iter().filter(|sum| **sum > 0.0).count() as f64);
    let n: f64 = rows.iter().sum();
    if r < 2.0 || c < 2.0 {
        return None;
    }
    // Uses sum (O - E)^2 / E = n (sum O^2 / (row column) - 1), which needs no visit of empty cells.
    let mut sum = 0.0;
    for (row, total) in counts.iter().filter(|row| row.iter().any(|&count| count > 0)).zip(&rows) {
        for (&count, column) in row.iter().zip(&columns).filter(|(count, _)| **count > 0) {
            sum += (count * count) as f64 / (total * column);
        }
    }
    let phi_squared = (sum - 1.0).max(0.0);
    let freedom = (r - 1.0) * (c - 1.0);
    let shrunk = |size: f64| size - (size - 1.0) * (size - 1.0) / (n - 1.0);
    let room = (shrunk(r) - 1.0).min(shrunk(c) - 1.0);
    let excess = (phi_squared - freedom / (n - 1.0)).max(0.0);
    let chi_squared = n * phi_squared;
    Some(Association {
        chi_squared,
        freedom,
        p: distribution::chi_squared_upper_tail(chi_squared, freedom)?,
        cramers_v: if room > 1e-12 { (excess / room).sqrt().min(1.0) } else { 0.0 },
    })
}
