//! Design matrices of linear models whose terms are factors or scores.

use std::ops::Range;

/// One term of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A level for each row, below `levels`; coded by indicators of all levels but the first.
    Factor {
        /// Level by row.
        codes: Vec<usize>,
        /// Number of levels.
        levels: usize,
    },
    /// A number for each row.
    Score(Vec<f64>),
}

impl Term {
    /// Returns the number of columns that code the term.
    pub fn width(&self) -> usize {
        match self {
            Self::Factor { levels, .. } => levels.saturating_sub(1),
            Self::Score(_) => 1,
        }
    }
}

/// The columns of several terms, without the intercept. Rows are sparse: only nonzero entries are stored.
#[derive(Debug, Clone)]
pub struct Design {
    /// Column and value of each nonzero entry, row after row.
    entries: Vec<(usize, f64)>,
    /// End of each row in `entries`.
    ends: Vec<usize>,
    terms: Vec<Range<usize>>,
    columns: usize,
}

impl Design {
    /// Lays out the columns of `terms`, each with a value for every one of `rows` rows.
    pub fn new<'a>(rows: usize, terms: impl IntoIterator<Item = &'a Term>) -> Self {
        let terms: Vec<&Term> = terms.into_iter().collect();
        let mut next = vec![0; rows];
        for term in &terms {
            for (row, next) in next.iter_mut().enumerate() {
                *next += usize::from(!matches!(term, Term::Factor { codes, .. } if codes[row] == 0));
            }
        }
        let mut ends = next.clone();
        let mut total = 0;
        for (next, end) in next.iter_mut().zip(&mut ends) {
            *next = total;
            total += *end;
            *end = total;
        }
        let mut design = Self { entries: vec![(0, 0.0); total], ends, terms: Vec::new(), columns: 0 };
        for term in terms {
            let start = design.columns;
            match term {
                Term::Factor { codes, .. } => {
                    for (next, &code) in next.iter_mut().zip(codes).filter(|(_, code)| **code > 0) {
                        design.entries[*next] = (start + code - 1, 1.0);
                        *next += 1;
                    }
                }
                Term::Score(scores) => {
                    // Centring here keeps the digits of scores far from 0 in the cross products.
                    let center = super::moments::mean(scores.iter().copied()).unwrap_or(0.0);
                    for (next, score) in next.iter_mut().zip(scores) {
                        design.entries[*next] = (start, score - center);
                        *next += 1;
                    }
                }
            }
            design.columns += term.width();
            design.terms.push(start..design.columns);
        }
        design
    }

    /// Returns the number of columns without the intercept.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the columns of each term.
    pub fn terms(&self) -> &[Range<usize>] {
        &self.terms
    }

    /// Returns the nonzero entries of each row: column and value.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[(usize, f64)]> {
        self.ends.iter().enumerate().map(|(row, &end)| {
            let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.entries[start..end]
        })
    }

    /// Returns the means of all columns.
    pub fn means(&self) -> Vec<f64> {
        let mut means = vec![0.0; self.columns];
        for &(column, value) in &self.entries {
            means[column] += value;
        }
        let count = self.ends.len().max(1) as f64;
        for mean in &mut means {
            *mean /= count;
        }
        means
    }

    /// Returns the centred cross products of all columns and the response, which comes last, row by row: a
    /// matrix of side `columns + 1`. Rows are weighted by `weights`, equally without them. The response
    /// should be centred roughly.
    pub fn cross_products(&self, response: &[f64], weights: Option<&[f64]>) -> Vec<f64> {
        let size = self.columns + 1;
        let mut matrix = vec![0.0; size * size];
        let mut sums = vec![0.0; size];
        let mut total = 0.0;
        for (position, (row, &y)) in self.rows().zip(response).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[position]);
            if weight == 0.0 {
                continue;
            }
            total += weight;
            for (index, &(column, value)) in row.iter().enumerate() {
                let weighted = weight * value;
                sums[column] += weighted;
                let line = &mut matrix[column * size..(column + 1) * size];
                for &(other, other_value) in &row[index..] {
                    line[other] += weighted * other_value;
                }
                line[size - 1] += weighted * y;
            }
            sums[size - 1] += weight * y;
            matrix[size * size - 1] += weight * y * y;
        }
        for i in 0..size {
            for j in i..size {
                let entry = matrix[i * size + j] - sums[i] * sums[j] / total.max(1.0);
                matrix[i * size + j] = entry;
                matrix[j * size + i] = entry;
            }
        }
        matrix
    }

    /// Replaces the response in cross products made without weights. The response should be centred roughly.
    pub fn replace_response(&self, matrix: &mut [f64], response: &[f64]) {
        let size = self.columns + 1;
        let mean = super::moments::mean(response.iter().copied()).unwrap_or(0.0);
        for row in matrix.chunks_exact_mut(size) {
            row[size - 1] = 0.0;
        }
        let mut squares = 0.0;
        for (row, y) in self.rows().zip(response) {
            let distance = y - mean;
            squares += distance * distance;
            for &(column, value) in row {
                matrix[column * size + size - 1] += value * distance;
            }
        }
        for column in 0..self.columns {
            matrix[(size - 1) * size + column] = matrix[column * size + size - 1];
        }
        matrix[size * size - 1] = squares;
    }
}
