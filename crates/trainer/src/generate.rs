//! Generator of a small series with a known signal, for demonstrations.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use allometry_core::TrialRng;
use allometry_core::rng::stream;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rand::Rng as _;

/// Names of the features, as in [`GeneratedTable`].
const FEATURES: [&str; 8] = [
    "level_lag0",
    "level_lag1",
    "level_lag3",
    "level_lag5",
    "drift_lag0",
    "drift_lag2",
    "unrelated_slow",
    "unrelated_fast",
];
const LEVEL_LAGS: [usize; 4] = [0, 1, 3, 5];
const DRIFT_LAGS: [usize; 2] = [0, 2];
/// Persistence of the level and of the drift.
const PERSISTENCE: f64 = 0.7;
/// Persistence of the unrelated slow feature.
const SLOW_PERSISTENCE: f64 = 0.9;
/// Standard deviation of the noise on every indicator. The hidden series have standard deviation 1.
const NOISE_DEVIATION: f64 = 0.5;
/// Weight of the sum of level and drift in the score; their product has weight 1.
const SUM_WEIGHT: f64 = 0.2;
/// Standard deviation of the part of the score that no feature predicts.
const CHANCE_DEVIATION: f64 = 0.2;
/// Threshold of the score, which has standard deviation 1.06. About 30% of the scores are above it.
const THRESHOLD: f64 = 0.292;
/// Rows generated and discarded before the first, so that the series does not depend on its start.
const BURN_IN: usize = 200;
const FIRST_DAY: Date = date(2010, 1, 1);

/// A daily series with features and a label.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedTable {
    /// Names of the features.
    pub feature_names: Vec<&'static str>,
    /// One day per row, without gaps.
    pub dates: Vec<Date>,
    /// Features, row-major.
    pub values: Vec<f64>,
    /// Whether the event follows the row.
    pub labels: Vec<bool>,
}

/// Generates `rows` rows.
///
/// The rows depend only on the seed, on every platform (only sums and square roots are used), and the first
/// rows of a longer table equal those of a shorter one.
///
/// Two hidden series determine the label, a level `h` and a drift `g`. Both are autoregressions of order 1
/// with unit variance and persistence 0.7. The event follows row `t` if
///
/// `h[t] g[t] + (h[t] + g[t]) / 5 + e[t] / 5 > 0.292`,
///
/// with standard normal `e`, in about 30% of rows. The eight features are
/// - four indicators of the level, delayed by 0, 1, 3 and 5 rows, and two of the drift, delayed by 0 and 2
///   rows, each with independent normal noise of standard deviation 0.5;
/// - an autoregression with persistence 0.9 and white noise, both unrelated to the label.
///
/// A linear model sees only the sum of the two series. The product needs a model with some capacity, so that
/// more weights pay up to a size. Earlier rows help, because they average out the noise.
///
/// # Panics
/// If `rows` is more than 2,000,000, where the calendar ends.
pub fn generate(rows: usize, seed: u64) -> GeneratedTable {
    assert!(rows <= 2_000_000, "at most 2,000,000 days");
    let length = BURN_IN + rows;
    let level = autoregression(&mut normals(seed, "level", 0), PERSISTENCE, length);
    let drift = autoregression(&mut normals(seed, "drift", 0), PERSISTENCE, length);
    let late = |series: &[f64], lag: usize, index: u64| -> Vec<f64> {
        let mut noise = normals(seed, "indicator", index);
        (0..length).map(|t| series[t.saturating_sub(lag)] + NOISE_DEVIATION * noise()).collect()
    };
    let mut columns: Vec<Vec<f64>> =
        LEVEL_LAGS.iter().zip(0..).map(|(&lag, index)| late(&level, lag, index)).collect();
    columns.extend(DRIFT_LAGS.iter().zip(4..).map(|(&lag, index)| late(&drift, lag, index)));
    columns.push(autoregression(&mut normals(seed, "unrelated", 0), SLOW_PERSISTENCE, length));
    columns.push(autoregression(&mut normals(seed, "unrelated", 1), 0.0, length));

    let mut chance = normals(seed, "chance", 0);
    let labels: Vec<bool> = (0..length)
        .map(|t| {
            let (h, g) = (level[t], drift[t]);
            h * g + SUM_WEIGHT * (h + g) + CHANCE_DEVIATION * chance() > THRESHOLD
        })
        .collect();
    GeneratedTable {
        feature_names: FEATURES.to_vec(),
        dates: (0..rows).map(|row| FIRST_DAY.saturating_add((row as i64).days())).collect(),
        values: (BURN_IN..length).flat_map(|t| columns.iter().map(move |column| column[t])).collect(),
        labels: labels[BURN_IN..].to_vec(),
    }
}

impl GeneratedTable {
    /// Writes the table as CSV with the columns `date`, the features (four decimals) and `label` (0 or 1).
    ///
    /// # Errors
    /// Those of creating and writing the file.
    pub fn write_csv(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        writeln!(out, "date,{},label", self.feature_names.join(","))?;
        let rows = self.values.chunks_exact(self.feature_names.len());
        for ((date, values), &label) in self.dates.iter().zip(rows).zip(&self.labels) {
            write!(out, "{date}")?;
            for value in values {
                write!(out, ",{value:.4}")?;
            }
            writeln!(out, ",{}", u8::from(label))?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

/// Returns an autoregression of order 1 that starts at 0 and approaches unit variance.
fn autoregression(normal: &mut impl FnMut() -> f64, persistence: f64, length: usize) -> Vec<f64> {
    let innovation = (1.0 - persistence * persistence).sqrt();
    let mut value = 0.0;
    (0..length)
        .map(|_| {
            value = persistence * value + innovation * normal();
            value
        })
        .collect()
}

/// Returns a generator of approximately normal numbers: sums of twelve uniform numbers, minus 6.
///
/// They lie in [-6, 6]. Unlike with logarithms and cosines, their bits do not depend on the platform.
fn normals(seed: u64, name: &str, index: u64) -> impl FnMut() -> f64 + use<> {
    const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
    let mut rng: TrialRng = stream(seed, name, index);
    move || (0..12).map(|_| (rng.next_u64() >> 11) as f64 * UNIT).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use allometry_ladder::{DataSpec, FeatureSpec, LabelSpec, MissingPolicy, Normalize, SplitSpec, Task};

    use super::*;
    use crate::baseline::baselines;
    use crate::data::load;

    #[test]
    fn the_same_seed_gives_the_same_rows() {
        let table = generate(300, 7);
        assert_eq!(table, generate(300, 7));
        let shorter = generate(100, 7);
        assert_eq!(shorter.values, table.values[..800]);
        assert_eq!(shorter.labels, table.labels[..100]);
        assert_ne!(table.values, generate(300, 8).values);
        assert_eq!(table.dates[31].to_string(), "2010-02-01");
    }

    #[test]
    fn the_streams_are_nearly_standard_normal() {
        let mut normal = normals(1, "test", 0);
        let n = 200_000;
        let draws: Vec<f64> = (0..n).map(|_| normal()).collect();
        let moment = |power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / f64::from(n);
        // Standard errors are 0.0022, 0.0032 and 0.02; the sum of twelve uniform numbers has a fourth
        // moment of 2.9.
        assert!(moment(1).abs() < 0.01, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.015, "{}", moment(2));
        assert!((moment(4) - 2.9).abs() < 0.1, "{}", moment(4));
    }

    #[test]
    fn three_tenths_are_positive() {
        let table = generate(50_000, 3);
        let share = table.labels.iter().filter(|&&l| l).count() as f64 / 50_000.0;
        assert!((share - 0.30).abs() < 0.02, "{share}");
    }

    #[test]
    fn a_linear_model_learns_little() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("series.csv");
        generate(4000, 42).write_csv(&path).expect("file is written");
        let spec = DataSpec {
            path,
            time: Some("date".to_owned()),
            label: LabelSpec::column("label"),
            features: FeatureSpec::default(),
            split: SplitSpec { train: 0.70, validation: 0.15 },
            folds: None,
            missing: MissingPolicy::Error,
            max_gap: None,
            series: None,
        };
        let dataset = load(&spec, 32, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
        assert_eq!(dataset.feature_names, FEATURES);
        let auc = baselines(&dataset, Task::Binary, 1)[1].metrics["auc"];
        assert!((0.53..0.70).contains(&auc), "{auc}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let error = generate(3, 1).write_csv(&folder.path().join("no/series.csv")).expect_err("is refused");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
