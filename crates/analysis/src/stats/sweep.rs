//! Gaussian elimination on cross products, one column at a time, which detects aliased columns.

/// Share of a column's own variation that the columns before it must leave; less is rounding error.
const TOLERANCE: f64 = 1e-9;

/// A square matrix of centred cross products, with the response last, that supports adding and removing
/// columns by the sweep operator (Goodnight 1979).
#[derive(Debug, Clone)]
pub struct Sweep {
    size: usize,
    entries: Vec<f64>,
    scale: Vec<f64>,
    swept: Vec<bool>,
}

impl Sweep {
    /// Wraps the cross products of `size` columns, with the response last, row by row.
    pub fn new(size: usize, entries: Vec<f64>) -> Self {
        let scale = (0..size).map(|k| entries[k * size + k]).collect();
        Self { size, entries, scale, swept: vec![false; size] }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.entries[row * self.size + column]
    }

    /// Adds a column to the model; `false` for an aliased column, which is a linear combination of columns in
    /// the model.
    pub fn add(&mut self, column: usize) -> bool {
        let pivot = self.at(column, column);
        if self.swept[column] || pivot.is_nan() || pivot <= TOLERANCE * self.scale[column] {
            return false;
        }
        self.pivot(column);
        self.swept[column] = true;
        true
    }

    /// Removes a column from the model; `false` where the model does not contain it.
    pub fn remove(&mut self, column: usize) -> bool {
        let inside = self.swept[column];
        if inside {
            self.pivot(column);
            self.swept[column] = false;
        }
        inside
    }

    /// Whether a column is in the model.
    pub fn contains(&self, column: usize) -> bool {
        self.swept[column]
    }

    /// Returns the residual sum of squares of the model; never negative.
    pub fn residual(&self) -> f64 {
        self.at(self.size - 1, self.size - 1).max(0.0)
    }

    /// Returns the coefficient of a column; 0 outside the model.
    pub fn coefficient(&self, column: usize) -> f64 {
        if self.swept[column] { self.at(column, self.size - 1) } else { 0.0 }
    }

    /// Returns an entry of the inverse of the model's cross products; 0 outside the model.
    pub fn inverse(&self, row: usize, column: usize) -> f64 {
        if self.swept[row] && self.swept[column] { self.at(row, column) } else { 0.0 }
    }

    /// Applies the sweep operator, which is its own inverse.
    fn pivot(&mut self, k: usize) {
        let size = self.size;
        let pivot_row: Vec<f64> = self.entries[k * size..(k + 1) * size].to_vec();
        let inverse = 1.0 / pivot_row[k];
        for (_, row) in self.entries.chunks_exact_mut(size).enumerate().filter(|(i, _)| *i != k) {
            let factor = row[k] * inverse;
            if factor != 0.0 {
                for (entry, above) in row.iter_mut().zip(&pivot_row) {
                    *entry -= factor * above;
                }
            }
            row[k] = -factor;
        }
        for entry in &mut self.entries[k * size..(k + 1) * size] {
            *entry *= inverse;
        }
        self.entries[k * size + k] = inverse;
    }
}
