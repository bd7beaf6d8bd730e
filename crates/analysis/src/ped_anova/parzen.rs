//! Densities of one parameter on a grid: one kernel for each cell with trials, and a wide kernel with the
//! weight of one trial.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc;

/// Lower bound of densities, so that their ratios exist.
const FLOOR: f64 = 1e-12;

/// Width of the narrowest kernel, in cells: 90% of it lies in its own cell.
const NARROWEST: f64 = 0.5 / 1.64;

/// The probability of each cell.
#[derive(Debug)]
pub(super) struct Density(pub(super) Vec<f64>);

impl Density {
    /// Returns the density of an ordered parameter, from normal kernels cut off at the grid's ends and summed
    /// over cells. Their width follows Scott's rule (1992) from the lesser of standard deviation and scaled
    /// interquartile range; the wide kernel is as wide as the grid.
    pub(super) fn ordered(counts: &[u32]) -> Self {
        let cells = counts.len();
        let total: u32 = counts.iter().sum();
        let weight = f64::from(total) + 1.0;
        let mut density = vec![0.0; cells];
        let narrow = Masses::new(width(counts, f64::from(total)), cells);
        for (center, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let inside: f64 = f64::from(*count) / weight / narrow.within(center as f64, cells);
            for (cell, density) in density.iter_mut().enumerate() {
                *density += inside * narrow.at[cell.abs_diff(center)];
            }
        }
        let (middle, wide) = ((cells - 1) as f64 / 2.0, cells as f64);
        let inside = mass(-0.5 - middle, wide - 0.5 - middle, wide);
        for (cell, density) in density.iter_mut().enumerate() {
            let from = cell as f64 - 0.5 - middle;
            *density += mass(from, from + 1.0, wide) / inside / weight + FLOOR;
        }
        Self(density)
    }

    /// Returns the density of an unordered parameter, from one kernel per value that trials have, smoothed
    /// towards the uniform density with the weight of one trial divided among the kernels.
    pub(super) fn nominal(counts: &[u32]) -> Self {
        let cells = counts.len() as f64;
        let weight = f64::from(counts.iter().sum::<u32>()) + 1.0;
        let kernels = counts.iter().filter(|count| **count > 0).count() as f64 + 1.0;
        let whole = 1.0 + cells / kernels;
        let trials = (weight - 1.0) / weight;
        let everywhere = trials / kernels / whole + 1.0 / cells / weight + FLOOR;
        Self(counts.iter().map(|count| f64::from(*count) / weight / whole + everywhere).collect())
    }
}

/// Masses of a normal kernel by the distance of a cell from its centre.
struct Masses {
    width: f64,
    at: Vec<f64>,
}

impl Masses {
    fn new(width: f64, cells: usize) -> Self {
        let at = (0..cells).map(|distance| mass(distance as f64 - 0.5, distance as f64 + 0.5, width));
        Self { width, at: at.collect() }
    }

    /// Returns the mass of a kernel that lies on the grid.
    fn within(&self, center: f64, cells: usize) -> f64 {
        mass(-0.5 - center, cells as f64 - 0.5 - center, self.width)
    }
}

/// Returns the mass of a normal distribution around 0 between two ends.
fn mass(from: f64, to: f64, width: f64) -> f64 {
    let below = |x: f64| 0.5 * erfc(-x / width / SQRT_2);
    // In the right tail the complements keep more digits.
    if from > 0.0 { below(-from) - below(-to) } else { below(to) - below(from) }
}

/// Returns the kernel width in cells.
fn width(counts: &[u32], total: f64) -> f64 {
    let held = || counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let mean = held().map(|(cell, count)| cell as f64 * f64::from(*count)).sum::<f64>() / total;
    let squares: f64 = held().map(|(cell, count)| (cell as f64 - mean).powi(2) * f64::from(*count)).sum();
    let sd = (squares / (total - 1.0).max(1.0)).sqrt();
    let range =
        quartile(counts, (total * 3.0 / 4.0).floor(), false) - quartile(counts, (total / 4.0).floor(), true);
    (1.059 * (range / 1.34).min(sd) * total.powf(-0.2)).max(NARROWEST)
}

/// Returns the first nonempty cell up to which there are at least `rank` trials (more than `rank` without
/// `reached`); otherwise the last one.
fn quartile(counts: &[u32], rank: f64, reached: bool) -> f64 {
    let (mut before, mut last) = (0.0, 0);
    for (cell, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        before += f64::from(*count);
        last = cell;
        if before > rank || (reached && before >= rank) {
            break;
        }
    }
    last as f64
}
